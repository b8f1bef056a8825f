//! `logothete testnet`: a whole network on this computer.

mod control;
mod fault;
mod follow;
mod logs;
mod run;
mod screen;
mod turn;
mod up;

use serde::Serialize;

use crate::cli::{NodeChoice, NodesArguments, TestnetArguments, TestnetCommand};
use crate::commands::status::PATIENCE;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Report};
use crate::status::Watch;
use crate::status::report::{Links, StatusReport};
use crate::testnet::Testnet;
use crate::testnet::attacks::Attacks;
use crate::testnet::node::Node;
use crate::testnet::relays;

/// Runs the command on the testnet that the arguments name.
///
/// # Errors
///
/// Fails as the command does; the failure holds the exit code.
pub(crate) fn run(arguments: &TestnetArguments, output: &mut Output) -> Result<Exit, Failure> {
    let dir = arguments.dir.as_deref();
    let find = || Testnet::find(dir);
    match &arguments.command {
        TestnetCommand::Up(up) => up::run(dir, up, output),
        TestnetCommand::Status => status(&find()?, output),
        TestnetCommand::Logs(logs) => logs::run(&find()?, logs, output),
        TestnetCommand::Kill(nodes) => control::kill(&chosen(&find()?, nodes)?, output),
        TestnetCommand::Pause(nodes) => control::pause(&chosen(&find()?, nodes)?, output),
        TestnetCommand::Resume(nodes) => control::resume(&chosen(&find()?, nodes)?, output),
        TestnetCommand::Start(nodes) => {
            let testnet = find()?;
            control::start(&testnet, &chosen(&testnet, nodes)?, output)
        }
        TestnetCommand::Restart(nodes) => {
            let testnet = find()?;
            control::restart(&testnet, &chosen(&testnet, nodes)?, output)
        }
        TestnetCommand::Run(arguments) => run::run(dir, arguments, output),
        TestnetCommand::Turn(arguments) => turn::turn(&find()?, arguments, output),
        TestnetCommand::Fault(arguments) => fault::run(&find()?, arguments, output),
        TestnetCommand::Down => control::down(dir, output),
        TestnetCommand::Relays(arguments) => {
            relays::run::run(&find()?.relays(), arguments.stop_with_stdin, output)
        }
    }
}

/// The processes and what they say. That nobody runs is an answer; that they contradict each other
/// is not.
fn status(testnet: &Testnet, output: &mut Output) -> Result<Exit, Failure> {
    let sights = Watch::new(testnet.nodes(), PATIENCE).look()?;
    let report = StatusReport::of(&sights, true).with_links(Links::of(testnet)?);
    output.result(&report)?;
    Ok(if report.agree == Some(false) { Exit::Contradiction } else { Exit::Done })
}

/// The validators that were named, each once, in the order of the genesis.
fn chosen(testnet: &Testnet, arguments: &NodesArguments) -> Result<Vec<Node>, Failure> {
    let mut nodes = Vec::new();
    for choice in &arguments.nodes {
        match choice {
            NodeChoice::One(index) => nodes.push(testnet.node(*index)?),
            NodeChoice::All => nodes.extend(testnet.nodes()),
        }
    }
    nodes.sort_by_key(Node::index);
    nodes.dedup();
    Ok(nodes)
}

/// What was done to validators: a line or an entry for each.
#[derive(Debug, Default, Serialize)]
struct Deeds {
    validators: Vec<Deed>,
}

/// What was done to one of them.
#[derive(Debug, Serialize)]
struct Deed {
    name: String,
    /// What it is now: `killed`, `paused`, `running`, `ready`, `retired`, `stopped`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    /// What it does to the others, where that can have changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attacks: Vec<String>,
}

impl Deed {
    fn of(node: &Node, state: &'static str, attacks: &Attacks) -> Self {
        Self { name: node.name(), state, api: None, attacks: attacks.list().to_vec() }
    }
}

impl Deeds {
    fn add(&mut self, node: &Node, state: &'static str) {
        self.validators.push(Deed::of(node, state, &Attacks::default()));
    }
}

impl Report for Deeds {
    fn text(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        for deed in &self.validators {
            write!(out, "{} {}", deed.name, deed.state)?;
            if let Some(api) = &deed.api {
                write!(out, "  {api}")?;
            }
            if !deed.attacks.is_empty() {
                write!(out, "  {}", deed.attacks.join("+"))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

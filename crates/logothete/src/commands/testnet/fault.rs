//! `testnet fault`: validators and links that fail, on a network that runs.

use std::io::{self, Write};

use serde::Serialize;

use super::control;
use crate::cli::fault::{Fault, FaultArguments, FaultOrder};
use crate::failure::{Exit, Failure};
use crate::output::{BAD, Output, Report, styled};
use crate::testnet::Testnet;
use crate::testnet::node::Node;
use crate::testnet::process::Condition;
use crate::testnet::relays;
use crate::testnet::relays::faults::LinkFault;
use crate::testnet::stop;

/// Lists, adds or ends faults, and returns when that can be seen.
///
/// # Errors
///
/// [`Exit::Usage`] when the words cannot be meant, [`Exit::NotFound`] when there is no such validator,
/// [`Exit::Refused`] when it does not fit what runs: nothing is done then.
pub(super) fn run(
    testnet: &Testnet,
    arguments: &FaultArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let order = arguments.order().map_err(|reason| Failure::new(Exit::Usage, reason))?;
    match order {
        FaultOrder::List => {}
        FaultOrder::Clear(None) => clear(testnet, &testnet.nodes(), output)?,
        FaultOrder::Clear(Some(node)) => clear(testnet, &[testnet.node(node)?], output)?,
        FaultOrder::Add(node, faults) => add(testnet, &testnet.node(node)?, &faults)?,
    }
    output.result(&FaultReport::of(testnet)?)?;
    Ok(Exit::Done)
}

fn add(testnet: &Testnet, node: &Node, faults: &[Fault]) -> Result<(), Failure> {
    let mut on_links = Vec::new();
    for fault in faults {
        let Fault::Link(effect) = fault else { continue };
        if let Some(other) = effect.other() {
            testnet.node(other)?;
            if other == node.index() {
                let text = format!("{} has no link to itself", node.name());
                return Err(Failure::new(Exit::Usage, text));
            }
        }
        on_links.push(LinkFault { node: node.index(), effect: *effect });
    }
    let (crash, pause) = (faults.contains(&Fault::Crash), faults.contains(&Fault::Pause));
    let process = match crash || pause {
        true => control::running(std::slice::from_ref(node))?.pop(),
        false => None,
    };
    if !on_links.is_empty() {
        testnet.relays().add(&on_links)?;
    }
    let Some((_, process)) = process else { return Ok(()) };
    if crash {
        return stop::kill(node, &process);
    }
    control::halt(node, &process)
}

/// Ends what these validators and their links suffer: what was killed is started, what was halted goes on.
fn clear(testnet: &Testnet, nodes: &[Node], output: &mut Output) -> Result<(), Failure> {
    let relays = testnet.relays();
    let ends = |fault: &LinkFault| nodes.iter().any(|node| node.index() == fault.node);
    if relays.exist() && relays.faults()?.on.iter().any(ends) {
        relays.change(|faults| faults.on.retain(|fault| !ends(fault)))?;
    }
    let mut down = Vec::new();
    for node in nodes {
        match node.process()? {
            None => down.push(node.clone()),
            Some(process) if process.condition() == Condition::Halted => {
                control::go_on(node, &process)?;
            }
            Some(_) => {}
        }
    }
    if !down.is_empty() {
        control::started(testnet, &down, output)?;
    }
    Ok(())
}

/// What is on.
#[derive(Debug, Serialize)]
struct FaultReport {
    /// Whether what carries the links runs: `up` or `down`; absent where there is no such thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    relays: Option<&'static str>,
    /// Each of the faults, by validator.
    faults: Vec<Row>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Row {
    node: String,
    fault: String,
}

impl FaultReport {
    fn of(testnet: &Testnet) -> Result<Self, Failure> {
        let relays = testnet.relays();
        let on_links = relays.faults()?.on;
        let mut faults = Vec::new();
        for node in testnet.nodes() {
            let process = node.process()?;
            // How it came to be so makes no difference to the others.
            let condition = process.map_or(Condition::Gone, |process| process.condition());
            let of_process = match condition {
                Condition::Running => None,
                Condition::Halted => Some("pause".to_owned()),
                Condition::Gone => Some("crash".to_owned()),
            };
            let of_links = on_links.iter().filter(|fault| fault.node == node.index());
            let all = of_process.into_iter().chain(of_links.map(|one| one.effect.to_string()));
            faults.extend(all.map(|fault| Row { node: node.name(), fault }));
        }
        let relays = relays.exist().then(|| relays.state()).transpose()?;
        Ok(Self { relays, faults })
    }
}

impl Report for FaultReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.relays == Some("down") {
            writeln!(out, "{}", styled(BAD, relays::DOWN))?;
            writeln!(out, "{}", relays::DOWN_HINT)?;
        }
        if self.faults.is_empty() {
            writeln!(out, "no fault is on")?;
        }
        for Row { node, fault } in &self.faults {
            writeln!(out, "{node} {fault}")?;
        }
        Ok(())
    }
}

//! `testnet logs`: the last lines of the logs, and what is written from now on.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::cli::LogsArguments;
use crate::failure::{Exit, Failure};
use crate::output::{DIM, Output, Report, styled};
use crate::testnet::Testnet;
use crate::testnet::log::{self, Follower};
use crate::testnet::node::Node;

/// Pause between two looks at what was written.
const PAUSE: Duration = Duration::from_millis(200);

/// A line of a log.
#[derive(Debug, Serialize)]
struct Line {
    validator: String,
    line: String,
    /// Whether the name stands before it: not when only one log is shown.
    #[serde(skip)]
    named: bool,
}

impl Report for Line {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.named {
            write!(out, "{} ", styled(DIM, format!("{} |", self.validator)))?;
        }
        writeln!(out, "{}", self.line)
    }
}

/// Shows the logs; following them, until the process is ended.
///
/// # Errors
///
/// Fails when a log cannot be read. It ends when nobody reads what it shows any more.
pub(super) fn run(
    testnet: &Testnet,
    arguments: &LogsArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let nodes = match arguments.node {
        Some(index) => vec![testnet.node(index)?],
        None => testnet.nodes(),
    };
    let named = nodes.len() > 1;
    let mut followers = Vec::new();
    for node in &nodes {
        let (lines, end) = log::tail(&node.log(), 0, arguments.lines)
            .map_err(|cause| Failure::file("read", &node.log(), &cause))?;
        if !show(node, lines, named, output)? {
            return Ok(Exit::Done);
        }
        followers.push((node, Follower::new(node.log(), end)));
    }
    if !arguments.follow {
        return Ok(Exit::Done);
    }
    loop {
        for (node, follower) in &mut followers {
            let lines =
                follower.lines().map_err(|cause| Failure::file("read", &node.log(), &cause))?;
            if !show(node, lines, named, output)? {
                return Ok(Exit::Done);
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// Shows lines; false when nobody reads them any more.
fn show(
    node: &Node,
    lines: Vec<String>,
    named: bool,
    output: &mut Output,
) -> Result<bool, Failure> {
    for line in lines {
        if !output.entry(&Line { validator: node.name(), line, named })? {
            return Ok(false);
        }
    }
    Ok(true)
}

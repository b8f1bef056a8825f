//! `testnet fault`.

use clap::Args;

use crate::cli::node_number;
use crate::testnet::relays::faults::{Effect, LINK_FAULTS};

/// `testnet fault`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Faults: crash (SIGKILL) and pause (SIGSTOP) of any testnet. Of one that was \
    started with --relays also omit-send (nothing that the validator sends reaches anybody), \
    omit-receive (nothing reaches it), cut=NODE (nothing that it sends reaches that one), \
    delay=200ms (what it sends and receives comes so much later), delay=200ms:NODE (only what it \
    sends to that one). What is held back comes when the fault is cleared."
)]
pub(crate) struct FaultArguments {
    /// NODE FAULT… adds faults, clear ends them, of one NODE or of all, nothing lists what is on.
    #[arg(value_name = "NODE FAULT…|clear [NODE]")]
    pub(crate) words: Vec<String>,
}

/// What is to be done with faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultOrder {
    /// Tell what is on.
    List,
    /// End those of one validator, or all.
    Clear(Option<usize>),
    /// Add faults to a validator.
    Add(usize, Vec<Fault>),
}

/// A fault of a validator or of its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its process is killed.
    Crash,
    /// Its process is halted.
    Pause,
    /// Its links suffer.
    Link(Effect),
}

impl FaultArguments {
    /// What the words say.
    ///
    /// # Errors
    ///
    /// Says what is expected.
    pub(crate) fn order(&self) -> Result<FaultOrder, String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => Ok(FaultOrder::List),
            ["clear"] | ["clear", "all"] => Ok(FaultOrder::Clear(None)),
            ["clear", node] => node_number(node).map(|node| FaultOrder::Clear(Some(node))),
            ["clear", _, more, ..] => {
                Err(format!("{more:?} is too much: `fault clear` ends the faults of one or of all"))
            }
            [node] => {
                let node = node_number(node)?;
                Err(format!("node{node} needs a fault: crash, pause, {LINK_FAULTS}"))
            }
            [node, faults @ ..] => {
                let faults = faults.iter().map(|fault| Fault::parse(fault));
                Ok(FaultOrder::Add(node_number(node)?, faults.collect::<Result<_, _>>()?))
            }
        }
    }
}

impl Fault {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "crash" => Ok(Self::Crash),
            "pause" => Ok(Self::Pause),
            _ if text.starts_with("cut=") || text.starts_with("delay=") => {
                text.parse().map(Self::Link)
            }
            _ => text
                .parse()
                .map(Self::Link)
                .map_err(|_| format!("{text:?} is no fault: crash, pause, {LINK_FAULTS} are")),
        }
    }
}

#[cfg(test)]
mod tests;

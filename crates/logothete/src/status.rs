//! How the validators of a network are, asked all at the same time, and whether they agree.
//!
//! What a validator says about itself proves nothing; agreement here means that what the answering
//! ones say fits together. Proofs are the business of the wallet and of the audit.

pub(crate) mod agreement;
pub(crate) mod report;

use std::thread;
use std::time::Duration;

use api::client::Client;
use api::types::Status;
use types::genesis::NAME_BYTES_MAX;

use crate::failure::Failure;
use crate::testnet::attacks::Attacks;
use crate::testnet::node::Node;
use crate::testnet::process::Condition;

/// How a validator is, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It answers.
    Up,
    /// Its process runs and does not answer (yet).
    Silent,
    /// Its process is halted.
    Paused,
    /// It does not run, or nothing answers at its URL.
    Down,
}

impl State {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Silent => "silent",
            Self::Paused => "paused",
            Self::Down => "down",
        }
    }
}

/// What one look at a validator showed.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Its name, or its URL while it does not say its name.
    pub(crate) name: String,
    /// How it is.
    pub(crate) state: State,
    /// Its process, when it is one of ours.
    pub(crate) pid: Option<u32>,
    /// How it can be asked.
    pub(crate) client: Option<Client>,
    /// What it does to the others, as far as we know.
    pub(crate) attacks: Attacks,
    /// What it says.
    pub(crate) status: Option<Status>,
}

/// Looks at the validators of a local testnet, again and again; connections are kept in between.
#[derive(Debug)]
pub(crate) struct Watch {
    nodes: Vec<(Node, Option<Client>)>,
    patience: Duration,
}

impl Watch {
    /// Watches these validators, waiting at most `patience` for each answer.
    pub(crate) fn new(nodes: Vec<Node>, patience: Duration) -> Self {
        Self { nodes: nodes.into_iter().map(|node| (node, None)).collect(), patience }
    }

    /// One look at all of them.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be told whether one runs.
    pub(crate) fn look(&mut self) -> Result<Vec<Sight>, Failure> {
        let mut sights = Vec::new();
        for (node, kept) in &mut self.nodes {
            let process = node.process()?;
            let state = match process.as_ref().map(|process| process.condition()) {
                Some(Condition::Running) => State::Silent,
                Some(Condition::Halted) => State::Paused,
                Some(Condition::Gone) | None => State::Down,
            };
            let found = process.as_ref().and_then(|process| node.client(process, self.patience));
            // The kept client has its connections; it is good as long as the validator has not
            // moved.
            if kept.as_ref().map(Client::url) != found.as_ref().map(Client::url) {
                *kept = found;
            }
            sights.push(Sight {
                name: node.name(),
                state,
                pid: process.map(|process| process.id()),
                client: kept.clone(),
                attacks: Attacks::of(node)?,
                status: None,
            });
        }
        ask(&mut sights);
        Ok(sights)
    }
}

/// One look at the validators behind these URLs.
pub(crate) fn look_at(clients: Vec<Client>) -> Vec<Sight> {
    let mut sights: Vec<Sight> = clients
        .into_iter()
        .map(|client| Sight {
            name: client.url().to_owned(),
            state: State::Down,
            pid: None,
            client: Some(client),
            attacks: Attacks::default(),
            status: None,
        })
        .collect();
    ask(&mut sights);
    for sight in &mut sights {
        if let Some(status) = sight.status.as_ref().filter(|status| names_validator(&status.name)) {
            sight.name.clone_from(&status.name);
        }
    }
    sights
}

/// Whether a genesis may have such a name: what is none goes to no terminal.
fn names_validator(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// Asks everybody who is not known to be away how they are.
fn ask(sights: &mut [Sight]) {
    thread::scope(|scope| {
        for sight in sights {
            if sight.state == State::Paused {
                continue;
            }
            if let Some(client) = sight.client.clone() {
                scope.spawn(move || {
                    if let Ok(status) = client.status() {
                        sight.status = Some(status);
                        sight.state = State::Up;
                    }
                });
            }
        }
    });
}

#[cfg(test)]
mod tests;

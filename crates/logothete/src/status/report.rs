//! The answer of `status`: a row for each validator and what follows from all of them.

use std::collections::BTreeSet;
use std::io::{self, Write};

use api::types::Status;
use serde::Serialize;
use types::number::Height;

use crate::failure::Failure;
use crate::output::{BAD, DIM, GOOD, Report, WARN, styled};
use crate::status::agreement::{Agreement, compare};
use crate::status::{Sight, State};
use crate::table::{self, Align, Column};
use crate::testnet::Testnet;
use crate::testnet::relays;
use crate::testnet::relays::faults::LinkFault;

/// How the validators of a network are.
#[derive(Debug, Serialize)]
pub(crate) struct StatusReport {
    /// Whether those that answer agree; `None` when nobody answers.
    pub(crate) agree: Option<bool>,
    /// What they agree on, or what they contradict each other about, as a sentence.
    pub(crate) verdict: String,
    /// The height at which they were compared.
    pub(crate) height: Option<u64>,
    /// The block they agree on.
    pub(crate) block: Option<String>,
    /// The state root they agree on.
    pub(crate) state_root: Option<String>,
    /// Who has lied, by evidence in committed blocks, as t + 1 validators say, by name.
    pub(crate) convicted: Vec<String>,
    /// Who says that it never votes again, by name: a validator that is as good as gone.
    pub(crate) retired: Vec<String>,
    /// How many more may be faulty for all promises to hold; `None` when nobody answers.
    pub(crate) faults_left: Option<u32>,
    /// Each of them.
    pub(crate) validators: Vec<Row>,
    /// How the links between them are, where they go through relays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
    /// Whether processes are shown.
    #[serde(skip)]
    processes: bool,
}

/// The links of a testnet with relays.
#[derive(Debug, Serialize)]
pub(crate) struct Links {
    /// Whether somebody carries them: `up` or `down`.
    relays: &'static str,
    /// What they suffer.
    faults: Vec<LinkFault>,
}

impl Links {
    /// How the links of a testnet are; nothing when it has no relays.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be told.
    pub(crate) fn of(testnet: &Testnet) -> Result<Option<Self>, Failure> {
        let relays = testnet.relays();
        if !relays.exist() {
            return Ok(None);
        }
        Ok(Some(Self { relays: relays.state()?, faults: relays.faults()?.on }))
    }

    fn text(&self, any_runs: bool, out: &mut dyn Write) -> io::Result<()> {
        if any_runs && self.relays == "down" {
            writeln!(out, "\n  {}", styled(BAD, relays::DOWN))?;
            writeln!(out, "  {}", relays::DOWN_HINT)?;
        }
        for LinkFault { node, effect } in &self.faults {
            writeln!(out, "  {}", styled(WARN, format!("fault: node{node} {effect}")))?;
        }
        Ok(())
    }
}

/// One validator.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    state: &'static str,
    pid: Option<u32>,
    api: Option<String>,
    ready: Option<bool>,
    /// Whether it never votes again.
    retired: Option<bool>,
    height: Option<u64>,
    block: Option<String>,
    state_root: Option<String>,
    view: Option<u64>,
    primary: Option<bool>,
    peers_connected: Option<u32>,
    pending: Option<u64>,
    /// The lowest height at which it has seen another chain than its own.
    fork: Option<u64>,
    attacks: Vec<String>,
}

impl Row {
    fn of(sight: &Sight) -> Self {
        let status = sight.status.as_ref();
        Self {
            name: sight.name.clone(),
            state: sight.state.name(),
            pid: sight.pid,
            api: sight.client.as_ref().map(|client| client.url().to_owned()),
            ready: status.map(|status| status.ready),
            retired: status.map(|status| status.retired),
            height: status.map(|status| status.height.get()),
            block: status.map(|status| status.block.to_string()),
            state_root: status.map(|status| status.state_root.to_string()),
            view: status.map(|status| status.view.get()),
            primary: status.map(|status| status.primary == status.replica),
            peers_connected: status.map(|status| status.peers_connected),
            pending: status.map(|status| status.pending),
            fork: status.and_then(|status| status.fork).map(Height::get),
            attacks: sight.attacks.list().to_vec(),
        }
    }

    fn cells(&self, processes: bool) -> Vec<String> {
        fn text(value: Option<impl ToString>) -> String {
            value.map_or_else(|| "-".to_owned(), |value| value.to_string())
        }
        fn short(value: Option<&String>) -> String {
            text(value.map(|value| value.chars().take(8).collect::<String>()))
        }
        let state = match (self.retired, self.ready) {
            (Some(true), _) => format!("{}, retired", self.state),
            (_, Some(false)) => format!("{}, not ready", self.state),
            (_, Some(true) | None) => self.state.to_owned(),
        };
        let mut cells = vec![self.name.clone(), state];
        if processes {
            cells.push(text(self.pid));
        }
        cells.extend([
            text(self.height),
            short(self.block.as_ref()),
            short(self.state_root.as_ref()),
            text(self.view),
            text(self.peers_connected),
            text(self.pending),
            text(self.api.as_ref()),
        ]);
        cells.push(notes(self.primary == Some(true), &self.attacks));
        cells
    }
}

/// What is particular about a validator: that it leads, and what it does to the others.
pub(crate) fn notes(primary: bool, attacks: &[String]) -> String {
    let attacks = (!attacks.is_empty()).then(|| attacks.join("+"));
    let notes: Vec<&str> =
        primary.then_some("primary").into_iter().chain(attacks.as_deref()).collect();
    notes.join(", ")
}

/// What it means that these are retired.
pub(crate) fn never_votes_again(names: &[String]) -> String {
    let (verb, pronoun, whose) = if names.len() == 1 {
        ("votes", "it follows", "its")
    } else {
        ("vote", "they follow", "their")
    };
    format!(
        "{} never {verb} again: {whose} vote journal was lost, or {whose} key has spoken elsewhere; \
         {pronoun} the others",
        names.join(", ")
    )
}

/// Who is convicted, as more validators say than may be faulty.
fn convicted(sights: &[Sight]) -> Vec<String> {
    numbers_convicted(sights)
        .into_iter()
        .map(|number| {
            let is_it =
                |sight: &&Sight| sight.status.as_ref().is_some_and(|it| it.replica == number);
            let found = sights.iter().find(is_it);
            found.map_or_else(|| format!("replica {number}"), |sight| sight.name.clone())
        })
        .collect()
}

fn numbers_convicted(sights: &[Sight]) -> Vec<u16> {
    let answers: Vec<&Status> = sights.iter().filter_map(|sight| sight.status.as_ref()).collect();
    let Some(first) = answers.first() else {
        return Vec::new();
    };
    let named: BTreeSet<u16> =
        answers.iter().flat_map(|answer| answer.convicted.iter().copied()).collect();
    let says = |number| answers.iter().filter(|it| it.convicted.contains(&number)).count();
    named.into_iter().filter(|number| says(*number) > faulty_max(first)).collect()
}

/// Those who say that they never vote again. One that says so and lies is faulty all the same.
fn retired(sights: &[Sight]) -> impl Iterator<Item = (&Sight, &Status)> {
    let answers = sights.iter().filter_map(|sight| Some((sight, sight.status.as_ref()?)));
    answers.filter(|(_, status)| status.retired)
}

fn faults_left(sights: &[Sight]) -> Option<u32> {
    let first = sights.iter().find_map(|sight| sight.status.as_ref())?;
    let faulty: BTreeSet<u16> = numbers_convicted(sights)
        .into_iter()
        .chain(retired(sights).map(|(_, status)| status.replica))
        .collect();
    u32::try_from(faulty_max(first).saturating_sub(faulty.len())).ok()
}

/// How many of the validators may be faulty: the greatest t with 3t + 1 of them.
fn faulty_max(status: &Status) -> usize {
    usize::try_from(status.validators.saturating_sub(1) / 3).unwrap_or_default()
}

impl StatusReport {
    /// What these looks amount to, asking further where validators are at different heights.
    pub(crate) fn of(sights: &[Sight], processes: bool) -> Self {
        let validators = sights.iter().map(Row::of).collect();
        let honest: Vec<&Sight> = sights.iter().filter(|one| one.attacks.is_honest()).collect();
        let up = honest.iter().filter(|sight| sight.state == State::Up).count();
        let all = honest.len();
        let noun = if all == sights.len() { "validators" } else { "honest validators" };
        let none = Self {
            agree: None,
            verdict: String::new(),
            height: None,
            block: None,
            state_root: None,
            convicted: convicted(sights),
            retired: retired(sights).map(|(sight, _)| sight.name.clone()).collect(),
            faults_left: faults_left(sights),
            validators,
            links: None,
            processes,
        };
        match compare(sights) {
            Agreement::Nobody if all == sights.len() => {
                Self { verdict: "no validator answers".to_owned(), ..none }
            }
            Agreement::Nobody => Self { verdict: "no honest validator answers".to_owned(), ..none },
            Agreement::Agree { height, block, state_root, validators } => Self {
                agree: Some(true),
                verdict: match validators {
                    1 => format!("one of {all} {noun} answers, at height {height}"),
                    _ => format!("{up} of {all} {noun} answer and agree at height {height}"),
                },
                height: Some(height),
                block: Some(block),
                state_root: Some(state_root),
                ..none
            },
            Agreement::Contradict { what } => {
                Self { agree: Some(false), verdict: format!("CONTRADICTION: {what}"), ..none }
            }
        }
    }
}

impl StatusReport {
    /// The same with how the links are.
    pub(crate) fn with_links(self, links: Option<Links>) -> Self {
        Self { links, ..self }
    }
}

impl Report for StatusReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut columns: Vec<Column> = vec![("NAME", Align::Left), ("STATE", Align::Left)];
        if self.processes {
            columns.push(("PID", Align::Right));
        }
        columns.extend([
            ("HEIGHT", Align::Right),
            ("BLOCK", Align::Left),
            ("STATE ROOT", Align::Left),
            ("VIEW", Align::Right),
            ("PEERS", Align::Right),
            ("PENDING", Align::Right),
            ("API", Align::Left),
            ("", Align::Left),
        ]);
        let rows: Vec<_> = self.validators.iter().map(|row| row.cells(self.processes)).collect();
        table::write(out, &columns, &rows)?;
        let style = match self.agree {
            Some(true) => GOOD,
            Some(false) => BAD,
            None => WARN,
        };
        writeln!(out, "\n  {}", styled(style, &self.verdict))?;
        if let (Some(block), Some(root)) = (&self.block, &self.state_root) {
            writeln!(out, "  {}", styled(DIM, format!("block {block}\n  state {root}")))?;
        }
        for row in self.validators.iter().filter(|row| row.attacks.is_empty()) {
            if let Some(fork) = row.fork {
                let line = format!(
                    "FORK: {} has seen that other blocks than its own are committed from height {fork} or below",
                    row.name
                );
                writeln!(out, "\n  {}", styled(BAD, line))?;
                let advice =
                    "stop the validators, and compare their directories with `logothete forensics`";
                writeln!(out, "  more validators have lied than the network bears; {advice}")?;
            }
        }
        if !self.convicted.is_empty() {
            let names = self.convicted.join(", ");
            let left = self.faults_left.unwrap_or(0);
            let lead = if self.convicted.len() == 1 { "leads" } else { "lead" };
            let line = format!("{names} lied, by evidence in the chain, and {lead} no view");
            writeln!(out, "\n  {}", styled(BAD, line))?;
            writeln!(out, "  {left} more may be faulty; `logothete evidence` shows the proof")?;
        }
        if !self.retired.is_empty() {
            let left = self.faults_left.unwrap_or(0);
            writeln!(out, "\n  {}", styled(WARN, never_votes_again(&self.retired)))?;
            writeln!(out, "  {left} more may be faulty")?;
        }
        if let Some(links) = &self.links {
            let runs = |row: &Row| row.state != State::Down.name();
            links.text(self.validators.iter().any(runs), out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

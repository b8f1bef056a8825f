//! `logothete-adversary list`: the attacks and their knobs.

use std::io::{self, Write};

use byzantine::attack::{CATALOGUE, Kind};
use byzantine::{client, service};
use program::failure::{Exit, Failure};
use program::output::{BOLD, DIM, Output, Report, styled};
use serde::Serialize;

use crate::cli::ListArguments;

/// What is behind the name of an attack: its knob, a value, and what it means.
const KNOBS: [KnobRow; 8] = [
    KnobRow::new("chance", "250", "in how many of 1000 cases it happens; 1000 if not said"),
    KnobRow::new("from", "3", "the first height"),
    KnobRow::new("until", "9", "the last height"),
    KnobRow::new("from-view", "1", "the first view"),
    KnobRow::new("until-view", "4", "the last view"),
    KnobRow::new("victims", "1+2", "to whom it is done; whom the attack chooses if not said"),
    KnobRow::new(
        "with",
        "0+1",
        "who shares the plan; as many of the first as it takes if not said",
    ),
    KnobRow::new("delay", "1500", "milliseconds, of attacks that are slow; 1000 if not said"),
];

/// Explains the attacks that were named, or all.
///
/// # Errors
///
/// Fails when nobody takes the result.
pub(crate) fn run(arguments: &ListArguments, output: &mut Output) -> Result<Exit, Failure> {
    let named = arguments.attacks.iter().map(|known| AttackRow::of(known.0.kind));
    let list = match arguments.attacks.is_empty() {
        true => List {
            attacks: CATALOGUE.iter().map(AttackRow::of).collect(),
            beside: service::CATALOGUE.iter().map(|(_, kind)| AttackRow::of(kind)).collect(),
            clients: client::CATALOGUE.iter().map(AttackRow::of_client).collect(),
            knobs: &KNOBS,
        },
        false => List { attacks: named.collect(), beside: vec![], clients: vec![], knobs: &KNOBS },
    };
    output.result(&list)?;
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
struct List {
    /// What validators say in consensus.
    attacks: Vec<AttackRow>,
    /// What validators answer and send beside it.
    beside: Vec<AttackRow>,
    /// What clients submit.
    clients: Vec<AttackRow>,
    knobs: &'static [KnobRow],
}

#[derive(Debug, Serialize)]
struct AttackRow {
    name: &'static str,
    sentence: &'static str,
    /// What those who follow the protocol do about it.
    answer: &'static str,
    /// Whether two messages of it are evidence.
    provable: bool,
    /// From where it is made: `primary`, `backup`, `next-primary` of a view after another one, `asking` for one,
    /// `serving` blocks, `client`.
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct KnobRow {
    name: &'static str,
    example: &'static str,
    sentence: &'static str,
}

impl AttackRow {
    fn of(kind: &Kind) -> Self {
        let Kind { name, sentence, answer, provable, role, .. } = *kind;
        Self { name, sentence, answer, provable, role: role.name() }
    }

    const fn of_client(kind: &client::Kind) -> Self {
        let client::Kind { name, sentence, answer, .. } = *kind;
        Self { name, sentence, answer, provable: false, role: "client" }
    }

    fn text(&self, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let Self { name, sentence, provable, .. } = self;
        let proof = if *provable { styled(DIM, " (leaves a proof)") } else { String::new() };
        writeln!(out, "{}  {sentence}{proof}", styled(BOLD, format!("{name:width$}")))
    }
}

impl KnobRow {
    const fn new(name: &'static str, example: &'static str, sentence: &'static str) -> Self {
        Self { name, example, sentence }
    }
}

impl Report for List {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = self.attacks.iter().chain(&self.beside).chain(&self.clients);
        let width = all.map(|attack| attack.name.len()).max().unwrap_or_default();
        self.attacks.iter().try_for_each(|attack| attack.text(width, out))?;
        for (heading, attacks) in [
            ("beside consensus, by a validator:", &self.beside),
            ("by a client, `logothete-adversary client --attack NAME`:", &self.clients),
        ] {
            if !attacks.is_empty() {
                writeln!(out, "\n{heading}")?;
                attacks.iter().try_for_each(|attack| attack.text(width, out))?;
            }
        }
        writeln!(
            out,
            "\nknobs, as in {}:from=3,chance=250",
            self.attacks.first().map_or("NAME", |attack| attack.name)
        )?;
        for KnobRow { name, example, sentence } in self.knobs {
            let knob = format!("{name}={example}");
            writeln!(out, "  {}  {sentence}", styled(BOLD, format!("{knob:14}")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

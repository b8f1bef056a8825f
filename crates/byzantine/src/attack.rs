//! Attacks: what they are called, what they do, and when.
//!
//! An attack is a [`Strategy`]: it is shown everything that the replica inside would say, and says something else. It
//! knows no clock, socket or disk, so the lab and the adversary run the same. Each stands in a file of its own under
//! `attack`, and in the [catalogue](CATALOGUE) with its name and a sentence; what it costs and what must hold against it
//! is in the lab's tests.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use pbft::{Message, Outgoing};
use thiserror::Error;
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use crate::Desk;

mod accomplice;
mod bad_transaction;
mod censor;
mod conspire;
mod double_vote;
mod equivocate;
mod false_status;
mod foreign_chain;
pub(crate) mod forge_header;
mod forged_certificate;
mod fork_ancestor;
mod garbage_signatures;
mod hide_prepared;
mod impersonate;
mod inflate_view;
mod omit_certificate;
mod outdated_votes;
mod patient;
mod replay_request;
mod selective_voting;
mod silent;
mod silent_primary;
mod slow_primary;
mod split_proposal;
mod two_new_views;
mod view_storm;
mod vote_and_leave;
mod withhold_body;
mod wrong_proofs;
mod wrong_tip;

/// One way to lie. Whatever a method is not written for, the replica inside says as it is.
pub trait Strategy: Send {
    /// What is said instead of something that the replica inside says.
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let _ = desk;
        vec![outgoing]
    }

    /// What is said because of something heard.
    fn hears(&mut self, desk: &mut Desk, message: &Message) -> Vec<Outgoing> {
        let _ = (desk, message);
        Vec::new()
    }

    /// What is said of its own accord, in every step.
    fn wakes(&mut self, desk: &mut Desk) -> Vec<Outgoing> {
        let _ = desk;
        Vec::new()
    }

    /// What is done to a committed block with its proof before it is kept and handed out to others.
    fn keeps(&mut self, desk: &mut Desk, block: &mut ProvedBlock) {
        let _ = (desk, block);
    }

    /// Whether the replica inside hears of a request. Only asked of those that [choose](Strategy::chooses).
    fn admits(&mut self, desk: &mut Desk, request: &SignedTransaction) -> bool {
        let _ = (desk, request);
        true
    }

    /// Whether it chooses which requests the replica inside hears of.
    fn chooses(&self) -> bool {
        false
    }
}

/// The place in the protocol from which an attack is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// As primary: the first of all views will do.
    Primary,
    /// As backup, of any view.
    Backup,
    /// As primary of a view that follows another one.
    NextPrimary,
    /// As one that asks for another view.
    Asking,
    /// As one that is asked for blocks by somebody who lacks them.
    Serving,
}

impl Role {
    /// Its name in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::NextPrimary => "next-primary",
            Self::Asking => "asking",
            Self::Serving => "serving",
        }
    }
}

/// An attack of the catalogue.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What it is called, here and on command lines.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// What those who follow the protocol do about it, in one sentence.
    pub answer: &'static str,
    /// From where it is made.
    pub role: Role,
    /// Whether the lie can be proved to anybody once two honest replicas compare what they heard.
    pub provable: bool,
    pub(crate) make: fn() -> Box<dyn Strategy>,
}

/// Every attack, by name.
pub const CATALOGUE: &[Kind] = &[
    accomplice::KIND,
    bad_transaction::KIND,
    censor::KIND,
    conspire::KIND,
    double_vote::COMMIT,
    double_vote::PREPARE,
    equivocate::KIND,
    false_status::KIND,
    foreign_chain::KIND,
    forge_header::KIND,
    forged_certificate::KIND,
    fork_ancestor::KIND,
    garbage_signatures::KIND,
    hide_prepared::KIND,
    impersonate::IMPERSONATE,
    inflate_view::KIND,
    impersonate::NON_MEMBER,
    omit_certificate::KIND,
    outdated_votes::KIND,
    patient::KIND,
    replay_request::KIND,
    selective_voting::KIND,
    silent::KIND,
    silent_primary::KIND,
    slow_primary::KIND,
    split_proposal::KIND,
    two_new_views::KIND,
    view_storm::JUMP,
    view_storm::STORM,
    vote_and_leave::KIND,
    withhold_body::KIND,
    wrong_proofs::KIND,
    wrong_tip::KIND,
];

impl Kind {
    /// The attack of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|kind| kind.name == name)
    }

    /// One that begins now.
    pub fn begin(&self) -> Box<dyn Strategy> {
        (self.make)()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// When an attack happens, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knobs {
    /// In how many of 1,000 cases, from 0 to 1,000.
    pub chance_per_mille: u32,
    /// The first and the last height at which it happens.
    pub heights: (Height, Height),
    /// The first and the last view in which it happens.
    pub views: (View, View),
    /// Whom it is done to; nobody means whomever the attack chooses.
    pub victims: BTreeSet<ReplicaId>,
    /// Who else shares the plan, of attacks by several; nobody means as many of the first as it takes.
    pub with: BTreeSet<ReplicaId>,
    /// Milliseconds, for attacks that are slow.
    pub delay_ms: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            chance_per_mille: 1_000,
            heights: (Height::new(0), Height::new(u64::MAX)),
            views: (View::new(0), View::new(u64::MAX)),
            victims: BTreeSet::new(),
            with: BTreeSet::new(),
            delay_ms: 1_000,
        }
    }
}

/// An attack of the catalogue with its knobs, written `NAME` or `NAME:KNOB=VALUE,…`.
///
/// The knobs are `chance` (per mille), `from` and `until` (heights), `from-view` and `until-view`, `victims` (numbers of
/// replicas with `+` between them), `with` (likewise) and `delay` (milliseconds).
#[derive(Debug, Clone)]
pub struct Attack {
    /// Which one.
    pub kind: &'static Kind,
    /// When, and to whom.
    pub knobs: Knobs,
}

/// Why a text names no attack.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttackError {
    /// There is none of this name.
    #[error("there is no attack {name:?}; the attacks are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Every name.
        known: String,
    },
    /// There is no such knob.
    #[error(
        "there is no knob {knob:?}; the knobs are chance, from, until, from-view, until-view, victims, with and delay"
    )]
    UnknownKnob {
        /// What was asked for.
        knob: String,
    },
    /// A knob has no value that fits.
    #[error("{value:?} is no value for the knob {knob:?}: {expected}")]
    BadValue {
        /// The knob.
        knob: String,
        /// What was found.
        value: String,
        /// What fits.
        expected: &'static str,
    },
}

impl FromStr for Attack {
    type Err = AttackError;

    fn from_str(text: &str) -> Result<Self, AttackError> {
        Self::parse(text, CATALOGUE.iter())
    }
}

impl Attack {
    /// Reads one of these kinds with its knobs.
    ///
    /// # Errors
    ///
    /// When it is none of them, or a knob is none.
    pub fn parse(
        text: &str,
        kinds: impl Iterator<Item = &'static Kind> + Clone,
    ) -> Result<Self, AttackError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let found = kinds.clone().find(|kind| kind.name == name);
        let kind = found.ok_or_else(|| AttackError::Unknown {
            name: name.to_owned(),
            known: kinds.map(|kind| kind.name).collect::<Vec<_>>().join(", "),
        })?;
        let mut knobs = Knobs::default();
        for part in rest.split(',').filter(|part| !part.is_empty()) {
            let (knob, value) = part.split_once('=').unwrap_or((part, ""));
            knobs.turn(knob, value)?;
        }
        Ok(Self { kind, knobs })
    }
}

/// As it is read: the name, and the knobs that are turned.
impl fmt::Display for Attack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.name)?;
        let (knobs, usual) = (&self.knobs, Knobs::default());
        let numbers = [
            ("chance", u64::from(knobs.chance_per_mille), u64::from(usual.chance_per_mille)),
            ("from", knobs.heights.0.get(), usual.heights.0.get()),
            ("until", knobs.heights.1.get(), usual.heights.1.get()),
            ("from-view", knobs.views.0.get(), usual.views.0.get()),
            ("until-view", knobs.views.1.get(), usual.views.1.get()),
            ("delay", knobs.delay_ms, usual.delay_ms),
        ];
        let turned = numbers.iter().filter(|(_, value, usual)| value != usual);
        let mut turned: Vec<String> =
            turned.map(|(knob, value, _)| format!("{knob}={value}")).collect();
        if !knobs.victims.is_empty() {
            let victims: Vec<String> = knobs.victims.iter().map(ToString::to_string).collect();
            turned.push(format!("victims={}", victims.join("+")));
        }
        if turned.is_empty() { Ok(()) } else { write!(formatter, ":{}", turned.join(",")) }
    }
}

impl Knobs {
    fn turn(&mut self, knob: &str, value: &str) -> Result<(), AttackError> {
        let bad = |expected| AttackError::BadValue {
            knob: knob.to_owned(),
            value: value.to_owned(),
            expected,
        };
        let number = || value.parse::<u64>().map_err(|_| bad("a number from 0 is needed"));
        match knob {
            "chance" => {
                let chance = number()?.try_into().ok().filter(|chance| *chance <= 1_000);
                self.chance_per_mille = chance.ok_or_else(|| bad("it is from 0 to 1000"))?;
            }
            "from" => self.heights.0 = Height::new(number()?),
            "until" => self.heights.1 = Height::new(number()?),
            "from-view" => self.views.0 = View::new(number()?),
            "until-view" => self.views.1 = View::new(number()?),
            "delay" => self.delay_ms = number()?,
            "victims" | "with" => {
                let replicas = value.split('+').map(|one| one.parse().map(ReplicaId::new));
                let replicas = replicas.collect::<Result<_, _>>();
                let replicas =
                    replicas.map_err(|_| bad("numbers with + between them are needed"))?;
                if knob == "with" { self.with = replicas } else { self.victims = replicas }
            }
            _ => return Err(AttackError::UnknownKnob { knob: knob.to_owned() }),
        }
        Ok(())
    }

    /// Whether these heights and views are meant.
    pub fn cover(&self, height: Height, view: View) -> bool {
        (self.heights.0..=self.heights.1).contains(&height)
            && (self.views.0..=self.views.1).contains(&view)
    }
}

#[cfg(test)]
mod tests;

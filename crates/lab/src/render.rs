//! What came of a run, for people: pages and files made from its recording and its report. Text in, text out.
//!
//! - `report.html`: one page without script or anything from outside, with the messages as a picture;
//! - `report.md`: the same in words; `report.json`: the same for programs;
//! - `trace.jsonl`: every event, as [`crate::step`] walks through it.
//!
//! A run of a network is a [`Dossier`]. What is many runs, or is played without a network, is a [`Paper`]: a [`battle`] of
//! generals, the [`matrix`], a soak; its `trace.jsonl` lists what it was made of.
//!
//! The same run gives the same files, byte for byte. A picture shows at most [`MESSAGES_SHOWN`] messages, chosen around
//! what matters, and says what it leaves out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::generals::Agreement;
use crate::plan::Plan;
use crate::record::{Contradiction, Happened, Header, Kind, Recording, Trace, file};
use crate::report::Report;
use crate::world::{QuorumRule, genesis};

mod arrows;
mod battle;
mod council;
mod markdown;
mod markup;
mod page;
mod paper;
mod phases;
mod resilience;
mod sequence;
mod shell;
mod timeline;
mod words;

pub use battle::{battle, worst};
pub use paper::{Paper, Part, Row, Section};
pub use resilience::matrix;
pub use shell::Mark;

/// The most messages of a picture.
pub const MESSAGES_SHOWN: usize = 240;

/// The most messages of a battle of generals that a page tells in words.
pub const MESSAGES_LISTED: usize = 1_000;

/// The most false messages that a page lists.
pub const FALSE_LISTED: usize = 1_000;

/// The most moments that a page tells of.
pub const MOMENTS_LISTED: usize = 80;

/// The most proofs against one culprit that a page shows.
pub const PROOFS_SHOWN: usize = 6;

/// Everything that the files of a run are made from.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// What was run, in a few words, such as `attack equivocate`.
    pub title: String,
    /// The command that repeats it.
    pub command: String,
    /// What was done to the network.
    pub plan: Plan,
    /// How many votes made a certificate.
    pub quorum: QuorumRule,
    /// What came of it, in figures.
    pub report: Report,
    /// What happened.
    pub recording: Recording,
    /// Who lied, and how, in words.
    pub traitors: BTreeMap<u16, Vec<String>>,
    /// What the reader is asked, if anything.
    pub question: Option<Question>,
    /// What it came to when it was a council of generals.
    pub agreement: Option<Agreement>,
}

/// A question to the reader, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The question.
    pub question: String,
    /// The answer, with its reason.
    pub answer: String,
    /// What was expected of the run.
    pub expectations: Vec<Expectation>,
}

/// Something that was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// What, in words.
    pub expected: String,
    /// What was seen, in words.
    pub seen: String,
    /// Whether that is what was expected.
    pub met: bool,
}

/// A file of a report: its name and what stands in it.
pub type File = (&'static str, String);

/// The names of the files, in the order of [`Dossier::files`].
pub const FILES: [&str; 4] = ["report.html", "report.md", "report.json", "trace.jsonl"];

impl Dossier {
    /// The files.
    ///
    /// # Errors
    ///
    /// When something cannot be written as JSON, which is so for nothing that a run gives.
    pub fn files(&self) -> Result<Vec<File>, serde_json::Error> {
        let facts = Facts::of(self);
        let mut json = serde_json::to_string_pretty(&Summary::of(self, &facts))?;
        json.push('\n');
        let texts = [page::html(self, &facts), markdown::text(self, &facts), json, self.trace()?];
        Ok(FILES.into_iter().zip(texts).collect())
    }

    fn trace(&self) -> Result<String, serde_json::Error> {
        let header = Header {
            logothete_lab_trace: file::VERSION,
            title: self.title.clone(),
            seed: self.report.seed,
            command: self.command.clone(),
            traitors: self.traitors.keys().copied().collect(),
            left_out: self.recording.left_out,
            plan: self.plan.clone(),
        };
        Trace::new(header, self.recording.clone()).to_text()
    }
}

/// What all the files say.
struct Facts<'a> {
    /// Replicas, those that may be faulty, and votes of a certificate.
    n: u16,
    t: usize,
    q: usize,
    arrows: Vec<arrows::Arrow<'a>>,
    /// Each proof once, with who found it or was shown it.
    proofs: BTreeMap<&'a Contradiction, BTreeSet<u16>>,
    /// Who was convicted in a committed block, and the lowest such height.
    convicted: BTreeMap<u16, u64>,
    moments: Vec<(u64, String)>,
    end_us: u64,
}

impl<'a> Facts<'a> {
    fn of(dossier: &'a Dossier) -> Self {
        let genesis = dossier.quorum.of(&genesis(&dossier.plan));
        let quorum = genesis.validators().quorum();
        let events = &dossier.recording.events;
        let mut proofs: BTreeMap<&Contradiction, BTreeSet<u16>> = BTreeMap::new();
        let mut convicted = BTreeMap::new();
        for event in events {
            if let Happened::Found { replica, proof } = &event.event {
                proofs.entry(proof).or_default().insert(*replica);
            }
            if let Happened::Convicted { height, culprit, .. } = &event.event {
                let lowest = convicted.entry(*culprit).or_insert(*height);
                *lowest = (*lowest).min(*height);
            }
        }
        Self {
            n: dossier.plan.replicas,
            t: quorum.t(),
            q: quorum.q(),
            arrows: arrows::all(events),
            proofs,
            convicted,
            moments: words::moments(events),
            end_us: events.last().map_or(0, |event| event.at_us),
        }
    }

    fn count_false(&self) -> usize {
        self.arrows.iter().filter(|arrow| arrow.attack.is_some()).count()
    }

    fn count_lost(&self) -> usize {
        self.arrows.iter().filter(|arrow| arrow.end == arrows::End::Lost).count()
    }

    /// How many messages of each kind were sent.
    fn kinds(&self) -> BTreeMap<Kind, u64> {
        let mut kinds = BTreeMap::new();
        for arrow in &self.arrows {
            let count: &mut u64 = kinds.entry(arrow.said.kind).or_default();
            *count = count.saturating_add(1);
        }
        kinds
    }
}

/// `report.json`.
#[derive(Serialize)]
struct Summary<'a> {
    title: &'a str,
    command: &'a str,
    verdict: Mark,
    validators: u16,
    tolerated: usize,
    quorum: usize,
    traitors: &'a BTreeMap<u16, Vec<String>>,
    question: Option<&'a Question>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<&'a Agreement>,
    messages_by_kind: BTreeMap<&'static str, u64>,
    false_messages: usize,
    lost_messages: usize,
    events_recorded: usize,
    events_left_out: u64,
    proofs: Vec<&'a Contradiction>,
    convicted: &'a BTreeMap<u16, u64>,
    report: &'a Report,
}

impl<'a> Summary<'a> {
    fn of(dossier: &'a Dossier, facts: &'a Facts<'a>) -> Self {
        let kinds = facts.kinds().into_iter().map(|(kind, count)| (kind.name(), count));
        Self {
            title: &dossier.title,
            command: &dossier.command,
            verdict: (&dossier.report.verdict).into(),
            validators: facts.n,
            tolerated: facts.t,
            quorum: facts.q,
            traitors: &dossier.traitors,
            question: dossier.question.as_ref(),
            agreement: dossier.agreement.as_ref(),
            messages_by_kind: kinds.collect(),
            false_messages: facts.count_false(),
            lost_messages: facts.count_lost(),
            events_recorded: dossier.recording.events.len(),
            events_left_out: dossier.recording.left_out,
            proofs: facts.proofs.keys().copied().collect(),
            convicted: &facts.convicted,
            report: &dossier.report,
        }
    }
}

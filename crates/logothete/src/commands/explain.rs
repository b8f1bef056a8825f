//! `logothete explain`: why a network is slow or stands still, in one paragraph.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::thread;

use api::client::Client;
use api::client::error::ClientError;
use api::types::StandingAnswer;
use types::replica::ReplicaId;

use crate::cli::network::ExplainArguments;
use crate::commands::evidence::{Place, Validator};
use crate::explain::{Asked, Explanation, Facts, Verdict, explain};
use crate::failure::{Exit, Failure};
use crate::output::{BAD, BOLD, GOOD, Output, Report, WARN, styled};

/// Asks everybody.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is no network or no genesis, [`Exit::Unreachable`] when no validator answers,
/// [`Exit::Usage`] for a URL that is none.
pub(crate) fn run(arguments: &ExplainArguments, output: &mut Output) -> Result<Exit, Failure> {
    let place = Place::find(&arguments.place.of_evidence())?;
    let mut problems = Vec::new();
    let mut answers = Vec::new();
    for (Validator { name, replica, .. }, answer) in ask(&place) {
        match answer {
            Ok(answer) => answers.push(Asked { name: name.clone(), replica: *replica, answer }),
            Err(error) => problems.push(format!("{name}: {error}")),
        }
    }
    if answers.is_empty() {
        return Err(Failure::new(Exit::Unreachable, problems.join("; ")));
    }
    // Evidence that could not be had convicts nobody.
    let listed = place.pieces().unwrap_or_default();
    let accused = listed.pieces.iter().map(|(piece, _)| ReplicaId::new(piece.accused.replica));
    let liars: BTreeSet<ReplicaId> = accused.collect();
    let mut facts = Facts::of(place.genesis(), answers, liars);
    facts.problems.extend(problems);
    facts.problems.extend(listed.problems);
    output.result(&explain(&facts))?;
    Ok(Exit::Done)
}

/// Asks all at the same time: their answers are about one moment.
fn ask(place: &Place) -> Vec<(&Validator, Result<StandingAnswer, ClientError>)> {
    thread::scope(|scope| {
        let asked = place.answering().iter().map(|validator| {
            let answer = scope.spawn(move || validator.ask(Client::standing));
            (validator, answer)
        });
        let asked: Vec<_> = asked.collect();
        let answers =
            asked.into_iter().filter_map(|(asked, answer)| Some((asked, answer.join().ok()?)));
        answers.collect()
    })
}

impl Report for Explanation {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.problems {
            writeln!(out, "  {}: {problem}", styled(WARN, "look at this"))?;
        }
        let (style, title) = match self.verdict {
            Verdict::Idle => (GOOD, "idle"),
            Verdict::Busy => (GOOD, "busy"),
            Verdict::Waiting => (WARN, "waiting for votes"),
            Verdict::PrimarySilent => (WARN, "the primary is silent"),
            Verdict::ViewChange => (WARN, "view change"),
            Verdict::Slow => (WARN, "slow"),
            Verdict::NoQuorum => (BAD, "no quorum"),
            Verdict::Partitioned => (BAD, "partitioned"),
        };
        writeln!(out, "{}\n", styled(style, title))?;
        writeln!(out, "{}\n", self.text)?;
        writeln!(out, "{}  {}", styled(BOLD, "waits for "), self.waits_for)?;
        writeln!(out, "{}  {}", styled(BOLD, "would help"), self.helps)
    }
}

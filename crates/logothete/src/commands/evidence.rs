//! `logothete evidence`: proofs that a validator's key lied, in words that people understand.
//!
//! What a validator lists is its word, and it may frame another with it, or hide what tells on
//! itself. So all that is listed, saved or verified is fetched and checked here, against the genesis,
//! and what one validator does not give another may.

mod file;
mod list;
mod piece;
mod place;
mod validator;
mod words;

use std::io::{self, Write};
use std::path::PathBuf;

use api::types::EvidenceAnswer;
use serde::Serialize;
use types::evidence::Evidence;
use types::genesis::Genesis;

use crate::cli::evidence::{EvidenceArguments, EvidenceCommand, EvidencePlace, SaveArguments};
use crate::failure::{Exit, Failure};
use crate::output::{BAD, GOOD, Output, Report, styled};
use crate::testnet::Testnet;

pub(crate) use file::write as write_file;
pub(crate) use place::Place;
pub(crate) use validator::Validator;
pub(crate) use words::{judge, name};

/// Lists evidence, or does what was asked with a piece.
///
/// # Errors
///
/// [`Exit::Unreachable`] when no validator answers, [`Exit::NotFound`] when there is no network or
/// no such piece, [`Exit::Refused`] when a file would be overwritten. That a piece does not hold is a
/// result, with [`Exit::Fault`].
pub(crate) fn run(arguments: &EvidenceArguments, output: &mut Output) -> Result<Exit, Failure> {
    let place = &arguments.place;
    match &arguments.command {
        None => {
            output.result(&list::list(&Place::find(place)?)?)?;
            Ok(Exit::Done)
        }
        Some(EvidenceCommand::Show(name)) => {
            let place = Place::find(place)?;
            let (evidence, stored_ms) = place.piece(&name.id)?;
            let answer = EvidenceAnswer::new(place.genesis(), evidence, stored_ms);
            let report = piece::PieceReport::new(place.genesis(), answer, place.trust());
            output.result(&report)?;
            Ok(if report.holds { Exit::Done } else { Exit::Fault })
        }
        Some(EvidenceCommand::Save(save)) => {
            let report = save_piece(&Place::find(place)?, save)?;
            output.result(&report)?;
            Ok(Exit::Done)
        }
        Some(EvidenceCommand::Verify(verify)) => {
            let genesis = genesis(place)?;
            let report = VerifyReport::new(&verify.file, &genesis)?;
            output.result(&report)?;
            Ok(if report.holds { Exit::Done } else { Exit::Fault })
        }
    }
}

/// The genesis to verify against, without asking anybody.
fn genesis(place: &EvidencePlace) -> Result<Genesis, Failure> {
    if let Some(path) = &place.genesis {
        return crate::stopped::read_genesis(path);
    }
    if let Some(data) = &place.data {
        return crate::stopped::genesis(None, &crate::stopped::data_directory(data));
    }
    let testnet = Testnet::find(place.dir.as_deref())
        .map_err(|failure| failure.with_hint("name the genesis with --genesis FILE"))?;
    Ok(testnet.genesis)
}

/// A piece that was written to a file.
#[derive(Debug, Serialize)]
struct SaveReport {
    file: PathBuf,
    id: String,
}

impl Report for SaveReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: evidence {}", self.file.display(), self.id)?;
        writeln!(out, "anybody who has the genesis checks it with")?;
        writeln!(out, "  logothete evidence verify {} --genesis FILE", self.file.display())
    }
}

fn save_piece(place: &Place, save: &SaveArguments) -> Result<SaveReport, Failure> {
    let (evidence, _) = place.piece(&save.name.id)?;
    // What does not hold is no evidence, whoever gave it.
    judge(&evidence, place.genesis()).map_err(|reason| {
        Failure::new(Exit::Fault, format!("evidence {} does not hold: {reason}", evidence.id()))
    })?;
    file::write(&save.file, &evidence)?;
    Ok(SaveReport { file: save.file.clone(), id: evidence.id().to_string() })
}

/// What the check of a file found.
#[derive(Debug, Serialize)]
struct VerifyReport {
    file: String,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    chain: String,
    #[serde(flatten)]
    piece: Option<VerifiedPiece>,
}

/// What a file that holds proves.
#[derive(Debug, Serialize)]
struct VerifiedPiece {
    id: String,
    kind: &'static str,
    replica: u16,
    name: String,
    key: String,
    wrong: &'static str,
}

impl VerifyReport {
    fn new(path: &std::path::Path, genesis: &Genesis) -> Result<Self, Failure> {
        let judged = file::read(path)?.and_then(|evidence| {
            judge(&evidence, genesis)?;
            Ok(VerifiedPiece::new(&evidence, genesis))
        });
        let (piece, problem) = match judged {
            Ok(piece) => (Some(piece), None),
            Err(problem) => (None, Some(problem)),
        };
        let (file, chain) = (path.display().to_string(), genesis.chain().to_string());
        Ok(Self { file, holds: piece.is_some(), problem, chain, piece })
    }
}

impl VerifiedPiece {
    fn new(evidence: &Evidence, genesis: &Genesis) -> Self {
        let accused = evidence.accused(genesis.validators());
        let validator = genesis.validators().get(accused);
        Self {
            id: evidence.id().to_string(),
            kind: evidence.name(),
            replica: accused.get(),
            name: validator.map(|validator| validator.name.clone()).unwrap_or_default(),
            key: validator.map(|validator| validator.key.to_string()).unwrap_or_default(),
            wrong: evidence.wrong(),
        }
    }
}

impl Report for VerifyReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(problem) = &self.problem {
            writeln!(out, "{}", styled(BAD, format!("{} does not hold", self.file)))?;
            return writeln!(out, "  {problem}");
        }
        writeln!(out, "{}", styled(GOOD, format!("{} holds", self.file)))?;
        let Some(piece) = &self.piece else { return Ok(()) };
        writeln!(out, "  evidence  {}", piece.id)?;
        writeln!(out, "  accused   {}, replica {}, key {}", piece.name, piece.replica, piece.key)?;
        writeln!(out, "  chain     {}", self.chain)?;
        writeln!(out, "  {}", piece.wrong)?;
        writeln!(out, "  This key signed two statements that break this.")
    }
}

#[cfg(test)]
mod tests;

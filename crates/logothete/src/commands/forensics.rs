//! `logothete forensics`: whether two validators committed different blocks at one height, and whose
//! keys are guilty of it (protocol page §7, S12).
//!
//! Which statements contradict each other is decided in `types::forensics`; here they are fetched
//! from directories and files.

mod report;
mod side;

use std::fs;
use std::path::{Path, PathBuf};

use crypto::verify::check_each;
use types::evidence::Evidence;
use types::forensics::Testimony;
use types::genesis::Genesis;
use types::number::{Height, View};

use crate::cli::evidence::ForensicsArguments;
use crate::commands::evidence::write_file;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::stopped;
use report::{Agreement, ForensicsReport, Fork};
use side::{Committed, Side};

/// Views whose missing new views are named.
const MISSING_MAX: usize = 16;

/// Compares the first two paths; the others only testify.
///
/// # Errors
///
/// [`Exit::Refused`] when the paths have no height in common, [`Exit::NotFound`] when there is no
/// genesis, [`Exit::Interrupted`] when told to end; fails when something cannot be read, or a proof
/// of a block does not hold. A fork is a result, with [`Exit::Contradiction`].
pub(crate) fn run(arguments: &ForensicsArguments, output: &mut Output) -> Result<Exit, Failure> {
    for path in &arguments.paths {
        fs::metadata(path).map_err(|cause| Failure::file("read", path, &cause))?;
    }
    let genesis = genesis(arguments)?;
    let interrupt = stopped::interrupt()?;
    let mut sides = Vec::new();
    for path in &arguments.paths {
        sides.push(Side::open(path, &genesis, &interrupt)?);
    }
    // What is left to do is done at once.
    let [first, second, ..] = sides.as_slice() else {
        return Err(Failure::new(Exit::Usage, "two paths are needed"));
    };
    let report = match compare(first, second)? {
        Comparison::Agree(agreement) => ForensicsReport::agree(agreement),
        Comparison::Fork(committed) => {
            let [one, other] = *committed;
            for (side, committed) in [(first, &one), (second, &other)] {
                must_be_proved(side, committed, &genesis)?;
            }
            let mut testimony = Testimony::new(genesis.validators().clone());
            for side in &sides {
                side.testify(one.header.height, &mut testimony)?;
            }
            let lies = testimony.lies();
            let missing = missing(&testimony, [&one, &other]);
            let saved =
                arguments.save.as_deref().map(|to| save(&lies, &genesis, to)).transpose()?;
            let fork = Fork::new([first, second], [&one, &other]);
            ForensicsReport::fork(fork, &lies, &genesis, missing, saved)
        }
    };
    output.result(&report)?;
    Ok(if report.is_fork() { Exit::Contradiction } else { Exit::Done })
}

/// The genesis that was named, else the one above the first directory.
fn genesis(arguments: &ForensicsArguments) -> Result<Genesis, Failure> {
    let directory = arguments.paths.iter().find(|path| path.is_dir());
    match (arguments.genesis.as_deref(), directory) {
        (named, Some(directory)) => stopped::genesis(named, &stopped::validators_data(directory)?),
        (Some(path), None) => stopped::read_genesis(path),
        (None, None) => {
            Err(Failure::new(Exit::NotFound, "files do not say which network they are of")
                .with_hint("name its genesis with --genesis FILE"))
        }
    }
}

/// What two sides have in common.
enum Comparison {
    /// Everything that both have.
    Agree(Agreement),
    /// Not this: different blocks, each committed, at the lowest height where they differ.
    Fork(Box<[Committed; 2]>),
}

/// The lowest height at which both have a block and the blocks differ. Who has the same block has the
/// same blocks below it, so the height is found by halves.
fn compare(first: &Side, second: &Side) -> Result<Comparison, Failure> {
    let lowest = first.lowest().max(second.lowest());
    let highest = first.highest().min(second.highest());
    if lowest > highest {
        let text = format!(
            "{} and {} have no height in common: {} to {}, and {} to {}",
            first.name(),
            second.name(),
            first.lowest(),
            first.highest(),
            second.lowest(),
            second.highest()
        );
        return Err(Failure::refused(text));
    }
    // All below `differ` are equal, all from `known` on differ; neither has been seen in between.
    let (mut differ, mut known) = (lowest.get(), highest.get().saturating_add(1));
    while differ < known {
        let middle = differ.midpoint(known);
        if first.id(Height::new(middle))? == second.id(Height::new(middle))? {
            differ = middle.saturating_add(1);
        } else {
            known = middle;
        }
    }
    if differ > highest.get() {
        let block = first.id(highest)?;
        return Ok(Comparison::Agree(Agreement::new([first, second], highest, block)));
    }
    let height = Height::new(differ);
    Ok(Comparison::Fork(Box::new([first.committed(height)?, second.committed(height)?])))
}

/// What a side says is committed must be proved by it, else it proves nothing against anybody.
fn must_be_proved(side: &Side, committed: &Committed, genesis: &Genesis) -> Result<(), Failure> {
    let Committed { header, proof } = committed;
    let wrong = |reason: String| {
        let height = header.height;
        let text = format!("{}: the block at height {height} is not proved: {reason}", side.name());
        Failure::new(Exit::Fault, text)
    };
    let mut claims = Vec::new();
    proof
        .claims(header, genesis.validators(), &mut claims)
        .map_err(|error| wrong(error.to_string()))?;
    if check_each(&claims).iter().all(|holds| *holds) {
        return Ok(());
    }
    Err(wrong("a signature of its certificate is not its validator's".to_owned()))
}

/// The views after that of the lower certificate, up to that of the greater one, whose new view nobody brought.
fn missing(testimony: &Testimony, proofs: [&Committed; 2]) -> Vec<View> {
    let [one, other] = proofs.map(|committed| committed.proof.certificate.statement.view);
    let (lower, greater) = (one.min(other), one.max(other));
    let after = (lower.next().get()..=greater.get()).map(View::new);
    let after = if lower == greater { None } else { Some(after) };
    after
        .into_iter()
        .flatten()
        .filter(|view| testimony.lacks_new_view(*view))
        .take(MISSING_MAX)
        .collect()
}

/// Writes each proof to a file of its own.
fn save(lies: &[Evidence], genesis: &Genesis, to: &Path) -> Result<Vec<PathBuf>, Failure> {
    fs::create_dir_all(to).map_err(|cause| Failure::file("make", to, &cause))?;
    let mut files = Vec::new();
    for lie in lies {
        let accused = lie.accused(genesis.validators());
        let file = to.join(format!("{}-{accused}.evidence", lie.name()));
        write_file(&file, lie)?;
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests;

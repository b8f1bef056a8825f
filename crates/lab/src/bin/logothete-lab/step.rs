//! Walking through a recorded run on a terminal, or by lines that come from elsewhere.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use lab::record::Trace;
use lab::step::Walk;

use crate::{Outcome, output};

/// Walk through a recorded run, event by event, forwards and backwards.
///
/// It reads commands from stdin, one a line: n or nothing for the next event, p for the one before, +10, -10, g and
/// milliseconds, h and a height, f for the next false message, / and a text, v for where every replica stands, q.
#[derive(Debug, Args)]
pub(crate) struct Step {
    /// A trace.jsonl, or the folder of a run
    #[arg(value_name = "FILE|FOLDER")]
    path: PathBuf,
}

pub(crate) fn step(arguments: &Step) -> Result<Outcome, String> {
    let mut walk = Walk::new(read(&arguments.path)?);
    output::tell(&walk.opening());
    let stdin = std::io::stdin();
    let asks = stdin.is_terminal();
    let mut lines = stdin.lock().lines();
    loop {
        if asks {
            write!(std::io::stderr(), "> ").ok();
        }
        let line = match lines.next() {
            None => return Ok(Outcome::Held),
            Some(line) => line.map_err(|error| format!("cannot read commands: {error}"))?,
        };
        let Some(answer) = walk.answer(&line) else {
            return Ok(Outcome::Held);
        };
        output::tell(&answer);
    }
}

fn read(path: &Path) -> Result<Trace, String> {
    let file = if path.is_dir() { path.join("trace.jsonl") } else { path.to_owned() };
    let shown = file.display();
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    Trace::parse(&text).map_err(|error| format!("{shown}: {error}"))
}

//! `logothete genesis check`: everything that is wrong with a document, or what it describes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use types::genesis::{Genesis, GenesisErrors};

use crate::cli::GenesisCommand;
use crate::failure::{Exit, Failure};
use crate::output::{BAD, BOLD, GOOD, Output, Report, styled};
use crate::table::{self, Align};

/// What the check found.
#[derive(Debug, Serialize)]
struct CheckReport {
    file: String,
    holds: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FoundProblem>,
    #[serde(flatten)]
    network: Option<Network>,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
struct FoundProblem {
    line: Option<usize>,
    text: String,
}

/// What a document that holds describes.
#[derive(Debug, Serialize)]
struct Network {
    name: String,
    chain: String,
    prefix: String,
    supply: String,
    supply_text: String,
    accounts: usize,
    n: usize,
    t: usize,
    q: usize,
    replies: usize,
    validators: Vec<NetworkValidator>,
}

#[derive(Debug, Serialize)]
struct NetworkValidator {
    replica: u16,
    name: String,
    key: String,
    peer_id: String,
}

/// Checks the document.
///
/// # Errors
///
/// Fails when it cannot be read; that it does not hold is a result, with exit code 1.
pub(crate) fn run(command: &GenesisCommand, output: &mut Output) -> Result<Exit, Failure> {
    let GenesisCommand::Check(arguments) = command;
    let report = check(&arguments.file)?;
    output.result(&report)?;
    Ok(if report.holds { Exit::Done } else { Exit::Fault })
}

fn check(path: &Path) -> Result<CheckReport, Failure> {
    let text = fs::read_to_string(path).map_err(|cause| Failure::file("read", path, &cause))?;
    let file = path.display().to_string();
    Ok(match Genesis::parse(&text) {
        Ok(genesis) => CheckReport {
            file,
            holds: true,
            problems: Vec::new(),
            network: Some(Network::of(&genesis)),
        },
        Err(errors) => {
            CheckReport { file, holds: false, problems: problems(&errors), network: None }
        }
    })
}

fn problems(errors: &GenesisErrors) -> Vec<FoundProblem> {
    let found = errors.problems().iter();
    found.map(|problem| FoundProblem { line: problem.line, text: problem.text.clone() }).collect()
}

impl Network {
    fn of(genesis: &Genesis) -> Self {
        let quorum = genesis.validators().quorum();
        Self {
            name: genesis.name().to_owned(),
            chain: genesis.chain().to_string(),
            prefix: genesis.prefix().to_owned(),
            supply: genesis.supply().get().to_string(),
            supply_text: genesis.denomination().format_with_symbol(genesis.supply()),
            accounts: genesis.accounts().len(),
            n: quorum.n(),
            t: quorum.t(),
            q: quorum.q(),
            replies: quorum.reply(),
            validators: genesis
                .validators()
                .iter()
                .map(|(replica, validator)| NetworkValidator {
                    replica: replica.get(),
                    name: validator.name.clone(),
                    key: validator.key.to_string(),
                    peer_id: validator.peer_id.clone(),
                })
                .collect(),
        }
    }
}

impl Report for CheckReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(network) = &self.network else {
            let count = self.problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            writeln!(out, "{}", styled(BAD, format!("{}: {count} {noun}", self.file)))?;
            for problem in &self.problems {
                match problem.line {
                    Some(line) => writeln!(out, "  line {line}: {}", problem.text)?,
                    None => writeln!(out, "  {}", problem.text)?,
                }
            }
            return Ok(());
        };
        writeln!(out, "{}\n", styled(GOOD, format!("{} holds", self.file)))?;
        writeln!(out, "  network   {}", styled(BOLD, &network.name))?;
        writeln!(out, "  chain     {}", network.chain)?;
        writeln!(out, "  prefix    {}", network.prefix)?;
        writeln!(out, "  supply    {} in {} accounts", network.supply_text, network.accounts)?;
        writeln!(
            out,
            "  quorum    n = {}, t = {} may be faulty, q = {} make a certificate, {} equal replies are final\n",
            network.n, network.t, network.q, network.replies
        )?;
        let columns = [("VALIDATOR", Align::Left), ("KEY", Align::Left), ("PEER ID", Align::Left)];
        let rows: Vec<Vec<String>> = network
            .validators
            .iter()
            .map(|row| vec![row.name.clone(), row.key.clone(), row.peer_id.clone()])
            .collect();
        table::write(out, &columns, &rows)
    }
}

#[cfg(test)]
mod tests;

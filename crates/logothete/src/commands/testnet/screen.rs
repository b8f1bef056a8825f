//! The screen that `testnet up` shows once everybody is ready.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::output::{BOLD, DIM, GOOD, Report, styled};
use crate::status::Sight;
use crate::status::report::notes;
use crate::table::{self, Align};
use crate::testnet::Testnet;

/// What is there and what can be done with it.
#[derive(Debug, Serialize)]
pub(super) struct Screen {
    /// The name of the network.
    pub(super) network: String,
    /// Its chain id.
    pub(super) chain: String,
    /// Where its files are.
    pub(super) directory: PathBuf,
    /// What its keys were derived from.
    pub(super) seed: u64,
    /// Whether this command made it.
    pub(super) created: bool,
    /// How long it took until all validators were ready.
    pub(super) seconds: f64,
    /// Validators, those that may be faulty, and those that make a certificate.
    pub(super) n: usize,
    /// See `n`.
    pub(super) t: usize,
    /// See `n`.
    pub(super) q: usize,
    /// The validators.
    pub(super) validators: Vec<ScreenValidator>,
    /// The named accounts.
    pub(super) accounts: Vec<ScreenAccount>,
    /// Commands to go on with.
    pub(super) next: Vec<String>,
}

/// A validator.
#[derive(Debug, Serialize)]
pub(super) struct ScreenValidator {
    name: String,
    pid: Option<u32>,
    api: Option<String>,
    p2p: Option<String>,
    primary: bool,
    height: Option<u64>,
    attacks: Vec<String>,
}

/// A named account.
#[derive(Debug, Serialize)]
pub(super) struct ScreenAccount {
    name: String,
    address: String,
    /// In base units; `None` when no validator told.
    balance: Option<String>,
    balance_text: Option<String>,
}

impl Screen {
    /// What a look at a running testnet shows.
    pub(super) fn of(
        testnet: &Testnet,
        dir: Option<&Path>,
        sights: &[Sight],
        created: bool,
        took: Duration,
    ) -> Self {
        let quorum = testnet.genesis.validators().quorum();
        let validators = testnet.nodes().into_iter().zip(sights).map(|(node, sight)| {
            let process = node.process().ok().flatten();
            let file = process.and_then(|process| node.reached(&process));
            let status = sight.status.as_ref();
            ScreenValidator {
                name: sight.name.clone(),
                pid: sight.pid,
                api: sight.client.as_ref().map(|client| client.url().to_owned()),
                p2p: file.map(|file| file.p2p),
                primary: status.is_some_and(|status| status.primary == status.replica),
                height: status.map(|status| status.height.get()),
                attacks: sight.attacks.list().to_vec(),
            }
        });
        Self {
            network: testnet.genesis.name().to_owned(),
            chain: testnet.genesis.chain().to_string(),
            directory: testnet.layout.root().to_owned(),
            seed: testnet.accounts.seed,
            created,
            seconds: (took.as_secs_f64() * 100.0).round() / 100.0,
            n: quorum.n(),
            t: quorum.t(),
            q: quorum.q(),
            validators: validators.collect(),
            accounts: accounts(testnet, sights),
            next: next(dir, testnet.genesis.validators().len()),
        }
    }
}

/// The balances according to the first validator that answers: everybody's word is the same for a
/// screen.
fn accounts(testnet: &Testnet, sights: &[Sight]) -> Vec<ScreenAccount> {
    let up = sights.iter().find(|sight| sight.status.is_some());
    let client = up.and_then(|sight| sight.client.as_ref());
    let answer = |address: &str| client.and_then(|client| client.account(address).ok().flatten());
    let accounts = testnet.accounts.accounts.iter();
    accounts
        .map(|account| {
            let found = answer(&account.address);
            ScreenAccount {
                name: account.name.clone(),
                address: account.address.clone(),
                balance: found.as_ref().map(|found| found.balance.get().to_string()),
                balance_text: found
                    .map(|found| testnet.genesis.denomination().format_with_symbol(found.balance)),
            }
        })
        .collect()
}

/// Commands to try, as they have to be typed here.
fn next(dir: Option<&Path>, validators: usize) -> Vec<String> {
    let dir = dir.map_or_else(String::new, |dir| format!(" --dir {}", quoted(dir)));
    let (tool, wallet) = (program("logothete"), program("logothete-wallet"));
    let mut commands = vec![
        format!("{wallet}{dir} transfer alice bob 12.50"),
        format!("{wallet}{dir} balance alice bob"),
        format!("{tool} testnet{dir} status"),
    ];
    if validators > 3 {
        let last = validators.saturating_sub(1);
        commands.push(format!("{tool} testnet{dir} kill node{last}"));
        commands.push(format!("{tool} testnet{dir} start node{last}"));
    }
    commands.push(format!("{tool} testnet{dir} down"));
    commands
}

/// A program of ours as it has to be typed: by its name when this one was, else by its path.
fn program(name: &str) -> String {
    let typed = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let here = std::env::current_dir().unwrap_or_default();
    match typed.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            let path = folder.join(name);
            quoted(path.strip_prefix(here).unwrap_or(&path))
        }
        Some(_) | None => name.to_owned(),
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |character: char| character.is_alphanumeric() || "/._-+=:,@".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl Report for Screen {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\n  {}  {}",
            styled(BOLD, format!("network {}", self.network)),
            styled(
                DIM,
                format!(
                    "{}chain {}\n  {} validators, {} may be faulty, {} make a certificate, in {}\n",
                    if self.created { "new, " } else { "" },
                    self.chain,
                    self.n,
                    self.t,
                    self.q,
                    self.directory.display()
                )
            )
        )?;
        let columns = [
            ("VALIDATOR", Align::Left),
            ("API", Align::Left),
            ("HEIGHT", Align::Right),
            ("", Align::Left),
        ];
        let unknown = || "-".to_owned();
        let rows: Vec<Vec<String>> = self
            .validators
            .iter()
            .map(|row| {
                vec![
                    row.name.clone(),
                    row.api.clone().unwrap_or_else(unknown),
                    row.height.map_or_else(unknown, |height| height.to_string()),
                    notes(row.primary, &row.attacks),
                ]
            })
            .collect();
        table::write(out, &columns, &rows)?;
        writeln!(out)?;
        let columns =
            [("ACCOUNT", Align::Left), ("ADDRESS", Align::Left), ("BALANCE", Align::Right)];
        let rows: Vec<Vec<String>> = self
            .accounts
            .iter()
            .map(|row| {
                let balance = row.balance_text.clone().unwrap_or_else(unknown);
                vec![row.name.clone(), row.address.clone(), balance]
            })
            .collect();
        table::write(out, &columns, &rows)?;
        writeln!(out, "\n  {}", styled(BOLD, "what to try next"))?;
        for command in &self.next {
            writeln!(out, "    {command}")?;
        }
        let ready = styled(GOOD, "READY");
        writeln!(out, "\n{ready} in {:.2} s", self.seconds)
    }
}

#[cfg(test)]
mod tests;

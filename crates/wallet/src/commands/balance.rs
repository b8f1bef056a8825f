//! `balance`: what accounts hold, as a quorum certified it.

use std::io::{self, Write};

use serde::Serialize;
use types::{Address, Genesis};

use super::accounts::named;
use crate::arguments::BalanceArguments;
use crate::ask;
use crate::certified::{self, Certified};
use crate::exit::{Exit, Failure};
use crate::finality;
use crate::output::{BOLD, DIM, Report, styled};
use crate::people::People;
use crate::program::Context;
use crate::site::Site;

/// Runs `balance`.
///
/// # Errors
/// [`Exit::NotFound`] when an account that was asked for does not exist; the others are shown
/// first.
pub(crate) fn run(context: &mut Context, arguments: &BalanceArguments) -> Result<Exit, Failure> {
    let site = Site::open(&context.places)?;
    let people = People::of(&site, &context.keystore)?;
    let mut asked: Vec<(String, Address)> = Vec::new();
    for who in &arguments.who {
        asked.push((who.clone(), people.resolve(who)?));
    }
    let all = asked.is_empty();
    if all {
        let named = named(context, &people)?;
        asked.extend(named.into_iter().map(|(name, address, _)| (name, address)));
    }
    let (mut accounts, mut missing) = (Vec::new(), Vec::new());
    for (who, address) in asked {
        let text = address.to_text(site.genesis().prefix());
        match certified::account(&site, &address, ask::deadline(), &mut context.output)? {
            Some(certified) => {
                accounts.push(BalanceReport::of(who, text, &certified, site.genesis()));
            }
            None => missing.push(who),
        }
    }
    context.output.result(&BalancesReport { accounts })?;
    if missing.is_empty() {
        return Ok(Exit::Done);
    }
    let missing = missing.join(", ");
    let text = format!("no account of {missing} on this ledger: nothing was ever sent there");
    if all {
        context.output.notice(text);
        return Ok(Exit::Done);
    }
    Err(Failure::not_found(text))
}

#[derive(Serialize)]
struct BalancesReport {
    accounts: Vec<BalanceReport>,
}

#[derive(Serialize)]
struct BalanceReport {
    who: String,
    address: String,
    balance: String,
    balance_text: String,
    nonce: u64,
    height: u64,
    block: String,
    /// Who signed the certificate; nobody before the first block.
    signers: Vec<String>,
}

impl BalanceReport {
    fn of(who: String, address: String, certified: &Certified, genesis: &Genesis) -> Self {
        Self {
            who,
            address,
            balance: certified.account.balance.get().to_string(),
            balance_text: genesis.denomination().format_with_symbol(certified.account.balance),
            nonce: certified.account.nonce.get(),
            height: certified.height.get(),
            block: certified.block.to_string(),
            signers: finality::names(genesis.validators(), &certified.signers),
        }
    }
}

impl Report for BalancesReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = |of: fn(&BalanceReport) -> usize| self.accounts.iter().map(of).max();
        let who_width = width(|account| account.who.len()).unwrap_or_default();
        let balance_width = width(|account| account.balance_text.len()).unwrap_or_default();
        for account in &self.accounts {
            let BalanceReport { who, balance_text, height, signers, .. } = account;
            let balance = styled(BOLD, format_args!("{balance_text:>balance_width$}"));
            let proof = format!("certified at height {height}, {}", finality::signed_by(signers));
            writeln!(out, "{who:who_width$}  {balance}  {}", styled(DIM, proof))?;
        }
        Ok(())
    }
}

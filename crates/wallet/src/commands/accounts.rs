//! `accounts`: the names that can be used here. No validator is asked.

use std::io::{self, Write};

use serde::Serialize;
use types::Address;

use crate::exit::{Exit, Failure};
use crate::output::{DIM, Report, styled};
use crate::people::People;
use crate::program::Context;
use crate::site::Site;

/// Runs `accounts`.
///
/// # Errors
/// When there is no network, or a file of names cannot be used.
pub(crate) fn run(context: &mut Context) -> Result<Exit, Failure> {
    let site = Site::open(&context.places)?;
    let people = People::of(&site, &context.keystore)?;
    let accounts = named(context, &people)?;
    if accounts.is_empty() {
        context.output.notice("there are no names; `logothete-wallet keys new NAME` makes one");
    }
    let report = AccountsReport {
        accounts: accounts
            .into_iter()
            .map(|(name, address, source)| NamedAccount {
                name,
                address: address.to_text(site.genesis().prefix()),
                source,
            })
            .collect(),
    };
    context.output.result(&report)?;
    Ok(Exit::Done)
}

/// Every name with its address and where it comes from.
///
/// # Errors
/// When the keystore cannot be read.
pub(crate) fn named(
    context: &mut Context,
    people: &People,
) -> Result<Vec<(String, Address, &'static str)>, Failure> {
    let mut named: Vec<(String, Address, &'static str)> = people
        .local()
        .iter()
        .map(|account| (account.name.clone(), account.address(), "testnet"))
        .collect();
    for name in context.keystore.names()? {
        match context.keystore.get(&name) {
            Ok(stored) => named.push((name, Address::Key(stored.sealed.public_key()), "keystore")),
            Err(failure) => context.output.warning(&failure.text),
        }
    }
    Ok(named)
}

#[derive(Serialize)]
struct AccountsReport {
    accounts: Vec<NamedAccount>,
}

#[derive(Serialize)]
struct NamedAccount {
    name: String,
    address: String,
    source: &'static str,
}

impl Report for AccountsReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width =
            self.accounts.iter().map(|account| account.name.len()).max().unwrap_or_default();
        for account in &self.accounts {
            let source = styled(DIM, account.source);
            writeln!(out, "{:width$}  {}  {source}", account.name, account.address)?;
        }
        Ok(())
    }
}

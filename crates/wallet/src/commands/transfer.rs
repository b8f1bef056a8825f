//! `transfer`: one payment, signed here, believed final when t + 1 validators signed that it is.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use api::client::error::ClientError;
use api::client::{Wait as ClientWait, replies};
use serde::Serialize;
use types::{Action, Address, Genesis, Height, Memo, SignedTransaction, Transaction, Transfer};

use crate::arguments::{TransferArguments, Wait};
use crate::ask::{self, ask_all, nobody_answered};
use crate::certified::{self, Certified};
use crate::exit::{Exit, Failure};
use crate::finality::{self, Final, Verdict};
use crate::output::{BOLD, GOOD, Report, WARN, styled};
use crate::people::{Payer, People};
use crate::program::Context;
use crate::site::Site;
use crate::terminal;

/// Pause before everybody is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Runs `transfer`.
///
/// # Errors
/// Whatever the documented exit codes say.
pub(crate) fn run(context: &mut Context, arguments: &TransferArguments) -> Result<Exit, Failure> {
    let mut site = Site::open(&context.places)?;
    let people = People::of(&site, &context.keystore)?;
    let payer = people.payer(&arguments.from)?;
    let transfer = transfer_of(arguments, &people, site.genesis())?;
    let begun = Instant::now();
    let found = {
        let deadline = ask::deadline().min(begun + arguments.timeout);
        certified::account(&site, &payer.address(), deadline, &mut context.output)?
    };
    let certified = found.ok_or_else(|| no_account(payer.name()))?;
    // What the user takes to answer and to type a password is not counted.
    let timeout = arguments.timeout.saturating_sub(begun.elapsed());
    if !arguments.yes {
        context.output.notice(summary(&site, &payer, arguments, &transfer, &certified));
        terminal::confirm("Send it?")?;
    }
    let secret = payer.unlock(&arguments.password, &mut context.output)?;
    let transaction = Transaction {
        chain: *site.genesis().chain(),
        sender: payer.address(),
        nonce: certified.next_nonce,
        valid_until: valid_until(certified.height, arguments.valid_for),
        action: Action::Transfer(transfer),
    };
    let signed = SignedTransaction::sign(transaction, &secret);
    drop(secret);
    signed
        .check_form(site.genesis().chain())
        .map_err(|cause| Failure::new(Exit::Refused, cause.code(), cause.to_string()))?;
    // Whatever happens from here on, this id says whether it was paid.
    context.output.notice(format!("signed {}", signed.id()));
    match arguments.wait {
        Wait::None => submit(context, &site, &signed, timeout),
        Wait::Final => submit_and_wait(context, &mut site, &signed, timeout),
    }
}

/// The last height at which a transaction made now may stand in a block.
pub(crate) fn valid_until(height: Height, valid_for: u64) -> Height {
    Height::new(height.get().saturating_add(valid_for))
}

/// Nothing can be paid from an account that is not there.
pub(crate) fn no_account(name: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        "unknown-sender",
        format!("{name} has no account on this ledger: nothing was ever sent there"),
    )
}

fn transfer_of(
    arguments: &TransferArguments,
    people: &People,
    genesis: &Genesis,
) -> Result<Transfer, Failure> {
    let amount = genesis
        .denomination()
        .parse(&arguments.amount)
        .map_err(|cause| Failure::usage(format!("{:?}: {cause}", arguments.amount)))?;
    Ok(Transfer {
        recipient: people.resolve(&arguments.to)?,
        amount,
        memo: Memo::new(arguments.memo.clone()),
    })
}

fn summary(
    site: &Site,
    payer: &Payer<'_>,
    arguments: &TransferArguments,
    transfer: &Transfer,
    certified: &Certified,
) -> String {
    let genesis = site.genesis();
    let amount = genesis.denomination().format_with_symbol(transfer.amount);
    let balance = genesis.denomination().format_with_symbol(certified.account.balance);
    let to = transfer.recipient.to_text(genesis.prefix());
    let to = if arguments.to == to { to } else { format!("{} {to}", arguments.to) };
    let mut text = format!(
        "Transfer {} on {}\n  from  {} (balance {balance} at height {})\n  to    {to}",
        styled(BOLD, amount),
        genesis.name(),
        payer.name(),
        certified.height,
    );
    if !transfer.memo.is_empty() {
        text.push_str(&format!("\n  memo  {}", transfer.memo));
    }
    text
}

/// Submits to everybody and waits for nothing but their word that they took it.
fn submit(
    context: &mut Context,
    site: &Site,
    signed: &SignedTransaction,
    timeout: Duration,
) -> Result<Exit, Failure> {
    let (transaction, deadline) = (signed.clone(), ask::deadline().min(Instant::now() + timeout));
    let answers =
        ask_all(site, deadline, move |client| client.submit(&transaction, ClientWait::None))?;
    let accepted: Vec<String> = answers
        .iter()
        .filter(|answer| answer.answer.is_ok())
        .map(|answer| answer.name.clone())
        .collect();
    let errors: Vec<&ClientError> =
        answers.iter().filter_map(|a| a.answer.as_ref().err()).collect();
    if accepted.is_empty() {
        // Refusals are not signed: up to t of them say nothing about who broke off or is silent.
        let refusals = errors.iter().filter(|error| matches!(error, ClientError::Problem { .. }));
        let unreached =
            errors.iter().filter(|error| matches!(error, ClientError::Unreachable { .. }));
        let (refusals, unreached) = (refusals.count(), unreached.count());
        let maybe_sent = refusals.saturating_add(unreached) < site.network().endpoints.len();
        if maybe_sent && refusals <= site.genesis().validators().quorum().t() {
            return Err(pending(signed));
        }
        return Err(refusal_in(&errors).unwrap_or_else(|| nobody_answered(errors)));
    }
    let report =
        TransferReport { accepted_by: accepted, ..TransferReport::of(site.genesis(), signed) };
    context.output.result(&report)?;
    Ok(Exit::Done)
}

/// It was sent, or may have been, and its fate is not known.
fn pending(signed: &SignedTransaction) -> Failure {
    let (id, until) = (signed.id(), signed.transaction.valid_until);
    let text = format!("not final in time; {id} may still commit, up to height {until}");
    Failure::new(Exit::Pending, "pending", text)
        .with_hint(format!("`logothete-wallet transaction {id}` shows what became of it"))
}

/// The refusal among errors, if a validator gave one.
fn refusal_in(errors: &[&ClientError]) -> Option<Failure> {
    errors.iter().find_map(|error| match error {
        ClientError::Problem { problem, .. } => {
            Some(Failure::new(Exit::Refused, problem.code.clone(), problem.detail.clone()))
        }
        ClientError::BadUrl { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Broken { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Garbled { .. } => None,
    })
}

/// Submits to everybody, again and again, until enough signed that it is final or the time is over.
fn submit_and_wait(
    context: &mut Context,
    site: &mut Site,
    signed: &SignedTransaction,
    timeout: Duration,
) -> Result<Exit, Failure> {
    let deadline = Instant::now() + timeout;
    let mut sent = false;
    loop {
        let time = finality::time_for_replies(ask::left(deadline));
        let report = replies::submit(site.network(), signed, time);
        match finality::judge(site, report, deadline, &mut context.output)? {
            Verdict::Final(found) => {
                let report = TransferReport::of_final(site.genesis(), &found);
                context.output.result(&report)?;
                return Ok(Exit::Done);
            }
            Verdict::Refused(failure) => return Err(failure),
            Verdict::Unreachable if !sent => return Err(nobody_answered(None)),
            Verdict::Pending | Verdict::Unknown => sent = true,
            Verdict::Unreachable => {}
        }
        if ask::left(deadline) <= RETRY_PAUSE {
            context.output.result(&TransferReport::of(site.genesis(), signed))?;
            return Err(pending(signed));
        }
        // A validator that was restarted has another port, and has forgotten what it was told.
        thread::sleep(RETRY_PAUSE);
        site.refresh();
    }
}

/// A transfer and what is known about it.
#[derive(Serialize)]
pub(crate) struct TransferReport {
    status: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proved_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_by: Vec<String>,
    sender: String,
    recipient: String,
    amount: String,
    amount_text: String,
    memo: String,
    nonce: u64,
    valid_until: u64,
}

impl TransferReport {
    /// Of a transfer that nobody proved to be final.
    pub(crate) fn of(genesis: &Genesis, signed: &SignedTransaction) -> Self {
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let text = |address: &Address| address.to_text(genesis.prefix());
        Self {
            status: "pending",
            id: signed.id().to_string(),
            height: None,
            block: None,
            index: None,
            signers: Vec::new(),
            proved_by: None,
            accepted_by: Vec::new(),
            sender: text(&transaction.sender),
            recipient: text(&transfer.recipient),
            amount: transfer.amount.get().to_string(),
            amount_text: genesis.denomination().format_with_symbol(transfer.amount),
            memo: transfer.memo.text().to_owned(),
            nonce: transaction.nonce.get(),
            valid_until: transaction.valid_until.get(),
        }
    }

    /// Of a transfer that is final.
    pub(crate) fn of_final(genesis: &Genesis, found: &Final) -> Self {
        let header = &found.receipt.header;
        Self {
            status: "final",
            height: Some(header.height.get()),
            block: Some(header.id().to_string()),
            index: Some(found.receipt.index),
            signers: finality::names(genesis.validators(), &found.signers),
            proved_by: Some(if found.by_certificate { "certificate" } else { "replies" }),
            ..Self::of(genesis, &found.receipt.transaction)
        }
    }
}

impl Report for TransferReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.height {
            Some(height) => {
                let word = styled(GOOD, "final");
                writeln!(out, "{word} at height {height}, signed by {}", self.signers.join(", "))?;
            }
            None if self.accepted_by.is_empty() => {
                writeln!(out, "{}: it may still commit", styled(WARN, "not final yet"))?;
            }
            None => {
                let accepted = self.accepted_by.join(", ");
                writeln!(out, "{}: accepted by {accepted}", styled(WARN, "pending"))?;
            }
        }
        writeln!(out, "  transaction  {}", self.id)?;
        writeln!(out, "  amount       {}", self.amount_text)?;
        writeln!(out, "  from         {}", self.sender)?;
        writeln!(out, "  to           {}", self.recipient)?;
        if !self.memo.is_empty() {
            writeln!(out, "  memo         {}", Memo::new(self.memo.clone()))?;
        }
        if let Some(block) = &self.block {
            writeln!(out, "  block        {block}")?;
        }
        Ok(())
    }
}

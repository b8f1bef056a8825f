//! `history`: the committed transfers of an account, each with a proof.
//!
//! What is shown is proved. That nothing is missing cannot be: the lists of all validators that
//! answer are put together, so one honest validator among them suffices.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use api::client::Client;
use api::client::error::ClientError;
use api::client::network::Endpoint;
use api::types::{HistoryEntry, Position};
use serde::Serialize;
use types::{Action, Address, Memo, ProvedBlock};

use crate::arguments::HistoryArguments;
use crate::ask::{self, ask_all, first_of_all, nobody_answered};
use crate::certified;
use crate::exit::{Exit, Failure};
use crate::finality::{self, proved_block};
use crate::output::{BAD, DIM, GOOD, Report, styled};
use crate::people::People;
use crate::program::Context;
use crate::site::Site;
use crate::time::utc;

/// The most entries of one page of the API.
const PAGE: u32 = 100;

/// How long the validator that proved the last block is asked alone.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// Runs `history`.
///
/// # Errors
/// [`Exit::NotFound`] for an account that does not exist, [`Exit::Unverified`] when nothing
/// verifies.
pub(crate) fn run(context: &mut Context, arguments: &HistoryArguments) -> Result<Exit, Failure> {
    let site = Site::open(&context.places)?;
    let people = People::of(&site, &context.keystore)?;
    let address = people.resolve(&arguments.who)?;
    let text = address.to_text(site.genesis().prefix());
    let limit = usize::from(arguments.limit);
    let answers = {
        let text = text.clone();
        ask_all(&site, ask::deadline(), move |client| pages(client, &text, limit))?
    };
    let mut places = BTreeMap::new();
    for entry in answers.iter().filter_map(|answer| answer.answer.as_ref().ok()).flatten() {
        places.insert(Position { height: entry.height, index: entry.index }, ());
    }
    if answers.iter().all(|answer| answer.answer.is_err()) {
        return Err(nobody_answered(answers.iter().filter_map(|a| a.answer.as_ref().err())));
    }
    if places.is_empty() {
        let known = certified::account(&site, &address, ask::deadline(), &mut context.output)?;
        if known.is_none() {
            let who = &arguments.who;
            return Err(Failure::not_found(format!("no validator knows a transfer of {who}")));
        }
        context.output.result(&HistoryReport { address: text, entries: Vec::new() })?;
        return Ok(Exit::Done);
    }
    let mut proofs = Proofs { site: &site, reader: None, blocks: BTreeMap::new() };
    let mut entries = Vec::new();
    for place in places.keys().rev() {
        if entries.len() >= limit {
            break;
        }
        match proofs.entry(&address, *place) {
            Ok(entry) => entries.push(entry),
            Err(cause) => context.output.warning(format!("{place} is left out: {cause}")),
        }
    }
    if entries.is_empty() {
        let text = format!("no transfer of {} could be proved", arguments.who);
        return Err(Failure::new(Exit::Unverified, "unverified", text));
    }
    context.output.result(&HistoryReport { address: text, entries })?;
    Ok(Exit::Done)
}

fn pages(client: &Client, address: &str, limit: usize) -> Result<Vec<HistoryEntry>, ClientError> {
    let (mut entries, mut before) = (Vec::new(), None);
    while entries.len() < limit {
        let wanted = limit.saturating_sub(entries.len());
        let wanted = u32::try_from(wanted).unwrap_or(PAGE).min(PAGE);
        let page = client.history(address, before, wanted)?;
        entries.extend(page.entries);
        // A list that does not move on has no end.
        before = match page.next {
            Some(next) if before.is_none_or(|before| next < before) => Some(next),
            Some(_) | None => break,
        };
    }
    Ok(entries)
}

/// Blocks that were proved, each fetched once.
struct Proofs<'a> {
    site: &'a Site,
    /// Who proved the last one, and is asked first for the next.
    reader: Option<Endpoint>,
    blocks: BTreeMap<u64, ProvedBlock>,
}

impl Proofs<'_> {
    fn entry(&mut self, address: &Address, place: Position) -> Result<EntryReport, String> {
        let site = self.site;
        let genesis = site.genesis();
        let height = place.height.get();
        if !self.blocks.contains_key(&height) {
            let proved = self.fetch(place)?;
            self.blocks.insert(height, proved);
            // Newest first: blocks above are not asked for again.
            self.blocks.retain(|kept, _| *kept <= height);
        }
        let proved = self.blocks.get(&height).ok_or("the block is gone")?;
        let block = &proved.block;
        let signers: Vec<_> = proved.proof.certificate.replicas().collect();
        let signed = usize::try_from(place.index)
            .ok()
            .and_then(|index| block.body.transactions().get(index))
            .ok_or("the block has no such transaction")?;
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let sent = transaction.sender == *address;
        if !sent && transfer.recipient != *address {
            return Err("the transaction is of other accounts".to_owned());
        }
        let other = if sent { &transfer.recipient } else { &transaction.sender };
        Ok(EntryReport {
            height,
            index: place.index,
            time: utc(block.header.timestamp_ms),
            timestamp_ms: block.header.timestamp_ms,
            direction: match (sent, transfer.recipient == *address) {
                (true, true) => "self",
                (true, false) => "sent",
                (false, _) => "received",
            },
            counterparty: other.to_text(genesis.prefix()),
            amount: transfer.amount.get().to_string(),
            amount_text: genesis.denomination().format_with_symbol(transfer.amount),
            memo: transfer.memo.text().to_owned(),
            id: signed.id().to_string(),
            signers: finality::names(genesis.validators(), &signers),
        })
    }

    fn fetch(&mut self, place: Position) -> Result<ProvedBlock, String> {
        let validators = self.site.genesis().validators().clone();
        let fetch = move |client: &Client| proved_block(client, &validators, place.height).ok();
        let reader = self.reader.as_ref().map(|reader| reader.client.clone());
        if let Some(proved) = reader.and_then(|client| fetch(&client.with_timeout(READER_PATIENCE)))
        {
            return Ok(proved);
        }
        let (reader, proved) = first_of_all(self.site, ask::deadline(), fetch)
            .ok_or_else(|| "nobody proved its block".to_owned())?;
        self.reader = Some(reader);
        Ok(proved)
    }
}

#[derive(Serialize)]
struct HistoryReport {
    address: String,
    entries: Vec<EntryReport>,
}

#[derive(Serialize)]
struct EntryReport {
    height: u64,
    index: u32,
    time: String,
    timestamp_ms: u64,
    direction: &'static str,
    counterparty: String,
    amount: String,
    amount_text: String,
    memo: String,
    id: String,
    /// Who signed the certificate of its block, or of one above it.
    signers: Vec<String>,
}

impl Report for HistoryReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.entries.is_empty() {
            writeln!(out, "no transfer yet")?;
        }
        let width = self.entries.iter().map(|entry| entry.amount_text.len()).max();
        let width = width.unwrap_or_default();
        for entry in &self.entries {
            let (style, sign, word) = match entry.direction {
                "sent" => (BAD, "-", "to"),
                "received" => (GOOD, "+", "from"),
                _ => (DIM, " ", "to itself,"),
            };
            let amount = styled(style, format_args!("{sign}{:>width$}", entry.amount_text));
            let EntryReport { time, counterparty, height, id, signers, .. } = entry;
            write!(out, "{time}  {amount}  {word:4} {counterparty}")?;
            if !entry.memo.is_empty() {
                write!(out, "  \"{}\"", Memo::new(entry.memo.clone()))?;
            }
            let proof = format!("  height {height}  {id}, {}", finality::signed_by(signers));
            writeln!(out, "\n{}", styled(DIM, proof))?;
        }
        Ok(())
    }
}

//! The blocking client of the API, for tools without a runtime.
//!
//! One [`Client`] speaks to one validator; [`network`] finds all of a network, and [`replies`] asks
//! all of them and counts equal signed replies. Every call is bounded in time and in the size of
//! the answer; a refusal comes back as its problem document. What an answer *claims* is not checked
//! here, except where a type says so ([`replies::Report`]).
//!
//! Requests are harmless when repeated, so a call whose kept-alive connection turns out to be dead
//! is sent once more on a new one.

pub mod error;
pub mod events;
pub mod network;
pub mod replies;
pub mod tally;
mod transport;

use std::fmt::Write as _;
use std::time::Duration;

use types::evidence::EvidenceId;
use types::lost::ProposalPlace;
use types::number::Height;
use types::proof::ProvedBlock;
use types::transaction::{SignedTransaction, TransactionId};
use ureq::Agent;

use crate::client::error::ClientError;
use crate::client::events::Events;
use crate::hex;
use crate::problem::Code;
use crate::types::{
    AccountAnswer, BatchAnswer, BatchRequest, BlockAnswer, BlockName, BlockPage, CertificateAnswer,
    EvidenceAnswer, EvidencePage, ForkPage, HistoryPage, Position, StandingAnswer, Status,
    SubmitAnswer, SubmitRequest, TransactionAnswer, Validators,
};

/// Time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for one call from end to end, waiting for a commit not included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a commit that a server takes.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// Largest answer read, in bytes.
pub const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// Connections unused for longer are dropped: well before the server drops them.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// A client of one validator. Clones share their connections; it may be used from many threads.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    call_timeout: Duration,
}

/// How long a submission waits for its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: accepted or refused.
    None,
    /// Until it is committed, at most so long and at most [`WAIT_MAX`].
    Committed(Duration),
}

impl Client {
    /// A client of the validator at `url`, such as `http://127.0.0.1:8080`. Nothing is connected
    /// yet.
    ///
    /// # Errors
    ///
    /// [`ClientError::BadUrl`] when the text is not an `http://` URL with a host and without a
    /// path: there is no encryption here, a reverse proxy on the same host does that.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let url = url.trim_end_matches('/');
        let authority = url.strip_prefix("http://").unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/?#@\\\"<>".contains(&byte);
        if authority.is_empty() || !authority.bytes().all(plain) {
            return Err(ClientError::BadUrl { url: url.to_owned() });
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The environment's proxy is for the world outside, not for a validator next door.
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_idle_age(IDLE_MAX)
            .max_idle_connections_per_host(16)
            .user_agent(concat!("logothete/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), url: url.to_owned(), call_timeout: CALL_TIMEOUT })
    }

    /// The same client with another time limit for each call.
    #[must_use]
    pub fn with_timeout(mut self, call_timeout: Duration) -> Self {
        self.call_timeout = call_timeout;
        self
    }

    /// Where the validator is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How the validator is.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says; so for every call below.
    pub fn status(&self) -> Result<Status, ClientError> {
        self.get_json("/v1/status")
    }

    /// The validators of the network.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn validators(&self) -> Result<Validators, ClientError> {
        self.get_json("/v1/validators")
    }

    /// The genesis document. It is the validator's word: trust a copy of your own.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn genesis_text(&self) -> Result<String, ClientError> {
        self.get_text("/v1/genesis")
    }

    /// Every metric in the OpenMetrics text format.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn metrics(&self) -> Result<String, ClientError> {
        self.get_text("/metrics")
    }

    /// Whether the validator reaches a quorum.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says; not being ready is no error.
    pub fn ready(&self) -> Result<bool, ClientError> {
        match self.get_text("/readyz") {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(Code::NotReady) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Committed blocks below `before`, newest first, at most `limit` of them (1 to 100).
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn blocks(&self, before: Option<Height>, limit: u32) -> Result<BlockPage, ClientError> {
        let mut path = format!("/v1/blocks?limit={limit}");
        if let Some(before) = before {
            append(&mut path, format_args!("&before={}", before.get()));
        }
        self.get_json(&path)
    }

    /// A committed block, if this validator has it.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn block(&self, name: BlockName) -> Result<Option<BlockAnswer>, ClientError> {
        found(self.get_json(&format!("/v1/blocks/{name}")))
    }

    /// What proves a block, if there is one: the genesis has none.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn certificate(&self, name: BlockName) -> Result<Option<CertificateAnswer>, ClientError> {
        found(self.get_json(&format!("/v1/blocks/{name}/certificate")))
    }

    /// A committed block with its proof, as the noun that checks itself against the genesis.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn proved_block(&self, name: BlockName) -> Result<Option<ProvedBlock>, ClientError> {
        let Some(text) = found(self.get_text(&format!("/v1/blocks/{name}/wire")))? else {
            return Ok(None);
        };
        let bytes_max = usize::try_from(ANSWER_BYTES_MAX).unwrap_or(usize::MAX);
        hex::from_hex_wire(text.trim_end(), bytes_max)
            .map(Some)
            .map_err(|error| self.garbled(error.to_string()))
    }

    /// Submits a transaction.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says. After [`ClientError::TimedOut`] and [`ClientError::Broken`] the
    /// transaction may have been taken in.
    pub fn submit(
        &self,
        transaction: &SignedTransaction,
        wait: Wait,
    ) -> Result<SubmitAnswer, ClientError> {
        let (path, patience) = match wait {
            Wait::None => ("/v1/transactions?wait=none".to_owned(), Duration::ZERO),
            Wait::Committed(patience) => {
                let patience = patience.min(WAIT_MAX);
                let path =
                    format!("/v1/transactions?wait=committed&timeout_ms={}", patience.as_millis());
                (path, patience)
            }
        };
        let request = SubmitRequest { transaction: hex::to_hex_wire(transaction) };
        self.post_json(&path, &request, self.call_timeout.saturating_add(patience))
    }

    /// Submits up to 1,000 transactions without waiting for their commit.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says; a refusal of one of them is a result and not an error.
    pub fn submit_batch(
        &self,
        transactions: &[SignedTransaction],
    ) -> Result<BatchAnswer, ClientError> {
        let transactions = transactions.iter().map(hex::to_hex_wire).collect();
        self.submit_batch_hex(&BatchRequest { transactions })
    }

    /// As [`Client::submit_batch`], of transactions encoded beforehand with
    /// [`to_hex_wire`](crate::hex::to_hex_wire).
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn submit_batch_hex(&self, batch: &BatchRequest) -> Result<BatchAnswer, ClientError> {
        self.post_json("/v1/transactions/batch", batch, self.call_timeout)
    }

    /// What the validator knows about a transaction, if anything.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn transaction(
        &self,
        id: &TransactionId,
    ) -> Result<Option<TransactionAnswer>, ClientError> {
        found(self.get_json(&format!("/v1/transactions/{id}")))
    }

    /// An account, if it exists. `address` is its text, such as `rlgt1…`.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn account(&self, address: &str) -> Result<Option<AccountAnswer>, ClientError> {
        found(self.get_json(&format!("/v1/accounts/{}", path_segment(address))))
    }

    /// Committed transactions of an account before `before`, newest first, at most `limit` (1 to
    /// 100).
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn history(
        &self,
        address: &str,
        before: Option<Position>,
        limit: u32,
    ) -> Result<HistoryPage, ClientError> {
        let mut path = format!("/v1/accounts/{}/history?limit={limit}", path_segment(address));
        if let Some(before) = before {
            append(&mut path, format_args!("&before={before}"));
        }
        self.get_json(&path)
    }

    /// Evidence that the validator keeps, by ascending id, after `after`, at most `limit` pieces (1 to 100).
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn evidence(
        &self,
        after: Option<EvidenceId>,
        limit: u32,
    ) -> Result<EvidencePage, ClientError> {
        let mut path = format!("/v1/evidence?limit={limit}");
        if let Some(after) = after {
            append(&mut path, format_args!("&after={after}"));
        }
        self.get_json(&path)
    }

    /// A piece of evidence, if the validator keeps it. Whether it holds is asked of the evidence in it.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn evidence_piece(&self, id: &EvidenceId) -> Result<Option<EvidenceAnswer>, ClientError> {
        found(self.get_json(&format!("/v1/evidence/{id}")))
    }

    /// How the validator is, and what it and the others last said of themselves. Whether they did is asked of the
    /// signed statuses in it.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn standing(&self) -> Result<StandingAnswer, ClientError> {
        self.get_json("/v1/standing")
    }

    /// Lost proposals that the validator saw, from the highest down, below `before`, at most `limit` (1 to 100).
    /// Whether they were proposed is asked of the signed statements in them.
    ///
    /// # Errors
    ///
    /// As [`ClientError`] says.
    pub fn forks(
        &self,
        before: Option<ProposalPlace>,
        limit: u32,
    ) -> Result<ForkPage, ClientError> {
        let mut path = format!("/v1/forks?limit={limit}");
        if let Some(before) = before {
            append(&mut path, format_args!("&before={before}"));
        }
        self.get_json(&path)
    }

    /// Events from now on, or every block above `after` and then events as they come. Nothing is
    /// connected before the first call of `next`.
    pub fn events(&self, after: Option<Height>) -> Events {
        Events::new(self.agent.clone(), self.url.clone(), after)
    }
}

/// Not found is an answer and not an error, for calls that ask whether something is there.
fn found<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Escapes whatever would end a path segment, so that a user's typing error is refused by the
/// server as an address and not as a route.
fn path_segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            append(&mut escaped, format_args!("%{byte:02X}"));
        }
    }
    escaped
}

/// Appends to a text, which cannot fail.
fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing into a String never fails");
}

#[cfg(test)]
mod tests;

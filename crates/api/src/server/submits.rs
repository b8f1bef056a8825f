//! Endpoints that take transactions in.
//!
//! The way of thousands of transactions per second: texts are borrowed from the body, decoded one
//! by one into transactions, and never held as JSON values. Signatures are checked by the backend,
//! in batches.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use crypto::signed::Unverified;
use serde::de;
use serde::{Deserialize, Deserializer};
use types::rejection::Rejection;
use types::transaction::{SignedTransaction, TRANSACTION_BYTES_MAX, TransactionId};

use crate::backend::{BATCH_TRANSACTIONS_MAX, Backend, Submission, SubmitError};
use crate::hex::{self, WireTextError};
use crate::problem::{Code, Problem};
use crate::server::answer::{Answer, json};
use crate::server::app::App;
use crate::server::held::held;
use crate::server::query::{Nothing, Parameters, Wait};
use crate::server::request::json_body;
use crate::types::{
    BatchAnswer, BatchRequest, BatchResult, BatchStatus, SubmitAnswer, SubmitRequest,
};

/// Longest wire form of a transaction: the format version stands before its canonical bytes.
const WIRE_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + 1;

/// Takes in one signed transaction.
#[utoipa::path(post, path = "/v1/transactions", tag = "transactions", params(
    ("wait" = Option<String>, Query, description = "`none` (default) or `committed`: answer when it is committed and durable here"),
    ("timeout_ms" = Option<u64>, Query, description = "how long to wait at most; 30,000 by default, at most 60,000"),
), request_body = SubmitRequest, responses(
    (status = 200, description = "it is committed", body = SubmitAnswer),
    (status = 202, description = "it is pending, after the wait too", body = SubmitAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn submit<B: Backend>(
    State(app): State<App<B>>,
    Parameters(query): Parameters<Wait>,
    request: Request,
) -> Answer {
    let place = app.gates.submits.enter()?;
    let limits = &app.limits;
    let wait = wait_of(&query, limits.wait_max);
    let bytes = json_body(request, limits.single_bytes_max, limits.body_timeout).await?;
    let transaction = read_single(&bytes)?
        .map_err(|error| Problem::new(Code::MalformedTransaction, error.to_string()))?;
    let id = transaction.id();
    let submitted = app.backend.submit(Unverified::new(transaction), wait);
    let submission = match app.in_time(submitted, wait.unwrap_or_default()).await? {
        Ok(submission) => submission,
        // What is pending already is no refusal, whoever says so.
        Err(SubmitError::Refused(Rejection::AlreadyPending)) => Submission::AlreadyPending,
        Err(SubmitError::Refused(rejection)) => return Err(Problem::from(&rejection)),
        Err(SubmitError::Fault(fault)) => return Err(fault.into()),
    };
    let answer = SubmitAnswer::new(id, submission);
    let status = if answer.status.is_committed() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(held(json(status, &answer)?, place))
}

/// Takes in up to 1,000 signed transactions without waiting for their commit.
#[utoipa::path(post, path = "/v1/transactions/batch", tag = "transactions",
request_body = BatchRequest, responses(
    (status = 200, description = "one result for each, in order", body = BatchAnswer),
    (status = "default", description = "any problem with the batch as a whole", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn submit_batch<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
    request: Request,
) -> Answer {
    let place = app.gates.batches.enter()?;
    let limits = &app.limits;
    let bytes = json_body(request, limits.batch_bytes_max, limits.body_timeout).await?;
    let Batch { decoded, found } = read_batch(&bytes)?;
    drop(bytes);
    if found > BATCH_TRANSACTIONS_MAX {
        return Err(Problem::new(
            Code::TooManyTransactions,
            format!("{found} transactions, at most {BATCH_TRANSACTIONS_MAX} are taken at once"),
        ));
    }
    let mut transactions = Vec::with_capacity(decoded.len());
    let pending: Vec<Result<TransactionId, WireTextError>> = decoded
        .into_iter()
        .map(|decoded| {
            let transaction = decoded?;
            let id = transaction.id();
            transactions.push(Unverified::new(transaction));
            Ok(id)
        })
        .collect();
    let expected = transactions.len();
    let submitted = app.backend.submit_batch(transactions);
    let outcomes = app.in_time(submitted, Duration::ZERO).await??;
    if outcomes.len() != expected {
        tracing::error!(expected, found = outcomes.len(), "a batch lost its results");
        return Err(Problem::new(Code::Internal, "results of the batch are missing"));
    }
    let mut outcomes = outcomes.into_iter();
    let results = pending
        .into_iter()
        .filter_map(|decoded| match decoded {
            Ok(id) => outcomes.next().map(|outcome| taken(id, outcome)),
            Err(error) => Some(not_a_transaction(&error)),
        })
        .collect();
    Ok(held(json(StatusCode::OK, &BatchAnswer { results })?, place))
}

fn wait_of(query: &Wait, wait_max: Duration) -> Option<Duration> {
    query.committed.then(|| query.timeout.unwrap_or(wait_max / 2).min(wait_max))
}

fn decode(text: &str) -> Result<SignedTransaction, WireTextError> {
    hex::from_hex_wire(text, WIRE_BYTES_MAX)
}

fn malformed_json(error: serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, error.to_string())
}

fn taken(id: TransactionId, outcome: Result<Submission, Rejection>) -> BatchResult {
    match outcome {
        Ok(submission) => BatchResult {
            id: Some(id),
            status: SubmitAnswer::new(id, submission).status.into(),
            code: None,
            detail: None,
        },
        Err(Rejection::AlreadyPending) => BatchResult {
            id: Some(id),
            status: BatchStatus::AlreadyPending,
            code: None,
            detail: None,
        },
        Err(rejection) => BatchResult {
            id: Some(id),
            status: BatchStatus::Refused,
            code: Some(rejection.code().to_owned()),
            detail: Some(rejection.to_string()),
        },
    }
}

fn not_a_transaction(error: &WireTextError) -> BatchResult {
    BatchResult {
        id: None,
        status: BatchStatus::Refused,
        code: Some(Code::MalformedTransaction.as_str().to_owned()),
        detail: Some(error.to_string()),
    }
}

/// A batch as far as it was read: at most [`BATCH_TRANSACTIONS_MAX`] are decoded, the rest is
/// counted.
#[derive(Default)]
struct Batch {
    decoded: Vec<Result<SignedTransaction, WireTextError>>,
    found: usize,
}

/// Reads `{"transaction": "…"}`.
fn read_single(bytes: &[u8]) -> Result<Result<SignedTransaction, WireTextError>, Problem> {
    let Decoded(decoded) = read_only("transaction", PhantomData::<Decoded>, bytes)?;
    Ok(decoded)
}

/// Reads `{"transactions": ["…", …]}` without making JSON values of it.
fn read_batch(bytes: &[u8]) -> Result<Batch, Problem> {
    read_only("transactions", ListSeed, bytes)
}

/// Reads a body that is an object with one member.
fn read_only<'de, S: de::DeserializeSeed<'de>>(
    name: &'static str,
    value: S,
    bytes: &'de [u8],
) -> Result<S::Value, Problem> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let read = (&mut from).deserialize_map(Only { name, value }).map_err(malformed_json)?;
    from.end().map_err(malformed_json)?;
    Ok(read)
}

/// An object with one member of this name.
struct Only<S> {
    name: &'static str,
    value: S,
}

impl<'de, S: de::DeserializeSeed<'de>> de::Visitor<'de> for Only<S> {
    type Value = S::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with `{}` in it", self.name)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<S::Value, A::Error> {
        let name = self.name;
        let (mut seed, mut read) = (Some(self.value), None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key != name {
                let text = format!("there is no field `{key}`, only `{name}`");
                return Err(de::Error::custom(text));
            }
            let Some(seed) = seed.take() else {
                return Err(de::Error::duplicate_field(name));
            };
            read = Some(map.next_value_seed(seed)?);
        }
        read.ok_or_else(|| de::Error::missing_field(name))
    }
}

/// Reads the list, decoding each text as it comes.
struct ListSeed;

impl<'de> de::DeserializeSeed<'de> for ListSeed {
    type Value = Batch;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Batch, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> de::Visitor<'de> for ListSeed {
    type Value = Batch;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of hexadecimal texts")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Batch, A::Error> {
        let mut batch = Batch::default();
        while batch.found < BATCH_TRANSACTIONS_MAX {
            let Some(Decoded(decoded)) = list.next_element()? else {
                return Ok(batch);
            };
            batch.decoded.push(decoded);
            batch.found = batch.found.saturating_add(1);
        }
        while list.next_element::<de::IgnoredAny>()?.is_some() {
            batch.found = batch.found.saturating_add(1);
        }
        Ok(batch)
    }
}

/// One text of the list, decoded where it stands in the body.
struct Decoded(Result<SignedTransaction, WireTextError>);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Decoded;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a hexadecimal text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decoded, E> {
        Ok(Decoded(decode(text)))
    }
}

#[cfg(test)]
mod tests;

//! One question to one peer: asked, waited for, read and checked.

use std::sync::Arc;
use std::time::Duration;

use crypto::encoding::{from_wire, to_wire};
use crypto::signed::{Signed, verify_all};
use network::RequestError;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use types::door::Door;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

use super::Peers;
use super::plan::{Range, Reason};
use crate::wire::{BlocksRequest, BlocksResponse};

/// What a peer is asked.
pub(super) struct Question {
    /// Who.
    pub(super) peer: ReplicaId,
    /// For what.
    pub(super) range: Range,
    /// Why.
    pub(super) reason: Reason,
    /// Whether everything below was committed here when it was asked.
    pub(super) everything: bool,
    /// How long the answer is waited for.
    pub(super) patience: Duration,
    /// Room for the answer, until the core has taken it.
    pub(super) room: OwnedSemaphorePermit,
}

/// What became of a question.
pub(super) enum Outcome {
    /// Blocks from the height asked for upwards, without gap and proved, at least one.
    Blocks {
        /// The blocks.
        blocks: Vec<Signed<ProvedBlock>>,
        /// Whether something behind them was not proved.
        forged: bool,
    },
    /// The peer has none of them.
    Nothing,
    /// The peer sent something else than was asked for.
    Refused,
    /// The peer gave no answer in time.
    Silent,
    /// The peer could not be asked.
    Unasked,
}

/// How answers are read.
#[derive(Clone)]
pub(super) struct Reader {
    /// Whose certificates count, and which transactions need not be checked again.
    pub(super) door: Door,
    /// The largest response, in bytes.
    pub(super) response_bytes_max: usize,
}

impl Question {
    /// Asks, and reads the answer beside the tasks of this process.
    pub(super) async fn ask<P: Peers>(self, peers: Arc<P>, reader: Reader) -> (Self, Outcome) {
        let Range { from, count } = self.range;
        let request = to_wire(&BlocksRequest { from, count });
        let answer = timeout(self.patience, peers.ask(self.peer, request)).await;
        let response = match answer.unwrap_or(Err(RequestError::Timeout)) {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(peer = %self.peer, %from, %error, "a peer gave no blocks");
                return (self, why(&error));
            }
        };
        let range = self.range;
        let read = tokio::task::spawn_blocking(move || reader.read(response, range)).await;
        let outcome = read.unwrap_or_else(|error| {
            tracing::error!(peer = %self.peer, %error, "an answer could not be read");
            Outcome::Refused
        });
        (self, outcome)
    }
}

fn why(error: &RequestError) -> Outcome {
    match error {
        RequestError::Timeout | RequestError::Failed { .. } => Outcome::Silent,
        RequestError::NotConnected(_)
        | RequestError::Busy(_)
        | RequestError::TooLong { .. }
        | RequestError::Stopped => Outcome::Unasked,
    }
}

impl Reader {
    fn read(&self, response: Vec<u8>, asked: Range) -> Outcome {
        let Ok(blocks) = from_wire::<BlocksResponse>(&response, self.response_bytes_max) else {
            return Outcome::Refused;
        };
        // The same blocks are not kept twice while they are checked.
        drop(response);
        if blocks.is_empty() {
            return Outcome::Nothing;
        }
        // Genuine blocks that nobody asked for would look like progress for ever.
        if !are_asked_for(&blocks, asked) {
            return Outcome::Refused;
        }
        let answered = blocks.len();
        let blocks: Vec<_> =
            verify_all(blocks, &self.door).into_iter().map_while(Result::ok).collect();
        if blocks.is_empty() {
            return Outcome::Refused;
        }
        let forged = blocks.len() < answered;
        Outcome::Blocks { blocks, forged }
    }
}

/// Whether these are the blocks from the height asked for upwards, without gap and not too many.
fn are_asked_for(blocks: &BlocksResponse, asked: Range) -> bool {
    let heights = blocks.iter().map(|block| block.get().block.header.height.get());
    let wanted = usize::try_from(asked.count).is_ok_and(|count| blocks.len() <= count);
    wanted && heights.zip(asked.from.get()..).all(|(height, wanted)| height == wanted)
}

//! What a network reports, and the handles by which it is answered.

use std::fmt;
use std::ops::Deref;

use libp2p::PeerId;
use libp2p::gossipsub::{MessageAcceptance, MessageId};
use libp2p::request_response::{InboundRequestId, ResponseChannel};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use types::replica::ReplicaId;

use crate::error::RespondError;

/// What happened. Events of one peer come in order; those of several in any.
#[derive(Debug)]
pub enum Event {
    /// We listen on this multiaddress; it ends in `/p2p/PEERID`, ready to be another's bootstrap.
    Listening {
        /// The multiaddress.
        address: String,
    },
    /// The direct streams with this replica are open both ways: what is sent now arrives, unless
    /// [`Event::Disconnected`] follows. Frames of this replica may come a moment before this.
    Connected(ReplicaId),
    /// A direct stream with this replica broke; frames not yet delivered are lost. Always between
    /// two [`Event::Connected`] of the same replica.
    Disconnected(ReplicaId),
    /// A frame from a peer.
    Frame {
        /// Who sent it.
        from: ReplicaId,
        /// The frame, exactly as it was sent. Reading from the peer goes on as these are dropped.
        bytes: Payload,
    },
    /// A gossip message, seen for the first time.
    Gossip {
        /// Where it was published.
        topic: Topic,
        /// The message.
        bytes: Payload,
        /// The neighbour that delivered it, who need not be its author.
        from: ReplicaId,
        /// Says whether it goes on to others; due within a second.
        verdict: GossipVerdict,
    },
    /// A question.
    Request {
        /// Who asks.
        from: ReplicaId,
        /// The question.
        bytes: Payload,
        /// Answers it; dropped, it tells the asker that there is no answer.
        reply: Responder,
    },
}

/// What gossip is about. Announcements have a topic as well, which is served inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Batches of transactions.
    Transactions,
}

/// Received bytes, which count against their sender's allowance until they are dropped.
pub struct Payload {
    bytes: Vec<u8>,
    held: Held,
}

impl Payload {
    /// Bytes that count against an allowance, or against none.
    pub fn new(bytes: Vec<u8>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { bytes, held: Held { _permit: permit } }
    }

    /// The bytes alone; they stop counting.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// What the bytes count for, without them: for who has decoded them and still keeps the result.
    pub fn into_held(self) -> Held {
        self.held
    }
}

/// A part of a sender's allowance, held until it is dropped: as long as what was received is kept
/// in any form.
#[derive(Debug, Default)]
pub struct Held {
    _permit: Option<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for Held {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Some(permit) }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.bytes.len())
    }
}

/// A verdict on its way to the swarm. There are never more than the channel holds: each carries its
/// permit.
pub(crate) struct Verdict {
    pub(crate) message: MessageId,
    pub(crate) neighbour: PeerId,
    pub(crate) acceptance: MessageAcceptance,
    pub(crate) _permit: OwnedSemaphorePermit,
}

/// Decides what becomes of a gossip message. Dropped without a decision, the message is ignored.
pub struct GossipVerdict {
    open: Option<OpenVerdict>,
}

struct OpenVerdict {
    message: MessageId,
    neighbour: PeerId,
    permit: OwnedSemaphorePermit,
    verdicts: mpsc::Sender<Verdict>,
}

impl GossipVerdict {
    pub(crate) fn new(
        message: MessageId,
        neighbour: PeerId,
        permit: OwnedSemaphorePermit,
        verdicts: mpsc::Sender<Verdict>,
    ) -> Self {
        Self { open: Some(OpenVerdict { message, neighbour, permit, verdicts }) }
    }

    /// It is valid: it goes on to others.
    pub fn accept(mut self) {
        self.decide(MessageAcceptance::Accept);
    }

    /// It is malformed or forged: it goes no further.
    pub fn reject(mut self) {
        self.decide(MessageAcceptance::Reject);
    }

    /// It is merely of no use: it goes no further, and nobody is to blame.
    pub fn ignore(mut self) {
        self.decide(MessageAcceptance::Ignore);
    }

    fn decide(&mut self, acceptance: MessageAcceptance) {
        let Some(open) = self.open.take() else {
            return;
        };
        let verdict = Verdict {
            message: open.message,
            neighbour: open.neighbour,
            acceptance,
            _permit: open.permit,
        };
        // It fails only after a shutdown, when nothing is forwarded any more.
        open.verdicts.try_send(verdict).ok();
    }
}

impl Drop for GossipVerdict {
    fn drop(&mut self) {
        self.decide(MessageAcceptance::Ignore);
    }
}

impl fmt::Debug for GossipVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GossipVerdict")
    }
}

/// A response on its way to the swarm. There are never more than the channel holds: each carries
/// its permit, which the swarm keeps until the response is sent.
pub(crate) struct Response {
    pub(crate) request: InboundRequestId,
    pub(crate) channel: ResponseChannel<Vec<u8>>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// Answers one request. Dropped, it tells the asker that there is no answer.
pub struct Responder {
    request: InboundRequestId,
    channel: ResponseChannel<Vec<u8>>,
    permit: OwnedSemaphorePermit,
    bytes_max: u32,
    responses: mpsc::Sender<Response>,
}

impl Responder {
    pub(crate) fn new(
        request: InboundRequestId,
        channel: ResponseChannel<Vec<u8>>,
        permit: OwnedSemaphorePermit,
        bytes_max: u32,
        responses: mpsc::Sender<Response>,
    ) -> Self {
        Self { request, channel, permit, bytes_max, responses }
    }

    /// Sends the answer.
    ///
    /// # Errors
    ///
    /// When it is too long, or nobody waits for it any more; the asker has no answer then.
    pub fn respond(self, bytes: Vec<u8>) -> Result<(), RespondError> {
        if u32::try_from(bytes.len()).is_ok_and(|length| length <= self.bytes_max) {
            if !self.channel.is_open() {
                return Err(RespondError::TooLate);
            }
            let Self { request, channel, permit, bytes_max: _, responses } = self;
            let response = Response { request, channel, bytes, permit };
            responses.try_send(response).map_err(|_| RespondError::TooLate)
        } else {
            Err(RespondError::TooLong { bytes: bytes.len(), bytes_max: self.bytes_max })
        }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Responder")
    }
}

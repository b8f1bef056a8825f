//! What is on its way: bytes, what they mean, and whether it holds.
//!
//! Checking is the same at every receiver, because all know the same validators, so it is done
//! once.

use std::sync::Arc;

use crypto::encoding::{from_wire, to_wire};
use crypto::signed::Authenticated;
use pbft::{Door, Message};
use types::evidence::Evidence;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use crate::keys::Verifier;

/// A consensus message on its way.
#[derive(Debug)]
pub(crate) struct Letter {
    /// Of its bytes, for the trace.
    pub(crate) digest: [u8; 32],
    /// What a receiver takes in; `None` when it would be turned away at the door.
    pub(crate) message: Option<Message>,
}

impl Letter {
    /// What arrives of a message that a peer sends: it is decoded from its bytes and checked as every
    /// receiver would.
    pub(crate) fn new(
        message: &Message,
        from: ReplicaId,
        door: &Door,
        verifier: &Verifier,
    ) -> Arc<Self> {
        let bytes = to_wire(message);
        let message = from_wire::<Message>(&bytes, bytes.len()).ok();
        let message = message.filter(|message| message.is_deliverable_by(from));
        let message = message.filter(|message| is_authentic(message, door, verifier));
        Arc::new(Self { digest: *blake3::hash(&bytes).as_bytes(), message })
    }
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// The request.
    pub(crate) transaction: SignedTransaction,
    /// Whether a receiver takes it in.
    pub(crate) authentic: bool,
}

impl Parcel {
    pub(crate) fn new(
        transaction: SignedTransaction,
        door: &Door,
        verifier: &Verifier,
    ) -> Arc<Self> {
        let chain = door.validators().chain();
        let mut claims = Vec::new();
        let formed = transaction.claims(chain, &mut claims).is_ok();
        let authentic = formed && !claims.is_empty() && verifier.all_hold(&claims);
        Arc::new(Self { transaction, authentic })
    }
}

/// Whether a message passes the door: the structure first, then every signature, and at least one.
fn is_authentic(message: &Message, door: &Door, verifier: &Verifier) -> bool {
    let mut claims = Vec::new();
    message.claims(door, &mut claims).is_ok() && !claims.is_empty() && verifier.all_hold(&claims)
}

/// Whether evidence passes the door.
pub(crate) fn is_proof(evidence: &Evidence, door: &Door, verifier: &Verifier) -> bool {
    let mut claims = Vec::new();
    evidence.claims(door.validators(), &mut claims).is_ok() && verifier.all_hold(&claims)
}

/// Whether a block passes the door.
pub(crate) fn is_proved(proved: &ProvedBlock, door: &Door, verifier: &Verifier) -> bool {
    let mut claims = Vec::new();
    proved.claims(door, &mut claims).is_ok() && !claims.is_empty() && verifier.all_hold(&claims)
}

/// A message in a few words.
pub(crate) fn describe(message: &Message) -> String {
    let name = message.name();
    match message {
        Message::PrePrepare(_) | Message::Prepare(_) | Message::Commit(_) => {
            message.vote().map_or_else(String::new, |vote| {
                let statement = &vote.statement;
                let (view, height) = (statement.view, statement.height);
                let block = statement.block.short();
                format!("{name} of replica {} view {view} height {height} {block}", vote.replica)
            })
        }
        Message::ViewChange(asked) => {
            let certified = asked.certified();
            format!("{name} of replica {} view {} with {certified:?}", asked.replica, asked.view)
        }
        Message::NewView(new_view) => {
            format!("{name} of view {} with tip {:?}", new_view.view, new_view.tip())
        }
        Message::Status(status) => format!("{name} {:?}", status.standpoint),
        Message::Handover(handover) => {
            let (height, block) = (handover.block.header.height, handover.block.id().short());
            format!("{name} by replica {} of height {height} {block}", handover.replica)
        }
    }
}

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
    /// Who sends it.
    pub(crate) from: u16,
    /// What a receiver takes in, or why it is turned away at the door.
    pub(crate) message: Result<Message, &'static str>,
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
        let message = from_wire::<Message>(&bytes, bytes.len()).map_err(|_| "it cannot be read");
        let message = message.and_then(|message| {
            if !message.is_deliverable_by(from) {
                Err("another than its author brings it")
            } else if is_authentic(&message, door, verifier) {
                Ok(message)
            } else {
                Err("its form or a signature is wrong")
            }
        });
        let digest = *blake3::hash(&bytes).as_bytes();
        Arc::new(Self { digest, from: from.get(), message })
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

//! The bytes that are hashed and signed, made by the checker itself from the fields, and who may
//! sign.

use std::sync::LazyLock;

use crypto::digest::Digest;
use crypto::keys::{PublicKey, Signature};
use crypto::verify::Claim;
use types::block::{BlockId, Header};
use types::genesis::Genesis;
use types::transaction::SignedTransaction;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement};

use crate::keys::Verifier;

/// Who takes part, by what they sign with.
#[derive(Clone)]
pub(super) struct Members {
    chain: [u8; 32],
    genesis: BlockId,
    keys: Vec<PublicKey>,
    verifier: Verifier,
    majority: bool,
}

impl Members {
    pub(super) fn new(genesis: &Genesis, verifier: Verifier) -> Self {
        let keys = genesis.validators().iter().map(|(_, validator)| validator.key).collect();
        let chain = *genesis.chain().digest().as_bytes();
        Self { chain, genesis: header_id(genesis.header()), keys, verifier, majority: false }
    }

    pub(super) const fn genesis_id(&self) -> BlockId {
        self.genesis
    }

    pub(super) const fn chain(&self) -> &[u8; 32] {
        &self.chain
    }

    pub(super) const fn count(&self) -> usize {
        self.keys.len()
    }

    /// From now on the fewest of which any two groups share a member must agree.
    pub(super) const fn count_majorities(&mut self) {
        self.majority = true;
    }

    /// How many must agree: the fewest of which any two groups share more members than may lie.
    pub(super) fn quorum(&self) -> usize {
        let n = self.keys.len();
        let share = |group: usize| group.saturating_mul(2).saturating_sub(n);
        let enough = if self.majority { 0 } else { self.liars() };
        (1..=n).find(|group| share(*group) > enough).unwrap_or(n)
    }

    /// How many may lie: fewer than a third.
    pub(super) fn liars(&self) -> usize {
        let n = self.keys.len();
        (1..=n).take_while(|liars| liars.saturating_mul(3) < n).count()
    }

    /// Whether all of these members signed a statement.
    pub(super) fn signed_by(&self, statement: &Statement, who: &[(usize, Signature)]) -> bool {
        let message = self.statement_digest(statement);
        let claims: Option<Vec<Claim>> = who
            .iter()
            .map(|(member, signature)| {
                let key = *self.keys.get(*member)?;
                Some(Claim { key, message, signature: *signature })
            })
            .collect();
        claims.is_some_and(|claims| self.verifier.all_hold(&claims))
    }

    /// Whether the sender signed a transaction for this network.
    pub(super) fn sender_signed(&self, signed: &SignedTransaction) -> bool {
        let mut bytes = self.chain.to_vec();
        bytes.extend(crypto::encoding::encode(&signed.transaction));
        let message = keyed(&TRANSACTION, &bytes);
        let key = *signed.transaction.sender.key();
        self.verifier.all_hold(&[Claim { key, message, signature: signed.signature }])
    }

    /// Whether the replica that a view change names signed it. Its certificate is not looked at.
    pub(super) fn asked(&self, asked: &ViewChange) -> bool {
        let mut bytes = self.chain.to_vec();
        bytes.extend(asked.view.get().to_le_bytes());
        append_certified(&mut bytes, asked);
        self.one_signed(usize::from(asked.replica.get()), keyed(&ASKED, &bytes), asked.signature)
    }

    /// Whether a member signed a new view. What it shows is not looked at.
    pub(super) fn entered(&self, member: usize, new_view: &NewView) -> bool {
        let mut bytes = self.chain.to_vec();
        bytes.extend(new_view.view.get().to_le_bytes());
        bytes.extend(u64::try_from(new_view.view_changes.len()).unwrap_or_default().to_le_bytes());
        for asked in &new_view.view_changes {
            bytes.extend(asked.replica.get().to_le_bytes());
            append_certified(&mut bytes, asked);
        }
        self.one_signed(member, keyed(&ENTERED, &bytes), new_view.signature)
    }

    fn one_signed(&self, member: usize, message: Digest, signature: Signature) -> bool {
        let key = self.keys.get(member).copied();
        key.is_some_and(|key| self.verifier.all_hold(&[Claim { key, message, signature }]))
    }

    fn statement_digest(&self, statement: &Statement) -> Digest {
        let mut bytes = self.chain.to_vec();
        append_statement(&mut bytes, statement);
        keyed(&VOTE, &bytes)
    }
}

fn append_statement(bytes: &mut Vec<u8>, statement: &Statement) {
    let phase: u32 = match statement.phase {
        Phase::Prepare => 0,
        Phase::Commit => 1,
    };
    bytes.extend(phase.to_le_bytes());
    bytes.extend(statement.view.get().to_le_bytes());
    bytes.extend(statement.height.get().to_le_bytes());
    bytes.extend(statement.block.digest().as_bytes());
}

/// What a view change shows, as far as it is signed: nothing, or what its certificate certifies.
fn append_certified(bytes: &mut Vec<u8>, asked: &ViewChange) {
    match &asked.certificate {
        None => bytes.push(0),
        Some(certificate) => {
            bytes.push(1);
            append_statement(bytes, &certificate.statement);
        }
    }
}

/// The id of a header, from its fields.
pub(super) fn header_id(header: &Header) -> BlockId {
    let mut bytes = Vec::with_capacity(158);
    bytes.extend(header.chain.digest().as_bytes());
    bytes.extend(header.height.get().to_le_bytes());
    bytes.extend(header.parent.digest().as_bytes());
    bytes.extend(header.view.get().to_le_bytes());
    bytes.extend(header.proposer.get().to_le_bytes());
    bytes.extend(header.timestamp_ms.to_le_bytes());
    bytes.extend(header.body_root.as_bytes());
    bytes.extend(header.transactions.to_le_bytes());
    bytes.extend(header.state_root.as_bytes());
    BlockId::new(keyed(&BLOCK, &bytes))
}

/// The keys of the domains, made from their texts.
static TRANSACTION: Key = Key::new(|| blake3::derive_key("logothete v1 signed transaction", &[]));
static VOTE: Key = Key::new(|| blake3::derive_key("logothete v1 signed vote", &[]));
static ASKED: Key = Key::new(|| blake3::derive_key("logothete v1 signed view change", &[]));
static ENTERED: Key = Key::new(|| blake3::derive_key("logothete v1 signed new view", &[]));
static BLOCK: Key = Key::new(|| blake3::derive_key("logothete v1 block id", &[]));

type Key = LazyLock<[u8; 32]>;

fn keyed(key: &[u8; 32], bytes: &[u8]) -> Digest {
    Digest::from_bytes(*blake3::keyed_hash(key, bytes).as_bytes())
}

#[cfg(test)]
mod tests;

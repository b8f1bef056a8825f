//! The bytes that are hashed and signed, made by the checker itself from the fields, and who may
//! sign.

use std::sync::LazyLock;

use crypto::digest::Digest;
use crypto::keys::{PublicKey, Signature};
use crypto::verify::Claim;
use types::block::{BlockId, Header};
use types::genesis::Genesis;
use types::transaction::SignedTransaction;
use types::vote::{Phase, Statement};

use crate::keys::Verifier;

/// Who takes part, by what they sign with.
pub(super) struct Members {
    chain: [u8; 32],
    genesis: BlockId,
    keys: Vec<PublicKey>,
    verifier: Verifier,
}

impl Members {
    pub(super) fn new(genesis: &Genesis, verifier: Verifier) -> Self {
        let keys = genesis.validators().iter().map(|(_, validator)| validator.key).collect();
        let chain = *genesis.chain().digest().as_bytes();
        Self { chain, genesis: header_id(genesis.header()), keys, verifier }
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

    /// How many must agree: the fewest of which any two groups share more members than may lie.
    pub(super) fn quorum(&self) -> usize {
        let n = self.keys.len();
        let share = |group: usize| group.saturating_mul(2).saturating_sub(n);
        (1..=n).find(|group| share(*group) > self.liars()).unwrap_or(n)
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

    fn statement_digest(&self, statement: &Statement) -> Digest {
        let phase: u32 = match statement.phase {
            Phase::Prepare => 0,
            Phase::Commit => 1,
        };
        let mut bytes = self.chain.to_vec();
        bytes.extend(phase.to_le_bytes());
        bytes.extend(statement.view.get().to_le_bytes());
        bytes.extend(statement.height.get().to_le_bytes());
        bytes.extend(statement.block.digest().as_bytes());
        keyed(&VOTE, &bytes)
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

/// The keys of the three domains, made from their texts.
static TRANSACTION: Key = Key::new(|| blake3::derive_key("logothete v1 signed transaction", &[]));
static VOTE: Key = Key::new(|| blake3::derive_key("logothete v1 signed vote", &[]));
static BLOCK: Key = Key::new(|| blake3::derive_key("logothete v1 block id", &[]));

type Key = LazyLock<[u8; 32]>;

fn keyed(key: &[u8; 32], bytes: &[u8]) -> Digest {
    Digest::from_bytes(*blake3::keyed_hash(key, bytes).as_bytes())
}

#[cfg(test)]
mod tests;

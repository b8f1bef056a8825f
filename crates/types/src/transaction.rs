//! Transactions: what a sender signs, and what stands in a block.
//!
//! The id names what is asked for and does not cover the signature: the holder of a key can make
//! many valid signatures for one transaction, and replay protection must not look at them. Where
//! the very bytes matter, in the body of a block, there is the [leaf](SignedTransaction::leaf).
//! Whether a transaction applies to a state is asked in `ledger`.

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{Authenticated, ChainId, Signable, signing_digest};
use crypto::verify::Claim;

use crate::address::{ADDRESS_BYTES, Address};
use crate::amount::Amount;
use crate::macros::digest_name;
use crate::memo::Memo;
use crate::number::{Height, Nonce};
use crate::rejection::Rejection;

/// Most canonical bytes of a signed transaction that is looked at: the door refuses longer ones
/// undecoded. With the longest memo a transfer has about half of it, so further kinds have room.
pub const TRANSACTION_BYTES_MAX: usize = 512;

/// Canonical bytes of a signed transfer without memo: chain, sender, nonce, valid until, kind,
/// recipient, amount, length of the memo, signature.
const TRANSFER_BYTES: usize = 32 + ADDRESS_BYTES + 8 + 8 + 4 + ADDRESS_BYTES + 8 + 8 + 64;

digest_name! {
    /// The name of a transaction: the digest of everything but the signature.
    TransactionId
}

/// What a sender asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Transaction {
    /// The network it is for; on another it means nothing.
    pub chain: ChainId,
    /// Whose account it is taken from, and who signs.
    pub sender: Address,
    /// How many transactions of the sender came before.
    pub nonce: Nonce,
    /// The last height at which it may stand in a block.
    pub valid_until: Height,
    /// What it does.
    pub action: Action,
}

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Action {
    /// Moves money. Variant 0.
    Transfer(Transfer),
}

/// Money from the sender to the recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Transfer {
    /// Who gets it; an account that does not exist yet is created.
    pub recipient: Address,
    /// How much, never zero.
    pub amount: Amount,
    /// A text beside it.
    pub memo: Memo,
}

impl Signable for Transaction {
    const DOMAIN: Domain = Domain::SignedTransaction;
}

impl Transaction {
    /// Its name.
    pub fn id(&self) -> TransactionId {
        TransactionId::new(digest_of(Domain::TransactionId, self))
    }
}

/// A transaction and a signature that claims to be its sender's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct SignedTransaction {
    /// What is asked for.
    pub transaction: Transaction,
    /// The signature, over the chain and the transaction.
    pub signature: Signature,
}

impl SignedTransaction {
    /// Signs `transaction` with the sender's key.
    pub fn sign(transaction: Transaction, signer: &dyn Signer) -> Self {
        let signature = signer.sign(&signing_digest(&transaction.chain, &transaction));
        Self { transaction, signature }
    }

    /// The name of the transaction, which does not cover the signature.
    pub fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    /// The digest of the whole, signature included: a leaf of a block's body.
    pub fn leaf(&self) -> Digest {
        digest_of(Domain::TransactionLeaf, self)
    }

    /// Canonical bytes of the whole, computed without encoding it.
    pub const fn encoded_bytes(&self) -> usize {
        let Action::Transfer(transfer) = &self.transaction.action;
        TRANSFER_BYTES.saturating_add(transfer.memo.len())
    }

    /// Everything that can be wrong whatever the state, except the signature: see the order in
    /// [`Rejection`].
    ///
    /// # Errors
    ///
    /// The first rejection that applies.
    pub fn check_form(&self, chain: &ChainId) -> Result<(), Rejection> {
        let transaction = &self.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        if transaction.chain != *chain {
            return Err(Rejection::ForeignChain);
        }
        // Cheap, because the signature is verified as well: no key off the curve passes there.
        if transaction.sender.key().check_bytes().is_err() {
            return Err(Rejection::WeakKey);
        }
        if !transfer.memo.fits() {
            return Err(Rejection::MemoTooLong {
                bytes: u64::try_from(transfer.memo.len()).unwrap_or(u64::MAX),
            });
        }
        if transfer.amount.is_zero() {
            return Err(Rejection::ZeroAmount);
        }
        Ok(())
    }

    /// What the signature claims: that the sender signed this.
    pub fn claim(&self) -> Claim {
        Claim {
            key: *self.transaction.sender.key(),
            message: signing_digest(&self.transaction.chain, &self.transaction),
            signature: self.signature,
        }
    }
}

impl Authenticated for SignedTransaction {
    type Context = ChainId;
    type Malformed = Rejection;

    fn claims(&self, chain: &ChainId, claims: &mut Vec<Claim>) -> Result<(), Rejection> {
        self.check_form(chain)?;
        claims.push(self.claim());
        Ok(())
    }
}

#[cfg(test)]
mod tests;

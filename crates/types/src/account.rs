//! Accounts, and what proves one: its path in the state, the header with that state's root, and the
//! proof of the header's block.
//!
//! Accounts are numbered in the order of their creation and never removed; the state is a dense
//! tree over them. There is no proof that an account does not exist.

use std::collections::BTreeSet;

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::merkle::{self, Path};
use crypto::signed::Authenticated;
use crypto::verify::{Claim, batch_holds};
use thiserror::Error;

use crate::address::Address;
use crate::amount::Amount;
use crate::header::{BlockId, Header};
use crate::number::{Height, Nonce};
use crate::proof::{Proof, ProofError};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;

/// What the ledger knows of one holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Account {
    /// Whose it is.
    pub address: Address,
    /// What is in it, base units.
    pub balance: Amount,
    /// The nonce of its next transaction.
    pub nonce: Nonce,
}

impl Account {
    /// Its leaf in the tree of the state, as account number `index`.
    pub fn leaf(&self, index: u64) -> Digest {
        digest_of(Domain::AccountLeaf, &(index, self))
    }
}

/// The root of a state from the number of its accounts and the root of their tree, which alone does
/// not fix the number.
pub fn state_root(accounts: u64, tree_root: Digest) -> Digest {
    digest_of(Domain::StateRoot, &(accounts, tree_root))
}

/// Shows that an account is part of a state. A few hundred bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct AccountProof {
    /// Its number in the order of creation, from 0.
    pub index: u64,
    /// How many accounts the state has.
    pub accounts: u64,
    /// The account.
    pub account: Account,
    /// Its path in the tree.
    pub path: Path,
}

impl AccountProof {
    /// Whether the account is part of the state with this root.
    pub fn verify(&self, root: &Digest) -> bool {
        let leaf = self.account.leaf(self.index);
        self.path
            .root(Domain::AccountNode, leaf, self.index, self.accounts)
            .is_some_and(|tree_root| state_root(self.accounts, tree_root) == *root)
    }
}

/// An account, with everything that a holder of the genesis needs to believe it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct ProvedAccount {
    /// The header of the block after which the account was so. The genesis has no proof: whoever
    /// asks before the first block computes the state from the genesis itself.
    pub header: Header,
    /// The account in the state of that header.
    pub account: AccountProof,
    /// The proof of that block.
    pub proof: Proof,
}

/// Why a proved account does not prove what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProvedAccountError {
    /// It is about another account.
    #[error("the proof is about another account than the one asked for")]
    OtherAccount,
    /// The path does not lead to the header's state root.
    #[error("the account is not part of the state of the block")]
    Path,
    /// The block is not proved.
    #[error("the block is not proved: {0}")]
    Proof(#[from] ProofError),
    /// A signature of the certificate does not hold.
    #[error("a signature of the certificate does not hold")]
    Signature,
}

impl ProvedAccount {
    /// Whether a quorum of these validators committed a block after which `address` has this
    /// account.
    ///
    /// It says nothing about how recent that block is.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong; signatures are looked at last.
    pub fn verify(
        &self,
        validators: &ValidatorSet,
        address: &Address,
    ) -> Result<(), ProvedAccountError> {
        if self.account.account.address != *address {
            return Err(ProvedAccountError::OtherAccount);
        }
        let mut claims = Vec::new();
        self.claims(validators, &mut claims)?;
        if batch_holds(&claims) { Ok(()) } else { Err(ProvedAccountError::Signature) }
    }
}

impl Authenticated for ProvedAccount {
    type Context = ValidatorSet;
    type Malformed = ProvedAccountError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), ProvedAccountError> {
        if !self.account.verify(&self.header.state_root) {
            return Err(ProvedAccountError::Path);
        }
        self.proof.claims(&self.header, validators, claims)?;
        Ok(())
    }
}

/// The whole state after a block, to start from. It proves nothing by itself: its
/// [root](Snapshot::state_root) is compared with that of the block's header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Snapshot {
    /// The height of the block.
    pub height: Height,
    /// The block.
    pub block: BlockId,
    /// All accounts in the order of their creation.
    pub accounts: Vec<Account>,
    /// The replicas against whom the block or one below it has evidence.
    pub convicted: BTreeSet<ReplicaId>,
}

impl Snapshot {
    /// The root of the state it holds. Hashes every account.
    pub fn state_root(&self) -> Digest {
        root_of(&self.accounts)
    }

    /// The sum of all balances, `None` when it is more than the greatest amount.
    pub fn supply(&self) -> Option<Amount> {
        Amount::checked_sum(self.accounts.iter().map(|account| account.balance))
    }
}

/// The root of the state with exactly these accounts.
pub(crate) fn root_of(accounts: &[Account]) -> Digest {
    let leaves: Vec<Digest> =
        (0..).zip(accounts).map(|(index, account)| account.leaf(index)).collect();
    let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    state_root(count, merkle::root(Domain::AccountNode, &leaves))
}

#[cfg(test)]
mod tests;

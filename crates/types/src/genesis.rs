//! The genesis: what a network agrees on before its first block.
//!
//! A TOML document for people, checked as a whole ([`Genesis::parse`] lists everything that is
//! wrong, each with its line), and a content for machines. The chain id is the digest of the
//! content: comments, layout and the way a number is written do not matter, everything else does.
//! Secrets are never in it.
//!
//! Key by key it is explained in `genesis/README.md` at the root of the repository.

mod builder;
mod check;
mod draft;
mod errors;
mod read;
mod write;

pub use builder::GenesisBuilder;
pub use errors::{GenesisErrors, Problem};

use std::sync::Arc;

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::Encode;
use crypto::signed::ChainId;

use crate::account::{Account, root_of};
use crate::amount::{Amount, Denomination};
use crate::block::{Block, BlockId, Body, Header};
use crate::number::{Height, View};
use crate::parameters::Parameters;
use crate::replica::ReplicaId;
use crate::validators::{Validator, ValidatorSet};

/// Most accounts a genesis creates.
pub const ACCOUNTS_MAX: usize = 1_000_000;

/// Most bytes of a name, of a network or of a validator.
pub const NAME_BYTES_MAX: usize = 32;

/// A checked genesis. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Genesis(Arc<Checked>);

/// What the chain id is the digest of.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[bincode(crate = "crypto::encoding")]
struct Content {
    name: String,
    prefix: String,
    denomination: Denomination,
    parameters: Parameters,
    validators: Vec<Validator>,
    accounts: Vec<Account>,
}

/// The content with what follows from it.
#[derive(Debug)]
struct Checked {
    content: Content,
    validators: ValidatorSet,
    supply: Amount,
    header: Header,
}

impl Genesis {
    /// Reads and checks a document.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line.
    pub fn parse(text: &str) -> Result<Self, GenesisErrors> {
        let (draft, problems) = read::read(text);
        check::check(draft, problems)
    }

    /// The genesis of a content that was checked, with the sum of its balances.
    fn of(content: Content, supply: Amount) -> Self {
        let chain = ChainId::new(digest_of(Domain::ChainId, &content));
        let header = Header {
            chain,
            height: Height::GENESIS,
            parent: BlockId::NONE,
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: 0,
            body_root: Body::default().root(),
            transactions: 0,
            state_root: root_of(&content.accounts),
        };
        let validators = ValidatorSet::new(chain, content.validators.clone())
            .expect("a checked content has 1 to 128 validators whose keys differ");
        Self(Arc::new(Checked { content, validators, supply, header }))
    }

    /// The same network, whose validators take a [naive majority](crate::quorum::Quorum::naive_majority) for a quorum.
    /// **Not safe**: for the lab, to show that it forks. The document cannot ask for it.
    #[must_use]
    pub fn under_naive_majority(&self) -> Self {
        let Checked { content, validators, supply, header } = &*self.0;
        Self(Arc::new(Checked {
            content: content.clone(),
            validators: validators.under_naive_majority(),
            supply: *supply,
            header: header.clone(),
        }))
    }

    /// The chain id: the digest of the content.
    pub fn chain(&self) -> &ChainId {
        &self.0.header.chain
    }

    /// The validators.
    pub fn validators(&self) -> &ValidatorSet {
        &self.0.validators
    }

    /// The name of the network.
    pub fn name(&self) -> &str {
        &self.0.content.name
    }

    /// What its addresses begin with.
    pub fn prefix(&self) -> &str {
        &self.0.content.prefix
    }

    /// How its amounts are written.
    pub fn denomination(&self) -> &Denomination {
        &self.0.content.denomination
    }

    /// The accounts there are from the start, in the order of their numbers, all with nonce 0.
    pub fn accounts(&self) -> &[Account] {
        &self.0.content.accounts
    }

    /// The consensus parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.0.content.parameters
    }

    /// The sum of all balances, at every height.
    pub fn supply(&self) -> Amount {
        self.0.supply
    }

    /// The root of the state the network starts from.
    pub fn state_root(&self) -> Digest {
        self.0.header.state_root
    }

    /// The header of the block at height 0.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// The block at height 0: no transaction, no parent, no certificate. It is known and not agreed
    /// on.
    pub fn block(&self) -> Block {
        Block { header: self.0.header.clone(), body: Body::default() }
    }

    /// The document, with a line of comment for each key. It parses back to an equal genesis.
    pub fn to_toml(&self) -> String {
        write::document(&self.0.content)
    }
}

impl PartialEq for Genesis {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.content == other.0.content
    }
}

impl Eq for Genesis {}

#[cfg(test)]
mod tests;

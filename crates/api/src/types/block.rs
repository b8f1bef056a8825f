//! Blocks and what proves them.

use std::fmt;
use std::str::FromStr;

use crypto::digest::Digest;
use crypto::keys::Signature;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use types::block::{Block, BlockId, Header};
use types::genesis::Genesis;
use types::number::{Height, View};
use types::proof::{Proof, ProvedBlock};
use utoipa::ToSchema;

use super::scalar::{self, Integer};
use super::transaction::TransactionText;

/// Which block is asked for: by height, or by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockName {
    /// The one at this height.
    Height(Height),
    /// The one with this id.
    Id(BlockId),
}

/// The text names no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a block is named by its height or by the 64 hexadecimal digits of its id")]
pub struct BlockNameError;

impl fmt::Display for BlockName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Height(height) => write!(formatter, "{}", height.get()),
            Self::Id(id) => write!(formatter, "{id}"),
        }
    }
}

impl FromStr for BlockName {
    type Err = BlockNameError;

    fn from_str(text: &str) -> Result<Self, BlockNameError> {
        // No height has 64 digits, so the forms cannot be taken for one another.
        if let Some(height) = scalar::parse_decimal(text) {
            return Ok(Self::Height(Height::new(height)));
        }
        text.parse().map(Self::Id).map_err(|_| BlockNameError)
    }
}

/// A block without its transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockSummary {
    /// Its height.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Its id: the hash of its header.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// Id of its parent.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub parent: BlockId,
    /// The view it was first proposed in.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// Who proposed it first, by place in the genesis.
    pub proposer: u16,
    /// When it was first proposed, by the proposer's clock, in milliseconds since 1970 (UTC).
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub timestamp_ms: u64,
    /// How many transactions it holds.
    pub transactions: u32,
    /// Root of its transactions.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub body_root: Digest,
    /// State root after its execution.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub state_root: Digest,
}

impl BlockSummary {
    /// What `header` says.
    pub fn new(header: &Header) -> Self {
        Self {
            height: header.height,
            block: header.id(),
            parent: header.parent,
            view: header.view,
            proposer: header.proposer.get(),
            timestamp_ms: header.timestamp_ms,
            transactions: header.transactions,
            body_root: header.body_root,
            state_root: header.state_root,
        }
    }
}

/// A block with its transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockAnswer {
    /// Its header.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// Its transactions, in order.
    pub body: Vec<TransactionText>,
}

impl BlockAnswer {
    /// `block` in the prefix and denomination of its network.
    pub fn new(genesis: &Genesis, block: &Block) -> Self {
        Self {
            summary: BlockSummary::new(&block.header),
            body: block
                .body
                .transactions()
                .iter()
                .map(|signed| TransactionText::new(genesis, signed))
                .collect(),
        }
    }
}

/// Blocks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockPage {
    /// The blocks of this page.
    pub blocks: Vec<BlockSummary>,
    /// Pass it as `before` for the next page; absent on the last.
    #[serde(with = "scalar::whole_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Integer>)]
    pub next: Option<Height>,
}

/// What proves that a block is committed: a commit certificate for it, or for a descendant with the
/// headers between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateAnswer {
    /// Height of the block.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Id of the block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// The view its certificate was made in.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// Height of the block that the certificate names: this one or a descendant.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub certified_height: Height,
    /// Id of the block that the certificate names.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub certified_block: BlockId,
    /// Who signed it.
    pub signers: Vec<CertificateSigner>,
    /// The block's header, as hexadecimal wire bytes.
    #[serde(with = "scalar::wire")]
    #[schema(value_type = String)]
    pub header: Header,
    /// The proof, as hexadecimal wire bytes.
    #[serde(with = "scalar::wire")]
    #[schema(value_type = String)]
    pub proof: Proof,
}

/// One signature of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateSigner {
    /// Who signed, by place in the genesis.
    pub replica: u16,
    /// The signer's name.
    pub name: String,
    /// The signature of the commit vote.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub signature: Signature,
}

impl CertificateAnswer {
    /// What proves `proved`.
    pub fn new(genesis: &Genesis, proved: &ProvedBlock) -> Self {
        let certificate = &proved.proof.certificate;
        let statement = &certificate.statement;
        Self {
            height: proved.block.header.height,
            block: proved.block.id(),
            view: statement.view,
            certified_height: statement.height,
            certified_block: statement.block,
            signers: certificate
                .signatures
                .iter()
                .map(|(replica, signature)| CertificateSigner {
                    replica: replica.get(),
                    name: genesis
                        .validators()
                        .get(*replica)
                        .map(|validator| validator.name.clone())
                        .unwrap_or_default(),
                    signature: *signature,
                })
                .collect(),
            header: proved.block.header.clone(),
            proof: proved.proof.clone(),
        }
    }
}

//! Proofs that a validator's key lied.

use crypto::keys::{PublicKey, Signature};
use serde::{Deserialize, Serialize};
use types::block::BlockId;
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::view_change::{Asked, Opened};
use types::vote::{Phase, Statement, Vote};
use utoipa::ToSchema;

use super::block::BlockSummary;
use super::scalar::{self, Integer};
use crate::backend::KeptEvidence;

/// A piece of evidence without the statements in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceSummary {
    /// Its id: the hash of its canonical bytes.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub id: EvidenceId,
    /// `votes`, `branches`, `view-changes`, `forgotten` or `new-views`.
    pub kind: String,
    /// Whose key lied.
    pub accused: ValidatorName,
    /// The view in which the lie was told, of two the later.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The heights that it is about, ascending.
    #[serde(with = "scalar::whole_list")]
    #[schema(value_type = Vec<Integer>)]
    pub heights: Vec<Height>,
    /// When this validator stored it, by its clock, in milliseconds since 1970 (UTC); absent when it does not know.
    #[serde(with = "scalar::whole_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Integer>)]
    pub stored_ms: Option<u64>,
}

/// A validator, as the genesis names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorName {
    /// Its place in the genesis.
    pub replica: u16,
    /// Its name; empty when the genesis has no such validator.
    pub name: String,
    /// Its key; absent when the genesis has no such validator.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key: Option<PublicKey>,
}

/// Evidence, by ascending id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidencePage {
    /// The pieces of this page.
    pub evidence: Vec<EvidenceSummary>,
    /// Pass it as `after` for the next page; absent on the last.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next: Option<EvidenceId>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceAnswer {
    /// What it is about.
    #[serde(flatten)]
    pub summary: EvidenceSummary,
    /// What no honest validator ever does, as a sentence.
    pub wrong: String,
    /// The two statements that exclude each other.
    #[schema(min_items = 2, max_items = 2)]
    pub statements: Vec<SignedStatement>,
    /// For `branches`: the headers from the higher block down to that above the height of the lower one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<BlockSummary>,
    /// All of it, as hexadecimal wire bytes: what a checker needs beside the genesis.
    #[serde(with = "scalar::wire")]
    #[schema(value_type = String)]
    pub evidence: Evidence,
}

/// What somebody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedStatement {
    /// `prepare` or `commit`, a vote for a block; `view-change`, asking for a view; `new-view`, opening one.
    pub phase: String,
    /// The view voted in, asked for or opened.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The height voted for.
    #[serde(with = "scalar::whole_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Integer>)]
    pub height: Option<Height>,
    /// The block voted for.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub block: Option<BlockId>,
    /// For `view-change`: what its certificate certifies; absent without a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<CertifiedBlock>,
    /// For `new-view`: who asked for the view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<AskedFor>,
    /// The signature.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub signature: Signature,
}

/// What a certificate certifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertifiedBlock {
    /// `prepare` or `commit`.
    pub phase: String,
    /// The view of its votes.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The height of the block.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// The block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
}

/// Who asked for a view, and what it showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedFor {
    /// Its place in the genesis.
    pub replica: u16,
    /// What its certificate certifies; absent without a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<CertifiedBlock>,
}

impl ValidatorName {
    /// How the genesis names this replica.
    pub fn new(genesis: &Genesis, replica: ReplicaId) -> Self {
        let validator = genesis.validators().get(replica);
        Self {
            replica: replica.get(),
            name: validator.map(|validator| validator.name.clone()).unwrap_or_default(),
            key: validator.map(|validator| validator.key),
        }
    }
}

impl EvidenceSummary {
    /// A kept piece in the names of its network.
    pub fn new(genesis: &Genesis, kept: &KeptEvidence) -> Self {
        let outline = &kept.outline;
        Self {
            id: outline.id,
            kind: outline.kind.to_owned(),
            accused: ValidatorName::new(genesis, outline.accused),
            view: outline.view,
            heights: outline.heights.clone(),
            stored_ms: kept.stored_ms,
        }
    }
}

impl EvidenceAnswer {
    /// A piece in the names of its network, stored at this time if that is known.
    pub fn new(genesis: &Genesis, evidence: Evidence, stored_ms: Option<u64>) -> Self {
        let kept = KeptEvidence { outline: evidence.outline(genesis.validators()), stored_ms };
        let headers = match &evidence {
            Evidence::Branches { headers, .. } => headers.iter().map(BlockSummary::new).collect(),
            Evidence::Votes { .. }
            | Evidence::ViewChanges { .. }
            | Evidence::Forgotten { .. }
            | Evidence::NewViews { .. } => Vec::new(),
        };
        Self {
            summary: EvidenceSummary::new(genesis, &kept),
            wrong: evidence.wrong().to_owned(),
            statements: statements(&evidence).into(),
            headers,
            evidence,
        }
    }
}

fn statements(evidence: &Evidence) -> [SignedStatement; 2] {
    match evidence {
        Evidence::Votes { first, second }
        | Evidence::Branches { higher: first, lower: second, headers: _ } => {
            [first.into(), second.into()]
        }
        Evidence::ViewChanges { first, second } => [first.into(), second.into()],
        Evidence::Forgotten { commit, view_change } => [commit.into(), view_change.into()],
        Evidence::NewViews { first, second } => [first.into(), second.into()],
    }
}

impl From<&Vote> for SignedStatement {
    fn from(vote: &Vote) -> Self {
        let said = &vote.statement;
        Self {
            phase: phase(said.phase),
            view: said.view,
            height: Some(said.height),
            block: Some(said.block),
            certified: None,
            asked: Vec::new(),
            signature: vote.signature,
        }
    }
}

impl From<&Asked> for SignedStatement {
    fn from(asked: &Asked) -> Self {
        Self {
            phase: "view-change".to_owned(),
            view: asked.statement.view,
            height: None,
            block: None,
            certified: asked.statement.certified.map(CertifiedBlock::from),
            asked: Vec::new(),
            signature: asked.signature,
        }
    }
}

impl From<&Opened> for SignedStatement {
    fn from(opened: &Opened) -> Self {
        let asked = opened.statement.asked.iter().map(|(replica, certified)| AskedFor {
            replica: replica.get(),
            certified: certified.map(CertifiedBlock::from),
        });
        Self {
            phase: "new-view".to_owned(),
            view: opened.statement.view,
            height: None,
            block: None,
            certified: None,
            asked: asked.collect(),
            signature: opened.signature,
        }
    }
}

impl From<Statement> for CertifiedBlock {
    fn from(said: Statement) -> Self {
        Self { phase: phase(said.phase), view: said.view, height: said.height, block: said.block }
    }
}

fn phase(phase: Phase) -> String {
    match phase {
        Phase::Prepare => "prepare".to_owned(),
        Phase::Commit => "commit".to_owned(),
    }
}

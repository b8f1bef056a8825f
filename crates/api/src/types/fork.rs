//! Proposals that did not become part of the chain.

use serde::{Deserialize, Serialize};
use types::block::BlockId;
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::{Height, View};
use types::vote::Phase;
use utoipa::ToSchema;

use super::block::BlockSummary;
use super::evidence::{SignedStatement, ValidatorName};
use super::scalar::{self, Integer};

/// Lost proposals, from the highest down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForkPage {
    /// The proposals of this page.
    pub forks: Vec<ForkAnswer>,
    /// Pass it as `before` for the next page; absent on the last.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next: Option<ProposalPlace>,
    /// How often since its start this validator saw a proposal that it did not keep, or gave one up for another: so
    /// many of one proposer are kept, and four of one height and view.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub forgotten: u64,
}

/// A proposal that did not become part of the chain, as this validator saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForkAnswer {
    /// The height it was proposed for.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// The view it was proposed in.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The proposed block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// Who proposed it: the primary of the view.
    pub proposer: ValidatorName,
    /// `refused` (by a rule), `rival` (its proposer signed another block for this place, too), `view-left` (the view was
    /// left before it was decided) or `outvoted` (another block was committed); the first of them that holds.
    pub why: String,
    /// The rule by which this validator refused to vote for it: a reason of the metric `messages_ignored`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The view that this validator went to while it was undecided.
    #[serde(with = "scalar::whole_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Integer>)]
    pub left_for: Option<View>,
    /// What was committed at its height; absent while nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<ForkWinner>,
    /// Whose prepare votes for it this validator counted, the proposer's among them.
    pub prepares: Vec<u16>,
    /// Whose commit votes for it this validator counted.
    pub commits: Vec<u16>,
    /// What the proposer signed.
    pub proposed: SignedStatement,
    /// What the proposer signed for another block at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<SignedStatement>,
    /// The block without its transactions; absent when this validator saw votes for it and not the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<BlockSummary>,
    /// All of it, as hexadecimal wire bytes, every vote with its signature: what a checker needs beside the genesis.
    #[serde(with = "scalar::wire")]
    #[schema(value_type = String)]
    pub lost: LostProposal,
}

/// What was committed at the height of a lost proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForkWinner {
    /// The block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// The view of the certificate that proves it, or a descendant of it.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
}

/// A proposal has lost for good: another block was committed at its height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LostEvent {
    /// The height it was proposed for.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// The view it was proposed in.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The proposed block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// Who proposed it, by place in the genesis.
    pub proposer: u16,
    /// As in [`ForkAnswer`].
    pub why: String,
    /// What was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<ForkWinner>,
}

impl ForkAnswer {
    /// A lost proposal in the names of its network.
    pub fn new(genesis: &Genesis, lost: LostProposal) -> Self {
        let place = lost.place();
        let voters = |phase| lost.voters(phase).into_iter().map(|replica| replica.get()).collect();
        Self {
            height: place.height,
            view: place.view,
            block: place.block,
            proposer: ValidatorName::new(genesis, lost.proposer()),
            why: lost.why().to_owned(),
            refused: lost.refused.clone(),
            left_for: lost.left,
            winner: winner(&lost),
            prepares: voters(Phase::Prepare),
            commits: voters(Phase::Commit),
            proposed: (&lost.proposed).into(),
            rival: lost.rival.as_ref().map(SignedStatement::from),
            header: lost.header.as_ref().map(BlockSummary::new),
            lost,
        }
    }
}

impl LostEvent {
    /// What is said about a lost proposal.
    pub fn new(lost: &LostProposal) -> Self {
        let place = lost.place();
        Self {
            height: place.height,
            view: place.view,
            block: place.block,
            proposer: lost.proposer().get(),
            why: lost.why().to_owned(),
            winner: winner(lost),
        }
    }
}

fn winner(lost: &LostProposal) -> Option<ForkWinner> {
    lost.winner.map(|winner| ForkWinner { block: winner.block, view: winner.view })
}

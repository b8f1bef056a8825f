//! What a step asks for.
//!
//! [`Output`] is performed strictly from top to bottom: its shape is the rule that nothing is sent before it is
//! durable (protocol page, section 5). A process may die between any two of its fields, and nothing said afterwards
//! contradicts what was said before.

use types::evidence::Evidence;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::reply::CommittedStatement;

use crate::ignored::Ignored;
use crate::lost::Lost;
use crate::message::Message;
use crate::record::Record;

/// Everything that follows from one input, in the order in which it is to be performed.
///
/// Outputs of consecutive steps may be performed as one, field by field, each behind the same field of the earlier
/// ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// To be appended to the journal and made durable, as one frame with one flush.
    pub records: Vec<Record>,
    /// To be stored: committed blocks in ascending order without gap, each with its proof.
    pub committed: Vec<ProvedBlock>,
    /// To be sent.
    pub messages: Vec<Outgoing>,
    /// To be set. Setting a timer replaces the earlier one of the same kind.
    pub timers: Vec<TimerSet>,
    /// To be signed and told to whoever asked: one for each committed block, in the same order.
    pub replies: Vec<CommittedStatement>,
    /// To be stored and counted: proofs that a key lied, each once in the life of the process.
    pub evidence: Vec<Evidence>,
    /// To be alarmed about: blocks that a quorum committed and that do not fit the chain committed here, each with its
    /// proof, as often as they are met. More than t validators have lied; safety no longer holds.
    pub forks: Vec<ProvedBlock>,
    /// To be counted: what was not acted upon, and why.
    pub ignored: Vec<Ignored>,
    /// For those who look on: proposals that did not become part of the chain, as far as they were seen here.
    pub lost: Vec<Lost>,
    /// A height that peers seem to have committed and this replica has not. A hint about when to ask them for
    /// blocks, never a fact; repeated for as long as it holds.
    pub behind: Option<Height>,
}

/// A message and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whom it is for.
    pub to: Recipients,
    /// What is sent.
    pub message: Message,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipients {
    /// Every other replica.
    All,
    /// This one.
    One(ReplicaId),
}

/// What a replica waits for. Whoever drives it owns the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The primary has let requests wait long enough for others to join them.
    Batch,
    /// A proposal with a timestamp ahead of this replica's clock may have come of age.
    Proposal,
    /// There was no progress for long enough to replace the primary, unless something happened since.
    Progress,
    /// It is time to say where this replica stands.
    Status,
}

/// A timer to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerSet {
    /// Which one.
    pub timer: Timer,
    /// After how many milliseconds it fires, at most [`AFTER_MS_MAX`].
    pub after_ms: u32,
}

/// The longest that a timer is ever set for, in milliseconds: a timestamp is a peer's choice, and arithmetic on
/// a clock must not overflow over it. What is still early then is waited for again.
pub const AFTER_MS_MAX: u32 = 60_000;

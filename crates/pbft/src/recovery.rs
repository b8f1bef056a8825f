//! From a journal back to a replica (protocol page, section 5): after a restart it has said what it had said, says it
//! again byte for byte, and answers the same questions the same way.
//!
//! The journal is believed only as a whole. Its frames were checked when it was read; here every vote must be this
//! replica's on this chain, no two may contradict each other, and every block voted for above the committed one
//! is executed again. Blocks between may be missing: they were committed on others' word and not durable yet
//! when the process died. Then the votes above wait, and this replica says nothing new until catch-up has
//! closed the gap.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::keys::{PublicKey, Signer};
use thiserror::Error;
use types::application::{Application, BlockRefusal};
use types::block::{Block, Header};
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{NotAMember, Phase, Vote};

use crate::output::{Outgoing, Recipients};
use crate::record::Record;
use crate::replica::Config;
use crate::state::slot::Proposal;
use crate::state::{Standing, State, Tip};

/// Why a journal is not this replica's word. An operator has to look; going on without it could contradict
/// what was said.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecoveryError {
    /// The configured number is not a validator's.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// The key at hand is not the one that the genesis gives this replica.
    #[error("the key at hand is {found}, the genesis gives replica {replica} the key {expected}")]
    ForeignKey {
        /// This replica.
        replica: ReplicaId,
        /// The key of the genesis.
        expected: PublicKey,
        /// The key at hand.
        found: PublicKey,
    },
    /// A block, of the journal or the committed one, names another chain.
    #[error("the block at height {height} is of another chain")]
    ForeignBlock {
        /// Its height.
        height: Height,
    },
    /// A vote of another replica.
    #[error("the journal has a vote of replica {replica} at height {height}, which is another one")]
    ForeignVote {
        /// Whose vote it is.
        replica: ReplicaId,
        /// The height it names.
        height: Height,
    },
    /// A vote whose signature does not hold under this replica's key on this chain.
    #[error("the vote at height {height} is not signed with this replica's key on this chain")]
    ForeignSignature {
        /// The height it names.
        height: Height,
    },
    /// A vote in a view that this version never enters.
    #[error("the vote at height {height} is in view {view}, which this version never enters")]
    ForeignView {
        /// The height it names.
        height: Height,
        /// Its view.
        view: View,
    },
    /// A prepare vote without its block, or a commit vote with one.
    #[error("the record of the vote at height {height} does not have the block it should have")]
    WrongBlock {
        /// The height of the vote.
        height: Height,
    },
    /// Two votes of one phase for different blocks at one height, or prepare votes that do not go upwards.
    #[error("two records of votes at height {height} contradict each other")]
    Contradiction {
        /// The height of the later one.
        height: Height,
    },
    /// A commit vote for a block that the journal has no prepare vote for.
    #[error("the journal has a commit vote at height {height} and no prepare vote for its block")]
    Unprepared {
        /// The height of the vote.
        height: Height,
    },
    /// A commit vote without the prepared certificate that it followed from.
    #[error("the journal has a commit vote at height {height} and no prepared certificate as high")]
    Uncertified {
        /// The height of the vote.
        height: Height,
    },
    /// A vote for a block that is not on the committed chain, with no record of having left it.
    #[error("the block voted for at height {height} is not on the chain that was committed")]
    OffChain {
        /// The height of the vote.
        height: Height,
    },
    /// A block that was executed before it was voted for can no longer be.
    #[error("the block voted for at height {height} can no longer be executed: {refusal}")]
    Execution {
        /// Its height.
        height: Height,
        /// Why not.
        refusal: BlockRefusal,
    },
}

/// The state that the journal left behind.
pub(crate) fn recover<A: Application>(
    config: Config,
    signer: Arc<dyn Signer>,
    application: A,
    tip: Header,
    records: Vec<Record>,
) -> Result<State<A>, RecoveryError> {
    check_key(&config, signer.as_ref())?;
    check_chain(&config, &tip)?;
    check_votes(&config, signer.as_ref(), &records)?;
    let mut state = State::new(config, signer, application, Tip::new(tip));
    state.standing = standing(&records, state.view);
    for record in records {
        match record {
            Record::Vote { vote, block } => match vote.statement.phase {
                Phase::Prepare => restore_prepare(&mut state, vote, block)?,
                Phase::Commit => restore_commit(&mut state, vote, block.as_ref())?,
            },
            Record::Certificate { certificate } => {
                state.raise_certificate(&certificate);
            }
            Record::Left { .. } | Record::Retired { .. } => {}
        }
    }
    check_certified(&state)?;
    state
        .execute_voted()
        .map_err(|(height, refusal)| RecoveryError::Execution { height, refusal })?;
    Ok(state)
}

/// Everything said before, for everybody.
pub(crate) fn say_again<A>(state: &State<A>) -> Vec<Outgoing> {
    let outgoing = |message| Outgoing { to: Recipients::All, message };
    state.said().into_iter().map(outgoing).collect()
}

fn check_key(config: &Config, signer: &dyn Signer) -> Result<(), RecoveryError> {
    let replica = config.replica;
    let validator = config.validators.get(replica).ok_or(NotAMember { replica })?;
    let (expected, found) = (validator.key, signer.public_key());
    if expected == found {
        return Ok(());
    }
    Err(RecoveryError::ForeignKey { replica, expected, found })
}

fn check_chain(config: &Config, header: &Header) -> Result<(), RecoveryError> {
    if header.chain == *config.validators.chain() {
        return Ok(());
    }
    let height = header.height;
    Err(RecoveryError::ForeignBlock { height })
}

/// Whether all votes are this replica's own on this chain and none contradicts another.
///
/// One statement has one signature under one key, so its own are told by signing again, which costs less than
/// verifying.
fn check_votes(
    config: &Config,
    signer: &dyn Signer,
    records: &[Record],
) -> Result<(), RecoveryError> {
    let mut said = BTreeMap::new();
    for vote in records.iter().filter_map(Record::vote) {
        let statement = vote.statement;
        let (replica, view, height) = (vote.replica, statement.view, statement.height);
        if replica != config.replica {
            return Err(RecoveryError::ForeignVote { replica, height });
        }
        if view != View::FIRST {
            return Err(RecoveryError::ForeignView { height, view });
        }
        let first = *said.entry((statement.phase, view, height)).or_insert(statement.block);
        if first != statement.block {
            return Err(RecoveryError::Contradiction { height });
        }
        if Vote::sign(statement, replica, config.validators.chain(), signer) != *vote {
            return Err(RecoveryError::ForeignSignature { height });
        }
    }
    Ok(())
}

fn standing(records: &[Record], current: View) -> Standing {
    let ended = records.iter().map(|record| match record {
        Record::Retired { .. } => Standing::Retired,
        Record::Left { view, .. } if *view == current => Standing::Left,
        Record::Left { .. } | Record::Vote { .. } | Record::Certificate { .. } => Standing::Voting,
    });
    ended.max().unwrap_or(Standing::Voting)
}

fn restore_prepare<A>(
    state: &mut State<A>,
    vote: Vote,
    block: Option<Block>,
) -> Result<(), RecoveryError> {
    let (height, id) = (vote.statement.height, vote.statement.block);
    let block = block
        .filter(|block| block.header.height == height && block.id() == id)
        .ok_or(RecoveryError::WrongBlock { height })?;
    check_chain(&state.config, &block.header)?;
    let last = state.last_prepare.map(|last| last.statement);
    if last.is_some_and(|last| last.height >= height && last.block != id) {
        return Err(RecoveryError::Contradiction { height });
    }
    if last.is_some_and(|last| last.height.next() == height && last.block != block.header.parent) {
        return Err(RecoveryError::Contradiction { height });
    }
    let low = (state.low(), state.committed.id);
    let off_chain = (height == low.0 && id != low.1)
        || (height == low.0.next() && block.header.parent != low.1);
    if off_chain && state.standing == Standing::Voting {
        return Err(RecoveryError::OffChain { height });
    }
    if height > low.0 && state.own_vote(Phase::Prepare, height).is_none() {
        let slot = state.slot(height);
        slot.proposal = Some(Proposal::new(block));
        slot.prepares.insert(vote);
    }
    state.last_prepare = Some(vote);
    Ok(())
}

fn restore_commit<A>(
    state: &mut State<A>,
    vote: Vote,
    block: Option<&Block>,
) -> Result<(), RecoveryError> {
    let height = vote.statement.height;
    if block.is_some() {
        return Err(RecoveryError::WrongBlock { height });
    }
    if height <= state.low() {
        let last = state.last_commit.map(|last| last.statement.height);
        if last < Some(height) {
            state.last_commit = Some(vote);
        }
        return Ok(());
    }
    let prepared = state.own_vote(Phase::Prepare, height);
    if prepared.map(|prepared| prepared.statement.block) != Some(vote.statement.block) {
        return Err(RecoveryError::Unprepared { height });
    }
    if state.own_vote(Phase::Commit, height).is_none() {
        state.slot(height).commits.insert(vote);
    }
    Ok(())
}

/// Whether every commit vote followed from a certificate that the journal still has, or from a lower one.
fn check_certified<A>(state: &State<A>) -> Result<(), RecoveryError> {
    let own = state.config.replica;
    let votes = state.slots.values().filter_map(|slot| slot.commits.of(own));
    let heights = votes.chain(&state.last_commit).map(|vote| vote.statement.height);
    let certified = state.certificate.as_ref().map(|highest| highest.statement.height);
    match heights.max().filter(|height| Some(*height) > certified) {
        Some(height) => Err(RecoveryError::Uncertified { height }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

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
use crypto::signed::signing_digest;
use thiserror::Error;
use types::application::{Application, BlockRefusal};
use types::block::{Block, Header};
use types::mutant;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{NotAMember, Phase, Statement, Vote};

use crate::output::{Outgoing, Recipients};
use crate::record::Record;
use crate::replica::Config;
use crate::state::{Stage, Standing, State, Tip};

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
    /// A vote in a view that the journal does not say was entered, or after a later view was asked for.
    #[error("the vote at height {height} is in view {view}, in which the journal does not vote")]
    ForeignView {
        /// The height it names.
        height: Height,
        /// Its view.
        view: View,
    },
    /// A view change or a new view that does not follow on what the journal says before it.
    #[error("the journal goes from view {from} to view {to}")]
    BackToView {
        /// The view before.
        from: View,
        /// The view that follows.
        to: View,
    },
    /// A view change of another replica, or not signed with this replica's key on this chain.
    #[error("the view change to view {view} is not signed with this replica's key on this chain")]
    ForeignViewChange {
        /// The view asked for.
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
    mutant!(PrepareForgotten | NewViewForgotten => {
        return crate::mutated::recover(config, signer, application, tip, records);
    });
    check_key(&config, signer.as_ref())?;
    check_chain(&config, &tip)?;
    check_signatures(&config, signer.as_ref(), &records)?;
    check_order(&records)?;
    let mut state = State::new(config, signer, application, Tip::new(tip));
    restore_view(&mut state, &records);
    state.standing = standing(&records, state.view);
    for record in records {
        match record {
            Record::Vote { vote, block } => match vote.statement.phase {
                Phase::Prepare => restore_prepare(&mut state, vote, block)?,
                Phase::Commit => restore_commit(&mut state, vote, block.as_ref())?,
            },
            Record::Certificate { certificate } => {
                state.raise_prepared(&certificate);
            }
            Record::Left { .. }
            | Record::Retired { .. }
            | Record::ViewChange { .. }
            | Record::NewView { .. } => {}
        }
    }
    mutant!(ViewChangeRebuilt => { crate::mutated::rebuild_view_change(&mut state) });
    check_certified(&state)?;
    if state.standing == Standing::Left {
        state.path.clear();
    }
    state
        .execute_path()
        .map_err(|(height, refusal)| RecoveryError::Execution { height, refusal })?;
    Ok(state)
}

/// Everything said before that still matters, for everybody.
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

/// Whether all votes and view changes are this replica's own on this chain. Signatures are deterministic (RFC 8032), so
/// what this key has signed is what it would sign again.
fn check_signatures(
    config: &Config,
    signer: &dyn Signer,
    records: &[Record],
) -> Result<(), RecoveryError> {
    let chain = config.validators.chain();
    for record in records {
        match record {
            Record::Vote { vote, .. } => {
                let Vote { statement, replica, signature } = *vote;
                let height = statement.height;
                if replica != config.replica {
                    return Err(RecoveryError::ForeignVote { replica, height });
                }
                if signer.sign(&signing_digest(chain, &statement)) != signature {
                    return Err(RecoveryError::ForeignSignature { height });
                }
            }
            Record::ViewChange { view_change } => {
                let signed = signer.sign(&signing_digest(chain, &view_change.statement()));
                if view_change.replica != config.replica || signed != view_change.signature {
                    let view = view_change.view;
                    return Err(RecoveryError::ForeignViewChange { view });
                }
            }
            Record::Certificate { .. }
            | Record::Left { .. }
            | Record::Retired { .. }
            | Record::NewView { .. } => {}
        }
    }
    Ok(())
}

/// Whether the journal goes through the views upwards, votes only in those it has entered, and says one thing at
/// each place.
///
/// What was pruned was a beginning, so the first word about a view need not be there.
fn check_order(records: &[Record]) -> Result<(), RecoveryError> {
    let mut said = BTreeMap::new();
    let mut now = View::FIRST;
    let mut entered = true;
    for record in records {
        match record {
            Record::Vote { vote, .. } => {
                let Statement { phase, view, height, block } = vote.statement;
                if view < now || (view == now && !entered) {
                    return Err(RecoveryError::ForeignView { height, view });
                }
                (now, entered) = (view, true);
                if *said.entry((phase, view, height)).or_insert(block) != block {
                    return Err(RecoveryError::Contradiction { height });
                }
            }
            Record::ViewChange { view_change } => {
                let to = view_change.view;
                if to <= now {
                    return Err(RecoveryError::BackToView { from: now, to });
                }
                (now, entered) = (to, false);
            }
            Record::NewView { new_view } => {
                let to = new_view.view;
                if to < now || (to == now && entered) {
                    return Err(RecoveryError::BackToView { from: now, to });
                }
                (now, entered) = (to, true);
            }
            Record::Certificate { .. } | Record::Left { .. } | Record::Retired { .. } => {}
        }
    }
    Ok(())
}

/// Goes to the last view that the journal speaks of, and stands on its tip if it was entered.
fn restore_view<A: Application>(state: &mut State<A>, records: &[Record]) {
    for record in records {
        match record {
            Record::ViewChange { view_change } => {
                state.leave(view_change.view, Stage::Asked);
                state.view_changes.insert(state.config.replica, view_change.clone());
            }
            Record::NewView { new_view } => {
                if new_view.view > state.view {
                    state.leave(new_view.view, Stage::Moved);
                }
                state.take_over(new_view.clone());
            }
            Record::Vote { .. }
            | Record::Certificate { .. }
            | Record::Left { .. }
            | Record::Retired { .. } => {}
        }
    }
    state.pace.forgive();
}

fn standing(records: &[Record], current: View) -> Standing {
    let ended = records.iter().map(|record| match record {
        Record::Retired { .. } => Standing::Retired,
        Record::Left { view, .. } if *view == current => Standing::Left,
        Record::Left { .. }
        | Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => Standing::Voting,
    });
    ended.max().unwrap_or(Standing::Voting)
}

fn restore_prepare<A>(
    state: &mut State<A>,
    vote: Vote,
    block: Option<Block>,
) -> Result<(), RecoveryError> {
    let Statement { view, height, block: id, .. } = vote.statement;
    let block = block
        .filter(|block| block.header.height == height && block.id() == id)
        .ok_or(RecoveryError::WrongBlock { height })?;
    check_chain(&state.config, &block.header)?;
    if view > state.view {
        return Err(RecoveryError::ForeignView { height, view });
    }
    state.spoken.note(&vote.statement);
    let parent = block.header.parent;
    if height > state.low() {
        state.path.keep(id, Arc::new(block));
    }
    if view != state.view {
        return Ok(());
    }
    let last = state.last_prepare.map(|last| last.statement);
    let contradicts = |last: Statement| match last.height.next() {
        next if next == height => last.block != parent,
        next => next > height && last.block != id,
    };
    if last.is_some_and(contradicts) {
        return Err(RecoveryError::Contradiction { height });
    }
    let low = (state.low(), state.committed.id);
    let off_chain = (height == low.0 && id != low.1) || (height == low.0.next() && parent != low.1);
    if off_chain && state.standing == Standing::Voting {
        return Err(RecoveryError::OffChain { height });
    }
    if height > low.0 && state.own_vote(Phase::Prepare, height).is_none() {
        state.path.push(height, id);
        state.slot(height).prepares.insert(vote);
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
    state.spoken.note(&vote.statement);
    if height <= state.low() {
        let place = |vote: &Vote| (vote.statement.view, vote.statement.height);
        if state.last_commit.as_ref().map(place) < Some(place(&vote)) {
            state.last_commit = Some(vote);
        }
        return Ok(());
    }
    if vote.statement.view != state.view {
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
    let certified = state.prepared.as_ref().map(|highest| {
        let statement = &highest.statement;
        (statement.view, statement.height)
    });
    match state.spoken.last(Phase::Commit).filter(|place| Some(*place) > certified) {
        Some((_, height)) => Err(RecoveryError::Uncertified { height }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! A status: whoever sees what a peer lacks says it again, whoever said it first, directly and within bounds.
//!
//! One answer to each peer for each time that this replica says where it stands itself, of at most [`BLOCKS_MAX`]
//! blocks; the rest follows on the next status. Nothing that a status claims is believed: a lie about what is
//! lacking costs one bounded answer.

use types::block::BlockId;
use types::mutant;
use types::number::Height;
use types::replica::ReplicaId;
use types::vote::Phase;

use crate::ignored::Ignored;
use crate::message::{Handover, Message};
use crate::output::{Outgoing, Output, Recipients};
use crate::state::slot::Slot;
use crate::state::{Stage, State};
use crate::status::{Held, Lacks, Members, Standpoint, Status};

/// The most blocks in one answer.
pub(crate) const BLOCKS_MAX: usize = 4;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    status: Status,
    output: &mut Output,
) -> Result<(), Ignored> {
    let Standpoint { replica, view, entered, committed, lacks } = status.standpoint;
    let Some(peer) = state.peers.get_mut(&replica) else {
        return Ok(());
    };
    peer.committed = committed;
    if peer.answered {
        return Err(Ignored::AnsweredAlready { replica });
    }

    let mut answer = Vec::new();
    if view < state.view || (view == state.view && !entered) {
        let known = lacks.as_ref().filter(|_| view == state.view);
        let known = known.map_or(Members::default(), |lacks| lacks.view_changes);
        answer.extend(way_into_view(state, view, known));
    } else if let Some(lacks) = lacks.as_ref().filter(|_| view == state.view) {
        answer.extend(votes(state, committed, lacks));
    }
    if let Some(block) = lacks.and_then(|lacks| lacks.block) {
        answer.extend(bodies(state, block, committed));
    }
    if answer.is_empty() {
        return Ok(());
    }
    if let Some(peer) = state.peers.get_mut(&replica) {
        peer.answered = true;
    }
    let to = |message| Outgoing { to: Recipients::One(replica), message };
    output.messages.extend(within_bounds(answer).map(to));
    Ok(())
}

/// What leads into this replica's view: its new view, or else who asks for it or for later ones.
fn way_into_view<A>(state: &State<A>, view: types::number::View, known: Members) -> Vec<Message> {
    mutant!(NewViewNotRepaired => { return Vec::new() });
    if let Some(new_view) = &state.new_view {
        return vec![Message::NewView(new_view.clone())];
    }
    let asked = state.view_changes.values();
    asked
        .filter(|asked| asked.view > view || (asked.view == view && !known.contains(asked.replica)))
        .cloned()
        .map(Message::ViewChange)
        .collect()
}

/// The votes and proposals of this view that the peer does not have, from the height above its committed one.
fn votes<A>(state: &State<A>, committed: Height, lacks: &Lacks) -> Vec<Message> {
    if state.stage != Stage::Entered || mutant!(VotesNotRepaired) {
        return Vec::new();
    }
    let mut answer = Vec::new();
    for (height, slot) in state.slots.range(committed.next()..) {
        let place = usize::try_from(height.above(committed)).unwrap_or(usize::MAX);
        let held = lacks.heights.get(place.saturating_sub(1)).copied().unwrap_or_default();
        answer.extend(slot_messages(state, slot, held));
    }
    answer
}

fn slot_messages<A>(state: &State<A>, slot: &Slot, held: Held) -> Vec<Message> {
    let primary = state.primary();
    let mut messages = Vec::new();
    for (replica, vote) in slot.prepares.iter() {
        let proposes = *replica == primary;
        if proposes && (!held.proposal || !held.prepares.contains(*replica)) {
            messages.push(state.prepare_message(vote));
        } else if !held.prepares.contains(*replica) {
            messages.push(Message::Prepare(*vote));
        }
    }
    let commits = slot.tally(Phase::Commit).iter();
    let lacking = commits.filter(|(replica, _)| !held.commits.contains(**replica));
    messages.extend(lacking.map(|(_, vote)| Message::Commit(*vote)));
    messages
}

/// A block and those below it that are here, down to the height above the peer's committed one.
fn bodies<A>(state: &State<A>, block: BlockId, committed: Height) -> Vec<Message> {
    let own: ReplicaId = state.config.replica;
    let chain = state.config.validators.chain();
    let mut answer = Vec::new();
    let mut id = block;
    while answer.len() < BLOCKS_MAX
        && !mutant!(BodiesNotRepaired)
        && let Some(block) = state.path.block(&id)
        && block.header.height > committed
    {
        let copy = types::block::Block::clone(block);
        let handover = Handover::sign(copy, own, chain, state.signer.as_ref());
        answer.push(Message::Handover(handover));
        id = block.header.parent;
    }
    answer
}

/// As much of an answer as has at most [`BLOCKS_MAX`] blocks.
fn within_bounds(answer: Vec<Message>) -> impl Iterator<Item = Message> {
    let mut blocks = 0_usize;
    answer.into_iter().take_while(move |message| {
        let with_block = matches!(message, Message::PrePrepare(_) | Message::Handover(_));
        blocks = blocks.saturating_add(usize::from(with_block));
        blocks <= BLOCKS_MAX
    })
}

#[cfg(test)]
mod tests;

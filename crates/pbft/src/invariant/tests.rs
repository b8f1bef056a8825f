//! Each invariant fires when what it claims is broken: a state is put together by hand, or an
//! output forged.

use types::block::{Block, BlockId};
use types::evidence::Evidence;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::reply::CommittedStatement;
use types::vote::{Phase, Statement};

use super::{assert_all, assert_output};
use crate::fixture::application::FakeApplication;
use crate::fixture::{
    Bench, asks, certificate_by, chain_of, commit, key, new_view, pre_prepare, prepare, signed,
    statement,
};
use crate::message::{Handover, Message};
use crate::output::{Outgoing, Output, Recipients};
use crate::record::Record;
use crate::replica::Protocol;
use crate::state::slot::{Proposal, Slot};
use crate::state::{Stage, State};

/// Backup 1 of 4, which has voted to commit one block and to prepare the next.
fn bench() -> (Bench, Vec<Block>) {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 2);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(prepare(&bench.genesis, 2, &blocks[0]));
    bench.receive(pre_prepare(&bench.genesis, &blocks[1]));
    (bench, blocks)
}

/// Asserts the invariants after a change of the state.
fn after(change: impl FnOnce(&mut State<FakeApplication>, &Bench, &[Block])) {
    let (bench, blocks) = bench();
    let (mut copy, _) = self::bench();
    assert_all(copy.replica.peek());
    change(copy.replica.state_mut(), &bench, &blocks);
    assert_all(copy.replica.peek());
}

/// Asserts the promises of an output that a step did not make.
fn with(output: impl FnOnce(&Bench, &[Block]) -> Output) {
    let (bench, blocks) = bench();
    let output = output(&bench, &blocks);
    assert_output(bench.replica.peek(), bench.replica.status().committed, &output);
}

#[test]
fn a_sound_state_and_a_silent_output_pass() {
    after(|_, _, _| {});
    with(|_, _| Output::default());
}

#[test]
#[should_panic(expected = "invariant 1")]
fn a_slot_above_the_kept_heights_is_noticed() {
    after(|state, _, _| {
        state.slots.insert(Height::new(99), Slot::default());
    });
}

#[test]
#[should_panic(expected = "invariant 2")]
fn a_vote_in_another_heights_tally_is_noticed() {
    after(|state, bench, blocks| {
        let vote = signed(&bench.genesis, 3, statement(Phase::Commit, &blocks[0]));
        state.slot(Height::new(2)).commits.insert(vote);
    });
}

#[test]
#[should_panic(expected = "invariant 3")]
fn a_block_voted_for_and_not_kept_is_noticed() {
    after(|state, _, blocks| {
        state.path.take(&blocks[1].id());
    });
}

#[test]
#[should_panic(expected = "invariant 3")]
fn a_vote_beside_the_chain_of_votes_is_noticed() {
    after(|state, bench, _| {
        let root = bench.genesis.header();
        let rival = crate::fixture::block_on(&bench.genesis, root, &[7]);
        let beside = crate::fixture::block_on(&bench.genesis, &rival.header, &[8]);
        let vote = signed(&bench.genesis, 1, statement(Phase::Prepare, &beside));
        let mut slot = Slot::default();
        slot.prepares.insert(vote);
        slot.proposal = Some(Proposal::new(std::sync::Arc::new(beside)));
        state.slots.insert(Height::new(2), slot);
        state.last_prepare = Some(vote);
    });
}

#[test]
#[should_panic(expected = "invariant 3")]
fn a_forgotten_last_vote_is_noticed() {
    after(|state, _, _| state.last_prepare = None);
}

#[test]
#[should_panic(expected = "invariant 4")]
fn a_commit_vote_for_what_was_not_prepared_here_is_noticed() {
    after(|state, bench, blocks| {
        let height = Height::new(3);
        let statement = Statement { height, ..statement(Phase::Commit, &blocks[1]) };
        state.slot(height).commits.insert(signed(&bench.genesis, 1, statement));
    });
}

#[test]
#[should_panic(expected = "invariant 5")]
fn a_commit_vote_without_certificate_is_noticed() {
    after(|state, _, _| state.prepared = None);
}

#[test]
#[should_panic(expected = "invariant 5")]
fn a_certificate_of_too_few_is_noticed() {
    after(|state, _, _| {
        if let Some(certificate) = &mut state.prepared {
            certificate.signatures.truncate(2);
        }
    });
}

#[test]
#[should_panic(expected = "invariant 6")]
fn a_decided_block_that_is_not_committed_is_noticed() {
    after(|state, bench, blocks| {
        for replica in [0, 2] {
            let vote = signed(&bench.genesis, replica, statement(Phase::Commit, &blocks[0]));
            state.slot(Height::new(1)).commits.insert(vote);
        }
    });
}

#[test]
#[should_panic(expected = "invariant 7")]
fn a_new_vote_above_the_window_is_noticed() {
    with(|bench, blocks| {
        let height = Height::new(9);
        let statement = Statement { height, ..statement(Phase::Prepare, &blocks[1]) };
        let vote = signed(&bench.genesis, 1, statement);
        let record = Record::Vote { vote, block: None };
        Output { records: vec![record], ..Output::default() }
    });
}

#[test]
#[should_panic(expected = "invariant 8")]
fn a_committed_height_that_is_not_the_next_is_noticed() {
    with(|bench, blocks| Output {
        committed: vec![bench.proved(&blocks[1]).into_inner()],
        replies: vec![CommittedStatement { height: Height::new(2), block: blocks[1].id() }],
        ..Output::default()
    });
}

#[test]
#[should_panic(expected = "invariant 9")]
fn a_message_that_was_never_recorded_is_noticed() {
    with(|bench, blocks| {
        let message: Message = commit(&bench.genesis, 1, &blocks[1]);
        let to = Recipients::All;
        Output { messages: vec![Outgoing { to, message }], ..Output::default() }
    });
}

#[test]
#[should_panic(expected = "invariant 9")]
fn a_view_change_that_was_never_recorded_is_noticed() {
    with(|bench, _| sends(Message::ViewChange(asks(&bench.genesis, 1, 5, None))));
}

#[test]
#[should_panic(expected = "invariant 9")]
fn a_new_view_that_was_never_recorded_is_noticed() {
    with(|bench, _| {
        let asked = [0, 1, 2].map(|replica| asks(&bench.genesis, replica, 5, None));
        sends(Message::NewView(new_view(&bench.genesis, 5, asked.to_vec())))
    });
}

fn sends(message: Message) -> Output {
    let to = Recipients::All;
    Output { messages: vec![Outgoing { to, message }], ..Output::default() }
}

/// Backup 1 of 4 in view 2, on its way to a tip of three blocks, of which all are here.
fn on_the_way() -> (Bench, Vec<Block>) {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[2], &[0, 2, 3]);
    bench.enter(2, Some(shown));
    for block in blocks.iter().rev() {
        let from = ReplicaId::new(3);
        let handover = Handover::sign(block.clone(), from, bench.genesis.chain(), &key(3));
        bench.receive(Message::Handover(handover));
    }
    assert_eq!(bench.ahead(), 3);
    (bench, blocks)
}

#[test]
#[should_panic(expected = "invariant 10: height 2")]
fn a_block_of_the_path_that_is_not_kept_is_noticed() {
    let (mut bench, blocks) = on_the_way();
    bench.replica.state_mut().path.take(&blocks[1].id());
    assert_all(bench.replica.peek());
}

#[test]
#[should_panic(expected = "invariant 10: height 2")]
fn a_path_that_is_no_chain_is_noticed() {
    let (mut bench, _) = on_the_way();
    let rival = crate::fixture::block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let path = &mut bench.replica.state_mut().path;
    path.push(Height::new(2), rival.id());
    path.keep(rival.id(), std::sync::Arc::new(rival));
    assert_all(bench.replica.peek());
}

#[test]
#[should_panic(expected = "invariant 10")]
fn a_path_that_reaches_down_to_the_committed_block_is_noticed() {
    let (mut bench, _) = on_the_way();
    bench.replica.state_mut().path.push(Height::GENESIS, BlockId::NONE);
    assert_all(bench.replica.peek());
}

#[test]
#[should_panic(expected = "invariant 11")]
fn a_view_that_was_entered_without_its_new_view_is_noticed() {
    let (mut bench, _) = on_the_way();
    bench.replica.state_mut().view = View::new(3);
    assert_all(bench.replica.peek());
}

#[test]
#[should_panic(expected = "invariant 11")]
fn who_asks_for_a_view_and_stands_on_a_path_is_noticed() {
    let (mut bench, _) = on_the_way();
    let state = bench.replica.state_mut();
    (state.stage, state.new_view) = (Stage::Asked, None);
    assert_all(bench.replica.peek());
}

#[test]
#[should_panic(expected = "invariant 11")]
fn a_new_view_of_a_view_that_was_not_entered_is_noticed() {
    let mut bench = Bench::new(4, 1);
    bench.replica.state_mut().stage = Stage::Moved;
    assert_all(bench.replica.peek());
}

/// What accuses this replica accuses a liar with its key, or a bug.
#[test]
#[should_panic(expected = "invariant 12")]
fn evidence_against_itself_is_noticed() {
    with(|bench, blocks| {
        let rival = crate::fixture::block_on(&bench.genesis, bench.genesis.header(), &[7]);
        let [first, second] = [&blocks[0], &rival]
            .map(|block| signed(&bench.genesis, 1, statement(Phase::Prepare, block)));
        Output { evidence: vec![Evidence::Votes { first, second }], ..Output::default() }
    });
}

#[test]
fn evidence_against_another_is_what_evidence_is_for() {
    with(|bench, blocks| {
        let rival = crate::fixture::block_on(&bench.genesis, bench.genesis.header(), &[7]);
        let [first, second] = [&blocks[0], &rival]
            .map(|block| signed(&bench.genesis, 3, statement(Phase::Prepare, block)));
        Output { evidence: vec![Evidence::Votes { first, second }], ..Output::default() }
    });
}

//! Every reason, provoked once.

use crypto::digest::Digest;
use types::block::{Block, BlockId, Body};
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement};

use super::{Ignored, Refusal};
use crate::fixture::{
    Bench, NOON, asks, block_in, block_on, certificate_by, chain_of, commit, key, pre_prepare,
    prepare, proposal_in, signed, statement, status_of,
};
use crate::message::{Handover, Message, PrePrepare};
use crate::replica::{Input, Protocol};

/// What backup 1 of 4 ignores of this message.
fn ignores(bench: &mut Bench, message: Message) -> Vec<Ignored> {
    let output = bench.receive(message);
    assert!(output.records.is_empty() && output.messages.is_empty());
    output.ignored
}

fn backup() -> (Bench, Vec<Block>) {
    let bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    (bench, blocks)
}

/// The refusal of the first block after a change of it.
fn refusal(change: impl FnOnce(&mut Block)) -> Refusal {
    let (mut bench, mut blocks) = backup();
    change(&mut blocks[0]);
    let message = pre_prepare(&bench.genesis, &blocks[0]);
    match ignores(&mut bench, message)[..] {
        [Ignored::Refused { height, refusal }] => {
            assert_eq!(height, Height::new(1));
            refusal
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_of_another_view_is_ignored() {
    let (mut bench, blocks) = backup();
    for view in [1, u64::MAX].map(View::new) {
        let elsewhere = Statement { view, ..statement(Phase::Prepare, &blocks[0]) };
        let message = Message::Prepare(signed(&bench.genesis, 2, elsewhere));
        let replica = ReplicaId::new(2);
        assert_eq!(ignores(&mut bench, message), [Ignored::OtherView { replica, view }]);
    }
}

#[test]
fn a_message_about_a_committed_height_is_ignored() {
    let (mut bench, blocks) = backup();
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    let (replica, height) = (ReplicaId::new(2), Height::new(1));
    for message in [prepare(&bench.genesis, 2, &blocks[0]), commit(&bench.genesis, 2, &blocks[0])] {
        let reason = Ignored::AlreadyCommitted { replica, height };
        assert_eq!(ignores(&mut bench, message), [reason]);
    }
}

#[test]
fn a_message_far_above_the_window_is_ignored_and_leaves_nothing_behind() {
    let (mut bench, blocks) = backup();
    let replica = ReplicaId::new(2);
    for height in [17, 1 << 40, u64::MAX].map(Height::new) {
        let far = Statement { height, ..statement(Phase::Commit, &blocks[0]) };
        let message = Message::Commit(signed(&bench.genesis, 2, far));
        let reason = Ignored::AboveWindow { replica, height };
        assert_eq!(ignores(&mut bench, message), [reason]);
    }
    assert!(bench.replica.peek().slots.is_empty());
    let highest = Statement { height: Height::new(16), ..statement(Phase::Commit, &blocks[0]) };
    let message = Message::Commit(signed(&bench.genesis, 2, highest));
    assert_eq!(ignores(&mut bench, message), []);
}

#[test]
fn a_pre_prepare_of_a_backup_is_ignored() {
    let (mut bench, blocks) = backup();
    let vote = signed(&bench.genesis, 2, statement(Phase::Prepare, &blocks[0]));
    let block = blocks[0].clone();
    let message = Message::PrePrepare(PrePrepare { block, vote });
    let replica = ReplicaId::new(2);
    assert_eq!(ignores(&mut bench, message), [Ignored::NotPrimary { replica }]);
}

#[test]
fn a_repeated_proposal_is_ignored() {
    let (mut bench, blocks) = backup();
    let message = pre_prepare(&bench.genesis, &blocks[0]);
    bench.receive(message.clone());
    let height = Height::new(1);
    assert_eq!(ignores(&mut bench, message), [Ignored::RepeatedProposal { height }]);
}

#[test]
fn a_second_proposal_never_replaces_the_first() {
    let (mut bench, blocks) = backup();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let height = Height::new(1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let message = pre_prepare(&bench.genesis, &rival);
    assert_eq!(ignores(&mut bench, message), [Ignored::RivalProposal { height }]);
}

#[test]
fn a_proposal_other_than_the_primary_has_voted_for_is_ignored() {
    let (mut bench, blocks) = backup();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let height = Height::new(1);
    bench.receive(prepare(&bench.genesis, 0, &rival));
    let message = pre_prepare(&bench.genesis, &blocks[0]);
    assert_eq!(ignores(&mut bench, message), [Ignored::RivalProposal { height }]);
}

#[test]
fn a_repeated_vote_is_ignored() {
    let (mut bench, blocks) = backup();
    let (replica, height) = (ReplicaId::new(2), Height::new(1));
    for message in [prepare(&bench.genesis, 2, &blocks[0]), commit(&bench.genesis, 2, &blocks[0])] {
        bench.receive(message.clone());
        let reason = Ignored::RepeatedVote { replica, height };
        assert_eq!(ignores(&mut bench, message), [reason]);
    }
}

#[test]
fn a_second_vote_for_another_block_is_ignored() {
    let (mut bench, blocks) = backup();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let (replica, height) = (ReplicaId::new(2), Height::new(1));
    let pairs = [
        (prepare(&bench.genesis, 2, &blocks[0]), prepare(&bench.genesis, 2, &rival)),
        (commit(&bench.genesis, 2, &blocks[0]), commit(&bench.genesis, 2, &rival)),
    ];
    for (first, second) in pairs {
        bench.receive(first);
        let reason = Ignored::RivalVote { replica, height };
        assert_eq!(ignores(&mut bench, second), [reason]);
    }
}

#[test]
fn a_repeated_view_change_is_ignored() {
    let (mut bench, _) = backup();
    let asked = Message::ViewChange(asks(&bench.genesis, 3, 5, None));
    assert_eq!(ignores(&mut bench, asked.clone()), []);
    let (replica, view) = (ReplicaId::new(3), View::new(5));
    let reason = Ignored::RepeatedViewChange { replica, view };
    assert_eq!(ignores(&mut bench, asked), [reason]);
}

#[test]
fn a_view_change_below_the_last_one_of_its_sender_is_ignored() {
    let (mut bench, _) = backup();
    bench.receive(Message::ViewChange(asks(&bench.genesis, 3, 5, None)));
    let (replica, view) = (ReplicaId::new(3), View::new(4));
    let asked = Message::ViewChange(asks(&bench.genesis, 3, 4, None));
    assert_eq!(ignores(&mut bench, asked), [Ignored::OtherView { replica, view }]);
}

#[test]
fn a_repeated_new_view_is_ignored() {
    let (mut bench, _) = backup();
    bench.enter(2, None);
    let new_view = Message::NewView(bench.new_view(2, None));
    let view = View::new(2);
    assert_eq!(ignores(&mut bench, new_view), [Ignored::RepeatedNewView { view }]);
}

#[test]
fn a_status_of_a_peer_that_was_answered_a_moment_ago_is_ignored() {
    let (mut bench, _) = backup();
    bench.enter(2, None);
    let status = status_of(&bench.genesis, 3, |_| {});
    assert_eq!(bench.receive(status.clone()).messages.len(), 1);
    let replica = ReplicaId::new(3);
    assert_eq!(ignores(&mut bench, status), [Ignored::AnsweredAlready { replica }]);
}

#[test]
fn a_block_that_was_not_asked_for_is_ignored() {
    let (mut bench, blocks) = backup();
    let replica = ReplicaId::new(3);
    let handover = Handover::sign(blocks[0].clone(), replica, bench.genesis.chain(), &key(3));
    let handover = Message::Handover(handover);
    assert_eq!(ignores(&mut bench, handover), [Ignored::NotMissing { replica }]);
}

#[test]
fn an_own_message_that_comes_back_is_ignored() {
    let (mut bench, blocks) = backup();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let own = prepare(&bench.genesis, 1, &blocks[0]);
    let replica = ReplicaId::new(1);
    assert_eq!(ignores(&mut bench, own), [Ignored::OwnMessage { replica }]);
}

#[test]
fn another_block_in_the_place_of_the_tip_is_refused() {
    let (mut bench, blocks) = backup();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[0], &[0, 1, 3]);
    bench.enter(2, Some(shown));
    let rival = block_in(&bench.genesis, 2, bench.genesis.header(), &[7]);
    let message = proposal_in(&bench.genesis, 2, &rival);
    let (height, refusal) = (Height::new(1), Refusal::NotTheTip);
    assert_eq!(ignores(&mut bench, message), [Ignored::Refused { height, refusal }]);
}

#[test]
fn an_unknown_vote_of_the_own_key_is_noticed() {
    let (mut bench, blocks) = backup();
    let output = bench.receive(prepare(&bench.genesis, 1, &blocks[0]));
    assert_eq!(output.ignored, [Ignored::UnknownOwnMessage { replica: ReplicaId::new(1) }]);
}

#[test]
fn a_proposal_with_a_false_header_is_refused() {
    let foreign = crypto::signed::ChainId::new(Digest::ZERO);
    let two = ReplicaId::new(2);
    assert_eq!(refusal(|b| b.header.chain = foreign), Refusal::ForeignChain);
    assert_eq!(refusal(|b| b.header.view = View::new(1)), Refusal::HeaderView);
    assert_eq!(refusal(|b| b.header.proposer = two), Refusal::HeaderProposer);
    assert_eq!(refusal(|b| b.header.parent = BlockId::NONE), Refusal::WrongParent);
    assert_eq!(refusal(|b| b.header.timestamp_ms = 0), Refusal::TimestampNotLater);
}

#[test]
fn an_empty_block_is_refused() {
    assert_eq!(refusal(|block| block.body = Body::default()), Refusal::EmptyBody);
}

#[test]
fn a_block_that_the_application_refuses_is_refused() {
    let refusal = refusal(|block| block.header.state_root = Digest::ZERO);
    assert!(matches!(refusal, Refusal::Execution(_)), "{refusal:?}");
}

#[test]
fn a_proved_block_with_a_gap_below_is_ignored() {
    let (mut bench, blocks) = backup();
    let output = bench.step(Input::Blocks(vec![bench.proved(&blocks[1])]));
    assert_eq!(output.ignored, [Ignored::NotNext { height: Height::new(2) }]);
    assert_eq!(bench.replica.status().committed, Height::GENESIS);
}

#[test]
fn a_proved_block_beside_the_committed_one_is_a_fork() {
    let (mut bench, blocks) = backup();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let child = block_on(&bench.genesis, &rival.header, &[8]);
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    let forked = vec![bench.proved(&rival), bench.proved(&child)];
    let output = bench.step(Input::Blocks(forked));
    let forks = [1, 2].map(|height| Ignored::Fork { height: Height::new(height) });
    assert_eq!(output.ignored, forks);
    let told: Vec<_> = output.forks.iter().map(|proved| proved.block.id()).collect();
    assert_eq!(told, [rival.id(), child.id()]);
    assert_eq!(bench.replica.status().committed, Height::new(1));
}

#[test]
fn a_committed_block_that_does_not_execute_here_ends_the_voting() {
    let (mut bench, mut blocks) = backup();
    blocks[0].header.state_root = Digest::ZERO;
    let output = bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    assert!(matches!(output.ignored[..], [Ignored::Diverged { .. }]));
    assert!(!bench.replica.status().voting);
    assert!(output.committed.is_empty());
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let (replica, height) = (ReplicaId::new(1), Height::new(NOON));
    let execution = types::application::BlockRefusal::Empty;
    let refusals = [
        Refusal::ForeignChain,
        Refusal::HeaderView,
        Refusal::HeaderProposer,
        Refusal::NotTheTip,
        Refusal::EmptyBody,
        Refusal::WrongParent,
        Refusal::TimestampNotLater,
        Refusal::Execution(execution),
    ];
    let mut reasons = refusals.map(|refusal| Ignored::Refused { height, refusal }).to_vec();
    reasons.extend([
        Ignored::OtherView { replica, view: View::FIRST },
        Ignored::AlreadyCommitted { replica, height },
        Ignored::AboveWindow { replica, height },
        Ignored::NotPrimary { replica },
        Ignored::RepeatedProposal { height },
        Ignored::RivalProposal { height },
        Ignored::RepeatedVote { replica, height },
        Ignored::RivalVote { replica, height },
        Ignored::RepeatedViewChange { replica, view: View::FIRST },
        Ignored::RepeatedNewView { view: View::FIRST },
        Ignored::AnsweredAlready { replica },
        Ignored::NotMissing { replica },
        Ignored::RepeatedEvidence { replica },
        Ignored::OwnMessage { replica },
        Ignored::UnknownOwnMessage { replica },
        Ignored::NotNext { height },
        Ignored::Fork { height },
        Ignored::Diverged { height, refusal: execution },
    ]);
    assert!(reasons.iter().all(is_listed));
    let count = reasons.len();
    let names: std::collections::BTreeSet<_> = reasons.iter().map(Ignored::name).collect();
    assert_eq!(names.len(), count);
}

/// Whether a reason stands in the list above and has a test of its own here; a new one keeps this
/// from compiling until it has both.
fn is_listed(reason: &Ignored) -> bool {
    match reason {
        Ignored::Refused { refusal, .. } => match refusal {
            Refusal::ForeignChain
            | Refusal::HeaderView
            | Refusal::HeaderProposer
            | Refusal::NotTheTip
            | Refusal::EmptyBody
            | Refusal::WrongParent
            | Refusal::TimestampNotLater
            | Refusal::Execution(_) => true,
        },
        Ignored::OtherView { .. }
        | Ignored::AlreadyCommitted { .. }
        | Ignored::AboveWindow { .. }
        | Ignored::NotPrimary { .. }
        | Ignored::RepeatedProposal { .. }
        | Ignored::RivalProposal { .. }
        | Ignored::RepeatedVote { .. }
        | Ignored::RivalVote { .. }
        | Ignored::RepeatedViewChange { .. }
        | Ignored::RepeatedNewView { .. }
        | Ignored::AnsweredAlready { .. }
        | Ignored::NotMissing { .. }
        | Ignored::RepeatedEvidence { .. }
        | Ignored::OwnMessage { .. }
        | Ignored::UnknownOwnMessage { .. }
        | Ignored::NotNext { .. }
        | Ignored::Fork { .. }
        | Ignored::Diverged { .. } => true,
    }
}

//! Which view changes are kept, and which of them prove a lie.

use types::certificate::Certificate;
use types::evidence::Evidence;
use types::replica::ReplicaId;
use types::view_change::ViewChange;
use types::vote::Phase;

use crate::fixture::{Bench, asks, certificate_by, chain_of, vote_in, vote_message};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::Output;

fn certificate(bench: &Bench, phase: Phase, height: u64) -> Certificate {
    let block = chain_of(&bench.genesis, height).pop().unwrap();
    certificate_by(&bench.genesis, 0, phase, &block, &[0, 2, 3])
}

/// Backup 1 of 4 hears that replica 3 asks.
fn hear(bench: &mut Bench, asked: &ViewChange) -> Output {
    bench.receive(Message::ViewChange(asked.clone()))
}

fn kept(bench: &Bench) -> Vec<(u16, u64)> {
    let kept = bench.replica.peek().view_changes.values();
    kept.map(|asked| (asked.replica.get(), asked.view.get())).collect()
}

#[test]
fn the_latest_view_change_of_each_replica_is_kept() {
    let mut bench = Bench::new(7, 1);
    for (replica, view) in [(3, 7), (4, 2), (3, 9), (4, 1)] {
        let asked = asks(&bench.genesis, replica, view, None);
        hear(&mut bench, &asked);
    }
    assert_eq!(kept(&bench), [(3, 9), (4, 2)]);
}

#[test]
fn a_view_change_for_a_view_that_was_entered_or_left_is_not_kept() {
    let mut bench = Bench::new(4, 2);
    bench.enter(5, None);
    for view in [1, 4, 5] {
        let asked = asks(&bench.genesis, 2 + u16::from(view > 4), view, None);
        let asked = ViewChange { replica: ReplicaId::new(3), ..asked };
        hear(&mut bench, &asked);
    }
    assert_eq!(kept(&bench), []);
}

#[test]
fn two_view_changes_for_one_view_with_different_certificates_are_evidence() {
    let mut bench = Bench::new(4, 1);
    let first = asks(&bench.genesis, 3, 5, Some(certificate(&bench, Phase::Prepare, 2)));
    for lower in [None, Some(certificate(&bench, Phase::Prepare, 1))] {
        let mut bench = Bench::new(4, 1);
        let second = asks(&bench.genesis, 3, 5, lower);
        hear(&mut bench, &first);
        let output = hear(&mut bench, &second);
        let evidence = Evidence::ViewChanges { first: (&first).into(), second: (&second).into() };
        assert_eq!(output.evidence, [evidence]);
        assert_eq!(kept(&bench), [(3, 5)], "the first stands");
        assert_eq!(hear(&mut bench, &second).evidence, [], "it is said once");
    }
    assert_eq!(hear(&mut bench, &first).evidence, []);
}

#[test]
fn certificates_of_one_block_mean_the_same_whatever_their_phase_and_signers() {
    let mut bench = Bench::new(4, 1);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let shown = [
        certificate_by(&bench.genesis, 0, Phase::Prepare, &block, &[0, 2, 3]),
        certificate_by(&bench.genesis, 0, Phase::Commit, &block, &[0, 2, 3]),
    ];
    for certificate in shown {
        let asked = asks(&bench.genesis, 3, 5, Some(certificate));
        assert_eq!(hear(&mut bench, &asked).evidence, []);
    }
}

/// The one is in the new view that was accepted, the other comes behind it.
#[test]
fn a_view_change_other_than_the_one_in_the_new_view_is_evidence() {
    let mut bench = Bench::new(4, 2);
    bench.enter(1, None);
    let second = asks(&bench.genesis, 3, 1, Some(certificate(&bench, Phase::Prepare, 1)));
    let output = hear(&mut bench, &second);
    let first = asks(&bench.genesis, 3, 1, None);
    assert_eq!(
        output.evidence,
        [Evidence::ViewChanges { first: (&first).into(), second: (&second).into() }]
    );
    let (replica, view) = (ReplicaId::new(3), types::number::View::new(1));
    assert_eq!(output.ignored, [Ignored::RepeatedViewChange { replica, view }]);
}

/// In whichever order the two come, and whether or not the view was entered in between.
#[test]
fn a_view_change_below_the_own_commit_vote_is_evidence() {
    let bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let commit = vote_message(&bench.genesis, 0, Phase::Commit, 3, &block);
    let view_change = asks(&bench.genesis, 3, 1, None);
    let evidence = Evidence::Forgotten {
        commit: vote_in(&bench.genesis, 0, Phase::Commit, 3, &block),
        view_change: (&view_change).into(),
    };
    let asked = Message::ViewChange(view_change);
    for messages in [[commit.clone(), asked.clone()], [asked, commit.clone()]] {
        let mut bench = Bench::new(4, 2);
        let [first, second] = messages;
        assert_eq!(bench.receive(first).evidence, []);
        assert_eq!(bench.receive(second).evidence, std::slice::from_ref(&evidence));
    }
    let mut bench = Bench::new(4, 2);
    bench.enter(1, None);
    assert_eq!(bench.receive(commit).evidence, [evidence]);
}

#[test]
fn a_commit_vote_is_remembered_when_its_height_is_committed_and_its_view_is_left() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(vote_message(&bench.genesis, 0, Phase::Commit, 3, &blocks[0]));
    bench.step(crate::Input::Blocks(vec![bench.proved(&blocks[0])]));
    bench.enter(1, None);
    let asked = asks(&bench.genesis, 3, 9, None);
    assert_eq!(hear(&mut bench, &asked).evidence.len(), 1);
}

#[test]
fn a_view_change_as_high_as_the_commit_vote_is_no_evidence() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(vote_message(&bench.genesis, 0, Phase::Commit, 3, &block));
    let asked = asks(&bench.genesis, 3, 1, Some(certificate(&bench, Phase::Prepare, 1)));
    assert_eq!(hear(&mut bench, &asked).evidence, []);
}

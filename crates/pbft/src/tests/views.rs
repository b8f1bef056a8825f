//! Changes of view in a cluster where every loss is chosen.

use ledger::Ledger;
use types::number::View;
use types::parameters::Parameters;

use crate::fixture::application::FakeApplication;
use crate::fixture::cluster::Cluster;
use crate::message::Message;

type Fake = Cluster<FakeApplication>;

/// The view in whose header each block of the first chain was proposed.
fn first_views<A>(cluster: &Cluster<A>) -> Vec<u64> {
    cluster.members[1].store.iter().map(|proved| proved.block.header.view.get()).collect()
}

#[test]
fn a_silent_primary_is_replaced_and_the_request_is_committed() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.silence(&[0]);
    cluster.submit(1..4, 0);
    cluster.pass(1_999);
    assert_eq!(cluster.views(), [0, 0, 0, 0]);
    cluster.pass(1);
    assert_eq!((cluster.views(), cluster.heights()), (vec![0, 1, 1, 1], vec![0, 1, 1, 1]));

    cluster.heal();
    cluster.pass(2_000);
    assert_eq!((cluster.views(), cluster.heights()), (vec![1; 4], vec![1; 4]));
    assert!(cluster.overview(0).voting, "it is shown the new view");
    assert_eq!(cluster.evidence, []);
}

/// L2: within (faulty primaries in a row + 1) timeouts, each twice the one before, and statuses in
/// between.
#[test]
fn several_silent_primaries_in_a_row_are_replaced_one_after_another() {
    let mut cluster = Fake::new(7);
    cluster.pass(500);
    cluster.silence(&[0, 1]);
    cluster.submit(2..7, 0);
    cluster.pass(2_000 + 4_000);
    assert_eq!(cluster.heights()[2..], [1; 5]);
    assert_eq!(cluster.views()[2..], [2; 5]);
    assert_eq!(cluster.overview(3).timeout_ms, 2_000, "L4: back at base after one commit");
}

/// T23, T37: prepared everywhere and committed nowhere, through ten views.
#[test]
fn a_prepared_block_is_taken_over_from_view_to_view_until_it_is_committed() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.lose(|_, _, message| matches!(message, Message::Commit(_)));
    cluster.submit(0..4, 0);
    let mut passed_ms = 0;
    while cluster.views()[0] < 10 {
        cluster.pass(1_000);
        passed_ms += 1_000;
        assert!(passed_ms < 500_000, "T40: {:?}", cluster.views());
    }
    assert_eq!(cluster.heights(), [0; 4]);
    cluster.heal();
    cluster.pass(64_000);
    assert_eq!(cluster.heights(), [1; 4]);
    assert_eq!(first_views(&cluster), [0], "unchanged, with the header of its first view");
    assert_eq!(cluster.evidence, []);
    cluster.submit(0..4, 1);
    assert_eq!(cluster.heights(), [2; 4], "work goes on");
}

/// T40: nobody reaches a quorum, so nobody gives up its view; afterwards nothing has to be undone.
#[test]
fn an_outage_of_an_hour_changes_no_view_and_costs_no_timeout() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.lose(|_, _, _| true);
    cluster.submit(0..4, 0);
    cluster.pass(3_600_000);
    assert!(cluster.views().iter().all(|view| *view <= 1), "{:?}", cluster.views());
    cluster.heal();
    cluster.pass(3_000);
    assert_eq!(cluster.heights(), [1; 4]);
    assert_eq!(cluster.overview(0).timeout_ms, 2_000);
}

/// T36 with the real pool: the request of the abandoned branch is not lost, and not committed
/// twice.
#[test]
fn a_request_of_an_abandoned_branch_is_committed_in_the_next_view() {
    let mut cluster = Cluster::<Ledger>::new(4);
    cluster.pass(500);
    cluster.lose(|from, to, _| (from == 0 && to != 1) || to == 0);
    cluster.submit(0..4, 0);
    assert_eq!(cluster.overview(1).in_flight, 1, "one backup was shown the block");
    cluster.lose(|from, to, message| {
        // Nor is it handed on, until its view is left.
        let old = message.vote().is_some_and(|vote| vote.statement.view == View::FIRST);
        from == 0 || to == 0 || old
    });
    cluster.pass(3_000);
    assert_eq!(cluster.heights(), [0, 1, 1, 1]);
    assert_eq!(first_views(&cluster), [1]);

    cluster.heal();
    cluster.pass(3_000);
    cluster.submit(0..4, 1);
    cluster.pass(1_000);
    assert_eq!(cluster.heights(), [2; 4]);
    for member in &cluster.members {
        let bodies = member.store.iter().map(|proved| proved.block.body.len());
        assert_eq!(bodies.collect::<Vec<_>>(), [1, 1]);
    }
    assert_eq!(cluster.evidence, []);
}

/// T36: the old primary, which still holds its unfinished proposal, is primary again.
#[test]
fn a_primary_that_loses_and_regains_its_role_leaves_its_old_proposal_behind() {
    let parameters = Parameters { window_heights: 2, ..Parameters::default() };
    let mut cluster = Cluster::<Ledger>::with(4, parameters);
    cluster.pass(500);
    cluster.silence(&[0]);
    cluster.submit(0..4, 0);
    cluster.pass(3_000);
    assert_eq!(cluster.heights(), [0, 1, 1, 1]);
    cluster.heal();
    for (nonce, view) in [(1, 2), (2, 3), (3, 4)] {
        cluster.pass(2_000);
        // The primary of the view is silent, so the next one has its turn.
        let primary = u16::try_from((view - 1) % 4).unwrap();
        cluster.lose(move |from, to, _| from == primary || to == primary);
        cluster.submit(0..4, nonce);
        cluster.pass(2_500);
        cluster.heal();
    }
    cluster.pass(2_000);
    assert_eq!(cluster.overview(0).view, View::new(4));
    assert_eq!(cluster.heights(), [4; 4]);
    assert_eq!(cluster.evidence, []);
}

/// T61: everybody dies with its view change written and no new view anywhere.
#[test]
fn a_cluster_killed_in_the_middle_of_a_view_change_finishes_it_after_the_restart() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.lose(|from, to, message| {
        from == 0 || to == 0 || matches!(message, Message::NewView(_) | Message::ViewChange(_))
    });
    cluster.submit(1..4, 0);
    cluster.pass(2_100);
    assert_eq!(cluster.views(), [0, 1, 1, 1]);
    for replica in 1..4 {
        assert!(!cluster.overview(replica).entered);
        cluster.kill(replica);
    }
    cluster.silence(&[0]);
    for replica in 1..4 {
        cluster.start(replica);
    }
    cluster.deliver();
    for replica in 1..4 {
        assert!(cluster.overview(replica).entered);
    }
    cluster.submit(1..4, 0);
    cluster.pass(500);
    assert_eq!((cluster.views(), cluster.heights()), (vec![0, 1, 1, 1], vec![0, 1, 1, 1]));
}

/// The new view is in the journal and reached nobody.
#[test]
fn a_primary_that_died_before_its_new_view_was_sent_sends_it_after_the_restart() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.lose(|from, to, message| {
        from == 0 || to == 0 || (from == 1 && !matches!(message, Message::Status(_)))
    });
    cluster.submit(1..4, 0);
    cluster.pass(2_000);
    assert!(cluster.overview(1).entered && !cluster.overview(2).entered);
    cluster.kill(1);
    cluster.silence(&[0]);
    cluster.start(1);
    cluster.submit(1..4, 0);
    cluster.pass(1_000);
    assert_eq!((cluster.views(), cluster.heights()), (vec![0, 1, 1, 1], vec![0, 1, 1, 1]));
    let made = cluster.sent.iter().filter_map(|(_, message)| match message {
        Message::NewView(made) => Some(made.clone()),
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::ViewChange(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    });
    let made: Vec<_> = made.collect();
    assert!(made.len() > 1 && made.iter().all(|one| *one == made[0]));
}

/// The one who had committed dies; the others have the block and prove it without him.
#[test]
fn what_one_replica_alone_has_committed_is_what_the_others_commit() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.lose(|_, to, message| to != 3 && matches!(message, Message::Commit(_)));
    cluster.submit(0..4, 0);
    assert_eq!(cluster.heights(), [0, 0, 0, 1]);
    let committed = cluster.members[3].store[0].block.id();
    cluster.kill(3);
    cluster.heal();
    cluster.lose(|from, to, _| from == 3 || to == 3);
    cluster.pass(3_000);
    for replica in 0..3 {
        let store = &cluster.member(replica).store;
        assert_eq!(store[0].block.id(), committed);
    }
}

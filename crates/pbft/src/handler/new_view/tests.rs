//! Which new view is accepted, and what two of them prove.

use types::evidence::Evidence;
use types::number::View;
use types::replica::ReplicaId;
use types::view_change::NewView;
use types::vote::Phase;

use crate::fixture::{Bench, asks, certificate_by, chain_of, new_view, proposal_in};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::record::Record;
use crate::replica::Protocol;

/// A new view that these ask for, with nothing to show.
fn asked_by(bench: &Bench, view: u64, replicas: &[u16]) -> NewView {
    let asked = replicas.iter().map(|replica| asks(&bench.genesis, *replica, view, None));
    new_view(&bench.genesis, view, asked.collect())
}

/// The rule of section 4 that a new view is in the journal, whole, before anything is said in its
/// view.
#[test]
fn a_new_view_is_recorded_whole_before_the_first_vote_of_its_view() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(crate::fixture::pre_prepare(&bench.genesis, &block));
    bench.records.clear();
    let certificate = certificate_by(&bench.genesis, 0, Phase::Prepare, &block, &[0, 1, 3]);
    let new_view = bench.new_view(1, Some(certificate));
    let output = bench.receive(Message::NewView(new_view.clone()));
    assert_eq!(output.records, [Record::NewView { new_view }]);
    bench.receive(proposal_in(&bench.genesis, 1, &block));
    let kinds: Vec<bool> = bench.records.iter().map(|record| record.vote().is_some()).collect();
    assert_eq!(kinds, [false, true]);
}

#[test]
fn a_second_new_view_for_a_view_is_never_accepted_and_proves_the_lie() {
    let mut bench = Bench::new(4, 2);
    let (first, second) = (asked_by(&bench, 1, &[0, 1, 3]), asked_by(&bench, 1, &[0, 1, 2, 3]));
    bench.receive(Message::NewView(first.clone()));

    let output = bench.receive(Message::NewView(second.clone()));

    let view = View::new(1);
    assert_eq!(output.ignored, [Ignored::RepeatedNewView { view }]);
    assert_eq!(
        output.evidence,
        [Evidence::NewViews { first: (&first).into(), second: (&second).into() }]
    );
    assert_eq!(output.records, []);
    assert_eq!(bench.replica.peek().new_view.as_ref(), Some(&first));
}

#[test]
fn the_same_new_view_again_proves_nothing() {
    let mut bench = Bench::new(4, 2);
    let first = asked_by(&bench, 1, &[0, 1, 3]);
    bench.receive(Message::NewView(first.clone()));
    let output = bench.receive(Message::NewView(first));
    assert_eq!((output.evidence, output.records), (vec![], vec![]));
}

/// A lying primary and a restart in between: the first is in the journal.
#[test]
fn after_a_restart_too_a_second_new_view_is_not_accepted() {
    let mut bench = Bench::new(4, 2);
    let (first, second) = (asked_by(&bench, 1, &[0, 1, 3]), asked_by(&bench, 1, &[0, 1, 2, 3]));
    bench.receive(Message::NewView(first.clone()));
    bench.restart();
    let output = bench.receive(Message::NewView(second));
    assert_eq!((output.records, output.evidence.len()), (vec![], 1));
    assert_eq!(bench.replica.peek().new_view.as_ref(), Some(&first));
}

/// T28: it was left, or another one has been asked for since.
#[test]
fn a_new_view_of_a_view_that_was_left_is_not_accepted() {
    let mut bench = Bench::new(4, 2);
    bench.enter(5, None);
    for view in [1, 3, 4] {
        let output = bench.receive(Message::NewView(asked_by(&bench, view, &[0, 1, 3])));
        let replica = ReplicaId::new(u16::try_from(view % 4).unwrap());
        let view = View::new(view);
        assert_eq!(output.ignored, [Ignored::OtherView { replica, view }]);
        assert_eq!(output.records, []);
    }
    assert_eq!(bench.replica.status().view, View::new(5));
}

#[test]
fn a_new_view_of_a_much_later_view_is_accepted_without_having_asked_for_it() {
    let mut bench = Bench::new(4, 2);
    bench.enter(4_000_000_001, None);
    let status = bench.replica.status();
    assert_eq!((status.view.get(), status.entered, status.voting), (4_000_000_001, true, true));
}

/// T22: the greatest counts, wherever it stands.
#[test]
fn the_tip_is_computed_from_what_is_shown() {
    let bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    let certificate = |view, height: usize| {
        let block = &blocks[height - 1];
        Some(certificate_by(&bench.genesis, view, Phase::Prepare, block, &[0, 1, 3]))
    };
    let shown = [certificate(0, 2), certificate(3, 1), None];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [2, 0, 1], [0, 2, 1], [1, 2, 0]] {
        let mut bench = Bench::new(4, 2);
        let asked = order.into_iter().zip([0, 1, 3]);
        let asked =
            asked.map(|(at, by): (usize, _)| asks(&bench.genesis, by, 5, shown[at].clone()));
        let made = new_view(&bench.genesis, 5, asked.collect());
        bench.receive(Message::NewView(made));
        let state = bench.replica.peek();
        assert_eq!(state.tip.map(|tip| (tip.view.get(), tip.height.get())), Some((3, 1)));
        assert_eq!(state.certificate.as_ref().map(|c| c.statement), state.tip);
    }
}

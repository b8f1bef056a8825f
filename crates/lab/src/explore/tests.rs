use super::judge::differ;
use super::local::Local;
use super::search::{Explorer, Order};
use super::*;

mod doctored;
mod plain;
mod walks;

/// One height in two views.
fn scope(faulty: &[u16], last_view: u64) -> Scope {
    Scope { faulty: faulty.to_vec(), last_view, ..Scope::default() }
}

fn look(scope: &Scope) -> Search {
    let search = explore(scope, &mut |_| {});
    eprintln!("{search:?}");
    search
}

/// Nothing is broken, nothing is left, and there was something to break: commits by votes of these views.
fn holds(scope: &Scope, views: &[u64]) -> u64 {
    let search = look(scope);
    assert!(search.broken.is_none(), "{scope:?}: {:?}", search.broken);
    assert!(search.exhaustive, "{scope:?} was not searched to its end");
    let committed: Vec<u64> = search.committing.keys().copied().collect();
    assert_eq!(committed, views, "views in which somebody commits");
    search.states
}

#[test]
fn a_lying_primary_of_view_0_breaks_nothing_in_two_views_whatever_the_order_of_delivery() {
    let states = holds(&scope(&[0], 1), &[0, 1]);

    assert!(states >= 1_000_000, "{states} states");
}

#[test]
fn a_lying_primary_of_view_1_breaks_nothing_in_two_views_whatever_the_order_of_delivery() {
    holds(&scope(&[1], 1), &[0, 1]);
}

#[test]
fn a_lying_backup_breaks_nothing_in_two_views_whatever_the_order_of_delivery() {
    holds(&scope(&[3], 1), &[0, 1]);
}

#[test]
fn two_liars_of_four_make_a_fork_and_replicas_that_are_told_the_same_make_it_again() {
    let mut explorer = Explorer::new(scope(&[0, 3], 0));
    let end = explorer.run(Order::DepthFirst, &mut |_| {}).err();
    let broken = explorer.counterexample(end).unwrap();

    let started = explorer.started.iter().map(|local| explorer.sets.locals.state(*local).unwrap());
    let mut replicas: Vec<Local> = started.cloned().collect();
    let mut outcome = Ok(());
    for delivery in &broken.schedule {
        let replica = replicas.iter_mut().find(|it| it.replica() == delivery.replica).unwrap();
        match explorer.sets.locals.take(&explorer.sets.words, replica, delivery.number) {
            Ok(next) => *replica = next.unwrap().0,
            Err(sentence) => outcome = Err(sentence),
        }
    }

    // Either two replicas have committed different blocks, or one is shown the proof of the other block.
    let forked = differ(replicas[0].chain(), replicas[1].chain());
    let shown = outcome == Err(broken.sentence.clone());
    assert!(broken.sentence.contains("S1: "), "{}", broken.sentence);
    assert!(forked || shown, "the schedule leads elsewhere: {outcome:?}");
}

#[test]
fn a_fork_is_told_in_words() {
    let broken = look(&scope(&[0, 3], 0)).broken.unwrap();

    let told: Vec<&str> = broken.schedule.iter().map(|it| it.takes.as_str()).collect();
    let proposals = told.iter().filter(|told| told.starts_with("pre-prepare of"));
    assert!(broken.sentence.contains("S1: "), "{}", broken.sentence);
    assert_eq!(proposals.count(), 2, "{told:?}");
    assert!(broken.schedule.iter().any(|it| it.lie), "somebody must have lied: {told:?}");
    assert!(told.len() <= 10, "there is a shorter way: {told:?}");
}

#[test]
fn a_search_that_is_given_up_holds_nothing() {
    let search = look(&Scope { states_max: 1_000, ..Scope::default() });

    assert!(!search.exhaustive && search.broken.is_none());
}

//! Each way to break a word about views is found.

use crypto::digest::Digest;
use crypto::keys::Signature;
use types::certificate::Certificate;
use types::replica::ReplicaId;
use types::vote::Statement;

use super::*;

fn signature() -> Signature {
    Signature::from_bytes([0; 64])
}

fn statement(phase: Phase, view: u64, height: u64, block: u8) -> Statement {
    let block = BlockId::new(Digest::from_bytes([block; 32]));
    Statement { phase, view: View::new(view), height: Height::new(height), block }
}

fn vote(phase: Phase, view: u64, height: u64) -> Record {
    let (statement, replica) = (statement(phase, view, height, 1), ReplicaId::new(1));
    Record::Vote { vote: Vote { statement, replica, signature: signature() }, block: None }
}

/// Replica 1 asks for a view with a certificate of this view and height.
fn asks(view: u64, certified: Option<(u64, u64)>, block: u8) -> ViewChange {
    let certificate = certified.map(|(view, height)| Certificate {
        statement: statement(Phase::Prepare, view, height, block),
        signatures: Vec::new(),
    });
    let (view, replica) = (View::new(view), ReplicaId::new(1));
    ViewChange { view, certificate, replica, signature: signature() }
}

fn asked(view: u64, certified: Option<(u64, u64)>) -> Record {
    Record::ViewChange { view_change: asks(view, certified, 1) }
}

fn new_view(view: u64, asked: Vec<ViewChange>) -> NewView {
    NewView { view: View::new(view), view_changes: asked, signature: signature() }
}

fn entered(view: u64, asked: Vec<ViewChange>) -> Record {
    Record::NewView { new_view: new_view(view, asked) }
}

/// What replica 1 of 4 breaks with these records.
fn breaks(records: &[Record]) -> Option<Property> {
    Views::new(4).recorded(1, records).map(|broken| broken.property)
}

#[test]
fn one_who_asks_enters_and_votes_upwards_breaks_nothing() {
    let records = [
        vote(Phase::Prepare, 0, 1),
        vote(Phase::Commit, 0, 1),
        asked(1, Some((0, 1))),
        entered(1, vec![asks(1, Some((0, 1)), 1)]),
        vote(Phase::Prepare, 1, 1),
        asked(3, Some((0, 1))),
    ];
    assert_eq!(breaks(&records), None);
}

#[test]
fn a_view_is_asked_for_and_entered_once() {
    assert_eq!(breaks(&[asked(1, None), asked(1, Some((0, 1)))]), Some(Property::S5));
    let other = entered(1, vec![asks(1, None, 1)]);
    assert_eq!(breaks(&[entered(1, Vec::new()), other]), Some(Property::S5));
}

#[test]
fn a_commit_vote_is_not_forgotten_when_a_view_is_asked_for() {
    let voted = vote(Phase::Commit, 0, 2);
    assert_eq!(breaks(&[voted.clone(), asked(1, Some((0, 1)))]), Some(Property::S5));
    assert_eq!(breaks(&[voted.clone(), asked(1, None)]), Some(Property::S5));
    assert_eq!(breaks(&[voted, asked(1, Some((0, 2)))]), None);
}

#[test]
fn nobody_votes_in_a_view_that_was_left_or_not_entered() {
    assert_eq!(breaks(&[asked(1, None), vote(Phase::Prepare, 0, 1)]), Some(Property::S5));
    assert_eq!(breaks(&[asked(1, None), vote(Phase::Prepare, 1, 1)]), Some(Property::S6));
}

#[test]
fn a_word_is_durable_before_it_is_sent_and_others_words_may_be_handed_on() {
    let mut views = Views::new(4);
    let message = Message::ViewChange(asks(1, None, 1));
    let made = Message::NewView(new_view(1, vec![asks(1, None, 1)]));
    assert!(views.said(1, &message).is_some() && views.said(1, &made).is_some());
    assert!(views.said(2, &message).is_none() && views.said(2, &made).is_none());

    let records = [asked(1, None), entered(1, vec![asks(1, None, 1)])];
    assert!(views.recorded(1, &records).is_none());
    assert!(views.said(1, &message).is_none() && views.said(1, &made).is_none());
    assert!(views.said(1, &Message::ViewChange(asks(1, Some((0, 1)), 1))).is_some());
}

#[test]
fn what_survived_a_power_cut_without_a_flush_binds_all_the_same() {
    let mut views = Views::new(4);
    assert!(views.restarted(1, &[asked(1, None)]).is_none());
    assert!(views.recorded(1, &[asked(1, Some((0, 1)))]).is_some());
}

#[test]
fn evidence_names_who_spoke_or_the_primary() {
    let views = Views::new(4);
    let (first, second) = (asks(1, None, 1), asks(1, Some((0, 1)), 1));
    assert_eq!(
        views.accused(&Evidence::ViewChanges { first: (&first).into(), second: (&second).into() }),
        1
    );
    let (first, second) = (new_view(7, Vec::new()), new_view(7, vec![asks(7, None, 1)]));
    assert_eq!(
        views.accused(&Evidence::NewViews { first: (&first).into(), second: (&second).into() }),
        3
    );
}

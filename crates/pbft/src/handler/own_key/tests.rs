//! Messages under the own key that come from outside.

use types::number::View;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement};

use crate::fixture::{
    Bench, asks, block_on, certificate_by, chain_of, new_view, pre_prepare, prepare, said, signed,
    statement,
};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::record::{Record, Retirement};
use crate::replica::{Input, Protocol};

#[test]
fn a_vote_that_this_replica_gave_is_no_news() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(prepare(&bench.genesis, 1, &blocks[0]));
    assert!(matches!(output.ignored[..], [Ignored::OwnMessage { .. }]));
    assert!(bench.replica.status().voting);
}

#[test]
fn a_vote_about_a_committed_height_proves_nothing() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    let output = bench.receive(prepare(&bench.genesis, 1, &blocks[0]));
    assert!(matches!(output.ignored[..], [Ignored::OwnMessage { .. }]));
    assert!(bench.replica.status().voting);
}

/// A82, A89: the journal lost, or a second process with the key. It stays so over restarts.
#[test]
fn a_vote_that_this_replica_never_gave_silences_it_for_ever() {
    let chain = chain_of(&Bench::new(4, 1).genesis, 1);
    let elsewhere = Statement { view: View::new(3), ..statement(Phase::Commit, &chain[0]) };
    let rival = block_on(&Bench::new(4, 1).genesis, Bench::new(4, 1).genesis.header(), &[7]);
    for strange in [elsewhere, statement(Phase::Prepare, &rival), statement(Phase::Commit, &rival)]
    {
        let mut bench = Bench::new(4, 1);
        bench.receive(pre_prepare(&bench.genesis, &chain[0]));
        let vote = signed(&bench.genesis, 1, strange);
        let message = match strange.phase {
            Phase::Prepare => Message::Prepare(vote),
            Phase::Commit => Message::Commit(vote),
        };

        let output = bench.receive(message.clone());
        assert_eq!(output.records, [Record::Retired { reason: Retirement::Vote(vote) }]);
        assert!(bench.receive(message).records.is_empty());

        let output = bench.receive(prepare(&bench.genesis, 2, &chain[0]));
        assert!(said(&output).is_empty());
        bench.restart();
        assert!(!bench.replica.status().voting);
        let output = bench.step(Input::Blocks(vec![bench.proved(&chain[0])]));
        assert_eq!(output.committed.len(), 1, "it follows the others");
    }
}

/// The data of a validator was lost, and with it what it had said: the certificates of others
/// remember.
#[test]
fn a_certificate_with_a_vote_that_this_replica_never_gave_silences_it() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    let with_own_vote = crate::fixture::proved(&bench.genesis, &blocks[0]);
    let output = bench.step(Input::Blocks(vec![with_own_vote]));
    assert!(matches!(
        output.records[..],
        [Record::Retired { reason: Retirement::Vote(vote) }]
            if vote == signed(&bench.genesis, 1, statement(Phase::Commit, &blocks[0]))
    ));
    assert_eq!(output.committed.len(), 1, "it follows the others");
    assert!(!bench.replica.status().voting && bench.replica.status().retired);
}

/// Whether backup 1 of 4, after what was done to it, retires over a message.
fn retires(bench: &mut Bench, message: Message) -> bool {
    let output = bench.receive(message);
    let retired = bench.replica.status().retired;
    let recorded = output.records.iter().any(|record| matches!(record, Record::Retired { .. }));
    assert_eq!(retired, recorded);
    if recorded {
        let before = bench.records.len();
        bench.restart();
        assert!(bench.replica.status().retired && bench.records.len() == before, "for ever");
    }
    retired
}

fn asked(bench: &Bench, view: u64) -> ViewChange {
    asks(&bench.genesis, 1, view, None)
}

/// Backup 1 of 4 in view 2, which it was shown, or for which it asks, or to which a certificate
/// moved it.
fn entered() -> Bench {
    let mut bench = Bench::new(4, 1);
    bench.enter(2, None);
    bench
}

fn asking() -> Bench {
    let mut bench = Bench::new(4, 1);
    for replica in [0, 3] {
        let asked = asks(&bench.genesis, replica, 2, None);
        bench.receive(Message::ViewChange(asked));
    }
    assert!(!bench.replica.status().entered);
    bench
}

fn moved() -> Bench {
    let mut bench = Bench::new(4, 1);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let shown = certificate_by(&bench.genesis, 2, Phase::Prepare, &block, &[0, 2, 3]);
    let asked = asks(&bench.genesis, 3, 9, Some(shown));
    bench.receive(Message::ViewChange(asked));
    assert_eq!(bench.replica.status().view, View::new(2));
    bench
}

#[test]
fn the_own_view_change_is_no_news_and_one_never_sent_is() {
    let mut bench = asking();
    let own = Message::ViewChange(asked(&bench, 2));
    assert!(!retires(&mut bench, own));
    let block = chain_of(&bench.genesis, 1).remove(0);
    let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &block, &[0, 2, 3]);
    let other = asks(&bench.genesis, 1, 2, Some(shown));
    assert!(retires(&mut bench, Message::ViewChange(other)), "another one for the same view");

    for mut bench in [asking(), entered(), moved()] {
        let later = Message::ViewChange(asked(&bench, 3));
        assert!(retires(&mut bench, later), "for a view never asked for");
    }
    let mut bench = moved();
    let own = Message::ViewChange(asked(&bench, 2));
    assert!(retires(&mut bench, own), "who was moved to a view has not asked for it");
}

/// What it has said about views that it has left or entered is forgotten, and binds nothing that is
/// still to come.
#[test]
fn view_changes_below_the_own_last_words_prove_nothing() {
    for mut bench in [asking(), entered(), moved()] {
        let earlier = Message::ViewChange(asked(&bench, 1));
        assert!(!retires(&mut bench, earlier));
    }
    let mut bench = entered();
    let same = Message::ViewChange(asked(&bench, 2));
    assert!(!retires(&mut bench, same), "it may have asked for the view that it has entered");
}

fn made(bench: &Bench, view: u64, replicas: &[u16]) -> NewView {
    let asked = replicas.iter().map(|replica| asks(&bench.genesis, *replica, view, None));
    new_view(&bench.genesis, view, asked.collect())
}

#[test]
fn the_own_new_view_is_no_news_and_one_never_made_is() {
    let making = || {
        let mut bench = Bench::new(4, 1);
        for replica in [2, 3] {
            let asked = asks(&bench.genesis, replica, 1, None);
            bench.receive(Message::ViewChange(asked));
        }
        assert!(bench.replica.status().entered);
        bench
    };
    let mut bench = making();
    let own = Message::NewView(made(&bench, 1, &[1, 2, 3]));
    assert!(!retires(&mut bench, own));
    let other = Message::NewView(made(&bench, 1, &[0, 1, 2, 3]));
    assert!(retires(&mut bench, other), "another one for the same view");

    let mut bench = making();
    let later = Message::NewView(made(&bench, 5, &[0, 2, 3]));
    assert!(retires(&mut bench, later), "for a view it was never in");
    let mut bench = entered();
    let earlier = Message::NewView(made(&bench, 1, &[0, 2, 3]));
    assert!(!retires(&mut bench, earlier), "for a view it has left");
}

/// The view change in it was never sent from here, whoever shows it.
#[test]
fn a_new_view_with_an_own_view_change_that_was_never_sent_retires_its_reader() {
    for (mut bench, expected) in [(Bench::new(4, 1), true), (asking(), false), (moved(), true)] {
        let shown = Message::NewView(made(&bench, 2, &[0, 1, 3]));
        assert_eq!(retires(&mut bench, shown), expected);
    }
}

/// The votes in a certificate are the words of those who gave them, in a view change and in a new
/// view too.
#[test]
fn an_own_vote_in_a_certificate_that_others_show_is_looked_at() {
    let shown = |bench: &Bench, view: u64, height: u64, replicas: &[u16]| {
        let block = chain_of(&bench.genesis, height).pop().unwrap();
        certificate_by(&bench.genesis, view, Phase::Prepare, &block, replicas)
    };
    let with_own_vote = || {
        let mut bench = Bench::new(4, 1);
        for block in chain_of(&bench.genesis, 2) {
            bench.receive(pre_prepare(&bench.genesis, &block));
        }
        bench
    };
    for (height, signers, expected) in
        [(2, [0, 1, 3], false), (1, [0, 1, 3], false), (3, [0, 1, 3], true), (3, [0, 2, 3], false)]
    {
        let mut bench = with_own_vote();
        let certificate = shown(&bench, 0, height, &signers);
        let asked = asks(&bench.genesis, 3, 2, Some(certificate.clone()));
        assert_eq!(retires(&mut bench, Message::ViewChange(asked)), expected);
        let mut bench = with_own_vote();
        let new_view = Message::NewView(bench.new_view(2, Some(certificate)));
        assert_eq!(retires(&mut bench, new_view), expected);
    }
    let mut bench = with_own_vote();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let other = certificate_by(&bench.genesis, 0, Phase::Prepare, &rival, &[0, 1, 3]);
    let asked = asks(&bench.genesis, 3, 2, Some(other));
    assert!(retires(&mut bench, Message::ViewChange(asked)), "another block at a known place");
}

#[test]
fn statuses_and_handovers_under_the_own_key_bind_nobody() {
    let mut bench = Bench::new(4, 1);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let own = types::replica::ReplicaId::new(1);
    let chain = *bench.genesis.chain();
    let handover = crate::message::Handover::sign(block, own, &chain, &crate::fixture::key(1));
    let status = crate::fixture::status_of(&bench.genesis, 1, |standpoint| {
        standpoint.view = View::new(99);
    });
    for message in [Message::Handover(handover), status] {
        assert!(!retires(&mut bench, message));
    }
}

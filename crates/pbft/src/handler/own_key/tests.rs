//! Votes under the own key that come from outside.

use types::number::View;
use types::vote::{Phase, Statement};

use crate::fixture::{Bench, block_on, chain_of, pre_prepare, prepare, said, signed, statement};
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

/// The data of a validator was lost, and with it what it had said: the certificates of others remember.
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

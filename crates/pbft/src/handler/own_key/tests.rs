//! Votes under the own key that come from outside.

use types::number::View;
use types::vote::{Phase, Statement};

use crate::fixture::{
    Bench, block_on, chain_of, pre_prepare, prepare, proved, said, signed, statement,
};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::record::Record;
use crate::replica::{Input, Protocol};

#[test]
fn a_vote_that_this_replica_gave_is_no_news() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(prepare(&bench.genesis, 1, &blocks[0]));
    assert!(matches!(output.ignored[..], [Ignored::RepeatedVote { .. }]));
    assert!(bench.replica.status().voting);
}

#[test]
fn a_vote_about_a_committed_height_proves_nothing() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.step(Input::Blocks(vec![proved(&bench.genesis, &blocks[0])]));
    let output = bench.receive(prepare(&bench.genesis, 1, &blocks[0]));
    assert!(matches!(output.ignored[..], [Ignored::AlreadyCommitted { .. }]));
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
        assert_eq!(output.records, [Record::Retired { vote }]);
        assert!(bench.receive(message).records.is_empty());

        let output = bench.receive(prepare(&bench.genesis, 2, &chain[0]));
        assert!(said(&output).is_empty());
        bench.restart();
        assert!(!bench.replica.status().voting);
        let output = bench.step(Input::Blocks(vec![proved(&bench.genesis, &chain[0])]));
        assert_eq!(output.committed.len(), 1, "it follows the others");
    }
}

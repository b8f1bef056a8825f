//! Counting votes.

use types::vote::Phase;

use super::Tally;
use crate::fixture::{block_on, genesis, signed, statement};

#[test]
fn a_quorum_is_found_among_rivals_and_its_certificate_has_only_its_votes() {
    let genesis = genesis(7, types::parameters::Parameters::default());
    let [one, other] = [1, 2].map(|nonce| block_on(&genesis, genesis.header(), &[nonce]));
    let (one, other) = (statement(Phase::Commit, &one), statement(Phase::Commit, &other));
    let mut tally = Tally::default();
    for replica in [6, 1] {
        tally.insert(signed(&genesis, replica, other));
    }
    for replica in [5, 0, 3, 2] {
        tally.insert(signed(&genesis, replica, one));
    }
    assert_eq!(tally.quorum(5), None);
    assert_eq!(tally.certificate(one, genesis.validators()), None);
    tally.insert(signed(&genesis, 4, one));
    assert_eq!(tally.quorum(5), Some(one));
    let certificate = tally.certificate(one, genesis.validators()).unwrap();
    assert_eq!(certificate.replicas().map(|r| r.get()).collect::<Vec<_>>(), [0, 2, 3, 4, 5]);
    assert_eq!(tally.certificate(other, genesis.validators()), None);
}

#[test]
#[should_panic(expected = "a second vote of replica 3 replaced the first")]
fn a_second_vote_of_one_replica_is_a_bug_of_the_caller() {
    let genesis = genesis(4, types::parameters::Parameters::default());
    let block = block_on(&genesis, genesis.header(), &[1]);
    let mut tally = Tally::default();
    for _ in 0..2 {
        tally.insert(signed(&genesis, 3, statement(Phase::Commit, &block)));
    }
}

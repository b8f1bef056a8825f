use crypto::signed::{Forged, Unverified, signing_digest};

use super::{NotAMember, Phase, Statement, Vote};
use crate::tests::fixtures;
use crate::{BlockId, CommittedStatement, Height, ReplicaId, ValidatorSet, View};

fn statement() -> Statement {
    fixtures::statement(Phase::Prepare, &fixtures::block(5, BlockId::NONE).header)
}

fn verdict(vote: Vote) -> Result<(), Forged<NotAMember>> {
    Unverified::new(vote).verify(&fixtures::validators(4)).map(|_| ())
}

#[test]
fn a_vote_of_a_member_is_authentic() {
    for replica in 0..4 {
        assert_eq!(verdict(fixtures::vote(statement(), replica)), Ok(()));
    }
}

#[test]
fn a_vote_is_checked_under_the_key_of_the_replica_it_names() {
    let mut stolen = fixtures::vote(statement(), 1);
    stolen.replica = ReplicaId::new(2);

    assert_eq!(verdict(stolen), Err(Forged::Signature));
}

#[test]
fn a_stranger_has_no_vote() {
    let stranger = fixtures::vote(statement(), 4);
    let replica = ReplicaId::new(4);

    assert_eq!(verdict(stranger), Err(Forged::Malformed(NotAMember { replica })));
    assert_eq!(NotAMember { replica }.to_string(), "there is no replica 4");
}

#[test]
fn every_field_of_the_statement_is_signed() {
    let changes: [fn(&mut Statement); 4] = [
        |statement| statement.phase = Phase::Commit,
        |statement| statement.view = View::new(3),
        |statement| statement.height = Height::new(6),
        |statement| statement.block = BlockId::NONE,
    ];
    for change in changes {
        let mut vote = fixtures::vote(statement(), 1);
        change(&mut vote.statement);
        assert_eq!(verdict(vote), Err(Forged::Signature));
    }
}

#[test]
fn a_vote_for_one_network_means_nothing_on_another() {
    let members = fixtures::validators(4).iter().map(|(_, validator)| validator.clone()).collect();
    let elsewhere = ValidatorSet::new(fixtures::other_chain(), members).unwrap();

    let verdict = Unverified::new(fixtures::vote(statement(), 1)).verify(&elsewhere);

    assert_eq!(verdict, Err(Forged::Signature));
}

#[test]
fn a_reply_and_a_vote_for_one_block_are_signed_apart() {
    let committed = CommittedStatement { height: statement().height, block: statement().block };

    assert_ne!(
        signing_digest(&fixtures::chain(), &committed),
        signing_digest(&fixtures::chain(), &statement())
    );
}

//! Every property can be broken, and then it is named; an honest history breaks none.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::PoolStatus;
use pbft::{Message, Overview, Record};
use types::block::{BlockId, Body};
use types::number::{Height, Nonce, View};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::vote::Phase;

use super::Property;
use super::fixture::{NOW, Story, proposal, recorded};

#[test]
fn an_honest_history_breaks_nothing() {
    let mut story = Story::new();
    for block in story.blocks.clone() {
        story.votes(1, 0, &block);
        let commit = story.vote(1, Phase::Commit, 0, &block);
        let record = Record::Vote { vote: commit, block: None };
        story.check.recorded(NOW, 1, &[record]);
        story.check.said(NOW, 1, &Message::Commit(commit));
    }
    story.commits(1, 3);
    story.commits(2, 2);
    story.check.durable(1, Height::new(3));

    let stored: Vec<_> = story.blocks.iter().map(|block| story.proved(block)).collect();
    story.check.finish(NOW, &story.genesis, 1, &stored);
    let (tip, id) = (Height::new(3), story.blocks[2].id());
    story.check.restarted(NOW, 1, (tip, id), &[]);
    story.check.accepted(NOW, 0, Nonce::FIRST, Height::new(1), story.blocks[0].id());

    assert_eq!(story.check.violations(), []);
    assert_eq!(story.check.top(), tip);
}

#[test]
fn s1_two_blocks_at_one_height() {
    let mut story = Story::new();
    let mut rival = story.blocks[0].clone();
    rival.header.timestamp_ms += 1;
    story.commits(1, 1);

    let rival = story.proved(&rival);
    story.check.committed(NOW, 2, &rival);

    assert_eq!(story.broken(), [Property::S1]);
}

#[test]
fn s2_a_block_that_does_not_stand_on_the_one_below() {
    let mut story = Story::new();
    story.blocks[1].header.parent = BlockId::NONE;

    story.commits(1, 2);

    assert_eq!(story.broken(), [Property::S2]);
}

#[test]
fn s2_a_height_left_out() {
    let mut story = Story::new();
    story.commits(1, 3);

    let second = story.proved(&story.blocks[1]);
    story.check.committed(NOW, 2, &second);

    assert_eq!(story.broken(), [Property::S2]);
}

#[test]
fn s3_a_stored_height_that_is_gone_or_another_after_a_restart() {
    for (height, id) in [(1, 0), (2, 0)] {
        let mut story = Story::new();
        story.commits(1, 2);
        story.check.durable(1, Height::new(2));
        let tip = (Height::new(height), story.blocks[id].id());

        story.check.restarted(NOW, 1, tip, &[]);

        assert_eq!(story.broken(), [Property::S3]);
    }
}

#[test]
fn s3_a_store_that_ends_with_less_or_with_something_else() {
    let mut story = Story::new();
    story.commits(1, 2);
    story.check.durable(1, Height::new(2));
    let less = [story.proved(&story.blocks[0])];
    let other = [less[0].clone(), story.proved(&story.blocks[2])];

    story.check.finish(NOW, &story.genesis, 1, &less);
    story.check.finish(NOW, &story.genesis, 1, &other);

    assert_eq!(story.broken(), [Property::S3, Property::S3]);
}

#[test]
fn s4_proofs_that_are_none() {
    let story = Story::new();
    let block = &story.blocks[0];
    let whole = story.proved(block);
    let doctored = |change: fn(&mut ProvedBlock)| {
        let mut proved = ProvedBlock::clone(&whole);
        change(&mut proved);
        Arc::new(proved)
    };
    let mut prepared = ProvedBlock::clone(&whole);
    prepared.proof.certificate.statement.phase = Phase::Prepare;
    let bad = [
        story.proved_by(&[0, 1], block),
        story.proved_by(&[0, 1, 1], block),
        story.proved_by(&[0, 1, 5], block),
        Arc::new(prepared),
        doctored(|proved| proved.proof.certificate.statement.view = View::new(1)),
        doctored(|proved| proved.proof.certificate.signatures[0].0 = ReplicaId::new(3)),
        doctored(|proved| proved.proof.descendants.push(proved.block.header.clone())),
        doctored(|proved| proved.block.body = Body::default()),
    ];
    for proved in bad {
        let mut story = Story::new();
        story.check.committed(NOW, 1, &proved);
        assert_eq!(story.broken(), [Property::S4], "{proved:?}");
    }
}

#[test]
fn s4_a_proof_by_a_descendant_holds() {
    let mut story = Story::new();
    let mut proved = ProvedBlock::clone(&story.proved(&story.blocks[2]));
    proved.block = story.blocks[0].clone();
    proved.proof.descendants = story.blocks[1..].iter().map(|block| block.header.clone()).collect();

    story.check.committed(NOW, 1, &Arc::new(proved));

    assert_eq!(story.check.violations(), []);
}

#[test]
fn s5_two_votes_at_one_place() {
    let mut story = Story::new();
    let mut rival = story.blocks[0].clone();
    rival.header.timestamp_ms += 1;
    let first = story.blocks[0].clone();

    story.votes(1, 0, &first);
    story.votes(1, 0, &rival);

    assert_eq!(story.broken()[0], Property::S5);
}

#[test]
fn s5_prepare_votes_that_are_no_chain() {
    let mut story = Story::new();
    let [first, second, third] = story.blocks.clone().try_into().unwrap();
    let mut rival = second.clone();
    rival.header.parent = BlockId::NONE;

    story.votes(1, 0, &first);
    story.votes(1, 0, &rival);
    assert_eq!(story.broken()[0], Property::S5);

    let mut story = Story::new();
    story.votes(1, 0, &third);
    story.votes(1, 0, &second);
    assert_eq!(story.broken()[0], Property::S5, "downwards");

    let mut story = Story::new();
    story.votes(0, 0, &second);
    story.votes(1, 0, &third);
    story.enters(1, 1, Some(&second));
    let vote = story.vote(1, Phase::Prepare, 1, &second);
    story.check.recorded(NOW, 1, &[recorded(vote, &second)]);
    assert_eq!(story.check.violations(), [], "another view, another chain");
}

#[test]
fn s5_a_vote_under_another_key() {
    let mut story = Story::new();
    let block = story.blocks[0].clone();
    story.votes(0, 0, &block);
    let mut vote = story.vote(2, Phase::Prepare, 0, &block);
    vote.replica = ReplicaId::new(1);

    story.check.recorded(NOW, 1, &[recorded(vote, &block)]);

    assert_eq!(story.broken(), [Property::S5]);
}

/// What a power cut left although nobody had waited for its flush is said as well.
#[test]
fn s5_a_vote_against_one_that_only_the_journal_knows() {
    let mut story = Story::new();
    let (block, second) = (story.blocks[0].clone(), story.blocks[1].clone());
    story.votes(0, 0, &block);
    let vote = story.vote(1, Phase::Prepare, 0, &block);
    let genesis = (Height::GENESIS, story.genesis.header().id());
    story.check.restarted(NOW, 1, genesis, &[recorded(vote, &block)]);

    story.votes(1, 0, &second);
    story.check.said(NOW, 1, &Message::Prepare(vote));
    assert_eq!(story.check.violations(), []);
    let mut rival = block;
    rival.header.timestamp_ms += 1;
    story.votes(1, 0, &rival);

    assert_eq!(story.broken()[0], Property::S5);
}

#[test]
fn s6_a_message_before_its_record() {
    let mut story = Story::new();
    let block = story.blocks[0].clone();
    let vote = story.vote(0, Phase::Prepare, 0, &block);

    story.check.said(NOW, 0, &proposal(vote, &block));

    assert_eq!(story.broken(), [Property::S6]);
}

#[test]
fn s6_a_record_without_its_block() {
    let mut story = Story::new();
    let (block, other) = (story.blocks[0].clone(), story.blocks[1].clone());
    story.votes(0, 0, &block);
    let vote = story.vote(1, Phase::Prepare, 0, &block);

    story.check.recorded(NOW, 1, &[Record::Vote { vote, block: None }]);
    story.check.recorded(NOW, 1, &[recorded(vote, &other)]);

    assert_eq!(story.broken(), [Property::S6, Property::S6]);
}

#[test]
fn s6_a_journal_that_has_forgotten_what_was_sent() {
    let mut story = Story::new();
    let block = story.blocks[0].clone();
    story.votes(1, 0, &block);
    let genesis = (Height::GENESIS, story.genesis.header().id());

    let vote = story.vote(1, Phase::Prepare, 0, &block);
    story.check.restarted(NOW, 1, genesis, &[recorded(vote, &block)]);
    assert_eq!(story.check.violations(), []);
    story.check.restarted(NOW, 1, genesis, &[]);

    assert_eq!(story.broken(), [Property::S6]);
}

#[test]
fn s7_and_s9_transactions_that_were_not_valid() {
    let cases = [(0, 100_000, Property::S7), (0, 0, Property::S7), (1, 5, Property::S7)];
    for (nonce, amount, expected) in cases {
        let mut story = Story::new();
        story.blocks.clear();
        let block = story.next_block(vec![story.transfer(nonce, amount)]);
        story.blocks.push(block);
        story.commits(1, 1);
        assert_eq!(story.broken(), [expected], "{amount} with nonce {nonce}");
    }
    let mut story = Story::new();
    let block = story.next_block(vec![story.transfer(0, 5)]);
    story.blocks.push(block);
    story.commits(1, 4);
    assert_eq!(story.broken(), [Property::S9], "the first nonce again");
}

#[test]
fn s7_a_transaction_that_nobody_signed() {
    let mut story = Story::new();
    story.blocks.clear();
    let mut unsigned = story.transfer(0, 5);
    unsigned.signature = story.transfer(0, 6).signature;
    let block = story.next_block(vec![unsigned]);
    story.blocks.push(block);

    story.commits(1, 1);

    assert_eq!(story.broken(), [Property::S7]);
}

#[test]
fn s8_books_that_do_not_add_up() {
    let mut story = Story::new();
    story.check.money.lose_for_tests();

    story.commits(1, 1);

    assert_eq!(story.broken(), [Property::S8]);
}

#[test]
fn s10_a_chain_that_executes_to_something_else() {
    let mut story = Story::new();
    story.blocks.clear();
    let mut block = story.next_block(vec![story.transfer(0, 5)]);
    block.header.state_root = story.genesis.state_root();
    story.blocks.push(block);
    story.commits(1, 1);
    assert_eq!(story.check.violations(), [], "the books know no roots");

    let stored = [story.proved(&story.blocks[0])];
    story.check.finish(NOW, &story.genesis, 1, &stored);

    assert_eq!(story.broken(), [Property::S10]);
}

#[test]
fn s11_a_replica_without_bounds() {
    let mut story = Story::new();
    let status = |in_flight| Overview {
        view: View::FIRST,
        primary: ReplicaId::new(0),
        committed: Height::GENESIS,
        in_flight,
        entered: true,
        voting: true,
        retired: false,
        timeout_ms: 2_000,
    };
    let full = PoolStatus { pending: 200_000, ..PoolStatus::default() };
    let window = story.check.window;

    story.check.seen(NOW, 1, &status(window), &PoolStatus::default(), 1_000);
    assert_eq!(story.check.violations(), []);
    story.check.seen(NOW, 1, &status(window + 1), &PoolStatus::default(), 1_000);
    story.check.seen(NOW, 1, &status(0), &full, 1_000);
    story.check.seen(NOW, 1, &status(0), &PoolStatus::default(), 100 << 20);

    assert_eq!(story.broken(), [Property::S11; 3]);
}

#[test]
fn a_client_that_was_told_of_another_block() {
    let mut story = Story::new();
    story.commits(1, 1);

    story.check.accepted(NOW, 0, Nonce::FIRST, Height::new(1), story.blocks[1].id());

    assert_eq!(story.broken(), [Property::Reply]);
}

#[test]
fn a_replica_that_does_not_come_back() {
    let mut story = Story::new();
    story.check.refused(NOW, 3, "journal: damaged".to_owned());
    assert_eq!(story.broken(), [Property::Recovery]);
}

#[test]
fn of_a_replica_that_lies_nothing_is_expected() {
    let mut story = Story::leaving_out(BTreeSet::from([1]));
    let block = story.blocks[0].clone();
    let vote = story.vote(1, Phase::Prepare, 0, &block);

    story.check.said(NOW, 1, &Message::Prepare(vote));
    story.check.refused(NOW, 1, "journal: damaged".to_owned());

    assert_eq!(story.check.violations(), []);
}

#[test]
fn a_vote_since_the_healing_for_something_committed_counts() {
    let mut story = Story::new();
    let [first, second, _] = story.blocks.clone().try_into().unwrap();
    story.votes(1, 0, &first);
    story.commits(2, 2);
    story.check.healed(NOW);
    assert!(!story.check.has_voted_since_healing(1));

    story.votes(1, 0, &second);

    assert!(story.check.has_voted_since_healing(1));
    assert!(!story.check.has_voted_since_healing(2));
}

#[test]
fn every_property_is_in_the_list_once() {
    #[expect(clippy::as_conversions, reason = "the number of the last variant is what is asked")]
    let count = Property::Assertion as usize + 1;

    assert_eq!(Property::ALL.len(), count);
    assert!(Property::ALL.windows(2).all(|pair| pair[0] < pair[1]));
}

use types::block::Block;
use types::vote::{Phase, Vote};

use super::{Fate, Lost};
use crate::fixture::{
    Bench, NOON, block_on, chain_of, commit, pre_prepare, prepare, tick, vote_in,
};
use crate::ignored::Refusal;
use crate::message::Message;
use crate::replica::Input;
use crate::{Output, Protocol as _};

/// Two blocks for height 1.
fn rivals(bench: &Bench) -> [Block; 2] {
    let parent = bench.genesis.header();
    [block_on(&bench.genesis, parent, &[0]), block_on(&bench.genesis, parent, &[0, 1])]
}

fn vote(bench: &Bench, phase: Phase, replica: u16, block: &Block) -> Vote {
    vote_in(&bench.genesis, 0, phase, replica, block)
}

/// Three of four vote for a block in both phases, so that it is committed where it is.
fn decide(bench: &mut Bench, block: &Block, by: &[u16]) -> Vec<Output> {
    let genesis = bench.genesis.clone();
    let prepares = by.iter().map(|replica| prepare(&genesis, *replica, block));
    let commits = by.iter().map(|replica| commit(&genesis, *replica, block));
    prepares.chain(commits).map(|message| bench.receive(message)).collect()
}

#[test]
fn a_block_that_is_committed_is_not_lost() {
    let mut bench = Bench::new(4, 2);
    let block = &chain_of(&bench.genesis, 1)[0];
    let mut outputs = vec![bench.receive(pre_prepare(&bench.genesis, block))];
    outputs.extend(decide(&mut bench, block, &[1, 3]));

    assert_eq!(bench.committed.len(), 1);
    assert!(outputs.iter().all(|output| output.lost.is_empty()));
}

#[test]
fn a_second_proposal_is_told_of_with_what_the_primary_signed_for_the_first() {
    let mut bench = Bench::new(4, 2);
    let [first, second] = rivals(&bench);
    bench.receive(pre_prepare(&bench.genesis, &first));

    let by_proposal = bench.receive(pre_prepare(&bench.genesis, &second));
    let by_vote = bench.receive(prepare(&bench.genesis, 0, &second));

    let proposed = vote(&bench, Phase::Prepare, 0, &second);
    let expected = |header| Lost {
        statement: proposed.statement,
        proposed: Some(proposed),
        header,
        votes: Vec::new(),
        fate: Fate::Rival { first: Some(vote(&bench, Phase::Prepare, 0, &first)) },
    };
    assert_eq!(by_proposal.lost, [expected(Some(second.header.clone()))]);
    assert_eq!(by_vote.lost, [expected(None)]);
}

#[test]
fn a_backup_that_votes_twice_proposes_nothing() {
    let mut bench = Bench::new(4, 2);
    let [first, second] = rivals(&bench);
    bench.receive(prepare(&bench.genesis, 3, &first));

    let output = bench.receive(prepare(&bench.genesis, 3, &second));

    assert_eq!((output.evidence.len(), output.lost), (1, Vec::new()));
}

#[test]
fn a_refused_proposal_is_told_of_with_the_rule() {
    let mut bench = Bench::new(4, 2);
    let [_, mut block] = rivals(&bench);
    block.header.timestamp_ms = bench.genesis.header().timestamp_ms;

    let output = bench.receive(pre_prepare(&bench.genesis, &block));

    let [lost] = &output.lost[..] else { panic!("{:?}", output.lost) };
    assert_eq!(lost.fate, Fate::Refused(Refusal::TimestampNotLater));
    assert_eq!(lost.proposed, Some(vote(&bench, Phase::Prepare, 0, &block)));
    assert_eq!((&lost.header, &lost.votes), (&Some(block.header), &Vec::new()));
}

#[test]
fn what_others_committed_another_block_for_is_told_of_with_the_votes_of_both() {
    let mut bench = Bench::new(4, 2);
    let [mine, theirs] = rivals(&bench);
    bench.receive(pre_prepare(&bench.genesis, &mine));
    bench.receive(prepare(&bench.genesis, 3, &theirs));

    let proved = bench.proved(&theirs);
    let output = bench.step(Input::Blocks(vec![proved]));

    let [lost] = &output.lost[..] else { panic!("{:?}", output.lost) };
    assert_eq!((lost.fate, lost.statement.block), (Fate::Outvoted, mine.id()));
    assert_eq!(lost.proposed, Some(vote(&bench, Phase::Prepare, 0, &mine)));
    let votes = [vote(&bench, Phase::Prepare, 2, &mine)];
    assert_eq!((&lost.header, &lost.votes[..]), (&Some(mine.header), &votes[..]));
}

#[test]
fn what_was_undecided_when_the_view_was_left_is_told_of_with_every_block_voted_for() {
    let mut bench = Bench::new(4, 2);
    let [first, second] = rivals(&bench);
    bench.receive(pre_prepare(&bench.genesis, &first));
    bench.receive(prepare(&bench.genesis, 3, &second));
    bench.hear_all();

    let output = bench.step(tick(NOON + 2_000));

    assert_eq!(bench.replica.status().view.get(), 1);
    let mut told: Vec<_> = output.lost.iter().map(|lost| (lost.statement.block, lost)).collect();
    told.sort_by_key(|(id, _)| *id != first.id());
    let [(_, of_first), (id, of_second)] = told[..] else { panic!("{told:?}") };
    assert_eq!(of_first.fate, Fate::ViewLeft(bench.replica.status().view));
    assert_eq!(of_first.votes, [vote(&bench, Phase::Prepare, 2, &first)]);
    assert!(of_first.proposed.is_some() && of_first.header.is_some());
    // Nobody has shown here that the primary proposed it.
    assert_eq!((id, of_second.proposed), (second.id(), None));
    assert_eq!(of_second.votes, [vote(&bench, Phase::Prepare, 3, &second)]);
    let repeated = bench.receive(Message::Prepare(of_second.votes[0]));
    assert!(repeated.lost.is_empty());
}

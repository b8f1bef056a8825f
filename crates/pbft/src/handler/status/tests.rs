//! Who is told what when he says where he stands.

use types::block::Block;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::Phase;

use super::BLOCKS_MAX;
use crate::fixture::{
    Bench, asks, block_in, certificate_by, chain_of, commit, pre_prepare, prepare, proposal_in,
    status_of,
};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::{Output, Recipients, Timer};
use crate::replica::{Input, Protocol};
use crate::status::{Held, Lacks, Members, Standpoint};

fn answer(bench: &mut Bench, change: impl FnOnce(&mut Standpoint)) -> Vec<Message> {
    let status = status_of(&bench.genesis, 3, change);
    let output = bench.receive(status);
    assert_eq!(output.records, []);
    let to_asker = |to| to == Recipients::One(ReplicaId::new(3));
    assert!(output.messages.iter().all(|outgoing| to_asker(outgoing.to)));
    output.messages.into_iter().map(|outgoing| outgoing.message).collect()
}

fn lacks_everything(standpoint: &mut Standpoint) {
    standpoint.lacks = Some(Lacks::default());
}

fn members(replicas: &[u16]) -> Members {
    replicas.iter().copied().map(ReplicaId::new).collect()
}

/// Backup 1 of 4, which has proposals of so many heights, and all votes about the first one.
fn bench(heights: u64) -> (Bench, Vec<Block>) {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, heights);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    bench.receive(prepare(&bench.genesis, 2, &blocks[0]));
    bench.receive(commit(&bench.genesis, 0, &blocks[0]));
    (bench, blocks)
}

fn status_timer(bench: &mut Bench) -> Output {
    bench.step(Input::Timer(Timer::Status))
}

/// T32: whoever said it.
#[test]
fn who_lacks_everything_is_told_all_votes_and_the_proposal_by_whoever_has_them() {
    let (mut bench, blocks) = bench(1);
    let told = answer(&mut bench, lacks_everything);
    let expected = [
        pre_prepare(&bench.genesis, &blocks[0]),
        prepare(&bench.genesis, 1, &blocks[0]),
        prepare(&bench.genesis, 2, &blocks[0]),
        commit(&bench.genesis, 0, &blocks[0]),
        commit(&bench.genesis, 1, &blocks[0]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn who_lacks_something_is_told_exactly_that() {
    let held = Held { proposal: true, prepares: members(&[0, 1, 2]), commits: members(&[0, 1]) };
    let (all, blocks) = bench(1);
    let (genesis, block) = (&all.genesis, &blocks[0]);
    let without = [
        (Held { proposal: false, ..held }, pre_prepare(genesis, block)),
        (Held { prepares: members(&[1, 2]), ..held }, pre_prepare(genesis, block)),
        (Held { prepares: members(&[0, 1]), ..held }, prepare(genesis, 2, block)),
        (Held { commits: members(&[1]), ..held }, commit(genesis, 0, block)),
    ];
    for (held, expected) in without {
        let (mut bench, _) = bench(1);
        let told = answer(&mut bench, |standpoint| {
            standpoint.lacks = Some(Lacks { heights: vec![held], ..Lacks::default() });
        });
        assert_eq!(told, [expected]);
    }
    let (mut bench, _) = bench(1);
    let all = Lacks { heights: vec![held], ..Lacks::default() };
    assert_eq!(answer(&mut bench, |standpoint| standpoint.lacks = Some(all)), []);
    assert_eq!(answer(&mut bench, |_| {}), [], "who lacks nothing is told nothing");
}

/// Whatever the heights: those of the peer begin above its own committed one.
#[test]
fn a_peer_with_more_committed_is_told_about_what_is_above_it() {
    let (mut bench, blocks) = bench(3);
    let told = answer(&mut bench, |standpoint| {
        standpoint.committed = Height::new(2);
        standpoint.lacks = Some(Lacks::default());
    });
    let expected =
        [pre_prepare(&bench.genesis, &blocks[2]), prepare(&bench.genesis, 1, &blocks[2])];
    assert_eq!(told, expected);
}

#[test]
fn a_peer_is_answered_once_until_this_replica_says_where_it_stands_itself() {
    let (mut bench, _) = bench(1);
    assert!(!answer(&mut bench, lacks_everything).is_empty());
    let status = status_of(&bench.genesis, 3, lacks_everything);
    let replica = ReplicaId::new(3);
    let output = bench.receive(status);
    assert_eq!(output.ignored, [Ignored::AnsweredAlready { replica }]);
    assert_eq!(output.messages, []);
    let other = status_of(&bench.genesis, 2, lacks_everything);
    assert!(!bench.receive(other).messages.is_empty(), "each peer has its own answer");

    status_timer(&mut bench);
    assert!(!answer(&mut bench, lacks_everything).is_empty());
}

#[test]
fn one_answer_has_at_most_four_blocks_and_the_next_one_goes_on() {
    let (mut bench, blocks) = bench(7);
    let proposals = |told: &[Message]| -> Vec<u64> {
        let with_block = told.iter().filter(|message| matches!(message, Message::PrePrepare(_)));
        with_block.map(|message| message.vote().unwrap().statement.height.get()).collect()
    };
    assert_eq!(proposals(&answer(&mut bench, lacks_everything)), [1, 2, 3, 4]);
    status_timer(&mut bench);
    let held = Held { proposal: true, prepares: members(&[0, 1, 2]), commits: members(&[0, 1]) };
    let told = answer(&mut bench, |standpoint| {
        let heights = vec![held; BLOCKS_MAX];
        standpoint.lacks = Some(Lacks { heights, ..Lacks::default() });
    });
    assert_eq!(proposals(&told), [5, 6, 7]);
    assert_eq!(blocks.len(), 7);
}

#[test]
fn who_is_in_an_older_view_is_shown_the_new_view() {
    let mut bench = Bench::new(4, 2);
    bench.enter(5, None);
    let shown = Message::NewView(bench.new_view(5, None));
    for view in [0, 1, 4] {
        status_timer(&mut bench);
        let told = answer(&mut bench, |standpoint| standpoint.view = View::new(view));
        assert_eq!(told, std::slice::from_ref(&shown));
    }
    status_timer(&mut bench);
    let told = answer(&mut bench, |standpoint| {
        (standpoint.view, standpoint.entered) = (View::new(5), false);
    });
    assert_eq!(told, [shown]);
    status_timer(&mut bench);
    for view in [5, 6] {
        let told = answer(&mut bench, |standpoint| standpoint.view = View::new(view));
        assert_eq!(told, []);
    }
}

/// T32: a third one hands on who asks.
#[test]
fn who_has_not_left_its_view_is_told_who_asks_for_later_ones() {
    let mut bench = Bench::new(4, 2);
    let asked = [asks(&bench.genesis, 0, 1, None), asks(&bench.genesis, 1, 2, None)];
    for asked in &asked {
        bench.receive(Message::ViewChange(asked.clone()));
    }
    let own = asks(&bench.genesis, 2, 1, None);
    let [first, second] = asked.map(Message::ViewChange);
    let told = answer(&mut bench, |_| {});
    assert_eq!(told, [first.clone(), second.clone(), Message::ViewChange(own)]);

    status_timer(&mut bench);
    let told = answer(&mut bench, |standpoint| {
        (standpoint.view, standpoint.entered) = (View::new(1), false);
        let view_changes = members(&[0, 1, 2]);
        standpoint.lacks = Some(Lacks { view_changes, ..Lacks::default() });
    });
    assert_eq!(told, [second], "one for a later view may be newer than the one it has");
}

/// The rule that every body voted for is kept, in whatever view, until its height is committed.
#[test]
fn bodies_of_an_abandoned_branch_are_handed_over_until_their_height_is_committed() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 3);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    bench.enter(1, None);
    let lacks = |standpoint: &mut Standpoint| {
        standpoint.view = View::new(9);
        let block = Some(blocks[2].id());
        standpoint.lacks = Some(Lacks { block, ..Lacks::default() });
    };
    let bodies = |told: &[Message]| -> Vec<u64> {
        let of = |message: &Message| match message {
            Message::Handover(handover) => handover.block.header.height.get(),
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_) => panic!("{message:?}"),
        };
        told.iter().map(of).collect()
    };
    assert_eq!(bodies(&answer(&mut bench, lacks)), [3, 2, 1]);
    bench.restart();
    assert_eq!(bodies(&answer(&mut bench, lacks)), [3, 2, 1]);

    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    status_timer(&mut bench);
    assert_eq!(bodies(&answer(&mut bench, lacks)), [3, 2]);
    status_timer(&mut bench);
    let told = answer(&mut bench, |standpoint| {
        lacks(standpoint);
        standpoint.committed = Height::new(2);
    });
    assert_eq!(bodies(&told), [3], "what is below its committed height is not lacking");
}

#[test]
fn a_body_that_was_fetched_is_handed_on() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &block, &[0, 1, 3]);
    bench.enter(1, Some(shown));
    let chain = *bench.genesis.chain();
    let key = crate::fixture::key(0);
    let from = ReplicaId::new(0);
    let handover = crate::message::Handover::sign(block.clone(), from, &chain, &key);
    bench.receive(Message::Handover(handover));
    let told = answer(&mut bench, |standpoint| {
        standpoint.view = View::new(1);
        let block = Some(block.id());
        standpoint.lacks = Some(Lacks { block, ..Lacks::default() });
    });
    assert!(matches!(&told[..], [Message::Handover(given)] if given.block == block));
}

/// S11: nothing that is claimed makes an answer longer, or comes into a certificate's place.
#[test]
fn a_lying_status_costs_one_bounded_answer() {
    let heights = [0, 1, u64::MAX - 1, u64::MAX].map(Height::new);
    let views = [0, 1, 2, u64::MAX].map(View::new);
    let known = chain_of(&Bench::new(4, 1).genesis, 9).pop().unwrap().id();
    let blocks = [None, Some(known), Some(types::block::BlockId::NONE)];
    for committed in heights {
        for view in views {
            for block in blocks {
                let (mut bench, _) = bench(8);
                let before = bench.replica.status();
                let told = answer(&mut bench, |standpoint| {
                    (standpoint.committed, standpoint.view) = (committed, view);
                    let heights = vec![Held::default(); crate::status::HEIGHTS_MAX];
                    let lacks = Lacks { heights, block, ..Lacks::default() };
                    standpoint.lacks = Some(lacks);
                });
                let with_block = told.iter().filter(|message| {
                    matches!(message, Message::PrePrepare(_) | Message::Handover(_))
                });
                assert!(with_block.count() <= BLOCKS_MAX && told.len() <= 8 * 4 * 2);
                assert_eq!(bench.replica.status(), before);
                assert_eq!(answer(&mut bench, |_| {}), []);
            }
        }
    }
}

#[test]
fn a_claimed_height_is_a_hint_that_goes_as_it_comes() {
    let mut bench = Bench::new(4, 1);
    let claim =
        |height| move |standpoint: &mut Standpoint| standpoint.committed = Height::new(height);
    let status = status_of(&bench.genesis, 3, claim(7));
    assert_eq!(bench.receive(status).behind, Some(Height::new(7)));
    let status = status_of(&bench.genesis, 3, claim(0));
    assert_eq!(bench.receive(status).behind, None);
}

/// A primary that hands on its own tip proposes it with the body.
#[test]
fn a_proposal_that_was_made_again_is_told_as_a_proposal() {
    let mut bench = Bench::new(4, 2);
    bench.enter(1, None);
    let block = block_in(&bench.genesis, 1, bench.genesis.header(), &[0]);
    bench.receive(proposal_in(&bench.genesis, 1, &block));
    let told = answer(&mut bench, |standpoint| {
        standpoint.view = View::new(1);
        standpoint.lacks = Some(Lacks::default());
    });
    assert_eq!(told[0], proposal_in(&bench.genesis, 1, &block));
}

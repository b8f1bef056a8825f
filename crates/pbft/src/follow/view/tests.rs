//! When a view is left, which one is entered, and what goes on in it.

use types::block::Block;
use types::certificate::Certificate;
use types::number::{Height, View};
use types::view_change::ViewChange;
use types::vote::{Phase, Statement};

use crate::fixture::{
    Bench, NOON, asked, asks, block_in, block_on, certificate_by, chain_of, new_views, pre_prepare,
    prepare, proposal_in, proposals, said, tick, vote_message,
};
use crate::ignored::{Ignored, Refusal};
use crate::message::Message;
use crate::output::{Output, Timer};
use crate::record::Record;
use crate::replica::{Input, Protocol};

/// After so many milliseconds, with everybody heard from.
fn after(bench: &mut Bench, ms: u64) -> Output {
    bench.hear_all();
    bench.step(tick(NOON + ms))
}

fn view(bench: &Bench) -> u64 {
    bench.replica.status().view.get()
}

fn ask(bench: &mut Bench, replica: u16, view: u64) -> Output {
    let asked = asks(&bench.genesis, replica, view, None);
    bench.receive(Message::ViewChange(asked))
}

/// When the progress timer is set by an output.
fn progress(output: &Output) -> Option<u32> {
    let mut set = output.timers.iter().filter(|set| set.timer == Timer::Progress);
    set.next().map(|set| set.after_ms)
}

/// A prepared certificate of a view for a block, by three of four.
fn prepared(bench: &Bench, view: u64, block: &Block) -> Option<Certificate> {
    Some(certificate_by(&bench.genesis, view, Phase::Prepare, block, &[0, 1, 3]))
}

fn in_view(view: u64, phase: Phase, block: &Block) -> Statement {
    let view = View::new(view);
    Statement { phase, view, height: block.header.height, block: block.id() }
}

#[test]
fn a_silent_primary_is_left_when_work_has_waited_for_the_timeout() {
    let mut bench = Bench::new(4, 2);
    bench.work(0..1);
    assert_eq!(after(&mut bench, 1_999).records, []);

    let output = after(&mut bench, 2_000);

    let view_change = asks(&bench.genesis, 2, 1, None);
    assert_eq!(asked(&output), std::slice::from_ref(&view_change));
    assert_eq!(output.records, [Record::ViewChange { view_change }]);
    let status = bench.replica.status();
    assert_eq!((status.view.get(), status.entered, status.voting), (1, false, false));
}

#[test]
fn without_work_nobody_is_left_however_long_it_takes() {
    let mut bench = Bench::new(4, 2);
    for ms in [2_000, 4_000, 1 << 40] {
        assert_eq!(after(&mut bench, ms).records, []);
    }
    assert_eq!(view(&bench), 0);
}

/// T45, T41: neither proposals nor votes nor statuses are progress.
#[test]
fn messages_do_not_begin_the_time_anew() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    bench.work(0..1);
    for (ms, message) in [
        (500, pre_prepare(&bench.genesis, &blocks[0])),
        (1_000, prepare(&bench.genesis, 1, &blocks[0])),
        (1_500, vote_message(&bench.genesis, 0, Phase::Commit, 1, &blocks[0])),
        (1_900, pre_prepare(&bench.genesis, &blocks[1])),
    ] {
        after(&mut bench, ms);
        bench.receive(message);
    }
    assert_eq!(asked(&after(&mut bench, 2_000)).len(), 1);
}

#[test]
fn a_commit_begins_the_time_anew_for_the_work_that_is_left() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 1);
    bench.work(0..2);
    after(&mut bench, 1_900);
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    assert_eq!(asked(&after(&mut bench, 3_899)), []);
    assert_eq!(asked(&after(&mut bench, 3_900)).len(), 1);
}

#[test]
fn a_block_that_was_voted_for_is_work_until_it_is_committed() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    assert_eq!(asked(&after(&mut bench, 2_000)).len(), 1);
}

#[test]
fn who_is_cut_off_from_a_quorum_goes_on_waiting() {
    let mut bench = Bench::new(4, 2);
    bench.work(0..1);
    let status = crate::fixture::status_of(&bench.genesis, 0, |_| {});
    for ms in [2_000, 4_000, 6_000] {
        bench.receive(status.clone());
        assert_eq!(bench.step(tick(NOON + ms)).records, [], "two of four are no quorum");
    }
    bench.hear_all();
    assert_eq!(bench.step(tick(NOON + 7_999)).records, [], "it waits a whole timeout again");
    assert_eq!(asked(&after(&mut bench, 8_000)).len(), 1);
}

#[test]
fn one_validator_alone_stays_in_its_view() {
    let mut bench = Bench::new(1, 0);
    let mut block = chain_of(&bench.genesis, 1).remove(0);
    block.header.timestamp_ms = u64::MAX;
    bench.receive(pre_prepare(&bench.genesis, &block));
    for ms in [2_000, 10_000] {
        assert_eq!(after(&mut bench, ms).records, []);
    }
}

/// T44: t liars alone move nobody, and a huge number moves nobody at all.
#[test]
fn one_more_than_t_move_a_replica_to_the_smallest_of_their_views() {
    let mut bench = Bench::new(7, 6);
    for (replica, asked) in [(3, u64::MAX), (4, 9)] {
        assert_eq!(ask(&mut bench, replica, asked).records, []);
        assert_eq!(view(&bench), 0);
    }
    let output = ask(&mut bench, 5, 5);
    assert_eq!(asked(&output), [asks(&bench.genesis, 6, 5, None)]);
    assert_eq!(view(&bench), 5);
}

#[test]
fn t_replicas_that_ask_for_one_view_after_another_move_nobody() {
    let mut bench = Bench::new(7, 6);
    for asked in 1..50 {
        for replica in [3, 4] {
            assert_eq!(ask(&mut bench, replica, asked).messages, []);
        }
    }
    assert_eq!(view(&bench), 0);
    assert_eq!(bench.replica.peek().view_changes.len(), 2);
}

/// T34: the threshold is passed, not met.
#[test]
fn who_joins_a_view_joins_the_next_one_too_when_enough_are_ahead_of_it() {
    let mut bench = Bench::new(7, 6);
    for (replica, asked) in [(1, 9), (2, 9)] {
        ask(&mut bench, replica, asked);
    }
    let output = ask(&mut bench, 3, 4);
    assert_eq!(asked(&output).iter().map(|a| a.view.get()).collect::<Vec<_>>(), [4]);
    let output = ask(&mut bench, 4, 12);
    assert_eq!(asked(&output).iter().map(|a| a.view.get()).collect::<Vec<_>>(), [9]);
    assert_eq!(view(&bench), 9);
}

/// T38: asking alone starts no timer; a quorum that asks for this view or later ones does.
#[test]
fn who_asks_waits_for_the_view_from_when_a_quorum_asks_for_it_or_for_later_ones() {
    let mut bench = Bench::new(4, 2);
    bench.work(0..1);
    bench.hear_all();
    assert_eq!(progress(&bench.whole_step(tick(NOON + 2_000))), None);
    bench.hear_all();
    bench.step(Input::Timer(Timer::Progress));
    assert_eq!(view(&bench), 1);
    let of = |bench: &Bench, replica, view| {
        let asked = Message::ViewChange(asks(&bench.genesis, replica, view, None));
        Input::Message(crypto::signed::Signed::vouched(asked))
    };
    let second = of(&bench, 3, 1);
    assert_eq!(progress(&bench.whole_step(second)), None);
    let third = of(&bench, 0, 3);
    assert_eq!(progress(&bench.whole_step(third)), Some(4_000), "twice the base");

    assert_eq!(asked(&after(&mut bench, 5_999)), []);
    let output = after(&mut bench, 6_000);
    assert_eq!(asked(&output), [asks(&bench.genesis, 2, 2, None)]);
}

#[test]
fn the_time_in_a_new_view_runs_until_its_first_commit() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(pre_prepare(&bench.genesis, &block));
    bench.enter(1, prepared(&bench, 0, &block));
    assert_eq!(bench.replica.status().timeout_ms, 4_000);
    assert_eq!(asked(&after(&mut bench, 3_999)), []);
    assert_eq!(asked(&after(&mut bench, 4_000)).len(), 1);
    assert_eq!(bench.replica.status().timeout_ms, 8_000);
    bench.step(Input::Blocks(vec![bench.proved(&block)]));
    assert_eq!(bench.replica.status().timeout_ms, 2_000);
}

#[test]
fn the_last_view_there_is_is_never_left() {
    let mut bench = Bench::new(4, 1);
    bench.work(0..1);
    bench.enter(u64::MAX - 1, None);
    after(&mut bench, 3_000);
    assert_eq!(asked(&after(&mut bench, 4_000)).len(), 1);
    for replica in [0, 3] {
        ask(&mut bench, replica, u64::MAX);
    }
    for second in 5..60 {
        assert_eq!(after(&mut bench, 1_000 * second).messages, []);
    }
    assert_eq!(view(&bench), u64::MAX);
}

/// T35, and the rule that there is never a second one, over a restart too.
#[test]
fn the_primary_of_a_view_says_once_that_a_quorum_asks_for_it() {
    let mut bench = Bench::new(4, 1);
    assert_eq!(new_views(&ask(&mut bench, 2, 1)), []);
    let output = ask(&mut bench, 3, 1);

    let shown = [1, 2, 3].map(|replica| asks(&bench.genesis, replica, 1, None));
    let made = crate::fixture::new_view(&bench.genesis, 1, shown.to_vec());
    assert_eq!(new_views(&output), std::slice::from_ref(&made));
    let own = asks(&bench.genesis, 1, 1, None);
    let recorded =
        [Record::ViewChange { view_change: own }, Record::NewView { new_view: made.clone() }];
    assert_eq!(output.records, recorded);
    assert!(bench.replica.status().voting);

    assert_eq!(new_views(&ask(&mut bench, 0, 1)), []);
    let again = bench.restart();
    assert_eq!((new_views(&again), again.records), (vec![made], vec![]));
    bench.step(tick(NOON));
    for replica in [0, 2, 3] {
        assert_eq!(new_views(&ask(&mut bench, replica, 1)), []);
    }
}

#[test]
fn who_is_not_primary_of_the_view_says_nothing_about_who_asks() {
    let mut bench = Bench::new(4, 2);
    for replica in [0, 1, 3] {
        assert_eq!(new_views(&ask(&mut bench, replica, 1)), []);
    }
    assert!(!bench.replica.status().entered);
}

/// The view changes that a primary shows are those for its very view.
#[test]
fn view_changes_for_other_views_make_no_new_view() {
    let mut bench = Bench::new(4, 1);
    ask(&mut bench, 2, 1);
    ask(&mut bench, 0, 9);
    assert_eq!(view(&bench), 1);
    assert!(!bench.replica.status().entered);
    assert_eq!(new_views(&ask(&mut bench, 3, 1)).len(), 1);
}

/// Primary 1 of view 1, that voted for a block in view 0, when replica 3 shows a certificate for
/// it.
fn primary_with_tip(phase: Phase) -> (Bench, Block, Output) {
    let mut bench = Bench::new(4, 1);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(pre_prepare(&bench.genesis, &block));
    ask(&mut bench, 2, 1);
    let certificate = certificate_by(&bench.genesis, 0, phase, &block, &[0, 2, 3]);
    let asked = asks(&bench.genesis, 3, 1, Some(certificate));
    let output = bench.receive(Message::ViewChange(asked));
    (bench, block, output)
}

/// T23: unchanged, with the header of the view in which it was first proposed.
#[test]
fn a_primary_proposes_a_prepared_tip_again_unchanged() {
    let (bench, block, output) = primary_with_tip(Phase::Prepare);
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    assert_eq!(proposal.block, block);
    assert_eq!(proposal.vote.statement, in_view(1, Phase::Prepare, &block));
    let kinds: Vec<_> = output.messages.iter().map(|out| out.message.name()).collect();
    assert_eq!(kinds, ["view-change", "new-view", "pre-prepare"]);
    assert_eq!(bench.replica.status().in_flight, 1);
}

/// A certificate of commit votes proves the block: nobody has to vote for it again, and without
/// this a network without further requests would change views for ever.
#[test]
fn a_committed_tip_is_committed_by_its_certificate_and_not_proposed_again() {
    let (mut bench, block, output) = primary_with_tip(Phase::Commit);
    assert!(proposals(&output).is_empty());
    let committed: Vec<_> = output.committed.iter().map(|proved| &proved.block).collect();
    assert_eq!(committed, [&block]);
    let door = types::door::Door::strict(bench.genesis.validators().clone());
    let proved = crypto::signed::Unverified::new(output.committed[0].clone());
    assert!(proved.verify(&door).is_ok());
    assert_eq!(asked(&after(&mut bench, 90_000)), [], "no work is left");
}

#[test]
fn a_primary_goes_on_with_the_child_of_a_committed_tip() {
    let (mut bench, block, _) = primary_with_tip(Phase::Commit);
    let output = bench.work(5..6);
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    let header = &proposal.block.header;
    assert_eq!((header.parent, header.view), (block.id(), View::new(1)));
}

/// T37: its header names an old view and an old proposer, and is as good as on the first day.
#[test]
fn a_tip_is_voted_for_again_in_ten_views_whatever_its_header_says() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(pre_prepare(&bench.genesis, &block));
    let mut certified = 0;
    for view in [1, 3, 4, 5, 7, 8, 9, 11, 12, 13] {
        let output = bench.enter(view, prepared(&bench, certified, &block));
        assert_eq!(said(&output), []);
        let output = bench.receive(proposal_in(&bench.genesis, view, &block));
        assert_eq!(said(&output), [in_view(view, Phase::Prepare, &block)]);
        certified = view;
    }
    for replica in [0, 3] {
        bench.receive(vote_message(&bench.genesis, 13, Phase::Prepare, replica, &block));
        bench.receive(vote_message(&bench.genesis, 13, Phase::Commit, replica, &block));
    }
    assert_eq!(bench.replica.status().committed, Height::new(1));
}

#[test]
fn another_block_in_the_place_of_the_tip_gets_no_vote() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.receive(pre_prepare(&bench.genesis, &block));
    bench.enter(1, prepared(&bench, 0, &block));
    let rival = block_in(&bench.genesis, 1, bench.genesis.header(), &[7]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &rival));
    let (height, refusal) = (Height::new(1), Refusal::NotTheTip);
    assert_eq!(output.ignored, [Ignored::Refused { height, refusal }]);
    assert_eq!(said(&output), []);
}

/// Backup 2, which has voted for two blocks in view 0, in view 1 with the first as its tip.
fn backup_with_tip() -> (Bench, Vec<Block>) {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    bench.enter(1, prepared(&bench, 0, &blocks[0]));
    (bench, blocks)
}

/// T42: what was voted for in an older view binds nobody, and nothing accepted there counts.
#[test]
fn in_a_new_view_a_replica_votes_for_a_child_of_the_tip_and_for_no_other() {
    let (mut bench, blocks) = backup_with_tip();
    let child = block_in(&bench.genesis, 1, &blocks[0].header, &[9]);
    let rival = block_in(&bench.genesis, 1, bench.genesis.header(), &[7]);
    let beside = block_in(&bench.genesis, 1, &rival.header, &[8]);
    for (wrong, refusal) in [(&blocks[1], Refusal::HeaderView), (&beside, Refusal::WrongParent)] {
        let (mut bench, _) = backup_with_tip();
        let output = bench.receive(proposal_in(&bench.genesis, 1, wrong));
        let height = Height::new(2);
        assert_eq!(output.ignored, [Ignored::Refused { height, refusal }]);
        assert_eq!(said(&output), []);
    }
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &blocks[0]));
    assert_eq!(said(&output), [], "votes go upwards");
}

#[test]
fn the_window_is_one_above_the_tip_until_something_commits_in_the_view() {
    let (mut bench, blocks) = backup_with_tip();
    let child = block_in(&bench.genesis, 1, &blocks[0].header, &[9]);
    let grandchild = block_in(&bench.genesis, 1, &child.header, &[10]);
    bench.receive(proposal_in(&bench.genesis, 1, &blocks[0]));
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &grandchild));
    assert_eq!(said(&output), []);

    for replica in [0, 1] {
        bench.receive(vote_message(&bench.genesis, 1, Phase::Commit, replica, &blocks[0]));
    }
    let last = vote_message(&bench.genesis, 1, Phase::Commit, 3, &blocks[0]);
    let output = bench.receive(last);
    assert_eq!(output.committed.len(), 1);
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &grandchild)]);
}

#[test]
fn a_commit_of_an_older_view_does_not_open_the_window() {
    let (mut bench, blocks) = backup_with_tip();
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    let child = block_in(&bench.genesis, 1, &blocks[0].header, &[9]);
    let grandchild = block_in(&bench.genesis, 1, &child.header, &[10]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
    assert_eq!(said(&bench.receive(proposal_in(&bench.genesis, 1, &grandchild))), []);
}

#[test]
fn a_replica_that_has_committed_past_the_tip_goes_on_from_there() {
    let (mut bench, blocks) = backup_with_tip();
    let caught_up = blocks.iter().map(|block| bench.proved(block)).collect();
    bench.step(Input::Blocks(caught_up));
    assert!(bench.replica.status().voting);
    let again = bench.receive(proposal_in(&bench.genesis, 1, &blocks[0]));
    assert_eq!(said(&again), [], "at or below its committed height it never votes");
    let child = block_in(&bench.genesis, 1, &blocks[1].header, &[9]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
}

#[test]
fn a_tip_without_its_body_is_waited_for_and_then_voted_for() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    bench.enter(1, prepared(&bench, 0, &blocks[1]));
    assert_eq!(said(&bench.receive(proposal_in(&bench.genesis, 1, &blocks[1]))), []);
    for (block, votes) in [(&blocks[1], 0), (&blocks[0], 1)] {
        let handover = crate::message::Handover::sign(
            block.clone(),
            types::replica::ReplicaId::new(3),
            bench.genesis.chain(),
            &crate::fixture::key(3),
        );
        assert_eq!(said(&bench.receive(Message::Handover(handover))).len(), votes);
    }
    assert_eq!(bench.ahead(), 2);
}

/// The tip is on another branch than what is committed here: it leads nowhere, and this replica
/// does not vote in the view.
#[test]
fn a_tip_beside_the_committed_chain_ends_the_voting_in_the_view() {
    let mut bench = Bench::new(4, 2);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let blocks = chain_of(&bench.genesis, 2);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    bench.step(Input::Blocks(vec![bench.proved(&rival)]));
    bench.enter(1, prepared(&bench, 0, &blocks[1]));
    assert!(bench.replica.status().entered && !bench.replica.status().voting);
    bench.restart();
    assert!(!bench.replica.status().voting);
}

/// The signers of a certificate of a later view have left this one behind.
#[test]
fn a_certificate_of_a_later_view_moves_a_replica_there_without_letting_it_vote() {
    let mut bench = Bench::new(4, 2);
    let block = block_in(&bench.genesis, 5, bench.genesis.header(), &[0]);
    let certificate = certificate_by(&bench.genesis, 5, Phase::Prepare, &block, &[0, 1, 3]);
    let asked = asks(&bench.genesis, 3, u64::MAX, Some(certificate));
    let output = bench.receive(Message::ViewChange(asked));
    let (view, height, block_before) = (View::FIRST, Height::GENESIS, bench.genesis.header().id());
    let left = Record::Left { view, height, block: block_before };
    assert_eq!((output.records, output.messages), (vec![left], vec![]));
    let status = bench.replica.status();
    assert_eq!((status.view.get(), status.entered, status.voting), (5, false, false));
    assert_eq!(said(&bench.receive(proposal_in(&bench.genesis, 5, &block))), []);

    bench.enter(5, None);
    let output = bench.receive(proposal_in(&bench.genesis, 5, &block));
    assert_eq!(said(&output), [in_view(5, Phase::Prepare, &block)]);
}

#[test]
fn a_block_committed_in_a_later_view_moves_a_replica_there_too() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let mut proved = bench.proved(&blocks[0]).into_inner();
    proved.proof.certificate =
        certificate_by(&bench.genesis, 3, Phase::Commit, &blocks[0], &[0, 1, 3]);
    let output = bench.step(Input::Blocks(vec![crypto::signed::Signed::vouched(proved)]));
    assert_eq!(output.committed.len(), 1);
    let status = bench.replica.status();
    assert_eq!((status.view.get(), status.entered), (3, false));
    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[1]));
    assert_eq!(said(&output), []);
}

#[test]
fn who_has_left_its_chain_votes_again_in_the_next_view() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 1);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.step(Input::Blocks(vec![bench.proved(&rival)]));
    assert!(!bench.replica.status().voting);
    bench.enter(1, prepared(&bench, 0, &rival));
    let child = block_in(&bench.genesis, 1, &rival.header, &[9]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
}

#[test]
fn who_has_retired_asks_for_nothing_and_joins_nobody() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    bench.work(0..1);
    bench.receive(prepare(&bench.genesis, 2, &block));
    assert!(bench.replica.status().retired);
    assert_eq!(after(&mut bench, 2_000).messages, []);
    for replica in [0, 1, 3] {
        let asked = asks(&bench.genesis, replica, 1, None);
        assert_eq!(bench.receive(Message::ViewChange(asked)).messages, []);
    }
}

/// T33: others go on in the view that this replica alone has left.
#[test]
fn who_asks_alone_follows_the_others_and_comes_back_with_their_next_view() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    bench.work(0..1);
    after(&mut bench, 2_000);
    let caught_up = blocks.iter().map(|block| bench.proved(block)).collect();
    assert_eq!(bench.step(Input::Blocks(caught_up)).committed.len(), 2);
    assert_eq!((view(&bench), bench.replica.status().entered), (1, false));
    let shown: Vec<ViewChange> =
        [0, 1, 3].map(|replica| asks(&bench.genesis, replica, 1, None)).to_vec();
    let made = crate::fixture::new_view(&bench.genesis, 1, shown);
    bench.receive(Message::NewView(made));
    let child = block_in(&bench.genesis, 1, &blocks[1].header, &[9]);
    let output = bench.receive(proposal_in(&bench.genesis, 1, &child));
    assert_eq!(said(&output), [in_view(1, Phase::Prepare, &child)]);
}

/// Deviation 5: what is shown is the highest certificate, of whichever kind, and never a lower one.
#[test]
fn who_asks_shows_its_highest_certificate() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    for block in blocks.iter().rev() {
        bench.receive(prepare(&bench.genesis, 1, block));
    }
    let output = after(&mut bench, 2_000);
    let certified: Vec<_> = asked(&output).iter().map(ViewChange::certified).collect();
    assert_eq!(certified, [Some(in_view(0, Phase::Prepare, &blocks[1]))]);
}

#[test]
fn requests_of_an_abandoned_branch_wait_again() {
    let mut bench = Bench::new(4, 2);
    bench.work(0..1);
    let block = block_on(&bench.genesis, bench.genesis.header(), &[0]);
    bench.receive(pre_prepare(&bench.genesis, &block));
    let pending = |bench: &Bench| {
        types::application::Application::pending(bench.replica.application()).transactions
    };
    assert_eq!(pending(&bench), 0);
    bench.enter(1, None);
    assert_eq!((pending(&bench), bench.replica.application().layers()), (1, 0));
}

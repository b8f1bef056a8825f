use super::*;

/// A plan at this height whose peers have shown that they have blocks.
fn flowing(committed: u64, target: u64) -> Plan<u64> {
    let mut plan = Plan::new(height(committed));
    plan.flowing = true;
    plan.hint(height(target));
    plan
}

const fn height(number: u64) -> Height {
    Height::new(number)
}

/// Asks a peer for the lowest gap; its first height and its length.
fn ask(plan: &mut Plan<u64>, peer: u16) -> (u64, u32) {
    let range = plan.missed(10).unwrap();
    plan.ask(ReplicaId::new(peer), range, Reason::Missed);
    (range.from.get(), range.count)
}

/// A peer gives so many blocks from this height on, of ten asked for.
fn give(plan: &mut Plan<u64>, peer: u16, from: u64, count: u64) {
    plan.answered(ReplicaId::new(peer));
    let asked = Range { from: height(from), count: 10 };
    plan.arrived(asked, height(from + count - 1), from);
}

#[test]
fn ranges_follow_each_other_up_to_the_height_that_was_said() {
    let mut plan = flowing(100, 125);

    let asked: Vec<_> = (0..3).map(|peer| ask(&mut plan, peer)).collect();

    assert_eq!(asked, [(101, 10), (111, 10), (121, 10)]);
    assert_eq!(plan.missed(10), None);
}

#[test]
fn blocks_are_handed_over_in_order_whatever_the_order_of_answers() {
    let mut plan = flowing(0, 30);
    for peer in 0..3 {
        ask(&mut plan, peer);
    }

    give(&mut plan, 2, 21, 10);
    give(&mut plan, 1, 11, 10);
    assert_eq!(plan.hand_over(), None);
    give(&mut plan, 0, 1, 10);

    let handed: Vec<_> = std::iter::from_fn(|| plan.hand_over()).collect();
    assert_eq!(handed, [1, 11, 21]);
    assert_eq!(plan.next(), height(31));
}

#[test]
fn the_rest_of_a_short_answer_is_asked_for_before_anything_above() {
    let mut plan = flowing(0, 100);
    for peer in 0..2 {
        ask(&mut plan, peer);
    }

    give(&mut plan, 0, 1, 4);

    assert_eq!(ask(&mut plan, 2), (5, 6));
    assert_eq!(ask(&mut plan, 3), (21, 10));
}

#[test]
fn the_heights_of_a_bad_answer_are_asked_for_before_anything_above() {
    let mut plan = flowing(0, 100);
    for peer in 0..3 {
        ask(&mut plan, peer);
    }

    plan.answered(ReplicaId::new(1));

    assert_eq!(ask(&mut plan, 3), (11, 10));
}

#[test]
fn there_is_no_room_for_more_ranges_than_the_bounds() {
    let mut plan = flowing(0, 1_000);
    for peer in 0..4 {
        ask(&mut plan, peer);
    }
    assert!(!plan.has_room(), "asked at once");

    // The lowest one does not come; the others always do.
    for round in 1..8 {
        assert!(plan.asked.len() < ASKED_MAX || !plan.has_room());
        let Some((peer, (range, _))) = plan.asked.pop_last() else {
            break;
        };
        if range.from == height(1) {
            plan.ask(peer, range, Reason::Missed);
            break;
        }
        give(&mut plan, peer.get(), range.from.get(), 10);
        if plan.has_room() {
            ask(&mut plan, 10 + round);
        }
    }
    assert_eq!(plan.asked.len() + plan.ready.len(), RANGES_MAX);
    assert!(!plan.has_room());

    // The one that all wait for fails: there is room to ask for it again, and for nothing else.
    let (lowest, _) = plan.asked.pop_first().unwrap();
    plan.answered(lowest);
    assert!(plan.has_room());
    assert_eq!(ask(&mut plan, 50), (1, 10));
    assert!(!plan.has_room());
}

#[test]
fn what_was_handed_over_takes_room_until_it_is_durable() {
    let mut plan = flowing(0, 1_000);
    for range in 0..8 {
        ask(&mut plan, range);
        give(&mut plan, range, u64::from(range) * 10 + 1, 10);
        assert!(plan.hand_over().is_some());
    }
    assert!(!plan.has_room());

    plan.see(height(80), height(9));
    assert!(!plan.has_room(), "committed is not durable");
    plan.see(height(80), height(10));
    assert!(plan.has_room());
}

#[test]
fn one_range_is_asked_for_until_blocks_have_become_durable() {
    let mut plan = Plan::new(height(0));
    plan.hint(height(u64::MAX));
    assert_eq!(ask(&mut plan, 0), (1, 10));
    assert_eq!(plan.missed(10), None);

    give(&mut plan, 0, 1, 10);
    assert_eq!(plan.missed(10), None);
    assert!(plan.hand_over().is_some());
    assert_eq!(plan.missed(10), None);
    plan.see(height(10), height(10));

    assert_eq!(ask(&mut plan, 0), (11, 10));
    assert_eq!(ask(&mut plan, 1), (21, 10));
}

#[test]
fn a_height_that_nobody_has_is_not_pursued_until_it_is_said_again() {
    let mut plan = flowing(0, 50);

    plan.give_up();
    assert_eq!(plan.missed(10), None);

    plan.hint(height(50));
    assert!(plan.missed(10).is_some());
    plan.hint(height(0));
    assert_eq!(plan.missed(10), None, "the newest word counts");
}

#[test]
fn a_whole_answer_is_a_sign_of_more_and_a_short_one_is_not() {
    let mut plan = flowing(0, 1);
    ask(&mut plan, 0);
    give(&mut plan, 0, 1, 9);
    plan.hand_over();
    assert_eq!(plan.missed(10), None);

    plan.hint(height(10));
    ask(&mut plan, 0);
    give(&mut plan, 0, 10, 10);
    assert_eq!(ask(&mut plan, 0), (20, 10));
}

#[test]
fn what_was_committed_by_votes_meanwhile_is_neither_asked_for_nor_handed_over() {
    let mut plan = flowing(0, 100);
    ask(&mut plan, 0);
    ask(&mut plan, 1);
    give(&mut plan, 0, 1, 10);

    plan.see(height(25), height(25));

    assert_eq!(plan.hand_over(), None);
    assert_eq!(ask(&mut plan, 2), (26, 10));
    give(&mut plan, 1, 11, 10);
    assert!(plan.ready.is_empty());
}

#[test]
fn blocks_that_the_core_does_not_commit_are_forgotten() {
    let mut plan = flowing(0, 100);
    for peer in 0..3 {
        ask(&mut plan, peer);
    }
    give(&mut plan, 0, 1, 10);
    give(&mut plan, 2, 21, 10);
    plan.hand_over();
    plan.answered(ReplicaId::new(1));
    assert!(plan.waits_above(height(0)));

    plan.begin_again(height(0));

    assert!(plan.is_idle());
    assert_eq!(plan.missed(10), None);
    plan.hint(height(100));
    assert_eq!(ask(&mut plan, 0), (1, 10));
}

#[test]
fn a_greeting_covers_no_height() {
    let mut plan = Plan::new(height(0));
    let range = Range { from: height(1), count: 10 };
    plan.ask(ReplicaId::new(0), range, Reason::Greeting);
    plan.hint(height(5));

    assert_eq!(ask(&mut plan, 1), (1, 10));
    give(&mut plan, 0, 1, 10);
    give(&mut plan, 1, 1, 10);
    assert_eq!(plan.hand_over(), Some(1));
    assert_eq!(plan.hand_over(), None);
}

#[test]
fn heights_at_the_end_of_numbers_do_no_harm() {
    let mut plan = flowing(u64::MAX - 1, u64::MAX);

    assert_eq!(ask(&mut plan, 0), (u64::MAX, 10));
    let range = Range { from: height(u64::MAX), count: u32::MAX };
    plan.arrived(range, height(u64::MAX), 1);
    plan.see(height(u64::MAX), height(u64::MAX));

    assert_eq!(plan.hand_over(), Some(1));
    assert_eq!(plan.hand_over(), None);
}

/// The peer with the lowest range fell silent, and meanwhile the others had nothing more.
#[test]
fn what_is_kept_is_not_given_up_with_what_is_hoped_for() {
    let mut plan = flowing(0, 100);
    assert_eq!(ask(&mut plan, 0), (1, 10));
    assert_eq!(ask(&mut plan, 1), (11, 10));
    give(&mut plan, 1, 11, 10);
    plan.give_up();
    assert_eq!(plan.missed(10), None, "the gap is still asked for");

    plan.answered(ReplicaId::new(0));

    assert_eq!(ask(&mut plan, 2), (1, 10));
    give(&mut plan, 2, 1, 10);
    assert!(plan.hand_over().is_some() && plan.hand_over().is_some());
    assert_eq!(plan.missed(10), None, "and nothing above");
}

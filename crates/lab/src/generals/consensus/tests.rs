//! Four generals bear a commander who lies and three do not; by majority five do not.

use super::*;

fn agreed(n: u16, traitors: &[u16], quorum: QuorumRule, seed: u64) -> Agreement {
    agree(n, traitors.iter().copied().collect(), Order::Attack, quorum, seed).unwrap()
}

#[test]
fn a_network_above_three_t_decides_whoever_lies() {
    for (n, sets) in [(4, &[&[][..], &[0], &[3]][..]), (5, &[&[0], &[2]]), (7, &[&[0, 1], &[5, 6]])]
    {
        for traitors in sets {
            for seed in 0..4 {
                let agreement = agreed(n, traitors, QuorumRule::Kept, seed);

                assert!(agreement.holds(), "seed {seed}\n{agreement}");
                assert_eq!(agreement.decisions.len(), usize::from(n) - traitors.len());
                if !traitors.contains(&0) {
                    let orders: BTreeSet<Order> = agreement.decisions.into_values().collect();
                    assert_eq!(orders, [Order::Attack].into());
                }
            }
        }
    }
}

#[test]
fn three_generals_fork_when_the_commander_lies() {
    let agreement = agreed(3, &[0], QuorumRule::Kept, 0);

    assert!(!agreement.judgement.ic1 && !agreement.holds(), "{agreement}");
    let decisions: BTreeSet<Order> = agreement.decisions.into_values().collect();
    assert_eq!(decisions.len(), 2);
    assert!(agreement.broken[0].starts_with("S1"), "{:?}", agreement.broken);
}

#[test]
fn five_generals_fork_by_majority_and_not_by_the_rule_that_is_kept() {
    let forks = |rule| (0..6).filter(|seed| !agreed(5, &[0], rule, *seed).judgement.ic1).count();

    assert_eq!(forks(QuorumRule::Kept), 0);
    assert!(forks(QuorumRule::NaiveMajority) > 0);
}

#[test]
fn silence_halts_where_the_loyal_ones_are_no_quorum() {
    let agreement = agreed(5, &[3, 4], QuorumRule::Kept, 0);

    assert_eq!(agreement.undecided, [0, 1, 2], "{agreement}");
    assert!(agreement.judgement.holds() && !agreement.holds());
    assert!(agreement.broken[0].starts_with("L1"), "{:?}", agreement.broken);
}

#[test]
fn a_seed_tells_the_same_story_twice_and_the_order_is_in_it() {
    let (one, again) = (agreed(4, &[0], QuorumRule::Kept, 3), agreed(4, &[0], QuorumRule::Kept, 3));

    assert_eq!(one, again);
    assert!(one.story.iter().any(|line| line.starts_with("the commander proposes retreat, to")));
    assert!(one.story.iter().any(|line| line.starts_with("the commander proposes attack, to")));
}

//! The paper's theorems on small numbers, its formulas, and traitors who must not get through.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const TRIES: u64 = 300_000;

fn battle(n: u16, m: u16, method: Method, order: Order, traitors: &[u16]) -> Battle {
    Battle::new(n, m, method, order, traitors.iter().copied().collect()).unwrap()
}

#[test]
fn oral_messages_are_as_many_as_the_formula_says_whoever_lies() {
    for n in 2..=7 {
        for m in 0..=2 {
            // Written out once more, not taken from the code.
            let (a, b, c) = (u64::from(n) - 1, u64::from(n) - 2, u64::from(n).saturating_sub(3));
            let expected = [a, a * b, a * b * c];
            for traitors in [&[][..], &[0], &[1], &[0, 1]] {
                for lies in [Lies::Contrary, Lies::Seed(7)] {
                    let report = battle(n, m, Method::Oral, Order::Attack, traitors).fight(lies);

                    let sum: u64 = expected.iter().take(usize::from(m) + 1).sum();
                    assert_eq!(
                        u64::try_from(report.messages.len()).unwrap(),
                        sum,
                        "n = {n}, m = {m}"
                    );
                    assert_eq!(
                        report.count.rounds,
                        expected[..=usize::from(m)],
                        "n = {n}, m = {m}"
                    );
                    assert_eq!(report.count.formula, report.count.rounds);
                }
            }
        }
    }
}

/// Each lieutenant passes on one order once, so loyal generals need far fewer than the paper allows.
#[test]
fn signed_messages_are_as_many_as_loyal_generals_need_and_never_more_than_the_formula() {
    for n in 2..=7 {
        for m in 0..=2 {
            let loyal = battle(n, m, Method::Signed, Order::Attack, &[]).fight(Lies::Contrary);
            let (a, b) = (u64::from(n) - 1, u64::from(n) - 2);
            let expected = [a, a * b, 0];
            assert_eq!(loyal.count.rounds, expected[..=usize::from(m)], "n = {n}, m = {m}");

            for seed in 0..20 {
                let who = if seed % 2 == 0 { [0] } else { [1] };
                let signed = battle(n, m, Method::Signed, Order::Attack, &who);
                // Two orders go round when the commander lies; of each at most what the formula says.
                let Count { rounds, formula } = signed.fight(Lies::Seed(seed)).count;
                let allowed = |(sent, allowed): (&u64, &u64)| *sent <= 2 * *allowed;
                assert!(rounds.iter().zip(&formula).all(allowed), "{rounds:?} of {formula:?}");
            }
        }
    }
}

#[test]
fn three_generals_cannot_bear_one_traitor_by_word_of_mouth() {
    let Worst { exhaustive, first, broke_ic2, .. } = worst(3, 1, 1, Method::Oral, TRIES).unwrap();

    assert!(exhaustive && broke_ic2 > 0);
    let first = first.unwrap();
    assert_eq!(first.battle.traitors.len(), 1);
    assert!(!first.judgement.holds());
}

#[test]
fn the_papers_example_of_three_generals_is_the_default() {
    let report = battle(3, 1, Method::Oral, Order::Attack, &[2]).fight(Lies::Contrary);

    assert_eq!(report.judgement, Judgement { ic1: true, ic2: Some(false) });
    let words: Vec<String> =
        report.messages.iter().map(|sent| sent.in_words(Method::Oral)).collect();
    assert_eq!(
        words,
        [
            "the commander tells lieutenant 1: attack",
            "the commander tells lieutenant 2: attack",
            "lieutenant 1 tells lieutenant 2: the commander said attack",
            "lieutenant 2 tells lieutenant 1: the commander said retreat (a lie)",
        ]
    );
}

/// With n = 3m the paper's impossibility shows; one general more and nothing that can be said breaks anything.
#[test]
fn oral_messages_bear_m_traitors_exactly_above_three_m_whatever_is_said() {
    let few = 2_000;
    for (n, m, tries, holds) in [
        (3, 1, TRIES, false),
        (4, 1, TRIES, true),
        (5, 1, TRIES, true),
        (6, 1, TRIES, true),
        (5, 2, few, false),
        (6, 2, few, false),
    ] {
        let worst = worst(n, m, m, Method::Oral, tries).unwrap();

        assert_eq!(worst.first.is_none(), holds, "n = {n}, m = {m}");
        assert!(worst.exhaustive || !holds, "n = {n}, m = {m}: {} tried", worst.tried);
    }
}

/// A traitor tells each of the others one of two things, on every path that leads to him: the number of battles is
/// known, so a search that leaves something out is noticed.
#[test]
fn every_lie_is_tried_once() {
    for n in 3..=6_u32 {
        let commander = 1 << (n - 1);
        let lieutenants = u64::from(n - 1) * 2 * (1 << (n - 2));
        let worst = worst(n.try_into().unwrap(), 1, 1, Method::Oral, TRIES).unwrap();
        assert_eq!(worst.tried, commander + lieutenants, "n = {n}");
    }
    // Each of the others, each of the two orders: said or not.
    let worst = worst(4, 1, 1, Method::Signed, TRIES).unwrap();
    assert_eq!(worst.tried, (1 << 6) + 3 * 2 * (1 << 4));
}

#[test]
fn fewer_tries_than_lies_are_no_proof() {
    let worst = worst(4, 1, 1, Method::Oral, 5).unwrap();

    assert!(worst.tried <= 5 && !worst.exhaustive, "{worst:?}");
}

#[test]
fn signed_messages_bear_any_number_of_traitors_whatever_is_said() {
    for (n, m) in [(3, 1), (4, 1), (4, 2), (5, 1)] {
        let worst = worst(n, m, m, Method::Signed, TRIES).unwrap();

        assert!(worst.exhaustive && worst.tried > 10, "n = {n}, m = {m}: {}", worst.tried);
        assert_eq!(worst.first, None, "n = {n}, m = {m}");
    }
}

/// One round too few, and two traitors pass the second order to one lieutenant in the last round.
#[test]
fn signed_messages_need_a_round_for_every_traitor() {
    let worst = worst(4, 1, 2, Method::Signed, TRIES).unwrap();

    assert!(worst.broke_ic1 > 0);
}

#[test]
fn seven_generals_bear_two_traitors_on_many_seeds() {
    for seed in 0..400 {
        for traitors in [[0, 6], [5, 6], [0, 1], [2, 4]] {
            for order in Order::ALL {
                let report = battle(7, 2, Method::Oral, order, &traitors).fight(Lies::Seed(seed));
                assert!(report.judgement.holds(), "seed {seed}, {traitors:?}\n{report}");
            }
        }
    }
}

#[test]
fn a_lieutenant_who_changes_a_signed_order_is_refused_by_all() {
    let report = battle(4, 1, Method::Signed, Order::Attack, &[3]).fight(Lies::Contrary);

    let lies: Vec<_> = report.messages.iter().filter(|sent| sent.lie).collect();
    assert_eq!(lies.len(), 2);
    for lie in lies {
        assert_eq!(lie.refused, Some(Refused::Signature { general: 0 }));
        assert_eq!((lie.path.as_slice(), lie.order), (&[0, 3][..], Order::Retreat));
    }
    assert!(report.judgement.holds());
}

#[test]
fn ed25519_and_the_keyed_hash_give_the_same_battle() {
    for seed in 0..30 {
        let battle = battle(5, 2, Method::Signed, Order::Retreat, &[0, 3]);
        let fast = battle.fight_with(&mut Liar::new(Lies::Seed(seed)), SignerKind::Fast);
        assert_eq!(battle.fight(Lies::Seed(seed)), fast, "seed {seed}");
    }
}

#[test]
fn the_conditions_are_judged_by_what_the_paper_says() {
    let obeyed =
        |orders: &[Order]| -> BTreeMap<u16, Order> { (1..).zip(orders.iter().copied()).collect() };
    let (attack, retreat) = (Order::Attack, Order::Retreat);
    let table = [
        (Some(attack), obeyed(&[attack, attack]), true, Some(true)),
        (Some(retreat), obeyed(&[attack, attack]), true, Some(false)),
        (Some(attack), obeyed(&[attack, retreat]), false, Some(false)),
        (None, obeyed(&[attack, retreat]), false, None),
        (None, obeyed(&[retreat, retreat]), true, None),
        (Some(attack), obeyed(&[]), true, Some(true)),
    ];
    for (commander, obeyed, ic1, ic2) in table {
        let judgement = judge(commander, &obeyed);
        assert_eq!(judgement, Judgement { ic1, ic2 });
        assert_eq!(judgement.holds(), ic1 && ic2 != Some(false));
    }
}

#[test]
fn what_cannot_be_played_is_refused_with_its_reason() {
    let refused = |n, m, traitors: &[u16]| {
        let traitors: BTreeSet<u16> = traitors.iter().copied().collect();
        Battle::new(n, m, Method::Oral, Order::Attack, traitors).unwrap_err()
    };
    assert_eq!(refused(1, 0, &[]), BattleError::Generals { found: 1 });
    assert_eq!(refused(17, 1, &[]), BattleError::Generals { found: 17 });
    assert_eq!(refused(4, 1, &[4]), BattleError::NoSuchGeneral { found: 4, n: 4 });
    let many = refused(16, 4, &[]);
    assert!(many.to_string().contains("OM(4) among 16 generals sends 396075 messages"), "{many}");
    assert!(matches!(refused(16, u16::MAX, &[]), BattleError::TooManyMessages { .. }));
    let traitors = worst(4, 1, 5, Method::Oral, 1).unwrap_err();
    assert_eq!(traitors, BattleError::Traitors { found: 5, n: 4 });
}

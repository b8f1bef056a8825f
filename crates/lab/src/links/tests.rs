//! What gets through.

use std::collections::BTreeMap;

use super::{Links, Party};
use crate::plan::{self, Fate};
use crate::time::Time;

const USUAL: plan::Links = plan::Links {
    delay_min_us: 100,
    delay_max_us: 1_000,
    slow_per_mille: 0,
    loss_per_mille: 0,
    twice_per_mille: 0,
};

const A: Party = Party::Replica(0);
const B: Party = Party::Replica(1);

#[test]
fn a_cut_stops_one_way_until_all_cuts_are_mended() {
    let mut links = Links::new(USUAL, 1);
    links.cut(0, 1);
    links.cut(0, 1);

    assert_eq!(links.send(Time::default(), A, B), [None, None]);
    assert!(links.send(Time::default(), B, A)[0].is_some());
    assert!(!links.mend(0, 1) && links.mend(0, 1));
    assert!(links.send(Time::default(), A, B)[0].is_some());
}

#[test]
fn weather_loses_and_doubles_until_it_is_over() {
    let mut links = Links::new(USUAL, 1);
    links.worsen(Time::from_ms(1), 500, 500, 0);

    let now: Vec<_> = (0..200).map(|_| links.send(Time::default(), A, B)).collect();
    let then: Vec<_> = (0..200).map(|_| links.send(Time::from_ms(1), A, B)).collect();

    assert!(now.iter().any(|[first, _]| first.is_none()));
    assert!(now.iter().any(|[_, second]| second.is_some()));
    assert!(then.iter().all(|[first, second]| first.is_some() && second.is_none()));
}

#[test]
fn after_the_healing_only_the_broken_are_cut_off() {
    let mut links = Links::new(plan::Links { loss_per_mille: 1_000, ..USUAL }, 1);
    links.cut(0, 1);
    links.heal(BTreeMap::from([(2, Fate::Mute), (3, Fate::Deaf)]));

    let mut arrives = |from, to| links.send(Time::default(), from, to)[0].is_some();

    assert!(arrives(A, B) && arrives(B, A));
    assert!(!arrives(Party::Replica(2), A) && arrives(A, Party::Replica(2)));
    assert!(arrives(Party::Replica(3), A) && !arrives(A, Party::Replica(3)));
    assert!(!arrives(Party::Replica(2), Party::Client(0)));
}

#[test]
fn a_slow_way_takes_longer_until_it_is_over_and_the_other_way_does_not() {
    let mut links = Links::new(USUAL, 1);
    links.slow(Time::from_ms(5), (0, 1), 300);
    let mut ms = |at_ms, from, to| {
        let at = Time::from_ms(at_ms);
        links.send(at, from, to)[0].unwrap().us() - at.us()
    };

    assert!((300_100..=301_000).contains(&ms(0, A, B)));
    assert!((100..=1_000).contains(&ms(0, B, A)));
    assert!((100..=1_000).contains(&ms(0, Party::Client(0), B)));
    assert!((100..=1_000).contains(&ms(5, A, B)));
}

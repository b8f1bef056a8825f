//! Who is faulty at which time.
//!
//! A validator is faulty as long as something is wrong with it: it is down, mute, deaf, slow, or it lies. A broken link
//! between two that are not counts as one of its two ends, whichever makes the least: so a partition counts as its
//! smaller side.

use std::collections::BTreeSet;

use crate::situation::Situation;

/// The most who are faulty at one time: when, and who.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faulty {
    /// From when on, in milliseconds.
    pub at_ms: u64,
    /// Who.
    pub who: BTreeSet<u16>,
}

/// Who is faulty at a moment.
pub fn faulty_at(situation: &Situation, validators: u16, at_ms: u64) -> BTreeSet<u16> {
    let mut who: BTreeSet<u16> = situation.liars().into_iter().collect();
    let now = situation.faults.iter().filter(|fault| fault.when.covers(at_ms));
    let now: Vec<_> = now.collect();
    who.extend(now.iter().filter_map(|fault| fault.kind.validator()));
    let broken = now.iter().filter(|fault| fault.kind.validator().is_none());
    let links = broken.flat_map(|fault| {
        [fault.kind.cut_ways(validators), fault.kind.slow_ways(validators).0].concat()
    });
    let links = links.map(|(from, to)| (from.min(to), from.max(to)));
    let links: BTreeSet<(u16, u16)> =
        links.filter(|(one, other)| !who.contains(one) && !who.contains(other)).collect();
    who.extend(fewest_ends(&links.into_iter().collect::<Vec<_>>(), &BTreeSet::new()));
    who
}

/// The most who are faulty at one time.
pub fn worst(situation: &Situation, validators: u16) -> Faulty {
    let mut worst = Faulty::default();
    let edges = situation.faults.iter().map(|fault| fault.when.at_ms).chain([0]);
    for at_ms in edges.collect::<BTreeSet<_>>() {
        let who = faulty_at(situation, validators, at_ms);
        if who.len() > worst.who.len() {
            worst = Faulty { at_ms, who };
        }
    }
    worst
}

/// Who is cut off, slow or down in the last moment of a run, or lies: of them nothing is expected at the end.
pub fn at_the_end(situation: &Situation, validators: u16, run_ms: u64) -> BTreeSet<u16> {
    faulty_at(situation, validators, run_ms.saturating_sub(1))
}

/// The fewest validators such that each of these links has one of them at an end: of the first link either the one or
/// the other, and so on.
fn fewest_ends(links: &[(u16, u16)], chosen: &BTreeSet<u16>) -> BTreeSet<u16> {
    let open = links.iter().find(|(one, other)| !chosen.contains(one) && !chosen.contains(other));
    let Some((one, other)) = open else {
        return chosen.clone();
    };
    let with = |end: &u16| {
        let mut chosen = chosen.clone();
        chosen.insert(*end);
        fewest_ends(links, &chosen)
    };
    let (by_one, by_other) = (with(one), with(other));
    if by_other.len() < by_one.len() { by_other } else { by_one }
}

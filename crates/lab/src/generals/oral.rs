//! OM(m), section 3 of the paper.
//!
//! The paper writes it as a recursion: a lieutenant is the commander of an OM(m − 1) in which he passes on what he was
//! told. Written out, every message has a path, the generals through whose mouths the order went, and nobody is on it
//! twice. So the messages are sent round by round, and the recursion is left to the decision.

use std::collections::BTreeMap;

use super::lies::Liar;
use super::{Battle, COMMANDER, Decision, Order, Sent};

/// What was said, by path and receiver.
type Heard = BTreeMap<(Vec<u16>, u16), Order>;

pub(super) fn fight(battle: &Battle, liar: &mut Liar) -> (Vec<Sent>, Vec<Decision>) {
    let mut heard = Heard::new();
    let mut messages = Vec::new();
    let mut paths = vec![vec![COMMANDER]];
    for round in 1..=battle.m.saturating_add(1) {
        for path in &paths {
            let truth = truth(battle, &heard, path);
            for to in battle.others(path) {
                let order = said(battle, liar, path, to, truth);
                heard.insert((path.clone(), to), order);
                let lie = order != truth;
                messages.push(Sent { round, path: path.clone(), to, order, lie, refused: None });
            }
        }
        paths = paths.iter().flat_map(|path| longer(battle, path)).collect();
    }
    let decide = |lieutenant| {
        let weighed = weigh(battle, &heard, &[COMMANDER], lieutenant);
        Decision { lieutenant, order: majority(&weighed), weighed }
    };
    (messages, battle.loyal_lieutenants().map(decide).collect())
}

/// What the last general of a path was told by the one before him; the commander knows for himself.
fn truth(battle: &Battle, heard: &Heard, path: &[u16]) -> Order {
    match path.split_last() {
        Some((sender, before)) if !before.is_empty() => told(heard, before, *sender),
        Some(_) | None => battle.order,
    }
}

/// What somebody was told; who was told nothing takes it for retreat.
fn told(heard: &Heard, path: &[u16], to: u16) -> Order {
    heard.get(&(path.to_vec(), to)).copied().unwrap_or(Order::Retreat)
}

/// What the last general of a path tells somebody. What traitors tell one another is of no account.
fn said(battle: &Battle, liar: &mut Liar, path: &[u16], to: u16, truth: Order) -> Order {
    let sender = path.last().copied().unwrap_or(COMMANDER);
    if !battle.lies(sender) || battle.lies(to) {
        return truth;
    }
    let contrary = sender != COMMANDER || to % 2 == 1;
    if liar.choose(contrary) { truth.opposite() } else { truth }
}

/// The paths on which each one who was told something passes it on.
fn longer(battle: &Battle, path: &[u16]) -> Vec<Vec<u16>> {
    battle.others(path).map(|next| [path, &[next]].concat()).collect()
}

/// The votes from which a lieutenant takes the majority in the OM that a path has led to: what its commander told him,
/// and what each of the other lieutenants says of the same.
fn weigh(battle: &Battle, heard: &Heard, path: &[u16], lieutenant: u16) -> Vec<Order> {
    let mut votes = vec![told(heard, path, lieutenant)];
    if path.len() <= usize::from(battle.m) {
        for other in battle.others(path).filter(|other| *other != lieutenant) {
            let votes_of_other = weigh(battle, heard, &[path, &[other]].concat(), lieutenant);
            votes.push(majority(&votes_of_other));
        }
    }
    votes
}

/// What more than half say; retreat when nobody has more than half.
fn majority(votes: &[Order]) -> Order {
    let attack = votes.iter().filter(|vote| **vote == Order::Attack).count();
    if attack.saturating_mul(2) > votes.len() { Order::Attack } else { Order::Retreat }
}

//! The two conditions, from the paper's words alone: nothing here knows how anybody came to a decision.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Order;

/// Whether the interactive consistency conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// All loyal lieutenants obey the same order.
    pub ic1: bool,
    /// Every loyal lieutenant obeys the order of a loyal commander; `None` when the commander is a traitor, of which the
    /// condition says nothing.
    pub ic2: Option<bool>,
}

impl Judgement {
    /// Whether nothing is broken.
    pub fn holds(self) -> bool {
        self.ic1 && self.ic2 != Some(false)
    }
}

/// Judges what the loyal lieutenants obey, each by his number. `commander` is the order of a loyal commander, `None` when
/// he is a traitor.
pub fn judge(commander: Option<Order>, obeyed: &BTreeMap<u16, Order>) -> Judgement {
    let attack = obeyed.values().any(|order| *order == Order::Attack);
    let retreat = obeyed.values().any(|order| *order == Order::Retreat);
    let ic2 = commander.map(|given| match given {
        Order::Attack => !retreat,
        Order::Retreat => !attack,
    });
    Judgement { ic1: !(attack && retreat), ic2 }
}

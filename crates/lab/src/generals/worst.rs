//! Everything that traitors can say, one after the other.

use std::collections::BTreeSet;

use serde::Serialize;

use super::lies::Liar;
use super::{Battle, BattleError, COMMANDER, Method, Order, Report};
use crate::keys::SignerKind;

/// What came of trying lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worst {
    /// How many generals there were: n.
    pub n: u16,
    /// How many traitors the algorithm was to bear: m.
    pub m: u16,
    /// How many there were.
    pub traitors: u16,
    /// How messages were sent.
    pub method: Method,
    /// How many battles were played.
    pub tried: u64,
    /// Whether there is no other lie.
    pub exhaustive: bool,
    /// In how many the loyal lieutenants did not all obey the same order.
    pub broke_ic1: u64,
    /// In how many a loyal lieutenant did not obey a loyal commander.
    pub broke_ic2: u64,
    /// The first in which either was so.
    pub first: Option<Report>,
}

/// Plays every battle of `n` generals of whom so many lie: whoever they are, whatever the order is and whatever they say;
/// but no more than `tries_max` of them, each set of traitors having its share. It signs with a keyed hash, for volume.
///
/// A commander who lies says anything anyway, so with him one order stands for both.
///
/// # Errors
///
/// When there cannot be so many generals, traitors or messages.
pub fn worst(
    n: u16,
    m: u16,
    traitors: u16,
    method: Method,
    tries_max: u64,
) -> Result<Worst, BattleError> {
    let (tried, broke_ic1, broke_ic2, first) = (0, 0, 0, None);
    let mut worst =
        Worst { n, m, traitors, method, tried, exhaustive: true, broke_ic1, broke_ic2, first };
    // Before anything is made of them: whether there are so many at all.
    Battle::new(n, m, method, Order::Attack, BTreeSet::new())?;
    if traitors > n {
        return Err(BattleError::Traitors { found: usize::from(traitors), n });
    }
    let mut battles = Vec::new();
    for who in sets(n, traitors) {
        let orders = if who.contains(&COMMANDER) { 1 } else { 2 };
        for order in Order::ALL.into_iter().take(orders) {
            battles.push(Battle::new(n, m, method, order, who.clone())?);
        }
    }
    for (battle, left) in battles.iter().zip((1..=battles.len()).rev()) {
        let share = tries_max.saturating_sub(worst.tried) / u64::try_from(left).unwrap_or(1);
        worst.try_every_lie(battle, share);
    }
    Ok(worst)
}

impl Worst {
    fn try_every_lie(&mut self, battle: &Battle, tries_max: u64) {
        let mut liar = Liar::script();
        for _ in 0..tries_max {
            self.tried += 1;
            let report = battle.fight_with(&mut liar, SignerKind::Fast);
            self.broke_ic1 += u64::from(!report.judgement.ic1);
            self.broke_ic2 += u64::from(report.judgement.ic2 == Some(false));
            if !report.judgement.holds() && self.first.is_none() {
                self.first = Some(report);
            }
            if !liar.next_script() {
                return;
            }
        }
        self.exhaustive = false;
    }
}

/// Every set of so many of the numbers below `n`, `n` at most 16.
fn sets(n: u16, size: u16) -> impl Iterator<Item = BTreeSet<u16>> {
    let masks = (0_u32..1 << n).filter(move |mask| mask.count_ones() == u32::from(size));
    masks.map(move |mask| (0..n).filter(|number| mask >> number & 1 == 1).collect())
}

//! The way between two replicas, or between a client and a replica.
//!
//! Every pair has its own stream of chance. What is sent is lost, arrives once, or twice, each time
//! after a delay of its own, so that later things overtake earlier ones.

use std::collections::BTreeMap;

use crate::plan::{self, Fate};
use crate::time::Time;
use byzantine::Random;

/// All ways of a network.
#[derive(Debug)]
pub(crate) struct Links {
    usual: plan::Links,
    weather: Vec<Weather>,
    lags: Vec<Lag>,
    cuts: BTreeMap<(u16, u16), u32>,
    fates: BTreeMap<u16, Fate>,
    random: BTreeMap<(Party, Party), Random>,
    seed: u64,
    healed: bool,
}

/// Whoever sends or receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Replica(u16),
    Client(u16),
}

/// A time of worse links.
#[derive(Debug, Clone, Copy)]
struct Weather {
    until: Time,
    loss_per_mille: u32,
    twice_per_mille: u32,
    delay_ms: u32,
}

/// A time in which one way takes longer.
#[derive(Debug, Clone, Copy)]
struct Lag {
    until: Time,
    way: (u16, u16),
    delay_ms: u32,
}

/// When something arrives: never, once, or twice.
pub(crate) type Arrivals = [Option<Time>; 2];

impl Links {
    pub(crate) fn new(usual: plan::Links, seed: u64) -> Self {
        Self {
            usual,
            weather: Vec::new(),
            lags: Vec::new(),
            cuts: BTreeMap::new(),
            fates: BTreeMap::new(),
            random: BTreeMap::new(),
            seed,
            healed: false,
        }
    }

    /// When what is sent now arrives.
    pub(crate) fn send(&mut self, now: Time, from: Party, to: Party) -> Arrivals {
        let (mut loss, mut twice, mut delay_ms) =
            (self.usual.loss_per_mille, self.usual.twice_per_mille, 0);
        self.weather.retain(|weather| weather.until > now);
        for weather in &self.weather {
            loss = loss.max(weather.loss_per_mille);
            twice = twice.max(weather.twice_per_mille);
            delay_ms = delay_ms.max(weather.delay_ms);
        }
        let lag_us = self.lag_us(now, from, to);
        // The stream moves on by the same steps, whatever becomes of what is sent.
        let usual = self.usual;
        let random = self.stream(from, to);
        let (lost, again) = (random.chance(loss), random.chance(twice));
        let delays = [delay(random, &usual, delay_ms), delay(random, &usual, delay_ms)];
        if self.is_cut(from, to) || (lost && !self.healed) {
            return [None, None];
        }
        let [first, second] = delays.map(|delay| now.after_us(delay).after_us(lag_us));
        [Some(first), again.then_some(second)]
    }

    /// How much longer a way takes now, in microseconds.
    fn lag_us(&mut self, now: Time, from: Party, to: Party) -> u64 {
        let (Party::Replica(from), Party::Replica(to)) = (from, to) else {
            return 0;
        };
        self.lags.retain(|lag| lag.until > now);
        let lags = self.lags.iter().filter(|lag| lag.way == (from, to));
        lags.map(|lag| u64::from(lag.delay_ms).saturating_mul(1_000)).max().unwrap_or_default()
    }

    fn stream(&mut self, from: Party, to: Party) -> &mut Random {
        let seed = self.seed;
        let make = || Random::stream(seed, "link", &[from.number(), to.number()]);
        self.random.entry((from, to)).or_insert_with(make)
    }

    /// Whether nothing gets through.
    pub(crate) fn is_cut(&self, from: Party, to: Party) -> bool {
        let mute = |party: Party| self.fate(party) == Some(Fate::Mute);
        let deaf = |party: Party| self.fate(party) == Some(Fate::Deaf);
        let pair = match (from, to) {
            (Party::Replica(from), Party::Replica(to)) => self.cuts.contains_key(&(from, to)),
            (Party::Client(_), _) | (_, Party::Client(_)) => false,
        };
        pair || mute(from) || deaf(to)
    }

    fn fate(&self, party: Party) -> Option<Fate> {
        match party {
            Party::Replica(replica) => self.fates.get(&replica).copied(),
            Party::Client(_) => None,
        }
    }

    /// Cuts one way, once more.
    pub(crate) fn cut(&mut self, from: u16, to: u16) {
        let count = self.cuts.entry((from, to)).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes one cut back; whether things get through again.
    pub(crate) fn mend(&mut self, from: u16, to: u16) -> bool {
        let Some(count) = self.cuts.get_mut(&(from, to)) else {
            return false;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.cuts.remove(&(from, to));
            return true;
        }
        false
    }

    /// Worse links for a time.
    pub(crate) fn worsen(&mut self, until: Time, loss: u32, twice: u32, delay_ms: u32) {
        let weather = Weather { until, loss_per_mille: loss, twice_per_mille: twice, delay_ms };
        self.weather.push(weather);
    }

    /// One way takes longer for a time.
    pub(crate) fn slow(&mut self, until: Time, way: (u16, u16), delay_ms: u32) {
        self.lags.push(Lag { until, way, delay_ms });
    }

    /// From now on nothing is lost, but for what replicas that stay broken say or hear.
    pub(crate) fn heal(&mut self, fates: BTreeMap<u16, Fate>) {
        self.healed = true;
        self.weather.clear();
        self.lags.clear();
        self.cuts.clear();
        self.fates = fates;
    }
}

fn delay(random: &mut Random, usual: &plan::Links, delay_ms: u32) -> u64 {
    let us = random.between(usual.delay_min_us.into(), usual.delay_max_us.into());
    let slow = if random.chance(usual.slow_per_mille) { 10 } else { 1 };
    let more = random.below(u64::from(delay_ms).saturating_mul(1_000).saturating_add(1));
    us.saturating_mul(slow).saturating_add(more)
}

impl Party {
    fn number(self) -> u64 {
        match self {
            Self::Replica(replica) => u64::from(replica),
            Self::Client(client) => u64::from(client).saturating_add(1 << 32),
        }
    }
}

#[cfg(test)]
mod tests;

//! What is to be expected of the peers that are asked for blocks.
//!
//! Whoever answers badly or too late rests: twice as long each time, at most [`REST_MAX`], less
//! after every good answer. Nobody rests for ever, and who rests is asked all the same, once per
//! [`REST_MIN`], when nobody else has what is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use types::number::Height;
use types::replica::ReplicaId;

use crate::wire::BLOCKS_MAX;

/// The rest after a first bad answer.
pub(super) const REST_MIN: Duration = Duration::from_secs(1);

/// The longest rest.
pub(super) const REST_MAX: Duration = Duration::from_secs(60);

/// How long a peer is believed to have nothing from some height on, after it has said so.
pub(super) const NOTHING_FOR: Duration = Duration::from_millis(250);

/// How many blocks a peer is asked for first.
const COUNT_FIRST: u32 = 64;

/// The most doublings of a rest.
const DOUBLINGS_MAX: u32 = 6;

/// The most doublings of the time that an answer is waited for.
const PATIENCE_DOUBLINGS_MAX: u32 = 3;

/// What is known of one peer.
#[derive(Debug)]
struct Standing {
    /// Bad answers, less the good ones since.
    failures: u32,
    /// When the last of them was, while it rests, and until when.
    rests: Option<(Instant, Instant)>,
    /// The height from which on it had nothing, and until when that is believed.
    nothing: Option<(Height, Instant)>,
    /// How many blocks it is asked for: as many as it gave of those asked for, or twice as many.
    count: u32,
}

impl Default for Standing {
    fn default() -> Self {
        Self { failures: 0, rests: None, nothing: None, count: COUNT_FIRST }
    }
}

impl Standing {
    fn rests(&self, now: Instant) -> bool {
        self.rests.is_some_and(|(_, until)| now < until)
    }

    /// Whether it may be asked although it rests.
    fn may_be_tried(&self, now: Instant) -> bool {
        self.rests.is_none_or(|(since, _)| now >= since + REST_MIN)
    }

    fn may_have(&self, height: Height, now: Instant) -> bool {
        self.nothing.is_none_or(|(from, until)| height < from || now >= until)
    }
}

/// What is known of all peers: at most one entry for each replica.
#[derive(Debug, Default)]
pub(super) struct Standings {
    standings: BTreeMap<ReplicaId, Standing>,
    /// Who was chosen last: everybody gets his turn.
    chosen: Option<ReplicaId>,
}

impl Standings {
    /// The next one of these peers in a circle to be asked for the block at a height. `None` while
    /// everybody who may have it is asked already, or has been asked too lately.
    pub(super) fn choose(
        &mut self,
        connected: &BTreeSet<ReplicaId>,
        is_asked: impl Fn(ReplicaId) -> bool,
        height: Height,
        now: Instant,
    ) -> Option<ReplicaId> {
        let able = |peer: &ReplicaId| self.get(*peer).is_none_or(|it| it.may_have(height, now));
        let awake = |peer: &ReplicaId| !self.get(*peer).is_some_and(|it| it.rests(now));
        let tried = |peer: &ReplicaId| self.get(*peer).is_none_or(|it| it.may_be_tried(now));
        let able: Vec<_> = connected.iter().copied().filter(able).collect();
        let peers: Vec<_> = if able.iter().any(awake) {
            able.into_iter().filter(awake).collect()
        } else {
            able.into_iter().filter(tried).collect()
        };
        let free: Vec<_> = peers.into_iter().filter(|peer| !is_asked(*peer)).collect();
        let behind = free.iter().find(|peer| Some(**peer) > self.chosen);
        let chosen = behind.or_else(|| free.first()).copied();
        self.chosen = chosen.or(self.chosen);
        chosen
    }

    /// Whether a peer may be asked without a reason: it does not rest, or everybody does.
    pub(super) fn admits(
        &self,
        connected: &BTreeSet<ReplicaId>,
        peer: ReplicaId,
        now: Instant,
    ) -> bool {
        let rests = |peer| self.get(peer).is_some_and(|it| it.rests(now));
        let tried = self.get(peer).is_none_or(|it| it.may_be_tried(now));
        !rests(peer) || (tried && connected.iter().copied().all(rests))
    }

    /// How many blocks a peer is asked for, from 1 to [`BLOCKS_MAX`].
    pub(super) fn count(&self, peer: ReplicaId) -> u32 {
        self.get(peer).map_or(COUNT_FIRST, |standing| standing.count)
    }

    /// How long an answer is waited for: twice as long after every failure, so that an honest peer
    /// behind a slow link is not given up.
    pub(super) fn patience(&self, peer: ReplicaId, shortest: Duration) -> Duration {
        let failures = self.get(peer).map_or(0, |standing| standing.failures);
        shortest.saturating_mul(1 << failures.min(PATIENCE_DOUBLINGS_MAX))
    }

    /// A peer gave so many of the blocks asked for, and all of them hold.
    pub(super) fn good(&mut self, peer: ReplicaId, asked: u32, given: u32) {
        let standing = self.standings.entry(peer).or_default();
        standing.failures = standing.failures.saturating_sub(1);
        standing.rests = None;
        standing.nothing = None;
        let more = if given < asked { given } else { standing.count.saturating_mul(2) };
        standing.count = more.clamp(1, BLOCKS_MAX);
    }

    /// A peer had nothing from this height on.
    pub(super) fn nothing(&mut self, peer: ReplicaId, from: Height, now: Instant) {
        let standing = self.standings.entry(peer).or_default();
        standing.nothing = Some((from, now + NOTHING_FOR));
    }

    /// A peer gave something else than was asked for.
    pub(super) fn bad(&mut self, peer: ReplicaId, now: Instant) {
        let standing = self.standings.entry(peer).or_default();
        let doublings = standing.failures.min(DOUBLINGS_MAX);
        let rest = REST_MIN.saturating_mul(1 << doublings).min(REST_MAX);
        standing.rests = Some((now, now + rest));
        standing.failures = standing.failures.saturating_add(1).min(DOUBLINGS_MAX + 1);
    }

    /// A peer gave no answer in time: it rests as after a bad one, and is asked for less.
    pub(super) fn silent(&mut self, peer: ReplicaId, now: Instant) {
        self.bad(peer, now);
        let standing = self.standings.entry(peer).or_default();
        standing.count = (standing.count / 2).max(1);
    }

    /// A peer could not be asked. That is not held against it.
    pub(super) fn unasked(&mut self, peer: ReplicaId, now: Instant) {
        let standing = self.standings.entry(peer).or_default();
        if !standing.rests(now) {
            standing.rests = Some((now, now + REST_MIN));
        }
    }

    fn get(&self, peer: ReplicaId) -> Option<&Standing> {
        self.standings.get(&peer)
    }
}

#[cfg(test)]
mod tests;

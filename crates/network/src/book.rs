//! Where the other members can be reached, and when each is to be dialled next.
//!
//! Bounded by the number of members and addresses per member. Time comes from outside, as
//! milliseconds since the start. Of two members the one with the lower peer id dials first; the
//! other follows after the shortest wait, in case the first cannot.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::Multiaddr;
use types::replica::ReplicaId;

use crate::announcement::ADDRESSES_MAX;
use crate::identity::Members;

/// Announcements of one validator that come closer together than this are not worth a signature
/// check.
const SPACING_MS: u64 = 50;

/// How long to wait between two attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    pub(crate) min_ms: u64,
    pub(crate) max_ms: u64,
}

/// The other members.
#[derive(Debug)]
pub(crate) struct Book {
    delays: Delays,
    entries: BTreeMap<ReplicaId, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// What it announced last.
    announced: Vec<Multiaddr>,
    /// What we were told by others than itself: bootstrap addresses.
    bootstrap: Vec<Multiaddr>,
    /// What it said on its own connection, or by multicast.
    hints: Vec<Multiaddr>,
    sequence: u64,
    announced_at_ms: Option<u64>,
    dials_first: bool,
    attempts: u32,
    due_ms: u64,
    connected_ms: Option<u64>,
    /// Since when it counts as silent if nothing is heard of it.
    silent_ms: u64,
}

/// Whether an announcement is worth its signature check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It may be news.
    News,
    /// A later one is known.
    Old,
    /// The last one came a moment ago.
    TooSoon,
}

impl Book {
    /// An empty book.
    pub(crate) fn new(members: &Members, delays: Delays) -> Self {
        let entries = members
            .others()
            .map(|(replica, peer)| (replica, Entry::new(members.own_peer < peer)))
            .collect();
        Self { delays, entries }
    }

    /// A bootstrap address: it is dialled at once, since the other side may not know us.
    pub(crate) fn add_bootstrap(&mut self, replica: ReplicaId, address: Multiaddr) {
        if let Some(entry) = self.entries.get_mut(&replica)
            && !entry.bootstrap.contains(&address)
        {
            entry.bootstrap.push(address);
            entry.due_ms = 0;
        }
    }

    /// Whether an announcement with this sequence number is worth a signature check.
    pub(crate) fn worth(&self, replica: ReplicaId, sequence: u64, now_ms: u64) -> Worth {
        let Some(entry) = self.entries.get(&replica) else {
            return Worth::Old;
        };
        if entry.announced_at_ms.is_some() && sequence <= entry.sequence {
            return Worth::Old;
        }
        let soon = entry.announced_at_ms.is_some_and(|at| now_ms.saturating_sub(at) < SPACING_MS);
        if soon { Worth::TooSoon } else { Worth::News }
    }

    /// Takes over a checked announcement. Says whether it is the first of this member.
    pub(crate) fn announce(
        &mut self,
        replica: ReplicaId,
        sequence: u64,
        addresses: Vec<Multiaddr>,
        now_ms: u64,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&replica) else {
            return false;
        };
        let first = entry.announced_at_ms.is_none();
        entry.sequence = sequence;
        entry.announced_at_ms = Some(now_ms);
        if entry.announced != addresses {
            entry.announced = addresses;
            entry.hurry(now_ms, self.delays);
        }
        first
    }

    /// Addresses that the member itself named on its connection, or by multicast.
    pub(crate) fn hint(&mut self, replica: ReplicaId, addresses: Vec<Multiaddr>, now_ms: u64) {
        let Some(entry) = self.entries.get_mut(&replica) else {
            return;
        };
        let news: Vec<Multiaddr> = addresses.into_iter().take(ADDRESSES_MAX).collect();
        if news.iter().any(|address| !entry.hints.contains(address)) {
            entry.hints = news;
            entry.hurry(now_ms, self.delays);
        }
    }

    /// Who is connected at `now_ms`. Whoever was and is no longer is dialled again soon.
    pub(crate) fn set_connected(&mut self, connected: &BTreeSet<ReplicaId>, now_ms: u64) {
        for (replica, entry) in &mut self.entries {
            match (entry.connected_ms, connected.contains(replica)) {
                (None, true) => {
                    entry.connected_ms = Some(now_ms);
                    entry.silent_ms = now_ms;
                }
                (Some(since_ms), false) => {
                    entry.connected_ms = None;
                    entry.lose(now_ms.saturating_sub(since_ms), now_ms, self.delays);
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }

    /// Whom to dial at `now_ms`, where. Each is due again after its wait, which doubles, plus or
    /// minus a quarter by `jitter`, a fresh random number for each.
    pub(crate) fn due(
        &mut self,
        now_ms: u64,
        mut jitter: impl FnMut() -> u64,
    ) -> Vec<(ReplicaId, Vec<Multiaddr>)> {
        let delays = self.delays;
        self.entries
            .iter_mut()
            .filter(|(_, entry)| entry.connected_ms.is_none() && entry.due_ms <= now_ms)
            .filter_map(|(replica, entry)| {
                let addresses = entry.addresses();
                if addresses.is_empty() {
                    return None;
                }
                let wait = entry.wait(delays);
                let spread = (wait / 2).max(1);
                let wait = wait.saturating_sub(wait / 4).saturating_add(jitter() % spread);
                entry.attempts = entry.attempts.saturating_add(1);
                entry.due_ms = now_ms.saturating_add(wait);
                Some((*replica, addresses))
            })
            .collect()
    }

    /// The connected members of whom nothing was heard for `limit_ms`; each is named once per
    /// limit. `heard_ms` says when gossip by or through a member came last.
    pub(crate) fn silent(
        &mut self,
        now_ms: u64,
        limit_ms: u64,
        heard_ms: impl Fn(ReplicaId) -> u64,
    ) -> Vec<ReplicaId> {
        self.entries
            .iter_mut()
            .filter_map(|(replica, entry)| {
                entry.connected_ms?;
                let since = entry.silent_ms.max(heard_ms(*replica));
                (now_ms.saturating_sub(since) > limit_ms).then(|| {
                    entry.silent_ms = now_ms;
                    *replica
                })
            })
            .collect()
    }
}

impl Entry {
    fn new(dials_first: bool) -> Self {
        Self {
            announced: Vec::new(),
            bootstrap: Vec::new(),
            hints: Vec::new(),
            sequence: 0,
            announced_at_ms: None,
            dials_first,
            attempts: 0,
            due_ms: u64::MAX,
            connected_ms: None,
            silent_ms: 0,
        }
    }

    /// Something changed: the next attempt comes soon, and the waits begin anew.
    fn hurry(&mut self, now_ms: u64, delays: Delays) {
        self.attempts = 0;
        let wait = if self.dials_first { 0 } else { delays.min_ms };
        self.due_ms = self.due_ms.min(now_ms.saturating_add(wait));
    }

    /// A connection was lost. After one that did not last the waits go on doubling: whoever refuses
    /// us does so when the connection stands already.
    fn lose(&mut self, lasted_ms: u64, now_ms: u64, delays: Delays) {
        if lasted_ms >= delays.min_ms.saturating_mul(2) {
            self.due_ms = u64::MAX;
            self.hurry(now_ms, delays);
        } else {
            self.due_ms = now_ms.saturating_add(self.wait(delays));
        }
    }

    fn wait(&self, delays: Delays) -> u64 {
        let factor = 1_u64.checked_shl(self.attempts).unwrap_or(u64::MAX);
        delays.min_ms.saturating_mul(factor).min(delays.max_ms)
    }

    fn addresses(&self) -> Vec<Multiaddr> {
        let all = self.announced.iter().chain(&self.hints).chain(&self.bootstrap);
        let mut addresses: Vec<Multiaddr> = Vec::new();
        for address in all {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses
    }
}

#[cfg(test)]
mod tests;

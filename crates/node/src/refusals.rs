//! Which refusals are told: one line for each peer and second, with how many it is about. A peer that
//! sends what is refused as fast as it can would else fill the disk with our own log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use types::replica::ReplicaId;

/// How long a peer's refusals are only counted after a line about them: the longest time in which a
/// validator says where it stands.
const PERIOD: Duration = Duration::from_secs(1);

/// When every peer's refusals were told last, and how many were not. Clones are the same memory;
/// there are never more entries than peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<ReplicaId, Told>>>);

#[derive(Debug)]
struct Told {
    at: Instant,
    since: u64,
}

impl Refusals {
    /// Notes a refusal at `now`. When a line is due: how many it is about, this one included.
    pub(crate) fn note(&self, peer: ReplicaId, now: Instant) -> Option<u64> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = peers.get_mut(&peer) else {
            peers.insert(peer, Told { at: now, since: 0 });
            return Some(1);
        };
        told.since = told.since.saturating_add(1);
        if now.saturating_duration_since(told.at) < PERIOD {
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests;

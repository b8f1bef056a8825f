//! A queue in which peers take turns.
//!
//! What one peer sends waits behind what the same peer sent before, and never behind more than one
//! item of each other peer: a peer that sends much, or what takes long to check, is slow for itself
//! alone. How much waits is bounded by what a peer may have undelivered, or by whoever fills the
//! lane.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use types::replica::ReplicaId;

/// Items of several peers, taken in turns.
#[derive(Debug)]
pub(crate) struct Lane<T> {
    state: Mutex<State<T>>,
    filled: Notify,
}

#[derive(Debug)]
struct State<T> {
    queues: BTreeMap<ReplicaId, Queue<T>>,
    /// Peers of whom something may be taken now, whose turn is next in front.
    turns: VecDeque<ReplicaId>,
    closed: bool,
}

/// What waits of one peer.
#[derive(Debug)]
struct Queue<T> {
    urgent: VecDeque<T>,
    ordinary: VecDeque<T>,
    /// Something of this peer was taken and is not done yet.
    busy: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { urgent: VecDeque::new(), ordinary: VecDeque::new(), busy: false }
    }
}

impl<T> Queue<T> {
    fn pop(&mut self) -> Option<T> {
        self.urgent.pop_front().or_else(|| self.ordinary.pop_front())
    }

    fn len(&self) -> usize {
        self.urgent.len().saturating_add(self.ordinary.len())
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        let state = State { queues: BTreeMap::new(), turns: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), filled: Notify::new() }
    }
}

impl<T> Lane<T> {
    /// Appends what a peer sent.
    pub(crate) fn push(&self, from: ReplicaId, item: T) {
        self.lock().insert(from, |queue| queue.ordinary.push_back(item));
        self.filled.notify_one();
    }

    /// Appends what a peer sent, before everything of the same peer that is not urgent.
    pub(crate) fn push_urgent(&self, from: ReplicaId, item: T) {
        self.lock().insert(from, |queue| queue.urgent.push_back(item));
        self.filled.notify_one();
    }

    /// Appends what a peer sent, unless so much of it waits already: then it comes back.
    pub(crate) fn offer(&self, from: ReplicaId, item: T, waiting_max: usize) -> Result<(), T> {
        let mut state = self.lock();
        if state.queues.get(&from).is_some_and(|queue| queue.len() >= waiting_max) {
            return Err(item);
        }
        state.insert(from, |queue| queue.ordinary.push_back(item));
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for an item. No other of its peer is taken before [`Lane::done`] is said for that peer.
    /// `None` when the lane is closed and empty.
    pub(crate) async fn take(&self) -> Option<(ReplicaId, T)> {
        loop {
            {
                let mut state = self.lock();
                if let Some(taken) = state.next(false) {
                    self.more(&state);
                    return Some(taken);
                }
                if state.closed {
                    // Whoever else waits is to see it too.
                    self.filled.notify_one();
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// What was taken of this peer is done.
    pub(crate) fn done(&self, from: ReplicaId) {
        self.lock().done(from);
        self.filled.notify_one();
    }

    /// Waits for items and takes at most `count`, each peer's in its order, the peers in turns.
    /// None when the lane is closed and empty.
    pub(crate) async fn take_some(&self, count: usize) -> Vec<(ReplicaId, T)> {
        loop {
            self.filled().await;
            let taken = self.take_now(count);
            if !taken.is_empty() || self.lock().closed {
                return taken;
            }
        }
    }

    /// The same without waiting.
    pub(crate) fn take_now(&self, count: usize) -> Vec<(ReplicaId, T)> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        state.take(count, &mut taken);
        self.more(&state);
        taken
    }

    /// Takes what there is, of each peer at most `each`.
    pub(crate) fn take_of_each(&self, each: usize) -> Vec<(ReplicaId, T)> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        for _ in 0..each {
            // One turn of everybody.
            let peers = state.turns.len();
            state.take(peers, &mut taken);
        }
        self.more(&state);
        taken
    }

    /// Waits until there is something to take, or the lane is closed.
    pub(crate) async fn filled(&self) {
        loop {
            {
                let state = self.lock();
                if state.closed || !state.turns.is_empty() {
                    return;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Drops whatever waits of one peer.
    pub(crate) fn forget(&self, from: ReplicaId) {
        let mut state = self.lock();
        let dropped = state.queues.get_mut(&from).map(std::mem::take);
        state.turns.retain(|peer| *peer != from);
        match &dropped {
            Some(Queue { busy: true, .. }) => state.queue(from).busy = true,
            Some(Queue { busy: false, .. }) | None => drop(state.queues.remove(&from)),
        }
        drop(state);
        // What it frees is freed outside of the lock.
        drop(dropped);
    }

    /// Nothing more comes.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Wakes the next taker if something is left for it.
    fn more(&self, state: &State<T>) {
        if !state.turns.is_empty() {
            self.filled.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn queue(&mut self, from: ReplicaId) -> &mut Queue<T> {
        self.queues.entry(from).or_default()
    }

    fn insert(&mut self, from: ReplicaId, push: impl FnOnce(&mut Queue<T>)) {
        let queue = self.queue(from);
        let waits = queue.len() > 0 || queue.busy;
        push(queue);
        if !waits {
            self.turns.push_back(from);
        }
    }

    fn take(&mut self, count: usize, taken: &mut Vec<(ReplicaId, T)>) {
        for _ in 0..count {
            let Some(next) = self.next(true) else {
                return;
            };
            taken.push(next);
        }
    }

    /// What is next; its peer is done at once or stays busy.
    fn next(&mut self, done: bool) -> Option<(ReplicaId, T)> {
        let from = self.turns.pop_front()?;
        let queue = self.queue(from);
        let item = queue.pop()?;
        queue.busy = true;
        if done {
            self.done(from);
        }
        Some((from, item))
    }

    fn done(&mut self, from: ReplicaId) {
        let queue = self.queue(from);
        if !std::mem::take(&mut queue.busy) {
            return;
        }
        if queue.len() > 0 {
            self.turns.push_back(from);
        } else {
            // An empty queue keeps no memory.
            self.queues.remove(&from);
        }
    }
}

#[cfg(test)]
mod tests;

//! The frames that wait to be sent to one peer.
//!
//! Bounded by count and bytes. What does not fit breaks the queue: it forgets everything and takes
//! nothing until it is opened anew, since a stream with a hole in it is worth less than none. The
//! sender learns that from the events of the link.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics::PeerMetrics;

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits.
    Taken,
    /// No stream is open.
    Closed,
    /// It did not fit, and the queue is broken.
    Full,
}

/// A queue with any number of senders and one receiver.
#[derive(Debug)]
pub(crate) struct Queue {
    frames_max: usize,
    bytes_max: usize,
    metrics: PeerMetrics,
    state: Mutex<State>,
    filled: Notify,
    broken: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    frames: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

impl Queue {
    /// A closed queue.
    pub(crate) fn new(frames_max: usize, bytes_max: usize, metrics: PeerMetrics) -> Self {
        Self {
            frames_max,
            bytes_max,
            metrics,
            state: Mutex::default(),
            filled: Notify::new(),
            broken: Notify::new(),
        }
    }

    /// Begins to take frames.
    pub(crate) fn open(&self) {
        self.reset(true);
    }

    /// Forgets everything and takes nothing more.
    pub(crate) fn close(&self) {
        self.reset(false);
    }

    /// Appends a frame; a full queue breaks.
    pub(crate) fn push(&self, frame: Arc<[u8]>) -> Pushed {
        let mut state = self.lock();
        if !state.open {
            return Pushed::Closed;
        }
        let bytes = state.bytes.saturating_add(frame.len());
        if state.frames.len() >= self.frames_max || bytes > self.bytes_max {
            *state = State::default();
            self.measure(&state);
            drop(state);
            self.broken.notify_one();
            return Pushed::Full;
        }
        state.bytes = bytes;
        state.frames.push_back(frame);
        self.measure(&state);
        drop(state);
        self.filled.notify_one();
        Pushed::Taken
    }

    /// Waits for frames and takes as many as fit into `bytes_max`, at least one.
    pub(crate) async fn take(&self, bytes_max: usize, frames: &mut Vec<Arc<[u8]>>) {
        loop {
            self.take_now(bytes_max, frames);
            if !frames.is_empty() {
                return;
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the queue is broken or closed.
    pub(crate) async fn broken(&self) {
        while self.lock().open {
            self.broken.notified().await;
        }
    }

    fn take_now(&self, bytes_max: usize, frames: &mut Vec<Arc<[u8]>>) {
        let mut state = self.lock();
        let mut bytes: usize = 0;
        while let Some(frame) = state.frames.front() {
            let length = frame.len();
            if !frames.is_empty() && bytes.saturating_add(length) > bytes_max {
                break;
            }
            bytes = bytes.saturating_add(length);
            frames.extend(state.frames.pop_front());
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        self.measure(&state);
    }

    fn reset(&self, open: bool) {
        let mut state = self.lock();
        *state = State { open, ..State::default() };
        self.measure(&state);
    }

    fn measure(&self, state: &State) {
        let frames = i64::try_from(state.frames.len()).unwrap_or(i64::MAX);
        let bytes = i64::try_from(state.bytes).unwrap_or(i64::MAX);
        self.metrics.queue_frames.set(frames);
        self.metrics.queue_bytes.set(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

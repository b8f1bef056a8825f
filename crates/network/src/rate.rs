//! How much a peer may send: a bucket of frames and one of bytes, which fill at a fixed rate.

use std::time::Instant;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// One bucket. Its content is counted in billionths, so that no rate loses anything to rounding.
#[derive(Debug)]
struct Bucket {
    per_second: u64,
    capacity: u128,
    content: u128,
}

impl Bucket {
    fn new(per_second: u32, burst_seconds: u32) -> Self {
        let per_second = u64::from(per_second);
        let capacity = u128::from(per_second)
            .saturating_mul(u128::from(burst_seconds))
            .saturating_mul(NANOS_PER_SECOND);
        Self { per_second, capacity, content: capacity }
    }

    fn fill(&mut self, nanos: u128) {
        let more = nanos.saturating_mul(u128::from(self.per_second));
        self.content = self.content.saturating_add(more).min(self.capacity);
    }

    fn take(&mut self, amount: u64) -> bool {
        let cost = u128::from(amount).saturating_mul(NANOS_PER_SECOND);
        match self.content.checked_sub(cost) {
            Some(rest) => {
                self.content = rest;
                true
            }
            None => false,
        }
    }
}

/// What one peer may send in frames.
#[derive(Debug)]
pub(crate) struct Rate {
    frames: Bucket,
    bytes: Bucket,
    filled: Instant,
}

impl Rate {
    /// Full buckets at `now`.
    pub(crate) fn new(
        frames_per_second: u32,
        bytes_per_second: u32,
        burst_seconds: u32,
        now: Instant,
    ) -> Self {
        Self {
            frames: Bucket::new(frames_per_second, burst_seconds),
            bytes: Bucket::new(bytes_per_second, burst_seconds),
            filled: now,
        }
    }

    /// Whether so much may still come at `now`. If not, nothing is taken.
    pub(crate) fn take(&mut self, frames: u64, bytes: u64, now: Instant) -> bool {
        let nanos = now.saturating_duration_since(self.filled).as_nanos();
        self.filled = self.filled.max(now);
        self.frames.fill(nanos);
        self.bytes.fill(nanos);
        self.bytes.content >= u128::from(bytes).saturating_mul(NANOS_PER_SECOND)
            && self.frames.take(frames)
            && self.bytes.take(bytes)
    }
}

#[cfg(test)]
mod tests;

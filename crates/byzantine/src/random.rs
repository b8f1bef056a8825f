//! Numbers that look random and are the same on every run with one seed.
//!
//! Every source of chance has a stream of its own, named after it: a link, a disk, a client. So
//! taking one fault out of a plan changes what that fault changed and does not reshuffle everything
//! else, which is what makes shrinking a failing plan work.

/// One stream: the generator xoshiro256** (Blackman and Vigna), its state taken from a BLAKE3
/// digest of seed and name. Nothing here is a secret.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of this name and these numbers under a seed.
    pub fn stream(seed: u64, name: &str, numbers: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("logothete v1 lab stream");
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        for number in numbers {
            hasher.update(&number.to_le_bytes());
        }
        let mut state = [0; 4];
        let digest = hasher.finalize();
        for (word, bytes) in state.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        }
        Self { state }
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.number()).wrapping_mul(u128::from(bound)) >> 64;
        u64::try_from(wide).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True in so many of 1,000 cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1_000) < u64::from(per_mille)
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).unwrap_or_default();
        items.get(usize::try_from(self.below(count)).ok()?)
    }

    /// A number below `bound` as an index.
    pub fn index(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

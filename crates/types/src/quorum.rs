//! How many are enough: the only arithmetic about n, t and q in the system (protocol page §1).
//!
//! "2t + 1" is right for n = 3t + 1 only; for n = 5 or 6 two such quorums can be disjoint enough to
//! fork. So whoever needs a number asks here, and a test over n = 1..=200 shows why the numbers are
//! enough.

/// The numbers that follow from the number of validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    n: usize,
    t: usize,
    q: usize,
}

impl Quorum {
    /// The numbers for `n` validators, `n` at least 1. For 0, which no genesis has, q is 1 and thus
    /// out of reach.
    pub const fn of(n: usize) -> Self {
        let t = n.saturating_sub(1) / 3;
        // ⌈(n + t + 1) / 2⌉ = ⌊(n + t + 2) / 2⌋, written so that no n overflows.
        let q = n.midpoint(t.saturating_add(2));
        Self { n, t, q }
    }

    /// The numbers with more than half of the validators as q, as popular texts have it. **Not safe**: two such groups
    /// share a member, and that one may lie. It is here to be shown in the lab, and nothing that runs a validator names
    /// it.
    pub const fn naive_majority(n: usize) -> Self {
        let Self { t, .. } = Self::of(n);
        Self { n, t, q: (n / 2).saturating_add(1) }
    }

    /// Validators.
    pub const fn n(self) -> usize {
        self.n
    }

    /// Faults tolerated: ⌊(n − 1) / 3⌋.
    pub const fn t(self) -> usize {
        self.t
    }

    /// Members that make a certificate: ⌈(n + t + 1) / 2⌉. Any two such groups share more than t
    /// members.
    pub const fn q(self) -> usize {
        self.q
    }

    /// The same numbers with another quorum.
    #[cfg(feature = "mutants")]
    pub(crate) const fn with_q(self, q: usize) -> Self {
        Self { q, ..self }
    }

    /// Members whose equal words are the truth, because one of them is not faulty: t + 1.
    pub const fn reply(self) -> usize {
        self.t.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;

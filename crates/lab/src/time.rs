//! Virtual time.

use std::fmt;

/// A moment of a run: microseconds since its beginning. Nothing waits for it to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(u64);

impl Time {
    /// So many microseconds after the beginning.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// So many milliseconds after the beginning.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Microseconds since the beginning.
    pub const fn us(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the beginning.
    pub const fn ms(self) -> u64 {
        self.0 / 1_000
    }

    /// So many microseconds later.
    #[must_use]
    pub const fn after_us(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn after_ms(self, ms: u64) -> Self {
        self.after_us(ms.saturating_mul(1_000))
    }
}

impl fmt::Display for Time {
    /// Milliseconds with three decimals.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03} ms", self.0 / 1_000, self.0 % 1_000)
    }
}

impl serde::Serialize for Time {
    /// Milliseconds.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.ms())
    }
}

//! The two shapes of newtype that occur more than once: a counter, and the name of something by its
//! digest; and the hook at which a test breaks a rule on purpose.

/// A `u64` that counts something and is not interchangeable with other counters.
macro_rules! counter {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[derive(crypto::encoding::Encode, crypto::encoding::Decode)]
        #[bincode(crate = "crypto::encoding")]
        pub struct $name(u64);

        impl $name {
            /// The value with this number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Its number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after it; the greatest is followed by itself.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The one after it, `None` for the greatest: for numbers that nothing may have twice.
            #[must_use]
            pub const fn checked_next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(next) => Some(Self(next)),
                    None => None,
                }
            }

            /// The one `steps` further, or the greatest there is.
            #[must_use]
            pub const fn saturating_add(self, steps: u64) -> Self {
                Self(self.0.saturating_add(steps))
            }

            /// The one `steps` before, or the first.
            #[must_use]
            pub const fn saturating_sub(self, steps: u64) -> Self {
                Self(self.0.saturating_sub(steps))
            }

            /// How many steps it is above `other`; 0 when it is not above.
            pub const fn above(self, other: Self) -> u64 {
                self.0.saturating_sub(other.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

/// The digest by which something is called.
macro_rules! digest_name {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(crypto::encoding::Encode, crypto::encoding::Decode)]
        #[bincode(crate = "crypto::encoding")]
        pub struct $name(crypto::digest::Digest);

        impl $name {
            /// The id with this digest, made elsewhere.
            pub const fn new(digest: crypto::digest::Digest) -> Self {
                Self(digest)
            }

            /// Its digest.
            pub const fn digest(&self) -> &crypto::digest::Digest {
                &self.0
            }

            /// The first 8 hexadecimal characters, for people; never for comparing.
            pub fn short(&self) -> String {
                self.0.short()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0.short())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crypto::HexError;

            fn from_str(text: &str) -> Result<Self, crypto::HexError> {
                text.parse().map(Self)
            }
        }
    };
}

pub(crate) use {counter, digest_name};

/// A place where a mutant breaks a rule: whether one of these is active, or what is done if so; with
/// a body alone, if any mutant is. Without the feature `mutants`, `false` or nothing.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutant {
    ($body:block) => {
        if $crate::mutant::active().is_some() $body
    };
    ($($name:ident)|+ => $body:block) => {
        if $($crate::mutant::is($crate::mutant::Mutant::$name))||+ $body
    };
    ($($name:ident)|+) => {
        ($($crate::mutant::is($crate::mutant::Mutant::$name))||+)
    };
}

/// A place where a mutant would break a rule, in a build that has none.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutant {
    ($body:block) => {};
    ($($name:ident)|+ => $body:block) => {};
    ($($name:ident)|+) => {
        false
    };
}

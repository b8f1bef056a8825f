//! Money: whole numbers of base units inside, decimal text outside, never a float.

use std::fmt;

use crypto::encoding::{Decode, Encode};
use thiserror::Error;

/// Most decimals a denomination has, so that one whole unit always fits an [`Amount`].
pub const DECIMALS_MAX: u8 = 18;

/// Most characters of a symbol.
pub const SYMBOL_BYTES_MAX: usize = 12;

/// An amount in base units. Any number decodes; the whole supply of a network fits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The greatest amount there is.
    pub const MAX: Self = Self(u64::MAX);

    /// So many base units.
    pub const fn new(base_units: u64) -> Self {
        Self(base_units)
    }

    /// Base units.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, `None` when it is more than the greatest amount.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, `None` when it would be less than nothing.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The sum of all, `None` when it is more than the greatest amount.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl fmt::Display for Amount {
    /// Base units, without decimals or symbol: those are the denomination's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Amount({})", self.0)
    }
}

/// How amounts of one network are written: the symbol, and where the decimal point stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[bincode(crate = "crypto::encoding")]
pub struct Denomination {
    symbol: String,
    decimals: u8,
}

/// Why there is no such denomination.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DenominationError {
    /// The symbol is not a letter followed by letters and digits, or too long.
    #[error(
        "symbol {symbol:?} is not 1 to {SYMBOL_BYTES_MAX} ASCII letters and digits that begin with a letter"
    )]
    Symbol {
        /// The symbol given.
        symbol: String,
    },
    /// One whole unit would not fit an amount.
    #[error("{decimals} decimals, at most {DECIMALS_MAX} are possible")]
    Decimals {
        /// The decimals asked for.
        decimals: u8,
    },
}

/// Why a text is not an amount of a denomination.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// There is no text.
    #[error("the amount is empty")]
    Empty,
    /// A plus or minus sign: amounts have none.
    #[error("an amount has no sign, found '{found}'")]
    Sign {
        /// The sign.
        found: char,
    },
    /// A number with an exponent, such as `1e6`.
    #[error("an amount has no exponent, write it out in digits")]
    Exponent,
    /// A comma, which some read as a decimal point and others do not.
    #[error("a comma is ambiguous: write a point before decimals and _ between thousands")]
    Comma,
    /// Letters or anything else that is no digit, such as `NaN`.
    #[error("not a number: found {found:?} at character {position}")]
    NotANumber {
        /// The character.
        found: char,
        /// Its place in the text, counted from 1.
        position: usize,
    },
    /// More than one decimal point.
    #[error("an amount has at most one decimal point")]
    SecondPoint,
    /// No digit before or after the point.
    #[error("a digit is missing before or after the decimal point")]
    MissingDigit,
    /// An underscore that does not stand between two digits.
    #[error("an underscore may only stand between two digits")]
    Underscore,
    /// More decimals than the denomination has.
    #[error("{found} decimals, {symbol} has {decimals}")]
    TooManyDecimals {
        /// Decimals written.
        found: usize,
        /// Decimals there are.
        decimals: u8,
        /// The symbol.
        symbol: String,
    },
    /// More than the greatest amount there is.
    #[error("the amount is too large, at most {amount_max} {symbol} is possible")]
    TooLarge {
        /// The greatest amount, as text.
        amount_max: String,
        /// The symbol.
        symbol: String,
    },
}

impl Denomination {
    /// The denomination with this symbol (1 to 12 ASCII letters and digits, a letter first) and so
    /// many decimals (at most 18).
    ///
    /// # Errors
    ///
    /// When one of them is out of bounds.
    pub fn new(symbol: &str, decimals: u8) -> Result<Self, DenominationError> {
        let begins = symbol.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        let rest = symbol.bytes().all(|b| b.is_ascii_alphanumeric());
        if !begins || !rest || symbol.len() > SYMBOL_BYTES_MAX {
            return Err(DenominationError::Symbol { symbol: symbol.to_owned() });
        }
        if decimals > DECIMALS_MAX {
            return Err(DenominationError::Decimals { decimals });
        }
        Ok(Self { symbol: symbol.to_owned(), decimals })
    }

    /// The symbol, such as `LGT`.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Decimals: base units are 10^decimals to the whole one.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Reads digits with at most one decimal point and underscores between digits: `12`, `12.50`,
    /// `1_000`. Nothing else: no sign, exponent, comma, blank or symbol.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, each kind with its own text. Decimals that do not exist are
    /// refused and never rounded, even zeros.
    pub fn parse(&self, text: &str) -> Result<Amount, AmountError> {
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        check_characters(text)?;
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (text, None),
        };
        if decimals.is_some_and(|decimals| decimals.contains('.')) {
            return Err(AmountError::SecondPoint);
        }
        for part in std::iter::once(whole).chain(decimals) {
            check_part(part)?;
        }
        let decimals = decimals.unwrap_or_default();
        let written = digits(decimals).count();
        let Some(missing) = usize::from(self.decimals).checked_sub(written) else {
            return Err(AmountError::TooManyDecimals {
                found: written,
                decimals: self.decimals,
                symbol: self.symbol.clone(),
            });
        };
        digits(whole)
            .chain(digits(decimals))
            .chain(std::iter::repeat_n(0, missing))
            .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(digit))
            .map(Amount)
            .ok_or_else(|| AmountError::TooLarge {
                amount_max: self.format(Amount::MAX),
                symbol: self.symbol.clone(),
            })
    }

    /// The amount in whole units with all decimals, such as `12.50`: what [`Denomination::parse`]
    /// reads.
    pub fn format(&self, amount: Amount) -> String {
        let decimals = usize::from(self.decimals);
        let digits = format!("{:0>width$}", amount.0, width = decimals.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    /// As [`Denomination::format`], with the symbol behind it: `12.50 LGT`.
    pub fn format_with_symbol(&self, amount: Amount) -> String {
        format!("{} {}", self.format(amount), self.symbol)
    }
}

/// Refuses the first character that no amount has.
fn check_characters(text: &str) -> Result<(), AmountError> {
    for (index, found) in text.chars().enumerate() {
        match found {
            '0'..='9' | '.' | '_' => {}
            '+' | '-' | '\u{2212}' => return Err(AmountError::Sign { found }),
            ',' => return Err(AmountError::Comma),
            'e' | 'E' if index > 0 => return Err(AmountError::Exponent),
            _ => {
                return Err(AmountError::NotANumber { found, position: index.saturating_add(1) });
            }
        }
    }
    Ok(())
}

/// Digits with single underscores between them.
fn check_part(part: &str) -> Result<(), AmountError> {
    if part.starts_with('_') || part.ends_with('_') || part.contains("__") {
        Err(AmountError::Underscore)
    } else if part.is_empty() {
        Err(AmountError::MissingDigit)
    } else {
        Ok(())
    }
}

fn digits(part: &str) -> impl Iterator<Item = u64> {
    part.chars().filter_map(|character| character.to_digit(10)).map(u64::from)
}

#[cfg(test)]
mod tests;

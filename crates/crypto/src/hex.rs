//! Hexadecimal text of fixed-size values: lower case when written, either case when read.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use thiserror::Error;

/// Why a text is not the hexadecimal form of a fixed-size value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HexError {
    /// The text has another number of characters than the value needs.
    #[error("expected {expected} hexadecimal characters, found {found}")]
    Length {
        /// Characters the value needs.
        expected: usize,
        /// Bytes of text found.
        found: usize,
    },
    /// A character is not one of 0-9, a-f, A-F.
    #[error("character {position} is not hexadecimal")]
    Character {
        /// Position in the text, counted from 1.
        position: usize,
    },
}

/// Lower-case text, two characters a byte.
pub(crate) fn format(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Reads exactly `N` bytes.
pub(crate) fn parse<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let expected = N.saturating_mul(2);
    let wrong_length = HexError::Length { expected, found: text.len() };
    if text.len() != expected {
        return Err(wrong_length);
    }
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|error| HexError::Character { position: error.position.saturating_add(1) })?;
    <[u8; N]>::try_from(bytes).map_err(|_| wrong_length)
}

#[cfg(test)]
mod tests;

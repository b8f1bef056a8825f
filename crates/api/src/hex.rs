//! Hexadecimal text of wire bytes, in both directions.

use crypto::encoding::{self, Decode, DecodeError, Encode};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use thiserror::Error;

/// Why a text is not the hexadecimal form of a value's wire bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireTextError {
    /// An odd number of characters, or one that is not a hexadecimal digit.
    #[error("not hexadecimal at character {position}")]
    NotHexadecimal {
        /// Position in the text, counted from 1.
        position: usize,
    },
    /// The bytes are not the canonical form of the value.
    #[error(transparent)]
    Bytes(#[from] DecodeError),
}

/// The lower-case hexadecimal text of `value`'s wire bytes.
pub fn to_hex_wire<T: Encode>(value: &T) -> String {
    HEXLOWER.encode(&encoding::to_wire(value))
}

/// Reads what [`to_hex_wire`] wrote; upper-case digits are read too. At most `bytes_max` bytes are
/// decoded, and the length is judged before anything is allocated.
///
/// # Errors
///
/// As [`WireTextError`] says.
pub fn from_hex_wire<T: Decode<()>>(text: &str, bytes_max: usize) -> Result<T, WireTextError> {
    let bytes = text.len().div_ceil(2);
    if bytes > bytes_max {
        return Err(DecodeError::TooLong { bytes, bytes_max }.into());
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|error| {
        WireTextError::NotHexadecimal { position: error.position.saturating_add(1) }
    })?;
    Ok(encoding::from_wire(&bytes, bytes_max)?)
}

#[cfg(test)]
mod tests;

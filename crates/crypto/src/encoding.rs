//! Canonical bytes: one value, one encoding. The only module that names bincode.
//!
//! bincode's standard configuration with fixed-size little-endian integers: struct fields in order,
//! enums as a `u32` variant number, lengths as `u64`. With these settings whatever decodes encodes
//! to the same bytes again, as long as nothing encoded holds a map, a float, a `usize`, a recursive
//! type or a list of zero-sized elements; none of ours does. Native derive only, no serde.
//!
//! Derive with the traits re-exported here:
//!
//! ```
//! use crypto::encoding::{Decode, Encode};
//!
//! #[derive(Debug, PartialEq, Encode, Decode)]
//! #[bincode(crate = "crypto::encoding")]
//! struct Point {
//!     x: u32,
//!     y: u32,
//! }
//!
//! let bytes = crypto::encoding::encode(&Point { x: 1, y: 2 });
//! assert_eq!(bytes, [1, 0, 0, 0, 2, 0, 0, 0]);
//! assert_eq!(crypto::encoding::decode(&bytes), Ok(Point { x: 1, y: 2 }));
//! ```

pub use bincode::{BorrowDecode, Decode, Encode, de, enc, error};

use bincode::config::{Config, Configuration, Fixint, LittleEndian, NoLimit};
use thiserror::Error;

/// First byte of everything stored or sent; another number means other rules.
pub const FORMAT_VERSION: u8 = 1;

/// Little endian, fixed-size integers: what encoding uses, and what decoding narrows with a limit.
const CANONICAL: Configuration<LittleEndian, Fixint, NoLimit> =
    bincode::config::standard().with_fixed_int_encoding();

/// Why bytes are not a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not even the format version is there.
    #[error("the message is empty")]
    Empty,
    /// Longer than the receiver accepts for this kind of message; nothing was decoded.
    #[error("the message has {bytes} bytes, at most {bytes_max} are accepted")]
    TooLong {
        /// Bytes received, format version included.
        bytes: usize,
        /// Most bytes accepted, format version included.
        bytes_max: usize,
    },
    /// The first byte is not [`FORMAT_VERSION`].
    #[error("the message has format version {found}, this program reads version {FORMAT_VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// The bytes are not an encoding of a value of this type.
    #[error("malformed message: {reason}")]
    Malformed {
        /// What was wrong, as a phrase.
        reason: String,
    },
    /// The value ended before the bytes did.
    #[error("malformed message: {bytes} bytes too many after its end")]
    Trailing {
        /// Bytes left over.
        bytes: usize,
    },
}

/// The canonical bytes of `value`, for hashing and signing.
///
/// # Panics
///
/// Never for the types of this system: encoding fails only for locks, cells and paths, and none of
/// ours holds one.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, CANONICAL).expect("a value made of plain data always encodes")
}

/// How many bytes [`encode`] gives, without making them.
///
/// # Panics
///
/// As [`encode`]: never for the types of this system.
pub fn encoded_bytes<T: Encode>(value: &T) -> usize {
    let mut encoder = enc::EncoderImpl::new(enc::write::SizeWriter::default(), CANONICAL);
    value.encode(&mut encoder).expect("a value made of plain data always encodes");
    encoder.into_writer().bytes_written
}

/// Reads a value from its canonical bytes, all of which must be used.
///
/// Memory while decoding is bounded by 64 times the length of `bytes` (by 4 KiB for tiny ones),
/// whatever lengths they claim: a peer chooses the bytes. The price is that a long list whose
/// elements take more than 16 times their encoded bytes in memory cannot be decoded; nothing of
/// ours comes near it.
///
/// # Errors
///
/// [`DecodeError::Malformed`] when the bytes are not an encoding of a `T` or claim more than the
/// bound, [`DecodeError::Trailing`] when some are left over.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, DecodeError> {
    // bincode takes the limit as a type, so the limits stand on a ladder of powers of four; the
    // rung is the first that is at least 16 times the input.
    let wanted = bytes.len().saturating_mul(16);
    if wanted <= 1 << 12 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 12 }>())
    } else if wanted <= 1 << 14 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 14 }>())
    } else if wanted <= 1 << 16 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 16 }>())
    } else if wanted <= 1 << 18 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 18 }>())
    } else if wanted <= 1 << 20 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 20 }>())
    } else if wanted <= 1 << 22 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 22 }>())
    } else if wanted <= 1 << 24 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 24 }>())
    } else if wanted <= 1 << 26 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 26 }>())
    } else if wanted <= 1 << 28 {
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 28 }>())
    } else {
        // Above 16 MiB of input the bound is 1 GiB and not a multiple: longer inputs are our own
        // files.
        decode_within(bytes, CANONICAL.with_limit::<{ 1 << 30 }>())
    }
}

/// [`FORMAT_VERSION`] and the canonical bytes: the form of everything stored or sent.
///
/// # Panics
///
/// As [`encode`]: never for the types of this system.
pub fn to_wire<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded_bytes(value).saturating_add(1));
    bytes.push(FORMAT_VERSION);
    bincode::encode_into_std_write(value, &mut bytes, CANONICAL)
        .expect("a value made of plain data always encodes into memory");
    bytes
}

/// Reads what [`to_wire`] wrote; `bytes_max` bounds the whole, version byte included.
///
/// # Errors
///
/// Each kind of [`DecodeError`]; the length is judged before anything is decoded.
pub fn from_wire<T: Decode<()>>(bytes: &[u8], bytes_max: usize) -> Result<T, DecodeError> {
    if bytes.len() > bytes_max {
        return Err(DecodeError::TooLong { bytes: bytes.len(), bytes_max });
    }
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT_VERSION, value)) => decode(value),
        Some((&found, _)) => Err(DecodeError::Version { found }),
    }
}

fn decode_within<T: Decode<()>>(bytes: &[u8], config: impl Config) -> Result<T, DecodeError> {
    let (value, used) = bincode::decode_from_slice(bytes, config)
        .map_err(|error| DecodeError::Malformed { reason: reason(error) })?;
    match bytes.len().saturating_sub(used) {
        0 => Ok(value),
        bytes => Err(DecodeError::Trailing { bytes }),
    }
}

/// bincode's error as a phrase; texts written by our own decoders pass unchanged.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an enum of the library, which may grow; the common cases have a phrase, the rest a name"
)]
fn reason(error: error::DecodeError) -> String {
    match error {
        error::DecodeError::UnexpectedEnd { .. } => "it ends early".to_owned(),
        error::DecodeError::LimitExceeded => {
            "it claims more content than its length allows".to_owned()
        }
        error::DecodeError::UnexpectedVariant { type_name, found, .. } => {
            format!("{type_name} has no variant {found}")
        }
        error::DecodeError::Utf8 { inner } => format!("a text is not UTF-8: {inner}"),
        error::DecodeError::InvalidBooleanValue(found) => format!("{found} is not a boolean"),
        error::DecodeError::Other(text) => text.to_owned(),
        error::DecodeError::OtherString(text) => text,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;

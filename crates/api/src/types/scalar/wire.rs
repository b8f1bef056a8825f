//! Values written as the hexadecimal text of their wire bytes.

use std::fmt;
use std::marker::PhantomData;

use crypto::encoding::{Decode, Encode};
use serde::{Deserializer, Serializer, de};

use crate::hex;

/// Longest wire form read, in bytes: a full block with its proof stays below.
pub const WIRE_BYTES_MAX: usize = 8 << 20;

/// Writes the text.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Encode, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::to_hex_wire(value))
}

/// Reads the text.
///
/// # Errors
///
/// When it is not hexadecimal, too long, or not the canonical bytes of a `T`.
pub fn deserialize<'de, T: Decode<()>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(WireVisitor(PhantomData))
}

struct WireVisitor<T>(PhantomData<T>);

impl<T: Decode<()>> de::Visitor<'_> for WireVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hexadecimal text of wire bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        hex::from_hex_wire(text, WIRE_BYTES_MAX).map_err(E::custom)
    }
}

//! Optional values written as the hexadecimal text of their wire bytes.

use crypto::encoding::{Decode, Encode};
use serde::{Deserializer, Serializer};

use super::wire;

/// As [`wire::serialize`], null for none.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Encode, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => wire::serialize(value, to),
        None => to.serialize_none(),
    }
}

/// As [`wire::deserialize`], none for null.
///
/// # Errors
///
/// As [`wire::deserialize`].
pub fn deserialize<'de, T: Decode<()>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let value: Option<Held<T>> = serde::Deserialize::deserialize(from)?;
    Ok(value.map(|held| held.0))
}

struct Held<T>(T);

impl<'de, T: Decode<()>> serde::Deserialize<'de> for Held<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        wire::deserialize(from).map(Self)
    }
}

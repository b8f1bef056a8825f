//! How single values are written in JSON: one serde module for each form.
//!
//! Use them with `#[serde(with = "scalar::text")]`. Reading never allocates more than the text it
//! reads, and refuses what it would have to round or guess.

pub mod readable;
pub mod readable_option;
pub mod wire;
pub mod wire_option;

use std::fmt;

use serde::{Deserializer, Serializer, de};
use types::number::{Height, Nonce, View};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// The largest integer written as a JSON number: 2⁵³, up to which every reader is exact.
pub const JSON_INTEGER_MAX: u64 = 1 << 53;

/// A `u64` with a name, written as an integer up to [`JSON_INTEGER_MAX`] and as decimal text above.
pub trait Counter: Sized {
    /// From its value.
    fn from_u64(value: u64) -> Self;
    /// Its value.
    fn to_u64(&self) -> u64;
}

impl Counter for u64 {
    fn from_u64(value: u64) -> Self {
        value
    }
    fn to_u64(&self) -> u64 {
        *self
    }
}

macro_rules! counters {
    ($($name:ident),*) => {$(
        impl Counter for $name {
            fn from_u64(value: u64) -> Self {
                $name::new(value)
            }
            fn to_u64(&self) -> u64 {
                self.get()
            }
        }
    )*};
}

counters!(Height, Nonce, View);

/// The schema of a [`Counter`]: an integer up to 2⁵³, decimal text above.
#[derive(Debug, Clone, Copy)]
pub struct Integer;

impl PartialSchema for Integer {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0));
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some("^[0-9]{16,20}$"));
        OneOfBuilder::new()
            .item(number)
            .item(text)
            .description(Some(
                "An integer from 0 to 2^64 - 1: a JSON number up to 2^53, decimal text above.",
            ))
            .into()
    }
}

impl ToSchema for Integer {}

/// Reads decimal digits and nothing else: no sign, no space, no separator.
pub fn parse_decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Accepts a JSON integer or decimal text.
struct CounterVisitor;

impl de::Visitor<'_> for CounterVisitor {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an integer of 64 bits, or its decimal text")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse_decimal(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// Integers that may exceed what JSON readers hold exactly.
pub mod whole {
    use super::{Counter, CounterVisitor, Deserializer, JSON_INTEGER_MAX, Serializer};

    /// Writes a number, or text above [`JSON_INTEGER_MAX`].
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: Counter, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        let value = value.to_u64();
        if value <= JSON_INTEGER_MAX { to.serialize_u64(value) } else { to.collect_str(&value) }
    }

    /// Reads a number or its decimal text.
    ///
    /// # Errors
    ///
    /// When it is neither, or does not fit into 64 bits.
    pub fn deserialize<'de, T: Counter, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        from.deserialize_any(CounterVisitor).map(T::from_u64)
    }
}

/// Optional integers; write them with `skip_serializing_if` and `default`.
pub mod whole_option {
    use super::{Counter, Deserializer, Serializer, whole};

    /// As [`whole::serialize`], null for none.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: Counter, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => whole::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    /// As [`whole::deserialize`], none for null.
    ///
    /// # Errors
    ///
    /// As [`whole::deserialize`].
    pub fn deserialize<'de, T: Counter, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let value: Option<Held<T>> = serde::Deserialize::deserialize(from)?;
        Ok(value.map(|held| held.0))
    }

    struct Held<T>(T);

    impl<'de, T: Counter> serde::Deserialize<'de> for Held<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            whole::deserialize(from).map(Self)
        }
    }
}

/// Lists of integers.
pub mod whole_list {
    use super::{Counter, Deserializer, Serializer, whole};

    /// As [`whole::serialize`], one after the other.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: Counter, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Held))
    }

    /// As [`whole::deserialize`], one after the other.
    ///
    /// # Errors
    ///
    /// As [`whole::deserialize`].
    pub fn deserialize<'de, T: Counter, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let values: Vec<Held<T>> = serde::Deserialize::deserialize(from)?;
        Ok(values.into_iter().map(|held| held.0).collect())
    }

    struct Held<T>(T);

    impl<T: Counter> serde::Serialize for Held<&T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            whole::serialize(self.0, to)
        }
    }

    impl<'de, T: Counter> serde::Deserialize<'de> for Held<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            whole::deserialize(from).map(Self)
        }
    }
}

/// Amounts, as decimal text of base units.
pub mod base_units {
    use std::fmt;

    use serde::{Deserializer, Serializer, de};
    use types::amount::Amount;

    use super::parse_decimal;

    /// Writes the base units.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&amount.get())
    }

    /// Reads base units; never a number, which a writer may have rounded.
    ///
    /// # Errors
    ///
    /// When it is not decimal text or does not fit.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        from.deserialize_str(AmountVisitor)
    }

    struct AmountVisitor;

    impl de::Visitor<'_> for AmountVisitor {
        type Value = Amount;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("decimal text of base units")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
            parse_decimal(text)
                .map(Amount::new)
                .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

/// Values with a text form (`Display` and `FromStr`): ids, keys, signatures.
pub mod text {
    use std::fmt;
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::{Deserializer, Serializer, de};

    /// Writes the text.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// What the value's own parser says.
    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        from.deserialize_str(TextVisitor(PhantomData))
    }

    struct TextVisitor<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for TextVisitor<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a text")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    /// One value in an option or a list.
    pub(super) struct Held<T>(pub(super) T);

    impl<T: fmt::Display> serde::Serialize for Held<&T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            serialize(self.0, to)
        }
    }

    impl<'de, T: FromStr<Err: fmt::Display>> serde::Deserialize<'de> for Held<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            deserialize(from).map(Self)
        }
    }
}

/// Optional values with a text form.
pub mod text_option {
    use std::fmt;
    use std::str::FromStr;

    use serde::{Deserializer, Serializer};

    use super::text::{self, Held};

    /// As [`text::serialize`], null for none.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: fmt::Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => text::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    /// As [`text::deserialize`], none for null.
    ///
    /// # Errors
    ///
    /// As [`text::deserialize`].
    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let value: Option<Held<T>> = serde::Deserialize::deserialize(from)?;
        Ok(value.map(|held| held.0))
    }
}

/// Lists of values with a text form.
pub mod text_list {
    use std::fmt;
    use std::str::FromStr;

    use serde::{Deserializer, Serializer};

    use super::text::Held;

    /// As [`super::text::serialize`] for each.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: fmt::Display, S: Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Held))
    }

    /// As [`super::text::deserialize`] for each.
    ///
    /// # Errors
    ///
    /// As [`super::text::deserialize`].
    pub fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let values: Vec<Held<T>> = serde::Deserialize::deserialize(from)?;
        Ok(values.into_iter().map(|held| held.0).collect())
    }
}

#[cfg(test)]
mod tests;

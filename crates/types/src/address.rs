//! Addresses: who holds an account, as 33 bytes and as checksummed text.
//!
//! One type byte and 32 bytes, the same in the canonical encoding and in the text, which is bech32m
//! (BIP-350) with the network's prefix. Type 0 is an Ed25519 public key. Type 1, a hash of a
//! multisignature policy, is reserved: it neither decodes nor parses yet, and says why.

use std::fmt;

use bech32::Bech32m;
use bech32::primitives::decode::{CharError, UncheckedHrpstring, UncheckedHrpstringError};
use bech32::primitives::hrp::Hrp;
use crypto::encoding::{BorrowDecode, Decode, Encode, de, enc, error};
use crypto::keys::{KeyError, PublicKey};
use thiserror::Error;

/// Bytes of an address, type byte included.
pub const ADDRESS_BYTES: usize = 33;

/// Most characters of a prefix.
pub const PREFIX_BYTES_MAX: usize = 16;

/// Characters after the prefix and the `1`: 53 for 33 bytes, 6 of checksum.
const DATA_CHARACTERS: usize = 59;

/// Longest text looked at; an address with the longest prefix is shorter.
const TEXT_BYTES_MAX: usize = 90;

const TYPE_KEY: u8 = 0;
const TYPE_POLICY: u8 = 1;

/// The holder of an account.
///
/// Any 32 bytes decode as a key: whether the key may sign is
/// [asked](crate::transaction::SignedTransaction::check_form) of a transaction's sender, and
/// [`Address::from_text`] asks it of what a person typed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// The holder of one Ed25519 key. Type 0.
    Key(PublicKey),
}

impl Address {
    /// Its 33 bytes.
    pub fn to_bytes(&self) -> [u8; ADDRESS_BYTES] {
        let Self::Key(key) = self;
        let mut bytes = [TYPE_KEY; ADDRESS_BYTES];
        if let Some(rest) = bytes.last_chunk_mut::<32>() {
            *rest = *key.as_bytes();
        }
        bytes
    }

    /// Its text under the network's prefix, such as `rlgt1…`.
    ///
    /// For a prefix that [no genesis can have](check_prefix) there is no such text; then it is the
    /// plain hexadecimal of the 33 bytes, which no parser takes for an address. A prefix may come
    /// from a stranger, so this is no panic.
    pub fn to_text(&self, prefix: &str) -> String {
        let bytes = self.to_bytes();
        check_prefix(prefix)
            .ok()
            .and_then(|()| Hrp::parse(prefix).ok())
            .and_then(|hrp| bech32::encode::<Bech32m>(hrp, &bytes).ok())
            .unwrap_or_else(|| {
                use fmt::Write as _;
                bytes.iter().fold(String::new(), |mut text, byte| {
                    // Writing into a string never fails, so there is nothing to report.
                    let _written = write!(text, "{byte:02x}");
                    text
                })
            })
    }

    /// Reads the text of an address of the network with this prefix. All upper case is accepted, as
    /// BIP-173 asks for the sake of QR codes.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`AddressError`].
    pub fn from_text(prefix: &str, text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(AddressError::TooLong { bytes: text.len() });
        }
        let parsed = UncheckedHrpstring::new(text).map_err(|error| character_error(error, text))?;
        let found = parsed.hrp().to_lowercase();
        if found != prefix {
            return Err(AddressError::WrongPrefix { expected: prefix.to_owned(), found });
        }
        let characters = parsed.data_part_ascii().len();
        if characters != DATA_CHARACTERS {
            return Err(AddressError::Length {
                found: text.len(),
                expected: prefix.len().saturating_add(1).saturating_add(DATA_CHARACTERS),
            });
        }
        let checked =
            parsed.validate_and_remove_checksum::<Bech32m>().map_err(|_| AddressError::Checksum)?;
        checked.validate_segwit_padding().map_err(|_| AddressError::Padding)?;
        let mut bytes = checked.byte_iter();
        let kind = bytes.next().ok_or(AddressError::Padding)?;
        check_kind(kind)?;
        let rest: Vec<u8> = bytes.collect();
        let key = <[u8; 32]>::try_from(rest).map_err(|_| AddressError::Padding)?;
        let key = PublicKey::from_bytes(key);
        key.check()?;
        Ok(Self::Key(key))
    }

    /// The key that signs for it.
    pub const fn key(&self) -> &PublicKey {
        let Self::Key(key) = self;
        key
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Key(key) = self;
        write!(formatter, "Address(key {key})")
    }
}

impl Encode for Address {
    fn encode<E: enc::Encoder>(&self, encoder: &mut E) -> Result<(), error::EncodeError> {
        let Self::Key(key) = self;
        TYPE_KEY.encode(encoder)?;
        key.encode(encoder)
    }
}

impl<C> Decode<C> for Address {
    fn decode<D: de::Decoder<Context = C>>(decoder: &mut D) -> Result<Self, error::DecodeError> {
        check_kind(u8::decode(decoder)?)
            .map_err(|wrong| error::DecodeError::OtherString(wrong.to_string()))?;
        PublicKey::decode(decoder).map(Self::Key)
    }
}

impl<'de, C> BorrowDecode<'de, C> for Address {
    fn borrow_decode<D: de::BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, error::DecodeError> {
        Self::decode(decoder)
    }
}

/// Why a text is not an address, in the order in which it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// There is no text.
    #[error("the address is empty")]
    Empty,
    /// Longer than any address.
    #[error("{bytes} characters are too long for an address")]
    TooLong {
        /// Bytes of text.
        bytes: usize,
    },
    /// Upper and lower case together.
    #[error("the address mixes upper and lower case, which its checksum does not cover")]
    MixedCase,
    /// A character that no address has.
    #[error("character {position} of the address, {found:?}, occurs in no address")]
    Character {
        /// The character.
        found: char,
        /// Its place in the text, counted from 1; 0 when it could not be told.
        position: usize,
    },
    /// No `1` between a prefix and the rest.
    #[error(
        "this is not an address: a prefix, the digit 1 and {DATA_CHARACTERS} characters are expected"
    )]
    NoPrefix,
    /// The address of another network.
    #[error("the address begins with {found:?}, those of this network begin with {expected:?}")]
    WrongPrefix {
        /// The network's prefix.
        expected: String,
        /// The prefix found, in lower case.
        found: String,
    },
    /// Characters are missing or too many.
    #[error("the address has {found} characters instead of {expected}")]
    Length {
        /// Characters an address of this network has.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// The checksum is not that of the rest.
    #[error("the address has a typing error: its checksum does not match")]
    Checksum,
    /// The unused bits at the end are not zero, so this is another text of some other address.
    #[error("the address does not end as one of 33 bytes does")]
    Padding,
    /// Type 1, which has no meaning yet.
    #[error("addresses of type 1 (multisignature policies) are reserved and not supported yet")]
    ReservedType,
    /// A type that does not exist.
    #[error("address type {found} does not exist")]
    UnknownType {
        /// The type byte.
        found: u8,
    },
    /// The key in it may not sign.
    #[error("the address is of an unsound key: {0}")]
    WeakKey(#[from] KeyError),
}

/// Why a text cannot be a network's address prefix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("prefix {found:?} is not 1 to {PREFIX_BYTES_MAX} lower-case ASCII letters")]
pub struct PrefixError {
    /// The text.
    pub found: String,
}

/// Whether a network's addresses may begin with `prefix`: 1 to 16 lower-case ASCII letters, so that
/// the first digit `1` of an address is where the prefix ends.
///
/// # Errors
///
/// [`PrefixError`] when not.
pub fn check_prefix(prefix: &str) -> Result<(), PrefixError> {
    let letters = prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    if letters && !prefix.is_empty() && prefix.len() <= PREFIX_BYTES_MAX {
        Ok(())
    } else {
        Err(PrefixError { found: prefix.to_owned() })
    }
}

fn check_kind(kind: u8) -> Result<(), AddressError> {
    match kind {
        TYPE_KEY => Ok(()),
        TYPE_POLICY => Err(AddressError::ReservedType),
        found => Err(AddressError::UnknownType { found }),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of the library, which may grow; what is left says that there is no prefix"
)]
fn character_error(error: UncheckedHrpstringError, text: &str) -> AddressError {
    // The last 1 is where the prefix ends; without one, it is not about single characters.
    let Some(separator) = text.rfind('1') else {
        return AddressError::NoPrefix;
    };
    match error {
        UncheckedHrpstringError::Char(CharError::MixedCase) => AddressError::MixedCase,
        UncheckedHrpstringError::Char(CharError::InvalidChar(found)) => AddressError::Character {
            found,
            position: text
                .char_indices()
                .position(|(at, character)| at > separator && character == found)
                .map_or(0, |index| index.saturating_add(1)),
        },
        _ => AddressError::NoPrefix,
    }
}

#[cfg(test)]
mod tests;

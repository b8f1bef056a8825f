//! The text form of libp2p peer ids of Ed25519 node keys, so that a genesis can be checked without
//! libp2p.
//!
//! Such an id is base58 (the Bitcoin alphabet) over six fixed bytes and the 32 bytes of the node's
//! public key: an identity multihash (00, 24) of the key's protobuf form (08 01 12 20), see the
//! libp2p specification "Peer Ids and Keys". Node keys of other kinds are not used here. What a
//! node key is for is the business of `network`.

use crypto::keys::{KeyError, PublicKey};
use thiserror::Error;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Identity multihash of 36 bytes; key type Ed25519; 32 bytes of key.
const HEAD: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// Characters of the peer id of any Ed25519 key.
const TEXT_BYTES: usize = 52;

/// Why a text is not the peer id of an Ed25519 node key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerIdError {
    /// Another number of characters than all of them have.
    #[error("a peer id has {TEXT_BYTES} characters, found {found}")]
    Length {
        /// Bytes of text found.
        found: usize,
    },
    /// A character that base58 does not have.
    #[error("character {position} of the peer id, {found:?}, is not base58")]
    Character {
        /// The character.
        found: char,
        /// Its place, counted from 1.
        position: usize,
    },
    /// The bytes are not those of an Ed25519 key.
    #[error("the peer id is not that of an Ed25519 key, which begins with 12D3KooW")]
    OtherKind,
    /// The key in it is unsound.
    #[error("the peer id is of an unsound key: {0}")]
    WeakKey(#[from] KeyError),
}

/// The peer id of a node whose libp2p key is this Ed25519 key.
pub fn of_key(key: &PublicKey) -> String {
    let mut bytes = HEAD.to_vec();
    bytes.extend_from_slice(key.as_bytes());
    to_base58(&bytes)
}

/// The node's public key, read back from its peer id.
///
/// # Errors
///
/// The first thing that is wrong with the text or the key, in the order of [`PeerIdError`].
pub fn key_of(peer_id: &str) -> Result<PublicKey, PeerIdError> {
    let bad = peer_id.chars().enumerate().find(|(_, character)| digit(*character).is_none());
    if let Some((index, found)) = bad {
        return Err(PeerIdError::Character { found, position: index.saturating_add(1) });
    }
    if peer_id.len() != TEXT_BYTES {
        return Err(PeerIdError::Length { found: peer_id.len() });
    }
    let bytes = from_base58(peer_id);
    let key = bytes
        .strip_prefix(&HEAD)
        .and_then(|key| <[u8; 32]>::try_from(key).ok())
        .map(PublicKey::from_bytes)
        .ok_or(PeerIdError::OtherKind)?;
    key.check()?;
    Ok(key)
}

fn to_base58(bytes: &[u8]) -> String {
    // Base 58 digits, the least significant first; every step multiplies the number so far by 256.
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = digit.saturating_mul(256).saturating_add(carry);
            *digit = value % 58;
            carry = value / 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| 0);
    zeros
        .chain(digits.into_iter().rev())
        .filter_map(|digit| ALPHABET.get(usize::try_from(digit).ok()?))
        .map(|character| char::from(*character))
        .collect()
}

fn from_base58(text: &str) -> Vec<u8> {
    // Bytes, the least significant first; every step multiplies the number so far by 58.
    let mut bytes: Vec<u32> = Vec::new();
    for character in text.chars() {
        let mut carry = digit(character).unwrap_or_default();
        for byte in &mut bytes {
            let value = byte.saturating_mul(58).saturating_add(carry);
            *byte = value % 256;
            carry = value / 256;
        }
        while carry > 0 {
            bytes.push(carry % 256);
            carry /= 256;
        }
    }
    let zeros = text.chars().take_while(|character| *character == '1').map(|_| 0);
    zeros.chain(bytes.into_iter().rev()).filter_map(|byte| u8::try_from(byte).ok()).collect()
}

fn digit(character: char) -> Option<u32> {
    let byte = u8::try_from(character).ok()?;
    let index = ALPHABET.iter().position(|letter| *letter == byte)?;
    u32::try_from(index).ok()
}

#[cfg(test)]
mod tests;

//! Words to keys: BIP-39 (English list, empty passphrase) and SLIP-0010 for Ed25519.
//!
//! The key of account `a` is at m/44'/1'/a'/0'/0': coin type 1 is the one for test networks, and
//! Ed25519 has hardened steps only, so nobody can derive public keys from a public key. Fresh words
//! are made from entropy that the caller brings.

use std::fmt;

use bip39::{Language, Mnemonic};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keys::SecretKey;

/// The highest account number: a hardened step has 31 bits.
pub const ACCOUNT_MAX: u32 = HARDENED - 1;

/// The bit that marks a hardened step.
const HARDENED: u32 = 1 << 31;

/// The words a wallet is made from: a secret. Leaves memory when dropped, and is never shown by
/// `Debug`.
pub struct Words {
    text: Zeroizing<String>,
    seed: Zeroizing<[u8; 64]>,
}

impl Words {
    /// Reads 12, 15, 18, 21 or 24 words, in either case, with any white space between them.
    ///
    /// # Errors
    ///
    /// Which word is not in the list, a wrong number of words, or a checksum that does not fit.
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &lower)
            .map_err(|error| WordsError::explain(error, &lower))?;
        Ok(Self::from_mnemonic(&mnemonic))
    }

    /// The 12 words of 128 bits of entropy.
    ///
    /// # Panics
    ///
    /// Never: 16 bytes are a permitted amount.
    pub fn from_entropy(entropy: &[u8; 16]) -> Self {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy)
            .expect("16 bytes of entropy make 12 words");
        Self::from_mnemonic(&mnemonic)
    }

    /// The words in lower case, one space between them: show once, to be written down.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key of an account, `0..=`[`ACCOUNT_MAX`].
    ///
    /// # Panics
    ///
    /// When `account` is above [`ACCOUNT_MAX`]: the same key would have two numbers.
    pub fn account(&self, account: u32) -> SecretKey {
        assert!(
            account <= ACCOUNT_MAX,
            "account {account} is above the highest account number {ACCOUNT_MAX}"
        );
        let key = derive(self.seed.as_slice(), &[44, 1, account, 0, 0]);
        SecretKey::from_seed(*key.secret)
    }

    fn from_mnemonic(mnemonic: &Mnemonic) -> Self {
        // `Mnemonic` clears itself, but its text is a plain string: joined here into one that
        // clears.
        let mut text = Zeroizing::new(String::with_capacity(24 * 9));
        for word in mnemonic.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        Self { text, seed: Zeroizing::new(mnemonic.to_seed_normalized("")) }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Words(hidden)")
    }
}

/// Why a text is not a wallet's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WordsError {
    /// Not one of the permitted numbers of words.
    #[error("expected 12, 15, 18, 21 or 24 words, found {found}")]
    Count {
        /// Words found.
        found: usize,
    },
    /// A word is not in the English list.
    #[error("word {position}, {word:?}, is not in the list of words")]
    Unknown {
        /// Its position, counted from 1.
        position: usize,
        /// The word itself.
        word: String,
    },
    /// Every word is in the list, but they do not belong together: one is wrong, or two changed
    /// places.
    #[error("the words do not fit together: one is wrong or out of place")]
    Checksum,
}

impl WordsError {
    fn explain(error: bip39::Error, text: &str) -> Self {
        match error {
            bip39::Error::BadWordCount(found) => Self::Count { found },
            bip39::Error::UnknownWord(index) => Self::Unknown {
                position: index.saturating_add(1),
                word: text.split_whitespace().nth(index).unwrap_or_default().to_owned(),
            },
            bip39::Error::InvalidChecksum
            | bip39::Error::BadEntropyBitCount(_)
            | bip39::Error::AmbiguousLanguages(_) => Self::Checksum,
        }
    }
}

/// A node of the SLIP-0010 tree.
struct Node {
    secret: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

/// SLIP-0010 for Ed25519: `path` holds the numbers of hardened steps, without the hardening bit.
fn derive(seed: &[u8], path: &[u32]) -> Node {
    path.iter().fold(node(b"ed25519 seed", &[seed]), |parent, step| {
        let step = (step | HARDENED).to_be_bytes();
        node(parent.chain_code.as_slice(), &[&[0], parent.secret.as_slice(), &step])
    })
}

/// HMAC-SHA512 under `key` over the joined parts: the secret and the chain code of a node.
fn node(key: &[u8], parts: &[&[u8]]) -> Node {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    let output = Zeroizing::new(<[u8; 64]>::from(mac.finalize().into_bytes()));
    let (left, right) = output.split_at(32);
    let mut node = Node { secret: Zeroizing::new([0; 32]), chain_code: Zeroizing::new([0; 32]) };
    node.secret.copy_from_slice(left);
    node.chain_code.copy_from_slice(right);
    node
}

#[cfg(test)]
mod tests;

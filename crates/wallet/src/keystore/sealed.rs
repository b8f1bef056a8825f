//! The bytes of a key file: who the key is in clear, its words sealed under a password.
//!
//! ```text
//! magic 8 │ version 1 │ memory KiB 4 │ passes 4 │ lanes 4 │ salt 16 │ nonce 24 │ account 4 │ public key 32 │ sealed words
//! ```
//!
//! Numbers are little-endian. The key of XChaCha20-Poly1305 is Argon2id (version 1.3) of the
//! password under the file's own parameters and salt; everything before the sealed words is
//! authenticated with them, so no byte of a file can be changed without the password. What is
//! sealed is the entropy of the BIP-39 words (16, 20, 24, 28 or 32 bytes). The layout is frozen
//! under its version number and does not follow the wire format of the ledger: an old key file
//! stays readable.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bip39::{Language, Mnemonic};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use crypto::derivation::{ACCOUNT_MAX, Words};
use crypto::keys::PublicKey;
use zeroize::{Zeroize, Zeroizing};

/// The longest key file there is: header, 32 bytes of entropy, 16 of authentication.
pub(crate) const SEALED_BYTES_MAX: u64 = 256;

const MAGIC: [u8; 8] = *b"LGTHKEY\n";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8 + 1 + 4 + 4 + 4 + 16 + 24 + 4 + 32;
const TAG_BYTES: usize = 16;

/// What it costs to try one password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, in KiB.
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    pub(crate) passes: u32,
    /// Lanes; this program computes them one after the other.
    pub(crate) lanes: u32,
}

impl Cost {
    /// What new files are written with: the second recommendation of RFC 9106 (64 MiB, 3 passes, 4
    /// lanes).
    pub(crate) const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// The most a file may ask of the machine that opens it: 1 GiB, 32 passes, 16 lanes.
    const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 32, lanes: 16 };

    fn bearable(self) -> bool {
        self.memory_kib <= Self::MOST.memory_kib
            && self.passes <= Self::MOST.passes
            && self.lanes <= Self::MOST.lanes
    }
}

/// What must be different in every file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh {
    /// The salt of the password.
    pub(crate) salt: [u8; 16],
    /// The nonce of the cipher.
    pub(crate) nonce: [u8; 24],
}

/// Why a key file does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealedError {
    /// The bytes do not start as a key file does.
    #[error("this is not a key file")]
    NotAKeyFile,
    /// A later program wrote it.
    #[error("the key file has version {0}, this program reads version {VERSION}")]
    Version(u8),
    /// The length is not that of any key file.
    #[error("the key file is damaged: it has {0} bytes")]
    Length(usize),
    /// The file asks for more memory or time than any honest file, or for none.
    #[error(
        "the key file asks for {memory_kib} KiB, {passes} passes and {lanes} lanes of Argon2id"
    )]
    Cost {
        /// Memory it asks for, in KiB.
        memory_kib: u32,
        /// Passes it asks for.
        passes: u32,
        /// Lanes it asks for.
        lanes: u32,
    },
    /// The account number has more than 31 bits.
    #[error("the key file is damaged: account {0} does not exist")]
    Account(u32),
    /// The password is wrong, or a byte of the file was changed.
    #[error("wrong password, or the key file is damaged")]
    Authentication,
    /// What was sealed makes another key than the file says.
    #[error("the key file holds other words than its public key says")]
    Mismatch,
}

/// A key file as it lies on disk: what may be known without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedKey {
    cost: Cost,
    fresh_salt: [u8; 16],
    fresh_nonce: [u8; 24],
    account: u32,
    public_key: PublicKey,
    sealed: Vec<u8>,
}

impl SealedKey {
    /// Seals words under a password.
    ///
    /// # Errors
    /// [`SealedError::Cost`] when the parameters are none of Argon2's.
    pub(crate) fn seal(
        words: &Words,
        account: u32,
        password: &str,
        cost: Cost,
        fresh: Fresh,
    ) -> Result<Self, SealedError> {
        let mut file = Self {
            cost,
            fresh_salt: fresh.salt,
            fresh_nonce: fresh.nonce,
            account,
            public_key: words.account(account).public_key(),
            sealed: Vec::new(),
        };
        let entropy = entropy_of(words)?;
        let header = file.header();
        let payload = Payload { msg: &entropy, aad: &header };
        file.sealed = file
            .cipher(password)?
            .encrypt(&XNonce::from(fresh.nonce), payload)
            .map_err(|_| SealedError::Authentication)?;
        Ok(file)
    }

    /// Reads the bytes of a file; nothing is believed yet.
    ///
    /// # Errors
    /// Each way in which the bytes are not a key file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SealedError> {
        let length = SealedError::Length(bytes.len());
        let mut rest = bytes;
        if take::<8>(&mut rest) != Some(MAGIC) {
            return Err(SealedError::NotAKeyFile);
        }
        match take::<1>(&mut rest) {
            Some([VERSION]) => {}
            Some([version]) => return Err(SealedError::Version(version)),
            None => return Err(length),
        }
        let mut number = || take::<4>(&mut rest).map(u32::from_le_bytes).ok_or(length);
        let cost = Cost { memory_kib: number()?, passes: number()?, lanes: number()? };
        let file = Self {
            cost,
            fresh_salt: take(&mut rest).ok_or(length)?,
            fresh_nonce: take(&mut rest).ok_or(length)?,
            account: take(&mut rest).map(u32::from_le_bytes).ok_or(length)?,
            public_key: take(&mut rest).map(PublicKey::from_bytes).ok_or(length)?,
            sealed: rest.to_vec(),
        };
        let entropy_bytes = file.sealed.len().checked_sub(TAG_BYTES).ok_or(length)?;
        if !matches!(entropy_bytes, 16 | 20 | 24 | 28 | 32) {
            return Err(length);
        }
        if file.account > ACCOUNT_MAX {
            return Err(SealedError::Account(file.account));
        }
        file.parameters()?;
        Ok(file)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    /// The public key the file says it holds; sure only once it was opened.
    pub(crate) fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// The account number of the path m/44'/1'/account'/0'/0'.
    pub(crate) fn account(&self) -> u32 {
        self.account
    }

    /// How many words are sealed.
    pub(crate) fn words_count(&self) -> usize {
        // 4 bytes of entropy make 3 words.
        self.sealed.len().saturating_sub(TAG_BYTES) / 4 * 3
    }

    /// The words, if the password is right and no byte was changed.
    ///
    /// # Errors
    /// [`SealedError::Authentication`] and [`SealedError::Mismatch`].
    pub(crate) fn open(&self, password: &str) -> Result<Words, SealedError> {
        let header = self.header();
        let payload = Payload { msg: &self.sealed, aad: &header };
        let entropy = self
            .cipher(password)?
            .decrypt(&XNonce::from(self.fresh_nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealedError::Authentication)?;
        let words = words_of(&entropy)?;
        if words.account(self.account).public_key() != self.public_key {
            return Err(SealedError::Mismatch);
        }
        Ok(words)
    }

    fn header(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.cost.memory_kib.to_le_bytes());
        bytes.extend_from_slice(&self.cost.passes.to_le_bytes());
        bytes.extend_from_slice(&self.cost.lanes.to_le_bytes());
        bytes.extend_from_slice(&self.fresh_salt);
        bytes.extend_from_slice(&self.fresh_nonce);
        bytes.extend_from_slice(&self.account.to_le_bytes());
        bytes.extend_from_slice(self.public_key.as_bytes());
        bytes
    }

    fn parameters(&self) -> Result<Params, SealedError> {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let refused = SealedError::Cost { memory_kib, passes, lanes };
        if !self.cost.bearable() {
            return Err(refused);
        }
        Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| refused)
    }

    fn cipher(&self, password: &str) -> Result<XChaCha20Poly1305, SealedError> {
        let parameters = self.parameters()?;
        // Ours, because it can be cleared: what the password was stretched over must not stay
        // behind.
        let mut memory = Zeroizing::new(vec![Block::default(); parameters.block_count()]);
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into_with_memory(
                password.as_bytes(),
                &self.fresh_salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| SealedError::Authentication)?;
        let mut key = Key::from(*key);
        let cipher = XChaCha20Poly1305::new(&key);
        key.as_mut_slice().zeroize();
        Ok(cipher)
    }
}

/// Words of fresh entropy: 16 bytes make 12 words, 32 make 24.
///
/// # Errors
/// [`SealedError::Mismatch`] for an amount of entropy that makes no words.
pub(crate) fn words_of(entropy: &[u8]) -> Result<Words, SealedError> {
    let mnemonic =
        Mnemonic::from_entropy_in(Language::English, entropy).map_err(|_| SealedError::Mismatch)?;
    let mut text = Zeroizing::new(String::with_capacity(24 * 9));
    for word in mnemonic.words() {
        text.push_str(word);
        text.push(' ');
    }
    Words::parse(&text).map_err(|_| SealedError::Mismatch)
}

fn entropy_of(words: &Words) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    Mnemonic::parse_in_normalized(Language::English, words.as_str())
        .map(|mnemonic| Zeroizing::new(mnemonic.to_entropy()))
        .map_err(|_| SealedError::Mismatch)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests;

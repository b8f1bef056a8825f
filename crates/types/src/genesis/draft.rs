//! A genesis as somebody wrote it: every part may be missing, nothing is checked, everything knows
//! its line.

use crypto::keys::PublicKey;

use crate::address::Address;
use crate::amount::{Amount, Denomination};
use crate::document::At;
use crate::parameters::KEYS;

/// The parts of a genesis. What is `None` was missing or unreadable, and has been reported.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) name: Option<At<String>>,
    pub(super) prefix: Option<At<String>>,
    pub(super) denomination: Option<Denomination>,
    /// In the order of [`KEYS`].
    pub(super) parameters: [Option<At<u64>>; KEYS.len()],
    /// `None` when there was no such list to read, which has been reported.
    pub(super) validators: Option<Vec<DraftValidator>>,
    /// As with validators.
    pub(super) accounts: Option<Vec<DraftAccount>>,
}

/// A validator as written.
#[derive(Debug)]
pub(super) struct DraftValidator {
    pub(super) name: Option<At<String>>,
    pub(super) key: Option<At<PublicKey>>,
    pub(super) peer_id: Option<At<String>>,
}

/// An account as written; the address and the balance are read with the network's prefix and
/// decimals.
#[derive(Debug)]
pub(super) struct DraftAccount {
    pub(super) address: Option<At<Address>>,
    pub(super) balance: Option<At<Amount>>,
}

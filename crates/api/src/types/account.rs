//! Accounts, what proves them, and what happened to them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use types::account::{Account, ProvedAccount, ProvedAccountError};
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, Nonce};
use utoipa::ToSchema;

use super::scalar::{self, Integer};
use super::transaction::TransactionText;
use crate::backend::{AccountState, AccountView, Happened};

/// An account in the last committed state, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountAnswer {
    /// Its address.
    pub address: String,
    /// What it holds, in base units.
    #[serde(with = "scalar::base_units")]
    #[schema(value_type = String, example = "1250")]
    pub balance: Amount,
    /// The same for reading.
    #[schema(example = "12.50 LGT")]
    pub balance_text: String,
    /// How many transactions of it are committed: the nonce of the next one.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub nonce: Nonce,
    /// The nonce after those that wait in this validator's pool.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub next_nonce: Nonce,
    /// The committed height this is true at.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// The block at that height.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// The header of that block, the account's path to its state root, and the proof of the block,
    /// as hexadecimal wire bytes. Absent at height 0: the genesis itself says what is true there.
    #[serde(with = "scalar::wire_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub proof: Option<ProvedAccount>,
}

/// Why an answer does not prove what it says about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccountUnproved {
    /// It claims the state of the genesis, which says otherwise.
    #[error("the answer is not what the genesis says of the account")]
    NotGenesis,
    /// It carries no proof, and is not about the genesis.
    #[error("the answer carries no proof")]
    NoProof,
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProvedAccountError),
}

impl AccountAnswer {
    /// `view` in the prefix and denomination of its network.
    pub fn new(genesis: &Genesis, view: AccountView) -> Self {
        let (account, header, proof) = match view.state {
            AccountState::Genesis(account) => (account, genesis.header().clone(), None),
            AccountState::Proved(proved) => {
                (proved.account.account, proved.header.clone(), Some(*proved))
            }
        };
        Self {
            address: account.address.to_text(genesis.prefix()),
            balance: account.balance,
            balance_text: genesis.denomination().format_with_symbol(account.balance),
            nonce: account.nonce,
            next_nonce: view.next_nonce,
            height: header.height,
            block: header.id(),
            proof,
        }
    }

    /// The account and the height it was so at, as a quorum of the genesis' validators signed it:
    /// use these and not the fields beside the proof. Says nothing about how recent that height is.
    ///
    /// # Errors
    ///
    /// When the answer proves nothing about `address`.
    pub fn verify(
        &self,
        genesis: &Genesis,
        address: &Address,
    ) -> Result<(Height, Account), AccountUnproved> {
        if let Some(proof) = &self.proof {
            proof.verify(genesis.validators(), address)?;
            return Ok((proof.header.height, proof.account.account));
        }
        if self.height != Height::GENESIS {
            return Err(AccountUnproved::NoProof);
        }
        let account = genesis
            .accounts()
            .iter()
            .find(|account| account.address == *address)
            .ok_or(AccountUnproved::NotGenesis)?;
        if account.balance == self.balance && account.nonce == self.nonce {
            Ok((Height::GENESIS, *account))
        } else {
            Err(AccountUnproved::NotGenesis)
        }
    }
}

/// Where a transaction stands in the chain, and the cursor of a history: `HEIGHT-INDEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Height of its block.
    pub height: Height,
    /// Its place in the block, counted from 0.
    pub index: u32,
}

/// The text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a position is written HEIGHT-INDEX, such as 1042-3")]
pub struct PositionError;

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.height.get(), self.index)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (height, index) = text.split_once('-').ok_or(PositionError)?;
        let height = scalar::parse_decimal(height).ok_or(PositionError)?;
        let index = scalar::parse_decimal(index).ok_or(PositionError)?;
        Ok(Self {
            height: Height::new(height),
            index: u32::try_from(index).map_err(|_| PositionError)?,
        })
    }
}

/// Committed transactions of an account, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPage {
    /// The transactions of this page.
    pub entries: Vec<HistoryEntry>,
    /// Pass it as `before` for the next page; absent on the last.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1042-3")]
    pub next: Option<Position>,
}

/// One committed transaction of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Height of its block.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Id of its block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// Its place in the block, counted from 0.
    pub index: u32,
    /// When its block was first proposed, in milliseconds since 1970 (UTC).
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub timestamp_ms: u64,
    /// What it says.
    pub transaction: TransactionText,
}

impl HistoryEntry {
    /// `happened` in the prefix and denomination of its network.
    pub fn new(genesis: &Genesis, happened: &Happened) -> Self {
        Self {
            height: happened.position.height,
            block: happened.block,
            index: happened.position.index,
            timestamp_ms: happened.timestamp_ms,
            transaction: TransactionText::new(genesis, &happened.transaction),
        }
    }
}

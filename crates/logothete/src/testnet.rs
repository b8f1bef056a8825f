//! A whole network on one computer: its files, its keys, its processes.
//!
//! ```text
//! DIR/genesis.toml                what the network agrees on; written last, so it marks a whole testnet
//! DIR/accounts.toml               the named accounts with their secrets, and the seed
//! DIR/up.lock                     held by a running `testnet up`, with its process id inside
//! DIR/relays/                     its links, where they can be cut and slowed: see [`relays`]
//! DIR/node<i>/config.toml         the configuration of validator i
//! DIR/node<i>/validator.key       what it votes with
//! DIR/node<i>/validator.key.used  that it has voted
//! DIR/node<i>/node.key            its libp2p identity
//! DIR/node<i>/log                 what it says, appended to by every start
//! DIR/node<i>/attacks             what it does to the others, if it is an adversary
//! DIR/node<i>/deeds.jsonl         what it said because of that, appended to by every start
//! DIR/node<i>/run.json            where it is reached while it runs
//! DIR/node<i>/data/               its chain
//! ```
//!
//! Everything follows from the number of validators and the seed, so the same command makes the
//! same network. Whether a validator runs is told by the lock on its data directory and by nothing
//! else: a process id in a file says little about the process that has it now.

pub(crate) mod accounts;
pub(crate) mod attacks;
pub(crate) mod create;
pub(crate) mod fleet;
pub(crate) mod hold;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod process;
pub(crate) mod relays;
pub(crate) mod remove;
pub(crate) mod stop;

use std::path::Path;

use types::genesis::Genesis;

use crate::failure::{Exit, Failure};
use crate::testnet::accounts::AccountsFile;
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::node::Node;
use crate::testnet::plan::Plan;
use crate::testnet::relays::Relays;

/// Validators of a new testnet when nothing else is said.
pub(crate) const VALIDATORS_DEFAULT: usize = 4;

/// A testnet that exists in a directory, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Testnet {
    /// Where its files are.
    pub(crate) layout: Layout,
    /// What its validators agree on.
    pub(crate) genesis: Genesis,
    /// What its keys were derived from, and its named accounts.
    pub(crate) accounts: AccountsFile,
}

impl Testnet {
    /// The testnet that a command works on: in `--dir`, else where `LOGOTHETE_DIR` says, else
    /// `./testnet`.
    ///
    /// # Errors
    ///
    /// [`Exit::NotFound`] when there is none.
    pub(crate) fn find(dir: Option<&Path>) -> Result<Self, Failure> {
        let directory = api::client::network::directory(dir);
        let layout = Layout::new(&directory);
        match layout.kind()? {
            Kind::Testnet | Kind::Damaged => Self::open(layout),
            Kind::Nothing | Kind::Remains | Kind::Other { .. } => Err(not_found(&directory)),
        }
    }

    /// Reads the testnet of a directory.
    ///
    /// # Errors
    ///
    /// Fails when its genesis or its accounts cannot be read or do not hold.
    pub(crate) fn open(layout: Layout) -> Result<Self, Failure> {
        let path = layout.genesis();
        let text =
            std::fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
        let genesis = Genesis::parse(&text).map_err(|errors| {
            Failure::new(Exit::Fault, format!("{}: {errors}", path.display()))
                .with_hint("`logothete testnet up --reset` begins anew")
        })?;
        let accounts = AccountsFile::read(&layout.accounts()).map_err(|failure| {
            failure.with_hint(
                "bring the file back; or `logothete testnet down` stops what runs, and \
                 `logothete testnet up --reset` begins anew",
            )
        })?;
        Ok(Self { layout, genesis, accounts })
    }

    /// The testnet in a directory whose kind was looked at, made now if there is none. Says whether
    /// it was.
    ///
    /// # Errors
    ///
    /// [`Exit::Refused`] when there is one of another size or seed, or something else in the
    /// directory.
    pub(crate) fn prepare(
        layout: Layout,
        validators: Option<usize>,
        seed: Option<u64>,
    ) -> Result<(Self, bool), Failure> {
        match layout.kind()? {
            Kind::Testnet | Kind::Damaged => {
                let testnet = Self::open(layout)?;
                testnet.must_be(validators, seed)?;
                Ok((testnet, false))
            }
            Kind::Nothing | Kind::Remains => {
                remove::remove(&layout)?;
                let plan =
                    Plan::new(validators.unwrap_or(VALIDATORS_DEFAULT), seed.unwrap_or_default())?;
                create::create(&layout, &plan)?;
                Ok((Self::open(layout)?, true))
            }
            Kind::Other { found } => Err(layout.occupied(&found)),
        }
    }

    /// What carries its links, if it has that.
    pub(crate) fn relays(&self) -> Relays {
        Relays::of(&self.layout)
    }

    /// Its validators, in the order of the genesis.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        (0..self.genesis.validators().len()).map(|index| self.layout.node(index)).collect()
    }

    /// One validator.
    ///
    /// # Errors
    ///
    /// [`Exit::NotFound`] when it has no such validator.
    pub(crate) fn node(&self, index: usize) -> Result<Node, Failure> {
        let count = self.genesis.validators().len();
        if index < count {
            return Ok(self.layout.node(index));
        }
        Err(not_there(index, count))
    }

    /// What was asked for must be what is there: another network would need other keys and a new
    /// chain.
    fn must_be(&self, validators: Option<usize>, seed: Option<u64>) -> Result<(), Failure> {
        let count = self.genesis.validators().len();
        let root = self.layout.root().display();
        let text = match (validators, seed) {
            (Some(asked), _) if asked != count => {
                format!("the testnet in {root} is of size {count}, not {asked}")
            }
            (_, Some(asked)) if asked != self.accounts.seed => {
                format!(
                    "the testnet in {root} was made from seed {}, not {asked}",
                    self.accounts.seed
                )
            }
            (Some(_) | None, Some(_) | None) => return Ok(()),
        };
        Err(Failure::refused(text).with_hint(
            "leave out -n and --seed to use it as it is, name another place with --dir, \
             or begin anew with --reset, which deletes its chain and its keys",
        ))
    }
}

/// The failure to find a validator of a network of so many.
pub(crate) fn not_there(index: usize, count: usize) -> Failure {
    let last = count.saturating_sub(1);
    let text = format!("there is no node{index}: the validators are node0 to node{last}");
    Failure::new(Exit::NotFound, text)
}

/// How every tool says that there is no network.
pub(crate) fn not_found(directory: &Path) -> Failure {
    Failure::new(Exit::NotFound, format!("no testnet at {}", directory.display()))
        .with_hint("start one with `logothete testnet up`, or name one with --dir or LOGOTHETE_DIR")
}

#[cfg(test)]
mod tests;

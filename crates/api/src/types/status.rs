//! What a validator says about itself and about its peers.

use crypto::digest::Digest;
use crypto::keys::PublicKey;
use crypto::signed::ChainId;
use serde::{Deserialize, Serialize};
use types::amount::Amount;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::validators::Validator;
use utoipa::ToSchema;

use super::scalar::{self, Integer};

/// The state of a validator, as it sees itself: a claim, and proof of nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Name of this validator in the genesis.
    #[schema(example = "validator-0")]
    pub name: String,
    /// Its place in the genesis, counted from 0.
    pub replica: u16,
    /// Name of the network.
    #[schema(example = "local")]
    pub network: String,
    /// Prefix of the network's addresses.
    #[schema(example = "rlgt")]
    pub prefix: String,
    /// Symbol of the network's unit.
    #[schema(example = "LGT")]
    pub symbol: String,
    /// Decimals of the network's unit.
    pub decimals: u8,
    /// The chain id.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub chain: ChainId,
    /// Version of the program.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Height of the newest committed block that is durable here.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Id of that block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// State root after that block.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub state_root: Digest,
    /// Sum of all balances, in base units.
    #[serde(with = "scalar::base_units")]
    #[schema(value_type = String, example = "400000000")]
    pub supply: Amount,
    /// The same for reading.
    #[schema(example = "4000000.00 LGT")]
    pub supply_text: String,
    /// Accounts that exist.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub accounts: u64,
    /// The view it is in.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// The primary of that view, by its place in the genesis.
    pub primary: u16,
    /// Whether it has entered that view; else it waits until its primary shows that a quorum asked
    /// for it.
    pub entered: bool,
    /// Whether it votes.
    pub voting: bool,
    /// Whether it never votes again under its key, because its vote journal is lost or the key has
    /// spoken elsewhere. It follows the others and serves what it has.
    pub retired: bool,
    /// Validators against whom a committed block has evidence, by their place in the genesis: they
    /// lead no view, and each uses up one of the faults that the network bears.
    pub convicted: Vec<u16>,
    /// The lowest height at which it has seen, since it started, a block that a quorum committed and that does not fit
    /// its own chain: then more validators lied than the network bears.
    #[serde(with = "scalar::whole_option", default)]
    #[schema(value_type = Option<Integer>)]
    pub fork: Option<Height>,
    /// How long it waits for progress before it asks for the next view, in milliseconds.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub timeout_ms: u64,
    /// Heights proposed and not yet committed.
    pub in_flight: u32,
    /// Transactions waiting in its pool.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub pending: u64,
    /// Validators it has an open stream to, by their place in the genesis.
    pub connected: Vec<u16>,
    /// How many those are.
    pub peers_connected: u32,
    /// Validators in the genesis, itself included.
    pub validators: u32,
    /// Whether it reaches enough validators for a quorum.
    pub ready: bool,
    /// Seconds since it started.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub uptime_seconds: u64,
}

impl Status {
    /// What `live` says, beside what the genesis says about its network.
    pub fn new(genesis: &Genesis, live: &Live) -> Self {
        let validators = genesis.validators();
        Self {
            name: validators
                .get(live.replica)
                .map(|validator| validator.name.clone())
                .unwrap_or_default(),
            replica: live.replica.get(),
            network: genesis.name().to_owned(),
            prefix: genesis.prefix().to_owned(),
            symbol: genesis.denomination().symbol().to_owned(),
            decimals: genesis.denomination().decimals(),
            chain: *genesis.chain(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            height: live.height,
            block: live.block,
            state_root: live.state_root,
            supply: live.supply,
            supply_text: genesis.denomination().format_with_symbol(live.supply),
            accounts: live.accounts,
            view: live.view,
            primary: live.primary.get(),
            entered: live.entered,
            voting: live.voting,
            retired: live.retired,
            convicted: live.convicted.iter().map(|replica| replica.get()).collect(),
            fork: live.fork,
            timeout_ms: live.timeout_ms,
            in_flight: live.in_flight,
            pending: live.pending,
            connected: live.connected.iter().map(|replica| replica.get()).collect(),
            peers_connected: u32::try_from(live.connected.len()).unwrap_or(u32::MAX),
            validators: u32::try_from(validators.len()).unwrap_or(u32::MAX),
            ready: live.ready,
            uptime_seconds: live.uptime_seconds,
        }
    }
}

/// The part of [`Status`] that only the running validator knows; the genesis gives the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Which validator this is.
    pub replica: ReplicaId,
    /// Height of the newest committed block that is durable here.
    pub height: Height,
    /// Id of that block.
    pub block: BlockId,
    /// State root after that block.
    pub state_root: Digest,
    /// Sum of all balances.
    pub supply: Amount,
    /// Accounts that exist.
    pub accounts: u64,
    /// The view it is in.
    pub view: View,
    /// The primary of that view.
    pub primary: ReplicaId,
    /// Whether it has entered that view.
    pub entered: bool,
    /// Whether it votes.
    pub voting: bool,
    /// Whether it never votes again under its key.
    pub retired: bool,
    /// Validators against whom a committed block has evidence.
    pub convicted: Vec<ReplicaId>,
    /// The lowest height at which another chain than its own is known to be committed.
    pub fork: Option<Height>,
    /// How long it waits for progress before it asks for the next view, in milliseconds.
    pub timeout_ms: u64,
    /// Heights proposed and not yet committed.
    pub in_flight: u32,
    /// Transactions waiting in its pool.
    pub pending: u64,
    /// Other validators it has an open stream to.
    pub connected: Vec<ReplicaId>,
    /// Whether it reaches enough validators for a quorum.
    pub ready: bool,
    /// Seconds since it started.
    pub uptime_seconds: u64,
}

/// All validators of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Validators {
    /// The chain id.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub chain: ChainId,
    /// How many may be faulty (t).
    pub faulty_max: u32,
    /// How many votes make a certificate (q).
    pub quorum: u32,
    /// How many equal replies make a result final for a client (t + 1).
    pub replies: u32,
    /// The validators in the order of the genesis.
    pub validators: Vec<ValidatorAnswer>,
}

/// One validator of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorAnswer {
    /// Its place in the genesis, counted from 0.
    pub replica: u16,
    /// Its name.
    #[schema(example = "validator-0")]
    pub name: String,
    /// Its public key, which signs votes and replies.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub key: PublicKey,
    /// Its peer id in the network.
    pub peer_id: String,
    /// Whether the answering validator has an open stream to it (or is it).
    pub connected: bool,
}

impl Validators {
    /// The validators of the genesis; `live` says who is connected.
    pub fn new(genesis: &Genesis, live: &Live) -> Self {
        let set = genesis.validators();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let quorum = set.quorum();
        Self {
            chain: *genesis.chain(),
            faulty_max: count(quorum.t()),
            quorum: count(quorum.q()),
            replies: count(quorum.reply()),
            validators: set
                .iter()
                .map(|(replica, validator)| {
                    let connected = replica == live.replica || live.connected.contains(&replica);
                    ValidatorAnswer::new(replica, validator, connected)
                })
                .collect(),
        }
    }
}

impl ValidatorAnswer {
    fn new(replica: ReplicaId, validator: &Validator, connected: bool) -> Self {
        Self {
            replica: replica.get(),
            name: validator.name.clone(),
            key: validator.key,
            peer_id: validator.peer_id.clone(),
            connected,
        }
    }
}

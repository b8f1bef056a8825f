//! The configuration of one validator: the file as written (`Document`) and the checked form
//! ([`Config`]) whose files were read and whose relations hold.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::keys::{SecretKey, Signer};
use serde::Deserialize;
use thiserror::Error;
use types::genesis::{Genesis, GenesisErrors};
use types::replica::ReplicaId;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError};

/// Every key of the file, for suggestions.
const KEYS: [&str; 10] = [
    "name",
    "genesis",
    "data",
    "validator_key",
    "node_key",
    "p2p_listen",
    "p2p_announce",
    "p2p_bootstrap",
    "p2p_mdns",
    "api_listen",
];

/// Why a configuration was not used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file that the configuration needs cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not the TOML that is expected.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and the right key for an unknown one.
        reason: String,
    },
    /// Too few files may be open at once, and the system lets us not raise the limit.
    #[error(
        "this process may open {limit} files at once, and a validator needs {needed}: raise the hard limit \
         (`ulimit -Hn`, or LimitNOFILE of its service)"
    )]
    FewFiles {
        /// Most open files of this process.
        limit: u64,
        /// The least that it needs.
        needed: u64,
    },
    /// The genesis document does not hold.
    #[error("genesis {path}: {source}")]
    Genesis {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it.
        source: GenesisErrors,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The genesis names no validator with this key.
    #[error(
        "validator key {path} has the public key {key}, which is no validator of the genesis {genesis}"
    )]
    NotAMember {
        /// The key file.
        path: PathBuf,
        /// Its public key.
        key: String,
        /// The genesis file.
        genesis: PathBuf,
    },
    /// The genesis gives this validator another name.
    #[error("the configuration is for `{configured}`, but the genesis names this key `{named}`")]
    OtherName {
        /// The name in the configuration.
        configured: String,
        /// The name in the genesis.
        named: String,
    },
    /// The node key is not the one that the genesis binds to the validator.
    #[error(
        "node key {path} has the peer id {found}, but the genesis binds {expected} to `{name}`"
    )]
    OtherPeer {
        /// The key file.
        path: PathBuf,
        /// The peer id of the key.
        found: String,
        /// The peer id in the genesis.
        expected: String,
        /// The validator's name.
        name: String,
    },
}

/// The file as written. Relative paths start at its folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    genesis: PathBuf,
    data: PathBuf,
    validator_key: PathBuf,
    node_key: PathBuf,
    p2p_listen: Vec<String>,
    #[serde(default)]
    p2p_announce: Vec<String>,
    #[serde(default)]
    p2p_bootstrap: Vec<String>,
    #[serde(default)]
    p2p_mdns: bool,
    api_listen: SocketAddr,
}

/// A checked configuration.
pub struct Config {
    /// The validator's name in the genesis.
    pub name: String,
    /// Its number in the genesis.
    pub replica: ReplicaId,
    /// The folder of the file; `run.json` is written here.
    pub folder: PathBuf,
    /// Where journal and blocks are kept.
    pub data: PathBuf,
    /// The checked genesis.
    pub genesis: Arc<Genesis>,
    /// The genesis document as it stands in its file.
    pub genesis_text: String,
    /// The file of its validator key; which chains it was used on is written beside it.
    pub validator_key: PathBuf,
    /// Signs votes, replies and announcements.
    pub signer: Arc<dyn Signer>,
    /// The seed of the libp2p identity.
    pub node_seed: Zeroizing<[u8; 32]>,
    /// Multiaddresses to listen on, one at least; port 0 lets the system choose.
    pub p2p_listen: Vec<String>,
    /// Multiaddresses that others are told to dial; none for those that it listens on.
    pub p2p_announce: Vec<String>,
    /// Multiaddresses (peer id included) of members to begin with.
    pub p2p_bootstrap: Vec<String>,
    /// Whether members are also looked for by mDNS on the local network.
    pub p2p_mdns: bool,
    /// Where the HTTP API listens; port 0 lets the system choose.
    pub api_listen: SocketAddr,
}

impl Config {
    /// Reads and checks a configuration and everything it names.
    ///
    /// # Errors
    ///
    /// Fails when a file cannot be read, a key is unknown, the genesis does not hold, or the keys
    /// are not those that the genesis binds to this validator.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let document: Document = toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            reason: explain(&text, &error),
        })?;
        if document.p2p_listen.is_empty() {
            let reason = "p2p_listen: at least one address to listen on is needed".to_owned();
            return Err(ConfigError::Malformed { path: path.to_owned(), reason });
        }
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let at = |relative: &Path| folder.join(relative);

        let genesis_path = at(&document.genesis);
        let genesis_text = read(&genesis_path)?;
        let genesis = Genesis::parse(&genesis_text)
            .map_err(|source| ConfigError::Genesis { path: genesis_path.clone(), source })?;
        let key_path = at(&document.validator_key);
        let key = SecretKey::from_seed(*key_file::read(&key_path)?);
        let replica = genesis.validators().replica_of(&key.public_key()).ok_or_else(|| {
            ConfigError::NotAMember {
                path: key_path.clone(),
                key: key.public_key().to_string(),
                genesis: genesis_path,
            }
        })?;
        let node_path = at(&document.node_key);
        let node_seed = key_file::read(&node_path)?;
        check_binding(&document.name, &genesis, replica, &node_path, &node_seed)?;
        Ok(Self {
            name: document.name,
            replica,
            data: at(&document.data),
            folder,
            genesis: Arc::new(genesis),
            genesis_text,
            validator_key: key_path,
            signer: Arc::new(key),
            node_seed,
            p2p_listen: document.p2p_listen,
            p2p_announce: document.p2p_announce,
            p2p_bootstrap: document.p2p_bootstrap,
            p2p_mdns: document.p2p_mdns,
            api_listen: document.api_listen,
        })
    }
}

impl Config {
    /// The first of the addresses that others are told to dial, with the peer id at its end.
    pub(crate) fn dialled(&self) -> Option<String> {
        let end = format!("/p2p/{}", network::peer_id_of(&self.node_seed));
        let address = self.p2p_announce.first()?;
        Some(if address.ends_with(&end) { address.clone() } else { format!("{address}{end}") })
    }
}

/// The genesis binds a validator's name and node key to its validator key.
fn check_binding(
    name: &str,
    genesis: &Genesis,
    replica: ReplicaId,
    node_path: &Path,
    node_seed: &[u8; 32],
) -> Result<(), ConfigError> {
    let Some(validator) = genesis.validators().get(replica) else {
        return Ok(());
    };
    if validator.name != name {
        return Err(ConfigError::OtherName {
            configured: name.to_owned(),
            named: validator.name.clone(),
        });
    }
    let found = network::peer_id_of(node_seed);
    if found != validator.peer_id {
        return Err(ConfigError::OtherPeer {
            path: node_path.to_owned(),
            found,
            expected: validator.peer_id.clone(),
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

/// The parser's message with its line, and the nearest key where one is unknown.
fn explain(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| {
        text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1)
    });
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let near = unknown.and_then(|unknown| {
        KEYS.into_iter()
            .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
            .min()
            .filter(|(distance, _)| *distance <= 4)
    });
    match (unknown, near) {
        (Some(unknown), Some((_, key))) => {
            format!("line {line}: unknown key `{unknown}`, did you mean `{key}`?")
        }
        (Some(unknown), None) => {
            format!("line {line}: unknown key `{unknown}`; the keys are {}", KEYS.join(", "))
        }
        (None, _) => format!("line {line}: {message}"),
    }
}

#[cfg(test)]
mod tests;

//! Finding the validators of a network.
//!
//! A network on this machine is a directory: `genesis.toml`, and for each validator that runs a
//! `node<i>/run.json` saying where it listens. Elsewhere one gives the genesis document and the
//! URLs. Either way the genesis is the user's own copy: it is what every proof is checked against.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use types::genesis::{Genesis, GenesisErrors};

use crate::client::Client;
use crate::client::error::ClientError;

/// The environment variable that names the directory of a network.
pub const DIRECTORY_VARIABLE: &str = "LOGOTHETE_DIR";
/// Where a network is looked for when nothing else is said.
pub const DIRECTORY_DEFAULT: &str = "./testnet";
/// Longest genesis document read, in bytes.
const GENESIS_BYTES_MAX: u64 = 64 << 20;
/// Longest run file read, in bytes.
const RUN_FILE_BYTES_MAX: u64 = 16 << 10;

/// A network: its genesis, and where its validators answer.
#[derive(Debug, Clone)]
pub struct Network {
    /// The genesis that everything is checked against.
    pub genesis: Genesis,
    /// The genesis document, as it was read.
    pub genesis_text: String,
    /// Where validators answer; those that do not run are missing.
    pub endpoints: Vec<Endpoint>,
}

/// Where a validator answers.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The validator's name according to its run file, else the URL. Nobody vouches for it.
    pub name: String,
    /// Its client.
    pub client: Client,
}

/// The name of the run file, in the folder of a validator's configuration.
pub const RUN_FILE: &str = "run.json";

/// What a running validator says about itself in `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its name in the genesis.
    pub name: String,
    /// Its place in the genesis, counted from 0.
    pub replica: u16,
    /// The URL of its API.
    pub api: String,
    /// Its address in the network.
    pub p2p: String,
}

/// Why no network was found.
#[derive(Debug, Error)]
pub enum FindError {
    /// There is no genesis document where one was looked for.
    #[error(
        "no network in {}: start one with `logothete testnet up`, or name its directory with --dir or {DIRECTORY_VARIABLE}",
        directory.display()
    )]
    NoNetwork {
        /// The directory.
        directory: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is longer than any of its kind.
    #[error("{} has {bytes} bytes, at most {bytes_max} are read", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The genesis document is wrong.
    #[error("{} is not a genesis document", path.display())]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: GenesisErrors,
    },
    /// A URL is not one.
    #[error(transparent)]
    Url(#[from] ClientError),
}

/// The directory of the network: `explicit` if given, else what [`DIRECTORY_VARIABLE`] says, else
/// [`DIRECTORY_DEFAULT`].
pub fn directory(explicit: Option<&Path>) -> PathBuf {
    choose_directory(explicit, env::var_os(DIRECTORY_VARIABLE).map(PathBuf::from))
}

fn choose_directory(explicit: Option<&Path>, variable: Option<PathBuf>) -> PathBuf {
    explicit
        .map(Path::to_path_buf)
        .or(variable.filter(|path| !path.as_os_str().is_empty()))
        .unwrap_or_else(|| PathBuf::from(DIRECTORY_DEFAULT))
}

impl Network {
    /// The network in `directory`, with the validators that have a run file. A run file that cannot
    /// be read or understood belongs to a validator that is just starting or stopping, and is
    /// passed over.
    ///
    /// # Errors
    ///
    /// When there is no genesis document or it is wrong.
    pub fn find(directory: &Path) -> Result<Self, FindError> {
        let path = directory.join("genesis.toml");
        if !path.exists() {
            return Err(FindError::NoNetwork { directory: directory.to_path_buf() });
        }
        let (genesis, genesis_text) = read_genesis(&path)?;
        let endpoints = (0..genesis.validators().len())
            .filter_map(|number| RunFile::read(&directory.join(format!("node{number}"))))
            .filter_map(|run| {
                Some(Endpoint { client: Client::new(&run.api).ok()?, name: run.name })
            })
            .collect();
        Ok(Self { genesis, genesis_text, endpoints })
    }

    /// The network of a genesis document, at the given URLs. The same URL twice counts once.
    ///
    /// # Errors
    ///
    /// When the document or a URL is wrong.
    pub fn at(genesis: &Path, urls: &[String]) -> Result<Self, FindError> {
        let (genesis, genesis_text) = read_genesis(genesis)?;
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for url in urls {
            let client = Client::new(url)?;
            if endpoints.iter().all(|other| other.client.url() != client.url()) {
                endpoints.push(Endpoint { name: client.url().to_owned(), client });
            }
        }
        Ok(Self { genesis, genesis_text, endpoints })
    }
}

impl RunFile {
    /// The run file in a validator's directory; none when there is none that makes sense.
    pub fn read(directory: &Path) -> Option<Self> {
        let text = read_bounded(&directory.join(RUN_FILE), RUN_FILE_BYTES_MAX).ok()?;
        serde_json::from_str(&text).ok()
    }
}

fn read_genesis(path: &Path) -> Result<(Genesis, String), FindError> {
    let text = read_bounded(path, GENESIS_BYTES_MAX)?;
    let genesis = Genesis::parse(&text)
        .map_err(|source| FindError::Genesis { path: path.to_path_buf(), source })?;
    Ok((genesis, text))
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<String, FindError> {
    let unreadable = |source| FindError::Unreadable { path: path.to_path_buf(), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > bytes_max {
        return Err(FindError::TooLong { path: path.to_path_buf(), bytes, bytes_max });
    }
    fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests;

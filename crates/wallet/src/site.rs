//! The network a command works on: its genesis, which is trusted, and where its validators answer,
//! which may change while the command runs.

use std::env;
use std::path::{Path, PathBuf};

use api::client::Client;
use api::client::network::{DIRECTORY_VARIABLE, Endpoint, FindError, Network, RunFile, directory};
use types::Genesis;

use crate::arguments::Places;
use crate::exit::{Exit, Failure};

/// A network and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    network: Network,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Directory(PathBuf),
    Urls,
}

impl Site {
    /// The network that the command line names.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is none, or its genesis document is not one.
    pub(crate) fn open(places: &Places) -> Result<Self, Failure> {
        if places.dir.is_some() && !places.api.is_empty() {
            return Err(Failure::usage("--dir and --api name two networks: give one of them"));
        }
        if places.api.is_empty() {
            if places.genesis.is_some() {
                return Err(Failure::usage("--genesis is given without --api"));
            }
            let directory = directory(places.dir.as_deref());
            let network = Network::find(&directory).map_err(refusal)?;
            return Ok(Self { network, source: Source::Directory(directory) });
        }
        let Some(genesis) = &places.genesis else {
            return Err(Failure::usage("--api needs --genesis FILE")
                .with_hint("what validators say is checked against your own copy of the genesis"));
        };
        let network = Network::at(genesis, &places.api).map_err(refusal)?;
        Ok(Self { network, source: Source::Urls })
    }

    /// The network that the command line names, `None` when it names none and none is in the
    /// default place.
    ///
    /// # Errors
    /// As [`Site::open`], for a network that is named.
    pub(crate) fn open_if_any(places: &Places) -> Result<Option<Self>, Failure> {
        let variable = env::var_os(DIRECTORY_VARIABLE).is_some_and(|text| !text.is_empty());
        let named =
            variable || places.dir.is_some() || !places.api.is_empty() || places.genesis.is_some();
        let there = directory(None).join("genesis.toml").exists();
        if named || there { Self::open(places).map(Some) } else { Ok(None) }
    }

    /// What everything is checked against.
    pub(crate) fn genesis(&self) -> &Genesis {
        &self.network.genesis
    }

    /// The network as the client knows it.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The directory of a local network.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &self.source {
            Source::Directory(directory) => Some(directory),
            Source::Urls => None,
        }
    }

    /// Where validators answer, as far as is known.
    pub(crate) fn endpoints(&self) -> &[Endpoint] {
        &self.network.endpoints
    }

    /// Looks again where validators answer: one that was restarted has another port. Clients of
    /// those that did not move are kept with their connections.
    pub(crate) fn refresh(&mut self) {
        let Source::Directory(directory) = &self.source else {
            return;
        };
        let mut endpoints = Vec::new();
        for number in 0..self.genesis().validators().len() {
            let Some(run) = RunFile::read(&directory.join(format!("node{number}"))) else {
                continue;
            };
            let kept = self.endpoints().iter().find(|old| old.client.url() == run.api).cloned();
            let found = kept.or_else(|| {
                let client = Client::new(&run.api).ok()?;
                Some(Endpoint { name: run.name, client })
            });
            endpoints.extend(found);
        }
        self.network.endpoints = endpoints;
    }

    /// The failure when no validator is known at all.
    pub(crate) fn nobody(&self) -> Failure {
        let text = match &self.source {
            Source::Directory(directory) => {
                format!("no validator of the network in {} is running", directory.display())
            }
            Source::Urls => "no validator is known".to_owned(),
        };
        Failure::new(Exit::Unreachable, "unreachable", text)
            .with_hint("`logothete testnet up` starts the validators of a local network")
    }
}

fn refusal(cause: FindError) -> Failure {
    let text = match std::error::Error::source(&cause) {
        Some(source) => format!("{cause}: {source}"),
        None => cause.to_string(),
    };
    Failure::usage(text).with_hint(
        "a network is found by --dir DIR, LOGOTHETE_DIR or ./testnet, \
         or by --api URL with --genesis FILE",
    )
}

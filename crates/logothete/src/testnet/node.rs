//! One validator of a testnet: its folder, and its process if it runs.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use api::client::Client;
use api::client::network::{RUN_FILE, RunFile};
use storage::{Holder, UsedKey};

use crate::failure::{Exit, Failure};
use crate::testnet::attacks::Attacks;
use crate::testnet::process::{Condition, Process};

/// How often a held lock is looked at again whose holder is not written yet or is just ending.
pub(crate) const HOLDER_ATTEMPTS: u32 = 100;

/// Pause between two looks.
pub(crate) const HOLDER_PAUSE: Duration = Duration::from_millis(10);

/// A validator of a testnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    index: usize,
    folder: PathBuf,
}

impl Node {
    /// Validator `index` of the testnet in `root`.
    pub(crate) fn new(root: &Path, index: usize) -> Self {
        Self { index, folder: root.join(format!("node{index}")) }
    }

    /// Its number in the genesis.
    pub(crate) const fn index(&self) -> usize {
        self.index
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("node{}", self.index)
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    /// What it votes with.
    pub(crate) fn validator_key(&self) -> PathBuf {
        self.folder.join("validator.key")
    }

    /// What is noted beside that key once it votes.
    pub(crate) fn used_key(&self) -> PathBuf {
        UsedKey::beside(&self.validator_key()).path().to_owned()
    }

    /// Its libp2p identity.
    pub(crate) fn node_key(&self) -> PathBuf {
        self.folder.join("node.key")
    }

    /// What it says.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// What it does to the others, if it is an adversary.
    pub(crate) fn attacks(&self) -> PathBuf {
        self.folder.join("attacks")
    }

    /// What it said because of that.
    pub(crate) fn deeds(&self) -> PathBuf {
        self.folder.join("deeds.jsonl")
    }

    /// Where it is reached while it runs.
    pub(crate) fn run_file(&self) -> PathBuf {
        self.folder.join(RUN_FILE)
    }

    /// Its chain.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The process that holds its data directory; `None` when none does, so it does not run.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at, or the process that holds it cannot be seen from
    /// here.
    pub(crate) fn process(&self) -> Result<Option<Process>, Failure> {
        for _ in 0..HOLDER_ATTEMPTS {
            let Some(holder) = self.holder()? else { return Ok(None) };
            // Without an id it was taken a moment ago; with one that nobody has, it ends just now.
            if let Some(process) = holder.pid.and_then(Process::of) {
                return Ok(Some(process));
            }
            thread::sleep(HOLDER_PAUSE);
        }
        Err(Failure::new(
            Exit::Fault,
            format!(
                "{}: its data directory is locked by a process that cannot be seen from here",
                self.name()
            ),
        ))
    }

    /// Whether nothing is left of a process that worked here: it has ended, and its data directory is free or
    /// somebody else's. Only then can another one be started.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn is_free_of(&self, process: &Process) -> Result<bool, Failure> {
        if process.condition() != Condition::Gone {
            return Ok(false);
        }
        Ok(self.holder()?.is_none_or(|holder| !process.holds(holder.pid)))
    }

    fn holder(&self) -> Result<Option<Holder>, Failure> {
        storage::is_locked(&self.data()).map_err(|cause| {
            Failure::fault(format!("{}: cannot tell whether it runs", self.name()), &cause)
        })
    }

    /// Where this process of it is reached; `None` while it does not listen yet.
    pub(crate) fn reached(&self, process: &Process) -> Option<RunFile> {
        // A file that is just replaced reads as none, and a killed process leaves its own behind.
        RunFile::read(&self.folder).filter(|file| file.pid == process.id())
    }

    /// A client of this process of it, waiting at most so long for an answer.
    pub(crate) fn client(&self, process: &Process, patience: Duration) -> Option<Client> {
        let file = self.reached(process)?;
        Some(Client::new(&file.api).ok()?.with_timeout(patience))
    }

    /// Removes the run file of a process that has ended without doing so itself.
    pub(crate) fn forget(&self, process: &Process) {
        // Nobody is misled for long by one that stays: it names a process that has ended.
        if let Some(file) = self.reached(process) {
            drop(::node::run_file::remove(&file, &self.folder));
        }
    }

    /// Starts its process, in a process group of its own so that Ctrl-C in a terminal reaches only
    /// us. Attached, it ends when this process does.
    ///
    /// # Errors
    ///
    /// Fails when its log cannot be opened or no process can be made.
    pub(crate) fn spawn(&self, bootstrap: &[String], attached: bool) -> Result<Started, Failure> {
        let attacks = Attacks::of(self)?;
        let log = appended(&self.log())?;
        let log_from = log.metadata().map_or(0, |metadata| metadata.len());
        // The results of a validator are its deeds: an honest one has none.
        let results = match attacks.is_honest() {
            true => Stdio::null(),
            false => appended(&self.deeds())?.into(),
        };
        let mut command = attacks.command()?;
        command.arg("--config").arg(self.config());
        for address in bootstrap {
            command.arg("--bootstrap").arg(address);
        }
        if attached {
            command.arg("--stop-with-stdin");
        }
        let child = command
            .stdin(if attached { Stdio::piped() } else { Stdio::null() })
            .stdout(results)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|cause| Failure::fault(format!("cannot start {}", self.name()), &cause))?;
        Ok(Started { node: self.clone(), child, log_from })
    }
}

/// A file to be written to at its end.
fn appended(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|cause| Failure::file("open", path, &cause))
}

/// A validator that this process started. The pipe to its standard input is kept inside.
#[derive(Debug)]
pub(crate) struct Started {
    /// Which one.
    pub(crate) node: Node,
    /// Its process.
    pub(crate) child: Child,
    /// Where in its log it began.
    pub(crate) log_from: u64,
}

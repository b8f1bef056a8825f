//! A local testnet in a directory of its own. Dropped, nothing of it is left.

use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use api::client::Client;
use api::client::network::RunFile;
use api::types::Status;
use rustix::process::Signal;
use tempfile::TempDir;
use types::genesis::Genesis;

use crate::process;
use crate::programs::{self, Ended, Running};
use crate::wait::{until, until_true};

/// A testnet's directory.
#[derive(Debug)]
pub struct Testnet {
    _folder: TempDir,
    directory: PathBuf,
}

impl Testnet {
    /// A place for a testnet; nothing is in it yet.
    ///
    /// # Panics
    ///
    /// When the system gives no directory.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory for a test");
        let directory = folder.path().join("net");
        Self { _folder: folder, directory }
    }

    /// A testnet that runs, with these further arguments of `testnet up`.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn up(arguments: &[&str]) -> Self {
        let testnet = Self::new();
        let mut up = vec!["up", "--detach"];
        up.extend(arguments);
        drop(testnet.run(&up).with_code(0));
        testnet
    }

    /// A stopped testnet of two that is never ready: its second validator has another genesis, so
    /// neither hears of the other.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn never_ready() -> Self {
        let testnet = Self::up(&["-n", "2"]);
        drop(testnet.run(&["down"]).with_code(0));
        let (genesis, folder) = (testnet.directory.join("genesis.toml"), testnet.node(1));
        for (from, to, what, other) in [
            (genesis, folder.join("genesis.toml"), "batch_delay_ms = 20", "batch_delay_ms = 21"),
            (folder.join("config.toml"), folder.join("config.toml"), "../genesis", "genesis"),
        ] {
            let text = fs::read_to_string(from).expect("a testnet has its files");
            assert!(text.contains(what), "{what} is not in {text}");
            fs::write(to, text.replacen(what, other, 1)).expect("a test may write");
        }
        fs::remove_dir_all(folder.join("data")).expect("what has run has data");
        testnet
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The folder of a validator.
    pub fn node(&self, index: usize) -> PathBuf {
        self.directory.join(format!("node{index}"))
    }

    /// Runs `logothete testnet ARGUMENTS` on it.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        programs::run("logothete", &self.arguments(arguments))
    }

    /// Starts `logothete testnet ARGUMENTS` on it.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(programs::command("logothete", &self.arguments(arguments)))
    }

    /// Its genesis.
    ///
    /// # Panics
    ///
    /// When there is none or it does not hold.
    pub fn genesis(&self) -> Genesis {
        let text = fs::read_to_string(self.directory.join("genesis.toml"));
        let genesis = text.ok().and_then(|text| Genesis::parse(&text).ok());
        genesis.unwrap_or_else(|| panic!("no genesis in {}", self.directory.display()))
    }

    /// The process that works in a validator's directory, by its lock.
    pub fn pid(&self, index: usize) -> Option<u32> {
        lock_holder(&self.node(index).join("data/lock"))
    }

    /// The process that carries its links, by its lock, if it has relays.
    pub fn relays_pid(&self) -> Option<u32> {
        lock_holder(&self.directory.join("relays/lock"))
    }

    /// Kills a validator as a crash would, and gives the moment before.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn crash(&self, index: usize) -> Instant {
        let pid = self.pid(index).unwrap_or_else(|| panic!("node{index} does not run"));
        let moment = Instant::now();
        process::signal(pid, Signal::KILL);
        until_true("the killed process is gone", || self.pid(index).is_none());
        moment
    }

    /// The processes of all its validators.
    pub fn pids(&self) -> Vec<u32> {
        (0..self.nodes()).filter_map(|index| self.pid(index)).collect()
    }

    /// A client of a validator that runs.
    ///
    /// # Panics
    ///
    /// When it does not say where it listens.
    pub fn client(&self, index: usize) -> Client {
        let file = api::client::network::RunFile::read(&self.node(index));
        let client = file.and_then(|file| Client::new(&file.api).ok());
        client.unwrap_or_else(|| panic!("node{index} does not listen"))
    }

    /// What a validator says about itself.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub fn status(&self, index: usize) -> Status {
        self.client(index)
            .status()
            .unwrap_or_else(|error| panic!("node{index} does not answer: {error}"))
    }

    /// A metric of a validator: the sum of those whose names begin like this.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub fn metric(&self, index: usize, name: &str) -> u64 {
        let text = self.client(index).metrics();
        let text = text.unwrap_or_else(|error| panic!("node{index} does not answer: {error}"));
        let values = text.lines().filter(|line| line.starts_with(name));
        let values = values.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
        values.sum()
    }

    /// Waits until all validators that run are at the same height, at least this, and gives it.
    ///
    /// # Panics
    ///
    /// When they are not in time.
    pub fn level(&self, at_least: u64) -> u64 {
        let all: Vec<usize> = (0..self.nodes()).collect();
        self.level_of(&all, at_least)
    }

    /// The same of some of its validators.
    ///
    /// # Panics
    ///
    /// When they are not in time.
    pub fn level_of(&self, nodes: &[usize], at_least: u64) -> u64 {
        until("all validators at one height", || {
            let running = nodes.iter().copied().filter(|index| self.pid(*index).is_some());
            let heights: Vec<u64> = running
                .filter_map(|index| self.client(index).status().ok())
                .map(|status| status.height.get())
                .collect();
            let first = *heights.first()?;
            (first >= at_least && heights.iter().all(|height| *height == first)).then_some(first)
        })
    }

    fn nodes(&self) -> usize {
        (0..).take_while(|index| self.node(*index).exists()).count()
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let directory = self.directory.to_str().expect("temporary directories have plain names");
        let mut all = vec!["testnet", "--dir", directory];
        all.extend(arguments);
        all
    }
}

/// The process that holds a lock and wrote its id into the file.
pub fn lock_holder(lock: &Path) -> Option<u32> {
    let mut file = File::open(lock).ok()?;
    let Err(TryLockError::WouldBlock) = file.try_lock_shared() else { return None };
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Default for Testnet {
    fn default() -> Self {
        Self::new()
    }
}

/// How much of each validator's log is shown when a test fails.
const LOG_LINES_SHOWN: usize = 40;

impl Testnet {
    /// Where each validator stands, and what it said last.
    #[allow(clippy::print_stdout, reason = "a test runner shows it beside the failure")]
    fn show(&self) {
        let mut folders: Vec<PathBuf> = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join("log").is_file())
            .collect();
        folders.sort();
        for folder in folders {
            let client = RunFile::read(&folder).and_then(|file| Client::new(&file.api).ok());
            let status = client.and_then(|client| client.status().ok());
            println!("{}: {status:?}", folder.display());
            let log = fs::read(folder.join("log")).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES_SHOWN)) {
                println!("    {line}");
            }
        }
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
        for pid in self.pids().into_iter().chain(self.relays_pid()) {
            process::signal(pid, Signal::KILL);
        }
    }
}

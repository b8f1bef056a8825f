//! The links between the validators of a testnet, to be cut and slowed: a relay for each validator, all in one process.
//!
//! ```text
//! DIR/relays/places.json  where each validator listens and its relay takes connections; written last
//! DIR/relays/faults.json  what the links suffer, replaced as a whole
//! DIR/relays/run.json     the process that carries the links, and which faults it follows
//! DIR/relays/lock         held by that process, with its id inside
//! DIR/relays/log          what it says
//! ```
//!
//! Every validator announces the address of its relay (`p2p_announce`), so whoever dials it comes through there. The
//! HTTP API of a validator is no link: its clients reach it whatever the links suffer.
//!
//! The process is told what to do by a file, which it reads again and again, and not over a socket: what is on outlives
//! a process that is killed, can be read when nobody runs, and any directory will do, however long its path. Since
//! every change has a number, which the process repeats once it follows it, a command returns when its faults are on.

pub(crate) mod carry;
pub(crate) mod faults;
pub(crate) mod run;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure};
use crate::testnet::hold::Hold;
use crate::testnet::layout::Layout;
use crate::testnet::log;
use crate::testnet::node::Node;
use crate::testnet::process::{Condition, Process};
use crate::testnet::relays::faults::{LinkFault, LinkFaults, replace};
use crate::testnet::stop::{self, GRACE, KILL_PATIENCE};

/// How the process that carries the links is called where it is told of.
const NAME: &str = "relays";
/// What is wrong when it does not run.
pub(crate) const DOWN: &str = "the relays do not run, so the validators do not reach one another";
/// What helps.
pub(crate) const DOWN_HINT: &str = "`logothete testnet up --detach` starts them again";
/// How long it may take to take connections, and to follow new faults.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// Ports are below those from which the system gives out its own, so nobody is given one by chance.
const PORTS: std::ops::Range<u16> = 10_000..30_000;
/// How often free ports are looked for.
const PLACES_ATTEMPTS: u32 = 64;
/// Lines of the log that explain a failure.
const LOG_LINES: usize = 20;

/// The relays of a testnet, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Relays {
    root: PathBuf,
}

/// Where a validator and its relay are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Where the validator listens.
    pub(crate) listens: SocketAddr,
    /// Where the others are told to dial.
    pub(crate) relay: SocketAddr,
}

/// Who carries the links, and what it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct RunFile {
    pid: u32,
    generation: u64,
}

impl Relays {
    /// The relays of the testnet in this directory.
    pub(crate) fn of(layout: &Layout) -> Self {
        Self { root: layout.root().to_owned() }
    }

    /// Whether the testnet has relays.
    pub(crate) fn exist(&self) -> bool {
        self.places_file().exists()
    }

    /// Their process, if it runs.
    ///
    /// # Errors
    ///
    /// Fails when its lock cannot be looked at.
    pub(crate) fn process(&self) -> Result<Option<Process>, Failure> {
        Hold::holder(&self.lock())
    }

    /// Whether it runs, as a word: `up` or `down`.
    ///
    /// # Errors
    ///
    /// As [`Relays::process`].
    pub(crate) fn state(&self) -> Result<&'static str, Failure> {
        Ok(if self.process()?.is_some() { "up" } else { "down" })
    }

    /// Refuses to go on without the process.
    ///
    /// # Errors
    ///
    /// Fails with the end of its log when it does not run.
    pub(crate) fn must_run(&self) -> Result<(), Failure> {
        if self.process()?.is_some() {
            return Ok(());
        }
        let lines = log::tail(&self.log(), 0, LOG_LINES).map(|(lines, _)| lines);
        Err(Failure::new(Exit::Fault, DOWN).with_log(NAME, lines.unwrap_or_default()))
    }

    /// What the links suffer.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read.
    pub(crate) fn faults(&self) -> Result<LinkFaults, Failure> {
        LinkFaults::read(&self.faults_file())
    }

    /// Whether nothing is wrong with the links, as far as it was asked for.
    ///
    /// # Errors
    ///
    /// As [`Relays::faults`].
    pub(crate) fn are_whole(&self) -> Result<bool, Failure> {
        Ok(self.faults()?.on.is_empty())
    }

    /// Gives every validator of a testnet that does not run a relay. One that has relays keeps them.
    ///
    /// # Errors
    ///
    /// [`Exit::Refused`] when a validator runs: it announces another address already. Fails when no ports are free or
    /// a configuration cannot be changed.
    pub(crate) fn make(&self, nodes: &[Node]) -> Result<(), Failure> {
        if self.exist() {
            return Ok(());
        }
        for node in nodes {
            if node.process()?.is_some() {
                let text = format!("{} runs already, without a relay", node.name());
                return Err(Failure::refused(text).with_hint(
                    "`logothete testnet down` stops it; then `logothete testnet up --relays` \
                     goes on with relays",
                ));
            }
        }
        fs::create_dir_all(self.folder())
            .map_err(|cause| Failure::file("make", &self.folder(), &cause))?;
        let places = free_places(nodes.len())?;
        for (node, place) in nodes.iter().zip(&places) {
            configure(node, place)?;
        }
        replace(&self.places_file(), &places)
    }

    /// Starts the process, where there are relays and it does not run; gives it then. Attached, it ends when this
    /// process does.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started or does not take connections in time.
    pub(crate) fn start(&self, attached: bool) -> Result<Option<Child>, Failure> {
        if !self.exist() || self.process()?.is_some() {
            return Ok(None);
        }
        let path = self.log();
        let fault = |cause| Failure::file("open", &path, &cause);
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(fault)?;
        let log_from = log.metadata().map_or(0, |metadata| metadata.len());
        let program = std::env::current_exe()
            .map_err(|cause| Failure::fault("cannot find this program", &cause))?;
        let mut command = Command::new(program);
        command.args(["testnet", "relays", "--dir"]).arg(&self.root);
        if attached {
            command.arg("--stop-with-stdin");
        }
        let mut child = command
            .stdin(if attached { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|cause| Failure::fault("cannot start the relays", &cause))?;
        let deadline = Instant::now() + PATIENCE;
        while self.run_file().is_none_or(|file| file.pid != child.id()) {
            let ended = !matches!(child.try_wait(), Ok(None));
            if ended || Instant::now() > deadline {
                // Our own child: killing one that has ended is harmless.
                drop(child.kill());
                drop(child.wait());
                let what = if ended { "ended while they were started" } else { "are not ready" };
                let lines = log::tail(&path, log_from, LOG_LINES).map(|(lines, _)| lines);
                return Err(Failure::new(Exit::Fault, format!("the relays {what}"))
                    .with_log(NAME, lines.unwrap_or_default()));
            }
            thread::sleep(PAUSE);
        }
        Ok(Some(child))
    }

    /// Changes what the links suffer, and returns when they do.
    ///
    /// # Errors
    ///
    /// [`Exit::Refused`] when the testnet has no relays or they do not run; [`Exit::TimedOut`] when they do not follow.
    pub(crate) fn change(&self, change: impl FnOnce(&mut LinkFaults)) -> Result<(), Failure> {
        if !self.exist() {
            return Err(Failure::refused(
                "this testnet has no relays, so its links are out of reach",
            )
            .with_hint(
                "`logothete testnet up --relays` gives a stopped testnet relays; \
                     crash and pause need none",
            ));
        }
        // Two commands at a time change one after the other.
        let places = self.places_file();
        let _turn = File::open(&places)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|cause| Failure::file("lock", &places, &cause))?;
        let Some(process) = self.process()? else { return Err(not_running()) };
        let mut faults = self.faults()?;
        change(&mut faults);
        faults.generation = faults.generation.saturating_add(1);
        faults.write(&self.faults_file())?;
        let deadline = Instant::now() + PATIENCE;
        let followed = RunFile { pid: process.id(), generation: faults.generation };
        while self.run_file() != Some(followed) {
            if process.condition() == Condition::Gone {
                return Err(not_running());
            }
            if Instant::now() > deadline {
                let text = format!("the relays (process {}) do not follow", process.id());
                return Err(Failure::new(Exit::TimedOut, text));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Adds faults, and returns when they are on.
    ///
    /// # Errors
    ///
    /// As [`Relays::change`].
    pub(crate) fn add(&self, faults: &[LinkFault]) -> Result<(), Failure> {
        self.change(|on| on.add(faults))
    }

    /// Ends the process, if it runs, and with it what the links suffer. Says whether it ran.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be signalled or does not go away.
    pub(crate) fn stop(&self) -> Result<bool, Failure> {
        let process = self.process()?;
        if let Some(process) = &process {
            let fault = |cause| Failure::fault("cannot end the relays", &cause);
            stop::ask(process).map_err(fault)?;
            let killed_at = Instant::now() + GRACE;
            let deadline = killed_at + KILL_PATIENCE;
            while !Hold::is_free_of(&self.lock(), process)? {
                let now = Instant::now();
                if now > killed_at {
                    process.signal(Signal::KILL).map_err(fault)?;
                }
                if now > deadline {
                    let text = format!("the relays (process {}) do not end", process.id());
                    return Err(Failure::new(Exit::TimedOut, text));
                }
                thread::sleep(PAUSE);
            }
        }
        remove_file(&self.run_path())?;
        remove_file(&self.faults_file())?;
        Ok(process.is_some())
    }

    /// Deletes their files, and their folder if nothing else is in it.
    ///
    /// # Errors
    ///
    /// Fails when one cannot be deleted.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        match fs::symlink_metadata(self.folder()) {
            Ok(metadata) if metadata.is_dir() => {}
            // What a link leads to was not made by a testnet.
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::file("look at", &self.folder(), &error)),
        }
        let files =
            [self.places_file(), self.faults_file(), self.run_path(), self.lock(), self.log()];
        for path in files {
            remove_file(&path)?;
        }
        match fs::remove_dir(self.folder()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) => Err(Failure::file("delete", &self.folder(), &error)),
        }
    }

    fn places(&self) -> Result<Vec<Place>, Failure> {
        let path = self.places_file();
        let fault = |cause: io::Error| Failure::file("use", &path, &cause);
        let bytes = fs::read(&path).map_err(fault)?;
        serde_json::from_slice(&bytes).map_err(|cause| fault(cause.into()))
    }

    fn run_file(&self) -> Option<RunFile> {
        serde_json::from_slice(&fs::read(self.run_path()).ok()?).ok()
    }

    fn folder(&self) -> PathBuf {
        self.root.join(NAME)
    }

    fn places_file(&self) -> PathBuf {
        self.folder().join("places.json")
    }

    fn faults_file(&self) -> PathBuf {
        self.folder().join("faults.json")
    }

    fn run_path(&self) -> PathBuf {
        self.folder().join("run.json")
    }

    fn lock(&self) -> PathBuf {
        self.folder().join("lock")
    }

    fn log(&self) -> PathBuf {
        self.folder().join("log")
    }
}

/// What is wrong when nobody carries the links.
fn not_running() -> Failure {
    Failure::refused(DOWN).with_hint(DOWN_HINT)
}

fn remove_file(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::file("delete", path, &error)),
    }
}

/// Places where nobody listens, at an address of this computer that nobody else uses, if it has more than one.
fn free_places(count: usize) -> Result<Vec<Place>, Failure> {
    let mut cause = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PLACES_ATTEMPTS {
        let mut random = [0; 5];
        getrandom::fill(&mut random)
            .map_err(|cause| Failure::fault("the system gives no randomness", &cause))?;
        let [high, low, first, second, third] = random;
        let span = PORTS.end.saturating_sub(PORTS.start);
        let port = PORTS.start.saturating_add(u16::from_be_bytes([high, low]) % span);
        // All of 127.0.0.0/8 is this computer on some systems, on others 127.0.0.1 alone.
        for address in [Ipv4Addr::new(127, first, second, third), Ipv4Addr::LOCALHOST] {
            match places_from(address, port, count) {
                Ok(places) => return Ok(places),
                Err(error) => cause = error,
            }
        }
    }
    Err(Failure::fault("no free ports for relays", &cause))
}

/// The places from a port on, if nobody listens at any of them.
fn places_from(address: Ipv4Addr, port: u16, count: usize) -> io::Result<Vec<Place>> {
    let mut ports = (port..).map(|port| SocketAddr::from((address, port)));
    let mut listeners = Vec::new();
    let mut places = Vec::new();
    while places.len() < count {
        let (Some(listens), Some(relay)) = (ports.next(), ports.next()) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        for place in [listens, relay] {
            listeners.push(TcpListener::bind(place)?);
        }
        places.push(Place { listens, relay });
    }
    Ok(places)
}

/// Lets a validator listen at its place and announce its relay.
fn configure(node: &Node, place: &Place) -> Result<(), Failure> {
    let path = node.config();
    let text = fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
    let mut found = 0_u32;
    let mut changed = String::with_capacity(text.len().saturating_add(64));
    for line in text.lines() {
        let key = line.split('=').next().unwrap_or_default().trim();
        let address = match key {
            "p2p_listen" => Some(place.listens),
            "p2p_announce" => Some(place.relay),
            _ => None,
        };
        match address {
            Some(address) => {
                found = found.saturating_add(1);
                let (ip, port) = (address.ip(), address.port());
                changed.push_str(&format!("{key} = [\"/ip4/{ip}/tcp/{port}\"]"));
            }
            None => changed.push_str(line),
        }
        changed.push('\n');
    }
    if found != 2 {
        let text = format!("{} has not p2p_listen and p2p_announce on a line each", path.display());
        return Err(Failure::refused(text).with_hint(
            "write them so, as `logothete testnet up` does, or begin anew with --reset",
        ));
    }
    fs::write(&path, changed).map_err(|cause| Failure::file("write", &path, &cause))
}

#[cfg(test)]
mod tests;

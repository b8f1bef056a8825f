//! The built programs, run with a time limit and their output kept.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::process;

/// How long a program may run.
pub const RUN_PATIENCE: Duration = Duration::from_secs(120);

/// A program of this workspace, beside the running test: `target/debug/NAME`.
///
/// # Panics
///
/// When it is not built.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // target/debug/deps/testnet-… → target/debug
    let folder = test.parent().and_then(|deps| deps.parent()).expect("tests stand in deps");
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace --bins`", path.display());
    path
}

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// The single JSON document on standard output.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON document ({error}): {self:?}"))
    }

    /// The same, if the code is this.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[must_use]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// A program to be run. Variables that would lead it to another network or change its log are taken away.
pub fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(arguments).env_remove("LOGOTHETE_DIR").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Runs a program to its end.
///
/// # Panics
///
/// When it cannot be started or does not end within [`RUN_PATIENCE`].
pub fn run(name: &str, arguments: &[&str]) -> Ended {
    Running::start(command(name, arguments)).end()
}

/// A program that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("it was asked for");
        let mut errors = child.stderr.take().expect("it was asked for");
        let (to, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                if to.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            // What cannot be read is not there.
            drop(errors.read_to_string(&mut text));
            text
        });
        Self { child, lines, seen: Vec::new(), stderr: Some(stderr) }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        process::signal(self.child.id(), signal);
    }

    /// Waits for a line of standard output that holds this text, and gives it.
    ///
    /// # Panics
    ///
    /// When none comes within [`RUN_PATIENCE`] or before it ends.
    pub fn line_with(&mut self, text: &str) -> String {
        let end = Instant::now() + RUN_PATIENCE;
        loop {
            let patience = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(patience) else {
                let seen = self.seen.concat();
                drop(self.child.kill());
                let said = self.stderr.take().map(JoinHandle::join);
                panic!("no line with {text:?} came; stdout: {seen}\nstderr: {said:?}");
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it ends.
    ///
    /// # Panics
    ///
    /// When it does not within [`RUN_PATIENCE`].
    pub fn end(mut self) -> Ended {
        let status = self.wait();
        while let Ok(line) = self.lines.recv_timeout(RUN_PATIENCE) {
            self.seen.push(line);
        }
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ended { code: status.code(), stdout: self.seen.concat(), stderr }
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + RUN_PATIENCE;
        loop {
            let looked = self.child.try_wait();
            if let Some(status) = looked.expect("a child can be waited for") {
                return status;
            }
            assert!(Instant::now() < end, "{self:?} does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

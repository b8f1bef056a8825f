//! A network in a directory, and the wallet as a process.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::ledger::{Ledger, NAMES, account_key, address, replicas};
use super::validator::Served;

/// Four validators, their directory, and a keystore.
pub(crate) struct Net {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) validators: Vec<Served>,
    directory: TempDir,
}

impl Net {
    pub(crate) fn start() -> Self {
        let ledger = Ledger::start();
        let validators = replicas().map(|replica| Served::start(&ledger, replica)).collect();
        let net = Self { ledger, validators, directory: tempdir().unwrap() };
        fs::write(net.path("genesis.toml"), net.ledger.genesis.to_toml()).unwrap();
        net.write_accounts();
        net.write_run_files();
        net
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn write_accounts(&self) {
        let mut text = "seed = 0\n".to_owned();
        for name in NAMES {
            let address = address(name).to_text("rlgt");
            let secret = crypto::digest::Digest::from_bytes(*account_key(name).seed());
            text.push_str(&format!(
                "\n[[accounts]]\nname = \"{name}\"\naddress = \"{address}\"\nsecret = \"{secret}\"\n"
            ));
        }
        self.write("accounts.toml", &text);
    }

    pub(crate) fn write_run_files(&self) {
        for (number, validator) in self.validators.iter().enumerate() {
            let node = self.path(&format!("node{number}"));
            fs::create_dir_all(&node).unwrap();
            let run = json!({
                "pid": 1, "name": format!("node{number}"), "replica": number,
                "api": validator.url, "p2p": "/ip4/127.0.0.1/tcp/1",
            });
            fs::write(node.join("run.json"), run.to_string()).unwrap();
        }
    }

    /// The wallet on this network, with nothing of this machine's own environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = wallet(arguments);
        command.env("LOGOTHETE_DIR", self.directory.path());
        command.env("LOGOTHETE_KEYSTORE", self.path("keys"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_json(&self, arguments: &[&str]) -> Ran {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.run(&arguments)
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// The wallet without a network, a terminal or an environment.
pub(crate) fn wallet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logothete-wallet"));
    command.args(arguments).env_clear().stdin(Stdio::null()).current_dir("/");
    command
}

/// What a process did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit code, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// The result.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|cause| panic!("{cause}: {}", self.stdout))
    }

    /// The code of the error that stands on stderr with `--json`.
    #[track_caller]
    pub(crate) fn error_code(&self) -> String {
        let line = self.stderr.lines().find(|line| line.starts_with("{\"error\"")).unwrap();
        let error: Value = serde_json::from_str(line).unwrap();
        error["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

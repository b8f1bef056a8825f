//! Writes the files of a new testnet.
//!
//! The genesis comes last: a directory without it is not yet a testnet, so what a crash leaves
//! behind is recognised and made again.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crypto::digest::Digest;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::testnet::layout::Layout;
use crate::testnet::plan::{Plan, PlannedValidator};

/// Writes a testnet into a directory that holds none.
///
/// # Errors
///
/// Fails when a file exists already or cannot be written.
pub(crate) fn create(layout: &Layout, plan: &Plan) -> Result<(), Failure> {
    fs::create_dir_all(layout.root())
        .map_err(|cause| Failure::file("make", layout.root(), &cause))?;
    for (index, validator) in plan.validators.iter().enumerate() {
        let node = layout.node(index);
        fs::create_dir_all(node.folder())
            .map_err(|cause| Failure::file("make", node.folder(), &cause))?;
        for (path, seed) in [
            (node.validator_key(), &validator.validator_seed),
            (node.node_key(), &validator.node_seed),
        ] {
            ::node::key_file::create(&path, seed)
                .map_err(|cause| Failure::fault("cannot write a key", &cause))?;
        }
        write_new(&node.config(), 0o644, &config(validator))?;
    }
    write_new(&layout.accounts(), 0o600, &accounts(plan))?;
    write_new(&layout.genesis(), 0o644, &plan.genesis.to_toml())
}

/// Writes a file that must not exist yet, durable when it returns.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|cause| Failure::file("write", path, &cause))
}

/// The configuration of a validator; its keys are explained in `docs/reference/configuration.md`.
fn config(validator: &PlannedValidator) -> String {
    format!(
        r#"# Configuration of one validator, made by `logothete testnet up`.
# Relative paths start at the folder of this file.

# Its name in the genesis.
name = "{name}"
# The genesis of its network.
genesis = "../genesis.toml"
# Where its journal and its blocks are kept.
data = "data"

# What it votes and replies with. Nobody else may be able to read it.
validator_key = "validator.key"
# Its libp2p identity, bound to the validator in the genesis. Nobody else may be able to read it.
node_key = "node.key"

# Where it listens for other validators; port 0 lets the system choose.
p2p_listen = ["/ip4/127.0.0.1/tcp/0"]
# What the other validators are told to dial, where it is not what this one listens on: behind a
# router that translates addresses, say.
p2p_announce = []
# Validators to begin with, as /ip4/…/tcp/…/p2p/PEERID. On a testnet ports change with every start,
# so `logothete testnet` gives them on the command line.
p2p_bootstrap = []
# Whether to look for validators on the local network, too.
p2p_mdns = false

# Where the HTTP API listens; port 0 lets the system choose. It is not encrypted and asks nobody who
# they are: keep it on this computer, or behind a proxy.
api_listen = "127.0.0.1:0"
"#,
        name = validator.name
    )
}

/// The accounts with their secrets.
fn accounts(plan: &Plan) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    let head = format_args!(
        "# The accounts of a network on this computer. FOR LOCAL NETWORKS ONLY: anybody who knows the seed\n\
         # has these secrets. Never give them anything of value.\n\n\
         # What all keys of this testnet were derived from.\n\
         seed = {}\n\
         # The words of the accounts, which are numbers 0 to {} of m/44'/1'/NUMBER'/0'/0'.\n\
         words = \"{}\"\n",
        plan.seed,
        plan.accounts.len().saturating_sub(1),
        plan.words.as_str(),
    );
    append(&mut text, head);
    for account in &plan.accounts {
        let secret = Zeroizing::new(Digest::from_bytes(*account.key.seed()).to_string());
        let entry = format_args!(
            "\n[[accounts]]\nname = \"{}\"\naddress = \"{}\"\nsecret = \"{}\"\n",
            account.name,
            account.address().to_text(plan.genesis.prefix()),
            *secret,
        );
        append(&mut text, entry);
    }
    text
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing into a String never fails");
}

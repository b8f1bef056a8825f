//! Where the files of a testnet are, and what a directory holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::testnet::accounts::AccountsFile;
use crate::testnet::node::Node;

/// The directory of a testnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing, or it does not exist.
    Nothing,
    /// A testnet.
    Testnet,
    /// A testnet whose accounts cannot be used. Its validators may run.
    Damaged,
    /// What is left of a testnet that was never made whole: it has no chain yet.
    Remains,
    /// Something else.
    Other {
        /// An entry that no testnet has, or lacks.
        found: String,
    },
}

impl Layout {
    /// The testnet in this directory, if there is one.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What the network agrees on.
    pub(crate) fn genesis(&self) -> PathBuf {
        self.root.join("genesis.toml")
    }

    /// The named accounts.
    pub(crate) fn accounts(&self) -> PathBuf {
        self.root.join("accounts.toml")
    }

    /// Held by a running `testnet up`.
    pub(crate) fn up_lock(&self) -> PathBuf {
        self.root.join("up.lock")
    }

    /// The folder of a validator.
    pub(crate) fn node(&self, index: usize) -> Node {
        Node::new(&self.root, index)
    }

    /// The folders of validators that exist, whatever the genesis says.
    pub(crate) fn existing_nodes(&self) -> Result<Vec<Node>, Failure> {
        let mut indexes: Vec<usize> =
            self.entries()?.iter().filter_map(|name| index_of(name)).collect();
        indexes.sort_unstable();
        Ok(indexes.into_iter().map(|index| self.node(index)).collect())
    }

    /// What the directory holds.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be listed.
    pub(crate) fn kind(&self) -> Result<Kind, Failure> {
        let entries = self.entries()?;
        let has = |name: &str| entries.iter().any(|entry| entry == name);
        if has("genesis.toml") {
            // The accounts are the mark: a genesis alone may be anybody's.
            return Ok(match AccountsFile::read(&self.accounts()) {
                Ok(_) => Kind::Testnet,
                Err(_) if !has("accounts.toml") => {
                    Kind::Other { found: "genesis.toml without accounts.toml".to_owned() }
                }
                // Validators make it ours, whatever became of the file since.
                Err(_) if entries.iter().any(|name| index_of(name).is_some()) => Kind::Damaged,
                Err(_) => Kind::Other { found: "an accounts.toml of something else".to_owned() },
            });
        }
        let mut remains = false;
        for name in &entries {
            match index_of(name) {
                Some(index) if !self.node(index).data().exists() => remains = true,
                Some(_) => {
                    return Ok(Kind::Other { found: format!("{name} without genesis.toml") });
                }
                None if name == "accounts.toml" => remains = true,
                None if name == "up.lock" => {}
                None => return Ok(Kind::Other { found: name.clone() }),
            }
        }
        Ok(if remains { Kind::Remains } else { Kind::Nothing })
    }

    /// The refusal to touch a directory that holds something else.
    pub(crate) fn occupied(&self, found: &str) -> Failure {
        let root = self.root.display();
        Failure::refused(format!("{root} is not a testnet and not empty: it holds {found}"))
            .with_hint("nothing was changed; name another directory with --dir or LOGOTHETE_DIR")
    }

    /// The names in the directory, sorted; none when it does not exist.
    fn entries(&self) -> Result<Vec<String>, Failure> {
        let listed = fs::read_dir(&self.root).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<String>>>()
        });
        match listed {
            Ok(mut names) => {
                names.sort();
                Ok(names)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Failure::file("list", &self.root, &error)),
        }
    }
}

/// The number in the name of a validator's folder, in its one spelling.
fn index_of(name: &str) -> Option<usize> {
    let digits = name.strip_prefix("node")?;
    digits.parse().ok().filter(|index: &usize| index.to_string() == digits)
}

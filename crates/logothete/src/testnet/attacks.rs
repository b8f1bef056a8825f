//! Which validators of a testnet attack it, and how.
//!
//! It stands in `node<i>/attacks`, one attack a line, where it outlives the process: a validator that is killed and
//! started again is what it was. What an attack is, `logothete-adversary` alone knows; here it is text for it.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use types::quorum::Quorum;

use crate::failure::{Exit, Failure};
use crate::testnet::node::Node;
use crate::testnet::not_there;

/// What the others are run by.
const PROGRAM: &str = "logothete-adversary";

/// What a validator does beside its duty: nothing, if it is honest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attacks(Vec<String>);

/// A validator that attacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Adversary {
    /// The one in `node<i>`.
    pub(crate) node: usize,
    /// What it does.
    pub(crate) attacks: Attacks,
}

impl Attacks {
    /// Reads `honest`, or attacks with `+` between them. A `+` before a digit belongs to the attack: it stands between
    /// its victims.
    ///
    /// # Errors
    ///
    /// Says what is expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "honest" {
            return Ok(Self::default());
        }
        let mut attacks: Vec<String> = Vec::new();
        for part in text.split('+') {
            let digit = part.starts_with(|first: char| first.is_ascii_digit());
            let plain = part.starts_with(|first: char| first.is_ascii_alphabetic());
            match attacks.last_mut() {
                Some(before) if digit => {
                    before.push('+');
                    before.push_str(part);
                }
                Some(_) | None if plain && !part.contains(char::is_whitespace) => {
                    attacks.push(part.to_owned());
                }
                Some(_) | None => {
                    return Err(format!(
                        "{part:?} is no attack; `{PROGRAM} list` explains those that there are"
                    ));
                }
            }
        }
        Ok(Self(attacks))
    }

    /// These, each as `logothete-adversary` takes it.
    pub(crate) const fn new(attacks: Vec<String>) -> Self {
        Self(attacks)
    }

    /// What a validator of a testnet does.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read.
    pub(crate) fn of(node: &Node) -> Result<Self, Failure> {
        match fs::read_to_string(node.attacks()) {
            Ok(text) => Ok(Self(text.lines().map(str::to_owned).collect())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::file("read", &node.attacks(), &error)),
        }
    }

    /// Lets a validator do this when it is started the next time.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be written.
    pub(crate) fn give(&self, node: &Node) -> Result<(), Failure> {
        let path = node.attacks();
        if !self.is_honest() {
            let text: String = self.0.iter().map(|attack| format!("{attack}\n")).collect();
            return fs::write(&path, text).map_err(|cause| Failure::file("write", &path, &cause));
        }
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Failure::file("delete", &path, &error)),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_honest(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub(crate) fn list(&self) -> &[String] {
        &self.0
    }

    /// The command that runs such a validator; its configuration is still to be named.
    ///
    /// # Errors
    ///
    /// Fails when a program is not there.
    pub(crate) fn command(&self) -> Result<Command, Failure> {
        if self.is_honest() {
            let mut command = Command::new(this_program()?);
            command.arg("validator");
            return Ok(command);
        }
        let mut command = Command::new(adversary()?);
        command.args(["--json", "run"]);
        command.args(self.0.iter().map(|attack| format!("--attack={attack}")));
        Ok(command)
    }

    /// Asks the adversary whether it knows them.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] when it does not; fails when it is not there.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_honest() {
            return Ok(());
        }
        let program = adversary()?;
        let asked = Command::new(&program).args(["list", "--"]).args(&self.0).output();
        let asked = asked.map_err(|cause| Failure::file("run", &program, &cause))?;
        if asked.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&asked.stderr);
        // Of what the parser of a command line says, the first line is what is wrong.
        let line = said.lines().next().unwrap_or_default();
        let reason = line.strip_prefix("error: ").unwrap_or(line);
        Err(Failure::new(Exit::Usage, reason)
            .with_hint(format!("`{PROGRAM} list` explains the attacks that there are")))
    }
}

/// As it is typed.
impl fmt::Display for Attacks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_honest() {
            true => formatter.write_str("honest"),
            false => formatter.write_str(&self.0.join("+")),
        }
    }
}

fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|cause| Failure::fault("cannot find this program", &cause))
}

/// The adversary, which stands beside this program and is not part of it.
fn adversary() -> Result<PathBuf, Failure> {
    let path = this_program()?.with_file_name(PROGRAM);
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::new(Exit::Fault, format!("there is no {}", path.display())).with_hint(format!(
        "it stands beside `logothete`; `cargo build --release --bin {PROGRAM}` builds it"
    )))
}

/// Gives these adversaries their roles.
///
/// # Errors
///
/// [`Exit::Usage`] when one is named twice or there is no such attack, [`Exit::NotFound`] when there is no such
/// validator.
pub(crate) fn cast(roles: &mut [Attacks], adversaries: &[Adversary]) -> Result<(), Failure> {
    let validators = roles.len();
    let mut named: Vec<usize> = Vec::new();
    for Adversary { node, attacks } in adversaries {
        let Some(role) = roles.get_mut(*node) else { return Err(not_there(*node, validators)) };
        if named.contains(node) {
            let text = format!("node{node} is named twice");
            return Err(Failure::new(Exit::Usage, text)
                .with_hint(format!("several attacks are written --adversary {node}=ONE+OTHER")));
        }
        named.push(*node);
        attacks.check()?;
        role.clone_from(attacks);
    }
    Ok(())
}

/// What each validator of a network of this size is, with these adversaries and no more than it tolerates.
///
/// # Errors
///
/// As [`cast`] and [`must_be_tolerated`].
pub(crate) fn roles(quorum: Quorum, adversaries: &[Adversary]) -> Result<Vec<Attacks>, Failure> {
    let mut roles = vec![Attacks::default(); quorum.n()];
    cast(&mut roles, adversaries)?;
    let count = roles.iter().filter(|role| !role.is_honest()).count();
    must_be_tolerated(count, quorum, false)?;
    Ok(roles)
}

/// Whether a network bears so many adversaries, or is meant to break.
///
/// # Errors
///
/// [`Exit::Refused`] when not.
pub(crate) fn must_be_tolerated(
    count: usize,
    quorum: Quorum,
    break_safety: bool,
) -> Result<(), Failure> {
    let (n, t) = (quorum.n(), quorum.t());
    if count <= t || break_safety {
        return Ok(());
    }
    let noun = if count == 1 { "adversary" } else { "adversaries" };
    let text = format!("a network of {n} holds against {t}, and there would be {count} {noun}");
    Err(Failure::refused(text).with_hint(
        "to see it break, say --break-safety; `logothete testnet turn NODE honest` makes one honest",
    ))
}

#[cfg(test)]
mod tests;

//! Where secrets that people bring come from: a file, standard input, or the terminal. Never the
//! command line, which everybody on the machine can read, and never the environment.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::arguments::PasswordArguments;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::private_file::read_bounded;
use crate::terminal;

/// The longest password or list of words that is read, in bytes.
const SECRET_BYTES_MAX: u64 = 1024;

/// The password of a key that exists.
///
/// # Errors
/// [`Exit::Key`] when it cannot be had.
pub(crate) fn existing(
    arguments: &PasswordArguments,
    name: &str,
    output: &mut Output,
) -> Result<Zeroizing<String>, Failure> {
    match &arguments.password_file {
        Some(path) => first_line(path, output),
        None => terminal::password(&format!("password of {name}: ")),
    }
}

/// The password of a new key, asked twice on a terminal.
///
/// # Errors
/// [`Exit::Key`] when it cannot be had, is empty, or the two are not the same.
pub(crate) fn fresh(
    arguments: &PasswordArguments,
    name: &str,
    output: &mut Output,
) -> Result<Zeroizing<String>, Failure> {
    let password = match &arguments.password_file {
        Some(path) => first_line(path, output)?,
        None => {
            let first = terminal::password(&format!("new password for {name}: "))?;
            if *first != *terminal::password("the same again: ")? {
                return Err(Failure::key("the two passwords are not the same"));
            }
            first
        }
    };
    if password.is_empty() {
        return Err(Failure::new(Exit::Key, "password-empty", "a password cannot be empty"));
    }
    Ok(password)
}

/// The words in a file, or those typed at the terminal.
///
/// # Errors
/// [`Exit::Key`] when they cannot be had.
pub(crate) fn words(
    path: Option<&Path>,
    output: &mut Output,
) -> Result<Zeroizing<String>, Failure> {
    match path {
        Some(path) => read_text(path, output),
        None if terminal::interactive() => terminal::password("words (not shown): "),
        None => Err(Failure::new(
            Exit::Key,
            "words-needed",
            "the words are needed and there is no terminal to ask for them",
        )
        .with_hint("give the words in a file: --words-file FILE (or - for standard input)")),
    }
}

fn first_line(path: &Path, output: &mut Output) -> Result<Zeroizing<String>, Failure> {
    let text = read_text(path, output)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn read_text(path: &Path, output: &mut Output) -> Result<Zeroizing<String>, Failure> {
    let unusable = |cause: String| Failure::key(format!("cannot use {}: {cause}", path.display()));
    let bytes = if path == Path::new("-") {
        read_bounded(io::stdin().lock(), path, SECRET_BYTES_MAX)
    } else {
        let file = File::open(path).map_err(|cause| unusable(cause.to_string()))?;
        let metadata = file.metadata().map_err(|cause| unusable(cause.to_string()))?;
        if metadata.is_file() && metadata.mode() & 0o077 != 0 {
            output.warning(format!("others may read {}", path.display()));
        }
        read_bounded(file, path, SECRET_BYTES_MAX)
    }
    .map_err(|cause| unusable(cause.to_string()))?;
    std::str::from_utf8(&bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| unusable("it is not UTF-8 text".to_owned()))
}

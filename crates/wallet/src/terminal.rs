//! What is asked of the person at the terminal: a password, a confirmation.
//!
//! Without a terminal nothing is ever asked: a script gets a clear error and not a program that
//! waits.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// Whether somebody can be asked: both what is typed and what is asked are on a terminal.
pub(crate) fn interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a password without showing it.
///
/// # Errors
/// [`Exit::Key`] without a terminal, [`Exit::Fault`] when the terminal fails.
pub(crate) fn password(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !interactive() {
        return Err(Failure::new(
            Exit::Key,
            "password-needed",
            "a password is needed and there is no terminal to ask for it",
        )
        .with_hint("give the password in a file: --password-file FILE (or - for standard input)"));
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|cause| Failure::fault("cannot read the password", cause))
}

/// Asks a question that is answered by yes or no; anything but yes is no.
///
/// # Errors
/// [`Exit::Usage`] without a terminal, [`Exit::Declined`] when the answer is not yes.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    if !interactive() {
        return Err(Failure::new(
            Exit::Usage,
            "confirmation-needed",
            "this needs a confirmation and there is no terminal to ask for it",
        )
        .with_hint("confirm it on the command line: --yes"));
    }
    let mut answer = String::new();
    write!(io::stderr(), "{question} [y/N] ")
        .and_then(|()| io::stderr().flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(|cause| Failure::fault("cannot ask for a confirmation", cause))?;
    if says_yes(&answer) {
        return Ok(());
    }
    Err(Failure::new(Exit::Declined, "declined", "not confirmed, nothing was done"))
}

fn says_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

#[cfg(test)]
mod tests;

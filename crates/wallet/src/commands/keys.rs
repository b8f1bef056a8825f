//! `keys`: the keys on this computer. No validator is asked anything here.

use std::io::{self, Write};
use std::path::PathBuf;

use crypto::derivation::Words;
use serde::Serialize;
use types::Address;

use crate::arguments::{
    ExportArguments, ImportArguments, KeysCommand, NameArguments, NewArguments,
};
use crate::exit::{Exit, Failure};
use crate::keystore::sealed::Cost;
use crate::keystore::{StoredKey, new_words};
use crate::output::{BOLD, DIM, Report, styled};
use crate::password;
use crate::people::People;
use crate::program::Context;
use crate::site::Site;
use crate::terminal;

/// Runs `keys …`.
///
/// # Errors
/// Whatever the key files and the person at the terminal give reason for.
pub(crate) fn run(context: &mut Context, command: &KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::New(arguments) => new(context, arguments),
        KeysCommand::Import(arguments) => import(context, arguments),
        KeysCommand::List => list(context),
        KeysCommand::Show(arguments) => show(context, arguments),
        KeysCommand::Export(arguments) => export(context, arguments),
    }
}

fn new(context: &mut Context, arguments: &NewArguments) -> Result<Exit, Failure> {
    context.keystore.check_free(&arguments.name)?;
    let password = password::fresh(&arguments.password, &arguments.name, &mut context.output)?;
    let words = new_words(arguments.words)?;
    let stored = context.keystore.add(
        &arguments.name,
        &words,
        arguments.account,
        &password,
        Cost::STANDARD,
    )?;
    tell_words_once(context, &stored, &words);
    warn_of_namesake(context, &stored.name);
    report(context, &stored)
}

/// A name that the testnet has, too, stands for nobody from now on.
fn warn_of_namesake(context: &mut Context, name: &str) {
    let site = Site::open_if_any(&context.places).ok().flatten();
    let people = site.and_then(|site| People::of(&site, &context.keystore).ok());
    if people.is_some_and(|people| people.local().iter().any(|account| account.name == name)) {
        context.output.warning(format!(
            "{name} is an account of the testnet, too: say key:{name} or local:{name}"
        ));
    }
}

/// New words are shown on a terminal only: what is piped ends up in files.
fn tell_words_once(context: &mut Context, stored: &StoredKey, words: &Words) {
    if terminal::interactive() {
        context.output.notice(format!(
            "\n{}\n\n    {}\n\nWith these words the key can be made again, by you and by anyone who sees them.\n",
            styled(BOLD, "Write these words down and keep them secret:"),
            words.as_str(),
        ));
    } else {
        let name = &stored.name;
        context.output.notice(format!(
            "the words of {name} are not shown without a terminal; \
             `logothete-wallet keys export {name}` prints them"
        ));
    }
}

fn import(context: &mut Context, arguments: &ImportArguments) -> Result<Exit, Failure> {
    context.keystore.check_free(&arguments.name)?;
    let from_input = Some(std::path::Path::new("-"));
    if arguments.words_file.as_deref() == from_input
        && arguments.password.password_file.as_deref() == from_input
    {
        return Err(Failure::usage("words and password cannot both come from standard input"));
    }
    let text = password::words(arguments.words_file.as_deref(), &mut context.output)?;
    let words = Words::parse(&text).map_err(|cause| Failure::key(cause.to_string()))?;
    let password = password::fresh(&arguments.password, &arguments.name, &mut context.output)?;
    let stored = context.keystore.add(
        &arguments.name,
        &words,
        arguments.account,
        &password,
        Cost::STANDARD,
    )?;
    warn_of_namesake(context, &stored.name);
    report(context, &stored)
}

fn show(context: &mut Context, arguments: &NameArguments) -> Result<Exit, Failure> {
    let stored = context.keystore.get(&arguments.name)?;
    report(context, &stored)
}

fn report(context: &mut Context, stored: &StoredKey) -> Result<Exit, Failure> {
    let report = KeyReport::of(stored, &context.prefix()?);
    context.output.result(&report)?;
    Ok(Exit::Done)
}

fn list(context: &mut Context) -> Result<Exit, Failure> {
    let prefix = context.prefix()?;
    let mut keys = Vec::new();
    for name in context.keystore.names()? {
        match context.keystore.get(&name) {
            Ok(stored) => keys.push(KeyReport::of(&stored, &prefix)),
            // One bad file does not hide the good ones.
            Err(failure) => context.output.warning(&failure.text),
        }
    }
    if keys.is_empty() {
        let directory = context.keystore.directory().display().to_string();
        context.output.notice(format!("there are no keys in {directory}"));
    }
    context.output.result(&KeyList { keys })?;
    Ok(Exit::Done)
}

fn export(context: &mut Context, arguments: &ExportArguments) -> Result<Exit, Failure> {
    let stored = context.keystore.get(&arguments.name)?;
    if !arguments.yes {
        terminal::confirm(&format!(
            "Show the words of {}? Whoever sees them owns what it holds.",
            stored.name
        ))?;
    }
    let password = password::existing(&arguments.password, &stored.name, &mut context.output)?;
    let words = stored.words(&password)?;
    context.output.result(&WordsReport { name: &stored.name, words: words.as_str() })?;
    Ok(Exit::Done)
}

/// A key, without anything secret.
#[derive(Serialize)]
struct KeyReport {
    name: String,
    address: String,
    public_key: String,
    path: String,
    words: usize,
    file: PathBuf,
}

impl KeyReport {
    fn of(stored: &StoredKey, prefix: &str) -> Self {
        let public_key = stored.sealed.public_key();
        Self {
            name: stored.name.clone(),
            address: Address::Key(public_key).to_text(prefix),
            public_key: public_key.to_string(),
            path: stored.derivation_path(),
            words: stored.sealed.words_count(),
            file: stored.path.clone(),
        }
    }
}

impl Report for KeyReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", styled(BOLD, &self.name))?;
        writeln!(out, "  address     {}", self.address)?;
        writeln!(out, "  public key  {}", self.public_key)?;
        writeln!(out, "  path        {} of {} words", self.path, self.words)?;
        writeln!(out, "  file        {}", styled(DIM, self.file.display()))
    }
}

#[derive(Serialize)]
struct KeyList {
    keys: Vec<KeyReport>,
}

impl Report for KeyList {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.keys.iter().map(|key| key.name.len()).max().unwrap_or_default();
        for key in &self.keys {
            writeln!(out, "{:width$}  {}  {}", key.name, key.address, styled(DIM, &key.path))?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct WordsReport<'a> {
    name: &'a str,
    words: &'a str,
}

impl Report for WordsReport<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.words)
    }
}

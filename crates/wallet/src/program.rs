//! From the command line to an exit code.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::arguments::{Command, Places};
use crate::commands;
use crate::exit::{Exit, Failure};
use crate::keystore::Keystore;
use crate::line;
use crate::output::Output;
use crate::people::LOCAL_PREFIX;
use crate::site::Site;

/// The environment variable that names the directory of the keys. Empty, it says nothing.
const KEYSTORE_VARIABLE: &str = "LOGOTHETE_KEYSTORE";

/// What every command works with.
pub(crate) struct Context {
    /// Where the network is.
    pub(crate) places: Places,
    /// The keys on this computer.
    pub(crate) keystore: Keystore,
    /// Where to write.
    pub(crate) output: Output,
}

/// Runs the wallet on the process's command line and returns the code it ends with.
pub fn main() -> ExitCode {
    let arguments = match line::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let mut output = Output::of_process(arguments.json);
    let ended = match keystore_directory(&arguments.places) {
        Ok(directory) => {
            let keystore = Keystore::at(directory);
            let mut context = Context { places: arguments.places, keystore, output };
            let ended = run(&mut context, &arguments.command);
            output = context.output;
            ended
        }
        Err(failure) => Err(failure),
    };
    let exit = ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}

fn run(context: &mut Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Keys(command) => commands::keys::run(context, command),
        Command::Accounts => commands::accounts::run(context),
        Command::Balance(arguments) => commands::balance::run(context, arguments),
        Command::History(arguments) => commands::history::run(context, arguments),
        Command::Transaction(arguments) => commands::transaction::run(context, arguments),
        Command::Transfer(arguments) => commands::transfer::run(context, arguments),
        Command::Pay(arguments) => commands::pay::run(context, arguments),
    }
}

/// `--keystore`, else what [`KEYSTORE_VARIABLE`] says, else the user's data directory as the XDG base directory specification has it.
fn keystore_directory(places: &Places) -> Result<PathBuf, Failure> {
    let variable = env::var_os(KEYSTORE_VARIABLE).filter(|text| !text.is_empty());
    if let Some(directory) = places.keystore.clone().or(variable.map(PathBuf::from)) {
        return Ok(directory);
    }
    let data = env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        // The specification has relative paths ignored.
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".local/share")))
        .ok_or_else(|| {
            Failure::usage("there is no home directory to keep keys in")
                .with_hint("say where they are: --keystore DIR")
        })?;
    Ok(data.join("logothete").join("keys"))
}

impl Context {
    /// What addresses begin with: that of the network at hand, else that of local networks.
    ///
    /// # Errors
    /// When a network is named that cannot be read.
    pub(crate) fn prefix(&self) -> Result<String, Failure> {
        let site = Site::open_if_any(&self.places)?;
        Ok(site.map_or_else(|| LOCAL_PREFIX.to_owned(), |site| site.genesis().prefix().to_owned()))
    }
}

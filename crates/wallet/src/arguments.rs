//! The command line. What a flag means in detail stands in `docs/reference/wallet.md`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keys, transfers and proofs of a Logothete ledger.
///
/// Results are written to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "logothete-wallet", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 fault, 2 usage, 3 refused, 4 no validator reachable, \
    5 not found, 6 not final in time but may still commit, 7 not confirmed, 8 key or password, \
    9 answers contradict or do not verify."
)]
pub(crate) struct Arguments {
    /// Where the network and the keys are.
    #[command(flatten)]
    pub(crate) places: Places,
    /// Write results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the network and the keys are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Places {
    /// Directory of a local testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Base URL of a validator's API; may be given several times, and needs --genesis.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api: Vec<String>,
    /// Genesis document of the network that --api leads to.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// Directory of the keys [default: what LOGOTHETE_KEYSTORE says, else logothete/keys in the
    /// user's data directory].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) keystore: Option<PathBuf>,
}

/// The commands, one file each under `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys on this computer, encrypted.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The names that can be used here, with their addresses.
    Accounts,
    /// The certified balance of accounts.
    Balance(BalanceArguments),
    /// The committed transfers of an account, newest first.
    History(HistoryArguments),
    /// One transaction: whether it is final, where, and who signed that.
    Transaction(TransactionArguments),
    /// Send an amount and wait until it is final.
    Transfer(TransferArguments),
    /// Send every row of a CSV file (to,amount[,memo]) exactly once.
    Pay(PayArguments),
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key.
    New(NewArguments),
    /// Add a key from its words.
    Import(ImportArguments),
    /// List the keys.
    List,
    /// Show one key's address and path.
    Show(NameArguments),
    /// Print the words of a key: whoever sees them owns what it holds.
    Export(ExportArguments),
}

/// Where a password comes from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PasswordArguments {
    /// Take the password from the first line of FILE, or of standard input for -.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// `keys new`.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// What to call the key.
    pub(crate) name: String,
    /// How many words: 12 or 24.
    #[arg(long, value_name = "COUNT", default_value_t = 12, value_parser = words_count)]
    pub(crate) words: u8,
    /// Which account of the words, m/44'/1'/ACCOUNT'/0'/0'.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=0x7FFF_FFFF))]
    pub(crate) account: u32,
    /// The password.
    #[command(flatten)]
    pub(crate) password: PasswordArguments,
}

/// `keys import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What to call the key.
    pub(crate) name: String,
    /// Take the words from FILE, or from standard input for -.
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
    /// Which account of the words, m/44'/1'/ACCOUNT'/0'/0'.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=0x7FFF_FFFF))]
    pub(crate) account: u32,
    /// The password.
    #[command(flatten)]
    pub(crate) password: PasswordArguments,
}

/// A command about one key.
#[derive(Debug, Args)]
pub(crate) struct NameArguments {
    /// The name of the key.
    pub(crate) name: String,
}

/// `keys export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The name of the key.
    pub(crate) name: String,
    /// Do not ask for a confirmation.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// The password.
    #[command(flatten)]
    pub(crate) password: PasswordArguments,
}

/// `balance`.
#[derive(Debug, Args)]
pub(crate) struct BalanceArguments {
    /// Names or addresses; without any, every name that can be used here.
    #[arg(value_name = "WHO")]
    pub(crate) who: Vec<String>,
}

/// `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// A name or an address.
    #[arg(value_name = "WHO")]
    pub(crate) who: String,
    /// At most this many transfers.
    #[arg(long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
}

/// `transaction`.
#[derive(Debug, Args)]
pub(crate) struct TransactionArguments {
    /// The id that `transfer` printed: 64 hexadecimal digits.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// What `transfer` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Until t + 1 validators signed that it is committed.
    Final,
    /// Only until a validator took it.
    None,
}

/// `transfer`.
#[derive(Debug, Args)]
pub(crate) struct TransferArguments {
    /// The key that pays: a name.
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// Who is paid: a name or an address.
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// How much: 12, 12.50 or 1_000.
    #[arg(value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) amount: String,
    /// A text of at most 64 bytes that everybody can read.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) memo: String,
    /// Do not ask for a confirmation.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// What to wait for.
    #[arg(long, value_enum, default_value_t = Wait::Final)]
    pub(crate) wait: Wait,
    /// How long to wait, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How many blocks the transfer may still be committed in.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) valid_for: u64,
    /// The password.
    #[command(flatten)]
    pub(crate) password: PasswordArguments,
}

/// `pay`.
#[derive(Debug, Args)]
pub(crate) struct PayArguments {
    /// The CSV file, with a first line `to,amount` or `to,amount,memo`.
    #[arg(value_name = "FILE.csv")]
    pub(crate) file: PathBuf,
    /// The key that pays: a name.
    #[arg(long, value_name = "FROM")]
    pub(crate) from: String,
    /// Do not ask for a confirmation.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Where every row's outcome is written, .json or .csv [default: FILE.csv.result.csv].
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Give up when nothing became final for this long, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How many blocks the transfers may still be committed in.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) valid_for: u64,
    /// How many transfers may be on their way at once.
    #[arg(long, value_name = "COUNT", default_value_t = 512,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) window: u16,
    /// The password.
    #[command(flatten)]
    pub(crate) password: PasswordArguments,
}

/// Seconds with an optional fraction, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_hours(24))
        .ok_or_else(|| "expected more than 0 and at most 86400 seconds".to_owned())
}

fn words_count(text: &str) -> Result<u8, String> {
    match text {
        "12" => Ok(12),
        "24" => Ok(24),
        _ => Err("a new key has 12 or 24 words".to_owned()),
    }
}

#[cfg(test)]
mod tests;

//! The command line of `evidence` and `forensics`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `evidence`.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceArguments {
    /// Where it is looked for.
    #[command(flatten)]
    pub(crate) place: EvidencePlace,
    /// What to do with it [default: list it].
    #[command(subcommand)]
    pub(crate) command: Option<EvidenceCommand>,
}

/// Where evidence is looked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidencePlace {
    /// Directory of a local testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["api", "data"])]
    pub(crate) dir: Option<PathBuf>,
    /// Base URL of a validator's API; may be given several times.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "data")]
    pub(crate) api: Vec<String>,
    /// The data directory of a stopped validator, or a copy of one; its validator's folder will do,
    /// too.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The genesis to check against [default: the testnet's, or the one above the data directory; of
    /// validators named by --api, what they say it is].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
}

/// What can be done with evidence.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Shows both signed statements side by side, and what is wrong with them.
    Show(EvidenceName),
    /// Writes a piece to a file that anybody can verify. An existing file is never overwritten.
    Save(SaveArguments),
    /// Checks a file against the genesis, every rule and every signature. Asks nobody.
    Verify(EvidenceFile),
}

/// A piece of evidence.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceName {
    /// Its id, or the beginning of it that no other one has.
    #[arg(value_name = "ID", value_parser = id_beginning)]
    pub(crate) id: String,
}

/// `evidence save`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SaveArguments {
    /// Which one.
    #[command(flatten)]
    pub(crate) name: EvidenceName,
    /// The file to be made.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// A file with a piece of evidence.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceFile {
    /// As `evidence save` writes it, or an answer of `GET /v1/evidence/{id}`.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `forensics`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ForensicsArguments {
    /// Two data directories of stopped validators, or copies, or files with a block and its proof
    /// (an answer of `GET /v1/blocks/{block}/wire` or `…/certificate`). What further directories
    /// hold is used as proof, too.
    #[arg(value_name = "PATH", num_args = 2.., required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The genesis of the network [default: the one above the first directory].
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// A directory, made if need be, for the proofs: one file each, as `evidence save` writes them.
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
}

/// From which on the beginning of an id is taken for one.
const ID_DIGITS_MIN: usize = 4;

fn id_beginning(text: &str) -> Result<String, String> {
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal && (ID_DIGITS_MIN..=64).contains(&text.len()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!(
        "an id has 64 hexadecimal digits, of which the first {ID_DIGITS_MIN} or more will do"
    ))
}

#[cfg(test)]
mod tests;

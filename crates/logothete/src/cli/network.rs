//! The command line of what asks the running validators of a network and checks their answers.

use std::path::PathBuf;

use clap::Args;

use super::evidence::EvidencePlace;

/// Which validators are asked, and what their answers are checked against.
#[derive(Debug, Clone, Args)]
pub(crate) struct NetworkPlace {
    /// Directory of a local testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    pub(crate) dir: Option<PathBuf>,
    /// Base URL of a validator's API; may be given several times.
    #[arg(long, value_name = "URL")]
    pub(crate) api: Vec<String>,
    /// The genesis to check against [default: the testnet's; of validators named by --api, what they
    /// say it is].
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
}

impl NetworkPlace {
    /// The same, for who looks for evidence.
    pub(crate) fn of_evidence(&self) -> EvidencePlace {
        let Self { dir, api, genesis } = self.clone();
        EvidencePlace { dir, api, data: None, genesis }
    }
}

/// `forks`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ForksArguments {
    /// Whom to ask.
    #[command(flatten)]
    pub(crate) place: NetworkPlace,
    /// How many proposals are shown, from the highest down.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// `explain`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExplainArguments {
    /// Whom to ask.
    #[command(flatten)]
    pub(crate) place: NetworkPlace,
}

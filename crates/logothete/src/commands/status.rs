//! `logothete status`: how the validators of a network are, and whether they agree.

use std::time::Duration;

use api::client::Client;

use crate::cli::StatusArguments;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::status::report::{Links, StatusReport};
use crate::status::{self, Watch};
use crate::testnet::Testnet;

/// How long a validator may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Asks everybody.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is no network; [`Exit::Usage`] when a URL is none.
pub(crate) fn run(arguments: &StatusArguments, output: &mut Output) -> Result<Exit, Failure> {
    let report = if arguments.api.is_empty() {
        let testnet = Testnet::find(arguments.dir.as_deref())?;
        let sights = Watch::new(testnet.nodes(), PATIENCE).look()?;
        StatusReport::of(&sights, false).with_links(Links::of(&testnet)?)
    } else {
        let clients = arguments.api.iter().map(|url| client(url)).collect::<Result<_, _>>()?;
        StatusReport::of(&status::look_at(clients), false)
    };
    output.result(&report)?;
    Ok(match report.agree {
        Some(true) => Exit::Done,
        Some(false) => Exit::Contradiction,
        None => Exit::Unreachable,
    })
}

fn client(url: &str) -> Result<Client, Failure> {
    Client::new(url)
        .map(|client| client.with_timeout(PATIENCE))
        .map_err(|cause| Failure::new(Exit::Usage, cause.to_string()))
}

//! A validator in this process, until it is told to stop: its arguments, its log and its signals.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use node::{Config, NodeError};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::failure::{Exit, Failure};

/// How a validator is run.
#[derive(Debug, Args)]
pub struct ValidatorArguments {
    /// Its configuration; see docs/reference/configuration.md.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Address of a member to begin with, /ip4/…/tcp/…/p2p/…; added to those of the configuration.
    #[arg(long, value_name = "MULTIADDR")]
    pub bootstrap: Vec<String>,
    /// How the log on standard error is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged, as in RUST_LOG, which it goes before [default: info].
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,
    /// Stop when standard input is closed: the validator ends with whoever holds the other end.
    #[arg(long)]
    pub stop_with_stdin: bool,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON document a line.
    Json,
}

/// What is logged when nothing else is said: our own events, and of the libraries what wants
/// attention. Gossipsub has a line for much of what a peer sends, as often as it sends it; what
/// counts of that is in the metrics.
const FILTER_DEFAULT: &str = "info,libp2p=warn,libp2p_gossipsub=off,sled=warn";

/// How long tasks that still run at the end are waited for.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(2);

/// Runs a validator, which is `node`, on the configuration that the arguments name.
///
/// # Errors
///
/// Fails when it cannot start or a fault ends it.
pub fn run<N>(
    arguments: &ValidatorArguments,
    node: impl FnOnce(Config, watch::Receiver<bool>) -> N,
) -> Result<Exit, Failure>
where
    N: Future<Output = Result<(), NodeError>>,
{
    log_to_stderr(arguments)?;
    let mut config =
        Config::load(&arguments.config).map_err(|cause| Failure::fault("cannot start", &cause))?;
    config.p2p_bootstrap.extend(arguments.bootstrap.iter().cloned());
    let fault = |cause| Failure::fault("cannot start the runtime", &cause);
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(fault)?;
    let stop = stop_signal(&runtime, arguments.stop_with_stdin).map_err(fault)?;
    tracing::info!(
        name = %config.name,
        replica = config.replica.get(),
        chain = %config.genesis.chain(),
        version = env!("CARGO_PKG_VERSION"),
        "starting"
    );
    let name = config.name.clone();
    let ended = runtime.block_on(node(config, stop));
    runtime.shutdown_timeout(SHUTDOWN_PATIENCE);
    match ended {
        Ok(()) => {
            tracing::info!("stopped");
            Ok(Exit::Done)
        }
        Err(fault) => Err(Failure::fault(format!("{name} stopped"), &fault)),
    }
}

/// Becomes true with the first SIGTERM or SIGINT, or when standard input is closed if that is asked
/// for. The second signal ends the process at once: nothing that was promised is lost by that.
fn stop_signal(runtime: &Runtime, with_stdin: bool) -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    if with_stdin {
        let stop = stop.clone();
        thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            wait_for_end_of(io::stdin().lock());
            tracing::info!("standard input was closed, stopping");
            stop.send_replace(true);
        })?;
    }
    runtime.spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        tracing::info!("told to stop");
        stop.send_replace(true);
        either(&mut interrupt, &mut terminate).await;
        tracing::warn!("told to stop again, ending at once");
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    Ok(stopped)
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn wait_for_end_of(mut input: impl Read) {
    let mut ignored = [0; 256];
    // An error means that there is no standard input any more, too.
    while input.read(&mut ignored).is_ok_and(|read| read > 0) {}
}

fn log_to_stderr(arguments: &ValidatorArguments) -> Result<(), Failure> {
    let wanted = arguments.log_level.clone().or_else(|| std::env::var("RUST_LOG").ok());
    let filter = log_filter(wanted.as_deref().unwrap_or_default())?;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let installed = match arguments.log_format {
        LogFormat::Text => subscriber.with_ansi(colour).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    installed.map_err(|cause| Failure::fault("cannot log", &*cause))
}

/// The filter that this text describes; an empty one says nothing. A word that is no level would be
/// taken for the name of a part to be logged, and everything else, errors included, for unwanted.
fn log_filter(text: &str) -> Result<EnvFilter, Failure> {
    let text = if text.is_empty() { FILTER_DEFAULT } else { text };
    let wrong = |cause: &str| {
        Failure::new(Exit::Usage, format!("{text:?} is no log filter: {cause}")).with_hint(
            "a filter is a level (off, error, warn, info, debug, trace), or several with commas \
             between them, those of parts as PART=LEVEL: info,network=debug",
        )
    };
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    if let Some(word) = words.iter().find(|word| !word.contains(['=', '[', ']']) && !is_level(word))
    {
        return Err(wrong(&format!("{word} is no level")));
    }
    EnvFilter::try_new(words.join(",")).map_err(|cause| wrong(&cause.to_string()))
}

#[cfg(test)]
mod tests;

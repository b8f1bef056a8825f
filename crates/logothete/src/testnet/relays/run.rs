//! The process that carries the links of a testnet.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::testnet::hold::{Claim, Hold};
use crate::testnet::relays::carry::DARK_PATIENCE;
use crate::testnet::relays::faults::{LinkFaults, replace};
use crate::testnet::relays::{Relays, RunFile, carry, remove_file};

/// How often the faults are read.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Carries the links until the process is told to end, or standard input is closed if that is asked for.
///
/// # Errors
///
/// [`Exit::Refused`] when another process does so already; fails when a place is taken or files cannot be used.
pub(crate) fn run(
    relays: &Relays,
    stop_with_stdin: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let hold = match Hold::claim(&relays.lock())? {
        Claim::Ours(hold) => hold,
        Claim::Theirs(_) => return Err(Failure::refused("the relays run already")),
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::fault("cannot start the runtime", &cause))?;
    let ended = runtime.block_on(carry_until_told(relays, stop_with_stdin, output));
    runtime.shutdown_background();
    remove_file(&relays.run_path())?;
    drop(hold);
    ended.map(|()| Exit::Done)
}

async fn carry_until_told(
    relays: &Relays,
    stop_with_stdin: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let fault = |cause| Failure::fault("cannot take signals", &cause);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    let mut closed = end_of_stdin(stop_with_stdin)?;
    raise_descriptors(output);
    let mut follower = Follower::new(relays)?;
    listen(relays, &follower.faults.subscribe()).await?;
    follower.note()?;
    output.notice("the relays are ready");
    let mut looks = time::interval(LOOK_INTERVAL);
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            Ok(()) = &mut closed, if stop_with_stdin => return Ok(()),
            _ = looks.tick() => {}
        }
        follower.look(output);
    }
}

/// Raises the limit of open files as far as the system lets us: every connection takes two.
fn raise_descriptors(output: &mut Output) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        output.warning(format_args!("cannot raise the limit of open files: {error}"));
    }
}

/// Keeps to what stands in the file of faults, and says so.
struct Follower<'r> {
    relays: &'r Relays,
    /// What is followed.
    faults: watch::Sender<LinkFaults>,
    /// Which of it was said to be followed.
    noted: Option<u64>,
    /// What was wrong when it was told last.
    told: String,
}

impl<'r> Follower<'r> {
    fn new(relays: &'r Relays) -> Result<Self, Failure> {
        let faults = watch::Sender::new(relays.faults()?);
        Ok(Self { relays, faults, noted: None, told: String::new() })
    }

    /// Follows what changed. What fails is told once, and tried again with the next look: what was on stays on.
    fn look(&mut self, output: &mut Output) {
        match self.follow(output) {
            Ok(()) => self.told.clear(),
            Err(failure) if failure.text != self.told => {
                output.warning(&failure.text);
                self.told = failure.text;
            }
            Err(_) => {}
        }
    }

    fn follow(&mut self, output: &mut Output) -> Result<(), Failure> {
        let now = self.relays.faults()?;
        if now != *self.faults.borrow() {
            let texts: Vec<String> =
                now.on.iter().map(|one| format!("node{} {}", one.node, one.effect)).collect();
            output.notice(format_args!("faults {}: {}", now.generation, texts.join(", ")));
            self.faults.send_replace(now);
            self.noted = None;
        }
        self.note()
    }

    /// Says which faults are followed, if that was not said yet.
    fn note(&mut self) -> Result<(), Failure> {
        let generation = self.faults.borrow().generation;
        if self.noted != Some(generation) {
            let file = RunFile { pid: std::process::id(), generation };
            replace(&self.relays.run_path(), &file)?;
            self.noted = Some(generation);
        }
        Ok(())
    }
}

/// Takes connections for every validator.
async fn listen(relays: &Relays, faults: &watch::Receiver<LinkFaults>) -> Result<(), Failure> {
    let places = relays.places()?;
    let listens = Arc::new(places.iter().map(|place| place.listens).collect::<Vec<_>>());
    for (to, place) in places.iter().enumerate() {
        let listener = TcpListener::bind(place.relay).await.map_err(|cause| {
            Failure::fault(
                format!("the relay of node{to} cannot listen at {}", place.relay),
                &cause,
            )
            .with_hint("end what listens there, or begin anew with `testnet up --reset`")
        })?;
        tokio::spawn(carry::accept(
            listener,
            to,
            Arc::clone(&listens),
            faults.clone(),
            DARK_PATIENCE,
        ));
    }
    Ok(())
}

/// Comes when standard input is closed, which is not looked at otherwise.
fn end_of_stdin(wanted: bool) -> Result<oneshot::Receiver<()>, Failure> {
    let (closed, end) = oneshot::channel();
    if wanted {
        let wait = move || {
            let mut ignored = [0; 256];
            let mut input = io::stdin().lock();
            // An error means that there is no standard input any more, too.
            while input.read(&mut ignored).is_ok_and(|read| read > 0) {}
            // Nobody listens in a process that ends.
            closed.send(()).ok();
        };
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(wait)
            .map_err(|cause| Failure::fault("cannot start a thread", &cause))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests;

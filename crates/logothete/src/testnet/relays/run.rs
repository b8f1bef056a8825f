//! The process that carries the links of a testnet.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::testnet::hold::{Claim, Hold};
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
    let mut followed = relays.faults()?;
    let (faults, following) = watch::channel(followed.clone());
    listen(relays, &following).await?;
    note(relays, &followed)?;
    output.notice("the relays are ready");
    let mut looks = time::interval(LOOK_INTERVAL);
    let mut told = String::new();
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            Ok(()) = &mut closed, if stop_with_stdin => return Ok(()),
            _ = looks.tick() => {}
        }
        match relays.faults() {
            Ok(now) if now != followed => {
                let texts: Vec<String> =
                    now.on.iter().map(|one| format!("node{} {}", one.node, one.effect)).collect();
                output.notice(format_args!("faults {}: {}", now.generation, texts.join(", ")));
                faults.send_replace(now.clone());
                note(relays, &now)?;
                followed = now;
            }
            Ok(_) => {}
            // What was on stays on until the file can be used again.
            Err(failure) if failure.text != told => {
                output.warning(&failure.text);
                told = failure.text;
            }
            Err(_) => {}
        }
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
        tokio::spawn(carry::accept(listener, to, Arc::clone(&listens), faults.clone()));
    }
    Ok(())
}

/// Says which faults are followed.
fn note(relays: &Relays, faults: &LinkFaults) -> Result<(), Failure> {
    let file = RunFile { pid: std::process::id(), generation: faults.generation };
    replace(&relays.run_path(), &file)
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

//! `testnet up`: makes the testnet if there is none, starts its validators, and follows them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::control::warn_of_killed;
use super::follow;
use super::screen::Screen;
use super::turn;
use crate::cli::UpArguments;
use crate::commands::status::PATIENCE;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::status::report::never_votes_again;
use crate::status::{Sight, Watch};
use crate::testnet::fleet::{Fleet, Orders};
use crate::testnet::hold::Hold;
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::{Testnet, remove, stop};

/// Brings the testnet up.
///
/// # Errors
///
/// [`Exit::Refused`] when the directory holds something else or another testnet than asked for, or
/// another `testnet up` works on it; else as [`Fleet::start`]. What was started is stopped again.
pub(super) fn run(
    dir: Option<&Path>,
    arguments: &UpArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let interrupt =
        Interrupt::install().map_err(|cause| Failure::fault("cannot take signals", &cause))?;
    let (testnet, created, hold) = prepare(dir, arguments, &interrupt, output)?;
    let orders = Orders {
        attached: !arguments.detach,
        deadline: Instant::now() + Duration::from_secs(arguments.timeout),
        interrupt: interrupt.clone(),
    };
    let nodes = testnet.nodes();
    let mut missing = 0_usize;
    for node in &nodes {
        missing = missing.saturating_add(usize::from(node.process()?.is_none()));
    }
    let noun = if missing == 1 { "validator" } else { "validators" };
    if missing > 0 {
        output.notice(format_args!("starting {missing} {noun}"));
    }
    let mut fleet = Fleet::start(&testnet, &nodes, &orders)?;
    if !testnet.relays().are_whole()? {
        output.notice("links are faulty, so nobody waits until all are connected");
    } else if fleet.has_only_relays() {
        output.notice("the relays run again; the validators find one another within half a minute");
    } else {
        fleet.await_ready(&nodes, &orders)?;
    }
    let took = began.elapsed();
    let sights = Watch::new(nodes.clone(), PATIENCE).look()?;
    output.result(&Screen::of(&testnet, dir, &sights, created, took))?;
    warn_of_retired(&sights, output);
    if arguments.detach {
        fleet.leave();
        return Ok(Exit::Done);
    }
    let followed = follow::follow(&nodes, &sights, &mut fleet, &interrupt, output);
    output.notice("stopping the validators");
    fleet.stop(&interrupt);
    // Also those that somebody else started meanwhile: this is the end of the testnet.
    let ends = stop::stop(&nodes, &interrupt)?;
    testnet.relays().stop()?;
    warn_of_killed(&ends, output);
    drop(hold);
    followed?;
    output.notice("stopped; `logothete testnet up` goes on from here");
    Ok(Exit::Done)
}

/// Says who takes no part although it is up.
fn warn_of_retired(sights: &[Sight], output: &mut Output) {
    let retired = |sight: &&Sight| sight.status.as_ref().is_some_and(|status| status.retired);
    let names: Vec<String> = sights.iter().filter(retired).map(|it| it.name.clone()).collect();
    if !names.is_empty() {
        output.warning(never_votes_again(&names));
    }
}

/// Finds or makes the testnet and keeps other `testnet up`s away from it.
fn prepare(
    dir: Option<&Path>,
    arguments: &UpArguments,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<(Testnet, bool, Hold), Failure> {
    let directory = api::client::network::directory(dir);
    fs::create_dir_all(&directory).map_err(|cause| Failure::file("make", &directory, &cause))?;
    // Children are given paths, and paths should mean the same whatever becomes of this process's
    // folder.
    let directory =
        fs::canonicalize(&directory).map_err(|cause| Failure::file("find", &directory, &cause))?;
    let layout = Layout::new(&directory);
    if let Kind::Other { found } = layout.kind()? {
        return Err(layout.occupied(&found));
    }
    turn::check(&layout, arguments)?;
    if arguments.reset {
        warn_of_killed(&stop::down(&layout, interrupt)?, output);
    }
    let hold = Hold::of_up(&layout)?;
    if arguments.reset {
        remove::remove(&layout)?;
    }
    let (testnet, created) = Testnet::prepare(layout, arguments.validators, arguments.seed)?;
    turn::give(&testnet, arguments)?;
    if arguments.relays {
        testnet.relays().make(&testnet.nodes())?;
    }
    Ok((testnet, created, hold))
}

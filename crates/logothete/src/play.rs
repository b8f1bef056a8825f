//! A scenario with real processes: validators, relays, liars and clients on this computer, faults in their time, and at
//! the end what was seen of it.
//!
//! The lab plays the same scenarios in virtual time. What is expected and how it is said belongs to `scenario`; here it
//! is made to happen and looked at from outside: crashes and pauses are signals, links go through relays
//! ([`relays`](crate::testnet::relays)), liars are `logothete-adversary`, what validators have committed and proved is
//! read from their data directories once they have ended.
//!
//! - `fit`: what cannot be played so, and why;
//! - `stage`: the network;
//! - `timetable`: what happens when;
//! - `clients`: transfers;
//! - `watch`: what validators say while they run;
//! - `found`: what they leave behind.

mod clients;
mod fit;
mod found;
mod stage;
mod timetable;
mod watch;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use scenario::faulty::at_the_end;
use scenario::{Fails, Scenario, Seen, Situation};

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::play::clients::Transfers;
use crate::play::stage::Stage;
use crate::play::timetable::Crashes;
use crate::play::watch::Log;
use crate::testnet::fleet::Fleet;

pub(crate) use fit::{misfit, must_fit};

/// How much longer than its time a run may take for what has no bound of its own: a computer that does other things,
/// too, is slower than the lab's clock.
const OVERTIME: Duration = Duration::from_secs(15);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// A run.
pub(crate) struct Play<'a> {
    scenario: &'a Scenario,
    one_more: bool,
    stage: &'a Stage,
    transfers: &'a Transfers,
    /// When the network was ready.
    start: Instant,
    over: AtomicBool,
    log: Mutex<Log>,
    /// Processes that were started again in the meantime.
    restarted: Mutex<Vec<Fleet>>,
    /// What went wrong with the run itself.
    failure: Mutex<Option<Failure>>,
}

/// What was seen of a run, and what it is worth.
#[derive(Debug)]
pub(crate) struct Played {
    /// What was seen.
    pub(crate) seen: Seen,
    /// How long a validator waited for a processor during the run, in milliseconds: what the computer took from it. A
    /// run with much of that says little about how fast the network is. It is taken off nothing: a validator that waits
    /// need not be one that a transfer waits for.
    pub(crate) starved_ms: u64,
}

/// How a run ended.
struct Ended {
    end_ms: u64,
    /// Honest validators that died without being told to, and why.
    deaths: Vec<String>,
    starved_ms: u64,
}

/// Plays a situation of a scenario in a directory that holds nothing, and gives what was seen. When it returns nothing
/// of it runs any more.
///
/// # Errors
///
/// [`Exit::Refused`] when it cannot be played with real processes; fails when a process cannot be started or told what
/// to do, [`Exit::Interrupted`] when this one is told to end.
pub(crate) fn play(
    scenario: &Scenario,
    one_more: bool,
    directory: &std::path::Path,
    interrupt: &Interrupt,
) -> Result<Played, Failure> {
    must_fit(scenario, one_more)?;
    let stage = Stage::new(scenario, one_more, directory)?;
    let transfers = Transfers::sign(&scenario.load, &stage);
    let fleet = stage.start(interrupt)?;
    // Before the first transfer: what is on from the beginning on is on then.
    let first = timetable::links_at(scenario, scenario.situation(one_more), 0);
    stage.testnet.relays().change(|faults| faults.on = first)?;
    let play = Play {
        scenario,
        one_more,
        stage: &stage,
        transfers: &transfers,
        start: Instant::now(),
        over: AtomicBool::new(false),
        log: Mutex::new(Log::new(&transfers)),
        restarted: Mutex::default(),
        failure: Mutex::default(),
    };
    let Ended { end_ms, deaths, starved_ms } = play.run(fleet, interrupt)?;
    let mut seen = lock(&play.log).seen(end_ms);
    seen.broken.extend(deaths);
    found::add(&stage, &stage.honest(), &mut seen)?;
    Ok(Played { seen, starved_ms })
}

impl Play<'_> {
    fn situation(&self) -> &Situation {
        self.scenario.situation(self.one_more)
    }

    /// Milliseconds since the start.
    fn now_ms(&self) -> u64 {
        millis(self.start.elapsed())
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits until a moment of the run; false when it is over before.
    fn wait_until(&self, at_ms: u64) -> bool {
        loop {
            let left = at_ms.saturating_sub(self.now_ms());
            if self.is_over() || left == 0 {
                return !self.is_over();
            }
            thread::sleep(Duration::from_millis(left).min(PAUSE));
        }
    }

    /// Says what went wrong, and ends the run.
    fn give_up(&self, failure: Failure) {
        lock(&self.failure).get_or_insert(failure);
        self.over.store(true, Ordering::Relaxed);
    }

    /// Lets everything happen, and ends all processes.
    fn run(&self, mut fleet: Fleet, interrupt: &Interrupt) -> Result<Ended, Failure> {
        let mut deaths = Vec::new();
        let mut crashes = Crashes::of(self.situation());
        let starved = self.starved();
        let end_ms = thread::scope(|scope| {
            for node in self.stage.nodes() {
                scope.spawn(move || clients::post(self, node));
                if self.stage.is_honest(node) {
                    scope.spawn(move || watch::follow(self, node));
                }
            }
            for act in timetable::acts(self.scenario, self.one_more) {
                scope.spawn(move || act.perform(self));
            }
            while !self.is_over() && !interrupt.wait(PAUSE) && !self.is_done() {
                deaths.extend(self.unexpected(&mut fleet, &mut crashes));
            }
            let end_ms = self.now_ms();
            self.over.store(true, Ordering::Relaxed);
            end_ms
        });
        // Also those of the last moment, and of those that were started again last.
        deaths.extend(self.unexpected(&mut fleet, &mut crashes));
        let starved = self.starved().saturating_sub(starved);
        let linked = self.stage.testnet.relays().must_run();
        for fleet in lock(&self.restarted).drain(..).chain([fleet]) {
            fleet.stop(interrupt);
        }
        if interrupt.came() {
            return Err(Failure::new(
                Exit::Interrupted,
                "told to end before the scenario was played",
            ));
        }
        if let Some(failure) = lock(&self.failure).take() {
            return Err(failure);
        }
        // Without its links a network stands still, whatever the scenario did to it.
        linked?;
        Ok(Ended { end_ms, deaths, starved_ms: millis(starved) })
    }

    /// How long the honest validator that waited most has waited for a processor since it was started.
    fn starved(&self) -> Duration {
        let processes = self.stage.honest().into_iter().filter_map(|node| node.process().ok()?);
        processes.map(|process| process.starved()).max().unwrap_or_default()
    }

    /// Honest validators that ended since the last call although nobody let them crash.
    fn unexpected(&self, fleet: &mut Fleet, crashes: &mut Crashes) -> Vec<String> {
        let now_ms = self.now_ms();
        let mut deaths = fleet.deaths();
        for fleet in lock(&self.restarted).iter_mut() {
            deaths.extend(fleet.deaths());
        }
        let deaths = deaths.into_iter().filter(|death| {
            self.stage.is_honest(&death.node)
                && !crashes.explain(stage::number(&death.node), now_ms)
        });
        deaths
            .map(|death| {
                let last = death.log.last().cloned().unwrap_or_default();
                format!("{} ended by itself ({}): {last}", death.node.name(), death.status)
            })
            .collect()
    }

    /// Whether there is nothing left to wait for.
    fn is_done(&self) -> bool {
        let (scenario, now_ms) = (self.scenario, self.now_ms());
        let expect = &self.situation().expect;
        if now_ms >= scenario.run_ms.saturating_add(millis(OVERTIME)) {
            return true;
        }
        match expect.fails {
            // That nothing happens is seen only by waiting.
            Some(Fails::Progress) => return now_ms >= scenario.run_ms,
            Some(Fails::Agreement) => {
                return now_ms >= scenario.run_ms || lock(&self.log).has_forked();
            }
            None => {}
        }
        let gone = at_the_end(self.situation(), scenario.network.validators, scenario.run_ms);
        let expected = (0..scenario.network.validators).filter(|it| !gone.contains(it));
        let log = lock(&self.log);
        let convicted = expect.convicted.as_ref().or(expect.culprits.as_ref());
        now_ms >= scenario.settled_ms(self.one_more)
            && log.all_final()
            && log.are_level(&expected.collect::<Vec<_>>())
            && convicted.is_none_or(|expected| log.has_convicted(expected))
            && expect.view_changes_min.is_none_or(|least| log.view() >= least)
            && expect.height_min.is_none_or(|least| log.top() >= least)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

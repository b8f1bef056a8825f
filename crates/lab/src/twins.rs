//! Replicas that run twice: two honest processes with one key, under schedules of partitions.
//!
//! After "Twins: BFT Systems Made Robust" (Bano, Sonnino, Chursin, Perelman, Li, Ching and Malkhi, OPODIS 2021). No
//! lie is written down anywhere: each twin is the production replica over the production ledger, and what
//! they do together is what a liar would. They propose two blocks at one height, vote for two, and ask for a view with
//! two certificates, one for those who hear the one and one for those who hear the other.
//!
//! Time is cut into [`Round`]s. In each of them the instances (every replica once, and the twins) are parted into
//! sets, and hear whoever is in their own set until nobody has anything to say; then everybody who waits for progress
//! has waited too long. What is said then arrives in the next round, by its sets. So a round is about one view, from
//! the view changes that lead into it to the votes to commit, and view r is led by replica r mod n and its twin. Every
//! instance has a client of its own and gets a transfer of it at the beginning of every round, and a primary one more
//! in the middle: twins never propose the same block, and there is always work, so every view is left. A round may also
//! keep the votes to commit from all or all but one, so that blocks are prepared and not committed.
//!
//! After the last round everybody hears everybody, requests are known to all, and within [`healing_max`] more such
//! rounds every replica without a twin must have committed all of them (L1, L3). The [checker](crate::check) watches
//! from the beginning, as in every run of the lab; nothing is promised of the replicas that run twice.
//!
//! [`Scope::explore`] goes through every schedule of a small scope. A schedule's beginning is played once for all that
//! share it: the network is a value, and is copied where they part. [`sample`] draws one schedule for a seed.
//!
//! Deliberately not here: crashes, delays within a set, and what else one can say with a key that an honest process
//! would not; for these there are plans and liars.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use byzantine::Random;
use serde::Serialize;

use crate::check::{Property, Violation};
use crate::time::Time;

mod network;
mod schedule;
mod setup;

use network::Network;
pub use schedule::{Commits, Round, Schedule};
pub use setup::Setup;

/// The most transfers that an instance is handed in a round.
const TRANSFERS_A_ROUND: usize = 2;

/// In how many rounds without partition everything must be committed: one until all are in one view, one for each
/// replica that may lie, since they may lead one after the other, and one for those who lead behind them.
pub const fn healing_max(replicas: u16) -> u16 {
    Setup::twinned_max(replicas).saturating_add(2)
}

/// Every schedule of so many rounds, each of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Who takes part.
    pub setup: Setup,
    /// How many rounds there are before the healing.
    pub views: usize,
    /// What a round may be.
    pub rounds: Vec<Round>,
}

/// What came of many schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Schedules played to their end.
    pub schedules: u64,
    /// Rounds played, those that several schedules share counted once.
    pub rounds: u64,
    /// Messages that arrived in all of them.
    pub messages: u64,
    /// Schedules by the height that was committed before the healing.
    pub committed: BTreeMap<u64, u64>,
    /// Schedules in which twins proposed different blocks at one height of one view before the healing.
    pub rivals: u64,
    /// Second proposals and votes that replicas without a twin refused, in all schedules.
    pub refused: u64,
    /// Schedules in which a replica without a twin could prove before the healing that somebody lied.
    pub proved: u64,
    /// Schedules in which an instance had retired before the healing.
    pub retired: u64,
    /// Schedules by the number of rounds that the healing took.
    pub healing: BTreeMap<u64, u64>,
    /// Schedules that broke something.
    pub broken: u64,
    /// The first of them.
    pub failures: Vec<Failure>,
    /// Schedules that came to no conclusion.
    pub unfinished: u64,
}

/// A schedule that broke something, or came to no conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// How many replicas there were.
    pub replicas: u16,
    /// Which ran twice.
    pub twinned: Vec<u16>,
    /// Whether they heard themselves.
    pub hush: bool,
    /// The schedule.
    pub schedule: String,
    /// The schedule in words, round by round.
    pub rounds: Vec<String>,
    /// What was broken; nothing, when the run came to no conclusion.
    pub violations: Vec<Violation>,
}

/// How many failures are described; the others are counted.
const FAILURES_MAX: usize = 10;

impl Tally {
    /// Adds what came of other schedules.
    pub fn add(&mut self, other: Self) {
        let Self { schedules, rounds, messages, rivals, refused, proved, retired, .. } = other;
        let sums = [
            (&mut self.schedules, schedules),
            (&mut self.rounds, rounds),
            (&mut self.messages, messages),
            (&mut self.rivals, rivals),
            (&mut self.refused, refused),
            (&mut self.proved, proved),
            (&mut self.retired, retired),
            (&mut self.broken, other.broken),
            (&mut self.unfinished, other.unfinished),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
        for (height, schedules) in other.committed {
            count(&mut self.committed, height, schedules);
        }
        for (rounds, schedules) in other.healing {
            count(&mut self.healing, rounds, schedules);
        }
        for failure in other.failures {
            self.describe(failure);
        }
    }

    /// Schedules in which something was committed before the healing.
    pub fn committing(&self) -> u64 {
        self.committed.range(1..).fold(0, |sum, (_, schedules)| sum.saturating_add(*schedules))
    }

    fn describe(&mut self, failure: Failure) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure);
        }
    }

    /// Notes where a schedule stands before the healing.
    fn parted(&mut self, network: &Network) {
        count(&mut self.committed, network.top().get(), 1);
        let one = |condition: bool| u64::from(condition);
        self.rivals = self.rivals.saturating_add(one(network.rivals() > 0));
        self.refused = self.refused.saturating_add(network.counts.refused);
        self.proved = self.proved.saturating_add(one(network.counts.evidence > 0));
        self.retired = self.retired.saturating_add(one(network.retired() > 0));
    }

    fn ended(&mut self, network: &Network, end: End, played: &[Round]) {
        self.schedules = self.schedules.saturating_add(1);
        let violations = match end {
            End::Healed(rounds) => {
                count(&mut self.healing, rounds, 1);
                return;
            }
            End::Broken(violations) => {
                self.broken = self.broken.saturating_add(1);
                violations
            }
            End::Storm => {
                self.unfinished = self.unfinished.saturating_add(1);
                Vec::new()
            }
        };
        let Setup { replicas, twinned, hush } = &network.shared.setup;
        let names = network.shared.setup.names();
        self.describe(Failure {
            replicas: *replicas,
            twinned: twinned.iter().copied().collect(),
            hush: *hush,
            schedule: Schedule(played.to_vec()).to_string(),
            rounds: played.iter().map(|round| round.in_words(&names)).collect(),
            violations,
        });
    }
}

fn count(counts: &mut BTreeMap<u64, u64>, key: u64, more: u64) {
    let sum = counts.entry(key).or_default();
    *sum = sum.saturating_add(more);
}

/// How a schedule ended.
enum End {
    /// Everything held, and was committed after so many rounds of healing.
    Healed(u64),
    /// A property was broken.
    Broken(Vec<Violation>),
    /// Messages without end.
    Storm,
}

impl Scope {
    /// Every way to part the instances into so many sets at most, for so many rounds.
    pub fn partitions(setup: Setup, views: usize, sets_max: u8) -> Self {
        let rounds = Round::all(setup.count(), sets_max);
        Self { setup, views, rounds }
    }

    /// How many schedules there are.
    pub fn schedules(&self) -> u64 {
        let rounds = u64::try_from(self.rounds.len()).unwrap_or(u64::MAX);
        rounds.saturating_pow(u32::try_from(self.views).unwrap_or(u32::MAX))
    }

    /// Plays every schedule that begins with these rounds.
    ///
    /// # Errors
    ///
    /// When the setup is none.
    pub fn explore(&self, beginning: &[Round]) -> Result<Tally, String> {
        let mut search = Search { scope: self, tally: Tally::default(), played: Vec::new() };
        let network = begin(&self.setup, self.views)?;
        search.enter(&network, beginning);
        Ok(search.tally)
    }
}

fn begin(setup: &Setup, views: usize) -> Result<Network, String> {
    let shared = setup.share(views.saturating_mul(TRANSFERS_A_ROUND))?;
    Network::new(Arc::new(shared))
}

/// Plays one schedule.
///
/// # Errors
///
/// When the setup is none, or the schedule is one of another number of instances.
pub fn play(setup: &Setup, schedule: &Schedule) -> Result<Tally, String> {
    let instances = setup.count();
    if schedule.0.iter().any(|round| round.instances() != instances) {
        return Err(format!("the schedule is not one of {instances} instances"));
    }
    let scope = Scope { setup: setup.clone(), views: schedule.0.len(), rounds: Vec::new() };
    scope.explore(&schedule.0)
}

/// The schedule of a seed: as many twins as may lie at most, rounds of every kind.
pub fn sample(replicas: u16, views_max: u16, seed: u64) -> (Setup, Schedule) {
    let mut random = Random::stream(seed, "twins", &[u64::from(replicas)]);
    let twins = random.between(1, u64::from(Setup::twinned_max(replicas)));
    let mut setup = Setup::new(replicas, []);
    while u64::try_from(setup.twinned.len()).unwrap_or(u64::MAX) < twins.min(replicas.into()) {
        let replica = u16::try_from(random.below(replicas.into())).unwrap_or_default();
        setup.twinned.insert(replica);
    }
    setup.hush = random.chance(900);
    let views = random.between(2, u64::from(views_max));
    let rounds = (0..views).map(|_| Round::random(setup.count(), &mut random)).collect();
    (setup, Schedule(rounds))
}

/// Depth first through all schedules.
struct Search<'a> {
    scope: &'a Scope,
    tally: Tally,
    played: Vec<Round>,
}

impl Search<'_> {
    /// Goes on with these rounds, and then with every one.
    fn enter(&mut self, network: &Network, beginning: &[Round]) {
        if let Some((round, rest)) = beginning.split_first() {
            self.branch(network, round, rest);
        } else if self.played.len() < self.scope.views {
            let scope = self.scope;
            for round in &scope.rounds {
                self.branch(network, round, &[]);
            }
        } else {
            self.tally.parted(network);
            let (network, end) = heal(network.clone(), &mut self.tally);
            self.tally.ended(&network, end, &self.played);
        }
    }

    /// One round on a copy, and what follows it.
    fn branch(&mut self, network: &Network, round: &Round, rest: &[Round]) {
        let mut next = network.clone();
        self.tally.rounds = self.tally.rounds.saturating_add(1);
        self.played.push(round.clone());
        let broken = guarded(&mut next, &mut self.tally, |next| next.play(round)).err();
        match broken {
            Some(end) => {
                self.tally.parted(&next);
                self.tally.ended(&next, end, &self.played);
            }
            None => self.enter(&next, rest),
        }
        self.played.pop();
    }
}

/// Without partitions, to the end.
fn heal(mut network: Network, tally: &mut Tally) -> (Network, End) {
    let most = u64::from(healing_max(network.shared.setup.replicas));
    network.hand_everything();
    for round in 1..=most {
        tally.rounds = tally.rounds.saturating_add(1);
        let settled = guarded(&mut network, tally, Network::heal);
        match settled {
            Err(end) => return (network, end),
            Ok(true) => {
                let end = match guarded(&mut network, tally, Network::finish) {
                    Ok(()) => End::Healed(round),
                    Err(end) => end,
                };
                return (network, end);
            }
            Ok(false) => {}
        }
    }
    let stuck = violation(
        Property::L1,
        format!(
            "not everything is committed {most} rounds after the healing: {}",
            network.standings()
        ),
    );
    (network, End::Broken(vec![stuck]))
}

/// Does something with the network. An assertion that fails is a violation like any other.
fn guarded<T>(
    network: &mut Network,
    tally: &mut Tally,
    what: impl FnOnce(&mut Network) -> T,
) -> Result<T, End> {
    let before = network.counts.messages;
    let done = catch_unwind(AssertUnwindSafe(|| what(network)));
    let more = network.counts.messages.saturating_sub(before);
    tally.messages = tally.messages.saturating_add(more);
    let done = done.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let sentence = text.unwrap_or("an assertion failed").to_owned();
        End::Broken(vec![violation(Property::Assertion, sentence)])
    })?;
    if !network.violations().is_empty() {
        return Err(End::Broken(network.violations().to_vec()));
    }
    if network.is_storm() { Err(End::Storm) } else { Ok(done) }
}

const fn violation(property: Property, sentence: String) -> Violation {
    Violation { property, sentence, at: Time::from_us(0), replica: None, height: None }
}

#[cfg(test)]
mod tests;

//! What the honest do about each attack of the catalogue, as recordings of runs show it.
//!
//! What must hold whatever happens is asserted in `attacks.rs`; here stands, attack by attack, the answer that the
//! protocol has for it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::{BTreeMap, BTreeSet};

use byzantine::attack::{CATALOGUE, Role};
use lab::attacks::{Outcome, Trial, options};
use lab::plan::{Load, Plan, What};
use lab::record::{Event, Happened, Kind, Said};
use lab::{Options, Recorder};

/// How many seeds of each network.
const SEEDS: u64 = 3;

/// What an answer may cost beside the timeouts that the protocol states, in milliseconds of virtual time.
const EXTRA_MS: u64 = 500;

/// The networks: how many replicas, and how many of them are traitors.
const NETWORKS: [(u16, u16); 2] = [(4, 1), (7, 2)];

/// A run with traitors.
struct Run {
    outcome: Outcome,
    events: Vec<Event>,
    plan: Plan,
}

/// How often an answer was seen in a run, or what was wrong with it.
type Answer = fn(&Run) -> Result<u64, String>;

/// The answers to each attack: right in every run, and seen in some.
const ROWS: &[(&str, &[Answer])] = &[
    ("accomplice", &[changes_no_view]),
    ("bad-transaction", &[nobody_votes_for_it, execution_refuses_it]),
    ("censor", &[nothing_waits]),
    ("conspire", &[proves_it_to_all]),
    ("double-commit", &[proves_it_to_all, changes_no_view]),
    ("double-prepare", &[proves_it_to_all, changes_no_view]),
    ("equivocate", &[proves_it_to_all]),
    ("false-status", &[takes_nothing_from_liars, changes_no_view]),
    ("foreign-chain", &[turns_all_away, changes_no_view]),
    ("forge-header", &[nobody_votes_for_it, refuses_it]),
    ("forged-certificate", &[turns_all_away]),
    ("fork-ancestor", &[nobody_votes_for_it, refuses_it]),
    ("garbage-signatures", &[turns_all_away, changes_no_view]),
    ("hide-prepared", &[goes_on_with_what_was_hidden]),
    ("impersonate", &[turns_all_away, changes_no_view]),
    ("inflate-view", &[nobody_votes_for_it, ignores_all]),
    ("non-member", &[turns_all_away, changes_no_view]),
    ("omit-certificate", &[proves_it_to_all]),
    ("outdated-votes", &[ignores_all, changes_no_view]),
    ("patient", &[waits_for_the_timeouts_and_no_longer]),
    ("replay-request", &[nobody_votes_for_it, execution_refuses_it]),
    ("selective-voting", &[changes_no_view]),
    ("silent", &[changes_no_view]),
    ("silent-primary", &[waits_for_the_timeouts_and_no_longer]),
    ("slow-primary", &[nothing_waits]),
    ("split-proposal", &[proves_it_to_all]),
    ("two-new-views", &[proves_it_to_all]),
    ("view-jump", &[proves_it_to_all, changes_no_view]),
    ("view-storm", &[proves_it_to_all, changes_no_view]),
    ("vote-and-leave", &[proves_it_to_all, changes_no_view]),
    ("withhold-body", &[has_bodies_from_others]),
    ("wrong-proofs", &[refuses_what_it_fetches]),
    ("wrong-tip", &[nobody_votes_for_it]),
];

/// What is asked of every run.
const ALWAYS: &[Answer] =
    &[nothing_waits, everybody_has_everything, views_go_up_by_one, a_view_a_traitor];

impl Run {
    fn of(trial: &Trial) -> Self {
        let recorder = Recorder::default();
        let outcome = trial.run_recorded(None, Some(recorder.clone()));
        let recording = recorder.recording();
        assert_eq!(recording.left_out, 0, "an event is missing: {}", trial.repeat());
        Self { outcome, events: recording.events, plan: trial.plan() }
    }

    fn is_honest(&self, replica: u16) -> bool {
        !self.outcome.traitors.contains(&replica)
    }

    fn honest(&self) -> impl Iterator<Item = u16> {
        (0..self.plan.replicas).filter(|replica| self.is_honest(*replica))
    }

    /// The false messages, by number.
    fn lies(&self) -> BTreeMap<u64, &Said> {
        let lies = self.events.iter().filter_map(|event| match &event.event {
            Happened::Sent { number, said, attack: Some(_), .. } => Some((*number, said)),
            _ => None,
        });
        lies.collect()
    }

    /// The places and blocks of the false proposals.
    fn proposals(&self) -> BTreeSet<(u64, u64, &str)> {
        let lies = self.lies().into_values().filter(|said| said.kind == Kind::PrePrepare);
        lies.map(place).collect()
    }

    /// How many false messages came to somebody honest, if all of them ended so.
    fn all_end(&self, end: impl Fn(&Happened) -> Option<(u64, u16)>) -> Result<u64, String> {
        let lies = self.lies();
        let ended: BTreeSet<_> = self.events.iter().filter_map(|event| end(&event.event)).collect();
        let mut heard = 0;
        for event in &self.events {
            let Happened::Arrived { number, to, .. } = event.event else { continue };
            if !lies.contains_key(&number) || !self.is_honest(to) {
                continue;
            }
            heard += 1;
            if !ended.contains(&(number, to)) {
                return Err(format!("replica {to} did act upon {:?}", lies[&number]));
            }
        }
        Ok(heard)
    }

    /// How many events of honest replicas are so.
    fn count(&self, is: impl Fn(&Happened) -> Option<u16>) -> Result<u64, String> {
        let by = self.events.iter().filter_map(|event| is(&event.event));
        Ok(by.filter(|replica| self.is_honest(*replica)).count().try_into().unwrap())
    }

    /// When the replica that has an outage is back, in microseconds.
    fn whole_us(&self) -> u64 {
        let ends = self.plan.faults.iter().map(|fault| match fault.what {
            What::Pause { for_ms, .. } => fault.at_ms + for_ms,
            What::Crash { down_ms, .. } => fault.at_ms + down_ms,
            _ => panic!("a trial has no such fault: {fault:?}"),
        });
        ends.max().unwrap_or_default() * 1_000
    }
}

fn place(said: &Said) -> (u64, u64, &str) {
    (said.view.unwrap(), said.height.unwrap(), said.block.as_deref().unwrap())
}

/// Each false message is turned away at the door, before the core sees it.
fn turns_all_away(run: &Run) -> Result<u64, String> {
    run.all_end(|event| match event {
        Happened::TurnedAway { number, by, .. } => Some((*number, *by)),
        _ => None,
    })
}

/// Each false message changes nothing.
fn ignores_all(run: &Run) -> Result<u64, String> {
    run.all_end(|event| match event {
        Happened::Ignored { number, by, .. } | Happened::TurnedAway { number, by, .. } => {
            Some((*number, *by))
        }
        _ => None,
    })
}

fn nobody_votes_for_it(run: &Run) -> Result<u64, String> {
    let proposals = run.proposals();
    for event in &run.events {
        let Happened::Sent { from, said, .. } = &event.event else { continue };
        let is_vote = matches!(said.kind, Kind::Prepare | Kind::Commit);
        let is_own = said.author == Some(*from);
        if is_vote && is_own && run.is_honest(*from) && proposals.contains(&place(said)) {
            return Err(format!("replica {from} votes for a false proposal: {said:?}"));
        }
    }
    Ok(proposals.len().try_into().unwrap())
}

/// Somebody looked at it and said by which rule it is wrong.
fn refuses_it(run: &Run) -> Result<u64, String> {
    run.count(|event| match event {
        Happened::Refused { by, .. } | Happened::TurnedAway { by, .. } => Some(*by),
        _ => None,
    })
}

fn execution_refuses_it(run: &Run) -> Result<u64, String> {
    run.count(|event| match event {
        Happened::Refused { by, rule, .. } if rule == "refused-execution" => Some(*by),
        _ => None,
    })
}

/// Each key that lied is proved to have, to everybody honest, within a timeout; and the proof is in the chain.
fn proves_it_to_all(run: &Run) -> Result<u64, String> {
    let mut proofs = 0;
    let within_us = (u64::from(run.plan.rules.view_timeout_ms) + EXTRA_MS) * 1_000;
    for traitor in &run.outcome.traitors {
        let lie = run.events.iter().find_map(|event| match &event.event {
            Happened::Sent { from, attack: Some(_), .. } if from == traitor => Some(event.at_us),
            _ => None,
        });
        let Some(lie_us) = lie else { continue };
        for replica in run.honest() {
            let found = run.events.iter().find_map(|event| match &event.event {
                Happened::Found { replica: by, proof } => {
                    (*by == replica && proof.culprit == *traitor).then_some(event.at_us)
                }
                _ => None,
            });
            let due_us = lie_us.max(run.whole_us()) + within_us;
            match found {
                Some(found_us) if found_us <= due_us => proofs += 1,
                _ => {
                    let what = format!("lied at {lie_us} µs; replica {replica} found {found:?}");
                    return Err(format!("replica {traitor} {what}, due was {due_us}"));
                }
            }
            let convicts = |event: &Event| {
                matches!(&event.event, Happened::Convicted { replica: by, culprit, .. }
                    if *by == replica && culprit == traitor)
            };
            if !run.events.iter().any(convicts) {
                return Err(format!("replica {replica} never committed a proof against {traitor}"));
            }
        }
    }
    Ok(proofs)
}

fn changes_no_view(run: &Run) -> Result<u64, String> {
    match run.outcome.report.view {
        0 => Ok(1),
        view => Err(format!("the last view is {view}")),
    }
}

/// A request waits at most for the timeouts of the primaries that failed, each twice the one before.
fn waits_for_the_timeouts_and_no_longer(run: &Run) -> Result<u64, String> {
    let timeout_ms = u64::from(run.plan.rules.view_timeout_ms);
    let timeouts_ms: u64 = (0..=run.outcome.traitors.len()).map(|view| timeout_ms << view).sum();
    let calm = lab::run(&run.plan, run.outcome.report.seed, Options::default());
    let due_ms = timeouts_ms + calm.seen.longest_wait_ms + EXTRA_MS;
    match run.outcome.report.seen.longest_wait_ms {
        waited_ms if waited_ms <= due_ms => Ok(1),
        waited_ms => Err(format!("a request waited for {waited_ms} ms, due were {due_ms}")),
    }
}

/// What a primary showed to just enough to be prepared is everybody's in the end, or nobody's; and often everybody's,
/// because the next primary must go on with it when it was shown a certificate.
fn goes_on_with_what_was_hidden(run: &Run) -> Result<u64, String> {
    let mut gone_on_with = 0;
    for (view, height, hidden) in run.proposals() {
        let by: BTreeSet<u16> = run
            .events
            .iter()
            .filter_map(|event| match &event.event {
                Happened::Committed { replica, block, .. } if block == hidden => Some(*replica),
                _ => None,
            })
            .filter(|replica| run.is_honest(*replica))
            .collect();
        if by.is_empty() {
            continue;
        }
        if by.len() != run.honest().count() {
            return Err(format!("of view {view} height {height} {hidden} only {by:?} have it"));
        }
        gone_on_with += 1;
    }
    Ok(gone_on_with)
}

/// Those who were shown no body have it from those who were, handed over or fetched.
fn has_bodies_from_others(run: &Run) -> Result<u64, String> {
    run.count(|event| match event {
        Happened::Fetched { replica, from, .. } => run.is_honest(*from).then_some(*replica),
        Happened::Sent { from, to, said, .. } if said.kind == Kind::Handover => {
            run.is_honest(*from).then_some(*to)
        }
        _ => None,
    })
}

/// Nobody takes a block from a traitor, although he says that he has more than all others.
fn takes_nothing_from_liars(run: &Run) -> Result<u64, String> {
    for event in &run.events {
        if let Happened::Fetched { replica, from, .. } = event.event
            && run.is_honest(replica)
            && !run.is_honest(from)
        {
            return Err(format!("replica {replica} took blocks from {from}"));
        }
    }
    Ok(run.lies().len().try_into().unwrap())
}

fn refuses_what_it_fetches(run: &Run) -> Result<u64, String> {
    takes_nothing_from_liars(run)?;
    run.count(|event| match event {
        Happened::FetchRefused { replica, from, .. } if !run.is_honest(*from) => Some(*replica),
        _ => None,
    })
}

/// All requests of clients are committed.
fn nothing_waits(run: &Run) -> Result<u64, String> {
    let seen = &run.outcome.report.seen;
    if seen.waiting == 0 { Ok(seen.sent) } else { Err(format!("{} requests wait", seen.waiting)) }
}

fn everybody_has_everything(run: &Run) -> Result<u64, String> {
    let heights = &run.outcome.report.seen.heights;
    let of_honest: BTreeSet<_> = run.honest().map(|replica| heights.get(&replica)).collect();
    if of_honest.len() == 1 { Ok(1) } else { Err(format!("the heights are {heights:?}")) }
}

/// Nobody follows a number: the honest go from one view to the next.
fn views_go_up_by_one(run: &Run) -> Result<u64, String> {
    let mut top = 0;
    for event in &run.events {
        let Happened::View { replica, view, .. } = event.event else { continue };
        if !run.is_honest(replica) {
            continue;
        }
        if view > top + 1 {
            return Err(format!("replica {replica} goes from view {top} to view {view}"));
        }
        top = top.max(view);
    }
    Ok(1)
}

/// No traitor costs more than the view that it leads, beside that of a first primary that has an outage. Where links swap
/// the blocks that are handed to somebody, he has to ask twice, and that takes longer than the timeout of these networks.
fn a_view_a_traitor(run: &Run) -> Result<u64, String> {
    let outage = u64::from(!run.plan.faults.is_empty());
    let swapped = run.events.iter().any(|event| match &event.event {
        Happened::Ignored { by, why, .. } => run.is_honest(*by) && why == "not-missing",
        _ => false,
    });
    let traitors = u64::try_from(run.outcome.traitors.len()).unwrap();
    let most = traitors + outage + u64::from(swapped);
    match run.outcome.report.view {
        view if view <= most => Ok(1),
        view => Err(format!("the last view is {view}, and {most} were to be lost")),
    }
}

#[test]
fn every_attack_has_its_answer() {
    let rows: Vec<&str> = ROWS.iter().map(|(name, _)| *name).collect();
    let kinds: Vec<&str> = CATALOGUE.iter().map(|kind| kind.name).collect();
    assert_eq!(rows, kinds, "every attack needs its row");

    let mut wrong = Vec::new();
    for (name, answers) in ROWS {
        for (replicas, traitors) in NETWORKS {
            let mut seen = vec![0; answers.len()];
            for seed in 0..SEEDS {
                let attacks = vec![name.parse().unwrap()];
                let trial = Trial { attacks, replicas, traitors, seed };
                let run = Run::of(&trial);
                let all = answers.iter().chain(ALWAYS).enumerate();
                for (at, answer) in all {
                    match (answer(&run), seen.get_mut(at)) {
                        (Ok(count), Some(seen)) => *seen += count,
                        (Ok(_), None) => {}
                        (Err(what), _) => wrong.push(format!("{}: {what}", trial.repeat())),
                    }
                }
            }
            if let Some(at) = seen.iter().position(|count| *count == 0) {
                wrong.push(format!("{name}: answer {at} was never seen with {replicas} replicas"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// How many transfers a saturated network is timed over.
const TIMED: u64 = 1_500;

/// How many hundredths of its throughput a network keeps.
const fn kept(role: Role) -> u64 {
    match role {
        // A quorum is as fast as its slowest, and one who might have been faster is not in it.
        Role::Backup | Role::Serving => 85,
        Role::Primary | Role::NextPrimary | Role::Asking => 50,
    }
}

/// When an honest replica has committed all the transfers that are timed, in microseconds of virtual time: clients send
/// as fast as they are answered.
fn saturated(trial: &Trial, traitors: &[u16]) -> Result<u64, String> {
    let mut plan = trial.plan();
    plan.load = Load { clients: 6, transfers: 300, every_ms: 1, outstanding_max: 16, ..plan.load };
    plan.heal_ms = 20_000;
    let attacks = traitors.iter().map(|traitor| (*traitor, trial.attacks.clone()));
    let (options, _) = options(&plan, trial.seed, attacks.collect());
    let recorder = Recorder::default();
    let report =
        lab::run(&plan, trial.seed, Options { recorder: Some(recorder.clone()), ..options });
    let mut paid = 0;
    let watched = plan.replicas - 2;
    for event in recorder.recording().events {
        let Happened::Committed { replica, transactions, .. } = event.event else { continue };
        if replica == watched {
            paid += transactions;
        }
        if paid >= TIMED {
            return Ok(event.at_us);
        }
    }
    Err(format!("only {paid} transfers were paid: {:?}", report.verdict))
}

/// A network that has as much to do as it can, with and without the attack.
#[test]
fn a_saturated_network_keeps_its_pace() {
    let mut wrong = Vec::new();
    // What else happens to a network is the same for all attacks from one place.
    let mut calm = BTreeMap::new();
    for kind in CATALOGUE {
        for (replicas, traitors) in NETWORKS {
            let attacks = vec![kind.name.parse().unwrap()];
            let trial = Trial { attacks, replicas, traitors, seed: 1 };
            let calm_us = *calm
                .entry((replicas, kind.role.name()))
                .or_insert_with(|| saturated(&trial, &[]).unwrap());
            let here_us = match saturated(&trial, &trial.traitors()) {
                Ok(here_us) => here_us,
                Err(what) => {
                    wrong.push(format!("{}: {what}", trial.repeat()));
                    continue;
                }
            };
            // The first reaction: a timeout for each traitor that leads, and for the outage.
            let views = match kind.role {
                Role::Backup | Role::Serving => 0,
                Role::Primary | Role::NextPrimary | Role::Asking => traitors + 1,
            };
            let timeout_us = u64::from(trial.plan().rules.view_timeout_ms) * 1_000;
            let reaction_us: u64 = (0..views).map(|view| timeout_us << view).sum();
            let due_us = calm_us * 100 / kept(kind.role) + reaction_us;
            if here_us > due_us {
                let what = format!("{here_us} µs, calm {calm_us}, due {due_us}");
                wrong.push(format!("{}: {what}", trial.repeat()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

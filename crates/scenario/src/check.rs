//! What must hold of a scenario as a whole.

use std::collections::BTreeSet;

use types::document::Problems;

use crate::errors::ScenarioErrors;
use crate::expect::Fails;
use crate::faulty::worst;
use crate::read::Read;
use crate::situation::{Attack, Fault, Scenario, Situation};

/// Checks whether the parts fit together, and gives the scenario when nothing is wrong with it.
pub(crate) fn check(
    file: &str,
    read: Option<Read>,
    mut problems: Problems,
) -> Result<Scenario, ScenarioErrors> {
    if let Some(read) = &read {
        faults(read, &mut problems);
        once(read, &mut problems);
        load(read, &mut problems);
        expectations(read, &mut problems);
    }
    match read {
        Some(read) if problems.is_empty() => {
            Ok(Scenario { file: file.to_owned(), ..read.scenario })
        }
        Some(_) | None => {
            if problems.is_empty() {
                problems.push(None, "the scenario is incomplete");
            }
            Err(ScenarioErrors::new(file, problems.into_sorted()))
        }
    }
}

/// The base situation is within what the network bears, the other is not.
fn faults(read: &Read, problems: &mut Problems) {
    let Scenario { network, base, beyond, .. } = &read.scenario;
    let (most, n) = (usize::from(network.faulty_max()), network.validators);
    let (base_liars, liars) = (base.liars().len(), beyond.liars().len());
    let liars_max = usize::from(network.liars_max());
    let worst_of_base = worst(base, n);
    if worst_of_base.who.len() > most {
        let text = format!(
            "at {} ms validators {} are faulty at once, and {n} validators bear {most}: put one of the faults into \
             [beyond]",
            worst_of_base.at_ms,
            list(&worst_of_base.who),
        );
        problems.push(first_line(base, &read.lines.faults), text);
    } else if base_liars > liars_max {
        let text = format!(
            "{base_liars} of {n} validators lie, and with this quorum they bear {liars_max}: put one of the attacks \
             into [beyond]"
        );
        problems.push(first_line(base, &read.lines.faults), text);
    }
    let worst_of_beyond = worst(beyond, n);
    if worst_of_beyond.who.len() <= most && liars <= liars_max {
        let text = format!(
            "[beyond] must be more than the network bears: at most {} faulty at once, and {n} validators bear {most}",
            worst_of_beyond.who.len()
        );
        problems.push(read.lines.beyond, text);
    }
}

/// Where the faults and attacks of a situation begin.
fn first_line(situation: &Situation, faults: &[Option<usize>]) -> Option<usize> {
    let faults = faults.iter().take(situation.faults.len()).copied();
    let attacks = situation.attacks.iter().map(|attack| attack.line);
    faults.chain(attacks).flatten().min()
}

/// Nothing is said twice.
fn once(read: &Read, problems: &mut Problems) {
    let Situation { attacks, faults, .. } = &read.scenario.beyond;
    for (index, attack) in attacks.iter().enumerate() {
        let same = |other: &&Attack| {
            (other.validator, &other.attack) == (attack.validator, &attack.attack)
        };
        if attacks.iter().take(index).any(|other| same(&other)) {
            let text =
                format!("validator {} has the attack {:?} twice", attack.validator, attack.attack);
            problems.push(attack.line, text);
        }
    }
    for (index, (fault, line)) in faults.iter().zip(&read.lines.faults).enumerate() {
        let again = |other: &Fault| {
            let same = other.kind.name() == fault.kind.name();
            let one = fault.kind.validator().is_some();
            let overlap =
                other.when.at_ms < fault.when.end_ms && fault.when.at_ms < other.when.end_ms;
            same && one && overlap && other.kind.validator() == fault.kind.validator()
        };
        if faults.iter().take(index).any(again) {
            let text = format!("{fault}: it is so at that time already, by an earlier fault");
            problems.push(*line, text);
        }
    }
}

/// There must be something to commit for as long as something happens.
fn load(read: &Read, problems: &mut Problems) {
    let Scenario { load, run_ms, .. } = &read.scenario;
    let bursts = u64::from(load.transfers.div_ceil(load.burst));
    let lasts_ms = bursts.saturating_mul(load.every_ms.into());
    if lasts_ms >= *run_ms {
        let text = format!(
            "the clients send for about {lasts_ms} ms, and the run ends at {run_ms} ms: they would not be done"
        );
        problems.push(read.lines.load, text);
    }
}

fn expectations(read: &Read, problems: &mut Problems) {
    let Scenario { base, beyond, run_ms, .. } = &read.scenario;
    let [expect_line, beyond_line] = read.lines.expect;
    for (situation, line, whose) in
        [(base, expect_line, "[expect]"), (beyond, beyond_line, "[beyond.expect]")]
    {
        let expect = &situation.expect;
        if expect.live_within_ms.is_some_and(|ms| ms >= *run_ms)
            || expect.halts_from_ms.is_some_and(|ms| ms >= *run_ms)
        {
            problems.push(
                line,
                format!("{whose} names a time after the end of the run at {run_ms} ms"),
            );
        }
        if expect.view_changes_min > expect.view_changes_max.or(Some(u64::MAX)) {
            problems.push(
                line,
                format!("view-changes-min of {whose} is greater than view-changes-max"),
            );
        }
        let liars: BTreeSet<u16> = situation.liars().into_iter().collect();
        let named = [&expect.culprits, &expect.convicted].into_iter().flatten().flatten();
        for honest in named.filter(|who| !liars.contains(who)) {
            problems
                .push(line, format!("{whose} accuses validator {honest}, whom no attack lets lie"));
        }
        let (culprits, convicted) = (expect.culprits.as_ref(), expect.convicted.as_ref());
        if let (Some(culprits), Some(convicted)) = (culprits, convicted)
            && convicted.iter().any(|who| !culprits.contains(who))
        {
            problems.push(
                line,
                format!("convicted of {whose} names somebody who is not among the culprits"),
            );
        }
    }
    match (beyond.expect.fails, beyond.expect.halts_from_ms) {
        (Some(Fails::Progress), None) => problems.push(
            beyond_line,
            "[beyond.expect] lacks halts-from-ms: from when on nothing is committed any more",
        ),
        (Some(Fails::Agreement), Some(_)) => problems.push(
            beyond_line,
            "[beyond.expect] has halts-from-ms, which belongs to fails = \"progress\"",
        ),
        (Some(Fails::Progress), Some(_))
        | (Some(Fails::Agreement) | None, None)
        | (None, Some(_)) => {}
    }
}

/// Numbers with commas between them.
pub(crate) fn list<'a>(numbers: impl IntoIterator<Item = &'a u16>) -> String {
    numbers.into_iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

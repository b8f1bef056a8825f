//! A run in words: its verdict, its network, what was done to it and what happened.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dossier, Facts, MOMENTS_LISTED};
use crate::plan::{Broken, Fate, Plan};
use crate::record::{Event, Happened, fault};
use crate::report::Verdict;

/// The verdict in one line, and each thing that was broken.
pub(super) fn verdict(verdict: &Verdict) -> (String, Vec<String>) {
    match verdict {
        Verdict::Held => ("Every property held".to_owned(), Vec::new()),
        Verdict::Violated(broken) => {
            let names: BTreeSet<String> = broken.iter().map(|it| it.property.to_string()).collect();
            let names: Vec<String> = names.into_iter().collect();
            let each =
                broken.iter().map(|it| format!("{it}. Promised is: {}.", it.property.promise()));
            (format!("Broken: {}", names.join(", ")), each.collect())
        }
        Verdict::Inconclusive(reason) => ("No conclusion".to_owned(), vec![reason.clone()]),
    }
}

/// The network in words, one sentence each.
pub(super) fn network(dossier: &Dossier, facts: &Facts<'_>) -> Vec<String> {
    let Plan { rules, load, links, .. } = &dossier.plan;
    let Facts { n, t, q, .. } = facts;
    let mut lines = vec![
        format!(
            "{n} validators; the protocol bears {t} that lie or fail; {q} votes make a certificate."
        ),
        format!(
            "A view without progress is given up after {} ms; up to {} heights are in flight.",
            rules.view_timeout_ms, rules.window_heights
        ),
        format!(
            "A message takes {} to {} ms; of 1,000 messages {} are lost, {} arrive twice and {} take ten times as long.",
            decimal(links.delay_min_us),
            decimal(links.delay_max_us),
            links.loss_per_mille,
            links.twice_per_mille,
            links.slow_per_mille
        ),
        format!(
            "Clients: {}, each with {} transfers, one about every {} ms.",
            load.clients, load.transfers, load.every_ms
        ),
    ];
    if load.double_spenders > 0 {
        lines.push(format!(
            "Clients who sign two transfers for every nonce: {}.",
            load.double_spenders
        ));
    }
    lines
}

fn decimal(us: u32) -> String {
    super::markup::ms(u64::from(us))
}

/// Who lies and what breaks, in words.
pub(super) fn troubles(dossier: &Dossier) -> Vec<String> {
    let liars = dossier.traitors.iter().map(|(replica, how)| {
        let how = how.join("; ");
        format!("replica {replica} lies: {how}")
    });
    let told = |broken: &&Broken| !dossier.traitors.contains_key(&broken.replica);
    let stays = dossier.plan.broken.iter().filter(told).map(|Broken { replica, fate }| {
        let how = match fate {
            Fate::Dead => "does not run from the healing on",
            Fate::Mute => "is heard by nobody from the healing on",
            Fate::Deaf => "hears nobody from the healing on",
            Fate::Lying => "changes what it says, field by field",
        };
        format!("replica {replica} {how}")
    });
    let faults = dossier.plan.faults.iter();
    let faults = faults.map(|it| format!("at {} ms: {}", it.at_ms, fault(&it.what)));
    let all: Vec<String> = liars.chain(stays).chain(faults).collect();
    if all.is_empty() { vec!["nothing breaks and nobody lies".to_owned()] } else { all }
}

/// What happened beside votes, each with its time: what several replicas do alike is told once.
pub(super) fn moments(events: &[Event]) -> Vec<(u64, String)> {
    let mut told = BTreeSet::new();
    let mut moments = Vec::new();
    for event in events {
        let key = key(event);
        if key.is_some_and(|key| told.insert(key)) {
            moments.push((event.at_us, event.event.to_string()));
        }
    }
    moments
}

/// What makes an event the same as another one that was told; `None` for what is not told.
fn key(event: &Event) -> Option<String> {
    match &event.event {
        Happened::View { replica, view, entered, .. } => {
            (*view > 0).then(|| format!("view {replica} {view} {entered}"))
        }
        Happened::Convicted { culprit, .. } => Some(format!("convicted {culprit}")),
        Happened::Found { proof, .. } => Some(format!("found {} {}", proof.culprit, proof.kind)),
        Happened::Refused { by, rule, .. } => Some(format!("refused {by} {rule}")),
        Happened::Did { replica, attack, deed } => {
            let verb = deed.split(' ').next().unwrap_or_default();
            Some(format!("did {replica} {attack} {verb}"))
        }
        Happened::Started { height: 0, .. } if event.at_us == 0 => None,
        Happened::Broken { property, .. } => Some(format!("broken {property}")),
        Happened::Healed
        | Happened::Died { .. }
        | Happened::Started { .. }
        | Happened::RefusedToStart { .. }
        | Happened::Fault { .. }
        | Happened::FaultEnded { .. }
        | Happened::Fetched { .. }
        | Happened::FetchRefused { .. } => Some(format!("{event:?}")),
        Happened::Sent { .. }
        | Happened::Lost { .. }
        | Happened::Arrived { .. }
        | Happened::TurnedAway { .. }
        | Happened::Ignored { .. }
        | Happened::TimerFired { .. }
        | Happened::Committed { .. }
        | Happened::Submitted { .. }
        | Happened::Accepted { .. } => None,
    }
}

/// The moments that are listed, and how many are not.
pub(super) fn listed<'a>(facts: &'a Facts<'_>) -> (&'a [(u64, String)], usize) {
    let all = facts.moments.as_slice();
    let shown = all.get(..MOMENTS_LISTED).unwrap_or(all);
    (shown, all.len().saturating_sub(shown.len()))
}

/// The figures, each with its name.
pub(super) fn figures(dossier: &Dossier, facts: &Facts<'_>) -> Vec<(String, String)> {
    let report = &dossier.report;
    let mut rows = vec![
        ("heights committed".to_owned(), report.heights.to_string()),
        ("last view".to_owned(), report.view.to_string()),
        ("virtual time".to_owned(), format!("{} ms", report.virtual_ms)),
        ("events".to_owned(), report.events.to_string()),
        ("messages sent, by receiver".to_owned(), facts.arrows.len().to_string()),
        ("false messages among them".to_owned(), facts.count_false().to_string()),
        ("messages lost".to_owned(), facts.count_lost().to_string()),
        ("processes started".to_owned(), report.starts.to_string()),
        ("blocks fetched from others".to_owned(), report.fetched.to_string()),
    ];
    let counts = |counts: &BTreeMap<&'static str, u64>| {
        let each = counts.iter().map(|(name, count)| format!("{name} {count}"));
        each.collect::<Vec<_>>().join(", ")
    };
    let kinds = facts.kinds().into_iter().map(|(kind, count)| (kind.name(), count)).collect();
    rows.push(("messages by kind".to_owned(), counts(&kinds)));
    if !report.ignored.is_empty() {
        rows.push(("not acted upon, by reason".to_owned(), counts(&report.ignored)));
    }
    if !report.faults.is_empty() {
        rows.push(("faults, by kind".to_owned(), counts(&report.faults)));
    }
    if dossier.recording.left_out > 0 {
        rows.push(("events not recorded".to_owned(), dossier.recording.left_out.to_string()));
    }
    rows.push(("digest of everything that happened".to_owned(), report.trace.clone()));
    rows
}

/// What is known of those who were proved to have lied: for each a line, and its proofs.
pub(super) fn culprits<'a>(
    facts: &'a Facts<'_>,
) -> BTreeMap<u16, Vec<&'a crate::record::Contradiction>> {
    let mut culprits: BTreeMap<u16, Vec<_>> = BTreeMap::new();
    for proof in facts.proofs.keys() {
        culprits.entry(proof.culprit).or_default().push(*proof);
    }
    culprits
}

/// What became of a culprit.
pub(super) fn conviction(culprit: u16, facts: &Facts<'_>) -> String {
    match facts.convicted.get(&culprit) {
        Some(height) => format!(
            "The proof went into the block of height {height}: from there on it leads no view."
        ),
        None => "No block with the proof was committed in this run.".to_owned(),
    }
}

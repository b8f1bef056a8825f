//! Replicas that attack: what they did, and what came of it.

use byzantine::attack::{CATALOGUE, Kind};
use lab::attacks::{Outcome as Done, Trial};
use lab::render::Dossier;
use lab::{QuorumRule, Reader, Recording};
use serde::Serialize;

use crate::cli::AttackArguments;
use crate::output::to_json;
use crate::{Outcome, output};

/// An attack, explained.
#[derive(Debug, Serialize)]
struct Explained {
    name: &'static str,
    sentence: &'static str,
    answer: &'static str,
    from: &'static str,
    provable: bool,
}

impl From<&Kind> for Explained {
    fn from(kind: &Kind) -> Self {
        let Kind { name, sentence, answer, role, provable, .. } = *kind;
        Self { name, sentence, answer, from: role.name(), provable }
    }
}

pub(crate) fn attack(arguments: &AttackArguments) -> Result<Outcome, String> {
    if arguments.list {
        let all: Vec<Explained> = CATALOGUE.iter().map(Explained::from).collect();
        output::tell(&if arguments.json { to_json(&all)? } else { explain(&all) });
        return Ok(Outcome::Held);
    }
    if arguments.traitors > arguments.replicas {
        let (traitors, replicas) = (arguments.traitors, arguments.replicas);
        return Err(format!("{traitors} traitors of {replicas} replicas: give fewer --traitors"));
    }
    let trial = Trial {
        attacks: arguments.attacks.clone(),
        replicas: arguments.replicas,
        traitors: arguments.traitors,
        seed: arguments.seed,
    };
    let reader = arguments.trace.then(|| -> Reader { Box::new(output::complain) });
    let recorder = arguments.folder.recorder();
    let done = trial.run_recorded(reader, recorder.clone());
    if let Some(recorder) = recorder {
        let names: Vec<&str> = trial.attacks.iter().map(|attack| attack.kind.name).collect();
        let dossier = dossier(&trial, &done, recorder.recording());
        arguments.folder.write(&format!("attack-{}", names.join("-")), &dossier)?;
    }
    output::tell(&if arguments.json { to_json(&done)? } else { describe(&done) });
    Ok(output::outcome(&done.report.verdict))
}

fn dossier(trial: &Trial, done: &Done, recording: Recording) -> Dossier {
    let how = trial.attacks.iter().map(|attack| {
        let (name, sentence) = (attack.kind.name, attack.kind.sentence);
        format!("{name}: {sentence}")
    });
    let how: Vec<String> = how.collect();
    let names: Vec<String> = trial.attacks.iter().map(ToString::to_string).collect();
    Dossier {
        title: format!("attack {}", names.join(" ")),
        command: trial.repeat(),
        plan: trial.plan(),
        quorum: QuorumRule::Kept,
        report: done.report.clone(),
        recording,
        traitors: done.traitors.iter().map(|traitor| (*traitor, how.clone())).collect(),
        question: None,
        agreement: None,
    }
}

fn explain(all: &[Explained]) -> String {
    let each = all.iter().map(|attack| {
        let Explained { name, sentence, answer, provable, .. } = attack;
        let proof = if *provable { " (can be proved)" } else { "" };
        format!("{name}{proof}\n    {sentence}\n    against it: {answer}")
    });
    each.collect::<Vec<_>>().join("\n")
}

fn describe(done: &Done) -> String {
    let Done { report, traitors, deeds } = done;
    let numbers = |numbers: &[u16]| {
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        numbers.join(", ")
    };
    let deeds: Vec<String> = deeds.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let deeds = if deeds.is_empty() { "none".to_owned() } else { deeds.join(", ") };
    let culprits = report.culprits.iter().map(|(culprit, kinds)| {
        let kinds: Vec<&str> = kinds.iter().copied().collect();
        format!("replica {culprit} ({})", kinds.join(", "))
    });
    let culprits: Vec<String> = culprits.collect();
    let culprits = if culprits.is_empty() { "nobody".to_owned() } else { culprits.join(", ") };
    [
        output::describe(report),
        format!("traitors: {}", numbers(traitors)),
        format!("deeds: {deeds}"),
        format!("last view: {}", report.view),
        format!("proved to have lied: {culprits}"),
    ]
    .join("\n")
}

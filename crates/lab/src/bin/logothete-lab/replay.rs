//! One run again.

use std::collections::BTreeMap;
use std::path::Path;

use lab::plan::Fate;
use lab::render::Dossier;
use lab::{Limits, Options, Plan, QuorumRule};

use crate::cli::Replay;
use crate::{Outcome, output};

pub(crate) fn replay(arguments: &Replay) -> Result<Outcome, String> {
    let (plan, mut options) = match &arguments.plan {
        Some(path) => (read(path)?, Options::default()),
        None if arguments.case => lab::cases::case(arguments.seed),
        None => {
            let limits = limits(&arguments.replicas, arguments.liars);
            (Plan::random(arguments.seed, &limits), Options::default())
        }
    };
    if arguments.show_plan {
        output::tell(&output::to_json(&plan)?);
        return Ok(Outcome::Held);
    }
    if arguments.trace {
        options.reader = Some(Box::new(output::complain));
    }
    let recorder = arguments.folder.recorder();
    options.recorder.clone_from(&recorder);
    let traitors = traitors(&plan, &options);
    let report = lab::run(&plan, arguments.seed, options);
    if let Some(recorder) = recorder {
        let dossier = Dossier {
            title: if arguments.case { "case" } else { "replay" }.to_owned(),
            command: repeat(arguments),
            plan,
            quorum: QuorumRule::Kept,
            report: report.clone(),
            recording: recorder.recording(),
            traitors,
            question: None,
            agreement: None,
        };
        arguments.folder.write(&dossier.title, &dossier)?;
    }
    if arguments.json {
        output::tell(&output::to_json(&report)?);
    } else {
        output::tell(&output::describe(&report));
    }
    Ok(output::outcome(&report.verdict))
}

/// Who lies in a run, and how.
pub(crate) fn traitors(plan: &Plan, options: &Options) -> BTreeMap<u16, Vec<String>> {
    let script = |replica: &u16| (*replica, vec!["by a script drawn from the seed".to_owned()]);
    let mut traitors: BTreeMap<u16, Vec<String>> = options.faulty.iter().map(script).collect();
    for broken in plan.broken.iter().filter(|broken| broken.fate == Fate::Lying) {
        let how = "it changes what it says, field by field".to_owned();
        traitors.entry(broken.replica).or_default().push(how);
    }
    traitors
}

/// The command that repeats it.
fn repeat(arguments: &Replay) -> String {
    let mut command = format!("logothete-lab replay {}", arguments.seed);
    if let Some(path) = &arguments.plan {
        command += &format!(" --plan {}", path.display());
    }
    if arguments.case {
        command += " --case";
    }
    command + &networks(&arguments.replicas, arguments.liars)
}

/// The flags that draw such networks again.
pub(crate) fn networks(replicas: &[u16], liars: bool) -> String {
    let mut flags = String::new();
    if !replicas.is_empty() {
        let replicas: Vec<String> = replicas.iter().map(u16::to_string).collect();
        flags += &format!(" --replicas {}", replicas.join(","));
    }
    if liars {
        flags += " --liars";
    }
    flags
}

/// What plans are drawn from when the number of replicas is given.
pub(crate) fn limits(replicas: &[u16], liars: bool) -> Limits {
    let lying_per_mille = if liars { 1_000 } else { 0 };
    let usual = Limits { lying_per_mille, ..Limits::default() };
    if replicas.is_empty() { usual } else { Limits { replicas: replicas.to_vec(), ..usual } }
}

/// A plan from a file.
pub(crate) fn read(path: &Path) -> Result<Plan, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is no plan: {error}", path.display()))
}

//! Scenarios: what there are, and what comes of one.

use std::collections::BTreeMap;
use std::path::Path;

use byzantine::attack::Kind;
use clap::Args;
use lab::render::{Dossier, Expectation, Question};
use lab::scenarios::{Outcome as Done, Trial};
use lab::{Reader, Recording};
use scenario::{Class, Scenario, shipped};
use serde::Serialize;

use crate::folder::Folder;
use crate::output::to_json;
use crate::{Outcome, output};

/// Run a scenario, and see whether it goes as expected.
///
/// A scenario says what a network is like, what breaks and who lies, and what is expected of it. Without a name, those
/// that come with the program are listed. It ends with 0 when everything was as expected, and with 1 when not.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The name of a scenario that comes with the program, or a file
    #[arg(value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// With one more fault than the network bears: a property fails, and the run says which and why
    #[arg(long, requires = "scenario")]
    one_more: bool,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tell everything that happens, on stderr
    #[arg(long, requires = "scenario")]
    trace: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: Folder,
}

/// A scenario in the list.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    class: Class,
    title: String,
    validators: u16,
}

pub(crate) fn run(arguments: &Run) -> Result<Outcome, String> {
    let Some(named) = &arguments.scenario else {
        return list(arguments.json);
    };
    let trial =
        Trial { scenario: find(named)?, one_more: arguments.one_more, seed: arguments.seed };
    let reader = arguments.trace.then(|| -> Reader { Box::new(output::complain) });
    let recorder = arguments.folder.recorder();
    let done = trial.run_recorded(reader, recorder.clone());
    let mut done = done.map_err(|error| error.to_string())?;
    if is_file(named) {
        done.repeat = done.repeat.replacen(&trial.scenario.name, named, 1);
    }
    if let Some(recorder) = recorder {
        let one_more = if trial.one_more { "-one-more" } else { "" };
        let name = format!("{}{one_more}", trial.scenario.name);
        arguments.folder.write(&name, &dossier(&trial, &done, recorder.recording()))?;
    }
    output::tell(&if arguments.json { to_json(&done)? } else { describe(&trial, &done) });
    Ok(if done.judgement.as_expected { Outcome::Held } else { Outcome::Violated })
}

/// What the report of a run is made from.
fn dossier(trial: &Trial, done: &Done, recording: Recording) -> Dossier {
    let scenario = &trial.scenario;
    let mut traitors: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for attack in &scenario.situation(trial.one_more).attacks {
        let name = attack.attack.split(':').next().unwrap_or_default();
        let sentence = Kind::of(name).map_or("", |kind| kind.sentence);
        let how = format!("{}: {sentence}", attack.attack);
        traitors.entry(attack.validator).or_default().push(how);
    }
    let met = done.judgement.findings.iter().map(|finding| Expectation {
        expected: finding.expected.clone(),
        seen: finding.seen.clone(),
        met: finding.holds,
    });
    let beyond = if trial.one_more { ", with one fault more than it bears" } else { "" };
    Dossier {
        title: format!("{}{beyond}", scenario.title),
        command: done.repeat.clone(),
        plan: trial.plan(),
        quorum: trial.quorum(),
        report: done.report.clone(),
        recording,
        traitors,
        question: Some(Question {
            question: scenario.question.clone(),
            answer: scenario.answer.clone(),
            expectations: met.collect(),
        }),
        agreement: None,
    }
}

fn is_file(named: &str) -> bool {
    named.contains(std::path::MAIN_SEPARATOR) || Path::new(named).extension().is_some()
}

fn find(named: &str) -> Result<Scenario, String> {
    if !is_file(named) {
        return shipped::find(named).map_err(|error| error.to_string());
    }
    let text = std::fs::read_to_string(named).map_err(|error| format!("{named}: {error}"))?;
    Scenario::parse(named, &text).map_err(|error| error.to_string())
}

fn list(json: bool) -> Result<Outcome, String> {
    let all = shipped::all().map_err(|error| error.to_string())?;
    let all: Vec<Listed> = all
        .into_iter()
        .map(|it| Listed {
            name: it.name,
            class: it.class,
            title: it.title,
            validators: it.network.validators,
        })
        .collect();
    if json {
        output::tell(&to_json(&all)?);
        return Ok(Outcome::Held);
    }
    let mut lines = Vec::new();
    for class in Class::ALL {
        lines.push(format!("{class}"));
        for Listed { name, title, validators, .. } in all.iter().filter(|it| it.class == class) {
            lines.push(format!("  {name:<24} n = {validators}  {title}"));
        }
    }
    lines.push("run one: logothete-lab run NAME [--one-more]".to_owned());
    output::tell(&lines.join("\n"));
    Ok(Outcome::Held)
}

fn describe(trial: &Trial, done: &Done) -> String {
    let scenario = &trial.scenario;
    let situation = scenario.situation(trial.one_more);
    let (n, q) = (scenario.network.validators, scenario.network.q());
    let mut lines = vec![
        format!("{} ({}): {}", scenario.name, scenario.class, scenario.title),
        format!("question: {}", scenario.question),
        format!("{n} validators, q = {q} votes make a certificate; seed {}", trial.seed),
    ];
    lines.extend(situation.faults.iter().map(|fault| format!("  {fault}")));
    lines.extend(situation.attacks.iter().map(|attack| {
        let name = attack.attack.split(':').next().unwrap_or_default();
        let deeds = done.deeds.get(name).copied().unwrap_or_default();
        format!("  validator {} lies: {} ({deeds} deeds)", attack.validator, attack.attack)
    }));
    lines.push(done.judgement.to_string());
    if !trial.one_more {
        lines.push(format!("answer: {}", scenario.answer));
    }
    lines.push(format!("repeat it: {}", done.repeat));
    lines.join("\n")
}

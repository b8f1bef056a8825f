//! The hunts: the core as it is on every seed, then every mutant until it is caught.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use lab::mutants::{Hunt, hunt, run_case};
use pbft::mutant::Mutant;

use super::Mutants;
use crate::output::to_json;
use crate::{Outcome, output};

pub(super) fn hunts(arguments: &Mutants) -> Result<Outcome, String> {
    let wanted = wanted(&arguments.only)?;
    if arguments.trace {
        return trace(&wanted, arguments.from);
    }
    let (from, seeds) = (arguments.from, arguments.seeds);
    let all: Vec<u64> = (from..from.saturating_add(seeds)).collect();
    let bar = bar("the core as it is", all.len());
    let mut reports = Vec::new();
    for_each(
        &all,
        |seed| run_case(None, *seed),
        |report| {
            reports.push(report);
            bar.inc(1);
        },
    );
    bar.finish_and_clear();
    reports.sort_by_key(|report| std::cmp::Reverse(report.seed));
    let mut sound = Hunt::of(None);
    reports.into_iter().for_each(|report| sound.note(report));
    sound.inconclusive.sort_unstable();

    let bar = self::bar("mutants", wanted.len());
    let mut hunts = Vec::new();
    for_each(
        &wanted,
        |mutant| hunt(Some(*mutant), from, seeds),
        |hunt| {
            hunts.push(hunt);
            bar.inc(1);
            bar.set_message(format!("{} caught", hunts.iter().filter(|it| is_caught(it)).count()));
        },
    );
    bar.finish_and_clear();
    let place = |hunt: &Hunt| wanted.iter().position(|it| Some(it.name()) == hunt.mutant);
    hunts.sort_by_key(place);

    let outcome = outcome(&sound, &hunts);
    hunts.insert(0, sound);
    if arguments.json {
        output::tell(&to_json(&hunts)?);
    } else {
        output::tell(&hunts.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(outcome)
}

fn wanted(only: &[String]) -> Result<Vec<Mutant>, String> {
    let known = |name: &String| Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
    if only.is_empty() {
        return Ok(Mutant::ALL.to_vec());
    }
    let found = only.iter().map(|name| known(name).ok_or(format!("there is no mutant {name}")));
    found.collect()
}

fn trace(wanted: &[Mutant], seed: u64) -> Result<Outcome, String> {
    let mutant = wanted.first().copied();
    let report = pbft::mutant::with(mutant, || {
        let (plan, options) = lab::cases::case(seed);
        let reader: lab::Reader = Box::new(output::complain);
        lab::run(&plan, seed, lab::Options { reader: Some(reader), ..options })
    });
    output::tell(&output::describe(&report));
    Ok(output::outcome(&report.verdict))
}

/// Every item, by as many threads as there are processors, each the next one that nobody has taken.
fn for_each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, mut done: impl FnMut(R)) {
    let jobs = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (results, received) = mpsc::channel();
        for _ in 0..jobs {
            let (results, next, work) = (results.clone(), &next, &work);
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed))
                    && results.send(work(item)).is_ok()
                {}
            });
        }
        drop(results);
        received.into_iter().for_each(&mut done);
    });
}

fn bar(what: &'static str, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    let template = "{prefix:20} {bar:40} {human_pos}/{human_len}  {elapsed}  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_prefix(what)
}

const fn is_caught(hunt: &Hunt) -> bool {
    hunt.caught.is_some()
}

fn outcome(sound: &Hunt, hunts: &[Hunt]) -> Outcome {
    if is_caught(sound) {
        return Outcome::Violated;
    }
    if !sound.inconclusive.is_empty() {
        return Outcome::Inconclusive;
    }
    let mut survivors = hunts.iter().filter(|hunt| !is_caught(hunt)).peekable();
    if survivors.peek().is_none() {
        return Outcome::Held;
    }
    let unsure = survivors.all(|hunt| !hunt.inconclusive.is_empty());
    if unsure { Outcome::Inconclusive } else { Outcome::Violated }
}

fn line(hunt: &Hunt) -> String {
    let (name, sentence, rule) = (hunt.mutant.unwrap_or("none"), hunt.sentence, hunt.rule);
    let unsure = match hunt.inconclusive.as_slice() {
        [] => String::new(),
        seeds => format!(", no conclusion on {seeds:?}"),
    };
    let end = match &hunt.caught {
        Some((seed, first)) => format!("{} after {} (seed {seed})", first.property, hunt.seeds),
        None if hunt.mutant.is_none() => format!("held on {} seeds", hunt.seeds),
        None => format!("NOT CAUGHT by {}", hunt.seeds),
    };
    let end = format!("{end}{unsure}");
    format!("{name:24} {rule:9} {end:32} {sentence}")
}

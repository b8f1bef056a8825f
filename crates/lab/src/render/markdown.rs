//! `report.md`.

use super::markup::ms;
use super::{Dossier, Facts, PROOFS_SHOWN, council, words};

/// The report in words.
pub(super) fn text(dossier: &Dossier, facts: &Facts<'_>) -> String {
    let (verdict, broken) = words::verdict(&dossier.report.verdict);
    let title = format!("{}, seed {}", dossier.title, dossier.report.seed);
    let mut text = head(&title, &verdict, &broken, &dossier.command);
    if let Some(question) = &dossier.question {
        text += &format!(
            "## The question\n\n{}\n\n{}\n\n",
            plain(&question.question),
            plain(&question.answer)
        );
        let lines = question.expectations.iter().map(|it| {
            let as_it_was = if it.met { "as expected" } else { "**not as expected**" };
            format!("{}: {}: {as_it_was}", it.expected, it.seen)
        });
        text += &list(&lines.collect::<Vec<_>>());
    }
    text +=
        &dossier.agreement.as_ref().map(|it| council::section(it).markdown()).unwrap_or_default();
    text += &format!("## What was run\n\n{}", list(&words::network(dossier, facts)));
    text += &format!("What goes wrong:\n\n{}", list(&words::troubles(dossier)));
    text += "## Who was proved to have lied\n\n";
    text += &culprits(facts);
    text += "## What happened\n\n";
    let (shown, more) = words::listed(facts);
    let lines = shown.iter().map(|(at_us, what)| format!("{} ms: {what}", ms(*at_us)));
    text += &list(&lines.collect::<Vec<_>>());
    if more > 0 {
        text += &format!("{more} later moments are in trace.jsonl.\n\n");
    }
    text + "## Figures\n\n" + &figures(&words::figures(dossier, facts))
}

/// The beginning of a report: its verdict, and the command that repeats it.
pub(super) fn head(title: &str, verdict: &str, details: &[String], command: &str) -> String {
    let (title, verdict) = (plain(title), plain(verdict));
    let (details, command) = (list(details), self::command(command));
    format!("# {title}\n\n**{verdict}**\n\n{details}This command repeats it:\n\n{command}")
}

pub(super) fn command(text: &str) -> String {
    format!("```sh\n{text}\n```\n\n")
}

pub(super) fn figures(figures: &[(String, String)]) -> String {
    let mut text = "| what | how much |\n| --- | --- |\n".to_owned();
    for (name, figure) in figures {
        text += &format!("| {} | {} |\n", plain(name), plain(figure));
    }
    text
}

fn culprits(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    for (culprit, proofs) in words::culprits(facts) {
        text += &format!("Replica {culprit}. {}\n\n", words::conviction(culprit, facts));
        let lines = proofs
            .iter()
            .take(PROOFS_SHOWN)
            .map(|proof| format!("{}; and {}. {}", proof.first, proof.second, proof.wrong));
        text += &list(&lines.collect::<Vec<_>>());
        let more = proofs.len().saturating_sub(PROOFS_SHOWN);
        if more > 0 {
            text += &format!("{more} more proofs are in report.json.\n\n");
        }
    }
    if text.is_empty() { "Nobody.\n\n".to_owned() } else { text }
}

pub(super) fn list(lines: &[String]) -> String {
    let mut text: String = lines.iter().map(|line| format!("- {}\n", plain(line))).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Text that is data: nothing in it is markup, and it stays in its line.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#') {
            plain.push('\\');
        }
        plain.push(if letter.is_control() { ' ' } else { letter });
    }
    plain
}

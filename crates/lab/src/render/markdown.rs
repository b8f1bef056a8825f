//! `report.md`.

use super::markup::ms;
use super::{Dossier, Facts, PROOFS_SHOWN, words};

/// The report in words.
pub(super) fn text(dossier: &Dossier, facts: &Facts<'_>) -> String {
    let (verdict, broken) = words::verdict(&dossier.report.verdict);
    let mut text =
        format!("# {}, seed {}\n\n**{verdict}**\n\n", plain(&dossier.title), dossier.report.seed);
    text += &list(&broken);
    text += &format!("This command repeats it:\n\n```sh\n{}\n```\n\n", dossier.command);
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
    text += "## Figures\n\n| what | how much |\n| --- | --- |\n";
    for (name, figure) in words::figures(dossier, facts) {
        text += &format!("| {} | {} |\n", plain(&name), plain(&figure));
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

fn list(lines: &[String]) -> String {
    let mut text: String = lines.iter().map(|line| format!("- {}\n", plain(line))).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Text that is data: nothing in it is markup, and it stays in its line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#') {
            plain.push('\\');
        }
        plain.push(if letter.is_control() { ' ' } else { letter });
    }
    plain
}

//! The report of a battle of generals, and of every lie that was tried.

use serde::Serialize;

use super::paper::{Paper, Part, Row, Section};
use super::shell::Mark;
use super::{File, MESSAGES_LISTED};
use crate::generals::words::{algorithm, name, names};
use crate::generals::{Battle, COMMANDER, Decision, Judgement, Lies, Method, Report, Sent, Worst};

mod picture;

/// A line of `trace.jsonl`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    Message {
        number: usize,
        words: String,
        #[serde(flatten)]
        sent: &'a Sent,
    },
    Decision(&'a Decision),
    Judgement(&'a Judgement),
}

/// What the lines are of.
const OF: &str = "messages of a battle of generals";

/// The files of one battle, which this command repeats.
///
/// # Errors
///
/// As of [`Paper::files`].
pub fn battle(report: &Report, lies: Lies, command: &str) -> Result<Vec<File>, serde_json::Error> {
    let battle = &report.battle;
    let (n, order) = (battle.n(), battle.order());
    let paper = Paper {
        title: format!("{}, {n} generals, {order}", algorithm(battle.method(), battle.m())),
        mark: if report.judgement.holds() { Mark::Held } else { Mark::Violated },
        verdict: verdict(report.judgement),
        details: obeyed(report),
        command: command.to_owned(),
        sections: [vec![setting(battle, Some(lies))], story(report)].concat(),
    };
    paper.files(report, OF, lines(report))
}

/// The files of every battle that was tried, with the first in which something was broken.
///
/// # Errors
///
/// As of [`Paper::files`].
pub fn worst(worst: &Worst, command: &str) -> Result<Vec<File>, serde_json::Error> {
    let Worst { n, m, traitors, method, tried, exhaustive, broke_ic1, broke_ic2, first } = worst;
    let mark = match (first, exhaustive) {
        (Some(_), _) => Mark::Violated,
        (None, true) => Mark::Held,
        (None, false) => Mark::Inconclusive,
    };
    let verdict = match mark {
        Mark::Held => "IC1 and IC2 hold, whatever the traitors say",
        Mark::Violated => "Something that the traitors can say breaks a condition",
        Mark::Inconclusive => {
            "No conclusion: both conditions hold in what was tried, and there are more lies"
        }
    };
    let figures = [
        ("battles played", tried.to_string()),
        ("every lie there is", if *exhaustive { "yes" } else { "no" }.to_owned()),
        ("IC1 broken in", broke_ic1.to_string()),
        ("IC2 broken in", broke_ic2.to_string()),
    ];
    let algorithm = algorithm(*method, *m);
    let what = format!(
        "{algorithm} among {n} generals of whom {traitors} lie: whoever they are, whatever the order is and whatever \
         they say."
    );
    let figures = figures.map(|(name, figure)| (name.to_owned(), figure)).to_vec();
    let mut sections = vec![Section::new(
        "What was run",
        vec![
            Part::Text(what),
            Part::Text(promise(*n, *m, *traitors, *method)),
            Part::Figures(figures),
        ],
    )];
    if let Some(first) = first {
        sections.push(setting(&first.battle, None));
        sections.extend(story(first));
    }
    let paper = Paper {
        title: format!("{algorithm}, {n} generals, every lie of {traitors}"),
        mark,
        verdict: verdict.to_owned(),
        details: first
            .iter()
            .flat_map(obeyed)
            .map(|line| format!("in the first: {line}"))
            .collect(),
        command: command.to_owned(),
        sections,
    };
    paper.files(worst, OF, first.iter().flat_map(lines))
}

/// Every message, every decision, and the judgement.
fn lines(report: &Report) -> impl Iterator<Item = Line<'_>> {
    let method = report.battle.method();
    let messages = (1..).zip(&report.messages).map(move |(number, sent)| Line::Message {
        number,
        words: sent.in_words(method),
        sent,
    });
    let decisions = report.decisions.iter().map(Line::Decision);
    messages.chain(decisions).chain([Line::Judgement(&report.judgement)])
}

/// Both conditions in one line.
pub(super) fn verdict(judgement: Judgement) -> String {
    match (judgement.ic1, judgement.ic2) {
        (true, Some(true)) => "IC1 and IC2 hold",
        (true, None) => "IC1 holds; of a commander who lies, IC2 says nothing",
        (true, Some(false)) => "IC1 holds, and IC2 is broken",
        (false, Some(false)) => "IC1 and IC2 are broken",
        (false, Some(true) | None) => "IC1 is broken",
    }
    .to_owned()
}

/// What was ordered and what the loyal lieutenants do, if that breaks something.
fn obeyed(report: &Report) -> Vec<String> {
    if report.judgement.holds() {
        return Vec::new();
    }
    let loyal = report.judgement.ic2.is_some();
    let order =
        loyal.then(|| format!("the commander, who is loyal, orders {}", report.battle.order()));
    let each = report.decisions.iter();
    let each = each.map(|it| format!("{} does this: {}", name(it.lieutenant), it.order));
    order.into_iter().chain(each).collect()
}

/// Who is there, how they lie, and what was to be expected.
fn setting(battle: &Battle, lies: Option<Lies>) -> Section {
    let (n, m, method) = (battle.n(), battle.m(), battle.method());
    let how = match (method, lies) {
        (_, Some(Lies::Seed(seed))) => format!("They lie by chance, from seed {seed}."),
        (_, None) => "They lie as in the first battle that broke a condition.".to_owned(),
        (Method::Oral, Some(Lies::Contrary)) => {
            "They lie by the book: a commander tells odd lieutenants the opposite of what he tells even ones, a lieutenant \
             says the opposite of what he was told."
                .to_owned()
        }
        (Method::Signed, Some(Lies::Contrary)) => {
            "They lie by the book: a commander signs both orders and shows odd lieutenants the one and even ones the \
             other, a lieutenant shows the opposite order with such signatures as he can get."
                .to_owned()
        }
    };
    let algorithm = algorithm(method, m);
    let mut lines = vec![
        format!("{algorithm}: {n} generals, and the algorithm is to bear {m} who lie."),
        format!("The order is {}. Traitors: {}.", battle.order(), names(battle.traitors())),
    ];
    if !battle.traitors().is_empty() {
        lines.push(how);
    }
    let liars = u16::try_from(battle.traitors().len()).unwrap_or(u16::MAX);
    lines.push(promise(n, m, liars, method));
    Section::new("The battle", vec![Part::List(lines)])
}

/// What the paper promises of such a battle.
fn promise(n: u16, m: u16, liars: u16, method: Method) -> String {
    let algorithm = algorithm(method, m);
    if liars > m {
        return format!(
            "Expected: nothing is promised. {algorithm} bears {m} who lie, and {liars} do."
        );
    }
    let three = m.saturating_mul(3);
    match method {
        Method::Oral if n > three => format!(
            "Expected: both conditions hold. {algorithm} bears {m} who lie when n > 3m, and {n} > {three}."
        ),
        Method::Oral => format!(
            "Expected: nothing is promised. {algorithm} bears {m} who lie only when n > 3m, and {n} is no more than {three}."
        ),
        Method::Signed => format!(
            "Expected: both conditions hold. {algorithm} bears {m} who lie among any number of generals, because nobody \
             can change what another has signed."
        ),
    }
}

/// Everything that happened in one battle.
fn story(report: &Report) -> Vec<Section> {
    let (drawing, left_out) = picture::draw(report);
    let mut messages = vec![Part::Picture {
        html: format!("{}<div class=\"wide\">{drawing}</div>\n", picture::legend()),
        markdown: String::new(),
    }];
    if left_out > 0 {
        messages.push(Part::Text(format!(
            "The picture shows the first {} messages, and leaves out {left_out}.",
            super::MESSAGES_SHOWN
        )));
    }
    messages.push(in_words(report));
    let more = report.messages.len().saturating_sub(MESSAGES_LISTED);
    if more > 0 {
        messages.push(Part::Text(format!("{more} more messages are in trace.jsonl.")));
    }
    vec![
        conditions(report.judgement),
        Section::new("What every loyal lieutenant decides", vec![decisions(report)]),
        Section::new("Every message", messages),
        Section::new("How many messages", count(report)),
    ]
}

/// The two conditions, and whether they hold.
pub(super) fn conditions(judgement: Judgement) -> Section {
    let rows = judgement.in_words().map(|(condition, holds)| {
        let sign = match holds {
            "holds" => "\u{2713} ",
            "broken" => "\u{2717} ",
            _ => "",
        };
        Row { cells: vec![condition.to_owned(), format!("{sign}{holds}")], lie: holds == "broken" }
    });
    let table = Part::Table { heads: vec!["condition", "what came of it"], rows: rows.to_vec() };
    Section::new("The two conditions", vec![table])
}

fn decisions(report: &Report) -> Part {
    let rows = report.decisions.iter().map(|decision| {
        let order = decision.order.to_string();
        Row::from(vec![name(decision.lieutenant), decision.weighed_in_words(), order])
    });
    Part::Table { heads: vec!["who", "weighs", "decides"], rows: rows.collect() }
}

/// Every message in words, with its number in the picture.
fn in_words(report: &Report) -> Part {
    let method = report.battle.method();
    let rows = (1..).zip(&report.messages).take(MESSAGES_LISTED).map(|(number, sent): (u64, _)| {
        let cells = vec![format!("#{number}"), sent.round.to_string(), sent.in_words(method)];
        Row { cells, lie: sent.lie }
    });
    Part::Table { heads: vec!["message", "round", "in words"], rows: rows.collect() }
}

fn count(report: &Report) -> Vec<Part> {
    let rounds = (1_u64..).zip(report.count.rounds.iter().zip(&report.count.formula));
    let rows = rounds.map(|(round, (sent, formula))| {
        Row::from(vec![round.to_string(), sent.to_string(), formula.to_string()])
    });
    let formula = match report.battle.method() {
        Method::Oral => "the formula says",
        Method::Signed => "of each order the formula allows",
    };
    let heads = vec!["round", "messages sent", formula];
    vec![Part::Table { heads, rows: rows.collect() }, Part::Text(report.count_in_words() + ".")]
}

/// What a general is called above his lifeline.
fn short(general: u16) -> String {
    if general == COMMANDER { "commander".to_owned() } else { format!("lieutenant {general}") }
}

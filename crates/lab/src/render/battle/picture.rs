//! The messages of a battle as a picture: a line down for each general, an arrow for each message, round by round, and at
//! the foot what each loyal one does.
//!
//! What is false is told apart by colour, by dashes and by an open head, as in pictures of runs.

use super::super::MESSAGES_SHOWN;
use super::super::markup::escaped;
use super::super::sequence::{AXIS, COLUMN, heads, name, sample, x};
use super::short;
use crate::generals::{COMMANDER, Order, Report, Sent};

/// The height of the names, of a message, of what stands between two rounds, and of the decisions, in pixels.
const HEAD: i64 = 40;
const ROW: i64 = 18;
const ROUND: i64 = 26;
const FOOT: i64 = 34;

/// How much lower a message ends than it begins.
const FALL: i64 = 6;

/// The picture, and how many messages it leaves out.
pub(super) fn draw(report: &Report) -> (String, usize) {
    let n = report.battle.n();
    let width = AXIS + COLUMN * i64::from(n);
    let (mut body, mut y, mut round) = (String::new(), HEAD, 0);
    for (number, sent) in (1..).zip(&report.messages).take(MESSAGES_SHOWN) {
        if sent.round > round {
            round = sent.round;
            body += &format!(
                "<path class=\"tick\" d=\"M{AXIS} {} H{width}\"/>\
                 <text class=\"time\" x=\"{}\" y=\"{}\" text-anchor=\"end\">round {round}</text>\n",
                y + 8,
                AXIS - 4,
                y + 11
            );
            y += ROUND;
        }
        arrow(&mut body, report, number, sent, y);
        y += ROW;
    }
    let height = y + FOOT;
    for general in 0..n {
        name(
            &mut body,
            x(general),
            4,
            &short(general),
            report.battle.traitors().contains(&general),
        );
    }
    decisions(&mut body, report, y + 8);
    let lines = (0..n).map(|general| {
        format!(
            "<path class=\"life\" d=\"M{} 34 V{}\" data-general=\"{general}\"/>\n",
            x(general),
            y + 8
        )
    });
    let svg = format!(
        "<svg class=\"sequence\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         style=\"min-width:{width}px;max-width:{}px\" role=\"img\" aria-labelledby=\"bt-t bt-d\">\n\
         <title id=\"bt-t\">Messages between the generals</title>\n<desc id=\"bt-d\">Rounds follow one another downwards, \
         one line for each of {n} generals, at its foot what he decides.</desc>\n{}{}{body}</svg>\n",
        width * 8 / 5,
        heads(&["attack", "retreat"]),
        lines.collect::<String>()
    );
    (svg, report.messages.len().saturating_sub(MESSAGES_SHOWN))
}

/// One message. Its number stands on the axis, the order that it tells of on the arrow.
fn arrow(body: &mut String, report: &Report, number: u64, sent: &Sent, y: i64) {
    let Some(sender) = sent.path.last() else {
        return;
    };
    let (from, to) = (x(*sender), x(sent.to));
    let sense = if to < from { -1 } else { 1 };
    let (x1, x2, y2) = (from + 2 * sense, to - 2 * sense, y + FALL);
    let class = if sent.lie { "false" } else { kind(sent.order) };
    let anchor = if sense > 0 { "start" } else { "end" };
    let lie = if sent.lie { " lie" } else { "" };
    let words = escaped(&sent.in_words(report.battle.method()));
    *body += &format!(
        "<text class=\"time\" x=\"{}\" y=\"{}\" text-anchor=\"end\">#{number}</text>\
         <g class=\"arrow k-{class}\" data-number=\"{number}\"><title>#{number} {words}</title>\
         <path d=\"M{x1} {y} L{x2} {y2}\" marker-end=\"url(#h-{class})\"/>",
        AXIS - 4,
        y + 3
    );
    if sent.refused.is_some() {
        *body += &format!("<path class=\"bar\" d=\"M{} {} v12\"/>", x2 - 3 * sense, y2 - 6);
    }
    *body += &format!(
        "</g>\n<text class=\"halo said{lie}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
        x1 + 6 * sense,
        y - 2,
        sent.order
    );
}

/// What each loyal general does: the commander what he has ordered.
fn decisions(body: &mut String, report: &Report, y: i64) {
    let battle = &report.battle;
    let commander =
        (!battle.traitors().contains(&COMMANDER)).then_some((COMMANDER, battle.order()));
    let lieutenants = report.decisions.iter().map(|it| (it.lieutenant, it.order));
    for (general, order) in commander.into_iter().chain(lieutenants) {
        let x = x(general);
        *body += &format!(
            "<g class=\"commit\" data-decides=\"{general}\"><title>{} decides: {order}</title>\
             <rect x=\"{}\" y=\"{y}\" width=\"56\" height=\"16\" rx=\"8\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">\u{2713} {order}</text></g>\n",
            short(general),
            x - 28,
            y + 11
        );
    }
}

const fn kind(order: Order) -> &'static str {
    match order {
        Order::Attack => "attack",
        Order::Retreat => "retreat",
    }
}

/// What the picture means, each sign with its word.
pub(super) fn legend() -> String {
    let head = |name: &str| format!(" marker-end=\"url(#h-{name})\"");
    let bar = "<path class=\"bar\" d=\"M40 1 v12\"/>";
    let pill = "<svg width=\"46\" height=\"16\" viewBox=\"0 0 46 16\" aria-hidden=\"true\"><g class=\"commit\">\
                <rect x=\"10\" y=\"2\" width=\"26\" height=\"12\" rx=\"6\"/><text x=\"23\" y=\"11\" \
                text-anchor=\"middle\">\u{2713}</text></g></svg>";
    let items = [
        (sample("attack", &head("attack"), ""), "tells of attack"),
        (sample("retreat", &head("retreat"), ""), "tells of retreat"),
        (
            sample("false", &head("false"), ""),
            "false: a loyal general would have told of another order",
        ),
        (sample("false", &head("false"), bar), "refused: not signed by those who must"),
        (pill.to_owned(), "what a loyal general does in the end"),
    ];
    let items = items.map(|(sign, words)| format!("<li>{sign} {words}</li>\n"));
    format!("<ul class=\"legend\">\n{}</ul>\n", items.concat())
}

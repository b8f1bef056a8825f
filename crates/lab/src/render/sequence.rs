//! The messages of a run as a picture: a line down for each replica, an arrow for each message, time downwards.
//!
//! What is false is told apart by colour, by dashes and by an open head; what is lost ends in a cross. Time is not to
//! scale: it is stretched where much happens and shortened where nothing does, and the axis says what time it is.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::{Arrow, End, excerpts};
use super::markup::{cut, escaped, ms};
use super::{Dossier, Facts, phases};
use crate::record::{Happened, Kind};

mod place;

use place::{Mark, Piece};

/// The width of the time axis, the distance of the lifelines, and that of the first one from the axis, in pixels.
pub(super) const AXIS: i64 = 44;
pub(super) const COLUMN: i64 = 78;
const MARGIN: i64 = 30;

/// The height of the names above a stretch, and of the gap between two stretches, in pixels.
const HEAD: i64 = 46;
const GAP: i64 = 44;

/// Where the lifeline of a replica is.
pub(super) fn x(replica: u16) -> i64 {
    AXIS + MARGIN + COLUMN * i64::from(replica)
}

/// The picture, and what it leaves out, in a sentence.
pub(super) fn draw(dossier: &Dossier, facts: &Facts<'_>) -> (String, String) {
    let events = &dossier.recording.events;
    let shown: Vec<&Arrow<'_>> = facts.arrows.iter().filter(|arrow| arrow.matters()).collect();
    let ranges = excerpts(&shown, events, facts.n);
    let count: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    let hidden = facts.arrows.len().saturating_sub(shown.len());
    let note = format!(
        "{count} messages are shown. Left out: {} others that agree on something or are false, and {hidden} that only \
         say where somebody stands or hand something over.",
        shown.len().saturating_sub(count)
    );
    let width = AXIS + COLUMN * i64::from(facts.n);
    let mut body = String::new();
    let mut y = 4;
    let (mut before, mut until_us) = (0, None);
    for (number, range) in ranges.iter().enumerate() {
        let skipped = range.start.saturating_sub(before);
        if skipped > 0 || number > 0 {
            y += gap(&mut body, width, y, skipped);
        }
        before = range.end;
        let arrows = shown.get(range.clone()).unwrap_or_default();
        let piece = Piece::new(arrows, events, until_us, y + HEAD, facts.n);
        until_us = Some(piece.until_us);
        head(&mut body, dossier, facts.n, y);
        bands(&mut body, facts, events, &piece);
        axis(&mut body, &piece, width);
        arrows.iter().for_each(|arrow| draw_arrow(&mut body, arrow, &piece));
        labels(&mut body, arrows, &piece);
        marks(&mut body, &piece, width);
        y = piece.bottom + 6;
    }
    let skipped = shown.len().saturating_sub(before);
    if skipped > 0 && count > 0 {
        y += gap(&mut body, width, y, skipped);
    }
    let (title, told) = ("Messages between the validators", escaped(&note));
    let svg = format!(
        "<svg class=\"sequence\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" \
         style=\"min-width:{width}px;max-width:{}px\" role=\"img\" aria-labelledby=\"sq-t sq-d\">\n\
         <title id=\"sq-t\">{title}</title>\n<desc id=\"sq-d\">Time runs downwards, one line for each of {} \
         validators. {told}</desc>\n{}{body}</svg>\n",
        width * 8 / 5,
        facts.n,
        heads(&Kind::ALL.map(Kind::name))
    );
    (svg, note)
}

/// The heads of the arrows: of each of these a filled one, of what is false an open one.
pub(super) fn heads(names: &[&str]) -> String {
    let mut defs = String::from("<defs>\n");
    for name in names {
        defs += &format!(
            "<marker id=\"h-{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"f-{name}\" d=\"M0 0.5 L8 4 L0 7.5 Z\"/></marker>\n"
        );
    }
    defs + "<marker id=\"h-false\" viewBox=\"0 0 12 12\" refX=\"11\" refY=\"6\" markerWidth=\"11\" markerHeight=\"11\" \
            markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"open\" d=\"M1 6 L6 2 L11 6 L6 10 Z\"/></marker>\n\
            </defs>\n"
}

/// The names of the replicas above a stretch.
fn head(body: &mut String, dossier: &Dossier, n: u16, y: i64) {
    for replica in 0..n {
        let lies = dossier.traitors.contains_key(&replica);
        name(body, x(replica), y, &format!("replica {replica}"), lies);
    }
}

/// A name above a lifeline, with a sign if its bearer lies.
pub(super) fn name(body: &mut String, x: i64, y: i64, name: &str, lies: bool) {
    let class = if lies { "liar" } else { "name" };
    *body += &format!(
        "<g class=\"{class}\"><rect x=\"{}\" y=\"{y}\" width=\"70\" height=\"30\" rx=\"4\"/>\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
        x - 35,
        if lies { y + 12 } else { y + 19 }
    );
    if lies {
        *body += &format!(
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">\u{26a0} lies</text>",
            y + 25
        );
    }
    *body += "</g>\n";
}

/// A place where messages are left out.
fn gap(body: &mut String, width: i64, y: i64, skipped: usize) -> i64 {
    let (middle, text) = (y + GAP / 2, format!("{skipped} messages left out"));
    let mut path = format!("M2 {middle}");
    for step in 0..width / 8 {
        path += &format!(
            " l4 {} l4 {}",
            if step % 2 == 0 { -3 } else { 3 },
            if step % 2 == 0 { 3 } else { -3 }
        );
    }
    *body += &format!(
        "<g class=\"gap\"><path d=\"{path}\"/><text class=\"halo\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{text}</text></g>\n",
        width / 2,
        middle + 4
    );
    GAP
}

/// The lifelines: shaded by view, hatched where a view is asked for, broken where the process does not run.
fn bands(body: &mut String, facts: &Facts<'_>, events: &[crate::record::Event], piece: &Piece) {
    for replica in 0..facts.n {
        let x = x(replica);
        for phase in phases::of(replica, events, facts.end_us) {
            if phase.to_us < piece.from_us || phase.from_us > piece.until_us {
                continue;
            }
            let ends = phase.to_us >= piece.until_us;
            let top = piece.y_or_edge(phase.from_us);
            let bottom = if ends { piece.bottom } else { piece.y_or_edge(phase.to_us) };
            let height = (bottom - top).max(1);
            let class = match (phase.up, phase.entered) {
                (false, _) => "down",
                (true, false) => "asking",
                (true, true) if phase.view % 2 == 0 => "even",
                (true, true) => "odd",
            };
            let view = phase.view;
            *body += &format!(
                "<g class=\"{class}\"><title>replica {replica}: {}</title>\
                 <rect x=\"{}\" y=\"{top}\" width=\"14\" height=\"{height}\"/></g>\n",
                if phase.up { format!("view {view}") } else { "does not run".to_owned() },
                x - 7
            );
            if phase.up {
                *body += &format!(
                    "<path class=\"life\" d=\"M{x} {top} V{bottom}\" data-replica=\"{replica}\"/>\n"
                );
            }
        }
    }
}

/// What time it is.
fn axis(body: &mut String, piece: &Piece, width: i64) {
    let mut last = i64::MIN;
    for (at_us, y) in piece.moments() {
        if y >= last.saturating_add(24) {
            *body += &format!(
                "<path class=\"tick\" d=\"M{AXIS} {y} H{width}\"/><text class=\"time\" x=\"{}\" y=\"{}\" \
                 text-anchor=\"end\">{}</text>\n",
                AXIS - 4,
                y + 3,
                ms(at_us)
            );
            last = y;
        }
    }
    *body += &format!(
        "<text class=\"time\" x=\"{}\" y=\"{}\" text-anchor=\"end\">ms</text>\n",
        AXIS - 4,
        piece.top - 12
    );
}

fn draw_arrow(body: &mut String, arrow: &Arrow<'_>, piece: &Piece) {
    let (from, to) = (x(arrow.from), x(arrow.to));
    let sense = if to < from { -1 } else { 1 };
    let (x1, y1) = (from + 7 * sense, piece.y_or_edge(arrow.sent_us));
    let (x2, y2) = match arrow.end {
        End::Arrived(at_us) => (to - 7 * sense, piece.y_or_edge(at_us)),
        End::Lost => (x1 + (to - x1) * 6 / 10, y1 + 9),
        End::OnTheWay => (x1 + (to - x1) * 8 / 10, piece.bottom),
    };
    let name = arrow.said.kind.name();
    let (class, head) = match arrow.attack {
        Some(_) => ("false", "false"),
        None => (name, name),
    };
    let head = match arrow.end {
        End::Arrived(_) => format!(" marker-end=\"url(#h-{head})\""),
        End::Lost | End::OnTheWay => String::new(),
    };
    *body += &format!(
        "<g class=\"arrow k-{class}\" data-number=\"{}\"><title>{}</title><path d=\"M{x1} {y1} L{x2} {y2}\"{head}/>",
        arrow.number,
        escaped(&arrow.words())
    );
    if arrow.end == End::Lost {
        *body += &format!("<path class=\"cross\" d=\"M{} {} l8 8 m0 -8 l-8 8\"/>", x2 - 4, y2 - 4);
    }
    if arrow.refused.is_some() {
        *body += &format!("<path class=\"bar\" d=\"M{} {} v12\"/>", x2 - 2 * sense, y2 - 6);
    }
    *body += "</g>\n";
}

/// What is sent, beside where it is sent from: each thing once, however many receive it.
fn labels(body: &mut String, arrows: &[&Arrow<'_>], piece: &Piece) {
    let mut sent: BTreeMap<(u64, u16), Vec<(String, bool)>> = BTreeMap::new();
    for arrow in arrows {
        let height = arrow.said.height.map(|height| format!(" {height}"));
        let number = match arrow.said.kind {
            Kind::ViewChange | Kind::NewView => arrow.said.view.map(|view| format!(" {view}")),
            Kind::PrePrepare | Kind::Prepare | Kind::Commit => height,
            Kind::Status | Kind::Handover | Kind::Evidence => height,
        };
        let text = format!("{}{}", arrow.said.kind.short(), number.unwrap_or_default());
        let label = (text, arrow.attack.is_some());
        let there = sent.entry((arrow.sent_us, arrow.from)).or_default();
        if !there.contains(&label) {
            there.push(label);
        }
    }
    for ((at_us, from), said) in sent {
        let lie = if said.iter().any(|(_, lie)| *lie) { " lie" } else { "" };
        let texts: BTreeSet<&str> = said.iter().map(|(text, _)| text.as_str()).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        let aside = if piece.has_pill(at_us, from) { 16 } else { 9 };
        *body += &format!(
            "<text class=\"halo said{lie}\" x=\"{}\" y=\"{}\">{}</text>\n",
            x(from) + aside,
            piece.y_or_edge(at_us) - 2,
            escaped(&cut(&texts.join(" "), 10))
        );
    }
}

/// Commits, views, and what comes from outside.
fn marks(body: &mut String, piece: &Piece, width: i64) {
    for (at_us, mark) in &piece.marks {
        let y = piece.y_of(*at_us, mark.rank()).unwrap_or(piece.top);
        match mark {
            Mark::Commits { replica, height, words } => {
                let x = x(*replica);
                *body += &format!(
                    "<g class=\"commit\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"26\" height=\"12\" rx=\"6\"/>\
                     <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">\u{2713}{height}</text></g>\n",
                    escaped(words),
                    x - 13,
                    y - 6,
                    y + 3
                );
            }
            Mark::At { replica, label, words } => {
                *body += &format!(
                    "<g class=\"view\"><title>{}</title><text class=\"halo\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></g>\n",
                    escaped(words),
                    x(*replica) - if piece.has_pill(*at_us, *replica) { 15 } else { 9 },
                    y + 3,
                    escaped(label)
                );
            }
            Mark::Across { words, breach } => {
                let class = if *breach { "breach" } else { "fault" };
                let room = usize::try_from((width - AXIS) / 5).unwrap_or_default();
                *body += &format!(
                    "<g class=\"{class}\"><title>{}</title><path d=\"M{AXIS} {y} H{width}\"/>\
                     <text class=\"halo\" x=\"{}\" y=\"{}\">{}</text></g>\n",
                    escaped(words),
                    AXIS + 2,
                    y - 3,
                    escaped(&cut(words, room))
                );
            }
        }
    }
}

/// An arrow of a legend.
pub(super) fn sample(class: &str, head: &str, more: &str) -> String {
    format!(
        "<svg width=\"46\" height=\"14\" viewBox=\"0 0 46 14\" aria-hidden=\"true\"><g class=\"arrow k-{class}\">\
         <path d=\"M2 7 H42\"{head}/>{more}</g></svg>"
    )
}

/// What the picture means, each sign with its word.
pub(super) fn legend() -> String {
    let mut items = String::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.decides()) {
        let name = kind.name();
        let head = format!(" marker-end=\"url(#h-{name})\"");
        items += &format!("<li>{} <b>{}</b> {name}</li>\n", sample(name, &head, ""), kind.short());
    }
    let lie = sample("false", " marker-end=\"url(#h-false)\"", "");
    let lost = sample("prepare", "", "<path class=\"cross\" d=\"M38 3 l8 8 m0 -8 l-8 8\"/>");
    let refused = sample(
        "pre-prepare",
        " marker-end=\"url(#h-pre-prepare)\"",
        "<path class=\"bar\" d=\"M40 1 v12\"/>",
    );
    items += &format!("<li>{lie} false: an attack made or changed it</li>\n");
    items += &format!("<li>{lost} lost</li>\n<li>{refused} refused, or turned away</li>\n");
    items += "<li><svg width=\"46\" height=\"14\" viewBox=\"0 0 46 14\" aria-hidden=\"true\"><g class=\"commit\">\
              <rect x=\"10\" y=\"1\" width=\"26\" height=\"12\" rx=\"6\"/><text x=\"23\" y=\"10\" \
              text-anchor=\"middle\">\u{2713}3</text></g></svg> height 3 is committed here</li>\n";
    for (class, words) in [
        ("even", "in an even view"),
        ("odd", "in an odd view"),
        ("asking", "asks for a view"),
        ("down", "does not run"),
    ] {
        items += &format!(
            "<li><svg width=\"46\" height=\"14\" viewBox=\"0 0 46 14\" aria-hidden=\"true\"><g class=\"{class}\">\
             <rect x=\"2\" y=\"1\" width=\"42\" height=\"12\"/></g></svg> {words}</li>\n"
        );
    }
    format!("<ul class=\"legend\">\n{items}</ul>\n")
}

/// What a picture marks on a lifeline or across all.
fn mark(event: &Happened) -> Option<Mark> {
    let words = event.to_string();
    match event {
        Happened::Committed { replica, height, .. } => {
            Some(Mark::Commits { replica: *replica, height: *height, words })
        }
        Happened::View { replica, view, entered, .. } => {
            let label = if *entered { format!("v{view}") } else { format!("\u{2192}v{view}") };
            Some(Mark::At { replica: *replica, label, words })
        }
        Happened::Died { replica, .. } | Happened::RefusedToStart { replica, .. } => {
            Some(Mark::At { replica: *replica, label: "\u{2715} down".to_owned(), words })
        }
        Happened::Started { replica, .. } => {
            Some(Mark::At { replica: *replica, label: "up".to_owned(), words })
        }
        Happened::Broken { .. } => Some(Mark::Across { words, breach: true }),
        Happened::Fault { .. } | Happened::FaultEnded { .. } | Happened::Healed => {
            Some(Mark::Across { words, breach: false })
        }
        Happened::Sent { .. }
        | Happened::Lost { .. }
        | Happened::Arrived { .. }
        | Happened::TurnedAway { .. }
        | Happened::Ignored { .. }
        | Happened::Refused { .. }
        | Happened::Did { .. }
        | Happened::TimerFired { .. }
        | Happened::Convicted { .. }
        | Happened::Found { .. }
        | Happened::Fetched { .. }
        | Happened::FetchRefused { .. }
        | Happened::Submitted { .. }
        | Happened::Accepted { .. } => None,
    }
}

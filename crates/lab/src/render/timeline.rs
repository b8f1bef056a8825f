//! Views and heights of every replica over the whole run, as a picture: time to the right, one row a replica.

use std::collections::BTreeMap;

use super::markup::{cut, escaped, ms};
use super::{Dossier, Facts, phases};
use crate::record::{Event, Happened};

/// The width of the names, of the plot and of all, and the height of a row and of what is above them, in pixels.
const LEFT: i64 = 64;
const PLOT: i64 = 284;
const WIDTH: i64 = 356;
const ROW: i64 = 40;
const TOP: i64 = 18;

/// The height of the band within a row.
const BAND: i64 = 34;

/// Where a moment is.
fn x(at_us: u64, end_us: u64) -> i64 {
    let parts = at_us.saturating_mul(PLOT.unsigned_abs()) / end_us.max(1);
    LEFT + i64::try_from(parts).unwrap_or(PLOT).min(PLOT)
}

/// The picture.
pub(super) fn draw(dossier: &Dossier, facts: &Facts<'_>) -> String {
    let (events, n) = (&dossier.recording.events, facts.n);
    let height = TOP + ROW * i64::from(n) + 24;
    let mut svg = format!(
        "<svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"tl-t tl-d\">\n<title id=\"tl-t\">Views and heights of each validator</title>\n\
         <desc id=\"tl-d\">Time runs to the right, {n} rows. The shade of a row changes with the view; the line rises \
         with the height that is committed. {}</desc>\n",
        escaped(&in_words(events, facts))
    );
    let top_height =
        heights(events).values().flatten().map(|(_, height)| *height).max().unwrap_or(0);
    for replica in 0..n {
        let y = TOP + ROW * i64::from(replica);
        row(&mut svg, dossier, facts, replica, y);
        line(&mut svg, facts, heights(events).get(&replica), top_height, y);
    }
    outside(&mut svg, events, facts, height);
    ticks(&mut svg, facts, height);
    svg + "</svg>\n"
}

/// What each replica committed, with the time.
fn heights(events: &[Event]) -> BTreeMap<u16, Vec<(u64, u64)>> {
    let mut heights: BTreeMap<u16, Vec<(u64, u64)>> = BTreeMap::new();
    for event in events {
        if let Happened::Committed { replica, height, .. } = &event.event {
            heights.entry(*replica).or_default().push((event.at_us, *height));
        }
    }
    heights
}

/// Where each replica ends, for who does not see the picture.
fn in_words(events: &[Event], facts: &Facts<'_>) -> String {
    let heights = heights(events);
    let each = (0..facts.n).map(|replica| {
        let height = heights.get(&replica).and_then(|heights| heights.last());
        let height = height.map_or(0, |(_, height)| *height);
        let phases = phases::of(replica, events, facts.end_us);
        let last = phases.last().map_or_else(String::new, |phase| {
            let view = phase.view;
            if phase.up { format!(" in view {view}") } else { " not running".to_owned() }
        });
        format!("Replica {replica} ends at height {height}{last}.")
    });
    each.collect::<Vec<_>>().join(" ")
}

fn row(svg: &mut String, dossier: &Dossier, facts: &Facts<'_>, replica: u16, y: i64) {
    let lies = dossier.traitors.contains_key(&replica);
    let mark = if lies { "\u{26a0} " } else { "" };
    *svg += &format!(
        "<text class=\"row{}\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{mark}replica {replica}</text>\n",
        if lies { " lie" } else { "" },
        LEFT - 5,
        y + BAND / 2 + 3
    );
    let mut labelled = i64::MIN;
    for phase in phases::of(replica, &dossier.recording.events, facts.end_us) {
        let (from, to) = (x(phase.from_us, facts.end_us), x(phase.to_us, facts.end_us));
        let class = match (phase.up, phase.entered) {
            (false, _) => "down",
            (true, false) => "asking",
            (true, true) if phase.view % 2 == 0 => "even",
            (true, true) => "odd",
        };
        let words = if phase.up {
            let verb = if phase.entered { "in" } else { "asks for" };
            format!("{verb} view {}", phase.view)
        } else {
            "does not run".to_owned()
        };
        let (begin, end) = (ms(phase.from_us), ms(phase.to_us));
        *svg += &format!(
            "<g class=\"{class}\"><title>replica {replica} {words}, {begin} to {end} ms</title><rect x=\"{from}\" \
             y=\"{y}\" width=\"{}\" height=\"{BAND}\"/></g>\n",
            (to - from).max(1)
        );
        let label = if phase.up { format!("v{}", phase.view) } else { "\u{2715}".to_owned() };
        let room = 6 + 5 * i64::try_from(label.len()).unwrap_or(0);
        if to - from >= room && from >= labelled {
            *svg += &format!(
                "<text class=\"halo\" x=\"{}\" y=\"{}\">{label}</text>\n",
                from + 3,
                y + 10
            );
            labelled = from + room;
        }
    }
}

/// The heights that are committed, as a line that rises.
fn line(
    svg: &mut String,
    facts: &Facts<'_>,
    heights: Option<&Vec<(u64, u64)>>,
    top: u64,
    row: i64,
) {
    let Some(heights) = heights else {
        return;
    };
    let bottom = row + BAND - 2;
    let y = |height: u64| {
        let rise = height.saturating_mul(24) / top.max(1);
        bottom - i64::try_from(rise).unwrap_or(24)
    };
    let mut path = format!("M{LEFT} {bottom}");
    let (mut last_x, mut last_y) = (LEFT, bottom);
    for (at_us, height) in heights {
        let (x, y) = (x(*at_us, facts.end_us), y(*height));
        if x > last_x {
            path += &format!(" H{x}");
        }
        if y != last_y {
            path += &format!(" V{y}");
        }
        (last_x, last_y) = (x, y);
    }
    path += &format!(" H{}", LEFT + PLOT);
    *svg += &format!("<path class=\"height\" d=\"{path}\"/>\n");
    if let Some((_, height)) = heights.last() {
        *svg += &format!(
            "<text class=\"halo\" x=\"{}\" y=\"{}\" text-anchor=\"end\">height {height}</text>\n",
            LEFT + PLOT - 2,
            (last_y + 11).min(bottom - 2)
        );
    }
}

/// Faults and broken properties: a line across all rows for each.
fn outside(svg: &mut String, events: &[Event], facts: &Facts<'_>, height: i64) {
    let mut last = i64::MIN;
    for event in events {
        let breach = matches!(event.event, Happened::Broken { .. });
        let begins = matches!(event.event, Happened::Fault { .. });
        let ends = matches!(event.event, Happened::FaultEnded { .. } | Happened::Healed);
        let (class, sign) = match (breach, begins, ends) {
            (true, ..) => ("breach", "\u{2717}"),
            (_, true, _) => ("fault", "\u{25bc}"),
            (.., true) => ("fault", "\u{25b3}"),
            (false, false, false) => continue,
        };
        let x = x(event.at_us, facts.end_us);
        let text = escaped(&cut(&event.event.to_string(), 160));
        *svg += &format!(
            "<g class=\"{class}\"><title>{text}</title><path d=\"M{x} {TOP} V{}\"/>",
            height - 24
        );
        if x >= last.saturating_add(9) {
            *svg +=
                &format!("<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{sign}</text>", TOP - 5);
            last = x;
        }
        *svg += "</g>\n";
    }
}

fn ticks(svg: &mut String, facts: &Facts<'_>, height: i64) {
    for part in 0..=4_u64 {
        let at_us = facts.end_us.saturating_mul(part) / 4;
        let (x, y) = (x(at_us, facts.end_us), height - 22);
        let anchor = match part {
            0 => "start",
            4 => "end",
            _ => "middle",
        };
        let unit = if part == 4 { " ms" } else { "" };
        *svg += &format!(
            "<path class=\"tick\" d=\"M{x} {TOP} V{}\"/><text class=\"time\" x=\"{x}\" y=\"{}\" \
             text-anchor=\"{anchor}\">{}{unit}</text>\n",
            y + 3,
            y + 14,
            ms(at_us)
        );
    }
}

//! The matrix on paper: Markdown and SVG.

use std::fmt::Write as _;

use super::{Cell, Found, REPLICAS, Resilience, TRAITORS};
use crate::world::QuorumRule;

/// The side of a cell of the picture, its height, and the margins, in pixels.
const WIDTH: u16 = 110;
const HEIGHT: u16 = 34;
const LEFT: u16 = 130;
const TOP: u16 = 64;

/// Ground and ink, in light and in dark; cells bring their own, which stand out on both.
const STYLE: &str = ".ground { fill: #ffffff; } .ink { fill: #1a1a1a; } @media (prefers-color-scheme: dark) \
                     { .ground { fill: #14181d; } .ink { fill: #e6e9ed; } }";

impl Resilience {
    /// The cell of these numbers.
    pub fn cell(&self, quorum: QuorumRule, n: u16, t: u16) -> Option<&Cell> {
        self.cells.iter().find(|cell| (cell.quorum, cell.n, cell.t) == (quorum, n, t))
    }

    /// The rules of which there are cells.
    pub fn rules(&self) -> Vec<QuorumRule> {
        let there = |rule: &QuorumRule| self.cells.iter().any(|cell| cell.quorum == *rule);
        QuorumRule::ALL.into_iter().filter(there).collect()
    }

    /// Whether every cell became what it must.
    pub fn is_as_expected(&self) -> bool {
        self.cells.iter().all(Cell::is_as_expected)
    }

    /// As Markdown: a table for each rule, and the commands that repeat what broke.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        for rule in self.rules() {
            text += &format!("**{}**\n\n{}", rule.sentence(), self.table(rule));
        }
        for cell in self.cells.iter().filter(|cell| cell.broken.is_some()) {
            let Cell { n, t, found, sentence, repeat, .. } = cell;
            let (sentence, repeat) =
                (sentence.as_deref().unwrap_or_default(), repeat.as_deref().unwrap_or_default());
            text += &format!("- n = {n}, t = {t} {}: {sentence}: `{repeat}`\n", found.name());
        }
        text
    }

    /// The table of one rule as Markdown.
    pub(crate) fn table(&self, rule: QuorumRule) -> String {
        let heads: Vec<String> = TRAITORS.map(|t| format!("t = {t}")).collect();
        let mut text = format!("| n | q | {} |\n", heads.join(" | "));
        text += &format!("| --- | --- |{}\n", " --- |".repeat(heads.len()));
        for n in REPLICAS {
            let row: Vec<&Cell> = TRAITORS.filter_map(|t| self.cell(rule, n, t)).collect();
            let q = row.first().map_or(0, |cell| cell.q);
            let cells: Vec<String> = row.iter().map(|cell| cell.in_a_word()).collect();
            text += &format!("| {n} | {q} | {} |\n", cells.join(" | "));
        }
        text + "\n"
    }

    /// As a picture: one grid for each rule. What is seen does not hang on colour alone.
    pub fn to_svg(&self) -> String {
        self.to_svg_of(&self.rules())
    }

    /// The same of these rules.
    pub(crate) fn to_svg_of(&self, rules: &[QuorumRule]) -> String {
        let (rows, columns) = (REPLICAS.len(), TRAITORS.len());
        let count = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let grid_width = LEFT + WIDTH * count(columns) + 20;
        let (width, height) = (grid_width * count(rules.len()), TOP + HEIGHT * count(rows) + 20);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"14\">\n\
             <title>How many traitors a network bears</title>\n\
             <desc>A row for each number of replicas n, a column for each number t of them that lie; a cell says what \
             became of the network.</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
        );
        for (number, rule) in (0..).zip(rules) {
            self.draw_grid(&mut svg, *rule, grid_width * number);
        }
        svg + "</svg>\n"
    }

    fn draw_grid(&self, svg: &mut String, rule: QuorumRule, left: u16) {
        let mut label = |x: u16, y: u16, anchor: &str, text: &str| {
            // Writing to a string does not fail.
            writeln!(
                svg,
                "<text class=\"ink\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
            )
            .ok();
        };
        label(left + 20, 24, "start", rule.sentence());
        for (column, t) in (0..).zip(TRAITORS) {
            let x = left + LEFT + WIDTH * column + WIDTH / 2;
            label(x, TOP - 10, "middle", &format!("t = {t}"));
        }
        for (row, n) in (0..).zip(REPLICAS) {
            let y = TOP + HEIGHT * row;
            let q = self.cell(rule, n, 0).map_or(0, |cell| cell.q);
            label(left + LEFT - 12, y + 20, "end", &format!("n = {n}, q = {q}"));
        }
        for cell in self.cells.iter().filter(|cell| cell.quorum == rule) {
            let (row, column) = (cell.n - REPLICAS.start(), cell.t - TRAITORS.start());
            let (x, y) = (left + LEFT + WIDTH * column, TOP + HEIGHT * row);
            let (fill, ink) = colours(cell.found);
            let (title, word) =
                (cell.sentence.as_deref().unwrap_or("every property held"), cell.in_a_word());
            writeln!(
                svg,
                "<g data-cell=\"{},{}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"4\" \
                 fill=\"{fill}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{ink}\">{word}</text></g>",
                cell.n,
                cell.t,
                escaped(title),
                WIDTH - 4,
                HEIGHT - 4,
                x + WIDTH / 2 - 2,
                y + 20,
            )
            .ok();
        }
    }
}

impl Cell {
    /// What became of it, and a mark where that is not what must become of it.
    pub fn in_a_word(&self) -> String {
        let mark = if self.is_as_expected() { "" } else { " (!)" };
        format!("{}{mark}", self.found.name())
    }
}

impl QuorumRule {
    /// The rule, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Kept => {
                "q = \u{2308}(n + t + 1) / 2\u{2309}, t = \u{230a}(n \u{2212} 1) / 3\u{230b}"
            }
            Self::NaiveMajority => "q = more than half of n",
        }
    }
}

/// Fill and ink.
const fn colours(found: Found) -> (&'static str, &'static str) {
    match found {
        Found::Holds => ("#c8e6c9", "#103d14"),
        Found::Forks => ("#b3261e", "#ffffff"),
        Found::Halts => ("#f4b740", "#3a2a00"),
        Found::Breaks => ("#4a148c", "#ffffff"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

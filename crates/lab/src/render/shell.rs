//! What every page has in common: its frame, its look, its verdict, and the pieces that it is made of.

use serde::Serialize;

use super::markup::escaped;
use crate::report::Verdict;

/// How pages look: in light and dark, on a telephone and on a desk, and nothing by red and green alone.
const STYLE: &str = include_str!("page.css");

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Whatever was asked for held.
    Held,
    /// Something was broken.
    Violated,
    /// It is not known.
    Inconclusive,
}

impl Mark {
    /// The class in a page, and the sign.
    const fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Held => ("held", "\u{2713}"),
            Self::Violated => ("broken", "\u{2717}"),
            Self::Inconclusive => ("open", "?"),
        }
    }
}

impl From<&Verdict> for Mark {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Held => Self::Held,
            Verdict::Violated(_) => Self::Violated,
            Verdict::Inconclusive(_) => Self::Inconclusive,
        }
    }
}

/// The page with this title and this markup.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// The verdict, what there is to say of it, and the command that repeats it.
pub(super) fn verdict(mark: Mark, line: &str, details: &[String], command: &str) -> String {
    let (class, sign) = mark.look();
    let details = if details.is_empty() { String::new() } else { list(details) };
    format!(
        "<div class=\"verdict {class}\"><p>{sign} {}</p>\n{details}</div>\n\
         <p>This command repeats it:</p>\n{}",
        escaped(line),
        self::command(command)
    )
}

/// Something to be typed.
pub(super) fn command(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escaped(text))
}

/// A part of a page under a heading.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}\n</section>\n", escaped(title))
}

/// A list of sentences.
pub(super) fn list(lines: &[String]) -> String {
    let items = lines.iter().map(|line| format!("<li>{}</li>\n", escaped(line)));
    format!("<ul>\n{}</ul>\n", items.collect::<String>())
}

/// Figures, each with its name.
pub(super) fn figures(figures: &[(String, String)]) -> String {
    let rows = figures.iter().map(|(name, figure)| {
        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(figure))
    });
    format!("<table class=\"figures\">\n<tbody>\n{}</tbody>\n</table>", rows.collect::<String>())
}

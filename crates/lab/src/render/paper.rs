//! A report as data: its verdict, the command that repeats it, and sections of text, figures, tables and pictures.
//!
//! The page and the Markdown are made from the same parts, so neither says what the other leaves out. Runs of a network
//! have pages of their own ([`super::Dossier`]); this is for what is many runs, or none.

use serde::Serialize;

use super::markup::escaped;
use super::shell::{self, Mark};
use super::{FILES, File, markdown};
use crate::record::file::ListHeader;

/// A report.
#[derive(Debug, Clone)]
pub struct Paper {
    /// What was run, in a few words, such as `soak, 1,000 seeds from 0`.
    pub title: String,
    /// How it ended.
    pub mark: Mark,
    /// The same in one line.
    pub verdict: String,
    /// What there is to say of that, such as each thing that was broken.
    pub details: Vec<String>,
    /// The command that repeats it.
    pub command: String,
    /// Everything else.
    pub sections: Vec<Section>,
}

/// A part of a report under a heading.
#[derive(Debug, Clone)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What stands under it.
    pub parts: Vec<Part>,
}

/// Something that stands in a section.
#[derive(Debug, Clone)]
pub enum Part {
    /// A paragraph.
    Text(String),
    /// A smaller heading.
    Heading(String),
    /// A list of sentences.
    List(Vec<String>),
    /// Figures, each with its name.
    Figures(Vec<(String, String)>),
    /// A table.
    Table {
        /// What the columns are called.
        heads: Vec<&'static str>,
        /// The rows.
        rows: Vec<Row>,
    },
    /// Something to be typed.
    Command(String),
    /// A way to another page of the same folder.
    Link {
        /// Its path from this page.
        to: String,
        /// What it is.
        text: String,
    },
    /// A picture.
    Picture {
        /// As markup, in which all data is escaped already.
        html: String,
        /// What Markdown says in its place.
        markdown: String,
    },
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What stands in it.
    pub cells: Vec<String>,
    /// Whether it is about something false, and is seen as that.
    pub lie: bool,
}

impl From<Vec<String>> for Row {
    fn from(cells: Vec<String>) -> Self {
        Self { cells, lie: false }
    }
}

/// `report.json`: whatever the reports of one kind say alike, and what came out as it is.
#[derive(Serialize)]
struct Wrapped<'a, R> {
    title: &'a str,
    command: &'a str,
    verdict: Mark,
    result: &'a R,
}

impl Paper {
    /// The files of the report: this, `result` for programs, and a line of JSON for each of `lines`, which are `of` this
    /// kind, such as `messages of a battle`.
    ///
    /// # Errors
    ///
    /// When something cannot be written as JSON, which is so for nothing that the lab gives.
    pub fn files<R: Serialize, L: Serialize>(
        &self,
        result: &R,
        of: &str,
        lines: impl IntoIterator<Item = L>,
    ) -> Result<Vec<File>, serde_json::Error> {
        let Self { title, command, mark, .. } = self;
        let wrapped = Wrapped { title, command, verdict: *mark, result };
        let json = serde_json::to_string_pretty(&wrapped)? + "\n";
        let mut list = serde_json::to_string(&ListHeader::new(of, title, command))? + "\n";
        for line in lines {
            list += &serde_json::to_string(&line)?;
            list.push('\n');
        }
        Ok(FILES.into_iter().zip([self.html(), self.markdown(), json, list]).collect())
    }

    fn html(&self) -> String {
        let verdict = shell::verdict(self.mark, &self.verdict, &self.details, &self.command);
        let sections: String = self.sections.iter().map(Section::html).collect();
        shell::page(&self.title, &(verdict + &sections))
    }

    fn markdown(&self) -> String {
        let head = markdown::head(&self.title, &self.verdict, &self.details, &self.command);
        head + &self.sections.iter().map(Section::markdown).collect::<String>()
    }
}

impl Section {
    /// A section of these parts.
    pub fn new(title: &str, parts: Vec<Part>) -> Self {
        Self { title: title.to_owned(), parts }
    }

    pub(super) fn html(&self) -> String {
        shell::section(&self.title, &self.parts.iter().map(Part::html).collect::<String>())
    }

    pub(super) fn markdown(&self) -> String {
        let parts: String = self.parts.iter().map(Part::markdown).collect();
        format!("## {}\n\n{parts}", markdown::plain(&self.title))
    }
}

impl Part {
    fn html(&self) -> String {
        match self {
            Self::Text(text) => format!("<p>{}</p>\n", escaped(text)),
            Self::Heading(text) => format!("<h3>{}</h3>\n", escaped(text)),
            Self::List(lines) => shell::list(lines),
            Self::Figures(figures) => shell::figures(figures),
            Self::Table { heads, rows } => table(heads, rows),
            Self::Command(text) => shell::command(text),
            Self::Link { to, text } => {
                format!("<p><a href=\"{}\">{}</a></p>\n", escaped(to), escaped(text))
            }
            Self::Picture { html, .. } => html.clone(),
        }
    }

    fn markdown(&self) -> String {
        let plain = markdown::plain;
        match self {
            Self::Text(text) => format!("{}\n\n", plain(text)),
            Self::Heading(text) => format!("### {}\n\n", plain(text)),
            Self::List(lines) => markdown::list(lines),
            Self::Figures(figures) => markdown::figures(figures) + "\n",
            Self::Table { heads, rows } => {
                let mut text = format!("| {} |\n", heads.join(" | "));
                text += &format!("|{}\n", " --- |".repeat(heads.len()));
                for row in rows {
                    let cells: Vec<String> = row.cells.iter().map(|cell| plain(cell)).collect();
                    text += &format!("| {} |\n", cells.join(" | "));
                }
                text + "\n"
            }
            Self::Command(text) => markdown::command(text),
            Self::Link { to, text } => format!("[{}]({to})\n\n", plain(text)),
            Self::Picture { markdown, .. } => markdown.clone(),
        }
    }
}

fn table(heads: &[&str], rows: &[Row]) -> String {
    let cells = |tag: &str, texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| format!("<{tag}>{}</{tag}>", escaped(text))).collect::<String>()
    };
    let rows = rows.iter().map(|row| {
        let class = if row.lie { " class=\"lie\"" } else { "" };
        let cells = cells("td", &mut row.cells.iter().map(String::as_str));
        format!("<tr{class}>{cells}</tr>\n")
    });
    format!(
        "<div class=\"wide\"><table class=\"words\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        cells("th", &mut heads.iter().copied()),
        rows.collect::<String>()
    )
}

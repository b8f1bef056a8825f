//! Reading a TOML document by hand, so that everything that is wrong with it is found at once, each with its line.
//!
//! A [`Reader`] knows the lines and collects the [`Problems`]; what the keys mean is known to whoever reads with it: the
//! genesis and the scenarios of the lab.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use toml::de::DeTable;
pub use toml::de::DeValue;

/// Two words are taken for the same with a typing error when they are at least this similar.
const SIMILARITY_MIN: f64 = 0.8;

/// A value and the line it stands on, if it was read from a document.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its line, from 1.
    pub line: Option<usize>,
}

impl<T> At<T> {
    /// A value that was never in a document.
    pub const fn nowhere(value: T) -> Self {
        Self { value, line: None }
    }

    /// Another value on the same line.
    pub fn with<U>(&self, value: U) -> At<U> {
        At { value, line: self.line }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line of the document, from 1; `None` when there was no document, or something is missing from the whole of
    /// it.
    pub line: Option<usize>,
    /// What is wrong, as a phrase.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one more.
    pub fn push(&mut self, line: Option<usize>, text: impl Into<String>) {
        self.0.push(Problem { line, text: text.into() });
    }

    /// Notes the error of a result, and gives what is left of it.
    pub fn note<T>(
        &mut self,
        line: Option<usize>,
        result: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        result.map_err(|error| self.push(line, error.to_string())).ok()
    }

    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them in the order of their lines, each once.
    pub fn into_sorted(self) -> Vec<Problem> {
        let Self(mut problems) = self;
        problems.sort();
        problems.dedup();
        problems
    }
}

/// A table and the line it begins on, `None` for the document itself.
pub type TableAt<'d> = (&'d DeTable<'d>, Option<usize>);

/// Reads values out of a document and notes what is wrong with them.
#[derive(Debug)]
pub struct Reader {
    /// Offsets of the line feeds.
    line_ends: Vec<usize>,
    /// What is wrong so far.
    pub problems: Problems,
}

impl Reader {
    /// Reads a document with a function that is given its root; what that makes of it, and what is wrong. When the text
    /// is no TOML, that is all that is said about it, and the function is not called.
    pub fn read<T: Default>(
        text: &str,
        with: impl FnOnce(&mut Self, TableAt<'_>) -> T,
    ) -> (T, Problems) {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        let mut reader = Self { line_ends, problems: Problems::default() };
        let (document, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let read = with(&mut reader, (document.get_ref(), None));
            return (read, reader.problems);
        }
        // What a parser makes of a broken document would only be reported a second time.
        for error in errors {
            let line = error.span().map(|span| reader.line(&span));
            reader.problems.push(line, error.message());
        }
        (T::default(), reader.problems)
    }

    /// Notes keys that do not exist and required ones that are missing.
    pub fn check_keys(
        &mut self,
        (table, line): TableAt<'_>,
        whose: &str,
        required: &[&str],
        optional: &[&str],
    ) {
        let known: Vec<&str> = required.iter().chain(optional).copied().collect();
        for found in table.keys() {
            let name: &str = found.get_ref();
            if known.contains(&name) {
                continue;
            }
            let suggestion = suggestion(name, &known, "its keys are");
            let line = self.line(&found.span());
            self.problems
                .push(Some(line), format!("unknown key {name:?} in {whose}: {suggestion}"));
        }
        for missing in required.iter().filter(|known| !table.contains_key(**known)) {
            self.problems.push(line, format!("{whose} lacks {missing}"));
        }
    }

    /// A table of a table.
    pub fn table<'d>(&mut self, (root, _): TableAt<'d>, key: &str) -> Option<TableAt<'d>> {
        let value = root.get(key)?;
        let line = Some(self.line(&value.span()));
        match value.get_ref().as_table() {
            Some(table) => Some((table, line)),
            None => {
                self.wrong_kind(line, key, &format!("a table [{key}]"), value.get_ref());
                None
            }
        }
    }

    /// The tables of a list, each with its line; `None` when there is none or one of them is none.
    pub fn list<'d>(&mut self, (root, _): TableAt<'d>, key: &str) -> Option<Vec<TableAt<'d>>> {
        let value = root.get(key)?;
        let kind = format!("a list of tables [[{key}]]");
        let Some(list) = value.get_ref().as_array() else {
            let line = self.line(&value.span());
            self.wrong_kind(Some(line), key, &kind, value.get_ref());
            return None;
        };
        let mut tables = Vec::with_capacity(list.len());
        let mut whole = true;
        for value in list.iter() {
            let line = self.line(&value.span());
            if let Some(table) = value.get_ref().as_table() {
                tables.push((table, Some(line)));
            } else {
                whole = false;
                self.wrong_kind(Some(line), key, &kind, value.get_ref());
            }
        }
        whole.then_some(tables)
    }

    /// A text.
    pub fn text(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<String>> {
        let value = table.get(key)?;
        let line = Some(self.line(&value.span()));
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text.to_owned(), line }),
            None => {
                self.wrong_kind(line, key, "a text in quotes", value.get_ref());
                None
            }
        }
    }

    /// What a text stands for.
    pub fn parsed<T>(&mut self, table: TableAt<'_>, key: &str) -> Option<At<T>>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text = self.text(table, key)?;
        match text.value.parse() {
            Ok(value) => Some(text.with(value)),
            Err(error) => {
                self.problems.push(text.line, format!("{key}: {error}"));
                None
            }
        }
    }

    /// A whole number from 0.
    pub fn number(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<u64>> {
        let value = table.get(key)?;
        self.integer(&At { value: value.get_ref(), line: Some(self.line(&value.span())) }, key)
    }

    /// A whole number, also below 0.
    pub fn signed(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<i64>> {
        let value = table.get(key)?;
        self.integer(&At { value: value.get_ref(), line: Some(self.line(&value.span())) }, key)
    }

    /// A list of whole numbers from 0.
    pub fn numbers(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<Vec<u64>>> {
        let value = table.get(key)?;
        let line = Some(self.line(&value.span()));
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_kind(line, key, "a list of whole numbers", value.get_ref());
            return None;
        };
        let numbers = list.iter().map(|value| {
            let line = Some(self.line(&value.span()));
            self.integer(&At { value: value.get_ref(), line }, key).map(|number| number.value)
        });
        let numbers: Vec<Option<u64>> = numbers.collect();
        numbers.into_iter().collect::<Option<Vec<u64>>>().map(|value| At { value, line })
    }

    fn integer<T: FromRadix>(&mut self, found: &At<&DeValue<'_>>, key: &str) -> Option<At<T>> {
        let line = found.line;
        let Some(integer) = found.value.as_integer() else {
            self.wrong_kind(line, key, "a whole number", found.value);
            return None;
        };
        let value = T::from_radix(integer.as_str(), integer.radix());
        if value.is_none() {
            self.problems.push(line, format!("{key} is {integer}, which is out of bounds"));
        }
        Some(At { value: value?, line })
    }

    /// Notes that a value is not of the kind that is needed.
    pub fn wrong_kind(&mut self, line: Option<usize>, key: &str, kind: &str, found: &DeValue<'_>) {
        let article = match found.type_str() {
            vowel if vowel.starts_with(['a', 'e', 'i', 'o', 'u']) => "an",
            _ => "a",
        };
        let found = found.type_str();
        self.problems.push(line, format!("{key} must be {kind}, found {article} {found}"));
    }

    /// The line, from 1, on which a span begins.
    pub fn line(&self, span: &Range<usize>) -> usize {
        self.line_ends.partition_point(|end| *end < span.start).saturating_add(1)
    }
}

/// Numbers as a document writes them.
trait FromRadix: Sized {
    fn from_radix(text: &str, radix: u32) -> Option<Self>;
}

impl FromRadix for u64 {
    fn from_radix(text: &str, radix: u32) -> Option<Self> {
        Self::from_str_radix(text, radix).ok()
    }
}

impl FromRadix for i64 {
    fn from_radix(text: &str, radix: u32) -> Option<Self> {
        Self::from_str_radix(text, radix).ok()
    }
}

/// The word that was probably meant, or all of them behind a few words.
pub fn suggestion(name: &str, known: &[&str], all: &str) -> String {
    known
        .iter()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map_or_else(
            || format!("{all} {}", known.join(", ")),
            |(_, known)| format!("did you mean {known}?"),
        )
}

//! Everything that is wrong with a genesis, for the person who wrote it.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line of the document, from 1; `None` when the genesis was not read from a document or
    /// something is missing from the whole of it.
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

/// All problems of a genesis, at least one, in the order of their lines. Displayed one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisErrors(Vec<Problem>);

impl GenesisErrors {
    /// These problems, of which there is at least one.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self(problems)
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for GenesisErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            fmt::Display::fmt(problem, formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for GenesisErrors {}

/// Problems as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one more.
    pub(super) fn push(&mut self, line: Option<usize>, text: impl Into<String>) {
        self.0.push(Problem { line, text: text.into() });
    }

    /// Notes the error of a result, and gives what is left of it.
    pub(super) fn note<T>(
        &mut self,
        line: Option<usize>,
        result: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        result.map_err(|error| self.push(line, error.to_string())).ok()
    }

    /// What came out of a check: the value only when nothing is wrong.
    pub(super) fn finish<T>(mut self, checked: Option<T>) -> Result<T, GenesisErrors> {
        match checked {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) => Err(GenesisErrors::new(self.0)),
            None => {
                if self.0.is_empty() {
                    self.push(None, "the genesis is incomplete");
                }
                Err(GenesisErrors::new(self.0))
            }
        }
    }
}

//! Everything that is wrong with a scenario, for the person who wrote it.

use std::fmt;

use types::document::Problem;

/// All problems of a scenario, at least one, in the order of their lines. Displayed one a line, each with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioErrors {
    file: String,
    problems: Vec<Problem>,
}

impl ScenarioErrors {
    /// These problems of a file.
    pub(crate) fn new(file: &str, problems: Vec<Problem>) -> Self {
        Self { file: file.to_owned(), problems }
    }

    /// One thing that whoever runs a scenario finds wrong with it, such as an attack that there is not.
    pub fn found(file: &str, line: Option<usize>, text: impl Into<String>) -> Self {
        Self::new(file, vec![Problem { line, text: text.into() }])
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}: {problem}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioErrors {}

//! Everything that is wrong with a genesis, for the person who wrote it.

use std::fmt;

pub use crate::document::Problem;
use crate::document::Problems;

/// All problems of a genesis, at least one, in the order of their lines. Displayed one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisErrors(Vec<Problem>);

impl GenesisErrors {
    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// What came out of a check: the value only when nothing is wrong.
    pub(super) fn finish<T>(mut problems: Problems, checked: Option<T>) -> Result<T, Self> {
        match checked {
            Some(value) if problems.is_empty() => Ok(value),
            Some(_) => Err(Self(problems.into_sorted())),
            None => {
                if problems.is_empty() {
                    problems.push(None, "the genesis is incomplete");
                }
                Err(Self(problems.into_sorted()))
            }
        }
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

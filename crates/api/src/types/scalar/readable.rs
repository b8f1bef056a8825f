//! A sentence for people out of an answer: whatever a terminal would obey instead of showing it is read as an escape.

use serde::{Deserialize, Deserializer};
use types::memo::Visible;

/// Reads a text.
///
/// # Errors
///
/// When it is none.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Visible(&text).to_string())
}

//! The same, where there may be none.

use serde::{Deserialize, Deserializer};
use types::memo::Visible;

/// Reads a text, if there is one.
///
/// # Errors
///
/// When it is neither a text nor nothing.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| Visible(&text).to_string()))
}

//! The text a transfer may carry.

use std::fmt;

use crypto::encoding::{Decode, Encode};

/// Most bytes of UTF-8 in a memo that is accepted.
pub const MEMO_BYTES_MAX: usize = 64;

/// A text chosen by the sender of a transfer, empty when there is none.
///
/// Any UTF-8 of any length decodes; one that is too long is
/// [refused](crate::rejection::Rejection::MemoTooLong) with the transaction. **The text is a
/// stranger's**: [`Memo::text`] gives it raw, while `Display` and `Debug` write control characters
/// and those that reorder or hide text as escapes, so a memo cannot draw on a terminal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Memo(String);

impl Memo {
    /// A memo of this text, whatever its length.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// No memo.
    pub const fn empty() -> Self {
        Self(String::new())
    }

    /// The text as the sender wrote it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Bytes of UTF-8.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is at most [`MEMO_BYTES_MAX`] bytes long.
    pub const fn fits(&self) -> bool {
        self.0.len() <= MEMO_BYTES_MAX
    }
}

impl fmt::Display for Memo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Visible(&self.0).fmt(formatter)
    }
}

/// A stranger's text as a terminal may show it: what is not seen as itself is written as an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for character in self.0.chars() {
            if hides(character) {
                write!(formatter, "{}", character.escape_unicode())?;
            } else {
                formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Memo(\"{self}\")")
    }
}

/// Whether a character is not seen as itself: controls, marks of direction and invisible ones.
fn hides(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests;

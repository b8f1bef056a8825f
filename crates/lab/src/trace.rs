//! What happened, as one digest: two runs are equal when their traces are.

use crypto::digest::Digest;

use crate::time::Time;

/// Whoever wants to read along gets one line for each event.
pub type Reader = Box<dyn FnMut(&str)>;

/// A running digest over everything that happens, and perhaps a reader.
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    reader: Option<Reader>,
}

impl Trace {
    pub(crate) fn new(reader: Option<Reader>) -> Self {
        Self { hasher: blake3::Hasher::new_derive_key("logothete v1 lab trace"), reader }
    }

    /// Adds what happened to one replica or client at one time: what kind of thing, and its bytes.
    pub(crate) fn add(&mut self, now: Time, kind: u8, who: u16, bytes: &[u8]) {
        let mut head = [0; 15];
        for (place, byte) in head.iter_mut().zip(
            now.us()
                .to_le_bytes()
                .into_iter()
                .chain([kind])
                .chain(who.to_le_bytes())
                .chain(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()),
        ) {
            *place = byte;
        }
        self.hasher.update(&head);
        self.hasher.update(bytes);
    }

    /// Says a line to the reader, if there is one.
    pub(crate) fn say(&mut self, now: Time, line: impl FnOnce() -> String) {
        if let Some(reader) = &mut self.reader {
            reader(&format!("{now:>14}  {}", line()));
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

//! What happened, as one digest: two runs are equal when their traces are. Beside it, what happened as events, for who
//! reads along and who records.

use std::collections::BTreeMap;

use crypto::digest::Digest;
use pbft::Overview;

use crate::check::Violation;
use crate::record::{Happened, Recorder};
use crate::time::Time;

/// Whoever wants to read along gets one line for each event.
pub type Reader = Box<dyn FnMut(&str)>;

/// A running digest over everything that happens, and perhaps somebody who is told of it.
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    reader: Option<Reader>,
    recorder: Option<Recorder>,
    /// How many messages were sent.
    numbers: u64,
    /// How many broken properties were told of.
    broken: usize,
    /// What was told last of where each replica stands: its view, and whether it has entered it and votes.
    stands: BTreeMap<u16, (u64, bool, bool)>,
}

impl Trace {
    pub(crate) fn new(reader: Option<Reader>, recorder: Option<Recorder>) -> Self {
        Self {
            hasher: blake3::Hasher::new_derive_key("logothete v1 lab trace"),
            reader,
            recorder,
            numbers: 0,
            broken: 0,
            stands: BTreeMap::new(),
        }
    }

    /// Whether anybody is told of events.
    pub(crate) const fn is_heard(&self) -> bool {
        self.reader.is_some() || self.recorder.is_some()
    }

    /// The number of the next message.
    pub(crate) const fn number(&mut self) -> u64 {
        self.numbers = self.numbers.saturating_add(1);
        self.numbers
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

    /// Tells who reads along or records of an event. It is not made when there is nobody.
    pub(crate) fn tell(&mut self, now: Time, event: impl FnOnce() -> Happened) {
        if !self.is_heard() {
            return;
        }
        let event = event();
        if let Some(reader) = &mut self.reader {
            reader(&format!("{now:>14}  {event}"));
        }
        if let Some(recorder) = &self.recorder {
            recorder.keep(now, event);
        }
    }

    /// Tells where a replica stands, if that is news.
    pub(crate) fn stands(&mut self, now: Time, replica: u16, status: &Overview) {
        if !self.is_heard() {
            return;
        }
        let Overview { view, primary, entered, voting, timeout_ms, .. } = *status;
        let stands = (view.get(), entered, voting);
        if self.stands.insert(replica, stands) == Some(stands) {
            return;
        }
        let (view, primary) = (view.get(), primary.get());
        self.tell(now, || Happened::View { replica, view, primary, entered, voting, timeout_ms });
    }

    /// Tells of the broken properties that were not told of.
    pub(crate) fn broken(&mut self, now: Time, violations: &[Violation]) {
        for violation in violations.iter().skip(self.broken) {
            self.tell(now, || Happened::Broken {
                property: violation.property.to_string(),
                sentence: violation.sentence.clone(),
                replica: violation.replica,
                height: violation.height,
            });
        }
        self.broken = self.broken.max(violations.len());
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

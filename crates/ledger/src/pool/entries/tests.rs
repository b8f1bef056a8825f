//! What only tests ask of entries.

use super::{Entries, Place};

impl Entries {
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.places.keys().copied()
    }

    pub(crate) fn assert_consistent(&self) {
        assert_eq!(self.places.len(), self.ids.len());
        assert_eq!(self.places.len(), self.expiry.len());
        for (valid_until, place) in &self.expiry {
            let entry = &self.places[place];
            assert_eq!(entry.transaction.transaction.valid_until, *valid_until);
        }
    }
}

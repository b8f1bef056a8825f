//! Votes for what is long over.

use pbft::Outgoing;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::{Every, to_all};

/// How many votes are given at a time, how often, in milliseconds.
const BURST: usize = 8;
const PERIOD_MS: u64 = 20;

pub(super) const KIND: Kind = Kind {
    name: "outdated-votes",
    sentence: "keeps voting for blocks of old heights and old views, with valid signatures",
    answer: "each is dropped for its height or its view, and nothing is kept of it",
    role: Role::Backup,
    provable: false,
    make: || Box::new(OutdatedVotes::default()),
};

#[derive(Default)]
struct OutdatedVotes {
    every: Every,
}

impl Strategy for OutdatedVotes {
    fn wakes(&mut self, desk: &mut Desk) -> Vec<Outgoing> {
        if !self.every.is_due(desk.now_ms, PERIOD_MS) {
            return Vec::new();
        }
        let (view, committed) = (desk.at.view, desk.at.committed);
        let any = (0..BURST).filter_map(|_| desk.memory.any_statement(&mut desk.random));
        let old = any.filter(|it| it.view < view || it.height <= committed);
        let old: Vec<_> = old.collect();
        old.iter().map(|statement| to_all(desk.vote_message(statement))).collect()
    }
}

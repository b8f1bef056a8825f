//! Says nothing.

use pbft::Outgoing;

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "silent",
    sentence: "hears everything and says nothing",
    answer: "a quorum goes on without it, and leaves every view that it leads after one timeout",
    role: Role::Backup,
    provable: false,
    make: || Box::new(Silent),
};

struct Silent;

impl Strategy for Silent {
    fn says(&mut self, _: &mut Desk, _: Outgoing) -> Vec<Outgoing> {
        Vec::new()
    }
}

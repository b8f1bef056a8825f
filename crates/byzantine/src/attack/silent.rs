//! Says nothing.

use pbft::Outgoing;

use super::{Kind, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "silent",
    sentence: "hears everything and says nothing",
    provable: false,
    make: || Box::new(Silent),
};

struct Silent;

impl Strategy for Silent {
    fn says(&mut self, _: &mut Desk, _: Outgoing) -> Vec<Outgoing> {
        Vec::new()
    }
}

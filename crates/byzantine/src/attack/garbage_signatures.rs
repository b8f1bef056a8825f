//! Votes that look right and are signed by nobody.

use crypto::keys::Signature;
use pbft::Outgoing;
use types::vote::Vote;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::{Every, as_message, to_all};

/// How many votes are given at a time, how often, in milliseconds.
const BURST: usize = 8;
const PERIOD_MS: u64 = 10;

pub(super) const KIND: Kind = Kind {
    name: "garbage-signatures",
    sentence: "floods the others with votes whose signatures are noise, 800 a second",
    answer: "each is turned away at the door, and whoever sends many waits behind those who do not",
    role: Role::Backup,
    provable: false,
    make: || Box::new(GarbageSignatures::default()),
};

#[derive(Default)]
struct GarbageSignatures {
    every: Every,
}

impl Strategy for GarbageSignatures {
    fn wakes(&mut self, desk: &mut Desk) -> Vec<Outgoing> {
        if !self.every.is_due(desk.now_ms, PERIOD_MS) {
            return Vec::new();
        }
        desk.wake_at(desk.now_ms.saturating_add(PERIOD_MS));
        let others = desk.others();
        let mut said = Vec::new();
        for _ in 0..BURST {
            let named = desk.random.pick(&others).copied();
            let statement = desk.memory.any_statement(&mut desk.random);
            let (Some(replica), Some(statement)) = (named, statement) else {
                return said;
            };
            let mut bytes = [0; 64];
            for word in bytes.chunks_exact_mut(8) {
                word.copy_from_slice(&desk.random.number().to_le_bytes());
            }
            let signature = Signature::from_bytes(bytes);
            said.push(to_all(as_message(Vote { statement, replica, signature })));
        }
        said
    }
}

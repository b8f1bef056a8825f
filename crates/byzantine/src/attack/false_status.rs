//! Heights that nobody has.

use pbft::{Message, Outgoing, Status};
use types::number::Height;

use super::{Kind, Role, Strategy};
use crate::Desk;

/// The heights that it says it has, in turn.
const HEIGHTS: [u64; 3] = [1_000_000_000_000, 0, u64::MAX];

pub(super) const KIND: Kind = Kind {
    name: "false-status",
    sentence: "says that it has committed heights that nobody has, or none at all",
    answer: "a height said is a hint about whom to ask: it costs one question, and nothing is believed without a proof",
    role: Role::Backup,
    provable: false,
    make: || Box::new(FalseStatus { turn: 0 }),
};

struct FalseStatus {
    turn: usize,
}

impl Strategy for FalseStatus {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Message::Status(status) = &outgoing.message else {
            return vec![outgoing];
        };
        let mut standpoint = status.standpoint.clone();
        let height = HEIGHTS.iter().cycle().nth(self.turn).copied().unwrap_or_default();
        self.turn = self.turn.wrapping_add(1) % HEIGHTS.len();
        standpoint.committed = Height::new(height);
        let status = Status::sign(standpoint, desk.validators.chain(), desk.signer.as_ref());
        vec![Outgoing { to: outgoing.to, message: Message::Status(status) }]
    }
}

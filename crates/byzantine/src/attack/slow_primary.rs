//! Proposals as late as they can be.

use std::collections::VecDeque;

use pbft::Outgoing;
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;

/// The most proposals that are held back; what is said beyond them is not said.
const HELD_MAX: usize = 256;

pub(super) const KIND: Kind = Kind {
    name: "slow-primary",
    sentence: "as primary holds every proposal back for as long as the knob delay says, at most nine tenths of the timeout",
    answer: "the others bear it, or leave the view when requests wait for too long",
    role: Role::Primary,
    provable: false,
    make: || Box::new(SlowPrimary::default()),
};

#[derive(Default)]
struct SlowPrimary {
    /// What is held back, of which view, and until when, the first first.
    held: VecDeque<(u64, View, Outgoing)>,
}

impl Strategy for SlowPrimary {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        // What is said again to one, because he asks, is on its way to all.
        let known = |(_, _, held): &(u64, View, Outgoing)| held.message == outgoing.message;
        if self.held.len() >= HELD_MAX || self.held.iter().any(known) {
            return Vec::new();
        }
        let most_ms = (desk.at.timeout_ms / 10).saturating_mul(9);
        let due_ms = desk.now_ms.saturating_add(desk.knobs.delay_ms.min(most_ms));
        let view = proposal.vote.statement.view;
        desk.wake_at(due_ms);
        self.held.push_back((due_ms, view, outgoing));
        Vec::new()
    }

    fn wakes(&mut self, desk: &mut Desk) -> Vec<Outgoing> {
        let (view, now_ms) = (desk.at.view, desk.now_ms);
        self.held.retain(|(_, of, _)| *of >= view);
        let mut said = Vec::new();
        while let Some((_, _, outgoing)) = self.held.pop_front_if(|(due_ms, ..)| *due_ms <= now_ms)
        {
            said.push(outgoing);
        }
        if let Some((due_ms, ..)) = self.held.front() {
            desk.wake_at(*due_ms);
        }
        said
    }
}

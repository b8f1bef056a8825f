//! Requests for one view after the other.

use pbft::{Message, Outgoing};
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::{Every, to_all};

/// How often it asks, in milliseconds.
const PERIOD_MS: u64 = 20;

pub(super) const STORM: Kind = Kind {
    name: "view-storm",
    sentence: "asks for the next view, and the one behind it, and so on, 50 times a second, and votes on in its own",
    answer: "nobody joins before t + 1 ask, only the last request of each is kept, and a later commit vote proves the lie",
    role: Role::Backup,
    provable: true,
    make: || Box::new(Storm { every: Every::default(), last: View::FIRST, next: next_one }),
};

pub(super) const JUMP: Kind = Kind {
    name: "view-jump",
    sentence: "asks for views that nobody will ever come to, up to the last there is, and votes on in its own",
    answer: "nobody joins before t + 1 ask, and then the smallest of their views; a later commit vote proves the lie",
    role: Role::Backup,
    provable: true,
    make: || Box::new(Storm { every: Every::default(), last: View::FIRST, next: next_far }),
};

struct Storm {
    every: Every,
    /// The last view asked for.
    last: View,
    next: fn(&Desk, View) -> View,
}

const fn next_one(desk: &Desk, last: View) -> View {
    if last.get() > desk.at.view.get() { last.next() } else { desk.at.view.next() }
}

/// 2^40 views ahead, twice as many, and so on.
fn next_far(desk: &Desk, last: View) -> View {
    let far = last.above(desk.at.view).saturating_mul(2).max(1 << 40);
    desk.at.view.saturating_add(far)
}

impl Strategy for Storm {
    fn wakes(&mut self, desk: &mut Desk) -> Vec<Outgoing> {
        if !self.every.is_due(desk.now_ms, PERIOD_MS) {
            return Vec::new();
        }
        desk.wake_at(desk.now_ms.saturating_add(PERIOD_MS));
        self.last = (self.next)(desk, self.last);
        // With all that it has voted for so far: what it votes for later proves the lie.
        let certificate = desk.greatest_certificate(desk.at.view.next());
        vec![to_all(Message::ViewChange(desk.view_change(self.last, certificate)))]
    }
}

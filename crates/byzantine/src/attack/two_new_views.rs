//! Two new views of one view.

use std::collections::BTreeMap;

use pbft::{Message, Outgoing};
use types::number::View;
use types::view_change::NewView;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

/// As many views are remembered.
const VIEWS_MAX: usize = 64;

pub(super) const KIND: Kind = Kind {
    name: "two-new-views",
    sentence: "as primary of a new view makes two of them, with what it has certified and without, and shows both to all, to \
               each half another one first",
    answer: "each accepts the first it sees, both lead to the same tip, and together they prove the lie",
    role: Role::NextPrimary,
    provable: true,
    make: || Box::new(TwoNewViews::default()),
};

#[derive(Default)]
struct TwoNewViews {
    seconds: BTreeMap<View, NewView>,
}

impl Strategy for TwoNewViews {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let first = match &outgoing.message {
            Message::NewView(new_view) if desk.leads(new_view.view) => new_view,
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => return vec![outgoing],
        };
        let second = self.seconds.entry(first.view).or_insert_with(|| other(desk, first)).clone();
        while self.seconds.len() > VIEWS_MAX {
            self.seconds.pop_first();
        }
        let victims = desk.half();
        let mut said = Vec::new();
        for other in desk.receivers(outgoing.to) {
            let mut both = [first.clone(), second.clone()];
            if victims.contains(&other) {
                both.reverse();
            }
            said.extend(both.map(|new_view| to_one(other, Message::NewView(new_view))));
        }
        said
    }
}

/// The same new view with another certificate of its own: none, or the greatest that it can make.
fn other(desk: &Desk, first: &NewView) -> NewView {
    let mut asked = first.view_changes.clone();
    for asked in &mut asked {
        if asked.replica == desk.own {
            let other = match asked.certificate {
                Some(_) => None,
                None => desk.greatest_certificate(first.view),
            };
            *asked = desk.view_change(first.view, other);
        }
    }
    NewView::sign(first.view, asked, desk.validators.chain(), desk.signer.as_ref())
}

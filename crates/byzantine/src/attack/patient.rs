//! Behaves until it leads.

use pbft::{Message, Outgoing};
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "patient",
    sentence: "plays by the rules until it is primary of a later view, makes its new view, and is silent from then on",
    answer: "each such primary in a row costs one timeout, which doubles until something is committed",
    role: Role::NextPrimary,
    provable: false,
    make: || Box::new(Patient { turned: false }),
};

struct Patient {
    /// Whether its turn has come.
    turned: bool,
}

impl Strategy for Patient {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        if self.turned {
            return Vec::new();
        }
        let leads = desk.at.primary == desk.own && desk.at.view > View::FIRST && desk.at.entered;
        self.turned = leads
            || matches!(&outgoing.message, Message::NewView(new_view) if desk.leads(new_view.view));
        vec![outgoing]
    }
}

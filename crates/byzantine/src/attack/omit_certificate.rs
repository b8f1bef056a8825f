//! View changes that know of nothing.

use pbft::{Message, Outgoing};

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "omit-certificate",
    sentence: "asks for views as if nothing had ever been certified",
    answer: "whatever was committed is shown by another of any quorum, and an earlier commit vote proves the lie",
    role: Role::Asking,
    provable: true,
    make: || Box::new(OmitCertificate),
};

struct OmitCertificate;

impl Strategy for OmitCertificate {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let asked = desk.own_view_change(&outgoing.message);
        let Some(asked) = asked.filter(|asked| asked.certificate.is_some()) else {
            return vec![outgoing];
        };
        let message = Message::ViewChange(desk.view_change(asked.view, None));
        vec![Outgoing { to: outgoing.to, message }]
    }
}

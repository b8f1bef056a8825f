//! One account's requests are never heard.

use types::address::Address;
use types::transaction::SignedTransaction;

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "censor",
    sentence: "leaves out of its blocks whatever one account wants: that of the first request it hears of",
    answer: "the others have heard of the requests, leave the view of a primary that starves them, and commit them in the next",
    role: Role::Primary,
    provable: false,
    make: || Box::new(Censor { victim: None }),
};

struct Censor {
    victim: Option<Address>,
}

impl Strategy for Censor {
    fn admits(&mut self, _: &mut Desk, request: &SignedTransaction) -> bool {
        let sender = request.transaction.sender;
        *self.victim.get_or_insert(sender) != sender
    }

    fn chooses(&self) -> bool {
        true
    }
}

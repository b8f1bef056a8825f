//! Votes in the names of others.

use pbft::{Message, Outgoing};
use types::replica::ReplicaId;
use types::vote::Vote;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::as_message;

pub(super) const IMPERSONATE: Kind = Kind {
    name: "impersonate",
    sentence: "gives each of its votes in the name of every other validator too, under its own signature",
    answer: "a vote counts for whoever signed it, and nobody is accused of what he did not sign",
    role: Role::Backup,
    provable: false,
    make: || Box::new(FalseName { names: members }),
};

pub(super) const NON_MEMBER: Kind = Kind {
    name: "non-member",
    sentence: "gives each of its votes in the names of validators that the network does not have, too",
    answer: "who is no validator is turned away before any signature is looked at",
    role: Role::Backup,
    provable: false,
    make: || Box::new(FalseName { names: strangers }),
};

struct FalseName {
    names: fn(&Desk) -> Vec<ReplicaId>,
}

fn members(desk: &Desk) -> Vec<ReplicaId> {
    desk.others()
}

fn strangers(desk: &Desk) -> Vec<ReplicaId> {
    let n = u16::try_from(desk.validators.len()).unwrap_or(u16::MAX);
    vec![ReplicaId::new(n), ReplicaId::new(u16::MAX)]
}

impl Strategy for FalseName {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(vote) = desk.own_vote(&outgoing.message).copied() else {
            return vec![outgoing];
        };
        let names = (self.names)(desk).into_iter();
        let messages = names.map(|replica| as_message(Vote { replica, ..vote }));
        let to = outgoing.to;
        let false_ones = messages.map(|message: Message| Outgoing { to, message });
        std::iter::once(outgoing.clone()).chain(false_ones).collect()
    }
}

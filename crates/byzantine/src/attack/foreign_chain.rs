//! Votes of another network.

use pbft::Outgoing;
use types::vote::Vote;

use super::{Kind, Role, Strategy, forge_header};
use crate::Desk;
use crate::desk::as_message;

pub(super) const KIND: Kind = Kind {
    name: "foreign-chain",
    sentence: "signs its votes for another network with the same validators",
    answer: "what is signed for one network means nothing on another, so a quorum goes on without it",
    role: Role::Backup,
    provable: false,
    make: || Box::new(ForeignChain),
};

struct ForeignChain;

impl Strategy for ForeignChain {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(vote) = desk.own_vote(&outgoing.message) else {
            return vec![outgoing];
        };
        let chain = types::ChainId::new(forge_header::other(desk.validators.chain().digest()));
        let vote = Vote::sign(vote.statement, desk.own, &chain, desk.signer.as_ref());
        vec![Outgoing { to: outgoing.to, message: as_message(vote) }]
    }
}

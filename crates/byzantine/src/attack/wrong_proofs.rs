//! Blocks handed out with proofs that prove nothing.

use types::block::BlockId;
use types::proof::ProvedBlock;
use types::transaction::SignedTransaction;

use super::{Kind, Role, Strategy, forge_header};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "wrong-proofs",
    sentence: "hands out committed blocks whose certificates are false: of too few, of one signer often, for another block, \
               or with another body",
    answer: "a fetched block is checked like one agreed here, refused, and asked of somebody else",
    role: Role::Serving,
    provable: false,
    make: || Box::new(WrongProofs { turn: 0 }),
};

struct WrongProofs {
    /// Which of the falsehoods comes next.
    turn: u64,
}

impl Strategy for WrongProofs {
    fn keeps(&mut self, _: &mut Desk, proved: &mut ProvedBlock) {
        self.turn = self.turn.wrapping_add(1);
        let certificate = &mut proved.proof.certificate;
        match self.turn % 4 {
            0 => certificate.signatures.truncate(1),
            1 => {
                let count = certificate.signatures.len();
                certificate.signatures.truncate(1);
                let first = certificate.signatures.first().copied();
                certificate.signatures.extend(std::iter::repeat_n(first, count).flatten());
            }
            2 => {
                let other = forge_header::other(certificate.statement.block.digest());
                certificate.statement.block = BlockId::new(other);
            }
            _ => {
                let body = std::mem::take(&mut proved.block.body);
                let transactions: Vec<SignedTransaction> = body.into_transactions();
                proved.block.body = types::Body::new(transactions.into_iter().skip(1).collect());
            }
        }
    }
}

//! Certificates that nobody made.

use pbft::{Message, Outgoing};
use types::block::BlockId;
use types::certificate::Certificate;
use types::number::View;
use types::vote::{Phase, Statement};

use super::{Kind, Role, Strategy, forge_header};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "forged-certificate",
    sentence: "asks for views with false certificates: one signer counted often, too few signers, signatures for another \
               block, all signed by itself",
    answer: "every signature of every certificate is checked, and the request is dropped whole while others count",
    role: Role::Asking,
    provable: false,
    make: || Box::new(ForgedCertificate),
};

struct ForgedCertificate;

impl Strategy for ForgedCertificate {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(asked) = desk.own_view_change(&outgoing.message) else {
            return vec![outgoing];
        };
        let view = asked.view;
        let forged = forged(desk, view, asked.certificate.as_ref());
        let asks = forged.into_iter().map(|certificate| {
            let message = Message::ViewChange(desk.view_change(view, Some(certificate)));
            Outgoing { to: outgoing.to, message }
        });
        asks.collect()
    }
}

fn forged(desk: &Desk, asked: View, genuine: Option<&Certificate>) -> Vec<Certificate> {
    let view = View::new(asked.get().saturating_sub(1));
    let height = desk.at.committed.saturating_add(1_000);
    let statement = Statement { phase: Phase::Prepare, view, height, block: BlockId::NONE };
    let signature = desk.vote(Phase::Prepare, &statement).signature;
    let everybody = desk.validators.iter().map(|(replica, _)| (replica, signature)).collect();
    let often = vec![(desk.own, signature); desk.validators.quorum().q()];
    let mut forged = vec![
        Certificate { statement, signatures: everybody },
        Certificate { statement, signatures: often },
        Certificate { statement, signatures: vec![(desk.own, signature)] },
    ];
    if let Some(genuine) = genuine {
        let block = BlockId::new(forge_header::other(genuine.statement.block.digest()));
        let statement = Statement { block, ..genuine.statement };
        forged.push(Certificate { statement, ..genuine.clone() });
        let statement = Statement { height: genuine.statement.height.next(), ..genuine.statement };
        forged.push(Certificate { statement, ..genuine.clone() });
    }
    forged
}

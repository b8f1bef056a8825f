//! What the door lets through, and what it refuses before it has looked at a signature.

use std::sync::Arc;

use crypto::digest::{Digest, Domain, digest};
use crypto::encoding::{from_wire, to_wire};
use crypto::keys::Signature;
use crypto::signed::{Authenticated, ChainId, Forged, Unverified};
use types::block::{Block, BlockId, Body, Header};
use types::certificate::Certificate;
use types::door::BadBody;
use types::door::{CheckedTransactions, Door, NothingChecked};
use types::genesis::Genesis;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};
use types::view_change::{NewView, ViewChange};
use types::vote::{NotAMember, Phase, Statement, Vote};

use super::{Malformed, Message, PrePrepare};
use crate::fixture::{
    asks, block_on, certificate_by, commit, genesis, key, new_view, pre_prepare, prepare, signed,
    statement, status_of, vote_in,
};
use crate::message::Handover;
use crate::record::{Record, Retirement};
use crate::status::{HEIGHTS_MAX, Held, Lacks, Members, Standpoint, Status};

/// Remembers one transaction.
struct Remembers(SignedTransaction);

impl CheckedTransactions for Remembers {
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool {
        self.0.id() == *id && self.0.signature == *signature
    }
}

fn setting() -> (Genesis, Door, Block) {
    let genesis = genesis(4, Parameters::default());
    let door = Door::new(genesis.validators().clone(), Arc::new(NothingChecked));
    let block = block_on(&genesis, genesis.header(), &[0, 1]);
    (genesis, door, block)
}

fn claims(message: &Message, door: &Door) -> Result<usize, Malformed> {
    let mut claims = Vec::new();
    message.claims(door, &mut claims)?;
    Ok(claims.len())
}

/// One message of every kind.
fn every_kind(genesis: &Genesis, block: &Block) -> Vec<Message> {
    let shown = certificate_by(genesis, 0, Phase::Prepare, block, &[0, 1, 3]);
    let asked = [(0, Some(shown)), (1, None), (3, None)];
    let asked = asked.map(|(replica, shown)| asks(genesis, replica, 5, shown)).to_vec();
    let lacks = Lacks {
        view_changes: [ReplicaId::new(2)].into_iter().collect(),
        heights: vec![Held::default(); HEIGHTS_MAX],
        block: Some(block.id()),
    };
    vec![
        pre_prepare(genesis, block),
        prepare(genesis, 1, block),
        commit(genesis, 3, block),
        Message::ViewChange(asked[0].clone()),
        Message::NewView(new_view(genesis, 5, asked)),
        status_of(genesis, 2, |_| {}),
        status_of(genesis, 2, |standpoint| standpoint.lacks = Some(lacks)),
        handed(genesis, block, 2),
    ]
}

fn handed(genesis: &Genesis, block: &Block, replica: u16) -> Message {
    let from = ReplicaId::new(replica);
    Message::Handover(Handover::sign(block.clone(), from, genesis.chain(), &key(replica)))
}

#[test]
fn every_message_names_its_kind_and_its_author() {
    let (genesis, _, block) = setting();
    let facts: Vec<(&str, u16)> = every_kind(&genesis, &block)
        .iter()
        .map(|message| (message.name(), message.author(genesis.validators()).get()))
        .collect();
    let expected = [
        ("pre-prepare", 0),
        ("prepare", 1),
        ("commit", 3),
        ("view-change", 0),
        ("new-view", 1),
        ("status", 2),
        ("status", 2),
        ("handover", 2),
    ];
    assert_eq!(facts, expected);
}

/// An old status said again would use up what the peer is answered, and count as having been heard from it.
#[test]
fn what_speaks_for_a_moment_is_taken_from_its_author_alone() {
    let (genesis, _, block) = setting();
    for message in every_kind(&genesis, &block) {
        let momentary = matches!(message, Message::Status(_) | Message::Handover(_));
        for peer in (0..4).map(ReplicaId::new) {
            let own = message.author(genesis.validators()) == peer;
            assert_eq!(message.is_deliverable_by(peer), own || !momentary, "{message:?} by {peer}");
        }
    }
}

/// T09, T11: under another's name, or nobody's.
#[test]
fn a_status_or_a_handover_in_anothers_name_is_forged() {
    let (genesis, door, block) = setting();
    for (number, expected) in [
        (1, Forged::Signature),
        (4, Forged::Malformed(Malformed::NotAMember(NotAMember { replica: ReplicaId::new(4) }))),
    ] {
        let replica = ReplicaId::new(number);
        let Message::Status(mut status) = status_of(&genesis, 2, |_| {}) else { panic!() };
        status.standpoint.replica = replica;
        let Message::Handover(mut handover) = handed(&genesis, &block, 2) else { panic!() };
        handover.replica = replica;
        for message in [Message::Status(status), Message::Handover(handover)] {
            assert_eq!(Unverified::new(message).verify(&door), Err(expected));
        }
    }
}

/// T16, A34: every part of a status is signed, and so is the block of a handover.
#[test]
fn no_changed_bit_of_a_status_or_a_handover_is_accepted() {
    let (genesis, door, block) = setting();
    let lacks = Lacks { heights: vec![Held::default(); 2], ..Lacks::default() };
    let status = status_of(&genesis, 2, |standpoint| standpoint.lacks = Some(lacks));
    for message in [status, handed(&genesis, &block, 2)] {
        let sent = to_wire(&message);
        for place in 0..sent.len() {
            let mut changed = sent.clone();
            changed[place] ^= 1;
            if let Ok(received) = from_wire::<Unverified<Message>>(&changed, changed.len()) {
                assert!(received.verify(&door).is_err(), "byte {place} of a {}", message.name());
            }
        }
    }
}

#[test]
fn a_status_about_more_heights_than_can_be_in_flight_is_malformed() {
    let (genesis, door, _) = setting();
    let found = HEIGHTS_MAX + 1;
    let lacks = Lacks { heights: vec![Held::default(); found], ..Lacks::default() };
    let status = status_of(&genesis, 2, |standpoint| standpoint.lacks = Some(lacks));
    assert_eq!(claims(&status, &door), Err(Malformed::TooManyHeights { found }));
}

/// T14.
#[test]
fn a_handover_whose_body_is_not_the_blocks_is_malformed() {
    let (genesis, door, block) = setting();
    let other = block_on(&genesis, genesis.header(), &[2]);
    let mixed = Block { header: block.header, body: other.body };
    assert_eq!(claims(&handed(&genesis, &mixed, 2), &door), Err(Malformed::OtherBody));
}

/// T12: refused at the door, whatever the view.
#[test]
fn a_pre_prepare_by_a_replica_that_is_not_primary_of_its_view_is_malformed() {
    let (genesis, door, block) = setting();
    for (view, replica) in [(0, 1), (1, 0), (5, 2), (u64::MAX, 0)] {
        let vote = vote_in(&genesis, view, Phase::Prepare, replica, &block);
        let message = Message::PrePrepare(PrePrepare { block: block.clone(), vote });
        let replica = ReplicaId::new(replica);
        assert_eq!(claims(&message, &door), Err(Malformed::NotPrimary { replica }));
    }
    let vote = vote_in(&genesis, 5, Phase::Prepare, 1, &block);
    let message = Message::PrePrepare(PrePrepare { block, vote });
    assert_eq!(claims(&message, &door), Ok(3), "a tip is proposed again with its old header");
}

/// T21, T28: what `types` refuses does not come through this door either.
#[test]
fn view_changes_and_new_views_are_checked_at_the_door() {
    let (genesis, door, block) = setting();
    let first = Message::ViewChange(asks(&genesis, 1, 0, None));
    assert!(matches!(claims(&first, &door), Err(Malformed::ViewChange(_))));
    let asked = [0, 1].map(|replica| asks(&genesis, replica, 5, None)).to_vec();
    let few = Message::NewView(new_view(&genesis, 5, asked));
    assert!(matches!(claims(&few, &door), Err(Malformed::NewView(_))));
    let shown = certificate_by(&genesis, 0, Phase::Prepare, &block, &[0, 1, 3]);
    let mut asked = asks(&genesis, 1, 5, Some(shown));
    asked.certificate.as_mut().unwrap().signatures[2].1 = Signature::from_bytes([7; 64]);
    let forged = Unverified::new(Message::ViewChange(asked)).verify(&door);
    assert_eq!(forged, Err(Forged::Signature));
}

#[test]
fn what_honest_replicas_send_passes() {
    let (genesis, door, block) = setting();
    for message in every_kind(&genesis, &block) {
        let sent = to_wire(&message);
        let received: Unverified<Message> = from_wire(&sent, sent.len()).unwrap();
        assert_eq!(received.verify(&door).unwrap().into_inner(), message);
    }
}

#[test]
fn a_vote_of_the_other_phase_is_malformed() {
    let (genesis, door, block) = setting();
    let votes = [Phase::Prepare, Phase::Commit].map(|p| signed(&genesis, 1, statement(p, &block)));
    let proposal = PrePrepare { block, vote: votes[1] };
    for message in
        [Message::Prepare(votes[1]), Message::Commit(votes[0]), Message::PrePrepare(proposal)]
    {
        assert_eq!(claims(&message, &door), Err(Malformed::Phase));
    }
}

/// T11, A31: numbers that no validator has.
#[test]
fn a_vote_of_a_stranger_is_malformed() {
    let (genesis, door, block) = setting();
    for number in [4, u16::MAX] {
        let replica = ReplicaId::new(number);
        let chain = genesis.chain();
        let vote = Vote::sign(statement(Phase::Commit, &block), replica, chain, &key(0));
        let refused = Err(Malformed::NotAMember(NotAMember { replica }));
        assert_eq!(claims(&Message::Commit(vote), &door), refused);
    }
}

/// T14: nothing about the block is taken from the vote.
#[test]
fn a_pre_prepare_whose_parts_do_not_belong_together_is_malformed() {
    let (genesis, door, block) = setting();
    let other = block_on(&genesis, genesis.header(), &[2]);
    let higher = block_on(&genesis, &other.header, &[3]);
    let vote = signed(&genesis, 0, statement(Phase::Prepare, &block));
    let malformed = |block: Block| claims(&Message::PrePrepare(PrePrepare { block, vote }), &door);
    assert_eq!(malformed(other.clone()), Err(Malformed::Block));
    assert_eq!(malformed(higher), Err(Malformed::Height));
    let foreign_body = Block { header: block.header.clone(), body: other.body };
    assert_eq!(malformed(foreign_body), Err(Malformed::OtherBody));
    assert_eq!(malformed(block), Ok(3));
}

/// Only the primary of the view that the vote names may send so many bytes; its view need not be
/// ours.
#[test]
fn a_pre_prepare_of_a_replica_that_is_not_the_primary_of_its_view_is_malformed() {
    let (genesis, door, block) = setting();
    let by = |replica, view| {
        let statement = Statement { view, ..statement(Phase::Prepare, &block) };
        let vote = signed(&genesis, replica, statement);
        claims(&Message::PrePrepare(PrePrepare { block: block.clone(), vote }), &door)
    };
    for replica in 1..4 {
        let refused = Err(Malformed::NotPrimary { replica: ReplicaId::new(replica) });
        assert_eq!(by(replica, View::FIRST), refused);
        assert_eq!(by(replica, View::new(u64::from(replica))), Ok(3));
    }
    let before_a_hash = Message::PrePrepare(PrePrepare {
        block: block_on(&genesis, genesis.header(), &[2]),
        vote: signed(&genesis, 1, statement(Phase::Prepare, &block)),
    });
    let refused = Err(Malformed::NotPrimary { replica: ReplicaId::new(1) });
    assert_eq!(claims(&before_a_hash, &door), refused);
}

#[test]
fn a_pre_prepare_with_a_transaction_of_another_network_is_malformed() {
    let (genesis, door, block) = setting();
    let mut transactions = block.body.clone().into_transactions();
    transactions[1].transaction.chain = ChainId::new(Digest::ZERO);
    let body = Body::new(transactions);
    let mut header = block.header;
    header.body_root = body.root();
    let message = pre_prepare(&genesis, &Block { header, body });
    let refused = claims(&message, &door);
    assert!(matches!(refused, Err(Malformed::Body(BadBody::Transaction { index: 1, .. }))));
}

/// T09, A28: the signature counts under the key of whoever the vote names, and no other.
#[test]
fn a_vote_in_anothers_name_is_forged() {
    let (genesis, door, block) = setting();
    let mut vote = signed(&genesis, 1, statement(Phase::Prepare, &block));
    vote.replica = ReplicaId::new(2);
    let forged = Unverified::new(Message::Prepare(vote)).verify(&door);
    assert_eq!(forged, Err(Forged::Signature));
}

/// T16, A34: every part of the statement is signed.
#[test]
fn a_changed_vote_is_forged() {
    let (genesis, door, block) = setting();
    let other = block_on(&genesis, genesis.header(), &[2]);
    let vote = signed(&genesis, 1, statement(Phase::Prepare, &block));
    let changes: [fn(&mut Vote, &Block); 4] = [
        |vote, _| vote.statement.phase = Phase::Commit,
        |vote, _| vote.statement.view = vote.statement.view.next(),
        |vote, _| vote.statement.height = vote.statement.height.next(),
        |vote, other| vote.statement.block = other.id(),
    ];
    for change in changes {
        let mut changed = vote;
        change(&mut changed, &other);
        let message = match changed.statement.phase {
            Phase::Prepare => Message::Prepare(changed),
            Phase::Commit => Message::Commit(changed),
        };
        assert_eq!(Unverified::new(message).verify(&door), Err(Forged::Signature));
    }
}

/// A32: the chain is part of what is signed.
#[test]
fn a_vote_for_another_network_is_forged() {
    let (_, door, block) = setting();
    let chain = ChainId::new(Digest::ZERO);
    let statement = statement(Phase::Prepare, &block);
    let vote = Vote::sign(statement, ReplicaId::new(1), &chain, &key(1));
    let forged = Unverified::new(Message::Prepare(vote)).verify(&door);
    assert_eq!(forged, Err(Forged::Signature));
}

/// The id does not cover the signature, so a known transaction with other signature bytes is
/// checked.
#[test]
fn only_the_very_same_signed_transaction_is_not_checked_again() {
    let (genesis, strict, block) = setting();
    let known = block.body.transactions()[0].clone();
    let door = Door::new(genesis.validators().clone(), Arc::new(Remembers(known)));
    let message = pre_prepare(&genesis, &block);
    assert_eq!(claims(&message, &strict), Ok(3));
    assert_eq!(claims(&message, &door), Ok(2));

    let mut transactions = block.body.into_transactions();
    transactions[0].signature = Signature::from_bytes([0; 64]);
    let body = Body::new(transactions);
    let mut header = block.header;
    header.body_root = body.root();
    let message = pre_prepare(&genesis, &Block { header, body });
    assert_eq!(claims(&message, &door), Ok(3));
    assert_eq!(Unverified::new(message).verify(&door), Err(Forged::Signature));
}

/// A vote and a block of fixed bytes, which no other noun's encoding changes.
fn fixed() -> (Vote, Block) {
    let digest = |byte| Digest::from_bytes([byte; 32]);
    let header = Header {
        chain: ChainId::new(digest(1)),
        height: Height::new(2),
        parent: BlockId::new(digest(3)),
        view: View::new(4),
        proposer: ReplicaId::new(5),
        timestamp_ms: 6,
        body_root: digest(7),
        transactions: 0,
        state_root: digest(8),
    };
    let statement = Statement {
        phase: Phase::Prepare,
        view: View::new(9),
        height: Height::new(10),
        block: BlockId::new(digest(11)),
    };
    let vote =
        Vote { statement, replica: ReplicaId::new(12), signature: Signature::from_bytes([13; 64]) };
    let body = Body::default();
    (vote, Block { header, body })
}

#[test]
fn the_bytes_of_messages_and_records_do_not_change() {
    let (vote, block) = fixed();
    let Statement { view, height, block: id, .. } = vote.statement;
    let certificate =
        Certificate { statement: vote.statement, signatures: vec![(vote.replica, vote.signature)] };
    let (replica, signature) = (vote.replica, vote.signature);
    let view_change =
        ViewChange { view, certificate: Some(certificate.clone()), replica, signature };
    let new_view = NewView { view, view_changes: vec![view_change.clone()], signature };
    let members: Members = [ReplicaId::new(0), ReplicaId::new(127)].into_iter().collect();
    let held = Held { proposal: true, prepares: members, commits: Members::default() };
    let lacks = Lacks { view_changes: members, heights: vec![held], block: Some(id) };
    let standpoint =
        Standpoint { replica, view, entered: true, committed: height, lacks: Some(lacks) };
    let asked = Retirement::ViewChange(view_change.statement());
    let made = Retirement::NewView(new_view.statement());
    let bytes = [
        to_wire(&Message::PrePrepare(PrePrepare { block: block.clone(), vote })),
        to_wire(&Message::Prepare(vote)),
        to_wire(&Message::Commit(vote)),
        to_wire(&Message::ViewChange(view_change.clone())),
        to_wire(&Message::NewView(new_view.clone())),
        to_wire(&Message::Status(Status { standpoint, signature })),
        to_wire(&Message::Handover(Handover { block: block.clone(), replica, signature })),
        to_wire(&Record::Vote { vote, block: Some(block) }),
        to_wire(&Record::Certificate { certificate }),
        to_wire(&Record::Left { view, height, block: id }),
        to_wire(&Record::Retired { reason: Retirement::Vote(vote) }),
        to_wire(&Record::ViewChange { view_change }),
        to_wire(&Record::NewView { new_view }),
        to_wire(&Record::Retired { reason: asked }),
        to_wire(&Record::Retired { reason: made }),
        to_wire(&Record::Retired { reason: Retirement::JournalGone }),
    ];
    let short = |bytes: &Vec<u8>| (bytes.len(), digest(Domain::StoredRecord, bytes).short());
    let golden = [
        (290, "e75766ae"),
        (123, "eee59f70"),
        (123, "8aed5068"),
        (206, "a6158d6c"),
        (286, "2c1b6418"),
        (179, "f7905389"),
        (238, "f4f671da"),
        (291, "1f312a0b"),
        (131, "fb5f40b0"),
        (53, "c625f8f6"),
        (127, "9c5e046d"),
        (206, "55856501"),
        (286, "61ff15db"),
        (70, "67463e0c"),
        (80, "ab0c7926"),
        (9, "c397afea"),
    ];
    assert_eq!(bytes.each_ref().map(short), golden.map(|(n, text)| (n, text.to_owned())));
}

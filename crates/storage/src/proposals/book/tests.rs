use crypto::digest::Digest;
use crypto::encoding::encoded_bytes;
use crypto::keys::Signature;
use crypto::signed::ChainId;
use pbft::ignored::Refusal;
use proptest::collection::vec;
use proptest::prelude::*;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::peer_id;
use types::proof::Proof;
use types::validators::Validator;
use types::vote::{Phase, Statement};

use super::*;
use crate::fixture::key;

fn validators() -> ValidatorSet {
    let validator = |number: u8| Validator {
        name: format!("node{number}"),
        key: key(number),
        peer_id: peer_id::of_key(&key(number + 100)),
    };
    let chain = ChainId::new(Digest::from_bytes([7; 32]));
    ValidatorSet::new(chain, (0..4).map(validator).collect()).unwrap()
}

fn id(byte: u8) -> BlockId {
    BlockId::new(Digest::from_bytes([byte; 32]))
}

/// A vote whose signature nobody looks at here.
fn vote(phase: Phase, replica: u16, (height, view, block): (u64, u64, u8)) -> Vote {
    let (height, view) = (Height::new(height), View::new(view));
    let statement = Statement { phase, view, height, block: id(block) };
    Vote { statement, replica: ReplicaId::new(replica), signature: Signature::from_bytes([3; 64]) }
}

/// A proposal of the primary of its view.
fn lost(place: (u64, u64, u8), fate: Fate) -> Lost {
    let primary = u16::try_from(place.1 % 4).unwrap();
    let proposed = vote(Phase::Prepare, primary, place);
    let statement = proposed.statement;
    Lost { statement, proposed: Some(proposed), header: None, votes: Vec::new(), fate }
}

/// What the primary signed before for another block at a place.
fn first((height, view, _): (u64, u64, u8)) -> Vote {
    vote(Phase::Prepare, u16::try_from(view % 4).unwrap(), (height, view, 0))
}

fn voted(place: (u64, u64, u8), replicas: &[u16]) -> Lost {
    let votes = replicas.iter().map(|replica| vote(Phase::Prepare, *replica, place)).collect();
    Lost { proposed: None, votes, ..lost(place, Fate::Outvoted) }
}

/// A committed block of a height, with a certificate of this view.
fn proved(height: u64, view: u64) -> ProvedBlock {
    let header = Header {
        chain: ChainId::new(Digest::ZERO),
        height: Height::new(height),
        parent: BlockId::NONE,
        view: View::FIRST,
        proposer: ReplicaId::new(0),
        timestamp_ms: 1,
        body_root: Digest::ZERO,
        transactions: 0,
        state_root: Digest::ZERO,
    };
    let (phase, view, height) = (Phase::Commit, View::new(view), header.height);
    let statement = Statement { phase, view, height, block: header.id() };
    let certificate = Certificate { statement, signatures: Vec::new() };
    let block = Block { header, body: Body::default() };
    ProvedBlock { block, proof: Proof { descendants: Vec::new(), certificate } }
}

fn book() -> LostProposals {
    LostProposals::new(&validators(), Vec::new())
}

#[test]
fn what_is_told_of_one_proposal_comes_together() {
    let mut book = book();
    let place = (5, 1, 9);
    let first = vote(Phase::Prepare, 1, (5, 1, 8));
    book.note(voted(place, &[2]));
    assert_eq!(book.page(None, 9), [], "nobody has shown that it was proposed");

    book.note(lost(place, Fate::Rival { first: Some(first) }));
    book.note(voted(place, &[2, 3, 2, 1]));
    book.note(lost(place, Fate::ViewLeft(View::new(2))));
    book.note(lost(place, Fate::ViewLeft(View::new(7))));
    book.note(lost(place, Fate::Refused(Refusal::WrongParent)));

    let votes = [2, 3].map(|replica| vote(Phase::Prepare, replica, place));
    let [found, other] = &book.page(None, 9)[..] else { panic!("{book:?}") };
    assert_eq!((other.proposed, other.rival), (first, Some(found.proposed)));
    assert_eq!((&found.votes[..], found.rival), (&votes[..], Some(first)));
    assert_eq!((found.left, found.winner), (Some(View::new(2)), None));
    assert_eq!(found.refused.as_deref(), Some("refused-wrong-parent"));
    assert_eq!(found.check(&validators()), Ok(()));
}

#[test]
fn a_commit_decides_its_height_once_and_takes_its_own_block_out() {
    let mut book = book();
    let committed = proved(5, 3);
    let own = committed.block.id();
    book.note(lost((5, 1, 9), Fate::ViewLeft(View::new(2))));
    book.note(lost((6, 1, 9), Fate::ViewLeft(View::new(2))));
    let mut left = lost((5, 2, 9), Fate::ViewLeft(View::new(3)));
    left.statement.block = own;
    left.proposed.as_mut().unwrap().statement.block = own;
    book.note(left);
    assert_eq!(book.page(None, 9).len(), 3);

    let decided = book.commit(&committed);

    let [lost] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(lost.winner, Some(Winner { block: own, view: View::new(3) }));
    assert_eq!(book.commit(&committed), [], "it is told once");
    let heights =
        book.page(None, 9).iter().map(|lost| lost.place().height.get()).collect::<Vec<_>>();
    assert_eq!(heights, [6, 5]);
}

#[test]
fn a_block_that_others_voted_for_takes_the_place_of_one_that_nobody_did() {
    let mut book = book();
    for block in 1..=20 {
        book.note(lost((5, 1, block), Fate::Rival { first: None }));
    }
    assert_eq!((book.page(None, 99).len(), book.forgotten()), (LOST_AT_PLACE_MAX, 16));
    let first_seen = book.page(None, 99).iter().all(|lost| lost.place().block <= id(4));
    assert!(first_seen, "of equal ones the newest is given up");

    let mut with_votes = voted((5, 1, 77), &[0, 2]);
    with_votes.proposed = lost((5, 1, 77), Fate::Outvoted).proposed;
    book.note(with_votes);

    assert!(book.page(None, 99).iter().any(|lost| lost.place().block == id(77)));
    assert_eq!(book.page(None, 99).len(), LOST_AT_PLACE_MAX);
}

#[test]
fn pages_go_down_and_what_was_kept_is_there_again() {
    let mut book = book();
    assert_eq!(book.take_changed(), None);
    for height in 1..=7 {
        book.note(lost((height, 1, 9), Fate::ViewLeft(View::new(2))));
    }
    let kept = book.take_changed().unwrap();
    assert_eq!((kept.len(), book.take_changed()), (7, None));

    let mut again = LostProposals::new(&validators(), kept.clone());

    assert_eq!((again.take_changed(), again.page(None, 99)), (None, book.page(None, 99)));
    let first = again.page(None, 4);
    let second = again.page(Some(first[3].place()), 4);
    assert_eq!([first, second].concat(), again.page(None, 99));
    let strange = LostProposal { proposed: vote(Phase::Prepare, 3, (1, 1, 1)), ..kept[0].clone() };
    assert_eq!(LostProposals::new(&validators(), vec![strange]).page(None, 9), []);
}

/// What a primary may bring about, and what is committed meanwhile.
fn deeds() -> impl Strategy<Value = Vec<(u64, u64, u8, u8)>> {
    vec((1_u64..400, 0_u64..8, 1_u8..=255, 0_u8..6), 0..1_500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_much_is_proposed_the_book_is_bounded_and_a_flood_costs_its_author_alone(
        deeds in deeds(),
        flood in 1_u64..1_000,
    ) {
        let mut book = book();
        for (height, view, block, kind) in deeds {
            let place = (height, view, block);
            match kind {
                0 => book.note(lost(place, Fate::Rival { first: Some(first(place)) })),
                1 => book.note(lost(place, Fate::ViewLeft(View::new(view + 1)))),
                2 => book.note(lost(place, Fate::Refused(Refusal::EmptyBody))),
                3 => book.note(voted(place, &[0, 1, 2, 3])),
                4 => drop(book.commit(&proved(height, view))),
                _ => {
                    let proposed = lost(place, Fate::Outvoted).proposed;
                    book.note(Lost { proposed, ..voted(place, &[0, 1, 2, 3]) });
                }
            }
            prop_assert!(book.page(None, usize::MAX).len() <= LOST_MAX);
        }
        let of = |book: &LostProposals, guilty: bool| {
            let all = book.page(None, usize::MAX).into_iter();
            all.filter(|lost| (lost.proposer() == ReplicaId::new(2)) == guilty).collect::<Vec<_>>()
        };
        let others = of(&book, false);

        // Replica 2 leads views 2 and 6, and proposes rivals at every height it likes.
        for step in 0..flood {
            let block = u8::try_from(step % 250).unwrap() + 1;
            let place = (step % 700, if step % 2 == 0 { 2 } else { 6 }, block);
            book.note(lost(place, Fate::Rival { first: Some(first(place)) }));
        }

        prop_assert_eq!(of(&book, false), others);
        prop_assert!(of(&book, true).len() <= LOST_MAX / 4);
        for lost in book.page(None, usize::MAX) {
            prop_assert!(lost.votes.len() <= 8 && encoded_bytes(&lost) < 2_000);
            prop_assert_eq!(lost.check(&validators()), Ok(()));
        }
    }
}

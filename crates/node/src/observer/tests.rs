use crypto::signed::Signed;
use pbft::status::{Held, Lacks, Standpoint, Status};
use pbft::{Fate, Lost, Outgoing, Recipients};
use types::number::View;
use types::vote::Phase;

use super::*;
use crate::fixture::{genesis, key, pre_prepare, proved, transfer, vote};

fn observer(genesis: &Genesis, kept: Vec<LostProposal>) -> Observer {
    Observer::new(genesis, Arc::new(EventHub::new()), kept)
}

fn status(genesis: &Genesis, replica: u16, view: u64, lacks: Option<Lacks>) -> Message {
    let standpoint = Standpoint {
        replica: ReplicaId::new(replica),
        view: View::new(view),
        entered: true,
        committed: Height::new(6),
        lacks,
    };
    Message::Status(Status::sign(standpoint, genesis.chain(), &key(replica)))
}

/// The primary's proposal of a transfer at height 1, which this validator left with its view.
fn lost(genesis: &Genesis) -> Lost {
    let transactions = vec![transfer(genesis)];
    let proposed = pre_prepare(genesis, (View::FIRST, Height::new(1)), transactions);
    Lost {
        statement: proposed.vote.statement,
        proposed: Some(proposed.vote),
        header: Some(proposed.block.header),
        votes: Vec::new(),
        fate: Fate::ViewLeft(View::new(1)),
    }
}

#[test]
fn the_last_words_of_everybody_are_kept_with_what_they_wait_for() {
    let genesis = genesis(4);
    let observer = observer(&genesis, Vec::new());
    let members = |numbers: &[u16]| numbers.iter().map(|it| ReplicaId::new(*it)).collect();
    let held = Held { proposal: true, prepares: members(&[0, 2]), commits: members(&[2]) };
    let lacks = Lacks { view_changes: members(&[1]), heights: vec![held], block: None };

    for (view, lacks) in [(3, None), (4, Some(lacks))] {
        let message = Signed::vouched(status(&genesis, 2, view, lacks));
        observer.hear(&Input::Message(message));
    }
    let own = Outgoing { to: Recipients::All, message: status(&genesis, 1, 4, None) };
    observer.see(&mut Output { messages: vec![own], ..Output::default() });

    let [own, other] = &observer.said()[..] else { panic!("{:?}", observer.said()) };
    assert_eq!((own.replica, own.view, &own.waits), (1, View::new(4), &None));
    assert_eq!((other.replica, other.view, other.committed), (2, View::new(4), Height::new(6)));
    let next = NextHeight {
        height: Height::new(7),
        proposal: true,
        prepares: vec![0, 2],
        commits: vec![2],
    };
    let waits = Waits { view_changes: vec![1], next: Some(next), block: None };
    assert_eq!(other.waits.as_ref(), Some(&waits));
    let bytes: Status = hex::from_hex_wire(&other.status, 10_000).unwrap();
    assert_eq!(bytes.standpoint.replica, ReplicaId::new(2));
}

#[test]
fn a_proposal_is_lost_when_another_block_is_committed_and_is_written_once() {
    let genesis = genesis(4);
    let observer = observer(&genesis, Vec::new());
    assert_eq!(observer.unsaved(true), None);
    observer.see(&mut Output { lost: vec![lost(&genesis)], ..Output::default() });
    assert_eq!(observer.lost(None, 9).0[0].winner, None);
    assert_eq!(observer.unsaved(false), None, "not so soon");

    observer.see(&mut Output { committed: proved(&genesis, 1), ..Output::default() });

    let kept = observer.unsaved(true).unwrap();
    assert_eq!(observer.unsaved(true), None);
    let [lost] = &kept[..] else { panic!("{kept:?}") };
    let winner = lost.winner.map(|winner| winner.block);
    assert_eq!(winner, Some(proved(&genesis, 1)[0].block.id()));
    let voted = vote(&genesis, 0, Phase::Prepare, lost.header.as_ref().unwrap());
    assert_eq!(lost.proposed, voted);
    assert_eq!(self::observer(&genesis, kept.clone()).lost(None, 9), (kept, 0));
}

/// A process that dies between a commit and the next writing reads what it knew before.
#[test]
fn what_was_committed_after_the_last_writing_is_taken_from_the_blocks() {
    let genesis = genesis(4);
    let writer = observer(&genesis, Vec::new());
    let undecided = lost(&genesis);
    writer.see(&mut Output { lost: vec![undecided.clone()], ..Output::default() });
    let kept = writer.unsaved(true).unwrap();
    assert_eq!(kept.len(), 1);
    let rival = proved(&genesis, 1).remove(0);
    assert_ne!(rival.block.id(), undecided.statement.block);

    let again = observer(&genesis, kept.clone());
    again.look_back(|_| Some(Arc::new(rival.clone())));
    let (told, _) = again.lost(None, 9);
    assert_eq!(told[0].winner.map(|winner| winner.block), Some(rival.block.id()));
    assert!(again.unsaved(true).is_some());

    // One that cannot be read decides nothing.
    let again = observer(&genesis, kept);
    again.look_back(|_| None);
    assert_eq!(again.lost(None, 9).0[0].winner, None);
}

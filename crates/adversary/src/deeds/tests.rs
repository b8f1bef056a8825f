use anstream::adapter::strip_str;
use byzantine::Deed;
use byzantine::traitor::Act;
use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use pbft::{Message, Outgoing, Recipients};
use program::output::Report;
use types::block::BlockId;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::transaction::TransactionId;
use types::view_change::ViewChange;
use types::vote::{Phase, Statement, Vote};

use super::Told;

fn chain() -> ChainId {
    ChainId::new(Digest::ZERO)
}

fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}

fn deed(to: Recipients, message: Message) -> Deed {
    Deed { attack: "equivocate", act: Act::Says(Outgoing { to, message }) }
}

fn commit() -> Vote {
    let block = BlockId::new(Digest::from_bytes([0xab; 32]));
    let statement =
        Statement { phase: Phase::Commit, view: View::new(2), height: Height::new(5), block };
    Vote::sign(statement, ReplicaId::new(0), &chain(), &key())
}

fn told(deed: &Deed) -> Told {
    Told::of(deed, &["anna".to_owned(), "bert".to_owned()]).unwrap()
}

#[test]
fn a_vote_is_told_with_all_that_is_signed_and_the_signature() {
    let (one, vote) = (Recipients::One(ReplicaId::new(1)), commit());

    let json = serde_json::to_value(told(&deed(one, Message::Commit(vote)))).unwrap();

    let expected = serde_json::json!({
        "attack": "equivocate",
        "act": "says",
        "message": "commit",
        "to": "bert",
        "view": 2,
        "height": 5,
        "block": "ab".repeat(32),
        "signature": vote.signature.to_string(),
    });
    assert_eq!(json, expected);
}

#[test]
fn a_view_change_without_a_certificate_is_about_a_view_alone() {
    let asked = ViewChange::sign(View::new(3), None, ReplicaId::new(0), &chain(), &key());

    let told = told(&deed(Recipients::All, Message::ViewChange(asked.clone())));

    let mut text = Vec::new();
    told.text(&mut text).unwrap();
    let text = strip_str(std::str::from_utf8(&text).unwrap()).to_string();
    let signature: String = asked.signature.to_string().chars().take(8).collect();
    assert_eq!(text, format!("equivocate view-change to all  view 3  signature {signature}\n"));
}

#[test]
fn what_is_turned_away_is_told_and_what_is_left_unsaid_is_not() {
    let id = TransactionId::new(Digest::from_bytes([0xcd; 32]));
    let away = Deed { attack: "censor", act: Act::TurnsAway(id) };
    let said = Outgoing { to: Recipients::All, message: Message::Commit(commit()) };
    let unsaid = Deed { attack: "silent", act: Act::Withholds(said) };

    let json = serde_json::to_value(told(&away)).unwrap();

    assert_eq!(
        (&json["act"], &json["transaction"]),
        (&"turns-away".into(), &"cd".repeat(32).into())
    );
    let mut text = Vec::new();
    told(&away).text(&mut text).unwrap();
    let text = strip_str(std::str::from_utf8(&text).unwrap()).to_string();
    assert_eq!(text, "censor turns-away  transaction cdcdcdcd\n");
    assert!(Told::of(&unsaid, &[]).is_none());
}

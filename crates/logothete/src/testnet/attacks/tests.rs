use types::quorum::Quorum;

use super::{Attacks, must_be_tolerated};
use crate::failure::Exit;
use crate::testnet::node::Node;

#[test]
fn attacks_are_told_apart_from_their_victims() {
    let parsed = Attacks::parse("silent:victims=1+2,from=3+equivocate").unwrap();

    assert_eq!(parsed.list(), ["silent:victims=1+2,from=3", "equivocate"]);
    assert_eq!(parsed.to_string(), "silent:victims=1+2,from=3+equivocate");
    assert!(Attacks::parse("honest").unwrap().is_honest());
}

#[test]
fn what_cannot_be_an_attack_is_refused() {
    for wrong in ["", "+", "silent+", "1+silent", "--config", "a b", "silent\nx", "silent++2"] {
        let error = Attacks::parse(wrong).unwrap_err();
        assert!(error.contains("is no attack"), "{wrong}: {error}");
    }
}

#[test]
fn a_validator_is_what_it_was_made_until_it_is_made_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::new(folder.path(), 2);
    std::fs::create_dir(node.folder()).unwrap();
    let attacks = Attacks::parse("silent+equivocate").unwrap();
    assert!(Attacks::of(&node).unwrap().is_honest());

    attacks.give(&node).unwrap();
    assert_eq!(Attacks::of(&node).unwrap(), attacks);

    for _ in 0..2 {
        Attacks::default().give(&node).unwrap();
        assert!(Attacks::of(&node).unwrap().is_honest());
    }
}

#[test]
fn as_many_adversaries_as_the_network_tolerates_are_welcome_and_more_on_demand() {
    for (n, t) in [(1, 0), (3, 0), (4, 1), (6, 1), (7, 2)] {
        let quorum = Quorum::of(n);
        assert_eq!(must_be_tolerated(t, quorum, false), Ok(()));
        assert_eq!(must_be_tolerated(t + 1, quorum, true), Ok(()));
        let failure = must_be_tolerated(t + 1, quorum, false).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.hint.unwrap().contains("--break-safety"));
    }
}

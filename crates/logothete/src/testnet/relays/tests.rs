use std::fs;

use super::*;
use crate::failure::Exit;
use crate::testnet::Testnet;
use crate::testnet::relays::faults::Effect;

fn made(validators: usize) -> (tempfile::TempDir, Testnet) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("net"));
    let (testnet, _) = Testnet::prepare(layout, Some(validators), None).unwrap();
    (folder, testnet)
}

#[test]
fn every_validator_listens_at_a_place_of_its_own_and_announces_its_relay() {
    let (_folder, testnet) = made(4);
    let relays = testnet.relays();
    assert!(!relays.exist());

    relays.make(&testnet.nodes()).unwrap();

    assert!(relays.exist());
    let places = relays.places().unwrap();
    let mut all: Vec<SocketAddr> =
        places.iter().flat_map(|place| [place.listens, place.relay]).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8);
    for (node, place) in testnet.nodes().iter().zip(&places) {
        let config = ::node::Config::load(&node.config()).unwrap();
        let multiaddress = |at: SocketAddr| vec![format!("/ip4/{}/tcp/{}", at.ip(), at.port())];
        assert_eq!(config.p2p_listen, multiaddress(place.listens));
        assert_eq!(config.p2p_announce, multiaddress(place.relay));
    }
}

#[test]
fn a_testnet_keeps_the_relays_that_it_has() {
    let (_folder, testnet) = made(2);
    let relays = testnet.relays();
    relays.make(&testnet.nodes()).unwrap();
    let places = relays.places().unwrap();

    relays.make(&testnet.nodes()).unwrap();

    assert_eq!(relays.places().unwrap(), places);
}

#[test]
fn a_configuration_without_those_keys_is_not_changed() {
    let (_folder, testnet) = made(1);
    let node = testnet.node(0).unwrap();
    let text = fs::read_to_string(node.config()).unwrap().replace("p2p_announce = []\n", "");
    fs::write(node.config(), &text).unwrap();

    let failure = testnet.relays().make(&testnet.nodes()).unwrap_err();

    assert_eq!(failure.exit, Exit::Refused);
    assert!(failure.text.contains("config.toml has not p2p_listen"), "{}", failure.text);
    assert_eq!(fs::read_to_string(node.config()).unwrap(), text);
    assert!(!testnet.relays().exist());
}

#[test]
fn links_that_nobody_carries_cannot_be_changed() {
    let (_folder, testnet) = made(1);
    let relays = testnet.relays();
    let fault = [LinkFault { node: 0, effect: Effect::OmitSend }];

    let without = relays.add(&fault).unwrap_err();
    relays.make(&testnet.nodes()).unwrap();
    let stopped = relays.add(&fault).unwrap_err();

    assert!(without.hint.unwrap().contains("`logothete testnet up --relays`"));
    assert_eq!(relays.must_run().unwrap_err().text, DOWN);
    assert_eq!((without.exit, stopped.exit), (Exit::Refused, Exit::Refused));
    assert_eq!(stopped.text, DOWN);
    assert_eq!(relays.faults().unwrap(), LinkFaults::default());
}

#[test]
fn a_testnet_is_deleted_with_its_relays_and_without_what_is_not_theirs() {
    let (_folder, testnet) = made(1);
    let relays = testnet.relays();
    relays.make(&testnet.nodes()).unwrap();
    let strange = relays.folder().join("notes");
    fs::write(&strange, "mine").unwrap();

    crate::testnet::remove::remove(&testnet.layout).unwrap();
    assert!(strange.exists());
    assert!(!relays.exist());
    fs::remove_file(&strange).unwrap();
    relays.remove().unwrap();

    assert!(!relays.folder().exists());
}

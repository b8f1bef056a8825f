use super::chosen;
use crate::cli::{NodeChoice, NodesArguments};
use crate::failure::Exit;
use crate::testnet::Testnet;
use crate::testnet::layout::Layout;

fn testnet() -> (tempfile::TempDir, Testnet) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("net"));
    let (testnet, _) = Testnet::prepare(layout, Some(3), None).unwrap();
    (folder, testnet)
}

#[test]
fn each_named_validator_is_chosen_once_in_order() {
    let (_folder, testnet) = testnet();
    let names = |nodes: Vec<NodeChoice>| -> Vec<String> {
        let chosen = chosen(&testnet, &NodesArguments { nodes }).unwrap();
        chosen.iter().map(|node| node.name()).collect()
    };

    let (two, zero) = (NodeChoice::One(2), NodeChoice::One(0));
    assert_eq!(names(vec![two, zero, two]), ["node0", "node2"]);
    assert_eq!(names(vec![two, NodeChoice::All]), ["node0", "node1", "node2"]);
}

#[test]
fn one_unknown_validator_means_that_none_is_touched() {
    let (_folder, testnet) = testnet();

    let nodes = vec![NodeChoice::One(0), NodeChoice::One(3)];
    let failure = chosen(&testnet, &NodesArguments { nodes }).unwrap_err();

    assert_eq!(failure.exit, Exit::NotFound);
}

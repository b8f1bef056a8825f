use super::*;

#[test]
fn what_is_no_validators_data_is_named_with_what_may_be_meant() {
    let root = tempfile::tempdir().unwrap();
    let node = root.path().join("node1");
    fs::create_dir_all(node.join("data")).unwrap();

    let nowhere = validators_data(&root.path().join("nowhere")).unwrap_err();
    let empty = validators_data(root.path()).unwrap_err();
    fs::write(node.join("data/identity"), "").unwrap();
    let testnet = validators_data(root.path()).unwrap_err();

    assert!(nowhere.text.starts_with("there is no /"), "{nowhere:?}");
    assert!(empty.text.ends_with("is not a validator's data directory"), "{empty:?}");
    assert_eq!(empty.hint, None);
    assert_eq!(testnet.hint, Some(format!("name one validator, as {}", node.display())));
    assert_eq!(nowhere.exit, Exit::NotFound);
    assert_eq!(validators_data(&node).unwrap(), node.join("data"));
    assert_eq!(validators_data(&node.join("data")).unwrap(), node.join("data"));
}

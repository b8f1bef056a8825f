use std::fs;
use std::path::{Path, PathBuf};

use super::{FindError, Network, RunFile, choose_directory};
use crate::tests::network;

fn run_file(number: u16, api: &str) -> String {
    let run = RunFile {
        pid: 7,
        name: format!("validator-{number}"),
        replica: number,
        api: api.to_owned(),
        p2p: "/ip4/127.0.0.1/tcp/1".to_owned(),
    };
    serde_json::to_string(&run).unwrap()
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("genesis.toml"), network::genesis().to_toml()).unwrap();
    directory
}

fn start(directory: &Path, number: u16, text: &str) {
    let node = directory.join(format!("node{number}"));
    fs::create_dir(&node).unwrap();
    fs::write(node.join("run.json"), text).unwrap();
}

#[test]
fn a_network_is_its_genesis_and_the_validators_that_run() {
    let directory = directory();
    start(directory.path(), 0, &run_file(0, "http://127.0.0.1:1001"));
    start(directory.path(), 2, &run_file(2, "http://127.0.0.1:1003"));
    // One that is being written, one that makes no sense, and one that is no validator of the
    // genesis.
    start(directory.path(), 1, "{\"pid\":");
    start(directory.path(), 3, &run_file(3, "ftp://127.0.0.1"));
    start(directory.path(), 4, &run_file(4, "http://127.0.0.1:1005"));

    let network = Network::find(directory.path()).unwrap();

    assert_eq!(network.genesis, network::genesis());
    let urls: Vec<&str> = network.endpoints.iter().map(|it| it.client.url()).collect();
    assert_eq!(urls, ["http://127.0.0.1:1001", "http://127.0.0.1:1003"]);
    assert_eq!(network.endpoints[1].name, "validator-2");
}

#[test]
fn a_network_whose_validators_are_stopped_is_still_known() {
    assert!(Network::find(directory().path()).unwrap().endpoints.is_empty());
}

#[test]
fn a_genesis_longer_than_any_is_not_read() {
    let directory = directory();
    let path = directory.path().join("genesis.toml");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(super::GENESIS_BYTES_MAX + 1).unwrap();

    let error = Network::find(directory.path()).unwrap_err();

    let FindError::TooLong { path: named, bytes, bytes_max } = error else {
        panic!("{error}");
    };
    assert_eq!((named, bytes, bytes_max), (path, bytes_max + 1, super::GENESIS_BYTES_MAX));
}

#[test]
fn where_there_is_no_network_the_error_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();

    let error = Network::find(directory.path()).unwrap_err();

    assert!(matches!(error, FindError::NoNetwork { .. }));
    let text = error.to_string();
    assert!(
        text.contains("testnet up") && text.contains("--dir") && text.contains("LOGOTHETE_DIR")
    );
}

#[test]
fn a_wrong_genesis_is_named() {
    let directory = directory();
    fs::write(directory.path().join("genesis.toml"), "name = 1").unwrap();

    let error = Network::find(directory.path()).unwrap_err();

    assert!(matches!(error, FindError::Genesis { .. }), "{error}");
    fs::write(directory.path().join("genesis.toml"), [0xff]).unwrap();
    let error = Network::find(directory.path()).unwrap_err();
    assert!(matches!(error, FindError::Unreadable { .. }), "{error}");
}

#[test]
fn given_urls_are_checked_and_counted_once() {
    let directory = directory();
    let genesis = directory.path().join("genesis.toml");
    let urls = ["http://a:1", "http://b:2/", "http://a:1/"].map(str::to_owned);

    let network = Network::at(&genesis, &urls).unwrap();

    let found: Vec<&str> = network.endpoints.iter().map(|it| it.client.url()).collect();
    assert_eq!(found, ["http://a:1", "http://b:2"]);
    let wrong = Network::at(&genesis, &["https://a".to_owned()]);
    assert!(matches!(wrong, Err(FindError::Url(_))));
}

#[test]
fn the_directory_is_the_given_one_or_the_variable_or_the_default() {
    let given = Path::new("given");
    let variable = Some(PathBuf::from("variable"));

    assert_eq!(choose_directory(Some(given), variable.clone()), given);
    assert_eq!(choose_directory(None, variable), Path::new("variable"));
    assert_eq!(choose_directory(None, Some(PathBuf::new())), Path::new("./testnet"));
    assert_eq!(choose_directory(None, None), Path::new("./testnet"));
}

use std::fs;

use super::*;
use types::address::Address;
use types::amount::Amount;
use types::genesis::GenesisBuilder;
use types::validators::Validator;

/// A folder with everything that a validator of a network of one needs.
struct Fixture {
    dir: tempfile::TempDir,
}

const TEXT: &str = r#"
name = "node0"
genesis = "genesis.toml"
data = "data"
validator_key = "validator.key"
node_key = "node.key"
p2p_listen = ["/ip4/127.0.0.1/tcp/0"]
api_listen = "127.0.0.1:0"
"#;

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::from_seed([1; 32]).public_key();
        let mut genesis = GenesisBuilder::local("test");
        genesis.validators.push(Validator {
            name: "node0".into(),
            key,
            peer_id: network::peer_id_of(&[2; 32]),
        });
        let holder = SecretKey::from_seed([3; 32]).public_key();
        genesis.accounts.push((Address::Key(holder), Amount::new(100)));
        let text = genesis.build().unwrap().to_toml();
        fs::write(dir.path().join("genesis.toml"), text).unwrap();
        key_file::create(&dir.path().join("validator.key"), &[1; 32]).unwrap();
        key_file::create(&dir.path().join("node.key"), &[2; 32]).unwrap();
        Self { dir }
    }

    fn load(&self, text: &str) -> Result<Config, ConfigError> {
        let path = self.dir.path().join("config.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    fn refusal(&self, text: &str) -> String {
        self.load(text).err().unwrap().to_string()
    }

    fn replace_key(&self, name: &str, seed: [u8; 32]) {
        let path = self.dir.path().join(name);
        fs::remove_file(&path).unwrap();
        key_file::create(&path, &seed).unwrap();
    }
}

#[test]
fn a_whole_configuration_is_read_with_everything_it_names() {
    let fixture = Fixture::new();

    let config = fixture.load(TEXT).unwrap();

    assert_eq!(config.replica, ReplicaId::new(0));
    assert_eq!(config.data, fixture.dir.path().join("data"));
    assert!(config.p2p_bootstrap.is_empty() && !config.p2p_mdns);
}

#[test]
fn what_is_announced_is_where_others_are_sent() {
    let fixture = Fixture::new();
    let end = format!("/p2p/{}", network::peer_id_of(&[2; 32]));

    let load =
        |announced: &str| fixture.load(&format!("{TEXT}\np2p_announce = [{announced}]\n")).unwrap();

    let address = Some(format!("/dns4/example/tcp/7{end}"));
    assert_eq!(load("").dialled(), None);
    assert_eq!(load("\"/dns4/example/tcp/7\"").dialled(), address);
    assert_eq!(load(&format!("\"/dns4/example/tcp/7{end}\"")).dialled(), address);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_right_one() {
    let refusal = Fixture::new().refusal(&format!("{TEXT}\np2p_bootstrp = []\n"));

    assert!(
        refusal.contains("line 10: unknown key `p2p_bootstrp`, did you mean `p2p_bootstrap`?"),
        "{refusal}"
    );
}

#[test]
fn a_key_like_no_other_is_refused_with_all_keys() {
    let refusal = Fixture::new().refusal(&format!("{TEXT}\nsomething_else_entirely = 1\n"));

    assert!(refusal.contains("the keys are name, genesis"), "{refusal}");
}

#[test]
fn a_missing_key_is_named() {
    let refusal = Fixture::new().refusal(&TEXT.replace("data = \"data\"\n", ""));

    assert!(refusal.contains("missing field `data`"), "{refusal}");
}

#[test]
fn a_validator_that_listens_nowhere_is_refused() {
    let listen = r#"p2p_listen = ["/ip4/127.0.0.1/tcp/0"]"#;

    let refusal = Fixture::new().refusal(&TEXT.replace(listen, "p2p_listen = []"));

    assert!(refusal.contains("p2p_listen: at least one address"), "{refusal}");
}

#[test]
fn a_validator_key_that_the_genesis_does_not_name_is_refused() {
    let fixture = Fixture::new();
    fixture.replace_key("validator.key", [9; 32]);

    assert!(matches!(fixture.load(TEXT), Err(ConfigError::NotAMember { .. })));
}

#[test]
fn a_node_key_that_the_genesis_does_not_bind_is_refused() {
    let fixture = Fixture::new();
    fixture.replace_key("node.key", [9; 32]);

    assert!(matches!(fixture.load(TEXT), Err(ConfigError::OtherPeer { .. })));
}

#[test]
fn another_name_than_the_genesis_gives_is_refused() {
    let fixture = Fixture::new();

    let result = fixture.load(&TEXT.replace("node0", "node1"));

    assert!(matches!(result, Err(ConfigError::OtherName { .. })));
}

#[test]
fn a_genesis_that_does_not_hold_is_refused_by_its_file() {
    let fixture = Fixture::new();
    fs::write(fixture.dir.path().join("genesis.toml"), "name = 1").unwrap();

    assert!(matches!(fixture.load(TEXT), Err(ConfigError::Genesis { .. })));
}

#[test]
fn a_missing_file_is_named() {
    let fixture = Fixture::new();
    fs::remove_file(fixture.dir.path().join("node.key")).unwrap();

    let refusal = fixture.refusal(TEXT);

    assert!(refusal.contains("node.key"), "{refusal}");
}

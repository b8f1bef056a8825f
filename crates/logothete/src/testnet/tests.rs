use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::failure::Exit;
use crate::testnet::hold::Hold;
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::process::{Condition, Process};
use crate::testnet::{Testnet, remove, stop};

/// A directory for a testnet, deleted in the end.
fn place() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("net"));
    (folder, layout)
}

fn made(validators: usize, seed: u64) -> (tempfile::TempDir, Testnet) {
    let (folder, layout) = place();
    let (testnet, created) = Testnet::prepare(layout, Some(validators), Some(seed)).unwrap();
    assert!(created);
    (folder, testnet)
}

/// Every file below a folder, with its mode and content.
fn files(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            found.insert(name, (mode, fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn a_new_testnet_consists_of_these_files_and_its_secrets_are_private() {
    let (_folder, testnet) = made(2, 0);

    let files = files(testnet.layout.root());

    let modes: Vec<_> = files.iter().map(|(name, (mode, _))| (name.as_str(), *mode)).collect();
    let expected = [
        ("accounts.toml", 0o600),
        ("genesis.toml", 0o644),
        ("node0/config.toml", 0o644),
        ("node0/node.key", 0o600),
        ("node0/validator.key", 0o600),
        ("node1/config.toml", 0o644),
        ("node1/node.key", 0o600),
        ("node1/validator.key", 0o600),
    ];
    // The umask may take away more, never less.
    for ((name, mode), (expected_name, most)) in modes.iter().zip(expected) {
        assert_eq!(*name, expected_name);
        assert_eq!(mode & !most, 0, "{name} has the mode {mode:o}");
    }
    assert_eq!(modes.len(), expected.len());
}

#[test]
fn the_same_seed_writes_the_same_files() {
    let ((_a, one), (_b, two)) = (made(3, 9), made(3, 9));

    assert_eq!(files(one.layout.root()), files(two.layout.root()));
}

#[test]
fn a_validator_accepts_its_configuration() {
    let (_folder, testnet) = made(4, 1);

    for node in testnet.nodes() {
        let config = ::node::Config::load(&node.config()).unwrap();
        assert_eq!(usize::from(config.replica.get()), node.index());
        assert_eq!(config.genesis.chain(), testnet.genesis.chain());
        assert_eq!(config.data, node.data());
    }
}

#[test]
fn an_existing_testnet_is_used_again_whatever_is_left_unsaid() {
    let (_folder, testnet) = made(2, 9);
    let before = files(testnet.layout.root());

    for (validators, seed) in [(None, None), (Some(2), None), (None, Some(9)), (Some(2), Some(9))] {
        let (again, created) = Testnet::prepare(testnet.layout.clone(), validators, seed).unwrap();
        assert!(!created);
        assert_eq!(again.genesis, testnet.genesis);
    }

    assert_eq!(files(testnet.layout.root()), before);
}

#[test]
fn another_size_or_seed_than_the_existing_testnet_is_refused() {
    let (_folder, testnet) = made(2, 9);
    let before = files(testnet.layout.root());

    let size = Testnet::prepare(testnet.layout.clone(), Some(3), Some(9)).unwrap_err();
    let seed = Testnet::prepare(testnet.layout.clone(), None, Some(8)).unwrap_err();

    assert!(size.text.contains("is of size 2, not 3"), "{}", size.text);
    assert!(seed.text.contains("was made from seed 9, not 8"), "{}", seed.text);
    for failure in [size, seed] {
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.hint.unwrap().contains("--reset"));
    }
    assert_eq!(files(testnet.layout.root()), before);
}

#[test]
fn a_directory_with_anything_else_is_left_alone() {
    for name in ["thesis.tex", "node0x", "node01", "genesis.toml"] {
        let (_folder, layout) = place();
        fs::create_dir_all(layout.root()).unwrap();
        fs::write(layout.root().join(name), "precious").unwrap();

        assert!(matches!(layout.kind().unwrap(), Kind::Other { .. }), "{name}");
        let failure = Testnet::prepare(layout.clone(), None, None).unwrap_err();

        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(fs::read_to_string(layout.root().join(name)).unwrap(), "precious");
        assert_eq!(fs::read_dir(layout.root()).unwrap().count(), 1);
    }
}

#[test]
fn a_folder_that_is_called_like_the_relays_makes_no_testnet() {
    let (_folder, layout) = place();
    let log = layout.root().join("relays/log");
    fs::create_dir_all(layout.root().join("relays")).unwrap();
    fs::write(&log, "precious").unwrap();

    let failure = Testnet::prepare(layout.clone(), None, None).unwrap_err();

    assert_eq!(layout.kind().unwrap(), Kind::Other { found: "relays".to_owned() });
    assert_eq!(failure.exit, Exit::Refused);
    assert_eq!(fs::read_to_string(log).unwrap(), "precious");
}

#[test]
fn a_testnet_that_lost_its_genesis_but_has_a_chain_is_left_alone() {
    let (_folder, testnet) = made(1, 0);
    fs::create_dir(testnet.layout.node(0).data()).unwrap();
    fs::remove_file(testnet.layout.genesis()).unwrap();

    let failure = Testnet::prepare(testnet.layout.clone(), None, None).unwrap_err();

    assert_eq!(failure.exit, Exit::Refused);
    assert!(testnet.layout.node(0).data().exists());
}

#[test]
fn what_an_interrupted_creation_left_is_made_again() {
    let (_folder, testnet) = made(3, 4);
    let whole = files(testnet.layout.root());
    fs::remove_file(testnet.layout.genesis()).unwrap();
    fs::remove_file(testnet.layout.node(1).config()).unwrap();
    assert_eq!(testnet.layout.kind().unwrap(), Kind::Remains);

    let (_, created) = Testnet::prepare(testnet.layout.clone(), Some(3), Some(4)).unwrap();

    assert!(created);
    assert_eq!(files(testnet.layout.root()), whole);
}

#[test]
fn deleting_takes_only_what_a_testnet_consists_of() {
    let (_folder, testnet) = made(2, 0);
    let layout = &testnet.layout;
    fs::create_dir_all(layout.node(0).data().join("store")).unwrap();
    fs::write(layout.node(0).data().join("store/db"), "chain").unwrap();
    fs::write(layout.node(0).log(), "said").unwrap();
    fs::write(layout.node(0).attacks(), "silent").unwrap();
    fs::write(layout.node(0).deeds(), "{}").unwrap();
    fs::write(layout.root().join("notes.txt"), "mine").unwrap();
    fs::write(layout.node(1).folder().join("notes.txt"), "mine, too").unwrap();

    remove::remove(layout).unwrap();

    let left: Vec<_> = files(layout.root()).into_keys().collect();
    assert_eq!(left, ["node1/notes.txt", "notes.txt"]);
    assert!(!layout.node(0).folder().exists());
}

#[test]
fn deleting_does_not_follow_links_out_of_the_testnet() {
    let (folder, testnet) = made(2, 0);
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("config.toml"), "mine").unwrap();
    fs::remove_dir_all(testnet.layout.node(1).folder()).unwrap();
    symlink(&outside, testnet.layout.node(1).folder()).unwrap();
    symlink(&outside, testnet.layout.node(0).data()).unwrap();
    fs::write(outside.join("log"), "mine").unwrap();
    symlink(&outside, testnet.layout.root().join("relays")).unwrap();

    remove::remove(&testnet.layout).unwrap();

    assert_eq!(fs::read_to_string(outside.join("log")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(outside.join("config.toml")).unwrap(), "mine");
}

#[test]
fn a_place_without_a_testnet_says_how_to_get_one() {
    let (_folder, layout) = place();

    let failure = Testnet::find(Some(layout.root())).unwrap_err();

    assert_eq!(failure.exit, Exit::NotFound);
    assert!(failure.text.starts_with("no testnet at "), "{}", failure.text);
    let hint = failure.hint.unwrap();
    for word in ["logothete testnet up", "--dir", "LOGOTHETE_DIR"] {
        assert!(hint.contains(word), "{hint}");
    }
}

#[test]
fn a_validator_that_the_testnet_has_not_is_not_found() {
    let (_folder, testnet) = made(2, 0);

    assert_eq!(testnet.node(1).unwrap().name(), "node1");
    let failure = testnet.node(2).unwrap_err();

    assert_eq!(failure.exit, Exit::NotFound);
    assert_eq!(failure.text, "there is no node2: the validators are node0 to node1");
}

#[test]
fn a_damaged_genesis_is_said_with_its_line() {
    let (_folder, testnet) = made(1, 0);
    fs::write(testnet.layout.genesis(), "name = 3\n").unwrap();

    let failure = Testnet::open(testnet.layout.clone()).unwrap_err();

    assert_eq!(failure.exit, Exit::Fault);
    assert!(failure.text.contains("line 1: name must be"), "{}", failure.text);
}

#[test]
fn one_up_at_a_time_works_on_a_testnet() {
    let (_folder, testnet) = made(1, 0);
    assert_eq!(Hold::holder(&testnet.layout.up_lock()).unwrap(), None);

    let hold = Hold::of_up(&testnet.layout).unwrap();
    let failure = Hold::of_up(&testnet.layout).unwrap_err();

    assert_eq!(failure.exit, Exit::Refused);
    let pid = std::process::id();
    assert!(failure.text.contains(&format!("(process {pid})")), "{}", failure.text);
    assert_eq!(Hold::holder(&testnet.layout.up_lock()).unwrap().unwrap().id(), pid);
    drop(hold);
    assert_eq!(Hold::holder(&testnet.layout.up_lock()).unwrap(), None);
    Hold::of_up(&testnet.layout).unwrap();
}

#[test]
fn nobody_runs_in_a_testnet_that_was_only_made() {
    let (_folder, testnet) = made(1, 0);

    assert_eq!(testnet.layout.node(0).process().unwrap(), None);
}

/// A process that ends when it is killed, and a lock that bears its id and outlasts it: what is seen of a process
/// whose main thread has ended while its other threads keep its files open.
struct Lingering {
    child: Child,
    process: Process,
    lock: File,
}

impl Lingering {
    fn on(path: &Path) -> Self {
        let child =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lock = File::create_new(path).unwrap();
        lock.try_lock().unwrap();
        writeln!(lock, "{}", child.id()).unwrap();
        Self { process: Process::of(child.id()).unwrap(), child, lock }
    }

    fn await_end(&self) {
        while self.process.condition() != Condition::Gone {
            std::thread::yield_now();
        }
    }

    /// The last of it goes.
    fn vanish(mut self) {
        drop(self.lock);
        self.child.wait().unwrap();
    }
}

#[test]
fn a_killed_validator_is_gone_when_its_directory_is_free() {
    let (_folder, testnet) = made(1, 0);
    let node = testnet.layout.node(0);
    fs::create_dir(node.data()).unwrap();
    let lingering = Lingering::on(&node.data().join("lock"));
    let process = lingering.process.clone();
    assert!(!node.is_free_of(&process).unwrap());

    process.signal(Signal::KILL).unwrap();
    lingering.await_end();
    assert!(!node.is_free_of(&process).unwrap());
    std::thread::scope(|scope| {
        let killing = scope.spawn(|| stop::kill(&node, &process));
        std::thread::yield_now();
        assert!(!killing.is_finished());
        lingering.vanish();
        killing.join().unwrap().unwrap();
    });

    assert!(node.is_free_of(&process).unwrap());
}

#[test]
fn a_directory_that_another_process_took_is_free_of_the_killed_one() {
    let (_folder, testnet) = made(1, 0);
    let node = testnet.layout.node(0);
    fs::create_dir(node.data()).unwrap();
    let mut lingering = Lingering::on(&node.data().join("lock"));
    lingering.process.signal(Signal::KILL).unwrap();
    lingering.await_end();

    // A lock without an id was taken a moment ago.
    lingering.lock.set_len(0).unwrap();
    lingering.lock.rewind().unwrap();
    assert!(node.is_free_of(&lingering.process).unwrap());
    writeln!(lingering.lock, "{}", std::process::id()).unwrap();

    assert!(node.is_free_of(&lingering.process).unwrap());
    lingering.vanish();
}

#[test]
fn an_up_that_was_killed_is_gone_when_its_lock_is_free() {
    let (_folder, testnet) = made(1, 0);
    let layout = &testnet.layout;
    let lingering = Lingering::on(&layout.up_lock());
    let process = lingering.process.clone();
    assert!(!Hold::is_free_of(&layout.up_lock(), &process).unwrap());

    process.signal(Signal::KILL).unwrap();
    lingering.await_end();
    assert!(!Hold::is_free_of(&layout.up_lock(), &process).unwrap());
    lingering.vanish();

    assert!(Hold::is_free_of(&layout.up_lock(), &process).unwrap());
}

#[test]
fn a_testnet_whose_accounts_are_damaged_is_named_as_one_and_can_be_deleted() {
    let (_folder, testnet) = made(2, 0);
    let (layout, accounts) = (testnet.layout, "accounts.toml");
    fs::write(layout.root().join(accounts), "seed = \n").unwrap();

    let failure = Testnet::find(Some(layout.root())).unwrap_err();

    assert_eq!(layout.kind().unwrap(), Kind::Damaged);
    assert!(failure.text.contains(accounts), "{}", failure.text);
    let hint = failure.hint.unwrap();
    assert!(hint.contains("testnet down") && hint.contains("--reset"), "{hint}");
    assert_eq!(
        Testnet::prepare(layout.clone(), None, None).unwrap_err().text,
        failure.text,
        "it is not made anew by itself"
    );
    remove::remove(&layout).unwrap();
    assert_eq!(layout.kind().unwrap(), Kind::Nothing);
}

#[test]
fn an_accounts_file_that_no_testnet_wrote_makes_no_testnet() {
    let (_folder, layout) = place();
    fs::create_dir_all(layout.root()).unwrap();
    for name in ["genesis.toml", "accounts.toml"] {
        fs::write(layout.root().join(name), "title = \"mine\"").unwrap();
    }

    assert!(matches!(layout.kind().unwrap(), Kind::Other { .. }));
}

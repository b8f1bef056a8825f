use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pbft::record::Record;
use serde_json::Value;
use storage::{Directory, EvidenceStore, Journal, Store, WhenDamaged};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::vote::Phase;

use super::run;
use crate::cli::evidence::ForensicsArguments;
use crate::commands::evidence::judge;
use crate::failure::{Exit, Failure};
use crate::fixture::Signers;
use crate::output::Output;

/// Stopped validators and files of one network.
struct Scene {
    folder: tempfile::TempDir,
    signers: Signers,
}

impl Scene {
    fn new(validators: usize) -> Self {
        let signers = Signers::new(validators);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("genesis.toml"), signers.genesis.to_toml()).unwrap();
        Self { folder, signers }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The directory of a validator that committed these blocks and has this journal.
    fn node(&self, replica: u16, blocks: &[ProvedBlock], records: &[Record]) -> PathBuf {
        let folder = self.path(&format!("node{replica}"));
        let (genesis, key) = (&self.signers.genesis, self.signers.key(replica).public_key());
        let directory = Directory::open(&folder.join("data"), *genesis.chain(), key).unwrap();
        let (mut journal, _) = Journal::open(&directory).unwrap();
        journal.append(records).unwrap();
        let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap();
        store.append(blocks).unwrap();
        folder
    }

    /// A common block and, above it, those of a branch, committed in this view by these.
    fn chain(&self, view: u64, (count, mark): (u64, u64), signers: &[u16]) -> Vec<ProvedBlock> {
        let blocks = self.signers.branch(count, mark, 2);
        let proved = |block: &types::block::Block| match block.header.height.get() {
            1 => self.signers.proved(0, block, &[0, 1, 2]),
            _ => self.signers.proved(view, block, signers),
        };
        blocks.iter().map(proved).collect()
    }
}

/// What the command ends with, and its JSON document.
fn compared(paths: &[&Path]) -> (Result<Exit, Failure>, Value) {
    command(paths, None, None)
}

fn command(
    paths: &[&Path],
    genesis: Option<PathBuf>,
    save: Option<PathBuf>,
) -> (Result<Exit, Failure>, Value) {
    let results = tempfile::NamedTempFile::new().unwrap();
    let written = Box::new(results.reopen().unwrap());
    let mut output = Output::new(true, written, Box::new(std::io::sink()));
    let paths = paths.iter().map(|path| path.to_path_buf()).collect();
    let exit = run(&ForensicsArguments { paths, genesis, save }, &mut output);
    let json = fs::read_to_string(results.path()).unwrap();
    (exit, serde_json::from_str(&json).unwrap_or(Value::Null))
}

fn guilty(json: &Value) -> BTreeSet<u64> {
    let list = json["guilty"].as_array().unwrap();
    list.iter().map(|culprit| culprit["replica"].as_u64().unwrap()).collect()
}

#[test]
fn two_validators_of_one_chain_agree_up_to_where_the_shorter_ends() {
    let scene = Scene::new(4);
    let chain = scene.chain(0, (5, 0), &[0, 1, 2]);
    let (long, short) = (scene.node(0, &chain, &[]), scene.node(1, &chain[..3], &[]));

    for paths in [[&*long, &*short], [&*short, &*long]] {
        let (exit, json) = compared(&paths);

        assert_eq!(exit, Ok(Exit::Done));
        assert_eq!(
            (&json["fork"], &json["agreement"]["common_height"]),
            (&false.into(), &3.into())
        );
        assert_eq!(json["agreement"]["block"], chain[2].block.id().to_string());
    }
    let (exit, json) = compared(&[&long, &scene.node(2, &[], &[])]);
    assert_eq!((exit, &json["agreement"]["common_height"]), (Ok(Exit::Done), &0.into()));
}

#[test]
fn who_signed_both_certificates_of_one_view_is_named_with_proofs_that_verify() {
    let scene = Scene::new(4);
    let one = scene.node(0, &scene.chain(0, (4, 0), &[0, 1, 2]), &[]);
    let other = scene.node(3, &scene.chain(0, (3, 9), &[1, 2, 3]), &[]);
    let proofs = scene.path("proofs");

    let (exit, json) = command(&[&one, &other], None, Some(proofs.clone()));

    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!((&json["fork"], &json["height"]), (&true.into(), &2.into()));
    assert_eq!((&json["t"], &json["guilty_min"]), (&1.into(), &2.into()));
    assert_eq!(guilty(&json), BTreeSet::from([1, 2]));
    assert_eq!(json["missing_new_views"], serde_json::json!([]));
    let mut saved = 0;
    for culprit in json["guilty"].as_array().unwrap() {
        for piece in culprit["evidence"].as_array().unwrap() {
            let text = piece["evidence"].as_str().unwrap();
            let evidence = api::hex::from_hex_wire(text, 1 << 20).unwrap();
            assert_eq!(judge(&evidence, &scene.signers.genesis), Ok(()));
            let accused = evidence.accused(scene.signers.genesis.validators());
            assert_eq!(u64::from(accused.get()), culprit["replica"].as_u64().unwrap());
            let file = proofs.join(format!("{}-{accused}.evidence", evidence.name()));
            assert_eq!(fs::read_to_string(file).unwrap().trim(), text);
            saved += 1;
        }
    }
    assert_eq!(fs::read_dir(&proofs).unwrap().count(), saved);
}

/// Files as the API gives them, of which only the genesis says what they mean.
#[test]
fn two_files_with_conflicting_certificates_name_the_guilty() {
    let scene = Scene::new(7);
    let (one, other) = (scene.path("one"), scene.path("other.json"));
    let first = scene.signers.proved(3, &scene.signers.branch(2, 0, 2)[1], &[0, 1, 2, 3, 4]);
    let second = scene.signers.proved(3, &scene.signers.branch(2, 9, 2)[1], &[2, 3, 4, 5, 6]);
    fs::write(&one, api::hex::to_hex_wire(&first)).unwrap();
    let answer = api::types::CertificateAnswer::new(&scene.signers.genesis, &second);
    fs::write(&other, serde_json::to_string(&answer).unwrap()).unwrap();

    let (exit, json) = command(&[&one, &other], Some(scene.path("genesis.toml")), None);

    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!(guilty(&json), BTreeSet::from([2, 3, 4]));
    let (exit, _) = compared(&[&one, &other]);
    assert_eq!(exit.unwrap_err().exit, Exit::NotFound, "no genesis");
    let (exit, _) = compared(&[&one, &scene.path("none")]);
    let failure = exit.unwrap_err();
    assert!(failure.text.contains("cannot read") && failure.text.contains("none"), "{failure:?}");
    let (exit, json) = command(&[&one, &one], Some(scene.path("genesis.toml")), None);
    assert_eq!((exit, &json["fork"]), (Ok(Exit::Done), &false.into()));
}

#[test]
fn files_of_two_heights_cannot_be_compared() {
    let scene = Scene::new(4);
    let blocks = scene.signers.branch(2, 0, 2);
    let paths = [0, 1].map(|index| {
        let path = scene.path(&format!("file{index}"));
        let proved = scene.signers.proved(0, &blocks[index], &[0, 1, 2]);
        fs::write(&path, api::hex::to_hex_wire(&proved)).unwrap();
        path
    });

    let paths = [paths[0].as_path(), paths[1].as_path()];
    let (exit, _) = command(&paths, Some(scene.path("genesis.toml")), None);

    let failure = exit.unwrap_err();
    assert_eq!(failure.exit, Exit::Refused);
    assert!(failure.text.contains("have no height in common"), "{}", failure.text);
}

/// A certificate that anybody can write proves nothing, and accuses nobody.
#[test]
fn a_block_without_valid_proof_is_no_fork() {
    let scene = Scene::new(4);
    let one = scene.node(0, &scene.chain(0, (3, 0), &[0, 1, 2]), &[]);
    let mut forged = scene.chain(0, (3, 9), &[1, 2, 3]);
    let signatures = &mut forged[1].proof.certificate.signatures;
    signatures[1].1 = signatures[0].1;
    let other = scene.node(3, &forged, &[]);

    let (exit, json) = compared(&[&one, &other]);

    let failure = exit.unwrap_err();
    assert_eq!((failure.exit, json), (Exit::Fault, Value::Null));
    assert!(
        failure.text.contains("node3: the block at height 2 is not proved"),
        "{}",
        failure.text
    );
}

/// Replicas 1 and 2 commit a block in view 0 with replica 0, and forget it when they ask for view 1 with replica 3.
fn across_views(scene: &Scene) -> (Vec<ProvedBlock>, Vec<ProvedBlock>, Record) {
    let one = scene.chain(0, (3, 0), &[0, 1, 2]);
    let other = scene.chain(1, (2, 9), &[1, 2, 3]);
    let asked = [1, 2, 3].map(|replica| scene.signers.view_change(1, None, replica));
    let record = Record::NewView { new_view: scene.signers.new_view(1, asked.to_vec()) };
    (one, other, record)
}

#[test]
fn across_views_the_new_view_of_a_journal_names_who_forgot() {
    let scene = Scene::new(4);
    let (one, other, new_view) = across_views(&scene);
    let paths = [scene.node(0, &one, &[]), scene.node(3, &other, &[new_view])];

    let (exit, json) = compared(&[&paths[0], &paths[1]]);

    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!(guilty(&json), BTreeSet::from([1, 2]));
    let kinds = json["guilty"].as_array().unwrap().iter().map(|it| &it["evidence"][0]["kind"]);
    assert!(kinds.into_iter().all(|kind| kind == "forgotten"));
}

#[test]
fn across_views_the_new_view_kept_beside_the_blocks_does_as_well() {
    let scene = Scene::new(4);
    let (one, other, record) = across_views(&scene);
    let paths = [scene.node(0, &one, &[]), scene.node(3, &other, &[])];
    let key = scene.signers.key(0).public_key();
    let genesis = &scene.signers.genesis;
    let directory = Directory::open(&paths[0].join("data"), *genesis.chain(), key).unwrap();
    let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap();
    store.keep_new_views(&[record.into_new_view().unwrap()]).unwrap();
    drop((store, directory));

    let (exit, json) = compared(&[&paths[0], &paths[1]]);

    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!(guilty(&json), BTreeSet::from([1, 2]));
}

#[test]
fn without_the_new_view_its_view_is_named_and_a_third_directory_helps() {
    let scene = Scene::new(4);
    let (one, other, new_view) = across_views(&scene);
    let paths = [scene.node(0, &one, &[]), scene.node(3, &other, &[])];

    let (exit, json) = compared(&[&paths[0], &paths[1]]);
    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!((guilty(&json).len(), &json["missing_new_views"]), (0, &serde_json::json!([1])));

    let third = scene.node(2, &one[..1], &[new_view]);
    let (exit, json) = compared(&[&paths[0], &paths[1], &third]);
    assert_eq!(exit, Ok(Exit::Contradiction));
    assert_eq!(
        (guilty(&json), &json["missing_new_views"]),
        ([1, 2].into(), &serde_json::json!([]))
    );
}

/// A replica's own journal, and the evidence that was kept, name those who are in no certificate twice.
#[test]
fn votes_of_journals_and_kept_evidence_are_proofs_too() {
    let scene = Scene::new(4);
    let chain = scene.chain(0, (3, 0), &[0, 1, 2]);
    let block = &chain[1].block;
    let vote = scene.signers.vote(Phase::Commit, 0, block, 3);
    let records = [Record::Vote { vote, block: None }];
    let one = scene.node(0, &chain, &records);
    let other = scene.node(3, &scene.chain(0, (3, 9), &[1, 2, 3]), &[]);
    let data = one.join("data");
    let key = scene.signers.key(0).public_key();
    let directory = Directory::open(&data, *scene.signers.genesis.chain(), key).unwrap();
    let store = EvidenceStore::open(&directory, scene.signers.genesis.validators()).unwrap();
    let [first, second] = [0, 9].map(|mark| {
        let block = &scene.signers.branch(2, mark, 2)[1];
        scene.signers.vote(Phase::Prepare, 5, block, 0)
    });
    let kept = types::evidence::Evidence::Votes { first, second };
    assert!(store.save(&kept, ReplicaId::new(0)).unwrap());
    drop((store, directory));

    let (_, json) = compared(&[&one, &other]);

    assert_eq!(guilty(&json), BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn the_text_names_fork_guilty_and_proofs() {
    let scene = Scene::new(4);
    let one = scene.node(0, &scene.chain(0, (4, 0), &[0, 1, 2]), &[]);
    let other = scene.node(3, &scene.chain(0, (3, 9), &[1, 2, 3]), &[]);
    let results = tempfile::NamedTempFile::new().unwrap();
    let written = Box::new(anstream::StripStream::new(results.reopen().unwrap()));
    let mut output = Output::new(false, written, Box::new(std::io::sink()));

    let paths = vec![one, other];
    run(&ForensicsArguments { paths, genesis: None, save: None }, &mut output).unwrap();

    let text = fs::read_to_string(results.path()).unwrap();
    assert!(text.contains("FORK at height 2"), "{text}");
    assert!(text.contains("Of 4 validators at most 1 may be faulty; a fork takes at least 2."));
    assert!(text.contains("signed by replicas 1, 2, 3"), "{text}");
    assert!(text.contains("node1, node2 lied, proved to anybody who has the genesis"), "{text}");
}

#[test]
fn a_running_validator_is_not_read() {
    let scene = Scene::new(4);
    let chain = scene.chain(0, (2, 0), &[0, 1, 2]);
    let (one, other) = (scene.node(0, &chain, &[]), scene.node(1, &chain, &[]));
    let key = scene.signers.key(1).public_key();
    let chain = *scene.signers.genesis.chain();
    let _running = Directory::open(&other.join("data"), chain, key).unwrap();

    let (exit, _) = compared(&[&one, &other]);

    let failure = exit.unwrap_err();
    assert!(failure.text.contains("is in use by process"), "{}", failure.text);
}

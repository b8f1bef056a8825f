use std::fs;
use std::path::{Path, PathBuf};

use api::types::EvidenceAnswer;
use serde_json::Value;
use storage::{Directory, EvidenceStore};
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::replica::ReplicaId;
use types::vote::Phase;

use super::piece::PieceReport;
use super::place::Place;
use super::{VerifyReport, file, judge, run, save_piece};
use crate::cli::evidence::{
    EvidenceArguments, EvidenceCommand, EvidenceFile, EvidenceName, EvidencePlace, SaveArguments,
};
use crate::failure::Exit;
use crate::fixture::{Signers, text};
use crate::output::Output;

/// The folder of a stopped validator that keeps a piece of each kind, and its network's genesis above it.
fn stopped(signers: &Signers) -> (tempfile::TempDir, EvidencePlace) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("genesis.toml"), signers.genesis.to_toml()).unwrap();
    let node = folder.path().join("node0");
    let key = signers.key(0);
    let chain = *signers.genesis.chain();
    let directory = Directory::open(&node.join("data"), chain, key.public_key()).unwrap();
    let store = EvidenceStore::open(&directory, signers.genesis.validators()).unwrap();
    for piece in signers.evidence() {
        assert!(store.save(&piece, ReplicaId::new(1)).unwrap());
    }
    let place = EvidencePlace { dir: None, api: Vec::new(), data: Some(node), genesis: None };
    (folder, place)
}

fn shown(signers: &Signers, piece: &Evidence) -> String {
    let answer = EvidenceAnswer::new(&signers.genesis, piece.clone(), None);
    text(&PieceReport::new(&signers.genesis, answer, "the genesis".to_owned()))
}

fn verified(genesis: &Genesis, content: &str) -> (VerifyReport, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("piece");
    fs::write(&path, content).unwrap();
    let report = VerifyReport::new(&path, genesis).unwrap();
    let text = text(&report);
    (report, text)
}

fn hex(piece: &Evidence) -> String {
    api::hex::to_hex_wire(piece)
}

#[test]
fn every_kind_is_shown_with_both_statements_and_holds() {
    let signers = Signers::new(4);
    let pieces = signers.evidence();

    for piece in &pieces {
        let page = shown(&signers, piece);

        assert!(page.contains("accused   node1, replica 1, key "), "{page}");
        assert!(page.contains("FIRST STATEMENT"), "{page}");
        assert!(page.contains(piece.wrong()), "{page}");
        assert!(page.contains("It holds: node1 signed both"), "{page}");
        assert!(page.lines().all(|line| line.len() <= 125), "{page}");
    }
    let votes = shown(&signers, &pieces[0]);
    assert_eq!(votes.matches("a prepare vote").count(), 2);
    let Evidence::Votes { first, second } = &pieces[0] else { panic!() };
    for vote in [first, second] {
        let (block, signature) = (vote.statement.block.to_string(), vote.signature.to_string());
        for part in [&block[..32], &block[32..], &signature[..32], &signature[96..]] {
            assert!(votes.contains(part), "{part} is not in\n{votes}");
        }
    }
}

#[test]
fn what_each_statement_says_stands_in_words() {
    let signers = Signers::new(4);
    let [_, branches, view_changes, forgotten, new_views] =
        signers.evidence().map(|piece| shown(&signers, &piece));

    assert!(
        branches.contains("The ancestor at height 2 of the block at height 3 is "),
        "{branches}"
    );
    assert!(view_changes.contains("prepared of view 0, height 2"), "{view_changes}");
    assert!(view_changes.contains("no certificate"), "{view_changes}");
    assert!(forgotten.contains("a commit vote") && forgotten.contains("a view change"));
    assert!(forgotten.contains("\"let us go to view 1\""), "{forgotten}");
    assert!(new_views.contains("node0: nothing"), "{new_views}");
    assert!(new_views.contains("node1: view 0 height 2 "), "{new_views}");
}

#[test]
fn a_piece_that_does_not_hold_is_shown_as_such() {
    let signers = Signers::new(4);
    let Evidence::Votes { first, mut second } = signers.evidence()[0].clone() else { panic!() };
    second.signature = first.signature;

    let page = shown(&signers, &Evidence::Votes { first, second });

    let verdict = "IT DOES NOT HOLD: the signature under the second statement is not that of node1";
    assert!(page.contains(verdict), "{page}");
}

#[test]
fn a_saved_piece_and_an_answer_of_the_api_verify() {
    let signers = Signers::new(4);
    for piece in signers.evidence() {
        let answer = EvidenceAnswer::new(&signers.genesis, piece.clone(), None);
        let answer = serde_json::to_string_pretty(&answer).unwrap();

        for content in [hex(&piece), format!("{}\n", hex(&piece)), answer] {
            let (report, text) = verified(&signers.genesis, &content);

            assert!(report.holds, "{text}");
            assert!(text.contains("accused   node1, replica 1, key "), "{text}");
            assert!(text.contains(piece.wrong()));
            let json = serde_json::to_value(&report).unwrap();
            assert_eq!(json["id"], piece.id().to_string());
            assert_eq!((&json["replica"], &json["kind"]), (&1.into(), &piece.name().into()));
        }
    }
}

/// The reason says which rule or signature it is.
#[test]
fn a_file_that_does_not_hold_names_what_fails() {
    let signers = Signers::new(4);
    let pieces = signers.evidence();
    let Evidence::Votes { first, second } = pieces[0].clone() else { panic!() };
    let rivals = [0, 7].map(|mark| signers.branch(2, mark, 2));
    let stranger = signers.vote(Phase::Prepare, 0, &rivals[1][1], 3);
    // The same key on another chain.
    let foreign = rivals.map(|branch| Signers::new(7).vote(Phase::Prepare, 0, &branch[1], 1));
    let cases = [
        ("the statements do not contradict", hex(&Evidence::Votes { first, second: first })),
        ("are of replicas 1 and 3", hex(&Evidence::Votes { first, second: stranger })),
        ("under both statements", hex(&Evidence::Votes { first: foreign[0], second: foreign[1] })),
        ("it ends early", hex(&pieces[0])[..200].to_owned()),
        ("not hexadecimal at character 3", "01zz".to_owned()),
        ("too many after its end", format!("{}00", hex(&pieces[0]))),
        ("holds no evidence", "{}".to_owned()),
        ("holds no evidence", String::new()),
    ];

    for (reason, content) in cases {
        let (report, text) = verified(&signers.genesis, &content);

        assert!(!report.holds && text.contains("does not hold"), "{text}");
        assert!(text.contains(reason), "{reason} is not in {text}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["holds"], json.get("id")), (&false.into(), None));
    }
    let (report, _) = verified(&signers.genesis, &hex(&Evidence::Votes { first, second }));
    assert!(report.holds);
}

#[test]
fn a_stopped_validators_evidence_is_listed_found_by_the_beginning_of_its_id_and_saved() {
    let signers = Signers::new(4);
    let (folder, place) = stopped(&signers);
    let found = Place::find(&place).unwrap();

    let list = super::list::list(&found).unwrap();
    let table = text(&list);
    assert!(table.contains("evidence against node1"), "{table}");
    let json: Value = serde_json::to_value(&list).unwrap();
    assert_eq!(json["evidence"].as_array().unwrap().len(), 5);

    for piece in signers.evidence() {
        let id = piece.id().to_string();
        assert!(table.contains(&id[..16]), "{table}");
        let (read, stored_ms) = found.piece(&id[..12]).unwrap();
        assert!(read == piece && stored_ms.is_some());
        let path = folder.path().join(piece.name());
        let name = EvidenceName { id };
        let save = SaveArguments { name, file: path.clone() };
        save_piece(&found, &save).unwrap();
        assert_eq!(file::read(&path).unwrap().unwrap(), piece);
        assert_eq!(save_piece(&found, &save).unwrap_err().exit, Exit::Refused);
    }
    assert_eq!(found.piece("ffff00").unwrap_err().exit, Exit::NotFound);
    assert_eq!(found.piece("").unwrap_err().exit, Exit::Usage);
}

/// What a process writes is not of interest here.
fn exit(place: &EvidencePlace, command: Option<EvidenceCommand>) -> Result<Exit, Exit> {
    let mut output = Output::new(true, Box::new(std::io::sink()), Box::new(std::io::sink()));
    let arguments = EvidenceArguments { place: place.clone(), command };
    run(&arguments, &mut output).map_err(|failure| failure.exit)
}

fn verify(file: &Path) -> Option<EvidenceCommand> {
    Some(EvidenceCommand::Verify(EvidenceFile { file: file.to_owned() }))
}

#[test]
fn the_exit_code_is_0_only_for_what_holds() {
    let signers = Signers::new(4);
    let (folder, place) = stopped(&signers);
    let piece = signers.evidence()[0].clone();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    file::write(&good, &piece).unwrap();
    fs::write(&bad, "01").unwrap();
    let show = |id: String| Some(EvidenceCommand::Show(EvidenceName { id }));

    assert_eq!(exit(&place, None), Ok(Exit::Done));
    assert_eq!(exit(&place, show(piece.id().to_string())), Ok(Exit::Done));
    assert_eq!(exit(&place, show("0123456789".to_owned())), Err(Exit::NotFound));
    assert_eq!(exit(&place, verify(&good)), Ok(Exit::Done));
    assert_eq!(exit(&place, verify(&bad)), Ok(Exit::Fault));
    assert_eq!(exit(&place, verify(&folder.path().join("none"))), Err(Exit::Fault));

    let other = folder.path().join("other.toml");
    fs::write(&other, Signers::new(7).genesis.to_toml()).unwrap();
    let place = EvidencePlace { genesis: Some(other), ..place };
    assert_eq!(exit(&place, verify(&good)), Ok(Exit::Fault), "another network's genesis");
    assert_eq!(exit(&place, show(piece.id().to_string())), Ok(Exit::Fault));
}

#[test]
fn a_directory_without_evidence_accuses_nobody() {
    let signers = Signers::new(4);
    let (_folder, place) = stopped(&signers);
    let data: PathBuf = place.data.clone().unwrap().join("data/evidence");
    fs::remove_dir_all(data).unwrap();

    let list = super::list::list(&Place::find(&place).unwrap()).unwrap();

    assert!(text(&list).contains("no evidence against anybody"), "{}", text(&list));
}

#[test]
fn the_judge_says_whose_signatures_fail() {
    let signers = Signers::new(4);
    let Evidence::Votes { mut first, second } = signers.evidence()[0].clone() else { panic!() };
    first.signature = second.signature;

    let reason = judge(&Evidence::Votes { first, second }, &signers.genesis).unwrap_err();

    assert_eq!(reason, "the signature under the first statement is not that of node1");
}

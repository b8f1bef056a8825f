use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use api::types::{EvidenceAnswer, EvidencePage};
use types::evidence::Evidence;
use types::replica::ReplicaId;

use super::*;
use crate::fixture::Signers;

/// A validator of this name that lists these pieces and gives them to who asks, true or not; without any list it
/// gives no answer that is one.
fn validator(signers: &Signers, name: &str, pieces: Option<&[Evidence]>) -> Validator {
    let kept = pieces.map(|pieces| {
        let answers = pieces.iter().cloned();
        answers.map(|piece| EvidenceAnswer::new(&signers.genesis, piece, None)).collect::<Vec<_>>()
    });
    answering(name, move |path| {
        let asked = kept.iter().flatten().find(|it| path.contains(&it.summary.id.to_string()));
        match (&kept, asked) {
            (None, _) => "\u{1b}[2J".to_owned(),
            (Some(_), Some(answer)) => serde_json::to_string(answer).unwrap(),
            (Some(kept), None) => {
                let evidence = kept.iter().map(|answer| answer.summary.clone()).collect();
                serde_json::to_string(&EvidencePage { evidence, next: None }).unwrap()
            }
        }
    })
}

/// A validator of this name that answers each path so.
fn answering(name: &str, answer: impl Fn(&str) -> String + Send + 'static) -> Validator {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the process of the test.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let body = answer(&lines.next().unwrap().unwrap());
            lines.by_ref().find(|line| line.as_ref().is_ok_and(String::is_empty));
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    Validator::new(name.to_owned(), None, Client::new(&url).unwrap(), PATIENCE)
}

fn place(signers: &Signers, answering: Vec<Validator>) -> Place {
    let kept = Kept::By { of: 4, answering };
    Place { genesis: signers.genesis.clone(), word_of: None, kept }
}

/// The lie of replica 1, and the same told of replica 2, which it never signed.
fn framed(signers: &Signers) -> Evidence {
    let Evidence::Votes { mut first, mut second } = signers.evidence()[0].clone() else { panic!() };
    (first.replica, second.replica) = (ReplicaId::new(2), ReplicaId::new(2));
    Evidence::Votes { first, second }
}

#[test]
fn a_validator_that_lists_a_lie_frames_nobody_and_hides_nothing() {
    let signers = Signers::new(4);
    let (proof, frame) = (signers.evidence()[0].clone(), framed(&signers));
    let place = place(
        &signers,
        vec![
            validator(&signers, "node1", Some(std::slice::from_ref(&frame))),
            validator(&signers, "node3", None),
            validator(&signers, "node0", Some(std::slice::from_ref(&proof))),
            validator(&signers, "node2", Some(std::slice::from_ref(&proof))),
        ],
    );

    let listed = place.pieces().unwrap();

    let [(piece, kept_by)] = listed.pieces.as_slice() else { panic!("{listed:?}") };
    assert_eq!((piece.id, piece.accused.replica), (proof.id(), 1));
    assert_eq!(kept_by, &["node0", "node2"]);
    let [silent, lying] = listed.problems.as_slice() else { panic!("{listed:?}") };
    assert!(silent.starts_with("node3 does not list its evidence: "), "{silent}");
    let reason = "does not hold: the signatures under both statements are not those of node2";
    assert!(lying.starts_with("node1: evidence ") && lying.ends_with(reason), "{lying}");
    assert_eq!(place.piece(&proof.id().to_string()).unwrap().0, proof);
    assert_eq!(place.piece(&frame.id().to_string()).unwrap_err().exit, Exit::Fault);
}

#[test]
fn a_list_that_never_ends_hides_nothing_that_others_keep() {
    let signers = Signers::new(4);
    let proof = signers.evidence()[0].clone();
    let endless = EvidencePage { evidence: Vec::new(), next: Some(proof.id()) };
    let endless = serde_json::to_string(&endless).unwrap();
    let place = place(
        &signers,
        vec![
            answering("node1", move |_| endless.clone()),
            validator(&signers, "node2", Some(std::slice::from_ref(&proof))),
        ],
    );

    let listed = place.pieces().unwrap();

    assert_eq!(listed.pieces.len(), 1);
    let [problem] = listed.problems.as_slice() else { panic!("{listed:?}") };
    assert!(problem.starts_with("node1 does not list") && problem.contains("go on"), "{problem}");
}

#[test]
fn when_nobody_lists_anything_that_is_said() {
    let signers = Signers::new(4);

    let place = place(&signers, vec![validator(&signers, "node3", None)]);

    assert_eq!(place.pieces().unwrap_err().exit, Exit::Unreachable);
}

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::{Client, Wait};
use crate::client::error::ClientError;
use crate::problem::{Code, Problem};
use crate::tests::network;
use crate::types::BlockName;

/// A server that gives each connection one of these answers, whatever it is asked, and closes it.
fn answering(answers: Vec<Vec<u8>>) -> (Client, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            // Requests of these tests fit one packet.
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(&answer));
        }
    });
    (client, server)
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn every_problem_is_decoded_with_its_code_and_detail() {
    let answers = Code::ALL
        .iter()
        .map(|code| {
            let problem = Problem::new(*code, format!("about {code}"));
            answer(code.status(), &serde_json::to_string(&problem).unwrap())
        })
        .collect();
    let (client, server) = answering(answers);

    for code in Code::ALL {
        let error = client.status().unwrap_err();
        assert_eq!(error.code(), Some(*code));
        assert_eq!(error.to_string(), format!("about {code} ({code})"));
    }
    server.join().unwrap();
}

#[test]
fn a_problem_that_a_later_version_invents_is_still_a_problem() {
    let text = "{\"type\":\"urn:x\",\"title\":\"t\",\"status\":429,\"code\":\"slow-down\",\
                \"detail\":\"not so fast\",\"more\":1}";
    let (client, server) = answering(vec![answer(429, text)]);

    let error = client.status().unwrap_err();

    assert_eq!(error.code(), None);
    assert!(error.is_passing());
    assert_eq!(error.to_string(), "not so fast (slow-down)");
    server.join().unwrap();
}

/// A validator may lie, and a terminal obeys what it is shown.
#[test]
fn what_a_problem_says_cannot_draw_on_a_terminal() {
    let evil = "all is well\u{1b}[2K\u{202e}\n";
    let document = serde_json::json!({
        "type": evil, "title": evil, "status": 409, "code": evil, "detail": evil,
    });
    let refused = serde_json::json!({ "results": [{
        "status": "refused", "code": evil, "detail": evil,
    }]});
    let (client, server) =
        answering(vec![answer(409, &document.to_string()), answer(200, &refused.to_string())]);
    let shown = "all is well\\u{1b}[2K\\u{202e}\\u{a}";

    let error = client.status().unwrap_err();
    let batch = client.submit_batch(&[]).unwrap();

    assert_eq!(error.to_string(), format!("{shown} ({shown})"));
    let result = batch.results.first().unwrap();
    assert_eq!((result.code.as_deref(), result.detail.as_deref()), (Some(shown), Some(shown)));
    server.join().unwrap();
}

/// A submission that broke off may have been taken in, also when the validator is gone a moment later.
#[test]
fn what_broke_off_stays_broken_when_nobody_is_there_any_more() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Nobody listens any more before this one is let go of.
        drop(listener);
        drop(stream.read(&mut [0; 4096]));
    });

    let error = client.status().unwrap_err();

    server.join().unwrap();
    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
}

#[test]
fn answers_that_make_no_sense_are_garbled() {
    let garbled = [answer(200, "{}"), answer(200, "no json"), answer(500, "oops"), answer(302, "")];
    let (client, server) = answering(garbled.to_vec());

    for _ in garbled {
        let error = client.status().unwrap_err();
        assert!(matches!(error, ClientError::Garbled { .. }), "{error:?}");
        assert!(!error.is_passing());
    }
    server.join().unwrap();
}

#[test]
fn a_missing_thing_is_an_answer_only_to_who_asks_whether_it_is_there() {
    let body = serde_json::to_string(&Problem::new(Code::RouteNotFound, "no route")).unwrap();
    let (client, server) = answering(vec![answer(404, &body)]);

    let error = client.block(BlockName::Height(types::number::Height::new(1))).unwrap_err();

    assert_eq!(error.code(), Some(Code::RouteNotFound));
    server.join().unwrap();
}

#[test]
fn a_broken_connection_is_tried_once_more() {
    let problem = serde_json::to_string(&Problem::new(Code::ZeroAmount, "zero")).unwrap();
    let (client, server) = answering(vec![Vec::new(), answer(422, &problem)]);

    let error = client.submit(&network::transfer(0, 1, 0), Wait::None).unwrap_err();

    assert_eq!(error.code(), Some(Code::ZeroAmount));
    server.join().unwrap();
}

#[test]
fn a_connection_that_keeps_breaking_is_no_refusal() {
    let (client, server) = answering(vec![Vec::new(), Vec::new()]);

    let error = client.submit(&network::transfer(0, 1, 0), Wait::None).unwrap_err();

    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_server_that_never_answers_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()))
        .unwrap()
        .with_timeout(std::time::Duration::from_millis(50));

    let error = client.status().unwrap_err();

    assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
}

#[test]
fn only_plain_urls_of_a_host_are_taken() {
    for url in ["http://localhost:1", "http://127.0.0.1:65535/", "http://[::1]:8080"] {
        assert!(Client::new(url).is_ok(), "{url}");
    }
    for url in [
        "",
        "localhost:1",
        "https://localhost",
        "http://",
        "http:///x",
        "http://host/path",
        "http://user@host",
        "http://host?x",
        "http://ho st",
        "http://h\u{f6}st",
    ] {
        assert!(Client::new(url).is_err(), "{url}");
    }
}

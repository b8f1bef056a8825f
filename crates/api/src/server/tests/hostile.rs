//! Anyone may send anything: the server goes on, and the validator behind it sees nothing of it.

use std::sync::OnceLock;

use proptest::prelude::*;

use crate::hex;
use crate::tests::backend::{FakeValidator, Served, quick_limits};
use crate::tests::http::{get, raw, raw_and_end};
use crate::tests::{network, routes};

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"];

/// Every endpoint, one with parameters, and one that is none. The stream, which would not end, is
/// asked for what it does not have.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = routes().into_iter().map(|(_, path)| path).collect();
    for path in paths.iter_mut().filter(|path| *path == "/v1/events") {
        path.push_str("?after=x");
    }
    paths.extend(["/v1/transactions?wait=committed&timeout_ms=1".to_owned(), "/".to_owned()]);
    paths
}

/// One server for all cases: whatever a case breaks, the next one notices.
fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let mut limits = quick_limits();
        limits.header_timeout = std::time::Duration::from_millis(200);
        limits.body_timeout = std::time::Duration::from_millis(200);
        Served::with_limits(FakeValidator::with_blocks(0, 3), limits)
    })
}

fn still_answers() -> bool {
    let reply = get(served(), "/v1/status");
    reply.status == 200
}

fn frame(method: &str, path: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} ").into_bytes();
    bytes.extend_from_slice(path);
    bytes.extend_from_slice(
        format!(
            " HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    bytes.extend_from_slice(body);
    bytes
}

/// Bodies that are nearly right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let wire = hex::to_hex_wire(&network::transfer(0, 1, 0));
    let single = format!("{{\"transaction\":\"{wire}\"}}").into_bytes();
    let batch = format!("{{\"transactions\":[\"{wire}\",\"{wire}\"]}}").into_bytes();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let valid = prop::sample::select(vec![single, batch, b"{}".to_vec()]);
    let mutated = (valid, edits, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut bytes, edits, end, cut)| {
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        },
    );
    prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..300)]
}

/// Paths that are nearly right: a route with bytes put in, escaped as HTTP wants them or not.
fn path() -> impl Strategy<Value = Vec<u8>> {
    let inserted = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        "[ -~]{0,20}".prop_map(String::into_bytes),
        "(%[0-9a-f]{2}){0,8}".prop_map(String::into_bytes),
        "[0-9]{1,30}".prop_map(String::into_bytes),
        "[?&](before|limit|wait|timeout_ms|after)=[^ \r\n]{0,12}".prop_map(String::into_bytes),
    ];
    (prop::sample::select(paths()), any::<prop::sample::Index>(), inserted).prop_map(
        |(route, at, inserted)| {
            let mut bytes = route.as_bytes().to_vec();
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, inserted);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_route_and_method_survives_any_body(
        method in prop::sample::select(METHODS.to_vec()),
        route in prop::sample::select(paths()),
        body in body(),
    ) {
        let reply = raw(served(), &frame(method, route.as_bytes(), &body));

        let reply = reply.expect("HTTP is answered");
        prop_assert!(reply.status < 500, "{method} {route}: {}", reply.status);
        // A problem document, but where HTTP itself allows no body.
        if reply.status >= 400 && method != "HEAD" {
            reply.problem();
        }
    }

    #[test]
    fn any_path_is_answered_or_refused(path in path(), method in prop::sample::select(METHODS.to_vec())) {
        if let Some(reply) = raw(served(), &frame(method, &path, b"")) {
            prop_assert!(reply.status < 500, "{}", reply.status);
        }
    }

    #[test]
    fn bytes_that_are_no_http_are_dropped(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Some(reply) = raw_and_end(served(), &bytes) {
            prop_assert!(reply.status < 500, "{}", reply.status);
        }
    }

    #[test]
    fn a_request_with_bytes_changed_anywhere_is_survived(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        body in body(),
    ) {
        let mut bytes = frame("POST", b"/v1/transactions/batch", &body);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(reply) = raw_and_end(served(), &bytes) {
            prop_assert!(reply.status < 500, "{}", reply.status);
        }
        prop_assert!(still_answers());
    }
}

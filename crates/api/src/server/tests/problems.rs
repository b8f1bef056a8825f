//! Every problem code is provoked, and each answer is a whole problem document.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use types::amount::Amount;
use types::number::{Height, Nonce};
use types::rejection::Rejection;

use crate::backend::{Fault, Submission};
use crate::hex;
use crate::problem::Code;
use crate::server::Limits;
use crate::tests::backend::{FakeValidator, Served, quick_limits};
use crate::tests::http::{Reply, get, post, raw, request};
use crate::tests::{network, routes};

fn submission() -> Vec<u8> {
    let transaction = hex::to_hex_wire(&network::transfer(0, 1, 0));
    format!("{{\"transaction\":\"{transaction}\"}}").into_bytes()
}

fn narrow(limits: impl FnOnce(&mut Limits)) -> Served {
    let mut narrow = quick_limits();
    limits(&mut narrow);
    Served::with_limits(FakeValidator::new(0), narrow)
}

/// One of each reason, in the order of their codes.
fn rejections() -> Vec<Rejection> {
    let (expected, found) = (Nonce::new(1), Nonce::new(2));
    vec![
        Rejection::ForeignChain,
        Rejection::WeakKey,
        Rejection::MemoTooLong { bytes: 65 },
        Rejection::ZeroAmount,
        Rejection::BadSignature,
        Rejection::Expired { valid_until: Height::new(1), height: Height::new(2) },
        Rejection::UnknownSender,
        Rejection::NonceTooLow { expected, found },
        Rejection::NonceTooHigh { expected, found },
        Rejection::Overdraft { balance: Amount::new(1), amount: Amount::new(2) },
        Rejection::Overflow,
        Rejection::AlreadyPending,
        Rejection::ConflictingNonce { nonce: found },
        Rejection::AccountFull { pending: 1_024 },
        Rejection::PoolFull,
    ]
}

#[test]
fn every_reason_to_refuse_passes_through_with_its_code() {
    let served = Served::new(FakeValidator::new(0));
    let codes: Vec<&str> = rejections().iter().map(Rejection::code).collect();
    assert_eq!(codes, Rejection::CODES);

    for rejection in rejections() {
        assert_eq!(Code::from(&rejection).as_str(), rejection.code());
        if rejection == Rejection::AlreadyPending {
            continue;
        }
        served.validator.answer([Err(rejection.into())]);
        let reply = post(&served, "/v1/transactions", &submission());

        let problem = reply.problem();
        assert_eq!(problem.code, rejection.code());
        assert_eq!(problem.detail, rejection.to_string());
        let full = rejection == Rejection::PoolFull;
        assert_eq!(reply.status, if full { 503 } else { 422 });
        assert_eq!(reply.header("retry-after"), full.then_some("1"));
    }
}

#[test]
fn every_code_of_the_api_itself_can_be_provoked() {
    let mut provoked = BTreeSet::new();
    for reply in what_requests_provoke()
        .into_iter()
        .chain(what_bounds_provoke())
        .chain(what_faults_provoke())
    {
        provoked.insert(reply.code());
    }

    let refusals: BTreeSet<Code> = rejections().iter().map(Code::from).collect();
    let expected: BTreeSet<Code> =
        Code::ALL.iter().filter(|code| !refusals.contains(code)).copied().collect();
    assert_eq!(provoked, expected);
}

/// Problems that lie in the request.
fn what_requests_provoke() -> Vec<Reply> {
    let served = Served::new(FakeValidator::with_blocks(0, 1));
    let id = "0".repeat(64);
    let text = [("Content-Type", "text/plain")];
    let too_many = format!("{{\"transactions\":[{}\"\"]}}", "\"\",".repeat(1_000));
    vec![
        get(&served, "/v1/blocks?limit=0"),
        get(&served, "/v1/accounts/alice"),
        post(&served, "/v1/transactions", b"{"),
        post(&served, "/v1/transactions", b"{\"transaction\":\"00\"}"),
        post(&served, "/v1/transactions/batch", too_many.as_bytes()),
        get(&served, "/v2/status"),
        get(&served, "/v1/blocks/2"),
        get(&served, "/v1/blocks/0/certificate"),
        get(&served, &format!("/v1/transactions/{id}")),
        get(&served, &format!("/v1/accounts/{}", network::address_text(9))),
        get(&served, &format!("/v1/evidence/{id}")),
        request(&served, "DELETE", "/v1/status", &[], &[]),
        request(&served, "POST", "/v1/transactions", &text, b"{}"),
        post(&served, "/v1/transactions", &vec![b' '; (64 << 10) + 1]),
    ]
}

/// Problems that lie in the bounds of the server.
fn what_bounds_provoke() -> Vec<Reply> {
    let slow = b"POST /v1/transactions HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    let hanging = narrow(|limits| limits.answer_timeout = Duration::from_millis(20));
    hanging.validator.hangs.store(true, Ordering::Relaxed);
    let served = narrow(|limits| limits.body_timeout = Duration::from_millis(20));
    let mut stream = crate::tests::http::connect(&served);
    std::io::Write::write_all(&mut stream, slow).unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
    vec![
        crate::tests::http::Reply::parse(&answer).unwrap(),
        get(&hanging, "/v1/status"),
        get(&narrow(|limits| limits.reads_max = 0), "/v1/status"),
        get(&narrow(|limits| limits.large_reads_max = 0), "/v1/blocks"),
        get(&narrow(|limits| limits.subscribers_max = 0), "/v1/events"),
    ]
}

/// Problems that lie in the validator.
fn what_faults_provoke() -> Vec<Reply> {
    let served = Served::new(FakeValidator::new(0));
    let mut replies: Vec<Reply> = [
        Fault::Stopping,
        Fault::Overloaded,
        Fault::Internal("the disk at /secret is full".to_owned()),
    ]
    .into_iter()
    .map(|fault| {
        served.validator.fail(Some(fault));
        get(&served, "/v1/status")
    })
    .collect();
    served.validator.fail(None);
    served.validator.ready.store(false, Ordering::Relaxed);
    replies.push(get(&served, "/readyz"));
    replies
}

#[test]
fn an_internal_fault_keeps_its_reason_to_itself() {
    let served = Served::new(FakeValidator::new(0));
    let fault = Fault::Internal("the disk at /secret is full".to_owned());
    served.validator.fail(Some(fault.clone()));
    served.validator.answer([Err(fault.into())]);

    for reply in [get(&served, "/v1/status"), post(&served, "/v1/transactions", &submission())] {
        assert_eq!(reply.code(), Code::Internal);
        assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
    }
}

#[test]
fn parameters_that_are_not_of_their_form_are_refused_by_name() {
    let served = Served::new(FakeValidator::with_blocks(0, 1));
    let address = network::address_text(0);
    for path in [
        "/v1/blocks?limit=101",
        "/v1/blocks?limit=-1",
        "/v1/blocks?limit=1.5",
        "/v1/blocks?before=x",
        "/v1/blocks?before=99999999999999999999",
        "/v1/blocks?before=+1",
        "/v1/blocks?after=1",
        "/v1/blocks/-1",
        "/v1/blocks/99999999999999999999",
        "/v1/blocks/%ff",
        "/v1/blocks/tip/certificate",
        "/v1/transactions/12",
        "/v1/evidence?limit=101",
        "/v1/evidence?after=12",
        "/v1/evidence/12",
        "/v1/transactions/%00",
        &format!("/v1/accounts/{address}/history?before=1"),
        &format!("/v1/accounts/{address}/history?before=1-99999999999"),
        &format!("/v1/accounts/{address}/history?limit=0"),
        "/v1/events?after=tip",
        "/v1/events?after=",
        "/v1/blocks?limit=",
        "/v1/blocks?limit",
        "/v1/blocks?limit=1&limit=2",
        "/v1/events?from=1",
    ] {
        let problem = get(&served, path).problem();
        assert_eq!(problem.known_code(), Some(Code::InvalidParameter), "{path}");
        in_plain_words(&problem.detail);
    }
    for path in [
        "/v1/transactions?wait=forever",
        "/v1/transactions?timeout_ms=soon",
        "/v1/transactions?Wait=none",
    ] {
        let reply = post(&served, path, &submission());
        assert_eq!(reply.code(), Code::InvalidParameter, "{path}");
    }
}

/// What the libraries that read requests say is meant for those who wrote the server.
#[track_caller]
fn in_plain_words(detail: &str) {
    for theirs in ["eserialize", "struct", "query string", "invalid digit", "URL", "Unicode"] {
        assert!(!detail.contains(theirs), "{detail}");
    }
}

#[test]
fn an_unknown_parameter_is_refused_by_every_endpoint_and_named() {
    let served = Served::new(FakeValidator::with_blocks(0, 1));
    for (method, route) in routes() {
        let path = format!("{route}?colour=green");
        let json = [("Content-Type", "application/json")];
        let reply = request(&served, &method, &path, &json, &submission());

        let problem = reply.problem();
        assert_eq!(problem.known_code(), Some(Code::InvalidParameter), "{method} {path}");
        assert!(problem.detail.contains("\"colour\""), "{method} {path}: {}", problem.detail);
    }
    let account = format!("/v1/accounts/{}?height=3", network::address_text(0));
    assert_eq!(get(&served, &account).code(), Code::InvalidParameter);
}

#[test]
fn bodies_that_are_not_the_json_expected_are_refused() {
    let served = Served::new(FakeValidator::new(0));
    let transaction = hex::to_hex_wire(&network::transfer(0, 1, 0));
    let list = format!("[\"{transaction}\"]");
    let cases: [&[u8]; 13] = [
        list.as_bytes(),
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{\"transaction\":1}",
        b"{\"transaction\":null}",
        b"{\"transaction\":\"\",\"more\":1}",
        b"{\"transaction\":\"\"} {}",
        b"{\"transactions\":\"00\"}",
        b"{\"transactions\":[],\"transactions\":[]}",
        b"{\"transactions\":[1]}",
        b"\xff\xfe",
    ];
    for body in cases {
        for path in ["/v1/transactions", "/v1/transactions/batch"] {
            let problem = post(&served, path, body).problem();
            assert_eq!(problem.known_code(), Some(Code::MalformedJson), "{body:?} to {path}");
            in_plain_words(&problem.detail);
        }
    }
    assert_eq!(served.validator.submitted.load(Ordering::Relaxed), 0);
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    let served = Served::new(FakeValidator::new(0));
    let deep = format!("{{\"transactions\":{}", "[".repeat(1 << 20));

    let reply = post(&served, "/v1/transactions/batch", deep.as_bytes());

    assert_eq!(reply.code(), Code::MalformedJson);
}

#[test]
fn transactions_that_are_none_are_refused_before_the_validator_sees_them() {
    let served = Served::new(FakeValidator::new(0));
    let good = hex::to_hex_wire(&network::transfer(0, 1, 0));
    let long = hex::to_hex_wire(&network::transfer_with_memo(0, 1, 0, &"x".repeat(400)));
    for text in [
        "",
        "0",
        "xx",
        &good[2..],
        &good[..good.len() - 2],
        &format!("{good}00"),
        &format!("02{}", &good[2..]),
        &long,
    ] {
        let body = format!("{{\"transaction\":\"{text}\"}}");
        let reply = post(&served, "/v1/transactions", body.as_bytes());
        assert_eq!(reply.code(), Code::MalformedTransaction, "{text}");
    }
    assert_eq!(served.validator.submitted.load(Ordering::Relaxed), 0);
}

#[test]
fn a_body_without_an_announced_length_is_bounded_too() {
    let served = Served::new(FakeValidator::new(0));
    let mut bytes = b"POST /v1/transactions HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
                      Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..70 {
        bytes.extend_from_slice(b"400\r\n");
        bytes.extend_from_slice(&[b' '; 0x400]);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");

    let reply = raw(&served, &bytes).unwrap();

    assert_eq!(reply.code(), Code::BodyTooLarge);
}

#[test]
fn a_method_that_an_endpoint_lacks_is_answered_with_those_it_has() {
    let served = Served::new(FakeValidator::new(0));
    for (method, path, allowed) in [
        ("POST", "/v1/status", "GET,HEAD"),
        ("GET", "/v1/transactions", "POST"),
        ("PUT", "/v1/transactions/batch", "POST"),
        ("TRACE", "/livez", "GET,HEAD"),
        ("BREW", "/v1/events", "GET,HEAD"),
    ] {
        let reply = request(&served, method, path, &[], &[]);
        assert_eq!(reply.code(), Code::MethodNotAllowed);
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn a_refused_wait_says_why() {
    let served = Served::new(FakeValidator::new(0));
    served.validator.answer([Ok(Submission::Pending), Err(Rejection::UnknownSender.into())]);

    let path = "/v1/transactions?wait=committed&timeout_ms=1000";
    assert_eq!(post(&served, path, &submission()).status, 202);
    assert_eq!(post(&served, path, &submission()).code(), Code::UnknownSender);
}

//! What a client may take of the server: connections, time, places.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::client::Wait;
use crate::client::error::ClientError;
use crate::problem::Code;
use crate::server::Limits;
use crate::tests::backend::{FakeValidator, Served, quick_limits};
use crate::tests::http::{PATIENCE, Reply, connect, get};
use crate::tests::network;

const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

fn served(limits: impl FnOnce(&mut Limits)) -> Served {
    let mut narrow = quick_limits();
    limits(&mut narrow);
    Served::with_limits(FakeValidator::with_blocks(0, 1), narrow)
}

/// Reads until the server closes the connection.
fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    answer
}

#[test]
fn a_connection_above_the_bound_waits_until_another_closes() {
    let served = served(|limits| limits.connections_max = 2);
    let (first, second) = (connect(&served), connect(&served));
    let mut third = connect(&served);
    third.write_all(REQUEST).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut byte = [0];
    assert!(third.read(&mut byte).is_err(), "answered above the bound");

    drop(first);

    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(Reply::parse(&read_all(third)).unwrap().status, 200);
    drop(second);
}

#[test]
fn a_header_that_trickles_in_is_cut_off() {
    let served = served(|limits| limits.header_timeout = Duration::from_millis(100));
    let begun = Instant::now();
    let mut stream = connect(&served);
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();

    // One byte every few milliseconds would take minutes for the whole header.
    let mut byte = [0];
    for sent in REQUEST.iter().cycle() {
        let gone = stream.write_all(&[b'a' | (sent & 1)]).is_err();
        if gone || stream.read(&mut byte).is_ok() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "still open");
    }

    assert_eq!(get(&served, "/livez").status, 200);
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let served = served(|limits| limits.header_timeout = Duration::from_millis(50));

    let mut answer = Vec::new();
    connect(&served).read_to_end(&mut answer).unwrap();

    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"));
}

#[test]
fn slow_connections_do_not_lock_others_out() {
    let served = served(|limits| {
        limits.connections_max = 4;
        limits.header_timeout = Duration::from_millis(100);
    });
    let slow: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = connect(&served);
            stream.write_all(b"GET /livez HTTP/1.1\r\nHost: ").unwrap();
            stream
        })
        .collect();

    assert_eq!(get(&served, "/livez").status, 200);
    drop(slow);
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    let served = served(|limits| {
        limits.write_timeout = Duration::from_millis(100);
        limits.connections_max = 1;
    });
    let mut greedy = connect(&served);
    // Far more answers than the system buffers for a reader that never reads.
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n";
    for _ in 0..2_000 {
        if greedy.write_all(request).is_err() {
            break;
        }
    }

    // The only place is free again although the greedy one never closed its end.
    assert_eq!(get(&served, "/livez").status, 200);
}

/// A server with one place for large answers, and one answer that no system buffers as a whole.
fn served_large(limits: impl FnOnce(&mut Limits)) -> Served {
    let served = served(|narrow| {
        narrow.large_reads_max = 1;
        limits(narrow);
    });
    *served.validator.metrics.lock().unwrap() = "#".repeat(LARGE_BYTES);
    served
}

const LARGE_BYTES: usize = 64 << 20;

/// A client that has asked for the large answer and read where it begins.
fn reading(served: &Served) -> TcpStream {
    let mut stream = connect(served);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut begin = [0; 15];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn an_answer_keeps_its_place_until_it_is_written_or_nobody_reads_it() {
    let served = served_large(|_| {});
    let first = reading(&served);

    assert_eq!(get(&served, "/v1/blocks").code(), Code::Overloaded);
    assert_eq!(get(&served, "/v1/status").status, 200);

    // Read to its end, and the place is free before the connection is closed.
    assert!(read_all(first).len() > LARGE_BYTES);
    assert_eq!(get(&served, "/v1/blocks").status, 200);
    let second = reading(&served);
    assert_eq!(get(&served, "/v1/blocks").code(), Code::Overloaded);
    drop(second);
    let begun = Instant::now();
    while get(&served, "/v1/blocks").status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the place is never given back");
    }
}

#[test]
fn a_reader_that_takes_little_is_cut_off() {
    let served = served_large(|limits| {
        limits.write_timeout = Duration::from_millis(200);
        limits.bytes_per_second_min = u32::MAX;
    });
    let mut slow = reading(&served);

    // It never stops reading, and would be done in some seconds.
    let mut taken = 0;
    let mut bytes = vec![0; 256 << 10];
    while let Ok(count @ 1..) = slow.read(&mut bytes) {
        taken += count;
        std::thread::sleep(Duration::from_millis(10));
    }

    assert!(taken < LARGE_BYTES, "it got everything");
    assert_eq!(get(&served, "/v1/blocks").status, 200);
}

#[test]
fn a_header_that_is_too_large_is_refused() {
    let served = served(|limits| limits.header_bytes_max = 8 << 10);
    let long = format!("GET /livez?{} HTTP/1.1\r\n\r\n", "x".repeat(64 << 10));

    let reply = crate::tests::http::raw(&served, long.as_bytes());

    // The server may close before it has read all, and then the answer may be lost.
    assert!(reply.is_none_or(|reply| (400..500).contains(&reply.status)));
    assert_eq!(get(&served, "/livez").status, 200);
}

#[test]
fn a_kind_of_request_that_is_full_does_not_block_the_others() {
    let served = served(|limits| limits.submits_max = 1);
    let client = served.client();
    let waiting = {
        let client = client.clone();
        std::thread::spawn(move || {
            client.submit(&network::transfer(0, 1, 0), Wait::Committed(PATIENCE))
        })
    };
    while served.validator.submitted.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }

    let error = client.submit(&network::transfer(0, 1, 1), Wait::None).unwrap_err();

    assert_eq!(error.code(), Some(Code::Overloaded));
    assert!(error.is_passing());
    assert!(client.status().is_ok());
    assert!(client.submit_batch(&[network::transfer(0, 1, 2)]).is_ok());
    drop(served);
    assert!(waiting.join().unwrap().is_err());
}

#[test]
fn a_longer_wait_than_the_bound_is_cut_to_it() {
    let served = served(|limits| limits.wait_max = Duration::from_millis(20));

    let answer =
        served.client().submit(&network::transfer(0, 1, 0), Wait::Committed(Duration::MAX));

    assert!(!answer.unwrap().status.is_committed());
}

#[test]
fn stopping_ends_waits_streams_and_idle_connections() {
    let mut served = served(|_| {});
    let url = served.url.clone();
    let client = served.client();
    let mut events = client.events(Some(types::number::Height::GENESIS));
    assert!(events.next().unwrap().is_ok());
    let idle = connect(&served);
    let waiting = {
        let client = client.clone();
        std::thread::spawn(move || {
            client.submit(&network::transfer(0, 1, 0), Wait::Committed(PATIENCE))
        })
    };
    while served.validator.submitted.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }

    let begun = Instant::now();
    served.stop();

    assert!(begun.elapsed() < PATIENCE / 2);
    // The client asks again when it is told that the validator stops, and then nobody is there.
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_passing());
    assert!(read_all(idle).is_empty());
    while let Some(Ok(_)) = events.next() {}
    let gone = crate::client::Client::new(&url).unwrap().status().unwrap_err();
    assert!(matches!(gone, ClientError::Unreachable { .. }), "{gone}");
}

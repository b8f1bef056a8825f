//! The event stream: nothing missed, nothing twice, nobody waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use types::number::Height;
use types::rejection::Rejection;

use crate::client::error::ClientError;
use crate::client::events::Events;
use crate::events::BLOCKS_KEPT;
use crate::problem::Code;
use crate::tests::backend::{FakeValidator, Served, quick_limits};
use crate::tests::http::{connect, request};
use crate::tests::network;
use crate::types::{BlockEvent, Event};

fn served(blocks: u64) -> Served {
    Served::new(FakeValidator::with_blocks(1, blocks))
}

/// The next block event, whatever comes before it.
fn next_block(events: &mut Events) -> BlockEvent {
    loop {
        match events.next().unwrap() {
            Ok(Event::Block(block)) => return block,
            Ok(Event::Status(_) | Event::Refused(_) | Event::Lost(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn heights(events: &mut Events, count: usize) -> Vec<u64> {
    (0..count).map(|_| next_block(events).height.get()).collect()
}

/// Reads the first status, so that the stream is known to be open.
fn opened(served: &Served, after: Option<u64>) -> Events {
    let mut events = served.client().events(after.map(Height::new));
    assert!(matches!(events.next(), Some(Ok(Event::Status(_)))));
    events
}

#[test]
fn a_stream_begins_with_the_status_and_says_it_from_time_to_time() {
    let served = served(2);
    let mut events = opened(&served, None);

    for _ in 0..3 {
        let Some(Ok(Event::Status(status))) = events.next() else {
            panic!("not a status");
        };
        assert_eq!(status.height, Height::new(2));
    }
}

#[test]
fn a_stream_from_now_begins_with_the_next_block() {
    let served = served(3);
    let mut events = opened(&served, None);

    let proved =
        served.validator.commit(vec![network::transfer(0, 1, 3), network::transfer(0, 1, 4)]);

    let event = next_block(&mut events);
    assert_eq!((event.height, event.block), (Height::new(4), proved.block.id()));
    assert_eq!(event.state_root, proved.block.header.state_root);
    let ids: Vec<_> = proved.block.body.transactions().iter().map(|it| it.id()).collect();
    assert_eq!(event.transaction_ids, ids);
    assert_eq!(event.reply, network::reply(1, &proved.block.header));
}

#[test]
fn a_stream_from_a_height_replays_stored_blocks_and_goes_on_live() {
    let served = served(5);
    let mut events = served.client().events(Some(Height::new(2)));

    assert_eq!(heights(&mut events, 3), [3, 4, 5]);
    served.validator.commit(vec![network::transfer(0, 1, 5)]);
    assert_eq!(heights(&mut events, 1), [6]);
}

#[test]
fn no_block_is_missed_while_blocks_are_committed_during_the_replay() {
    let served = served(1);
    let validator = Arc::clone(&served.validator);
    let committing = std::thread::spawn(move || {
        for nonce in 1..100 {
            validator.commit(vec![network::transfer(0, 1, nonce)]);
        }
    });

    let mut events = served.client().events(Some(Height::GENESIS));
    let seen = heights(&mut events, 100);

    committing.join().unwrap();
    assert!(seen.into_iter().eq(1..=100));
}

#[test]
fn a_stream_from_above_the_tip_waits_for_what_follows() {
    let served = served(1);
    let mut events = opened(&served, Some(3));

    for nonce in 1..5 {
        served.validator.commit(vec![network::transfer(0, 1, nonce)]);
    }

    assert_eq!(heights(&mut events, 2), [4, 5]);
}

#[test]
fn the_last_event_id_wins_over_the_parameter_and_both_are_heights() {
    let served = served(4);
    for (path, header, first) in [
        ("/v1/events?after=2", None, 3),
        ("/v1/events?after=2", Some("3"), 4),
        ("/v1/events", Some("1"), 2),
    ] {
        let mut stream = connect(&served);
        let header = header.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        std::io::Write::write_all(
            &mut stream,
            format!("GET {path} HTTP/1.0\r\n{header}\r\n").as_bytes(),
        )
        .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(stream));
        let id =
            lines.map(Result::unwrap).find_map(|line| line.strip_prefix("id: ").map(str::to_owned));
        assert_eq!(id, Some(format!("{first}")), "{path} {header}");
    }
    let reply = request(&served, "GET", "/v1/events", &[("Last-Event-ID", "tip")], &[]);
    assert_eq!(reply.code(), Code::InvalidParameter);
}

#[test]
fn a_client_that_loses_its_server_goes_on_where_it_was() {
    let mut served = served(3);
    let mut events = served.client().events(Some(Height::new(1)));
    assert_eq!(heights(&mut events, 2), [2, 3]);

    served.stop();
    while matches!(events.next(), Some(Ok(_))) {}
    assert!(matches!(events.next(), Some(Err(ClientError::Unreachable { .. }))));
    let again = Served::new(FakeValidator::with_blocks(1, 6));
    let mut events = again.client().events(events.last_height());

    assert_eq!(heights(&mut events, 3), [4, 5, 6]);
}

#[test]
fn a_dropped_transaction_is_told_with_its_reason() {
    let served = served(0);
    let mut events = opened(&served, None);
    let id = network::transfer(0, 1, 7).id();

    served.validator.hub.refused(id, &Rejection::UnknownSender);

    loop {
        match events.next().unwrap().unwrap() {
            Event::Refused(refused) => {
                assert_eq!((refused.id, refused.code.as_str()), (id, "unknown-sender"));
                return;
            }
            Event::Status(_) | Event::Lost(_) => {}
            Event::Block(block) => panic!("{block:?}"),
        }
    }
}

/// Commits `count` blocks while the only stream is held up: all at once, for it.
fn commit_unseen(served: &Served, count: u64) {
    let validator = &served.validator;
    let mut tip = validator.tip();
    let mut blocks = Vec::new();
    for nonce in 1..=count {
        let proved = network::block(&tip, vec![network::transfer(0, 1, nonce)]);
        tip = proved.block.header.clone();
        blocks.push((network::reply(1, &tip), Arc::new(proved)));
    }
    validator.hangs.store(true, Ordering::Relaxed);
    while validator.hung.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    for (reply, proved) in blocks {
        validator.blocks.lock().unwrap().push(Arc::clone(&proved));
        validator.hub.block(proved, reply);
    }
    validator.hangs.store(false, Ordering::Relaxed);
}

/// A server that gives up a look-up soon, and more blocks than it keeps for readers.
fn held_up() -> (Served, u64) {
    let mut limits = quick_limits();
    limits.answer_timeout = Duration::from_secs(1);
    let served = Served::with_limits(FakeValidator::with_blocks(1, 1), limits);
    (served, u64::try_from(BLOCKS_KEPT).unwrap() * 3)
}

#[test]
fn a_reader_far_behind_is_told_to_reconnect() {
    let (served, count) = held_up();
    let mut stream = connect(&served);
    std::io::Write::write_all(&mut stream, b"GET /v1/events HTTP/1.0\r\n\r\n").unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream)).map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line == "event: status"));

    commit_unseen(&served, count);

    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line == "event: reconnect"), "{rest:?}");
    assert!(!rest.iter().any(|line| line.starts_with("id: ")));
}

#[test]
fn a_client_that_falls_far_behind_misses_no_block() {
    let (served, count) = held_up();
    let mut events = opened(&served, Some(1));

    commit_unseen(&served, count);

    let seen = heights(&mut events, usize::try_from(count).unwrap());
    assert!(seen.into_iter().eq(2..=count + 1));
}

#[test]
fn one_stream_more_than_the_bound_is_refused_until_another_ends() {
    let mut limits = quick_limits();
    limits.subscribers_max = 1;
    let served = Served::with_limits(FakeValidator::new(0), limits);
    let first = opened(&served, None);

    let refused = served.client().events(None).next();
    let Some(Err(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.code(), Some(Code::TooManySubscribers));

    drop(first);
    // The server notices when it next says its status.
    let mut events = served.client().events(None);
    assert!(events.by_ref().take(100).any(|event| event.is_ok()));
}

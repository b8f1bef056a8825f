use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::timeout;
use types::parameters::Parameters;

use super::{Node, PATIENCE, all_connected, quick, replica, settings, validators};
use crate::error::SendError;
use crate::event::Event;
use crate::settings::{Limits, Settings};

/// Two connected nodes with bounds of their own.
async fn pair(first: Limits, second: Limits) -> (Node, Node) {
    let validators = validators(1, &[1, 2]);
    let mut one = Node::start(Settings { limits: first, ..settings(&validators, 1, &[]) });
    let bootstrap = [one.address().await];
    let mut two = Node::start(Settings { limits: second, ..settings(&validators, 2, &bootstrap) });
    one.connected(1).await;
    two.connected(0).await;
    (one, two)
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_arrive_intact_and_in_order() {
    let (one, mut two) = pair(quick(), quick()).await;

    let sent: Vec<Vec<u8>> = (0..500_usize).map(|n| vec![n.to_be_bytes()[7]; n * 7]).collect();
    for bytes in &sent {
        one.network.send(replica(1), bytes.as_slice().into()).unwrap();
    }

    for bytes in &sent {
        assert_eq!(two.frame().await, (replica(0), bytes.clone()));
    }
    one.metric("network_frames_sent_total{replica=\"1\"}", 500).await;
    assert_eq!(two.value("network_frames_received_total{replica=\"0\"}"), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_reaches_every_other_member() {
    let mut nodes = all_connected(&[1, 2, 3], &quick()).await;
    let (first, others) = nodes.split_first_mut().unwrap();

    first.network.broadcast(b"to all"[..].into());

    for node in others {
        assert_eq!(node.frame().await, (replica(0), b"to all".to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_frame_passes_and_one_byte_more_is_not_sent() {
    let (one, mut two) = pair(quick(), quick()).await;
    let bytes_max = quick().frame_bytes_max;
    let largest = vec![7; usize::try_from(bytes_max).unwrap()];
    let mut longer = largest.clone();
    longer.push(7);

    let refused = one.network.send(replica(1), longer.as_slice().into());
    one.network.broadcast(longer.as_slice().into());
    one.network.send(replica(1), largest.as_slice().into()).unwrap();

    assert_eq!(refused, Err(SendError::TooLong { bytes: longer.len(), bytes_max }));
    assert_eq!(two.frame().await, (replica(0), largest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_one_byte_more_is_cut_off_for_a_while() {
    let small = Limits { frame_bytes_max: 1_000, cut_off: Duration::from_secs(1), ..quick() };
    let (mut one, mut two) = pair(quick(), small).await;

    one.network.send(replica(1), vec![7; 1_000].into()).unwrap();
    one.network.send(replica(1), vec![7; 1_001].into()).unwrap();

    assert_eq!(two.frame().await.1.len(), 1_000);
    one.disconnected(1).await;
    two.disconnected(0).await;
    let resets = "network_stream_resets_total{replica=\"0\",reason=\"frame_too_long\"}";
    two.metric(resets, 1).await;
    two.metric("network_refused_connections_total{reason=\"cut_off\"}", 1).await;
    // It is let in again when the time is over.
    one.connected(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_too_fast_is_cut_off() {
    let strict = Limits { frames_per_second: 200, burst_seconds: 1, ..quick() };
    let (mut one, two) = pair(quick(), strict).await;

    for _ in 0..1_000 {
        one.network.send(replica(1), vec![7].into()).ok();
    }

    one.disconnected(1).await;
    two.metric("network_stream_resets_total{replica=\"0\",reason=\"too_fast\"}", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_gets_its_stream_reset_and_takes_no_unbounded_memory() {
    let sender = Limits { outgoing_frames_max: 64, ..quick() };
    let reader = Limits { events_max: 1, incoming_bytes_max: 0, ..quick() };
    let (mut one, mut two) = pair(sender, reader).await;
    let frame: Arc<[u8]> = vec![7; 64 << 10].into();

    // The reader takes nothing. What is taken here lies in queues, windows and socket buffers.
    let mut taken = 0;
    let full = async {
        loop {
            match one.network.send(replica(1), Arc::clone(&frame)) {
                Ok(()) => taken += 1,
                Err(error) => return error,
            }
            tokio::task::yield_now().await;
        }
    };
    let refused = timeout(PATIENCE, full).await.unwrap();

    assert_eq!(refused, SendError::QueueFull(replica(1)));
    assert!(taken < 1_000, "{taken} frames of 64 KiB were taken");
    one.disconnected(1).await;
    one.metric("network_stream_resets_total{replica=\"1\",reason=\"queue_full\"}", 1).await;
    assert_eq!(one.value("network_queue_frames{replica=\"1\"}"), 0);

    // Once it reads again, a new stream is opened, and whole frames come in order.
    let reading = tokio::spawn(async move {
        let mut frames: usize = 0;
        loop {
            let (_, bytes) = two.frame().await;
            if bytes == b"after" {
                return frames;
            }
            assert_eq!(bytes.len(), 64 << 10);
            frames += 1;
        }
    });
    one.connected(1).await;
    one.network.send(replica(1), b"after"[..].into()).unwrap();
    let frames = timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert!(frames <= taken);
}

/// What a primary says again on a new connection, with the widest window there is.
#[tokio::test(flavor = "multi_thread")]
async fn two_windows_of_full_blocks_said_at_once_all_arrive() {
    let parameters =
        Parameters { window_heights: 64, block_bytes_max: 1 << 10, ..Parameters::default() };
    let Limits { frame_bytes_max, outgoing_bytes_max, .. } = Limits::for_network(&parameters, 0);
    let limits = Limits { frame_bytes_max, outgoing_bytes_max, ..quick() };
    let (one, mut two) = pair(limits.clone(), limits).await;
    let bytes = usize::try_from(frame_bytes_max).unwrap();

    for number in 0..128 {
        one.network.send(replica(1), vec![number; bytes].into()).unwrap();
    }

    for number in 0..128 {
        assert!(two.frame().await == (replica(0), vec![number; bytes]), "frame {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_nobody_drops_hold_up_their_sender_and_no_other() {
    let holder = Limits { frame_bytes_max: 10_000, incoming_bytes_max: 45_000, ..quick() };
    let mut nodes = all_connected(&[1, 2, 3], &holder).await;
    for _ in 0..10 {
        nodes[1].network.send(replica(0), vec![1; 9_000].into()).unwrap();
    }

    let mut held = Vec::new();
    while held.len() < 4 {
        held.push(
            nodes[0]
                .next(|event| match event {
                    Event::Frame { from, bytes } => Some((from, bytes)),
                    _ => None,
                })
                .await,
        );
    }
    nodes[2].network.send(replica(0), vec![2; 9_000].into()).unwrap();

    let (from, _) = nodes[0].frame().await;
    assert!(held.iter().all(|(from, _)| *from == replica(1)));
    assert_eq!(from, replica(2));
    held.clear();
    for _ in 0..6 {
        assert_eq!(nodes[0].frame().await.0, replica(1));
    }
}

#[tokio::test]
async fn frames_to_nobody_are_refused() {
    let validators = validators(1, &[1, 2]);
    let node = Node::start(settings(&validators, 1, &[]));
    let frame: Arc<[u8]> = vec![1].into();

    let to_two = node.network.send(replica(1), Arc::clone(&frame));
    let to_self = node.network.send(replica(0), Arc::clone(&frame));
    let to_none = node.network.send(replica(7), frame);

    assert_eq!(to_two, Err(SendError::NotConnected(replica(1))));
    assert_eq!(to_self, Err(SendError::NoSuchPeer(replica(0))));
    assert_eq!(to_none, Err(SendError::NoSuchPeer(replica(7))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_on_a_stream_end_it_and_nothing_else(
        bytes in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..400)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let validators = validators(1, &[1, 2]);
            let node = Node::start(settings(&validators, 1, &[]));
            let hub = Arc::clone(&node.network.inner.hub);
            let link = Arc::clone(&hub.links[&replica(1)]);
            let (events, mut received) = tokio::sync::mpsc::channel(1_000);

            crate::link::reader::read_bytes(link, hub, events, &bytes).await;

            while let Ok(event) = received.try_recv() {
                let Event::Frame { bytes: frame, .. } = event else {
                    panic!("{event:?}");
                };
                assert!(frame.len() < bytes.len());
            }
        });
    }
}

use std::net::TcpListener;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;

use super::{Node, all_connected, node_seed, quick, settings, validator_key, validators};
use crate::error::{NetworkError, PublishError, RequestError, SendError};
use crate::event::{Event, Topic};
use crate::identity::{peer_id_of, peer_id_valid};
use crate::network::start;
use crate::settings::{Limits, Settings};

fn refusal(settings: Settings) -> NetworkError {
    start(settings, &mut Registry::default()).unwrap_err()
}

#[tokio::test]
async fn a_network_of_one_is_ready_at_once_and_tells_its_address() {
    let validators = validators(1, &[1]);

    let mut node = Node::start(settings(&validators, 1, &[]));

    assert!(node.network.peers().borrow().ready);
    let address = node.address().await;
    assert!(address.starts_with("/ip4/127.0.0.1/tcp/"));
    assert!(address.ends_with(&peer_id_of(&node_seed(1))));
    assert_eq!(node.network.addresses(), [address]);
}

#[tokio::test]
async fn a_network_of_four_is_not_ready_before_three_are_connected() {
    let validators = validators(1, &[1, 2, 3, 4]);

    let node = Node::start(settings(&validators, 1, &[]));

    assert!(!node.network.peers().borrow().ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_takes_less_than_a_second_and_ends_the_events_and_the_connections() {
    let mut nodes = all_connected(&[1, 2], &quick()).await;
    let mut one = nodes.remove(0);
    let mut two = nodes.remove(0);
    one.connected(1).await;
    two.connected(0).await;

    let begun = Instant::now();
    one.network.shutdown().await;

    assert!(begun.elapsed() < Duration::from_secs(1));
    one.network.shutdown().await;
    while one.events.recv().await.is_some() {}
    two.disconnected(0).await;
    let to = super::replica(1);
    assert_eq!(one.network.publish(Topic::Transactions, vec![1]), Err(PublishError::Stopped));
    assert_eq!(one.network.request(to, vec![1]).await, Err(RequestError::Stopped));
    // The tasks that would have closed the queue are gone, and nobody reads it.
    assert!(matches!(
        one.network.send(to, vec![1].into()),
        Ok(()) | Err(SendError::NotConnected(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_handle_ends_the_network() {
    let mut nodes = all_connected(&[1, 2], &quick()).await;
    let mut two = nodes.pop().unwrap();
    let one = nodes.pop().unwrap();
    two.connected(0).await;
    let mut events = one.events;

    drop(one.network);

    while events.recv().await.is_some() {}
    two.disconnected(0).await;
}

#[tokio::test]
async fn keys_that_are_not_those_of_the_genesis_are_refused() {
    let two = validators(1, &[1, 2]);

    let mut wrong = settings(&two, 1, &[]);
    *wrong.node_seed = node_seed(2);
    assert!(matches!(refusal(wrong), NetworkError::WrongNodeKey { .. }));

    let mut wrong = settings(&two, 1, &[]);
    wrong.signer = std::sync::Arc::new(validator_key(2));
    assert!(matches!(refusal(wrong), NetworkError::WrongValidatorKey { .. }));

    let mut wrong = settings(&two, 1, &[]);
    wrong.replica = super::replica(2);
    assert!(matches!(refusal(wrong), NetworkError::NoSuchReplica { .. }));

    let mut wrong = settings(&two, 1, &[]);
    wrong.chain = *validators(2, &[1]).chain();
    assert!(matches!(refusal(wrong), NetworkError::WrongChain { .. }));
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_by_name() {
    let validators = validators(1, &[1, 2]);
    let stranger = peer_id_of(&node_seed(9));
    let member = peer_id_of(&node_seed(2));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());

    for bootstrap in [
        "nonsense".to_owned(),
        "/ip4/127.0.0.1/tcp/1".to_owned(),
        format!("/ip4/127.0.0.1/tcp/1/p2p/{stranger}"),
        format!("/p2p/{member}"),
    ] {
        let refused = refusal(settings(&validators, 1, std::slice::from_ref(&bootstrap)));
        assert!(
            matches!(&refused, NetworkError::Address { address, .. } if *address == bootstrap),
            "{refused}"
        );
    }
    let announced = format!("/ip4/127.0.0.1/tcp/1/p2p/{member}");
    let mut announce = settings(&validators, 1, &[]);
    announce.announce = vec![announced.clone()];
    let refused = refusal(announce);
    assert!(
        matches!(&refused, NetworkError::Address { address, .. } if *address == announced),
        "{refused}"
    );
    let mut listen = settings(&validators, 1, &[]);
    listen.listen = vec![taken.clone()];
    let _still_open = TcpListener::bind(taken.replace("/ip4/", "").replace("/tcp/", ":"));
    let refused = refusal(listen);
    assert!(
        matches!(&refused, NetworkError::Listen { address, .. } if *address == taken),
        "{refused}"
    );
}

#[tokio::test]
async fn our_own_address_among_the_bootstrap_addresses_is_passed_over() {
    let validators = validators(1, &[1, 2]);
    let own = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", peer_id_of(&node_seed(1)));

    let mut node = Node::start(settings(&validators, 1, &[own]));

    node.address().await;
}

#[test]
fn outside_of_a_runtime_nothing_starts() {
    let validators = validators(1, &[1]);

    let refused = refusal(settings(&validators, 1, &[]));

    assert!(matches!(refused, NetworkError::NoRuntime));
}

#[cfg(not(feature = "mdns"))]
#[tokio::test]
async fn multicast_is_refused_by_a_build_without_it() {
    let validators = validators(1, &[1]);

    let refused = refusal(Settings { mdns: true, ..settings(&validators, 1, &[]) });

    assert!(matches!(refused, NetworkError::Mdns { .. }));
}

#[test]
fn peer_ids_are_told_from_other_texts() {
    assert!(peer_id_valid(&peer_id_of(&node_seed(1))));
    assert_ne!(peer_id_of(&node_seed(1)), peer_id_of(&node_seed(2)));
    assert!(!peer_id_valid(""));
    assert!(!peer_id_valid("12D3KooW"));
}

#[test]
fn bounds_that_contradict_each_other_are_made_to_agree() {
    let limits = Limits {
        outgoing_bytes_max: 1,
        incoming_bytes_max: 1,
        events_max: 0,
        gossip_pending_bytes_max: 1,
        requests_in_flight_max: 1_000,
        ..Limits::default()
    }
    .consistent();

    assert!(limits.outgoing_bytes_max >= usize::try_from(limits.frame_bytes_max).unwrap());
    assert!(limits.incoming_bytes_max >= limits.frame_bytes_max);
    assert_eq!(limits.events_max, 1);
    assert!(limits.gossip_pending_bytes_max >= limits.gossip_bytes_max);
    assert_eq!(limits.requests_in_flight_max, 32);
}

#[test]
fn events_print_without_their_bytes() {
    let event = Event::Frame {
        from: super::replica(1),
        bytes: crate::event::Payload::new(vec![7; 1_000], None),
    };

    assert_eq!(format!("{event:?}"), "Frame { from: ReplicaId(1), bytes: 1000 bytes }");
}

use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Node, all_connected, node_seed, quick, settings, validators};
use crate::event::{Event, Topic};
use crate::identity::peer_id_of;
use crate::settings::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_find_each_other_from_one_bootstrap_address() {
    let nodes = all_connected(&[1, 2, 3, 4], &quick()).await;

    for node in &nodes {
        node.peers(|peers| peers.ready).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_quorum_needs_is_enough_to_be_ready() {
    let validators = validators(1, &[1, 2, 3, 4]);
    let mut one = Node::start(settings(&validators, 1, &[]));
    let bootstrap = [one.address().await];
    let two = Node::start(settings(&validators, 2, &bootstrap));
    let three = Node::start(settings(&validators, 3, &bootstrap));

    for node in [&one, &two, &three] {
        node.peers(|peers| peers.ready).await;
        assert_eq!(node.network.peers().borrow().connected.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_that_comes_back_on_another_port_is_connected_again() {
    let mut nodes = all_connected(&[1, 2, 3, 4], &quick()).await;
    let killed = nodes.remove(3);
    let before = killed.network.addresses();
    for node in &mut nodes {
        node.connected(3).await;
    }

    drop(killed);
    for node in &mut nodes {
        node.disconnected(3).await;
    }
    let bootstrap = [nodes[1].address().await];
    let validators = validators(1, &[1, 2, 3, 4]);
    let mut back = Node::start(settings(&validators, 4, &bootstrap));

    for node in &mut nodes {
        node.connected(3).await;
    }
    back.peers(|peers| peers.connected.len() == 3).await;
    back.frame_reaches(&mut nodes).await;
    assert_ne!(back.network.addresses(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_bootstrap_peer_that_comes_back_is_found_by_those_it_knows() {
    let mut nodes = all_connected(&[1, 2, 3], &quick()).await;
    drop(nodes.remove(0));
    for node in &mut nodes {
        node.disconnected(0).await;
    }

    let validators = validators(1, &[1, 2, 3]);
    let bootstrap = [nodes[1].address().await];
    let back = Node::start(settings(&validators, 1, &bootstrap));

    back.peers(|peers| peers.ready && peers.connected.len() == 2).await;
    for node in &mut nodes {
        node.connected(0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_that_comes_back_on_the_same_port_is_dialled_by_those_who_know_it() {
    let mut nodes = all_connected(&[1, 2], &quick()).await;
    let mut one = nodes.remove(0);
    let two = nodes.remove(0);
    one.connected(1).await;
    // Being connected is not yet knowing where the other listens: it has to have said so.
    one.metric("network_announcements_total{reason=\"accepted\"}", 1).await;
    let address = two.network.addresses().remove(0);
    let (listen, _) = address.split_once("/p2p/").unwrap();
    two.network.shutdown().await;
    one.disconnected(1).await;

    // It knows nobody, so it waits to be dialled.
    let validators = validators(1, &[1, 2]);
    let _back =
        Node::start(Settings { listen: vec![listen.to_owned()], ..settings(&validators, 2, &[]) });

    one.connected(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_goes_dark_under_load_is_closed_after_two_failed_pings() {
    let validators = validators(1, &[1, 2]);
    let limits = crate::settings::Limits {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(300),
        // Nobody but the pings notices.
        announce_interval: Duration::from_secs(60),
        ..quick()
    };
    let mut one = Node::start(Settings { limits: limits.clone(), ..settings(&validators, 1, &[]) });
    let (dark, bootstrap) = proxy(&one.address().await).await;
    let mut two = Node::start(Settings { limits, ..settings(&validators, 2, &[bootstrap]) });
    one.connected(1).await;
    two.connected(0).await;

    for node in [&one, &two] {
        node.metric("network_announcements_total{reason=\"accepted\"}", 1).await;
    }

    dark.send_replace(true);
    // Enough to fill every buffer on the way, so that closing cannot flush either.
    let frame: std::sync::Arc<[u8]> = vec![7; 1 << 20].into();
    for _ in 0..12 {
        two.network.send(super::replica(0), frame.clone()).ok();
    }

    two.disconnected(0).await;
    one.disconnected(1).await;
    // They know each other's addresses by now and need no proxy.
    two.connected(0).await;
    one.connected(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_silent_in_gossip_for_three_periods_is_connected_anew() {
    let validators = validators(1, &[1, 2]);
    let mut one = Node::start(Settings {
        limits: crate::settings::Limits {
            announce_interval: Duration::from_millis(100),
            ..quick()
        },
        ..settings(&validators, 1, &[])
    });
    let bootstrap = [one.address().await];
    let two = Node::start(Settings {
        limits: crate::settings::Limits {
            announce_interval: Duration::from_secs(3_600),
            ..quick()
        },
        ..settings(&validators, 2, &bootstrap)
    });

    one.connected(1).await;
    one.disconnected(1).await;
    one.connected(1).await;
    two.network.publish(Topic::Transactions, vec![1]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_is_dialled_where_it_announces_itself_and_nowhere_else() {
    let validators = validators(1, &[1, 2, 3]);
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let announced = format!("/ip4/127.0.0.1/tcp/{}", relay.local_addr().unwrap().port());
    let mut one = Node::start(settings(&validators, 1, &[]));
    let bootstrap = [one.address().await];

    let _two =
        Node::start(Settings { announce: vec![announced], ..settings(&validators, 2, &bootstrap) });
    let three = Node::start(Settings {
        // Nobody listens there, so it has to dial itself.
        announce: vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{}", peer_id_of(&node_seed(3)))],
        ..settings(&validators, 3, &bootstrap)
    });

    let dialled = tokio::time::timeout(super::PATIENCE, relay.accept()).await;
    dialled.expect("it is dialled in time").unwrap();
    let connected = three.network.peers().borrow().connected.clone();
    assert!(!connected.contains(&super::replica(1)), "{connected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_dial_has_failed_the_next_comes_from_another_port() {
    let validators = validators(1, &[1, 2]);
    let asked = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = asked.local_addr().unwrap().port();
    let bootstrap = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}", peer_id_of(&node_seed(2)));

    let mut one = Node::start(settings(&validators, 1, &[bootstrap]));

    let listens = one.address().await;
    let mut from_there = Vec::new();
    for _ in 0..4 {
        let dialled = tokio::time::timeout(super::PATIENCE, asked.accept()).await;
        // Hung up on, it has failed.
        let (_, from) = dialled.expect("it is dialled in time").unwrap();
        from_there.push(listens.contains(&format!("/tcp/{}/", from.port())));
    }
    assert!(from_there.contains(&false), "{from_there:?}");
}

/// A way to the address that can be made to carry nothing more, and the address of that way.
async fn proxy(address: &str) -> (watch::Sender<bool>, String) {
    let mut parts = address.split('/').skip(2);
    let host = parts.next().unwrap();
    let port = parts.nth(1).unwrap();
    let target = format!("{host}:{port}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (dark, mut is_dark) = watch::channel(false);
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(target).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            _ = is_dark.wait_for(|dark| *dark) => {}
        }
        // Both stay open, and nothing is read.
        is_dark.wait_for(|dark| !dark).await.ok();
        drop((near, far));
    });
    let peer = peer_id_of(&node_seed(1));
    (dark, format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}"))
}

impl Node {
    async fn frame_reaches(&mut self, others: &mut [Node]) {
        self.network.broadcast(b"hello"[..].into());
        for node in others {
            let bytes = node
                .next(|event| match event {
                    Event::Frame { bytes, .. } => Some(bytes),
                    _ => None,
                })
                .await;
            assert_eq!(&*bytes, b"hello");
        }
    }
}

//! What a member that does not keep to the rules, or a stranger, can take from the others.

use std::time::{Duration, Instant};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Multiaddr, PeerId, StreamProtocol, SwarmBuilder, noise, ping, tcp, yamux};
use libp2p_stream::{Control, IncomingStreams};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Node, PATIENCE, node_seed, quick, replica, settings, validators};
use crate::behaviour::Names;
use crate::event::Event;
use crate::identity::keypair;
use crate::settings::{Limits, Settings};

/// What gossipsub speaks.
pub(super) const GOSSIP: StreamProtocol = StreamProtocol::new("/meshsub/1.2.0");

/// A member with a key of its own and without our rules.
#[derive(NetworkBehaviour)]
struct Raw {
    streams: libp2p_stream::Behaviour,
    ping: ping::Behaviour,
}

/// A connected liar: it opens what streams it likes.
pub(super) struct Liar {
    pub(super) control: Control,
    pub(super) peer: PeerId,
    connected: watch::Receiver<bool>,
    /// Streams to it of gossip, which it does not read. Were they refused, it would be taken for
    /// one without gossip.
    _gossip: IncomingStreams,
}

impl Liar {
    /// The second validator, connected with the first at this address.
    pub(super) async fn connect(address: &str) -> Self {
        let mut swarm = SwarmBuilder::with_existing_identity(keypair(&node_seed(2)))
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Raw {
                streams: libp2p_stream::Behaviour::new(),
                ping: ping::Behaviour::default(),
            })
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE * 4))
            .build();
        let mut control = swarm.behaviour().streams.new_control();
        let gossip = control.accept(GOSSIP).unwrap();
        swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
        let (connection, mut connected) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                swarm.next().await;
                connection.send_replace(swarm.connected_peers().next().is_some());
            }
        });
        let is_connected = timeout(PATIENCE, connected.wait_for(|connected| *connected)).await;
        is_connected.expect("it is connected in time").unwrap();
        let peer = keypair(&node_seed(1)).public().to_peer_id();
        Self { control, peer, connected, _gossip: gossip }
    }
}

/// The first validator with these limits, and the names of its protocols.
pub(super) async fn victim(limits: Limits) -> (Node, String, Names) {
    // The liar says nothing by gossip, and is not to be given up for that.
    let limits = Limits { announce_interval: PATIENCE * 4, ..limits };
    let validators = validators(1, &[1, 2]);
    let mut node = Node::start(Settings { limits, ..settings(&validators, 1, &[]) });
    let address = node.address().await;
    let names = Names::new(&settings(&validators, 2, &[])).unwrap();
    (node, address, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_opens_its_stream_again_and_again_is_cut_off_after_a_few_times() {
    let (one, address, names) = victim(quick()).await;
    let mut liar = Liar::connect(&address).await;

    let begun = Instant::now();
    let mut opened = 0_u64;
    let open = async {
        while let Ok(mut stream) = liar.control.open_stream(liar.peer, names.direct.clone()).await {
            if stream.read_exact(&mut [0; 1]).await.is_err() {
                break;
            }
            opened += 1;
        }
    };
    timeout(PATIENCE, open).await.expect("it is cut off in time");

    let limits = quick();
    let at_once = u64::from(limits.burst_seconds) * 10 + 2;
    assert!(opened <= at_once + 11 * begun.elapsed().as_secs() + 11, "opened {opened} times");
    one.metric("network_stream_resets_total{replica=\"1\",reason=\"too_fast\"}", 1).await;
    let disconnected = liar.connected.wait_for(|connected| !connected);
    timeout(PATIENCE, disconnected).await.expect("it is disconnected in time").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_closes_our_stream_again_and_again_gets_the_next_later_and_later() {
    let (_one, address, names) = victim(quick()).await;
    let mut liar = Liar::connect(&address).await;
    let mut incoming = liar.control.accept(names.direct).unwrap();

    let begun = Instant::now();
    let open = async {
        for _ in 0..8 {
            let (_, mut stream) = incoming.next().await.unwrap();
            stream.write_all(&[1]).await.unwrap();
            stream.flush().await.unwrap();
        }
    };
    timeout(PATIENCE, open).await.expect("our stream is opened again");

    // Seven pauses, of which the first has 20 ms and each is twice the one before, up to a second.
    assert!(begun.elapsed() >= Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

/// A connection that says nothing, from another address than ours.
async fn silent(port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_opens_connections_and_says_nothing_keeps_no_member_out() {
    // The handshake takes longer than this test may, so nothing is free again by itself.
    let limits = Limits { handshake_timeout: PATIENCE * 4, ..quick() };
    let (one, address, _) = victim(limits.clone()).await;
    let port = address.split('/').nth(4).unwrap().parse().unwrap();

    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(silent(port).await);
    }
    one.metric("network_refused_connections_total{reason=\"too_many_pending\"}", 284).await;
    let set = validators(1, &[1, 2]);
    let two = Node::start(Settings { limits, ..settings(&set, 2, &[address]) });

    two.peers(|peers| peers.connected.len() == 1).await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_the_asker_does_not_read_count_until_it_does() {
    let limits = Limits { requests_in_flight_max: 2, request_timeout: PATIENCE * 4, ..quick() };
    let (mut one, address, names) = victim(limits).await;
    let mut liar = Liar::connect(&address).await;
    let mut asked = Vec::new();
    let mut ask = async || {
        let mut stream = liar.control.open_stream(liar.peer, names.requests.clone()).await.unwrap();
        stream.write_all(&[0, 0, 0, 1, 7]).await.unwrap();
        stream.flush().await.unwrap();
        stream
    };

    for _ in 0..2 {
        asked.push(ask().await);
        let reply = one
            .next(|event| match event {
                Event::Request { from, reply, .. } if from == replica(1) => Some(reply),
                _ => None,
            })
            .await;
        // More than fits into the window of a stream.
        reply.respond(vec![7; 1 << 20]).unwrap();
    }
    one.metric("network_requests_total{reason=\"answered\"}", 2).await;
    asked.push(ask().await);
    one.metric("network_requests_total{reason=\"declined\"}", 1).await;

    let mut answer = Vec::new();
    asked[0].read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.len(), (1 << 20) + 4);
    // Once it was read there is room again; that it was is noticed a moment later.
    let received = async {
        while one.value("network_requests_total{reason=\"received\"}") < 3 {
            asked.push(ask().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, received).await.expect("there is room in time");
}

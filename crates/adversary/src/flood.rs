//! Floods peers with control messages of gossip.
//!
//! libp2p's gossipsub says only what it means, and of several streams of one peer on one connection the newest alone is
//! read. So what floods is a swarm of its own beside the validator's, under the same identity, with one more connection
//! to each victim, and all that it can do is open a stream and write bytes into it. What the validator itself says goes
//! on undisturbed, and nothing of this is within reach of an honest one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use byzantine::Random;
use byzantine::service::gossip;
use futures::{AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{Multiaddr, PeerId, StreamProtocol, noise, ping, tcp, yamux};
use libp2p_stream::{Control, IncomingStreams, OpenStreamError};
use network::Network;
use program::failure::Failure;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use types::replica::ReplicaId;
use zeroize::Zeroizing;

use crate::deeds::{Served, Telling};

/// What libp2p's gossipsub speaks, and newer versions understand.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/meshsub/1.2.0");
/// How often victims are looked for that have no connection, and how long one waits after a failure.
const PERIOD: Duration = Duration::from_millis(200);
/// How often it is told what was sent.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// After so many frames comes one that ends the stream.
const FRAMES_OF_STREAM: u64 = 20_000;
/// A connection without streams stays.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// What floods.
pub(crate) struct Flood {
    /// The seed of the validator's libp2p identity.
    pub(crate) node_seed: Zeroizing<[u8; 32]>,
    /// The folder of the validator; on a local testnet the others' are beside it.
    pub(crate) folder: PathBuf,
    /// Addresses of others.
    pub(crate) bootstrap: Vec<String>,
    /// Whom, by their peer ids.
    pub(crate) victims: BTreeMap<PeerId, ReplicaId>,
    /// The topics of the network.
    pub(crate) topics: Vec<String>,
    pub(crate) seed: u64,
    /// The name of the attack.
    pub(crate) name: &'static str,
    pub(crate) telling: Telling,
}

/// A swarm that opens streams, and is alive.
#[derive(NetworkBehaviour)]
struct Raw {
    streams: libp2p_stream::Behaviour,
    ping: ping::Behaviour,
}

impl Flood {
    /// The topics of a chain.
    pub(crate) fn topics(chain: &impl ToString) -> Vec<String> {
        let chain = chain.to_string();
        let kinds = ["announcements", "transactions"];
        kinds.map(|kind| format!("/logothete/{kind}/1/{chain}")).into()
    }

    /// Begins, on the runtime of the process.
    ///
    /// # Errors
    ///
    /// Fails when libp2p takes none of it.
    pub(crate) fn begin(self, network: &Network) -> Result<(), Failure> {
        let fault =
            |cause: &(dyn std::error::Error + 'static)| Failure::fault("cannot flood", cause);
        let keypair = Keypair::ed25519_from_bytes(&mut *self.node_seed.clone());
        let swarm = libp2p::SwarmBuilder::with_existing_identity(keypair.map_err(|e| fault(&e))?)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .map_err(|cause| fault(&cause))?
            .with_behaviour(|_| Raw {
                streams: libp2p_stream::Behaviour::new(),
                ping: ping::Behaviour::default(),
            });
        let Ok(swarm) = swarm;
        let swarm = swarm
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
            .build();
        let mut control = swarm.behaviour().streams.new_control();
        let incoming = control.accept(PROTOCOL).map_err(|cause| fault(&cause))?;
        tokio::spawn(hold(incoming));
        let (close, closing) = mpsc::channel(self.victims.len().max(1));
        for (peer, replica) in &self.victims {
            let writer = Writer {
                control: control.clone(),
                close: close.clone(),
                peer: *peer,
                random: Random::stream(self.seed, self.name, &[u64::from(replica.get())]),
                topics: self.topics.clone(),
                sent: Sent::new(*replica, self.name, self.telling.clone()),
            };
            tokio::spawn(writer.run());
        }
        tokio::spawn(self.drive(swarm, network.clone(), closing));
        Ok(())
    }

    /// Connects with whoever is connected with the validator itself, again and again.
    async fn drive(
        self,
        mut swarm: Swarm<Raw>,
        network: Network,
        mut closing: mpsc::Receiver<PeerId>,
    ) {
        let peers = network.peers();
        let mut period = interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = swarm.next() => {}
                Some(peer) = closing.recv() => {
                    // It may be gone already.
                    swarm.disconnect_peer_id(peer).ok();
                }
                _ = period.tick() => {
                    let connected = peers.borrow().connected.clone();
                    let addresses = self.addresses();
                    let wanted = self.victims.iter().filter(|(_, one)| connected.contains(one));
                    for (peer, _) in wanted {
                        let known = addresses.get(peer).cloned().unwrap_or_default();
                        let dial = DialOpts::peer_id(*peer)
                            .condition(PeerCondition::DisconnectedAndNotDialing)
                            .addresses(known);
                        // Who is connected is not dialled, and who cannot be is dialled again.
                        drop(swarm.dial(dial.build()));
                    }
                }
            }
        }
    }

    /// Where the victims listen: by the configuration, and on a local testnet by their run files, which change with
    /// every start.
    fn addresses(&self) -> BTreeMap<PeerId, Vec<Multiaddr>> {
        let beside = self.folder.join("..").read_dir().into_iter().flatten().flatten();
        let files = beside.filter_map(|entry| api::client::network::RunFile::read(&entry.path()));
        let mut found: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        for text in self.bootstrap.iter().cloned().chain(files.map(|file| file.p2p)) {
            let Ok(mut address) = text.parse::<Multiaddr>() else { continue };
            if let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.pop() {
                found.entry(peer).or_default().push(address);
            }
        }
        found
    }
}

/// Holds the streams of victims without reading them: were they refused, nothing of ours would be read.
async fn hold(mut incoming: IncomingStreams) {
    let mut held = BTreeMap::new();
    while let Some((peer, stream)) = incoming.next().await {
        held.insert(peer, stream);
    }
}

/// What writes to one victim.
struct Writer {
    control: Control,
    close: mpsc::Sender<PeerId>,
    peer: PeerId,
    random: Random,
    topics: Vec<String>,
    sent: Sent,
}

impl Writer {
    /// Opens stream after stream and fills each until it breaks.
    async fn run(mut self) {
        let mut turn = 0;
        let mut period = interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for stream in 0.. {
            period.tick().await;
            match self.control.open_stream(self.peer, PROTOCOL).await {
                Ok(opened) => self.fill(opened, stream, &mut turn).await,
                // It takes no more streams of this connection: the next one begins anew.
                Err(OpenStreamError::UnsupportedProtocol(_)) => {
                    self.close.send(self.peer).await.ok();
                }
                // No connection, for now.
                Err(_) => {}
            }
        }
    }

    async fn fill(&mut self, mut opened: libp2p::Stream, stream: u64, turn: &mut u64) {
        loop {
            *turn = turn.wrapping_add(1);
            if turn.is_multiple_of(FRAMES_OF_STREAM) {
                let (what, bytes) = gossip::unreadable(stream);
                self.sent.tell("breaks", &format!("a stream by {what}"));
                // Whatever was not taken is lost with the stream.
                if opened.write_all(&bytes).await.is_ok() {
                    drop(opened.close().await);
                }
                return;
            }
            let (_, frame) = gossip::flood(&mut self.random, *turn, &self.topics);
            if opened.write_all(&frame).await.is_err() {
                return;
            }
            self.sent.count(frame.len());
        }
    }
}

/// What was sent to one victim since it was told last.
struct Sent {
    victim: ReplicaId,
    name: &'static str,
    telling: Telling,
    frames: u64,
    bytes: usize,
    told: Instant,
}

impl Sent {
    fn new(victim: ReplicaId, name: &'static str, telling: Telling) -> Self {
        Self { victim, name, telling, frames: 0, bytes: 0, told: Instant::now() }
    }

    fn count(&mut self, bytes: usize) {
        self.frames = self.frames.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.told.elapsed() >= TOLD_EVERY {
            let Self { frames, bytes, .. } = self;
            let what = format!("{frames} frames of {bytes} bytes");
            self.tell("sends", &what);
            (self.frames, self.bytes, self.told) = (0, 0, Instant::now());
        }
    }

    fn tell(&self, act: &'static str, what: &str) {
        let what = format!("{what} to replica {}", self.victim);
        self.telling.tell(&Served::new(self.name, act, what));
    }
}

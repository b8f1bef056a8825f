//! The handle of a network, and how its tasks are started and ended.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libp2p::core::Negotiated;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Transport, noise, tcp, yamux};
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use types::replica::ReplicaId;

use crate::announcement::{self, ADDRESSES_MAX};
use crate::behaviour::{self, Behaviour, Names, libp2p_fault};
use crate::courier;
use crate::discovery::{self, Discovery};
use crate::error::{NetworkError, PublishError, RequestError, SendError};
use crate::event::{Event, Topic};
use crate::hub::{Hub, Peers};
use crate::identity::{Members, keypair};
use crate::link::queue::Pushed;
use crate::link::{self, reader, writer};
use crate::metrics::Metrics;
use crate::muxer::Deadline;
use crate::muxer::bounded::{self, Bounded};
use crate::settings::Settings;
use crate::swarm::{self, Command, Driver};

/// Commands that wait for the swarm.
const COMMANDS_MAX: usize = 1_024;
/// A connection between members is kept without traffic.
const IDLE_TIMEOUT: Duration = Duration::from_secs(12 * 60 * 60);
/// How long all tasks together may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// A running network. Clones are the same network; it ends when the last is dropped or one is shut
/// down.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Option<JoinSet<()>>>,
}

/// Starts a network. Must be called on a tokio runtime, which then runs its tasks.
///
/// # Errors
///
/// When the keys are not those of the validator in the genesis, an address cannot be read or
/// listened on, or no runtime is there.
pub fn start(
    settings: Settings,
    registry: &mut Registry,
) -> Result<(Network, mpsc::Receiver<Event>), NetworkError> {
    Handle::try_current().map_err(|_| NetworkError::NoRuntime)?;
    if settings.mdns && !cfg!(feature = "mdns") {
        let reason = "this build is without multicast discovery (feature `mdns`)".to_owned();
        return Err(NetworkError::Mdns { reason });
    }
    let settings = Settings { limits: settings.limits.consistent(), ..settings };
    let keypair = keypair(&settings.node_seed);
    let members = Arc::new(Members::new(&settings, keypair.public().to_peer_id())?);
    let bootstrap = bootstrap(&settings.bootstrap, &members)?;
    let announced = announced(&settings.announce, &members)?;
    let names = Names::new(&settings)?;
    let metrics = Metrics::register(registry);
    let behaviour = behaviour::build(&settings, &names, &members, &keypair, &metrics, registry)?;
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(transport)
        .map_err(|error| libp2p_fault(&error))?
        .with_bandwidth_metrics(registry)
        .with_behaviour(|_| behaviour)
        .map_err(|error| libp2p_fault(&error))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
        .with_connection_timeout(settings.limits.handshake_timeout)
        .build();
    for text in &settings.listen {
        listen(&mut swarm, text)?;
    }
    for address in &announced {
        swarm.add_external_address(address.clone());
    }
    let libp2p_metrics = libp2p::metrics::Metrics::new(registry);
    let (events, receiver) = mpsc::channel(settings.limits.events_max);
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let hub = Arc::new(Hub::new(&settings, announced, names, members, metrics, commands));
    let network = spawn(swarm, libp2p_metrics, inbox, settings, bootstrap, hub, events)?;
    Ok((network, receiver))
}

/// A connection of [`transport`].
type Connection = yamux::Muxer<Negotiated<noise::Output<Negotiated<tcp::tokio::TcpStream>>>>;

/// A connection with whom it is.
type Authenticated = (PeerId, Deadline<Bounded<Connection>>);

/// TCP, Noise and Yamux, as [`libp2p::SwarmBuilder::with_tcp`] would, with a deadline for closing and
/// a bound on what waits unread.
fn transport(
    keypair: &Keypair,
) -> Result<Boxed<Authenticated>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(bounded::config())
        .map(|(peer, connection), _| (peer, Deadline::new(Bounded::new(connection))))
        .boxed())
}

fn listen(swarm: &mut libp2p::Swarm<Behaviour>, text: &str) -> Result<(), NetworkError> {
    let address: Multiaddr = parse(text)?;
    match swarm.listen_on(address) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(NetworkError::Listen { address: text.to_owned(), source: Box::new(error) })
        }
    }
}

fn parse(text: &str) -> Result<Multiaddr, NetworkError> {
    text.parse().map_err(|error: libp2p::multiaddr::Error| NetworkError::Address {
        address: text.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads the addresses that others are told to dial.
fn announced(texts: &[String], members: &Members) -> Result<Vec<Multiaddr>, NetworkError> {
    let fault =
        |text: &String, reason: String| NetworkError::Address { address: text.clone(), reason };
    if let Some(text) = texts.get(ADDRESSES_MAX) {
        let reason = format!("at most {ADDRESSES_MAX} addresses are announced");
        return Err(fault(text, reason));
    }
    let read = |text: &String| {
        announcement::of_peer(parse(text)?, members.own_peer).ok_or_else(|| {
            let reason = "it is empty or ends in another peer id than our own".to_owned();
            fault(text, reason)
        })
    };
    texts.iter().map(read).collect()
}

/// Reads the bootstrap addresses; our own is passed over.
fn bootstrap(
    texts: &[String],
    members: &Members,
) -> Result<Vec<(ReplicaId, Multiaddr)>, NetworkError> {
    let mut addresses = Vec::new();
    for text in texts {
        let fault = |reason: &str| NetworkError::Address {
            address: text.clone(),
            reason: reason.to_owned(),
        };
        let address = parse(text)?;
        let Some(Protocol::P2p(peer)) = address.iter().last() else {
            return Err(fault("a bootstrap address must end in /p2p/ and a peer id"));
        };
        if peer == members.own_peer {
            continue;
        }
        let replica =
            members.replica(&peer).ok_or_else(|| fault("its peer id is no validator's"))?;
        let address = announcement::of_peer(address, peer)
            .ok_or_else(|| fault("there is nothing before the peer id"))?;
        addresses.push((replica, address));
    }
    Ok(addresses)
}

/// Starts every task.
fn spawn(
    swarm: libp2p::Swarm<Behaviour>,
    libp2p_metrics: libp2p::metrics::Metrics,
    commands: mpsc::Receiver<Command>,
    settings: Settings,
    bootstrap: Vec<(ReplicaId, Multiaddr)>,
    hub: Arc<Hub>,
    events: mpsc::Sender<Event>,
) -> Result<Network, NetworkError> {
    let mut control = swarm.behaviour().streams.new_control();
    let streams = control.accept(hub.names.direct.clone()).map_err(|error| libp2p_fault(&error))?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut task = |future: futures::future::BoxFuture<'static, ()>| {
        let mut stopped = stopped.clone();
        tasks.spawn(async move {
            tokio::select! {
                // Also when the last handle was dropped.
                _ = stopped.wait_for(|stop| *stop) => {}
                () = future => {}
            }
        });
    };
    let (notes, inbox) = mpsc::channel(discovery::notes_max(hub.members.others_count()));
    let (driver, couriers) = Driver::new(swarm, libp2p_metrics, notes, Arc::clone(&hub));
    for inbox in couriers {
        task(Box::pin(courier::run(inbox, events.clone())));
    }
    task(Box::pin(Discovery::new(settings, bootstrap, Arc::clone(&hub)).run(inbox)));
    task(Box::pin(link::accept(streams, Arc::clone(&hub))));
    for link in hub.links.values() {
        let writer = writer::run(Arc::clone(link), Arc::clone(&hub), control.clone());
        task(Box::pin(writer));
        task(Box::pin(reader::run(Arc::clone(link), Arc::clone(&hub), events.clone())));
        task(Box::pin(link::tell(Arc::clone(link), Arc::clone(&hub), events.clone())));
    }
    tasks.spawn(swarm::run(driver, commands, stopped));
    Ok(Network { inner: Arc::new(Inner { hub, stop, tasks: Mutex::new(Some(tasks)) }) })
}

impl Network {
    /// Sends a frame to one other member. It waits in a bounded queue; see
    /// [`crate::Event::Connected`].
    ///
    /// # Errors
    ///
    /// When the frame was not taken; it is lost then. [`SendError::QueueFull`] also means that what
    /// waited before it is lost, and that [`crate::Event::Disconnected`] follows.
    pub fn send(&self, to: ReplicaId, bytes: Arc<[u8]>) -> Result<(), SendError> {
        let hub = &self.inner.hub;
        let bytes_max = hub.limits.frame_bytes_max;
        if u32::try_from(bytes.len()).map_or(true, |length| length > bytes_max) {
            return Err(SendError::TooLong { bytes: bytes.len(), bytes_max });
        }
        let link = hub.links.get(&to).ok_or(SendError::NoSuchPeer(to))?;
        match link.queue.push(bytes) {
            Pushed::Taken => Ok(()),
            Pushed::Closed => Err(SendError::NotConnected(to)),
            Pushed::Full => Err(SendError::QueueFull(to)),
        }
    }

    /// Sends one frame to every other member to whom a stream is open. All queues share the bytes.
    /// Whoever does not get it is told of by [`crate::Event::Disconnected`] and
    /// [`crate::Event::Connected`]; a frame above the limit goes to nobody.
    pub fn broadcast(&self, bytes: Arc<[u8]>) {
        for replica in self.inner.hub.links.keys() {
            match self.send(*replica, Arc::clone(&bytes)) {
                Ok(()) | Err(SendError::NoSuchPeer(_) | SendError::NotConnected(_)) => {}
                Err(error @ (SendError::QueueFull(_) | SendError::TooLong { .. })) => {
                    tracing::warn!(%error, "frame not sent");
                }
            }
        }
    }

    /// Publishes a message to everybody who takes part in the topic. That the same bytes were
    /// published before, or nobody takes part now, is no error: gossip promises nothing.
    ///
    /// # Errors
    ///
    /// When the message is too long, or the swarm has too much to do.
    pub fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Result<(), PublishError> {
        let hub = &self.inner.hub;
        let bytes_max = hub.limits.gossip_bytes_max;
        if bytes.len() > bytes_max {
            return Err(PublishError::TooLong { bytes: bytes.len(), bytes_max });
        }
        let topic = match topic {
            Topic::Transactions => hub.names.transactions.clone(),
        };
        let command = Command::Publish { topic, bytes };
        hub.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => PublishError::Busy,
            mpsc::error::TrySendError::Closed(_) => PublishError::Stopped,
        })
    }

    /// Asks another member and waits for its answer, at most for the time limit.
    ///
    /// # Errors
    ///
    /// Whatever kept the answer away.
    pub async fn request(&self, to: ReplicaId, bytes: Vec<u8>) -> Result<Vec<u8>, RequestError> {
        let hub = &self.inner.hub;
        let bytes_max = hub.limits.request_bytes_max;
        if u32::try_from(bytes.len()).map_or(true, |length| length > bytes_max) {
            return Err(RequestError::TooLong { bytes: bytes.len(), bytes_max });
        }
        let (answer, answered) = oneshot::channel();
        let command = Command::Request { to, bytes, answer };
        let asked = async {
            let sent = hub.commands.send(command).await;
            sent.map_err(|_| RequestError::Stopped)?;
            answered.await.unwrap_or(Err(RequestError::Stopped))
        };
        timeout(hub.limits.request_timeout, asked).await.unwrap_or(Err(RequestError::Timeout))
    }

    /// Disconnects another member that lied and keeps it out for [`crate::Limits::cut_off`], as one
    /// that broke a rule of the wire. When the swarm has too much to do nothing happens: who lies
    /// will do it again.
    pub fn cut_off(&self, replica: ReplicaId) {
        self.inner.hub.commands.try_send(Command::CutOff(replica)).ok();
    }

    /// Which other members we have what with, as it changes. [`Peers::ready`] is true at once in a
    /// network of one.
    pub fn peers(&self) -> watch::Receiver<Peers> {
        self.inner.hub.peers.subscribe()
    }

    /// The multiaddresses that we listen on, each ending in `/p2p/PEERID`.
    pub fn addresses(&self) -> Vec<String> {
        let hub = &self.inner.hub;
        let addresses = hub.addresses.borrow();
        addresses.iter().map(|address| hub.full_address(address)).collect()
    }

    /// Closes all connections and ends all tasks, within a second. The events end as well.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(true);
        let tasks = self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut tasks) = tasks else {
            return;
        };
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::warn!("network tasks did not end in time");
            tasks.abort_all();
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Network")
            .field("replica", &self.inner.hub.members.own)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;

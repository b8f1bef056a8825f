//! Assembles a validator from its parts and runs it until it is told to stop or a fault ends it.

mod descriptors;
mod sentinel;
mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use api::backend::Backend;
use api::client::network::{RUN_FILE, RunFile};
use api::events::EventHub;
use ledger::Ledger;
use network::{Limits, Network, Settings};
use pbft::Protocol;
use prometheus_client::registry::Registry;
use storage::{EvidenceStore, Journal, LostProposalStore, Store, UsedKey};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use types::door::Door;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::Height;
use types::proof::ProvedBlock;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::transaction::TransactionId;

use crate::catch_up::{CatchUp, Pace};
use crate::config::Config;
use crate::core::{Arrived, Channels, Core, Request, View};
use crate::disk::{self, Disk, Job};
use crate::dispatch::Dispatch;
use crate::door::evidence::{Brought, EvidenceDoor};
use crate::door::worth::Worth;
use crate::door::{Checked, ConsensusDoor, CutOff, Delivered};
use crate::error::NodeError;
use crate::forks::{self, ForkAlarm};
use crate::gateway::{Gateway, Lookups};
use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::parts::{Answerer, Honest, Parts};
use crate::recovery::{Recovered, recover};
use crate::requests::{Delivery, Offered, RequestDoor, spread};
use crate::run_file;
use crate::waiters::Waiters;

use sentinel::Sentinel;

/// Checked inputs that wait for the core. How many bytes they and the frames below have is bounded
/// per peer: see `dispatch`.
const INPUTS_MAX: usize = 1_024;
/// Batches of requests and reads that wait for the core.
const REQUESTS_MAX: usize = 256;
/// Frames that wait for the consensus door.
const MESSAGES_MAX: usize = 1_024;
/// Submissions that wait for the request door.
const DELIVERIES_MAX: usize = 256;
/// Admitted transactions that wait to be gossiped.
const SPREAD_MAX: usize = 8_192;
/// Notices of dropped transactions that wait to be told.
const DROPPED_MAX: usize = 4_096;
/// Replicas whose connection opened and who were not asked for blocks yet.
const CONNECTED_MAX: usize = 256;

/// Runs a validator until `stop` becomes true.
///
/// # Errors
///
/// Fails when the directory is refused, a socket cannot be opened, or a write fails. Nothing is
/// sent after a failed write.
pub async fn run(config: Config, stop: watch::Receiver<bool>) -> Result<(), NodeError> {
    run_as(config, stop, Honest).await
}

/// Runs a validator that is made of these parts.
///
/// # Errors
///
/// As [`run`].
pub async fn run_as<P: Parts>(
    config: Config,
    stop: watch::Receiver<bool>,
    mut parts: P,
) -> Result<(), NodeError> {
    let config = Arc::new(config);
    let mut api_limits = api::server::Limits::default();
    api_limits.connections_max = descriptors::connections_max(api_limits.connections_max)?;
    let recovered = {
        let (config, word) = (config.clone(), parts.own_word());
        tokio::task::spawn_blocking(move || {
            let used = UsedKey::beside(&config.validator_key);
            let (data, signer) = (&config.data, config.signer.clone());
            recover(data, &used, &config.genesis, config.replica, signer, word)
        })
        .await
        .map_err(|_| NodeError::Ended("recovery"))??
    };
    tracing::info!(
        height = recovered.store.committed().get(),
        snapshot = recovered.snapshot.get(),
        replayed = recovered.replayed,
        "recovered"
    );
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let limits = limits(&config.genesis);
    let (network, events) = network::start(
        settings(&config, limits.clone()),
        registry.sub_registry_with_prefix("logothete"),
    )?;
    let listener = TcpListener::bind(config.api_listen)
        .await
        .map_err(|source| NodeError::Listen { address: config.api_listen, source })?;
    let api = listener.local_addr().unwrap_or(config.api_listen);

    let (faults, mut fault) = mpsc::channel(1);
    let (halt, halted) = watch::channel(false);
    let house = House { config, network, metrics, limits, faults, halted };
    let listening = watch::Sender::new(None);
    let addressed = listening.subscribe();
    parts.joins(&house.network);
    let Started { mut threads, gateway } =
        house.start(recovered, &mut parts, events, listening, registry);
    let gateway = parts.backend(gateway);
    let mut file = None;
    let result = async {
        let server = house
            .serve(listener, gateway, api_limits)
            .map_err(|source| NodeError::Listen { address: api, source })?;
        threads.push(server);
        file = unless_fault(house.announce(api, addressed, stop.clone()), &mut fault).await?;
        unless_fault(told_to_stop(stop), &mut fault).await
    }
    .await;
    halt.send_replace(true);
    house.end(threads, file).await;
    result
}

/// What `part` gives, or why the process ends before: a part of it failed.
async fn unless_fault<T>(
    part: impl Future<Output = Result<T, NodeError>>,
    fault: &mut mpsc::Receiver<NodeError>,
) -> Result<T, NodeError> {
    tokio::select! {
        biased;
        Some(fault) = fault.recv() => Err(fault),
        done = part => done,
    }
}

async fn told_to_stop(mut stop: watch::Receiver<bool>) -> Result<(), NodeError> {
    // A sender that is gone will not tell us to stop either: both mean the end.
    drop(stop.wait_for(|stop| *stop).await);
    Ok(())
}

/// What fits onto the pipes of this network: whatever its validators have to say.
fn limits(genesis: &Genesis) -> Limits {
    let validators = genesis.validators();
    let longest = Evidence::bytes_max(validators).max(validators.new_view_bytes_max());
    Limits::for_network(genesis.parameters(), longest)
}

fn settings(config: &Config, limits: Limits) -> Settings {
    Settings {
        node_seed: config.node_seed.clone(),
        chain: *config.genesis.chain(),
        replica: config.replica,
        validators: config.genesis.validators().clone(),
        signer: config.signer.clone(),
        listen: config.p2p_listen.clone(),
        announce: config.p2p_announce.clone(),
        bootstrap: config.p2p_bootstrap.clone(),
        mdns: config.p2p_mdns,
        limits,
    }
}

/// What every part of the process shares.
struct House {
    config: Arc<Config>,
    network: Network,
    metrics: Metrics,
    limits: Limits,
    faults: mpsc::Sender<NodeError>,
    halted: watch::Receiver<bool>,
}

/// The parts that outlive the assembly.
struct Started {
    threads: Vec<JoinHandle<()>>,
    gateway: Gateway,
}

/// The sending ends that several parts need.
struct Senders {
    rivals: mpsc::Sender<ProvedBlock>,
    inputs: mpsc::Sender<Arrived>,
    requests: mpsc::Sender<Request>,
    deliveries: mpsc::Sender<Delivery>,
    messages: mpsc::Sender<Delivered>,
    connected: mpsc::Sender<ReplicaId>,
}

/// What several parts look at.
struct Shared {
    observer: Observer,
    store: storage::Store,
    evidence: EvidenceStore,
    checked: Checked,
    offered: Offered,
    brought: Brought,
    hub: Arc<EventHub>,
    waiters: Waiters,
    view: watch::Receiver<View>,
    durable: watch::Receiver<Height>,
    caught_up: watch::Receiver<bool>,
    fork: watch::Receiver<Option<Height>>,
}

impl House {
    fn start<P: Parts>(
        &self,
        recovered: Recovered,
        parts: &mut P,
        events: mpsc::Receiver<network::Event>,
        listening: watch::Sender<Option<String>>,
        registry: Registry,
    ) -> Started {
        let Recovered {
            replica,
            output,
            journal,
            store,
            evidence,
            lies,
            lost,
            snapshot,
            directory,
            replayed: _,
        } = recovered;
        let protocol = parts.protocol(replica, &self.config);
        let (view, views) = watch::channel(View::of(&protocol));
        let (durable, durables) = watch::channel(store.committed());
        let (behind, behinds) = watch::channel(store.committed());
        // Alone there is nobody to catch up with.
        let alone = self.config.genesis.validators().len() == 1;
        let (caught_up, caught) = watch::channel(alone);
        let (inputs, inputs_in) = mpsc::channel(INPUTS_MAX);
        let (requests, requests_in) = mpsc::channel(REQUESTS_MAX);
        let (messages, messages_in) = mpsc::channel(MESSAGES_MAX);
        let (deliveries, deliveries_in) = mpsc::channel(DELIVERIES_MAX);
        let (spread_out, spread_in) = mpsc::channel(SPREAD_MAX);
        let (dropped, dropped_in) = mpsc::channel(DROPPED_MAX);
        let (connected, connected_in) = mpsc::channel(CONNECTED_MAX);
        let (rivals, rivals_in) = mpsc::channel(forks::WAITING_MAX);
        let (seen, fork) = watch::channel(None);
        let (jobs, jobs_in) = mpsc::channel(disk::JOBS_MAX);
        let senders = Senders { rivals, inputs, requests, deliveries, messages, connected };
        let hub = Arc::new(EventHub::new());
        let shared = Shared {
            observer: self.observer(&hub, &lost, &store),
            hub,
            store,
            evidence: evidence.clone(),
            checked: Checked::default(),
            offered: Offered::default(),
            brought: Brought::default(),
            waiters: Waiters::default(),
            view: views,
            durable: durables,
            caught_up: caught,
            fork,
        };
        let channels = Channels {
            inputs: inputs_in,
            requests: requests_in,
            disk: jobs,
            spread: spread_out,
            dropped,
            durable: shared.durable.clone(),
            behind,
            rivals: senders.rivals.clone(),
            view,
            observer: shared.observer.clone(),
            stop: self.halted.clone(),
        };
        let core = self.core(protocol, journal, channels, snapshot).knowing(lies);
        let disk = self.disk(&shared, evidence, lost, durable);
        self.spawn_door(&senders, &shared, messages_in, deliveries_in);
        self.spawn_catch_up(&senders, &shared, caught_up, behinds, connected_in);
        self.spawn_dispatch(&senders, &shared, events, listening, parts.answerer());
        self.spawn("the alarm for forks", self.alarm(&senders, &shared, rivals_in, seen).run());
        self.spawn("gossip", spread(self.network.clone(), spread_in));
        let told = tell_dropped(dropped_in, shared.hub.clone(), shared.waiters.clone());
        self.spawn("notices", told);
        let output = parts.recovered(output);
        let threads = self.spawn_threads(core, output, disk, jobs_in, directory);
        Started { threads, gateway: self.gateway(shared, senders, registry) }
    }

    fn core<C: Protocol<Application = Ledger>>(
        &self,
        protocol: C,
        journal: Journal,
        channels: Channels,
        snapshot: Height,
    ) -> Core<C> {
        let (network, metrics) = (self.network.clone(), self.metrics.core.clone());
        Core::new(protocol, journal, network, channels, metrics, &self.config.genesis, snapshot)
    }

    /// What sees all and does nothing; what it had seen before, as far as that can be read.
    fn observer(&self, hub: &Arc<EventHub>, kept: &LostProposalStore, store: &Store) -> Observer {
        let kept = kept.read().unwrap_or_else(|error| {
            tracing::error!(%error, "the lost proposals cannot be read");
            Vec::new()
        });
        let observer = Observer::new(&self.config.genesis, Arc::clone(hub), kept);
        // What was committed after they were written, they do not know.
        observer.look_back(|height| store.block(height).ok().flatten());
        observer
    }

    fn gateway(&self, shared: Shared, senders: Senders, registry: Registry) -> Gateway {
        Gateway {
            genesis: self.config.genesis.clone(),
            genesis_text: self.config.genesis_text.clone(),
            replica: self.config.replica,
            signer: self.config.signer.clone(),
            hub: shared.hub,
            waiters: shared.waiters,
            view: shared.view,
            durable: shared.durable,
            caught_up: shared.caught_up,
            fork: shared.fork,
            network: self.network.clone(),
            deliveries: senders.deliveries,
            requests: senders.requests,
            observer: shared.observer,
            lookups: Lookups::new(shared.store, shared.evidence),
            registry,
            state: self.metrics.state.clone(),
            started: Instant::now(),
        }
    }

    fn serve<B: Backend>(
        &self,
        listener: TcpListener,
        gateway: B,
        limits: api::server::Limits,
    ) -> std::io::Result<JoinHandle<()>> {
        let mut halted = self.halted.clone();
        let stop = async move { drop(halted.wait_for(|halted| *halted).await) };
        service::start(listener, gateway, limits, stop, self.sentinel("the API server"))
    }

    fn disk(
        &self,
        shared: &Shared,
        evidence: EvidenceStore,
        lost: LostProposalStore,
        durable: watch::Sender<Height>,
    ) -> Disk {
        Disk {
            store: shared.store.clone(),
            evidence,
            lost,
            signer: self.config.signer.clone(),
            chain: *self.config.genesis.chain(),
            replica: self.config.replica,
            hub: shared.hub.clone(),
            waiters: shared.waiters.clone(),
            durable,
            metrics: self.metrics.disk.clone(),
        }
    }

    fn alarm(
        &self,
        senders: &Senders,
        shared: &Shared,
        rivals: mpsc::Receiver<ProvedBlock>,
        seen: watch::Sender<Option<Height>>,
    ) -> ForkAlarm {
        let store = shared.store.clone();
        ForkAlarm {
            validators: self.config.genesis.validators().clone(),
            genesis: self.config.genesis.header().id(),
            read: Arc::new(move |height| store.block(height)),
            durable: shared.durable.clone(),
            rivals,
            inputs: senders.inputs.clone(),
            seen,
            view: shared.view.clone(),
            met: self.metrics.forks.clone(),
        }
    }

    /// The two threads that write: the core with its journal, and the disk.
    fn spawn_threads<P: Protocol<Application = Ledger> + Send + 'static>(
        &self,
        core: Core<P>,
        recovered: pbft::Output,
        disk: Disk,
        jobs: mpsc::Receiver<Job>,
        directory: storage::Directory,
    ) -> Vec<JoinHandle<()>> {
        let runtime = Handle::current();
        let core_sentinel = self.sentinel("the core");
        let disk_sentinel = self.sentinel("the disk thread");
        let core = move || core_sentinel.ended(runtime.block_on(core.run(recovered)));
        let disk = move || {
            disk_sentinel.ended(disk.run(jobs));
            // The lock is held until the last write is done.
            drop(directory);
        };
        [spawn_thread("core", core), spawn_thread("disk", disk)].into_iter().flatten().collect()
    }

    fn door(&self, shared: &Shared) -> Door {
        Door::new(self.config.genesis.validators().clone(), Arc::new(shared.checked.clone()))
    }

    fn sentinel(&self, part: &'static str) -> Sentinel {
        Sentinel { part, faults: self.faults.clone(), halted: self.halted.clone() }
    }

    fn spawn_door(
        &self,
        senders: &Senders,
        shared: &Shared,
        messages: mpsc::Receiver<Delivered>,
        deliveries: mpsc::Receiver<Delivery>,
    ) {
        let network = self.network.clone();
        let cut_off: CutOff = Arc::new(move |replica| {
            tracing::warn!(replica = replica.get(), "cut off: it hands on false signatures");
            network.cut_off(replica);
        });
        let parameters = *self.config.genesis.parameters();
        let consensus = ConsensusDoor {
            door: self.door(shared),
            checked: shared.checked.clone(),
            worth: Worth::new(self.config.replica, parameters, shared.view.clone()),
            inputs: senders.inputs.clone(),
            cut_off: Arc::clone(&cut_off),
            metrics: self.metrics.door.clone(),
        };
        let evidence = EvidenceDoor {
            validators: self.config.genesis.validators().clone(),
            brought: shared.brought.clone(),
            inputs: senders.inputs.clone(),
            cut_off: Arc::clone(&cut_off),
            metrics: self.metrics.door.clone(),
        };
        let requests = RequestDoor {
            chain: *self.config.genesis.chain(),
            checked: shared.checked.clone(),
            offered: shared.offered.clone(),
            requests: senders.requests.clone(),
            cut_off,
            metrics: self.metrics.door.clone(),
        };
        self.spawn("the consensus door", consensus.run(messages));
        self.spawn("the door for evidence", evidence.run());
        self.spawn("the request door", requests.run(deliveries));
    }

    fn spawn_catch_up(
        &self,
        senders: &Senders,
        shared: &Shared,
        caught_up: watch::Sender<bool>,
        behind: watch::Receiver<Height>,
        connected: mpsc::Receiver<ReplicaId>,
    ) {
        let catch_up = CatchUp {
            peers: self.network.clone(),
            replica: self.config.replica,
            door: self.door(shared),
            inputs: senders.inputs.clone(),
            rivals: senders.rivals.clone(),
            view: shared.view.clone(),
            durable: shared.durable.clone(),
            behind,
            connected,
            caught_up,
            response_bytes_max: bytes(self.limits.response_bytes_max),
            metrics: self.metrics.catch_up.clone(),
            pace: Pace::default(),
        };
        self.spawn("catch-up", catch_up.run());
    }

    fn spawn_dispatch(
        &self,
        senders: &Senders,
        shared: &Shared,
        events: mpsc::Receiver<network::Event>,
        listening: watch::Sender<Option<String>>,
        answerer: Answerer,
    ) {
        let dispatch = Dispatch {
            messages: senders.messages.clone(),
            offered: shared.offered.clone(),
            brought: shared.brought.clone(),
            inputs: senders.inputs.clone(),
            connected: senders.connected.clone(),
            listening,
            store: shared.store.clone(),
            answerer,
            frame_bytes_max: bytes(self.limits.frame_bytes_max),
            metrics: self.metrics.door.clone(),
        };
        self.spawn("the dispatcher", dispatch.run(events));
    }

    /// Runs a part whose end before the process's own is a fault.
    fn spawn(
        &self,
        name: &'static str,
        part: impl Future<Output = Result<(), NodeError>> + Send + 'static,
    ) {
        let sentinel = self.sentinel(name);
        tokio::spawn(async move { sentinel.ended(part.await) });
    }

    /// Writes where this validator is reached, once it is; `None` when it is stopped before.
    async fn announce(
        &self,
        api: SocketAddr,
        mut listening: watch::Receiver<Option<String>>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Option<RunFile>, NodeError> {
        let p2p = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
            address = listening.wait_for(Option::is_some) => {
                address.map_err(|_| NodeError::Ended("the network"))?.clone().unwrap_or_default()
            }
        };
        let file = RunFile {
            pid: std::process::id(),
            name: self.config.name.clone(),
            replica: self.config.replica.get(),
            api: format!("http://{api}"),
            p2p: self.config.dialled().unwrap_or(p2p),
        };
        let failed = |source| NodeError::Write {
            what: self.config.folder.join(RUN_FILE).display().to_string(),
            source,
        };
        run_file::write(&file, &self.config.folder).map_err(failed)?;
        tracing::info!(api = %file.api, p2p = %file.p2p, "ready to be asked");
        Ok(Some(file))
    }

    /// Leaves the process with everything durable that was promised, and nothing running.
    async fn end(&self, threads: Vec<JoinHandle<()>>, file: Option<RunFile>) {
        self.network.shutdown().await;
        let joined =
            tokio::task::spawn_blocking(|| threads.into_iter().all(|thread| thread.join().is_ok()));
        if !matches!(joined.await, Ok(true)) {
            tracing::error!("a thread of this process panicked");
        }
        let removed = file.map(|file| run_file::remove(&file, &self.config.folder));
        if let Some(Err(error)) = removed {
            tracing::warn!(%error, "cannot remove run.json");
        }
    }
}

fn spawn_thread(name: &str, run: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run).ok()
}

async fn tell_dropped(
    mut dropped: mpsc::Receiver<(TransactionId, Rejection)>,
    hub: Arc<EventHub>,
    waiters: Waiters,
) -> Result<(), NodeError> {
    while let Some((id, rejection)) = dropped.recv().await {
        waiters.dropped(id, &rejection);
        hub.refused(id, &rejection);
    }
    Ok(())
}

fn bytes(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;

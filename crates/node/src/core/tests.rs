use std::sync::Mutex;

use ledger::PoolLimits;
use pbft::Overview;
use prometheus_client::registry::Registry;
use storage::{Directory, StorageError};
use types::application::Application;
use types::number::View as ViewNumber;
use types::reply::CommittedStatement;
use types::vote::Phase;

use super::*;
use crate::fixture::{
    executed, genesis, genesis_with, key, proved, rivals, standing, transfer, vote,
};
use crate::metrics::Metrics;

#[test]
fn what_is_said_to_several_replicas_is_in_memory_once() {
    let genesis = genesis(4);
    let header = &proved(&genesis, 1)[0].block.header;
    let message = Message::Commit(vote(&genesis, 1, Phase::Commit, header));
    let (same, other) =
        (message.clone(), Message::Commit(vote(&genesis, 2, Phase::Commit, header)));
    let mut encoded = Encoded::default();

    let first = encoded.bytes(&message);
    let second = encoded.bytes(&same);
    let third = encoded.bytes(&other);

    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(*third, *crypto::encoding::to_wire(&FrameRef::Consensus(&other)));
    assert_ne!(first, third);
}

#[test]
fn gossip_goes_on_when_any_of_it_is_news() {
    let refused = Err(Rejection::BadSignature);

    assert!(any_news(&[refused, Ok(Admission::AlreadyPending), Ok(Admission::Pending)]));
    assert!(any_news(&[Ok(Admission::Parked)]));
    assert!(!any_news(&[Ok(Admission::AlreadyPending), refused]));
    assert!(!any_news(&[]));
}

/// What a core did to the outside, in the order in which it did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// So many records were made durable at once.
    Durable(usize),
    /// A frame left for everybody, or for one replica.
    Sent(Option<ReplicaId>),
}

/// A journal and a network that write down what happens to them.
#[derive(Clone, Default)]
struct Outside {
    deeds: Arc<Mutex<Vec<Deed>>>,
    /// The journal's next append fails.
    is_full: bool,
}

impl Outside {
    fn note(&self, deed: Deed) {
        self.deeds.lock().unwrap().push(deed);
    }

    fn deeds(&self) -> Vec<Deed> {
        self.deeds.lock().unwrap().clone()
    }
}

impl VoteJournal for Outside {
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        if self.is_full {
            return Err(StorageError::Poisoned { first: "no space left".to_owned() });
        }
        self.note(Deed::Durable(records.len()));
        Ok(())
    }

    fn prune(&mut self, _: Height) -> Result<(), StorageError> {
        Ok(())
    }
}

impl Outbox for Outside {
    fn broadcast(&self, _: Arc<[u8]>) {
        self.note(Deed::Sent(None));
    }

    fn send(&self, to: ReplicaId, _: Arc<[u8]>) -> bool {
        self.note(Deed::Sent(Some(to)));
        true
    }
}

/// A core between these two, and the other ends of its channels.
fn core_with<P: Protocol<Application = Ledger>>(
    genesis: &Genesis,
    protocol: P,
    outside: &Outside,
) -> (Core<P, Outside, Outside>, Ends) {
    let (channels, ends) = channels(genesis);
    let metrics = Metrics::register(&mut Registry::default()).core;
    let (journal, network) = (outside.clone(), outside.clone());
    let core = Core::new(protocol, journal, network, channels, metrics, genesis, Height::GENESIS);
    (core, ends)
}

/// A vote's record and the message that it permits.
fn said(genesis: &Genesis, to: Recipients) -> (Record, Outgoing) {
    let header = &proved(genesis, 1)[0].block.header;
    let vote = vote(genesis, 0, Phase::Commit, header);
    (Record::Vote { vote, block: None }, Outgoing { to, message: Message::Commit(vote) })
}

/// An output with something in every field that leaves the process: two votes, a committed block,
/// and the proof of a lie.
fn full_output(genesis: &Genesis) -> Output {
    let (first, to_all) = said(genesis, Recipients::All);
    let (second, to_one) = said(genesis, Recipients::One(ReplicaId::new(2)));
    let committed = proved(genesis, 1);
    let header = &committed[0].block.header;
    let other = &rivals(genesis, 1)[0].block.header;
    let [first_vote, second_vote] =
        [header, other].map(|header| vote(genesis, 1, Phase::Commit, header));
    let (height, block) = (header.height, header.id());
    Output {
        records: vec![first, second],
        messages: vec![to_all, to_one],
        replies: vec![CommittedStatement { height, block }],
        evidence: vec![Evidence::Votes { first: first_vote, second: second_vote }],
        committed,
        ..Output::default()
    }
}

#[tokio::test]
async fn what_a_message_rests_on_is_durable_before_it_leaves() {
    let genesis = genesis(4);
    let outside = Outside::default();
    let (mut core, mut ends) = core_with(&genesis, Restless::new(&genesis), &outside);

    core.perform(full_output(&genesis)).await.unwrap();

    let to_one = Deed::Sent(Some(ReplicaId::new(2)));
    let accusation = Deed::Sent(None);
    assert_eq!(outside.deeds(), [Deed::Durable(2), Deed::Sent(None), to_one, accusation]);
    assert!(matches!(ends.disk.try_recv(), Ok(Job::Blocks { blocks, replies })
        if blocks.len() == 1 && replies.len() == 1));
}

#[tokio::test]
async fn where_the_journal_fails_nothing_leaves_and_nothing_is_committed() {
    let genesis = genesis(4);
    let outside = Outside { is_full: true, ..Outside::default() };
    let (mut core, mut ends) = core_with(&genesis, Restless::new(&genesis), &outside);

    let failed = core.perform(full_output(&genesis)).await;

    assert!(matches!(failed, Err(NodeError::Storage(StorageError::Poisoned { .. }))));
    assert_eq!(outside.deeds(), []);
    assert!(ends.disk.try_recv().is_err());
}

/// A protocol that says something whenever there is work, and each time writes it down first.
struct Talkative {
    ledger: Ledger,
    status: Overview,
    says: (Record, Outgoing),
}

impl Protocol for Talkative {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        if input != Input::Work {
            return Output::default();
        }
        let (record, message) = self.says.clone();
        Output { records: vec![record], messages: vec![message], ..Output::default() }
    }

    fn application(&self) -> &Ledger {
        &self.ledger
    }

    fn application_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    fn status(&self) -> Overview {
        self.status
    }
}

#[tokio::test]
async fn what_arrives_together_is_made_durable_together_before_any_of_it_is_answered() {
    let genesis = genesis(4);
    let outside = Outside::default();
    let status = standing(&genesis, ViewNumber::FIRST, Height::GENESIS).protocol;
    let ledger = Ledger::new(&genesis, PoolLimits::default());
    let protocol = Talkative { ledger, status, says: said(&genesis, Recipients::All) };
    let (core, ends) = core_with(&genesis, protocol, &outside);
    for _ in 0..5 {
        ends.inputs.try_send(work()).ok().unwrap();
    }

    let all_sent = async {
        while outside.deeds().len() < 6 {
            tokio::task::yield_now().await;
        }
    };
    let (ended, _) = tokio::join!(core.run(Output::default()), async {
        let seen = tokio::time::timeout(Duration::from_secs(30), all_sent).await;
        ends.stop.send_replace(true);
        seen
    });

    ended.unwrap();
    let sent = Deed::Sent(None);
    assert_eq!(outside.deeds(), [Deed::Durable(5), sent, sent, sent, sent, sent]);
}

/// A protocol that is never idle: every input brings about the next one.
struct Restless {
    ledger: Ledger,
    inputs: mpsc::Sender<Arrived>,
    status: Overview,
}

impl Restless {
    /// One with nobody to wake it.
    fn new(genesis: &Genesis) -> Self {
        let ledger = Ledger::new(genesis, PoolLimits::default());
        let status = standing(genesis, ViewNumber::FIRST, Height::GENESIS).protocol;
        Self { ledger, inputs: mpsc::channel(1).0, status }
    }
}

impl Protocol for Restless {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        if input == Input::Work {
            self.inputs.try_send(work()).ok();
        }
        Output::default()
    }

    fn application(&self) -> &Ledger {
        &self.ledger
    }

    fn application_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    fn status(&self) -> Overview {
        self.status
    }
}

fn work() -> Arrived {
    Arrived { input: Input::Work, held: Held::default() }
}

/// A network of one validator, which sends to nobody.
fn alone(genesis: &Genesis) -> Network {
    let settings = network::Settings {
        node_seed: zeroize::Zeroizing::new([101; 32]),
        chain: *genesis.chain(),
        replica: types::replica::ReplicaId::new(0),
        validators: genesis.validators().clone(),
        signer: Arc::new(key(0)),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        announce: Vec::new(),
        bootstrap: Vec::new(),
        mdns: false,
        limits: network::Limits::default(),
    };
    network::start(settings, &mut Registry::default()).unwrap().0
}

/// The other ends of a core's channels.
struct Ends {
    inputs: mpsc::Sender<Arrived>,
    disk: mpsc::Receiver<Job>,
    stop: watch::Sender<bool>,
    /// Kept open.
    _requests: mpsc::Sender<Request>,
    _durable: watch::Sender<Height>,
}

fn channels(genesis: &Genesis) -> (Channels, Ends) {
    let (inputs, inputs_in) = mpsc::channel(10);
    let (_requests, requests_in) = mpsc::channel(1);
    let (disk, disk_in) = mpsc::channel(10);
    let (_durable, durable) = watch::channel(Height::GENESIS);
    let (stop, stopped) = watch::channel(false);
    let channels = Channels {
        inputs: inputs_in,
        requests: requests_in,
        disk,
        spread: mpsc::channel(1).0,
        dropped: mpsc::channel(1).0,
        durable,
        behind: watch::channel(Height::GENESIS).0,
        rivals: mpsc::channel(1).0,
        view: watch::channel(standing(genesis, ViewNumber::FIRST, Height::GENESIS)).0,
        observer: Observer::new(genesis, Arc::new(api::events::EventHub::new()), Vec::new()),
        stop: stopped,
    };
    (channels, Ends { inputs, disk: disk_in, stop, _requests, _durable })
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_are_sent_again_however_much_arrives() {
    let genesis = genesis(1);
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path(), *genesis.chain(), key(0).public_key()).unwrap();
    let (journal, _) = Journal::open(&directory).unwrap();
    let mut ledger = Ledger::new(&genesis, PoolLimits::default());
    ledger.admit(Signed::vouched(transfer(&genesis)), Origin::Peer).unwrap();
    let (channels, ends) = channels(&genesis);
    ends.inputs.try_send(work()).ok().unwrap();
    let status = standing(&genesis, ViewNumber::FIRST, Height::GENESIS).protocol;
    let protocol = Restless { ledger, inputs: ends.inputs.clone(), status };
    let metrics = Metrics::register(&mut Registry::default()).core;
    let (network, resent) = (alone(&genesis), metrics.resent.clone());
    let core = Core::new(protocol, journal, network, channels, metrics, &genesis, Height::GENESIS);

    let runtime = tokio::runtime::Handle::current();
    let running = std::thread::spawn(move || runtime.block_on(core.run(Output::default())));
    let seen = async {
        while resent.get() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(30), seen).await;
    ends.stop.send_replace(true);
    let ended = tokio::task::spawn_blocking(move || running.join().unwrap()).await.unwrap();

    ended.unwrap();
    assert!(seen.is_ok());
}

#[tokio::test]
async fn a_snapshot_is_taken_whenever_as_many_blocks_were_committed_as_the_genesis_says() {
    let genesis = genesis_with(4, |parameters| parameters.snapshot_interval_blocks = 3);
    let outside = Outside::default();
    let (blocks, _) = executed(&genesis, 7);
    let (mut core, mut ends) = core_with(&genesis, Restless::new(&genesis), &outside);

    let mut taken = Vec::new();
    for proved in blocks {
        let (id, height) = (proved.block.id(), proved.block.header.height);
        let ledger = core.protocol.application_mut();
        ledger.execute(&proved.block).unwrap();
        ledger.commit(&id);
        let replies = vec![CommittedStatement { height, block: id }];
        let output = Output { committed: vec![proved], replies, ..Output::default() };
        core.perform(output).await.unwrap();
        while let Ok(job) = ends.disk.try_recv() {
            if let Job::Snapshot(snapshot) = job {
                assert_eq!((snapshot.height, snapshot.block), (height, id));
                taken.push(height.get());
            }
        }
    }

    assert_eq!(taken, [3, 6]);
}

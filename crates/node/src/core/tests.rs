use ledger::PoolLimits;
use pbft::Overview;
use prometheus_client::registry::Registry;
use storage::Directory;
use types::number::View as ViewNumber;
use types::vote::Phase;

use super::*;
use crate::fixture::{genesis, key, proved, standing, transfer, vote};
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

/// A protocol that is never idle: every input brings about the next one.
struct Restless {
    ledger: Ledger,
    inputs: mpsc::Sender<Arrived>,
    status: Overview,
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

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_are_sent_again_however_much_arrives() {
    let genesis = genesis(1);
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path(), *genesis.chain(), key(0).public_key()).unwrap();
    let (journal, _) = Journal::open(&directory).unwrap();
    let mut ledger = Ledger::new(&genesis, PoolLimits::default());
    ledger.admit(Signed::vouched(transfer(&genesis)), Origin::Peer).unwrap();
    let (inputs, inputs_in) = mpsc::channel(10);
    inputs.try_send(work()).ok().unwrap();
    let status = standing(&genesis, ViewNumber::FIRST, Height::GENESIS).protocol;
    let protocol = Restless { ledger, inputs, status };
    let (requests, requests_in) = mpsc::channel(1);
    let (disk, _disk) = mpsc::channel(1);
    let (spread, _spread) = mpsc::channel(1);
    let (dropped, _dropped) = mpsc::channel(1);
    let (_durable, durable) = watch::channel(Height::GENESIS);
    let (stop, stopped) = watch::channel(false);
    let channels = Channels {
        inputs: inputs_in,
        requests: requests_in,
        disk,
        spread,
        dropped,
        durable,
        behind: watch::channel(Height::GENESIS).0,
        rivals: mpsc::channel(1).0,
        view: watch::channel(standing(&genesis, ViewNumber::FIRST, Height::GENESIS)).0,
        observer: Observer::new(&genesis, Arc::new(api::events::EventHub::new()), Vec::new()),
        stop: stopped,
    };
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
    stop.send_replace(true);
    let ended = tokio::task::spawn_blocking(move || running.join().unwrap()).await.unwrap();

    ended.unwrap();
    assert!(seen.is_ok());
    drop(requests);
}

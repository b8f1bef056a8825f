//! What peers may answer, and what follows from it. The core here commits whatever it is given.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crypto::digest::Digest;
use tokio::time::timeout;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::View as ViewNumber;

use super::*;
use crate::fixture::{genesis, proved};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a peer answers to a question for the blocks from this height on.
type Answer = Box<dyn Fn(Height) -> Result<Vec<u8>, RequestError> + Send + Sync>;

/// Peers that answer as they were told to, and who was asked.
struct Scripted {
    answers: BTreeMap<ReplicaId, Answer>,
    asked: Arc<Mutex<Vec<ReplicaId>>>,
    told: mpsc::UnboundedSender<ReplicaId>,
}

impl Peers for Scripted {
    fn connected(&self) -> BTreeSet<ReplicaId> {
        self.answers.keys().copied().collect()
    }

    async fn ask(&self, peer: ReplicaId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
        let BlocksRequest { from } = from_wire(&request, 64).unwrap();
        self.asked.lock().unwrap().push(peer);
        self.told.send(peer).ok();
        self.answers[&peer](from)
    }
}

/// Catch-up of replica 0 with the ends of its channels.
struct Setting {
    catch_up: CatchUp<Scripted>,
    asked: Arc<Mutex<Vec<ReplicaId>>>,
    told: mpsc::UnboundedReceiver<ReplicaId>,
    inputs: mpsc::Receiver<Arrived>,
    shown: watch::Sender<View>,
    behind: watch::Sender<Height>,
    connected: mpsc::Sender<ReplicaId>,
    caught_up: watch::Receiver<bool>,
    metrics: CatchUpMetrics,
}

fn shows(committed: Height) -> View {
    View {
        protocol: pbft::Overview {
            view: ViewNumber::FIRST,
            primary: ReplicaId::new(0),
            committed,
            in_flight: 0,
            entered: true,
            voting: true,
            retired: false,
            timeout_ms: 2_000,
        },
        state_root: Digest::ZERO,
        block: BlockId::NONE,
        accounts: 0,
        pending: 0,
    }
}

fn setting(genesis: &Genesis, answers: impl IntoIterator<Item = (u16, Answer)>) -> Setting {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (told_out, told) = mpsc::unbounded_channel();
    let answers = answers.into_iter().map(|(peer, answer)| (ReplicaId::new(peer), answer));
    let peers = Scripted { answers: answers.collect(), asked: asked.clone(), told: told_out };
    let (inputs_out, inputs) = mpsc::channel(10);
    let (shown, view) = watch::channel(shows(Height::GENESIS));
    let (behind, behind_in) = watch::channel(Height::GENESIS);
    let (connected, connected_in) = mpsc::channel(10);
    let (caught_up_out, caught_up) = watch::channel(false);
    let metrics = CatchUpMetrics::default();
    let catch_up = CatchUp {
        peers,
        replica: ReplicaId::new(0),
        door: Door::strict(genesis.validators().clone()),
        inputs: inputs_out,
        view,
        behind: behind_in,
        connected: connected_in,
        caught_up: caught_up_out,
        had_nothing: BTreeSet::new(),
        unread: Arc::new(Semaphore::new(1)),
        response_bytes_max: 1 << 20,
        metrics: metrics.clone(),
    };
    Setting { catch_up, asked, told, inputs, shown, behind, connected, caught_up, metrics }
}

/// A core that commits whatever comes next, until catch-up is gone.
async fn core(mut inputs: mpsc::Receiver<Arrived>, shown: watch::Sender<View>) {
    while let Some(Arrived { input, .. }) = inputs.recv().await {
        let Input::Blocks(blocks) = input else {
            panic!("another input");
        };
        for block in blocks {
            let height = block.get().block.header.height;
            assert_eq!(height, shown.borrow().protocol.committed.next());
            shown.send_replace(shows(height));
        }
    }
}

/// Answers with at most so many of these blocks from the height asked for.
fn honest(blocks: &[ProvedBlock], at_a_time: usize) -> Answer {
    let blocks = blocks.to_vec();
    Box::new(move |from| {
        let wanted = blocks.iter().filter(|proved| proved.block.header.height >= from);
        Ok(to_wire(&wanted.take(at_a_time).collect::<Vec<_>>()))
    })
}

/// Answers with these blocks whatever is asked.
fn always(blocks: &[ProvedBlock]) -> Answer {
    let bytes = to_wire(&blocks.to_vec());
    Box::new(move |_| Ok(bytes.clone()))
}

fn nothing() -> Answer {
    always(&[])
}

#[tokio::test]
async fn genuine_blocks_that_nobody_asked_for_are_refused_and_counted() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 5);
    let gap = [blocks[2].clone(), blocks[4].clone()];
    let behind_first = [blocks[2].clone(), blocks[2].clone()];
    let cases: [&[ProvedBlock]; 5] =
        [&blocks[..1], &blocks[1..3], &blocks[3..], &gap, &behind_first];
    for (case, answer) in cases.into_iter().enumerate() {
        let mut setting = setting(&genesis, [(1, always(answer))]);
        // Two blocks are here, so the third is asked for.
        setting.shown.send_replace(shows(Height::new(2)));

        timeout(PATIENCE, setting.catch_up.fetch(ReplicaId::new(1))).await.unwrap();

        assert_eq!(setting.metrics.refused.get(), 1, "case {case}");
        assert_eq!(setting.metrics.fetched.get(), 0, "case {case}");
        assert!(setting.inputs.try_recv().is_err(), "case {case}");
        assert_eq!(setting.asked.lock().unwrap().len(), 1, "case {case}");
    }
}

#[tokio::test]
async fn a_peer_is_asked_so_often_in_a_row_and_not_more() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, ASKS_MAX + 5);
    let Setting { mut catch_up, asked, inputs, shown, .. } =
        setting(&genesis, [(1, honest(&blocks, 1))]);
    let committing = tokio::spawn(core(inputs, shown));

    timeout(PATIENCE, catch_up.fetch(ReplicaId::new(1))).await.unwrap();

    assert_eq!(asked.lock().unwrap().len(), ASKS_MAX);
    let reached = catch_up.view.borrow().protocol.committed;
    assert_eq!(reached, Height::new(u64::try_from(ASKS_MAX).unwrap()));
    drop(catch_up);
    committing.await.unwrap();
}

#[tokio::test]
async fn an_honest_peer_is_asked_while_a_liar_answers_badly() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 3);
    let mut forged = blocks.clone();
    forged[0].proof.certificate.signatures[0].1 = forged[1].proof.certificate.signatures[0].1;
    let liars: [Answer; 4] = [
        Box::new(|_| Ok(b"no blocks".to_vec())),
        Box::new(|_| Err(RequestError::Timeout)),
        always(&blocks[2..]),
        always(&forged),
    ];
    for (case, liar) in liars.into_iter().enumerate() {
        let Setting { catch_up, mut told, inputs, shown, behind, connected, metrics, .. } =
            setting(&genesis, [(1, liar), (2, honest(&blocks, 2))]);
        let mut view = catch_up.view.clone();
        let committing = tokio::spawn(core(inputs, shown));
        let running = tokio::spawn(catch_up.run());

        connected.send(ReplicaId::new(1)).await.unwrap();
        let first = timeout(PATIENCE, told.recv()).await.unwrap();
        behind.send_replace(Height::new(3));
        let caught_up = view.wait_for(|view| view.protocol.committed == Height::new(3));
        timeout(PATIENCE, caught_up).await.expect("the honest peer is asked").unwrap();

        assert_eq!(first, Some(ReplicaId::new(1)), "case {case}");
        assert_eq!(metrics.fetched.get(), 3, "case {case}");
        drop((connected, behind));
        timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
        committing.await.unwrap();
    }
}

#[tokio::test]
async fn a_validator_is_ready_once_more_replicas_than_may_lie_have_had_nothing_for_it() {
    // n and t + 1.
    for (n, enough) in [(2, 1), (3, 1), (4, 2), (7, 3)] {
        let answers = (1..n).map(|peer| (peer, nothing()));
        let Setting { mut catch_up, caught_up, .. } = setting(&genesis(n), answers);

        // However often one says it, it is one.
        for peer in (1..enough).flat_map(|peer| [peer; 3]) {
            catch_up.fetch(ReplicaId::new(peer)).await;
            assert!(!*caught_up.borrow(), "n = {n}, {peer} of {enough}");
        }
        catch_up.fetch(ReplicaId::new(enough)).await;

        assert!(*caught_up.borrow(), "n = {n}");
    }
}

#[tokio::test]
async fn a_peer_is_not_asked_while_the_core_has_not_taken_its_last_answer() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 2);
    let Setting { mut catch_up, asked, mut inputs, shown, .. } =
        setting(&genesis, [(1, honest(&blocks, 1))]);
    // The core has committed the block by other means and not yet looked at the answer.
    let committing = async {
        while asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        shown.send_replace(shows(Height::new(1)));
    };
    let (first, ()) = tokio::join!(catch_up.ask(ReplicaId::new(1)), committing);

    let unread = catch_up.unread.available_permits();
    drop(inputs.recv().await.unwrap());

    assert_eq!((first, unread), (Some(true), 0));
    assert_eq!(catch_up.unread.available_permits(), 1);
}

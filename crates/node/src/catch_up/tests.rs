//! What peers may answer, and what follows from it. The core here commits whatever it is given.

use std::collections::BTreeMap;
use std::time::Instant;

use network::Held;
use pbft::Input;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use types::genesis::Genesis;

use super::plan::{ASKED_MAX, RANGES_MAX};
use super::*;
use crate::fixture::{genesis, proved, rivals, shows};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing happens because time passes.
const STILL: Pace = Pace {
    period: Duration::from_secs(3_600),
    hint_gap: Duration::ZERO,
    patience: Duration::from_secs(3_600),
    core_patience: Duration::from_secs(3_600),
};

type Answered = Result<Vec<u8>, RequestError>;

/// A question that a peer was asked, to be answered by the test.
struct Asked {
    peer: u16,
    request: BlocksRequest,
    answer: oneshot::Sender<Answered>,
}

/// Peers whose questions the test answers.
struct Scripted {
    connected: BTreeSet<ReplicaId>,
    asked: mpsc::UnboundedSender<Asked>,
}

impl Peers for Scripted {
    fn connected(&self) -> BTreeSet<ReplicaId> {
        self.connected.clone()
    }

    async fn ask(&self, peer: ReplicaId, request: Vec<u8>) -> Answered {
        let request = from_wire(&request, 64).unwrap();
        let (answer, answered) = oneshot::channel();
        self.asked.send(Asked { peer: peer.get(), request, answer }).ok();
        answered.await.unwrap_or(Err(RequestError::Stopped))
    }
}

/// Catch-up of replica 0 at work, with the ends of its channels.
struct Setting {
    asked: mpsc::UnboundedReceiver<Asked>,
    inputs: mpsc::Receiver<Arrived>,
    rivals: mpsc::Receiver<ProvedBlock>,
    shown: watch::Sender<View>,
    durable: watch::Sender<Height>,
    behind: watch::Sender<Height>,
    connected: mpsc::Sender<ReplicaId>,
    caught_up: watch::Receiver<bool>,
    metrics: CatchUpMetrics,
    running: JoinHandle<Result<(), NodeError>>,
}

/// Catch-up at this height with every other replica connected.
fn setting(genesis: &Genesis, committed: u64, pace: Pace) -> Setting {
    let others = 1..u16::try_from(genesis.validators().len()).unwrap();
    let (asked_out, asked) = mpsc::unbounded_channel();
    let peers = Scripted { connected: others.map(ReplicaId::new).collect(), asked: asked_out };
    let (inputs_out, inputs) = mpsc::channel(100);
    let (rivals_out, rivals) = mpsc::channel(10);
    let (shown, view) = watch::channel(shows(Height::new(committed)));
    let (durable, durables) = watch::channel(Height::new(committed));
    let (behind, behind_in) = watch::channel(Height::GENESIS);
    let (connected, connected_in) = mpsc::channel(10);
    let (caught_up_out, caught_up) = watch::channel(false);
    let metrics = CatchUpMetrics::default();
    let catch_up = CatchUp {
        peers,
        replica: ReplicaId::new(0),
        door: Door::strict(genesis.validators().clone()),
        inputs: inputs_out,
        rivals: rivals_out,
        view,
        durable: durables,
        behind: behind_in,
        connected: connected_in,
        caught_up: caught_up_out,
        response_bytes_max: 1 << 20,
        metrics: metrics.clone(),
        pace,
    };
    let running = tokio::spawn(catch_up.run());
    Setting {
        asked,
        inputs,
        rivals,
        shown,
        durable,
        behind,
        connected,
        caught_up,
        metrics,
        running,
    }
}

/// Waits for something, but not for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it never happens")
}

impl Setting {
    async fn question(&mut self) -> Asked {
        soon(self.asked.recv()).await.unwrap()
    }

    /// The core commits the next blocks that it is given, and they become durable.
    async fn commit(&mut self) -> Held {
        let Arrived { input, held } = soon(self.inputs.recv()).await.unwrap();
        self.commit_these(input);
        held
    }

    fn commit_these(&self, input: Input) {
        let Input::Blocks(blocks) = input else {
            panic!("another input");
        };
        for block in blocks {
            let height = block.get().block.header.height;
            assert_eq!(height, self.shown.borrow().protocol.committed.next());
            self.shown.send_replace(shows(height));
            self.durable.send_replace(height);
        }
    }

    fn committed(&self) -> u64 {
        self.shown.borrow().protocol.committed.get()
    }

    /// Peers answer by this, and the core commits, until it has committed a height. How often each
    /// peer was asked.
    async fn reach(
        &mut self,
        height: u64,
        answer: impl Fn(&Asked) -> Option<Answered>,
    ) -> BTreeMap<u16, u64> {
        let mut times = BTreeMap::new();
        // Peers that never answer.
        let mut silent = Vec::new();
        while self.committed() < height {
            tokio::select! {
                asked = soon(self.asked.recv()) => {
                    let asked = asked.unwrap();
                    *times.entry(asked.peer).or_default() += 1;
                    match answer(&asked) {
                        Some(answer) => drop(asked.answer.send(answer)),
                        None => silent.push(asked),
                    }
                }
                arrived = self.inputs.recv() => self.commit_these(arrived.unwrap().input),
            }
        }
        times
    }

    fn hint(&self, height: u64) {
        self.behind.send_replace(Height::new(height));
    }
}

/// What an honest peer with these blocks answers.
fn honest(blocks: &[ProvedBlock], request: &BlocksRequest) -> Answered {
    let wanted = blocks.iter().filter(|proved| proved.block.header.height >= request.from);
    let count = usize::try_from(request.count).unwrap();
    Ok(to_wire(&wanted.take(count).collect::<Vec<_>>()))
}

fn these(blocks: &[ProvedBlock]) -> Answered {
    Ok(to_wire(&blocks.to_vec()))
}

fn forged(blocks: &[ProvedBlock]) -> Vec<ProvedBlock> {
    let mut forged = blocks.to_vec();
    forged[0].proof.certificate.signatures[0].1 = forged[1].proof.certificate.signatures[0].1;
    forged
}

#[tokio::test]
async fn different_peers_are_asked_at_once_and_the_core_gets_their_blocks_in_order() {
    let genesis = genesis(7);
    let blocks = proved(&genesis, 5 * 64);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(5 * 64);
    let first = setting.question().await;
    first.answer.send(honest(&blocks, &first.request)).unwrap();
    setting.commit().await;

    // Nobody answers before everybody was asked, and the last one answers first.
    let mut asked = Vec::new();
    while asked.len() < ASKED_MAX {
        asked.push(setting.question().await);
    }
    let ranges: Vec<_> = asked.iter().map(|asked| asked.request.from.get()).collect();
    let peers: BTreeSet<_> = asked.iter().map(|asked| asked.peer).collect();
    for asked in asked.into_iter().rev() {
        asked.answer.send(honest(&blocks, &asked.request)).unwrap();
    }
    for _ in 0..ASKED_MAX {
        setting.commit().await;
    }

    assert_eq!(ranges, [65, 129, 193, 257]);
    assert_eq!(peers.len(), ASKED_MAX);
    assert_eq!(setting.metrics.fetched.get(), 5 * 64);
}

#[tokio::test]
async fn a_liar_among_three_costs_one_question_and_the_rest_is_fetched_from_the_others() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 400);
    let gap = [blocks[0].clone(), blocks[2].clone()];
    let liars: [Answered; 5] = [
        Ok(b"no blocks".to_vec()),
        these(&blocks[399..]),
        these(&gap),
        these(&forged(&blocks)),
        these(&blocks),
    ];
    for (case, lie) in liars.iter().enumerate() {
        let mut setting = setting(&genesis, 0, STILL);
        let begun = Instant::now();
        setting.hint(400);

        let times = setting
            .reach(400, |asked| {
                let lies = asked.peer == 1;
                Some(if lies { lie.clone() } else { honest(&blocks, &asked.request) })
            })
            .await;

        // It rests for a second and longer.
        let lies = times[&1];
        assert!(lies <= 1 + begun.elapsed().as_secs(), "case {case}: asked {lies} times");
        assert_eq!(setting.metrics.refused.get(), lies, "case {case}");
        assert_eq!(setting.metrics.fetched.get(), 400, "case {case}");
    }
}

#[tokio::test]
async fn genuine_blocks_in_front_of_a_forged_one_are_kept() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 5);
    let half = [&blocks[..3], &forged(&blocks[3..])].concat();
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(5);

    let first = setting.question().await;
    first.answer.send(these(&half)).unwrap();
    setting.commit().await;

    assert_eq!(setting.committed(), 3);
    assert_eq!(setting.metrics.refused.get(), 1);
    assert_ne!(setting.question().await.peer, first.peer);
}

#[tokio::test]
async fn a_silent_peer_does_not_keep_the_others_blocks_away() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 400);
    let pace = Pace { patience: Duration::from_millis(20), ..STILL };
    let pace = Pace { period: Duration::from_millis(100), ..pace };
    let mut setting = setting(&genesis, 0, pace);
    setting.hint(400);

    let times = setting
        .reach(400, |asked| (asked.peer != 1).then(|| honest(&blocks, &asked.request)))
        .await;

    assert!(times[&1] >= 1);
    assert!(setting.metrics.unanswered.get() >= 1);
    assert_eq!(setting.metrics.fetched.get(), 400);
}

#[tokio::test]
async fn there_are_never_more_ranges_than_the_bound_until_their_blocks_are_durable() {
    let genesis = genesis(7);
    let blocks = proved(&genesis, 3_000);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(3_000);
    let first = setting.question().await;
    first.answer.send(honest(&blocks, &first.request)).unwrap();
    drop(setting.commit().await);

    // The core takes what it is given, and nothing becomes durable.
    let mut given = Vec::new();
    for _ in 0..RANGES_MAX {
        let asked = setting.question().await;
        asked.answer.send(honest(&blocks, &asked.request)).unwrap();
        given.push(soon(setting.inputs.recv()).await.unwrap().input);
    }
    setting.hint(2_999);
    let more = timeout(Duration::from_millis(50), setting.asked.recv()).await;
    assert!(more.is_err(), "asked for more than there is room for");

    setting.commit_these(given.remove(0));
    let next = setting.question().await;
    assert!(next.request.from > Height::new(64 * 9));
}

#[tokio::test]
async fn there_are_never_more_ranges_than_the_bound_that_the_core_has_not_taken() {
    let genesis = genesis(7);
    let blocks = proved(&genesis, 3_000);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(3_000);
    let first = setting.question().await;
    first.answer.send(honest(&blocks, &first.request)).unwrap();
    let mut untaken = vec![setting.commit().await];

    // Blocks become durable by other means, and the core does not look at its inputs.
    while untaken.len() < RANGES_MAX {
        let asked = setting.question().await;
        asked.answer.send(honest(&blocks, &asked.request)).unwrap();
        untaken.push(setting.commit().await);
    }
    setting.hint(2_999);
    let more = timeout(Duration::from_millis(50), setting.asked.recv()).await;
    assert!(more.is_err(), "asked for more than there is room for");

    untaken.clear();
    setting.hint(3_000);
    setting.question().await;
}

#[tokio::test]
async fn a_height_that_nobody_has_is_asked_of_one_more_than_may_lie() {
    let genesis = genesis(7);
    let blocks = proved(&genesis, 3);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(u64::MAX);

    // t + 1.
    let mut asked = BTreeSet::new();
    for _ in 0..3 {
        let question = setting.question().await;
        asked.insert(question.peer);
        question.answer.send(these(&[])).unwrap();
    }
    soon(setting.caught_up.wait_for(|caught_up| *caught_up)).await.unwrap();
    assert_eq!(asked.len(), 3);
    assert!(setting.asked.try_recv().is_err());

    // A liar has said the greatest height there is, and honest words still count.
    setting.hint(3);
    setting.reach(3, |asked| Some(honest(&blocks, &asked.request))).await;
}

#[tokio::test]
async fn the_newest_block_is_fetched_from_a_single_peer_without_a_successor() {
    let genesis = genesis(2);
    let blocks = proved(&genesis, 300);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(300);

    let times = setting.reach(300, |asked| Some(honest(&blocks, &asked.request))).await;

    // 64, 128 and the rest; whole answers are a sign of more, so perhaps once in vain.
    assert!((3..=4).contains(&times[&1]), "{times:?}");
    assert_eq!(setting.metrics.fetched.get(), 300);
}

#[tokio::test]
async fn a_single_peer_that_has_answered_badly_is_asked_again() {
    let genesis = genesis(2);
    let blocks = proved(&genesis, 3);
    let pace = Pace { period: Duration::from_millis(50), ..STILL };
    let mut setting = setting(&genesis, 0, pace);
    setting.hint(3);
    let first = setting.question().await;
    first.answer.send(Ok(b"no blocks".to_vec())).unwrap();

    setting.reach(3, |asked| Some(honest(&blocks, &asked.request))).await;

    assert_eq!(setting.metrics.refused.get(), 1);
}

#[tokio::test]
async fn blocks_that_the_core_does_not_commit_are_asked_for_again() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 3);
    let pace = Pace { period: Duration::from_millis(5), core_patience: Duration::ZERO, ..STILL };
    let mut setting = setting(&genesis, 0, pace);
    setting.hint(3);
    let first = setting.question().await;
    first.answer.send(honest(&blocks, &first.request)).unwrap();
    drop(soon(setting.inputs.recv()).await.unwrap());

    let again = setting.question().await;

    assert_eq!(again.request.from, Height::new(1));
    again.answer.send(honest(&blocks, &again.request)).unwrap();
    setting.commit().await;
    assert_eq!(setting.committed(), 3);
}

#[tokio::test]
async fn a_peer_is_asked_when_its_connection_opens_and_somebody_every_period() {
    let genesis = genesis(4);
    let mut still = setting(&genesis, 0, STILL);
    still.connected.send(ReplicaId::new(2)).await.unwrap();
    assert_eq!(still.question().await.peer, 2);

    let pace = Pace { period: Duration::from_millis(1), ..STILL };
    let mut setting = setting(&genesis, 0, pace);
    let mut peers = Vec::new();
    for _ in 0..4 {
        let question = setting.question().await;
        peers.push(question.peer);
        question.answer.send(these(&[])).unwrap();
    }

    assert_eq!(peers, [1, 2, 3, 1]);
}

#[tokio::test]
async fn a_validator_is_ready_once_more_replicas_than_may_lie_have_had_nothing_for_it() {
    // n and t + 1.
    for (n, enough) in [(2, 1), (3, 1), (4, 2), (7, 3)] {
        let mut setting = setting(&genesis(n), 0, STILL);

        // However often one says it, it is one.
        let saying = (1..enough).flat_map(|peer| [peer; 3]).chain([enough]);
        for peer in saying {
            assert!(!*setting.caught_up.borrow(), "n = {n}, {peer} of {enough}");
            setting.connected.send(ReplicaId::new(peer)).await.unwrap();
            let question = setting.question().await;
            question.answer.send(these(&[])).unwrap();
        }

        soon(setting.caught_up.wait_for(|caught_up| *caught_up)).await.unwrap();
    }
}

#[tokio::test]
async fn a_replica_that_has_nothing_above_what_is_still_fetched_does_not_count() {
    let genesis = genesis(4);
    let blocks = proved(&genesis, 64);
    let mut setting = setting(&genesis, 0, STILL);
    setting.hint(10_000);
    let first = setting.question().await;
    first.answer.send(honest(&blocks, &first.request)).unwrap();
    setting.commit().await;

    // Only who has nothing of the lowest range has nothing that is not here.
    let lowest = setting.question().await;
    for _ in 0..2 {
        setting.question().await.answer.send(these(&[])).unwrap();
    }
    lowest.answer.send(these(&[])).unwrap();

    setting.connected.send(ReplicaId::new(lowest.peer)).await.unwrap();
    let greeting = setting.question().await;
    assert!(!*setting.caught_up.borrow());
    drop(greeting);
}

#[tokio::test]
async fn catch_up_ends_with_whoever_feeds_it() {
    let genesis = genesis(4);

    let Setting { running, connected, behind: _behind, inputs: _inputs, .. } =
        setting(&genesis, 0, STILL);
    drop(connected);
    soon(running).await.unwrap().unwrap();

    let Setting { running, connected: _connected, behind, inputs: _inputs, .. } =
        setting(&genesis, 0, STILL);
    drop(behind);
    soon(running).await.unwrap().unwrap();

    let Setting { running, connected, behind: _behind, inputs, .. } = setting(&genesis, 0, STILL);
    drop(inputs);
    connected.send(ReplicaId::new(1)).await.unwrap();
    soon(running).await.unwrap().unwrap();
}

#[test]
fn as_many_blocks_are_given_as_are_wanted_and_there() {
    let genesis = genesis(4);
    let root = tempfile::tempdir().unwrap();
    let key = crate::fixture::key(0).public_key();
    let directory = storage::Directory::open(root.path(), *genesis.chain(), key).unwrap();
    let store = Store::open(&directory, &genesis, storage::WhenDamaged::Refuse).unwrap().0;
    store.append(&proved(&genesis, 600)).unwrap();

    let given = |from, count| {
        let request = to_wire(&BlocksRequest { from: Height::new(from), count });
        let bytes = answer(&store, &request).unwrap();
        let blocks = from_wire::<crate::wire::BlocksResponse>(&bytes, RESPONSE_BYTES).unwrap();
        let heights = blocks.iter().map(|block| block.get().block.header.height.get());
        assert!(heights.zip(from..).all(|(height, wanted)| height == wanted));
        blocks.len()
    };

    assert_eq!([given(1, 5), given(598, 5), given(600, 1), given(601, 5)], [5, 3, 1, 0]);
    assert_eq!([given(1, u32::MAX), given(1, 0), given(u64::MAX, 9), given(0, 9)], [512, 0, 0, 0]);
    assert_eq!(answer(&store, b"no request"), None);
}

/// Full blocks are large, and an idle network is to cost nothing.
#[tokio::test]
async fn the_newest_block_of_a_peer_is_compared_once_while_nothing_moves() {
    let genesis = genesis(4);
    let own = proved(&genesis, 9);
    let pace = Pace { period: Duration::from_millis(5), ..STILL };
    let mut setting = setting(&genesis, 9, pace);

    let mut compared: BTreeMap<u16, u32> = BTreeMap::new();
    let mut greeted = 0;
    while greeted < 60 {
        tokio::select! {
            asked = soon(setting.asked.recv()) => {
                let Asked { peer, request, answer } = asked.unwrap();
                if request.from.get() == 9 {
                    *compared.entry(peer).or_default() += 1;
                } else {
                    greeted += 1;
                }
                answer.send(honest(&own, &request)).unwrap();
            }
            block = setting.rivals.recv() => assert_eq!(block.unwrap().block.id(), own[8].block.id()),
        }
    }

    assert!(!compared.is_empty());
    assert!(compared.values().all(|times| *times == 1), "{compared:?}");
}

/// A fork at whose end nothing happens any more would never be noticed: everybody is as high as everybody, or has what
/// nobody asks for.
#[tokio::test]
async fn when_nothing_moves_blocks_are_compared_with_everybody_who_has_fewer_as_well() {
    let genesis = genesis(4);
    let (own, other) = (proved(&genesis, 9), rivals(&genesis, 4));
    let pace = Pace { period: Duration::from_millis(10), ..STILL };
    let mut setting = setting(&genesis, 9, pace);

    let rival = loop {
        tokio::select! {
            asked = soon(setting.asked.recv()) => {
                let Asked { peer, request, answer } = asked.unwrap();
                let chain = if peer == 3 { &other } else { &own };
                answer.send(honest(chain, &request)).unwrap();
            }
            compared = setting.rivals.recv() => {
                let block = compared.unwrap().block;
                let height = block.header.height.get();
                if block.id() != own[usize::try_from(height).unwrap() - 1].block.id() {
                    break block.id();
                }
            }
        }
    };

    assert!(other.iter().any(|block| block.block.id() == rival));
    assert_eq!((setting.committed(), setting.metrics.refused.get()), (9, 0));
}

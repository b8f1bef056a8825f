use std::sync::Condvar;
use std::time::Duration;

use crypto::encoding::to_wire;
use pbft::Handover;
use tokio::sync::watch;
use tokio::time::timeout;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::vote::Phase;

use super::*;
use crate::fixture::{
    Allowance, Cut, genesis, key, pre_prepare, proved, standing, transfer, transfer_at, vote,
};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const BYTES: usize = 100_000;

fn delivered(allowance: &Allowance, message: Message) -> Delivered {
    let held = allowance.receive(to_wire(&message)).into_held();
    Delivered { from: ReplicaId::new(1), message: Unverified::new(message), held }
}

/// A door, its two ends, and what it counts.
struct Setting {
    door: ConsensusDoor,
    messages: (mpsc::Sender<Delivered>, mpsc::Receiver<Delivered>),
    inputs: mpsc::Receiver<Arrived>,
    metrics: DoorMetrics,
    cut: Cut,
    _view: watch::Sender<crate::core::View>,
}

fn setting(genesis: &Genesis) -> Setting {
    let (inputs_out, inputs) = mpsc::channel(10);
    let metrics = DoorMetrics::default();
    let cut = Cut::default();
    let standing = standing(genesis, View::FIRST, Height::GENESIS);
    let (_view, view) = watch::channel(standing);
    let door = ConsensusDoor {
        door: Door::strict(genesis.validators().clone()),
        checked: Checked::default(),
        worth: Worth::new(ReplicaId::new(3), *genesis.parameters(), view),
        inputs: inputs_out,
        cut_off: cut.off(),
        metrics: metrics.clone(),
    };
    Setting { door, messages: mpsc::channel(100), inputs, metrics, cut, _view }
}

#[tokio::test]
async fn a_message_counts_against_its_senders_allowance_until_the_core_takes_it() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, .. } = setting(&genesis);
    let header = &proved(&genesis, 1)[0].block.header;
    let allowance = Allowance::new(BYTES);
    let message = Message::Commit(vote(&genesis, 1, Phase::Commit, header));
    messages.send(delivered(&allowance, message.clone())).await.ok().unwrap();
    drop(messages);

    // The door has let it through and ended; nobody has taken it yet.
    door.run(queue).await.unwrap();
    let waiting = allowance.left();
    let arrived = inputs.recv().await.unwrap();
    let Input::Message(taken) = arrived.take() else {
        panic!("another input");
    };

    assert_eq!(waiting, BYTES - to_wire(&message).len());
    assert_eq!(taken.get(), &message);
    assert_eq!(allowance.left(), BYTES);
}

#[tokio::test]
async fn a_refused_message_counts_no_longer_and_does_not_reach_the_core() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, metrics, cut, .. } =
        setting(&genesis);
    let header = &proved(&genesis, 1)[0].block.header;
    let mut forged = vote(&genesis, 1, Phase::Commit, header);
    forged.replica = ReplicaId::new(2);
    let allowance = Allowance::new(BYTES);
    messages.send(delivered(&allowance, Message::Commit(forged))).await.ok().unwrap();
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(metrics.forged.get(), 1);
    assert_eq!(cut.all(), [ReplicaId::new(1)]);
    assert_eq!(allowance.left(), BYTES);
    assert!(inputs.recv().await.is_none());
}

fn from(peer: u16, message: Message) -> Delivered {
    let message = Unverified::new(message);
    Delivered { from: ReplicaId::new(peer), message, held: Held::default() }
}

/// A proposal of the primary of the first view with one transaction.
fn proposal(genesis: &Genesis, height: u64) -> Message {
    let place = (View::FIRST, Height::new(height));
    Message::PrePrepare(pre_prepare(genesis, place, vec![transfer_at(genesis, height)]))
}

/// Holds up whoever checks a transaction, until it is opened.
#[derive(Clone)]
struct Gate {
    open: Arc<(Mutex<bool>, Condvar)>,
    entered: mpsc::UnboundedSender<TransactionId>,
}

impl Gate {
    fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

impl CheckedTransactions for Gate {
    fn is_checked(&self, id: &TransactionId, _: &Signature) -> bool {
        self.entered.send(*id).unwrap();
        let (open, opened) = &*self.open;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        false
    }
}

/// A gate that a failing test does not leave closed.
struct Closed(Gate, mpsc::UnboundedReceiver<TransactionId>);

impl Closed {
    fn new() -> Self {
        let (entered, entries) = mpsc::unbounded_channel();
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        Self(Gate { open, entered }, entries)
    }

    /// Waits until somebody more checks a transaction.
    async fn entered(&mut self) -> TransactionId {
        timeout(PATIENCE, self.1.recv()).await.expect("a block is looked at in time").unwrap()
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.open();
    }
}

async fn taken(inputs: &mut mpsc::Receiver<Arrived>) -> Message {
    let arrived = timeout(PATIENCE, inputs.recv()).await.expect("it arrives in time").unwrap();
    let Input::Message(message) = arrived.take() else {
        panic!("another input");
    };
    message.into_inner()
}

#[tokio::test]
async fn a_vote_waits_for_no_block_and_a_block_for_none_of_another_peer() {
    let genesis = genesis(4);
    let Setting { mut door, messages: (messages, queue), mut inputs, _view, .. } =
        setting(&genesis);
    let mut gate = Closed::new();
    door.door = Door::new(genesis.validators().clone(), Arc::new(gate.0.clone()));
    let header = &proved(&genesis, 1)[0].block.header;
    let votes: Vec<_> = [1, 2]
        .map(|replica| Message::Commit(vote(&genesis, replica, Phase::Commit, header)))
        .into();
    for height in 1..=8 {
        messages.send(from(1, proposal(&genesis, height))).await.ok().unwrap();
    }
    messages.send(from(2, proposal(&genesis, 9))).await.ok().unwrap();
    for (peer, vote) in [1, 2].into_iter().zip(&votes) {
        messages.send(from(peer, vote.clone())).await.ok().unwrap();
    }
    drop(messages);
    let working = tokio::spawn(door.run(queue));

    // The gate is closed: no block gets through.
    for vote in &votes {
        assert_eq!(taken(&mut inputs).await, *vote);
    }
    // The other peer's block is looked at beside the first, before the seven that came earlier.
    let mut entered = [gate.entered().await, gate.entered().await];
    let mut expected = [1, 9].map(|height| transfer_at(&genesis, height).id());
    entered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(entered, expected);
    gate.0.open();

    let mut heights = Vec::new();
    for _ in 1..=9 {
        let Message::PrePrepare(proposal) = taken(&mut inputs).await else {
            panic!("no proposal");
        };
        heights.push(proposal.vote.statement.height.get());
    }
    heights.retain(|height| *height != 9);
    assert_eq!(heights, [1, 2, 3, 4, 5, 6, 7, 8]);
    working.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_that_delivers_a_forged_block_is_cut_off_and_the_rest_of_it_forgotten() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, metrics, cut, _view } =
        setting(&genesis);
    let allowance = Allowance::new(BYTES);
    let mut forged = transfer(&genesis);
    forged.transaction.nonce = types::number::Nonce::new(7);
    let place = (View::FIRST, Height::new(1));
    for _ in 0..8 {
        let message = Message::PrePrepare(pre_prepare(&genesis, place, vec![forged.clone()]));
        messages.send(delivered(&allowance, message)).await.ok().unwrap();
    }
    messages.send(from(2, proposal(&genesis, 2))).await.ok().unwrap();
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(taken(&mut inputs).await, proposal(&genesis, 2));
    assert!(inputs.recv().await.is_none());
    assert_eq!(cut.all(), [ReplicaId::new(1)]);
    assert_eq!(metrics.forged.get(), 1);
    assert_eq!(allowance.left(), BYTES);
}

#[tokio::test]
async fn who_delivers_what_is_refused_for_its_form_is_not_cut_off() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, metrics, cut, .. } =
        setting(&genesis);
    let header = &proved(&genesis, 1)[0].block.header;
    let prepare = vote(&genesis, 1, Phase::Prepare, header);
    messages.send(from(1, Message::Commit(prepare))).await.ok().unwrap();
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(metrics.forged.get(), 1);
    assert_eq!(cut.all(), []);
    assert!(inputs.recv().await.is_none());
}

#[tokio::test]
async fn a_body_handed_over_comes_from_its_author_alone() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, metrics, cut, _view } =
        setting(&genesis);
    let place = (View::FIRST, Height::new(1));
    let block = pre_prepare(&genesis, place, vec![transfer(&genesis)]).block;
    let handover = Handover::sign(block, ReplicaId::new(1), genesis.chain(), &key(1));
    let message = Message::Handover(handover);
    for peer in [2, 1] {
        messages.send(from(peer, message.clone())).await.ok().unwrap();
    }
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(taken(&mut inputs).await, message);
    assert!(inputs.recv().await.is_none());
    assert_eq!(metrics.forged.get(), 1);
    assert_eq!(cut.all(), []);
}

#[tokio::test]
async fn a_block_that_is_of_no_use_is_not_looked_at() {
    let genesis = genesis(4);
    let Setting { mut door, messages: (messages, queue), mut inputs, _view, .. } =
        setting(&genesis);
    let mut gate = Closed::new();
    door.door = Door::new(genesis.validators().clone(), Arc::new(gate.0.clone()));
    gate.0.open();
    _view.send_replace(standing(&genesis, View::FIRST, Height::new(5)));
    messages.send(from(1, proposal(&genesis, 5))).await.ok().unwrap();
    messages.send(from(1, proposal(&genesis, 6))).await.ok().unwrap();
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(taken(&mut inputs).await, proposal(&genesis, 6));
    assert!(inputs.recv().await.is_none());
    assert!(gate.1.try_recv().is_ok());
    assert!(gate.1.try_recv().is_err());
}

#[test]
fn a_checked_transaction_is_known_with_its_signature_and_with_no_other() {
    let genesis = genesis(4);
    let checked = Checked::default();
    let transaction = transfer(&genesis);
    let (id, other) = (transaction.id(), Signature::from_bytes([7; 64]));

    checked.remember(std::iter::once(&transaction));

    assert!(checked.is_checked(&id, &transaction.signature));
    assert!(!checked.is_checked(&id, &other));
    assert!(!checked.is_checked(&transfer_at(&genesis, 1).id(), &transaction.signature));
}

#[test]
fn what_is_remembered_is_bounded_by_two_generations() {
    let genesis = genesis(4);
    let transactions: Vec<_> = (0..9).map(|nonce| transfer_at(&genesis, nonce)).collect();
    let mut generations = Generations::default();

    for (count, transaction) in (1..).zip(&transactions) {
        generations.note(transaction.id(), transaction.signature, 3);

        let knows = |known: &&SignedTransaction| generations.knows(&known.id(), &known.signature);
        let known = transactions.iter().filter(knows).count();
        // The younger generation, and the older one whole.
        assert_eq!(known, if count <= 6 { count } else { count - 3 });
        assert!(generations.young.len() <= 3 && generations.old.len() <= 3);
        assert!(knows(&transaction));
    }
}

/// A transaction whose signature does not hold and that is remembered all the same: whoever lets it
/// pass did not check it again.
#[tokio::test]
async fn in_a_proposal_only_signatures_that_are_not_known_are_checked() {
    let genesis = genesis(4);
    for is_known in [true, false] {
        let Setting { mut door, messages: (messages, queue), mut inputs, cut, _view, .. } =
            setting(&genesis);
        let mut false_one = transfer(&genesis);
        false_one.signature = Signature::from_bytes([7; 64]);
        let true_one = transfer_at(&genesis, 1);
        let checked = door.checked.clone();
        door.door = Door::new(genesis.validators().clone(), Arc::new(checked.clone()));
        if is_known {
            checked.remember(std::iter::once(&false_one));
        }
        let place = (View::FIRST, Height::new(1));
        let body = vec![false_one, true_one.clone()];
        let proposal = Message::PrePrepare(pre_prepare(&genesis, place, body));
        messages.send(from(1, proposal)).await.ok().unwrap();
        drop(messages);

        door.run(queue).await.unwrap();

        assert_eq!(inputs.recv().await.is_some(), is_known);
        assert_eq!(cut.all().is_empty(), is_known);
        // What an accepted proposal brought is known from then on.
        assert_eq!(checked.is_checked(&true_one.id(), &true_one.signature), is_known);
    }
}

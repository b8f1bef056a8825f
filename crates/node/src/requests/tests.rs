use std::time::Duration;

use types::genesis::Genesis;
use types::number::Nonce;

use super::*;
use crate::fixture::{Allowance, Cut, genesis, transfer, transfer_at};

const BYTES: usize = 1 << 20;
/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const ONE: ReplicaId = ReplicaId::new(1);
const TWO: ReplicaId = ReplicaId::new(2);

/// A running door, its two ends, and what it counts.
struct Setting {
    clients: mpsc::Sender<Delivery>,
    offered: Offered,
    checked: Checked,
    requests: mpsc::Receiver<Request>,
    metrics: DoorMetrics,
    cut: Cut,
}

/// The door begins to work once `before` has filled the queues.
fn started(genesis: &Genesis, before: impl FnOnce(&mpsc::Sender<Delivery>, &Offered)) -> Setting {
    let (clients, clients_in) = mpsc::channel(10);
    let (requests_out, requests) = mpsc::channel(1_000);
    let (offered, metrics, cut) = (Offered::default(), DoorMetrics::default(), Cut::default());
    let checked = Checked::default();
    before(&clients, &offered);
    let door = RequestDoor {
        chain: *genesis.chain(),
        checked: checked.clone(),
        offered: offered.clone(),
        requests: requests_out,
        cut_off: cut.off(),
        metrics: metrics.clone(),
    };
    tokio::spawn(door.run(clients_in));
    Setting { clients, offered, checked, requests, metrics, cut }
}

fn forged(genesis: &Genesis) -> SignedTransaction {
    let mut transaction = transfer(genesis);
    transaction.transaction.nonce = Nonce::new(7);
    transaction
}

fn of_peer(transactions: Vec<SignedTransaction>) -> Delivery {
    let transactions = transactions.into_iter().map(Unverified::new).collect();
    Delivery::Peer { transactions, held: Held::default() }
}

fn of_client(transaction: SignedTransaction) -> Delivery {
    let (answer, _) = oneshot::channel();
    Delivery::Client { transactions: vec![Unverified::new(transaction)], answer }
}

/// The nonces that the next request is about; the refused ones have none.
async fn admitted(requests: &mut mpsc::Receiver<Request>) -> Vec<Option<u64>> {
    let request = tokio::time::timeout(PATIENCE, requests.recv()).await.unwrap().unwrap();
    let Request::Admit { transactions, .. } = request else {
        panic!("another request");
    };
    let nonce = |signed: Signed<SignedTransaction>| signed.get().transaction.nonce.get();
    transactions.into_iter().map(|result| result.ok().map(nonce)).collect()
}

#[tokio::test]
async fn clients_and_other_peers_wait_for_a_few_deliveries_of_a_peer_and_not_for_all() {
    let genesis = genesis(4);
    let mut setting = started(&genesis, |clients, offered| {
        for nonce in 0..60 {
            offered.offer(ONE, of_peer(vec![transfer_at(&genesis, nonce)]));
        }
        offered.offer(TWO, of_peer(vec![transfer_at(&genesis, 100)]));
        clients.try_send(of_client(transfer_at(&genesis, 200))).ok().unwrap();
    });

    let mut order = Vec::new();
    for _ in 0..62 {
        order.extend(admitted(&mut setting.requests).await);
    }

    let place = |nonce| order.iter().position(|found| *found == Some(nonce)).unwrap();
    assert!(place(200) <= 2 * PEER_BATCH_MAX, "{order:?}");
    assert!(place(100) <= 2 * PEER_BATCH_MAX + 1, "{order:?}");
    assert!(place(59) == 61);
}

#[tokio::test]
async fn whatever_peers_deliver_takes_no_place_of_a_client() {
    let genesis = genesis(4);
    let allowance = Allowance::new(BYTES);
    let offered = Offered::default();

    for _ in 0..10 * PEER_WAITING_MAX {
        let held = allowance.receive(vec![0; 100]).into_held();
        let transactions = vec![Unverified::new(transfer(&genesis))];
        offered.offer(ONE, Delivery::Peer { transactions, held });
    }

    // What did not fit counts no longer.
    assert_eq!(allowance.left(), BYTES - 100 * PEER_WAITING_MAX);
    offered.offer(TWO, of_peer(vec![transfer(&genesis)]));
    let taken: Vec<_> = [offered.take(), offered.take()].into_iter().flatten().collect();
    assert_eq!(taken.iter().map(|(from, _)| *from).collect::<Vec<_>>(), [ONE, TWO]);
}

#[tokio::test]
async fn a_peer_that_delivers_a_forged_request_is_cut_off_and_a_client_is_answered() {
    let genesis = genesis(4);
    let mut setting = started(&genesis, |_, offered| {
        offered.offer(ONE, of_peer(vec![transfer_at(&genesis, 1), forged(&genesis)]));
        for _ in 0..20 {
            offered.offer(ONE, of_peer(vec![forged(&genesis)]));
        }
    });

    let first = admitted(&mut setting.requests).await;
    // Beside it in its batch were a few more; the rest is forgotten.
    for _ in 1..PEER_BATCH_MAX {
        assert_eq!(admitted(&mut setting.requests).await, [None]);
    }
    setting.clients.send(of_client(forged(&genesis))).await.ok().unwrap();
    let answered = admitted(&mut setting.requests).await;

    assert_eq!(first, [Some(1), None]);
    assert_eq!(answered, [None]);
    assert_eq!(setting.cut.all(), [ONE]);
    assert!(setting.offered.take().is_none());
}

#[tokio::test]
async fn a_batch_of_nothing_is_refused() {
    let genesis = genesis(4);
    let mut setting = started(&genesis, |_, offered| {
        offered.offer(ONE, of_peer(Vec::new()));
        offered.offer(ONE, of_peer(vec![transfer_at(&genesis, 1)]));
    });

    assert_eq!(admitted(&mut setting.requests).await, [Some(1)]);
    assert_eq!(setting.metrics.forged.get(), 1);
    assert_eq!(setting.cut.all(), []);
}

/// A signature that does not hold is not noticed where it is remembered: it is not checked again.
#[tokio::test]
async fn a_request_is_checked_once_whoever_brings_it_again() {
    let genesis = genesis(4);
    let mut setting = started(&genesis, |_, _| {});
    let (sound, forged) = (transfer_at(&genesis, 1), forged(&genesis));
    setting.checked.remember(std::iter::once(&forged));

    setting.clients.send(of_client(sound.clone())).await.ok().unwrap();
    let first = admitted(&mut setting.requests).await;
    setting.clients.send(of_client(forged)).await.ok().unwrap();
    let second = admitted(&mut setting.requests).await;

    assert_eq!((first, second), (vec![Some(1)], vec![Some(7)]));
    assert!(setting.checked.is_checked(&sound.id(), &sound.signature));
}

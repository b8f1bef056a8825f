//! Transfers offered at a rate while validators die, and the check that each was paid exactly once.
//!
//! Transfer i goes from account i mod 4 to the next one, is one base unit, and carries its number
//! as memo. As a wallet does, the load posts every transfer to every validator. It is an open loop:
//! a transfer has its moment whether or not earlier ones were answered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use api::client::Client;
use api::client::network::RunFile;
use api::hex::to_hex_wire;
use api::types::{BatchRequest, BatchStatus, BlockName};
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use crate::money::{balance, key};
use crate::testnet::Testnet;
use crate::wait::until_true;

/// The accounts of a new testnet.
const ACCOUNTS: usize = 4;
/// What each of them has, in base units.
const BALANCE: u64 = 100_000_000;
/// Most transfers of one request.
const BATCH_MAX: usize = 200;
/// Pause of a sender that has nothing to send, or was told to come later.
const TICK: Duration = Duration::from_millis(10);
/// How long one request may take; a paused validator takes this long.
const CALL_PATIENCE: Duration = Duration::from_secs(2);
/// No transfer expires.
const VALID_UNTIL: Height = Height::new(1 << 40);

/// Their keys: deriving one takes milliseconds.
static KEYS: LazyLock<[SecretKey; ACCOUNTS]> = LazyLock::new(|| [0, 1, 2, 3].map(key));

/// What a wallet does when a validator does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// It leaves it to the others and never comes back: what they have taken in must be paid.
    GivesUp,
    /// It tries again, and offers all that is not paid to a validator that was started anew: pools
    /// are in memory, so where more than t validators die nobody else can bring it back.
    Repeats,
}

/// Transfers that are being offered. Dropped, no more are.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    takers_needed: usize,
}

#[derive(Debug)]
struct Shared {
    chain: ChainId,
    wallet: Wallet,
    stop: AtomicBool,
    abandon: AtomicBool,
    offered: Mutex<Vec<Offered>>,
    /// The last refusal, for whoever waits in vain.
    refusal: Mutex<Option<String>>,
}

/// A transfer, and how many validators have taken it in.
#[derive(Debug)]
struct Offered {
    hex: String,
    takers: Arc<AtomicUsize>,
}

impl Load {
    /// Begins to offer so many transfers a second to a new testnet.
    pub fn start(testnet: &Testnet, per_second: u32, wallet: Wallet) -> Self {
        let genesis = testnet.genesis();
        let shared = Arc::new(Shared {
            chain: *genesis.chain(),
            wallet,
            stop: AtomicBool::new(false),
            abandon: AtomicBool::new(false),
            offered: Mutex::default(),
            refusal: Mutex::default(),
        });
        let mut threads = Vec::new();
        for index in 0..genesis.validators().len() {
            let (shared, folder) = (Arc::clone(&shared), testnet.node(index));
            threads.push(thread::spawn(move || Lane::new(shared, folder).run()));
        }
        let sharing = Arc::clone(&shared);
        threads.push(thread::spawn(move || sharing.offer(per_second)));
        let takers_needed = genesis.validators().quorum().reply();
        Self { shared, threads, takers_needed }
    }

    /// How many were offered.
    pub fn offered(&self) -> usize {
        lock(&self.shared.offered).len()
    }

    /// Stops offering and gives how many transfers there were, each of which t + 1 validators have
    /// taken in.
    ///
    /// # Panics
    ///
    /// When fewer have taken one in.
    pub fn stop(mut self) -> usize {
        self.shared.stop.store(true, Ordering::Relaxed);
        let needed = self.takers_needed;
        let offered = || {
            let offered = lock(&self.shared.offered);
            offered.iter().all(|one| one.takers.load(Ordering::Relaxed) >= needed)
        };
        until_true("every transfer is taken in by t + 1 validators", offered);
        self.shared.abandon.store(self.shared.wallet == Wallet::GivesUp, Ordering::Relaxed);
        until_true("what was offered is taken in", || {
            self.threads.iter().all(JoinHandle::is_finished)
        });
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok(), "a thread of the load panicked");
        }
        self.offered()
    }

    /// What was refused last and why, if anything was.
    pub fn refusal(&self) -> Option<String> {
        lock(&self.shared.refusal).clone()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.abandon.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn offer(&self, per_second: u32) {
        let start = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let due = start.elapsed().as_millis() * u128::from(per_second) / 1_000;
            let due = usize::try_from(due).unwrap_or(usize::MAX);
            let offered = lock(&self.offered).len();
            for number in offered..due {
                let hex = to_hex_wire(&transfer(self.chain, number));
                lock(&self.offered).push(Offered { hex, takers: Arc::default() });
            }
            thread::sleep(TICK);
        }
    }
}

/// What goes to one validator, in order.
struct Lane {
    shared: Arc<Shared>,
    folder: PathBuf,
    process: Option<(u32, Client)>,
    next: usize,
}

impl Lane {
    fn new(shared: Arc<Shared>, folder: PathBuf) -> Self {
        Self { shared, folder, process: None, next: 0 }
    }

    fn run(mut self) {
        while !self.shared.abandon.load(Ordering::Relaxed) {
            let stopping = self.shared.stop.load(Ordering::Relaxed);
            let went_on = self.find().and_then(|client| self.send(&client));
            match went_on {
                Some(true) => {}
                Some(false) if stopping => return,
                None if self.shared.wallet == Wallet::GivesUp => return,
                Some(false) | None => thread::sleep(TICK),
            }
        }
    }

    /// The validator as it runs now; one that was started anew gets all that is not paid.
    fn find(&mut self) -> Option<Client> {
        let file = RunFile::read(&self.folder)?;
        if let Some((pid, client)) = &self.process
            && *pid == file.pid
        {
            return Some(client.clone());
        }
        let client = Client::new(&file.api).ok()?.with_timeout(CALL_PATIENCE);
        self.next = first_unpaid(&client)?;
        self.process = Some((file.pid, client.clone()));
        Some(client)
    }

    /// Whether something was sent; nothing when the validator does not answer.
    fn send(&mut self, client: &Client) -> Option<bool> {
        let (hexes, takers): (Vec<_>, Vec<_>) = {
            let offered = lock(&self.shared.offered);
            let rest = offered.get(self.next..).unwrap_or_default().iter().take(BATCH_MAX);
            rest.map(|one| (one.hex.clone(), Arc::clone(&one.takers))).unzip()
        };
        if hexes.is_empty() {
            return Some(false);
        }
        let answer = match client.submit_batch_hex(&BatchRequest { transactions: hexes }) {
            Ok(answer) => answer,
            Err(error) if error.code().is_some_and(|code| code.retry_after_seconds().is_some()) => {
                thread::sleep(TICK);
                return Some(true);
            }
            Err(_) => return None,
        };
        for (result, takers) in answer.results.iter().zip(takers) {
            if result.status == BatchStatus::Refused {
                // Refused for now: it has too many of this account, or is behind.
                *lock(&self.shared.refusal) = Some(format!("{}: {result:?}", client.url()));
                thread::sleep(TICK);
                return Some(true);
            }
            takers.fetch_add(1, Ordering::Relaxed);
            self.next += 1;
        }
        Some(true)
    }
}

/// The number of the first transfer that a validator has not committed.
fn first_unpaid(client: &Client) -> Option<usize> {
    let mut first = usize::MAX;
    for (account, nonce) in nonces(client)?.into_iter().enumerate() {
        first = first.min(nonce * ACCOUNTS + account);
    }
    Some(first)
}

/// How many transfers of each account a validator has committed.
fn nonces(client: &Client) -> Option<Vec<usize>> {
    let nonce = |key: &SecretKey| {
        let text = Address::Key(key.public_key()).to_text("rlgt");
        usize::try_from(client.account(&text).ok()??.nonce.get()).ok()
    };
    KEYS.iter().map(nonce).collect()
}

/// How many transfers of a load a validator has committed; none when it does not answer.
pub fn paid(testnet: &Testnet, node: usize) -> usize {
    let file = RunFile::read(&testnet.node(node));
    let client = file.and_then(|file| Client::new(&file.api).ok());
    client.and_then(|client| nonces(&client)).map_or(0, |nonces| nonces.iter().sum())
}

/// Waits until all validators have the same chain, in which each of the `count` transfers of a load
/// stands once and nothing else does, and the money is where it follows from them.
///
/// # Panics
///
/// When it is not so.
pub fn assert_paid_once(testnet: &Testnet, count: usize) {
    let all: Vec<usize> = (0..testnet.genesis().validators().len()).collect();
    assert_paid_once_by(testnet, &all, count);
}

/// The same of some of the validators: what an adversary says is worth nothing.
///
/// # Panics
///
/// When it is not so.
pub fn assert_paid_once_by(testnet: &Testnet, nodes: &[usize], count: usize) {
    for node in nodes.iter().copied() {
        until_true(&format!("node{node} has committed {count} transfers"), || {
            paid(testnet, node) >= count
        });
    }
    let height = testnet.level_of(nodes, 1);
    let asked = *nodes.first().expect("somebody is asked");
    let first = testnet.status(asked);
    assert_eq!(first.height.get(), height);
    let expected: BTreeMap<String, u64> = (0..count).map(|number| (memo(number), 1)).collect();
    assert!(memos(testnet, asked, height) == expected, "a transfer is missing or was paid twice");
    for node in nodes.iter().copied() {
        let status = testnet.status(node);
        let of = |status: &api::types::Status| (status.height, status.block, status.state_root);
        assert_eq!(of(&status), of(&first), "node{node}");
        assert_eq!(status.supply.get(), 4 * BALANCE, "node{node}");
        for account in 0..ACCOUNTS {
            let sent = |account: usize| (count + ACCOUNTS - 1 - account) / ACCOUNTS;
            let received = sent((account + ACCOUNTS - 1) % ACCOUNTS);
            let change = [received, sent(account)].map(|units| u64::try_from(units).unwrap_or(0));
            let found = balance(testnet, node, u32::try_from(account).unwrap_or(0));
            assert_eq!(found, BALANCE + change[0] - change[1], "account {account} at node{node}");
        }
    }
}

/// How often each memo stands in the chain of a validator, whose blocks follow one another to its
/// newest.
fn memos(testnet: &Testnet, node: usize, height: u64) -> BTreeMap<String, u64> {
    let client = testnet.client(node);
    let mut memos = BTreeMap::new();
    let mut parent = None;
    for height in 1..=height {
        let name = BlockName::Height(Height::new(height));
        let proved = client.proved_block(name).expect("the validator answers");
        let block = proved.unwrap_or_else(|| panic!("node{node} lacks block {height}")).block;
        assert!(parent.is_none_or(|parent| parent == block.header.parent), "height {height}");
        parent = Some(block.id());
        for signed in block.body.transactions() {
            let Action::Transfer(transfer) = &signed.transaction.action;
            *memos.entry(transfer.memo.text().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(parent, Some(testnet.status(node).block), "node{node}");
    memos
}

fn memo(number: usize) -> String {
    format!("transfer {number}")
}

fn transfer(chain: ChainId, number: usize) -> SignedTransaction {
    let mut keys = KEYS.iter().cycle().skip(number % ACCOUNTS);
    let mut next = || keys.next().expect("a circle has no end");
    let (sender, recipient) = (next(), next());
    let transaction = Transaction {
        chain,
        sender: Address::Key(sender.public_key()),
        nonce: Nonce::new(u64::try_from(number / ACCOUNTS).unwrap_or(u64::MAX)),
        valid_until: VALID_UNTIL,
        action: Action::Transfer(Transfer {
            recipient: Address::Key(recipient.public_key()),
            amount: Amount::new(1),
            memo: Memo::new(memo(number)),
        }),
    };
    SignedTransaction::sign(transaction, sender)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

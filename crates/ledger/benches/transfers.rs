//! How long a transfer takes in the ledger, step by step: `cargo bench -p ledger`.
//!
//! A primary and a backup hold the same accounts and admit the same transfers between random ones.
//! The primary proposes blocks of 1,000 and executes its own, the backup executes them, both
//! commit; once with each block committed at once, once with eight in flight. No signatures,
//! network or disk. What is measured is the time this thread has a processor, as Linux counts it,
//! so that neighbours disturb little.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what it is for, and they go to standard output"
)]

use std::collections::VecDeque;
use std::time::Duration;

use crypto::keys::{PublicKey, SecretKey, Signature};
use crypto::signed::{ChainId, Signed};
use ledger::{Ledger, Origin, PoolLimits};
use types::account::{Account, Snapshot};
use types::address::Address;
use types::amount::Amount;
use types::application::Application;
use types::block::{Block, BlockId, Header};
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::peer_id;
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;

const BLOCK_TRANSACTIONS: u64 = 1_000;
const BLOCKS: u64 = 100;
const BALANCE: u64 = 1_000_000;

fn main() {
    println!(
        "microseconds of processor per transfer, blocks of {BLOCK_TRANSACTIONS}, {BLOCKS} blocks"
    );
    println!(
        "{:>9} {:>6} {:>6} {:>7} {:>7} {:>7} {:>6} {:>18}",
        "accounts", "flight", "admit", "propose", "own", "execute", "commit", "execute+commit/s"
    );
    for accounts in [10_000, 100_000, 1_000_000] {
        for in_flight in [1, 8] {
            run(accounts, in_flight);
        }
    }
}

/// Time spent in each step.
#[derive(Default)]
struct Spent {
    admit: Duration,
    propose: Duration,
    own: Duration,
    execute: Duration,
    commit: Duration,
}

fn run(accounts: u64, in_flight: usize) {
    let (genesis, snapshot) = network(accounts);
    let limits = PoolLimits::default();
    let restore = || {
        Ledger::restore(&genesis, snapshot.clone(), limits).expect("the snapshot holds the supply")
    };
    let (mut primary, mut backup) = (restore(), restore());
    let mut spent = Spent::default();
    let mut random = Random(accounts);
    let mut nonces = vec![0; snapshot.accounts.len()];
    let mut tip = primary.committed();
    let mut flight = VecDeque::new();
    for _ in 0..BLOCKS {
        let transfers: Vec<SignedTransaction> = (0..BLOCK_TRANSACTIONS)
            .map(|_| random.transfer(*genesis.chain(), &snapshot.accounts, &mut nonces))
            .collect();
        for transfer in &transfers {
            let admitted = primary.admit(Signed::vouched(transfer.clone()), Origin::Client);
            assert!(admitted.is_ok());
        }
        timed(&mut spent.admit, || {
            for transfer in transfers {
                let admitted = backup.admit(Signed::vouched(transfer), Origin::Peer);
                assert!(admitted.is_ok());
            }
        });
        let block = timed(&mut spent.propose, || propose(&mut primary, &genesis, tip));
        tip = (block.header.height, block.id());
        timed(&mut spent.own, || primary.execute(&block)).expect("a proposal is valid");
        timed(&mut spent.execute, || backup.execute(&block)).expect("a proposal is valid");
        flight.push_back(block.id());
        if flight.len() >= in_flight
            && let Some(decided) = flight.pop_front()
        {
            primary.commit(&decided);
            timed(&mut spent.commit, || backup.commit(&decided));
        }
    }
    for decided in flight {
        primary.commit(&decided);
        timed(&mut spent.commit, || backup.commit(&decided));
    }
    assert_eq!(primary.state_root(), backup.state_root());
    report(accounts, in_flight, &spent);
}

fn report(accounts: u64, in_flight: usize, spent: &Spent) {
    let transfers = u32::try_from(BLOCK_TRANSACTIONS.saturating_mul(BLOCKS)).unwrap_or(u32::MAX);
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / f64::from(transfers);
    let settled = spent.execute.saturating_add(spent.commit).as_secs_f64();
    println!(
        "{accounts:>9} {in_flight:>6} {:>6.2} {:>7.2} {:>7.2} {:>7.2} {:>6.2} {:>18.0}",
        each(spent.admit),
        each(spent.propose),
        each(spent.own),
        each(spent.execute),
        each(spent.commit),
        f64::from(transfers) / settled,
    );
}

fn timed<R>(spent: &mut Duration, work: impl FnOnce() -> R) -> R {
    let start = on_processor();
    let result = work();
    *spent = spent.saturating_add(on_processor().saturating_sub(start));
    result
}

/// How long this thread has had a processor: the first number of its `schedstat`, in nanoseconds.
fn on_processor() -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map(Duration::from_nanos)
        .expect("this benchmark needs Linux, which counts the time of threads")
}

fn propose(primary: &mut Ledger, genesis: &Genesis, parent: (Height, BlockId)) -> Block {
    let height = parent.0.next();
    let proposal =
        primary.propose(&parent.1, height, &[]).expect("there is always something to propose");
    Block {
        header: Header {
            chain: *genesis.chain(),
            height,
            parent: parent.1,
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: height.get(),
            body_root: proposal.body.root(),
            transactions: u32::try_from(proposal.body.len()).unwrap_or(u32::MAX),
            state_root: proposal.state_root,
        },
        body: proposal.body,
    }
}

/// A network whose supply lies in so many accounts at addresses that follow no order.
fn network(accounts: u64) -> (Genesis, Snapshot) {
    let key = |seed: u8| SecretKey::from_seed([seed; 32]).public_key();
    let mut builder = GenesisBuilder::local("bench");
    builder.validators =
        vec![Validator { name: "only".to_owned(), key: key(1), peer_id: peer_id::of_key(&key(2)) }];
    let supply = Amount::new(accounts.saturating_mul(BALANCE));
    builder.accounts = vec![(Address::Key(key(3)), supply)];
    let genesis = builder.build().expect("the genesis is sound");
    let mut random = Random(1);
    let mut snapshot = Ledger::new(&genesis, PoolLimits::default()).snapshot();
    snapshot.accounts = (0..accounts)
        .map(|_| Account {
            address: random.address(),
            balance: Amount::new(BALANCE),
            nonce: Nonce::FIRST,
        })
        .collect();
    (genesis, snapshot)
}

/// The generator known as SplitMix64: repeatable, and good enough for a load.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn address(&mut self) -> Address {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        Address::Key(PublicKey::from_bytes(bytes))
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(bound).unwrap_or(0)).unwrap_or(0)
    }

    fn transfer(
        &mut self,
        chain: ChainId,
        accounts: &[Account],
        nonces: &mut [u64],
    ) -> SignedTransaction {
        let from = self.below(accounts.len());
        let to = self.below(accounts.len());
        let nonce = nonces.get_mut(from).expect("every account has a nonce");
        let signed = SignedTransaction {
            transaction: Transaction {
                chain,
                sender: accounts.get(from).expect("below the length").address,
                nonce: Nonce::new(*nonce),
                valid_until: Height::new(u64::MAX),
                action: Action::Transfer(Transfer {
                    recipient: accounts.get(to).expect("below the length").address,
                    amount: Amount::new(1),
                    memo: Memo::empty(),
                }),
            },
            signature: Signature::from_bytes([0; 64]),
        };
        *nonce = nonce.saturating_add(1);
        signed
    }
}

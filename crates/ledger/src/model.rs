//! The ledger against a reference that is too simple to be wrong: maps of balances, copied for
//! every block.
//!
//! Random sequences of admissions, proposals, blocks of others, commits and forgotten branches run
//! through the ledger, through a twin that sees only the blocks, and through the model. Whenever
//! the three differ, or a claim of [`World::check`] fails, the test prints the sequence and how to
//! repeat it.

use std::collections::{BTreeMap, BTreeSet};

use crypto::digest::Digest;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use types::account::{Account, Snapshot};
use types::address::Address;
use types::amount::Amount;
use types::application::{Application, BlockRefusal};
use types::block::{Block, BlockId};
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{Action, SignedTransaction, TransactionId};

use crate::fixture::{Fixture, address, until};
use crate::{Admission, Origin};

const RICH: u16 = 5;
const PEOPLE: u16 = 9;

/// A state: who has what and how often they have sent, in order of creation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    order: Vec<Address>,
    accounts: BTreeMap<Address, (u64, u64)>,
}

impl Model {
    fn apply(&mut self, signed: &SignedTransaction, height: Height) -> bool {
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let amount = transfer.amount.get();
        let Some((balance, nonce)) = self.accounts.get_mut(&transaction.sender) else {
            return false;
        };
        if height > transaction.valid_until
            || *nonce != transaction.nonce.get()
            || *balance < amount
        {
            return false;
        }
        *nonce += 1;
        *balance -= amount;
        if !self.accounts.contains_key(&transfer.recipient) {
            self.order.push(transfer.recipient);
        }
        self.accounts.entry(transfer.recipient).or_default().0 += amount;
        true
    }

    fn accounts(&self) -> Vec<Account> {
        self.order
            .iter()
            .map(|address| Account {
                address: *address,
                balance: Amount::new(self.accounts[address].0),
                nonce: Nonce::new(self.accounts[address].1),
            })
            .collect()
    }

    fn root(&self) -> Digest {
        Snapshot {
            height: Height::GENESIS,
            block: BlockId::NONE,
            accounts: self.accounts(),
            convicted: BTreeSet::new(),
        }
        .state_root()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Admit { from: u16, ahead: u64, to: u16, amount: u64, heights: Option<u64>, peer: bool },
    Propose { on: usize },
    Foreign { on: usize, transfers: Vec<(u16, u16, u64)>, known: usize, view: u64 },
    Commit { which: usize },
    Forget { which: usize },
    Repeat { which: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let admit = (
        0..PEOPLE,
        prop_oneof![4 => Just(0_u64), 1 => 1..4_u64],
        0..PEOPLE,
        1..60_u64,
        proptest::option::weighted(0.2, 0..5_u64),
        any::<bool>(),
    )
        .prop_map(|(from, ahead, to, amount, heights, peer)| Step::Admit {
            from,
            ahead,
            to,
            amount,
            heights,
            peer,
        });
    let foreign = (
        any::<usize>(),
        proptest::collection::vec((0..PEOPLE, 0..PEOPLE, 1..40_u64), 0..4),
        0..3_usize,
        0..2_u64,
    )
        .prop_map(|(on, transfers, known, view)| Step::Foreign { on, transfers, known, view });
    let step = prop_oneof![
        8 => admit,
        3 => any::<usize>().prop_map(|on| Step::Propose { on }),
        3 => foreign,
        3 => any::<usize>().prop_map(|which| Step::Commit { which }),
        1 => any::<usize>().prop_map(|which| Step::Forget { which }),
        1 => any::<usize>().prop_map(|which| Step::Repeat { which }),
    ];
    proptest::collection::vec(step, 1..120)
}

struct Known {
    parent: BlockId,
    height: Height,
    state: Model,
    block: Option<Block>,
}

struct World {
    subject: Fixture,
    twin: Fixture,
    blocks: BTreeMap<BlockId, Known>,
    committed: BlockId,
    accepted: BTreeSet<TransactionId>,
    settled: BTreeSet<TransactionId>,
    dropped: BTreeMap<TransactionId, Rejection>,
    /// Which interesting things happened: a generator that never reaches them tests nothing.
    seen: BTreeSet<&'static str>,
}

impl World {
    fn new() -> Self {
        let subject = Fixture::new(&[100; 5]);
        let twin = subject.twin();
        let order: Vec<Address> = (0..RICH).map(address).collect();
        let accounts = order.iter().map(|address| (*address, (100, 0))).collect();
        let (height, committed) = subject.ledger.committed();
        let genesis =
            Known { parent: BlockId::NONE, height, state: Model { order, accounts }, block: None };
        Self {
            subject,
            twin,
            blocks: BTreeMap::from([(committed, genesis)]),
            committed,
            accepted: BTreeSet::new(),
            settled: BTreeSet::new(),
            dropped: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn see(&mut self, what: &'static str, happened: bool) {
        if happened {
            self.seen.insert(what);
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Admit { from, ahead, to, amount, heights, peer } => {
                self.admit(from, ahead, to, amount, heights, peer)
            }
            Step::Propose { on } => self.propose(on),
            Step::Foreign { on, transfers, known, view } => {
                self.foreign(on, &transfers, known, view)
            }
            Step::Commit { which } => self.commit(which),
            Step::Forget { which } => self.forget(which),
            Step::Repeat { which } => self.repeat(which),
        }
        self.check();
    }

    fn admit(
        &mut self,
        from: u16,
        ahead: u64,
        to: u16,
        amount: u64,
        heights: Option<u64>,
        peer: bool,
    ) {
        let next = self.subject.ledger.next_nonce(&address(from));
        let mut transaction = self.subject.transfer(from, next.get() + ahead, to, amount);
        if let Some(heights) = heights {
            let height = self.subject.ledger.committed().0.get();
            transaction = until(transaction, height + heights);
        }
        let origin = if peer { Origin::Peer } else { Origin::Client };
        let before = self.subject.ledger.pool();
        match self.subject.admit_from(&transaction, origin) {
            Ok(admission) => {
                self.accepted.insert(transaction.id());
                self.see("parked", admission == Admission::Parked);
                self.see("pending twice", admission == Admission::AlreadyPending);
                self.see("behind a gap", admission == Admission::Pending && ahead > 0);
            }
            Err(rejection) => {
                assert_eq!(self.subject.ledger.pool(), before);
                self.seen.insert(rejection.code());
            }
        }
    }

    /// A block that the model says is valid or not, given to the ledger and to its twin.
    fn offer(&mut self, block: Block) {
        let parent = &self.blocks[&block.header.parent];
        let height = parent.height.next();
        let mut state = parent.state.clone();
        let valid =
            block.body.transactions().iter().all(|transaction| state.apply(transaction, height))
                && !block.body.is_empty();
        let result = self.subject.execute(&block);
        assert_eq!(result.is_ok(), valid, "{result:?}");
        assert_eq!(self.twin.execute(&block), result);
        self.see("a block is refused", !valid);
        if valid {
            let created = state.order.len() > self.blocks[&block.header.parent].state.order.len();
            self.see("an account is created", created);
            let committed = self.subject.ledger.committed().0;
            self.see("four in flight", height.above(committed) > 3);
            assert_eq!(block.header.state_root, state.root());
            self.blocks.insert(
                block.id(),
                Known { parent: block.header.parent, height, state, block: Some(block) },
            );
        } else {
            assert!(matches!(result, Err(BlockRefusal::Transaction { .. } | BlockRefusal::Empty)));
        }
    }

    fn propose(&mut self, on: usize) {
        let parent = *pick(self.blocks.keys(), on).unwrap();
        if let Some(block) = self.subject.propose_on(parent) {
            let before = self.blocks.len();
            let again = self.blocks.contains_key(&block.id());
            self.offer(block);
            assert!(again || self.blocks.len() > before, "a proposal is refused");
        }
    }

    fn foreign(&mut self, on: usize, transfers: &[(u16, u16, u64)], known: usize, view: u64) {
        let parent = *pick(self.blocks.keys(), on).unwrap();
        let mut state = self.blocks[&parent].state.clone();
        let height = self.blocks[&parent].height.next();
        let mut transactions = Vec::new();
        let waiting = self.subject.ledger.pending_since(self.subject.ledger.ticket(), known);
        for transaction in waiting {
            if state.apply(transaction, height) {
                transactions.push(transaction.clone());
            }
        }
        for (from, to, amount) in transfers {
            let nonce = state.accounts.get(&address(*from)).map_or(0, |account| account.1);
            let transaction = self.twin.transfer(*from, nonce, *to, *amount);
            state.apply(&transaction, height);
            transactions.push(transaction);
        }
        let block = self.twin.block_on(parent, transactions, view);
        self.offer(block);
    }

    fn commit(&mut self, which: usize) {
        let children = self
            .blocks
            .iter()
            .filter(|(_, known)| known.parent == self.committed)
            .map(|(id, _)| id);
        let Some(id) = pick(children, which).copied() else {
            return;
        };
        let block = self.blocks[&id].block.clone().unwrap();
        let before = self.subject.ledger.pool.everything();
        let parked = self.subject.ledger.pool().parked;
        self.subject.commit(&block);
        let after = self.subject.ledger.pool.everything();
        self.see("a stranger returns", !after.is_subset(&before));
        let now_parked = self.subject.ledger.pool().parked;
        self.see("an overdrawn one is parked", now_parked > parked);
        self.see("a parked one leaves", now_parked < parked);
        self.twin.commit(&block);
        self.committed = id;
        for transaction in block.body.transactions() {
            self.settled.insert(transaction.id());
        }
        let kept: BTreeSet<BlockId> =
            self.blocks.keys().filter(|block| self.descends(**block, id)).copied().collect();
        let rivals = self.blocks.len() - kept.len();
        self.see("a branch loses", rivals > 1);
        self.blocks.retain(|id, _| kept.contains(id));
    }

    fn forget(&mut self, which: usize) {
        let Some(id) = pick(self.blocks.keys(), which).copied() else {
            return;
        };
        let Some(block) = self.blocks[&id].block.clone() else {
            return;
        };
        self.subject.forget(&block);
        self.twin.forget(&block);
        if id == self.committed {
            return;
        }
        let lost: BTreeSet<BlockId> =
            self.blocks.keys().filter(|block| self.descends(**block, id)).copied().collect();
        self.blocks.retain(|id, _| !lost.contains(id));
    }

    fn repeat(&mut self, which: usize) {
        let block = pick(self.blocks.values(), which).and_then(|known| known.block.clone());
        if let Some(block) = block {
            let before = (self.subject.ledger.pool(), self.subject.pending());
            self.subject.execute(&block).unwrap();
            assert_eq!((self.subject.ledger.pool(), self.subject.pending()), before);
        }
    }

    fn descends(&self, mut block: BlockId, ancestor: BlockId) -> bool {
        while block != ancestor {
            match self.blocks.get(&block) {
                Some(known) => block = known.parent,
                None => return false,
            }
        }
        true
    }

    fn check(&mut self) {
        let state = &self.blocks[&self.committed].state;
        for fixture in [&self.subject, &self.twin] {
            let ledger = &fixture.ledger;
            assert_eq!(ledger.committed().1, self.committed);
            assert_eq!(ledger.snapshot().accounts, state.accounts());
            assert_eq!(ledger.state_root(), state.root());
            assert_eq!(ledger.state.supply(), Some(ledger.supply()));
        }
        self.check_nothing_is_lost();
        if self.blocks.len() == 1 {
            self.check_all_that_is_pending_can_be_proposed();
        }
    }

    /// What was accepted waits, is committed, or was reported; and what was reported as refused for
    /// good is never committed.
    fn check_nothing_is_lost(&mut self) {
        self.dropped.extend(self.subject.ledger.take_dropped());
        let waiting = self.subject.ledger.pool.everything();
        for id in &self.accepted {
            assert!(
                waiting.contains(id) || self.settled.contains(id) || self.dropped.contains_key(id),
                "{id} is lost"
            );
        }
        assert!(waiting.is_disjoint(&self.settled), "a settled one waits");
        for (id, rejection) in &self.dropped {
            let expired = matches!(rejection, Rejection::Expired { .. });
            let rival = matches!(rejection, Rejection::NonceTooLow { .. });
            self.seen.insert(match (expired, rival) {
                (true, _) => "an expired one is reported",
                (_, true) => "a rival is reported",
                (false, false) => "something else is reported",
            });
            let passing = matches!(rejection, Rejection::ConflictingNonce { .. });
            assert!(passing || !self.settled.contains(id), "{id}: {rejection}");
        }
    }

    fn check_all_that_is_pending_can_be_proposed(&mut self) {
        let pending = self.subject.ledger.pending();
        let proposed = self.subject.propose_on(self.committed);
        let (transactions, bytes) = proposed
            .map_or((0, types::block::Body::EMPTY_BYTES), |block| {
                (block.body.len(), block.body.encoded_bytes())
            });
        assert_eq!(u64::try_from(transactions), Ok(pending.transactions));
        assert_eq!(
            u64::try_from(bytes),
            Ok(pending.bytes + u64::try_from(types::block::Body::EMPTY_BYTES).unwrap())
        );
    }
}

fn pick<T>(mut items: impl Iterator<Item = T> + Clone, which: usize) -> Option<T> {
    let count = items.clone().count();
    items.nth(which.checked_rem(count)?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_ledger_its_twin_and_the_model_agree_whatever_happens(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        let restored = world.subject.twin();
        assert_eq!(restored.ledger.state_root(), world.subject.ledger.state_root());
        assert_eq!(restored.ledger.committed(), world.subject.ledger.committed());
    }
}

#[test]
fn random_sequences_reach_what_they_are_for() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            world.run(step);
        }
        seen.extend(world.seen);
    }
    let wanted = BTreeSet::from([
        "a block is refused",
        "a branch loses",
        "a parked one leaves",
        "a rival is reported",
        "a stranger returns",
        "an account is created",
        "an expired one is reported",
        "an overdrawn one is parked",
        "behind a gap",
        "conflicting-nonce",
        "expired",
        "four in flight",
        "overdraft",
        "parked",
        "pending twice",
        "unknown-sender",
    ]);
    assert!(seen.is_superset(&wanted), "{seen:?}");
}

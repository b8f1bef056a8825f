use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use tempfile::{TempDir, tempdir};
use types::{
    Action, Address, Amount, Height, Memo, Nonce, SignedTransaction, Transaction, TransactionId,
    Transfer,
};

use super::Engine;
use crate::pay::chain::{CertifiedBlock, Chain, Refusal, Word};
use crate::pay::journal::{Journal, Plan, RowState};
use crate::pay::outcome::RowOutcome;

const PATIENCE: Duration = Duration::from_secs(30);

fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

fn signed(nonce: u64, amount: u64) -> SignedTransaction {
    let transfer = Transfer {
        recipient: Address::Key(SecretKey::from_seed([2; 32]).public_key()),
        amount: Amount::new(amount),
        memo: Memo::empty(),
    };
    let transaction = Transaction {
        chain: ChainId::new(Digest::from_bytes([3; 32])),
        sender: Address::Key(key().public_key()),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(1_000),
        action: Action::Transfer(transfer),
    };
    SignedTransaction::sign(transaction, &key())
}

/// Rows with the nonces from `first` on.
fn journal(rows: u64, first: u64) -> (TempDir, Journal) {
    let directory = tempdir().unwrap();
    let states = (0..rows)
        .map(|row| RowState { signed: vec![signed(first + row, row + 1)], committed: None })
        .collect();
    let plan = Plan::new("csv", "chain", "sender", usize::try_from(rows).unwrap());
    let journal = Journal::create(&directory.path().join("pay"), plan, states).unwrap();
    (directory, journal)
}

/// A ledger of one sender on virtual time: a moment is 10 ms, and each commits what is pending.
#[derive(Default)]
struct FakeChain {
    now: Duration,
    pending: BTreeMap<u64, SignedTransaction>,
    blocks: Vec<Vec<SignedTransaction>>,
    submitted: Vec<TransactionId>,
    /// Most transactions that were pending at once.
    crowd: usize,
    /// Submissions that get lost, by their number.
    lost: BTreeSet<usize>,
    submissions: usize,
    /// Refused for good from this nonce on.
    refused_from: Option<u64>,
    /// Committed before anything is submitted.
    said: Vec<Word>,
    /// Nobody answers until then.
    silent_until: Duration,
    rotations: usize,
}

impl FakeChain {
    fn next_nonce(&self) -> u64 {
        u64::try_from(self.committed().count()).unwrap()
    }

    fn committed(&self) -> impl Iterator<Item = &SignedTransaction> {
        self.blocks.iter().flatten()
    }

    fn commit(&mut self, transactions: Vec<SignedTransaction>) {
        self.blocks.push(transactions);
    }
}

impl Chain for FakeChain {
    fn validators(&self) -> (usize, usize) {
        (4, 2)
    }

    fn submit(&mut self, batch: Vec<SignedTransaction>, everybody: bool) {
        let number = self.submissions;
        self.submissions += 1;
        if self.lost.contains(&number) {
            return;
        }
        for signed in batch {
            let (nonce, id) = (signed.transaction.nonce.get(), signed.id());
            self.submitted.push(id);
            let refused = self.refused_from.is_some_and(|from| nonce >= from);
            let refusal = refused.then(|| Refusal {
                code: "overdraft".to_owned(),
                detail: "the balance is too small".to_owned(),
                lasting: true,
            });
            let speakers = if everybody { 4 } else { 2 };
            for validator in 0..speakers {
                let validator = format!("node{validator}");
                self.said.push(Word { validator, id, refusal: refusal.clone() });
            }
            if !refused {
                self.pending.insert(nonce, signed);
            }
        }
        self.crowd = self.crowd.max(self.pending.len());
    }

    fn words(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.said)
    }

    fn nonce(&mut self) -> Option<(Height, Nonce)> {
        let height = Height::new(u64::try_from(self.blocks.len()).unwrap());
        (self.now >= self.silent_until).then(|| (height, Nonce::new(self.next_nonce())))
    }

    fn find(&mut self, ids: &[TransactionId]) -> Option<CertifiedBlock> {
        let holds = |block: &Vec<SignedTransaction>| block.iter().any(|s| ids.contains(&s.id()));
        let index = self.blocks.iter().position(holds)?;
        Some(CertifiedBlock {
            height: Height::new(u64::try_from(index).unwrap() + 1),
            ids: self.blocks[index].iter().map(SignedTransaction::id).collect(),
        })
    }

    fn holder(&mut self, nonce: Nonce) -> Option<TransactionId> {
        self.committed().find(|s| s.transaction.nonce == nonce).map(SignedTransaction::id)
    }

    fn rotate(&mut self) {
        self.rotations += 1;
    }

    fn pause(&mut self) {
        self.now += Duration::from_millis(10);
        let mut body = Vec::new();
        let mut next = self.next_nonce();
        while let Some(signed) = self.pending.remove(&next) {
            body.push(signed);
            next += 1;
        }
        if !body.is_empty() {
            self.commit(body);
        }
    }

    fn elapsed(&self) -> Duration {
        self.now
    }
}

fn is_final(outcome: &RowOutcome) -> bool {
    matches!(outcome, RowOutcome::Final { .. })
}

#[test]
fn every_row_becomes_final_exactly_once_and_the_window_is_kept() {
    let (_directory, journal) = journal(2_000, 0);
    let mut chain = FakeChain::default();
    let mut told = Vec::new();

    let engine = Engine::new(&mut chain, journal, 64, PATIENCE);
    let (journal, settled) = engine.run(|done| told.push(done)).unwrap();

    assert!(settled.outcomes.iter().all(is_final));
    assert_eq!(chain.committed().count(), 2_000);
    assert!(chain.crowd <= 64, "{} were on their way at once", chain.crowd);
    assert_eq!((told.first(), told.last()), (Some(&0), Some(&2_000)));
    assert!(told.is_sorted());
    assert!(journal.rows().iter().all(|row| row.committed.is_some()));
}

#[test]
fn what_was_lost_on_the_way_is_submitted_again_as_the_same_bytes() {
    let (_directory, journal) = journal(100, 0);
    let mut chain = FakeChain { lost: BTreeSet::from([0, 1, 2]), ..FakeChain::default() };

    let (_, settled) = Engine::new(&mut chain, journal, 32, PATIENCE).run(|_| ()).unwrap();

    assert!(settled.outcomes.iter().all(is_final));
    assert!(chain.rotations > 0, "another validator is asked while nothing happens");
    let distinct: BTreeSet<_> = chain.submitted.iter().collect();
    assert_eq!(distinct.len(), 100, "nothing but the signed bytes was submitted");
}

#[test]
fn a_run_takes_up_what_an_earlier_one_left() {
    let (_directory, journal) = journal(10, 0);
    let mut chain = FakeChain::default();
    // The first four were committed before the earlier run could note it.
    chain.commit((0..3).map(|row| signed(row, row + 1)).collect());
    chain.commit(vec![signed(3, 4)]);

    let engine = Engine::new(&mut chain, journal, 4, PATIENCE);
    let (journal, settled) = engine.settle_only().unwrap();
    let left = settled.outcomes.iter().filter(|outcome| !is_final(outcome)).count();
    assert_eq!((left, settled.nonce), (6, Nonce::new(4)));
    assert!(chain.submitted.is_empty());
    let (_, settled) = Engine::new(&mut chain, journal, 4, PATIENCE).run(|_| ()).unwrap();

    assert!(settled.outcomes.iter().all(is_final));
    assert_eq!(chain.submitted.len(), 6, "what is final is not submitted again");
    let RowOutcome::Final { height, .. } = settled.outcomes[3] else { panic!("not final") };
    assert_eq!(height, Height::new(2));
}

#[test]
fn a_row_whose_nonce_another_transaction_used_is_displaced_and_the_others_go_on() {
    let (_directory, journal) = journal(5, 0);
    let rival = signed(2, 999);
    let mut chain = FakeChain::default();
    chain.commit(vec![signed(0, 1), signed(1, 2), rival.clone()]);

    let (_, settled) = Engine::new(&mut chain, journal, 8, PATIENCE).run(|_| ()).unwrap();

    assert_eq!(settled.outcomes[2], RowOutcome::Displaced { by: rival.id() });
    assert_eq!(settled.outcomes.iter().filter(|outcome| is_final(outcome)).count(), 4);
}

#[test]
fn a_row_that_is_refused_for_good_stops_the_run_and_says_why() {
    let (_directory, journal) = journal(10, 0);
    let mut chain = FakeChain { refused_from: Some(6), ..FakeChain::default() };

    let (_, settled) = Engine::new(&mut chain, journal, 4, PATIENCE).run(|_| ()).unwrap();

    assert!(settled.outcomes[..6].iter().all(is_final));
    let RowOutcome::Refused { code, .. } = &settled.outcomes[6] else { panic!("not refused") };
    assert_eq!(code, "overdraft");
    assert!(
        settled.outcomes[7..]
            .iter()
            .all(|outcome| { matches!(outcome, RowOutcome::Pending { .. } | RowOutcome::Unsent) })
    );
    assert!(chain.now < Duration::from_secs(5), "{:?} is long for a refusal", chain.now);
}

#[test]
fn a_network_that_does_nothing_ends_the_run_when_the_patience_is_over() {
    let (_directory, journal) = journal(10, 0);
    let mut chain = FakeChain { lost: (0..1_000_000).collect(), ..FakeChain::default() };
    let signed = journal.rows()[..4].iter().map(|row| row.signed[0].id());
    let pending: Vec<RowOutcome> = signed.map(|id| RowOutcome::Pending { id }).collect();

    let (_, settled) = Engine::new(&mut chain, journal, 4, PATIENCE).run(|_| ()).unwrap();

    assert_eq!(settled.outcomes[..4], pending);
    assert!(settled.outcomes[4..].iter().all(|outcome| *outcome == RowOutcome::Unsent));
    assert!(chain.now > PATIENCE && chain.now < PATIENCE * 2);
}

#[test]
fn a_silent_network_is_waited_for() {
    let (_directory, journal) = journal(3, 0);
    let silent_until = Duration::from_secs(10);
    let mut chain = FakeChain { silent_until, ..FakeChain::default() };

    let (_, settled) = Engine::new(&mut chain, journal, 4, PATIENCE).run(|_| ()).unwrap();

    assert!(settled.outcomes.iter().all(is_final));
    assert!(chain.now >= silent_until);
}

#[test]
fn the_older_of_two_signatures_for_one_nonce_may_be_the_one_that_committed() {
    let directory = tempdir().unwrap();
    let rows = vec![RowState { signed: vec![signed(0, 1), signed(0, 2)], committed: None }];
    let plan = Plan::new("csv", "chain", "sender", 1);
    let journal = Journal::create(&directory.path().join("pay"), plan, rows).unwrap();
    let mut chain = FakeChain::default();
    chain.commit(vec![signed(0, 1)]);

    let (_, settled) = Engine::new(&mut chain, journal, 4, PATIENCE).run(|_| ()).unwrap();

    let id = signed(0, 1).id();
    assert_eq!(settled.outcomes, [RowOutcome::Final { id, height: Height::new(1) }]);
    assert!(chain.submitted.iter().all(|submitted| *submitted != id));
}

//! Directories whose checksums are right and of whose content one thing is not: only the audit's own
//! checks can find it.

use crypto::digest::Digest;
use crypto::keys::Signature;
use crypto::signed::Signed;
use ledger::Origin;
use storage::{Directory, Journal, WhenDamaged};
use tempfile::TempDir;
use types::account::Snapshot;
use types::amount::Amount;
use types::block::Block;
use types::memo::Memo;
use types::number::Nonce;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use super::*;
use crate::fixture::Signers;
use crate::testnet::plan::Plan;

/// Who proves the blocks. The directory is that of the first.
const QUORUM: [u16; 3] = [0, 1, 2];

/// What a validator stored after three blocks.
struct Stored {
    signers: Signers,
    /// Its journal, one append for each block.
    journal: Vec<Vec<Record>>,
    blocks: Vec<ProvedBlock>,
    snapshots: Vec<Snapshot>,
}

impl Stored {
    /// Three blocks with a transfer each, executed, voted for and proved, and a snapshot of the second.
    fn sound() -> Self {
        let signers = Signers::new(4);
        let mut ledger = Ledger::new(&signers.genesis, PoolLimits::default());
        let mut parent = signers.genesis.header().clone();
        let mut stored =
            Self { signers, journal: Vec::new(), blocks: Vec::new(), snapshots: Vec::new() };
        for nonce in 0..3 {
            let block = stored.next_block(&mut ledger, &parent, nonce);
            parent = block.header.clone();
            stored.vote_for(&block);
            stored.blocks.push(stored.signers.proved(0, &block, &QUORUM));
            if nonce == 1 {
                stored.snapshots.push(ledger.snapshot());
            }
        }
        stored
    }

    fn next_block(&self, ledger: &mut Ledger, parent: &Header, nonce: u64) -> Block {
        let transfer = transfer(&self.signers.genesis, nonce);
        ledger.admit(Signed::vouched(transfer), Origin::Client).unwrap();
        let height = parent.height.next();
        let proposal = ledger.propose(&parent.id(), height, &[]).unwrap();
        let header = Header {
            height,
            parent: parent.id(),
            timestamp_ms: parent.timestamp_ms + 1,
            body_root: proposal.body.root(),
            transactions: u32::try_from(proposal.body.len()).unwrap(),
            state_root: proposal.state_root,
            ..parent.clone()
        };
        let block = Block { header, body: proposal.body };
        ledger.execute(&block).unwrap();
        ledger.commit(&block.id());
        block
    }

    fn vote_for(&mut self, block: &Block) {
        let vote = |phase| self.signers.vote(phase, 0, block, 0);
        let certificate = self.signers.certificate(Phase::Prepare, 0, block, &QUORUM);
        self.journal.push(vec![
            Record::Vote { vote: vote(Phase::Prepare), block: Some(block.clone()) },
            Record::Certificate { certificate },
            Record::Vote { vote: vote(Phase::Commit), block: None },
        ]);
    }

    /// Changes the header of the last block, which is proved anew: whatever is false of it, a quorum
    /// signed it.
    fn change_last(&mut self, change: impl FnOnce(&mut Header)) {
        let mut block = self.blocks.pop().unwrap().block;
        change(&mut block.header);
        self.journal.pop();
        self.vote_for(&block);
        self.blocks.push(self.signers.proved(0, &block, &QUORUM));
    }

    /// Writes it as a validator does.
    fn written(&self) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let (genesis, key) = (&self.signers.genesis, self.signers.key(0).public_key());
        let directory = Directory::open(root.path(), *genesis.chain(), key).unwrap();
        let (mut journal, _) = Journal::open(&directory).unwrap();
        for records in &self.journal {
            journal.append(records).unwrap();
        }
        let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap();
        store.append(&self.blocks).unwrap();
        for snapshot in &self.snapshots {
            store.save_snapshot(snapshot).unwrap();
        }
        root
    }

    fn audit(&self) -> Result<AuditReport, String> {
        let root = self.written();
        audit(root.path(), &self.signers.genesis).map_err(|failure| failure.text)
    }

    /// What the audit says is wrong.
    fn wrong(&self) -> String {
        self.audit().unwrap_err()
    }
}

fn transfer(genesis: &Genesis, nonce: u64) -> SignedTransaction {
    let plan = Plan::new(4, 0).unwrap();
    let (alice, bob) = (&plan.accounts[0], &plan.accounts[1]);
    let transaction = Transaction {
        chain: *genesis.chain(),
        sender: alice.address(),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(100),
        action: Action::Transfer(Transfer {
            recipient: bob.address(),
            amount: Amount::new(5),
            memo: Memo::default(),
        }),
    };
    SignedTransaction::sign(transaction, &alice.key)
}

fn audit(directory: &Path, genesis: &Genesis) -> Result<AuditReport, Failure> {
    let never = Interrupt::never();
    let archive =
        stopped::archive(directory, genesis, &never)?.map_err(|cause| wrong(directory, &cause))?;
    Audit::new(directory, genesis, &archive, &never).run()
}

#[test]
fn what_a_validator_stored_holds() {
    let stored = Stored::sound();

    let report = stored.audit().unwrap();

    assert_eq!((report.height, report.transactions), (3, 3));
    assert_eq!(report.snapshots, [2]);
    assert_eq!(report.journal_records, 9);
    assert_eq!(report.block, stored.blocks[2].block.id().to_string());
    assert_eq!(report.supply, "4000000.00 LGT");
}

#[test]
fn a_certificate_with_a_false_signature_proves_nothing() {
    let mut stored = Stored::sound();
    stored.blocks[1].proof.certificate.signatures[2].1 = Signature::from_bytes([7; 64]);

    let wrong = stored.wrong();

    assert!(wrong.contains("height 2: the block is not proved"), "{wrong}");
}

#[test]
fn a_certificate_of_too_few_proves_nothing() {
    let mut stored = Stored::sound();
    stored.blocks[1].proof.certificate.signatures.pop();

    let wrong = stored.wrong();

    assert!(wrong.contains("height 2: the block is not proved"), "{wrong}");
}

#[test]
fn a_certificate_of_another_block_proves_nothing() {
    let mut stored = Stored::sound();
    stored.blocks[1].proof = stored.blocks[0].proof.clone();

    let wrong = stored.wrong();

    assert!(wrong.contains("height 2: the block is not proved"), "{wrong}");
}

#[test]
fn a_state_root_that_execution_does_not_give_is_wrong_whoever_signed_it() {
    let mut stored = Stored::sound();
    stored.change_last(|header| header.state_root = Digest::ZERO);

    let wrong = stored.wrong();

    assert!(wrong.contains("height 3: execution fails"), "{wrong}");
}

#[test]
fn a_body_that_is_not_the_headers_is_wrong_whoever_signed_it() {
    let mut stored = Stored::sound();
    stored.change_last(|header| header.body_root = Digest::ZERO);

    let wrong = stored.wrong();

    assert!(wrong.contains("height 3: the block is not proved: "), "{wrong}");
    assert!(wrong.contains("the body is not the one of the header"), "{wrong}");
}

#[test]
fn a_header_of_another_network_is_not_proved() {
    let mut stored = Stored::sound();
    let other = *Plan::new(5, 0).unwrap().genesis.chain();
    stored.change_last(|header| header.chain = other);

    let wrong = stored.wrong();

    assert!(wrong.contains("the header at height 3 is of another network"), "{wrong}");
}

/// A store takes only the child of its newest block, so the block is compared with another parent.
#[test]
fn a_block_that_is_not_the_child_of_the_one_before_is_found() {
    let stored = Stored::sound();
    let root = stored.written();
    let genesis = &stored.signers.genesis;
    let never = Interrupt::never();
    let archive = Archive::open(root.path(), genesis, &std::env::temp_dir()).unwrap();
    let audit = Audit::new(root.path(), genesis, &archive, &never);
    let mut ledger = Ledger::new(genesis, PoolLimits::default());
    let mut other = genesis.header().clone();
    other.timestamp_ms += 1;

    let wrong = audit.follow(&mut ledger, &other).unwrap_err().text;

    let said = format!("height 1: the block does not follow block {}", other.id());
    assert!(wrong.contains(&said), "{wrong}");
}

#[test]
fn a_snapshot_that_is_not_what_execution_gives_is_found() {
    let mut stored = Stored::sound();
    let [alice, bob, ..] = &mut *stored.snapshots[0].accounts else {
        panic!("a testnet has accounts");
    };
    std::mem::swap(&mut alice.balance, &mut bob.balance);

    let wrong = stored.wrong();

    assert!(wrong.contains("the snapshot at height 2 is not what execution gives"), "{wrong}");
}

#[test]
fn a_vote_of_another_key_in_the_journal_is_none_of_its_own() {
    let mut stored = Stored::sound();
    let vote = stored.signers.vote(Phase::Commit, 0, &stored.blocks[2].block, 1);
    stored.journal.push(vec![Record::Vote { vote, block: None }]);

    let wrong = stored.wrong();

    let said = "the journal holds a commit vote at height 3 in view 0, which it did not sign";
    assert!(wrong.contains(said), "{wrong}");
}

#[test]
fn a_vote_in_the_journal_with_a_false_signature_is_none_of_its_own() {
    let mut stored = Stored::sound();
    let mut vote = stored.signers.vote(Phase::Prepare, 0, &stored.blocks[2].block, 0);
    vote.signature = Signature::from_bytes([7; 64]);
    stored.journal.push(vec![Record::Vote { vote, block: None }]);

    let wrong = stored.wrong();

    assert!(wrong.contains("a prepare vote at height 3 in view 0, which it did not"), "{wrong}");
}

#[test]
fn two_votes_of_the_journal_for_one_place_contradict_each_other() {
    let mut stored = Stored::sound();
    let other = stored.signers.branch(3, 9, 1).pop().unwrap();
    let vote = stored.signers.vote(Phase::Commit, 0, &other, 0);
    stored.journal.push(vec![Record::Vote { vote, block: None }]);

    let wrong = stored.wrong();

    let (one, other) = (stored.blocks[2].block.id(), other.id());
    let said = format!("a commit vote at height 3 in view 0 for block {one} and for block {other}");
    assert!(wrong.contains(&said), "{wrong}");
}

/// The journal says one thing, and the proof of a block that the same key signed another.
#[test]
fn a_vote_of_the_journal_against_the_chain_is_found() {
    let mut stored = Stored::sound();
    let other = stored.signers.branch(3, 9, 1).pop().unwrap();
    let vote = stored.signers.vote(Phase::Commit, 0, &other, 0);
    stored.journal[2] = vec![Record::Vote { vote, block: None }];

    let wrong = stored.wrong();

    let (one, other) = (other.id(), stored.blocks[2].block.id());
    let said = format!("for block {one}, and the key signed one for block {other}");
    assert!(wrong.contains(&said), "{wrong}");
}

#[test]
fn a_view_change_that_nobody_signed_is_found() {
    let mut stored = Stored::sound();
    let mut view_change = stored.signers.view_change(1, None, 0);
    view_change.signature = Signature::from_bytes([7; 64]);
    stored.journal.push(vec![Record::ViewChange { view_change }]);

    let wrong = stored.wrong();

    assert!(wrong.contains("holds a word about view 1 that was not signed"), "{wrong}");
}

#[test]
fn two_new_views_for_one_view_are_found() {
    let mut stored = Stored::sound();
    for replicas in [[0, 1, 2], [1, 2, 3]] {
        let asked = replicas.map(|replica| stored.signers.view_change(1, None, replica));
        let new_view = stored.signers.new_view(1, asked.to_vec());
        stored.journal.push(vec![Record::NewView { new_view }]);
    }

    let wrong = stored.wrong();

    assert!(wrong.contains("holds two different words about view 1"), "{wrong}");
}

/// As an older copy of the journal would be, or one whose content was wiped in place.
#[test]
fn a_journal_without_votes_that_the_proofs_of_its_blocks_show_has_lost_them() {
    for kept in 0..3 {
        let mut stored = Stored::sound();
        stored.journal.truncate(kept);

        let wrong = stored.wrong();

        let said = "lacks this validator's commit vote at height 3 in view 0";
        assert!(wrong.contains(said), "{kept} appends kept: {wrong}");
    }
}

#[test]
fn who_said_that_it_never_votes_again_need_not_know_its_votes() {
    let mut stored = Stored::sound();
    let reason = pbft::record::Retirement::JournalGone;
    stored.journal = vec![vec![Record::Retired { reason }]];

    assert_eq!(stored.audit().unwrap().journal_records, 1);
}

#[test]
fn a_directory_without_its_store_does_not_hold() {
    let stored = Stored::sound();
    let root = stored.written();
    std::fs::remove_dir_all(root.path().join("store")).unwrap();

    let failure = audit(root.path(), &stored.signers.genesis).unwrap_err();

    assert_eq!(failure.exit, Exit::Fault);
    assert!(failure.text.contains("it has no store; its journal has 9 records"), "{failure:?}");
}

#[test]
fn a_cut_journal_and_a_missing_one_do_not_hold() {
    let stored = Stored::sound();
    let root = stored.written();
    let journal = root.path().join("journal");
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(72).unwrap();

    let cut = audit(root.path(), &stored.signers.genesis).unwrap_err().text;
    std::fs::remove_file(&journal).unwrap();
    let missing = audit(root.path(), &stored.signers.genesis).unwrap_err().text;

    let name = journal.display().to_string();
    assert!(cut.contains(&name) && cut.contains("was cut: it ends at byte 72"), "{cut}");
    assert!(missing.contains(&name) && missing.contains("is missing"), "{missing}");
}

#[test]
fn who_is_told_to_end_ends_an_audit() {
    let stored = Stored::sound();
    let root = stored.written();
    let genesis = &stored.signers.genesis;
    let told = Interrupt::told();
    let archive = Archive::open(root.path(), genesis, &std::env::temp_dir()).unwrap();

    let audited = Audit::new(root.path(), genesis, &archive, &told).run().unwrap_err();
    let opened = stopped::archive(root.path(), genesis, &told).unwrap_err();

    assert_eq!((audited.exit, opened.exit), (Exit::Interrupted, Exit::Interrupted));
}

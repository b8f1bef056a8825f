//! A ledger of four validators that agree without talking: one state, blocks proved by a quorum.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crypto::derivation::Words;
use crypto::digest::{Digest, Domain};
use crypto::keys::SecretKey;
use crypto::merkle;
use types::{
    Account, AccountProof, Action, Address, Amount, Block, BlockReply, Body, Certificate,
    CommittedStatement, Genesis, GenesisBuilder, Header, Nonce, Phase, Proof, ProvedAccount,
    ProvedBlock, Receipt, Rejection, ReplicaId, SignedTransaction, Statement, TransactionId,
    Validator, View, Vote, peer_id, state_root,
};

pub(crate) const VALIDATORS: u16 = 4;
pub(crate) const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];
pub(crate) const JUNK: &str = "test test test test test test test test test test test junk";

/// How often pending transactions are committed.
const TICK: Duration = Duration::from_millis(4);

pub(crate) fn account_key(name: &str) -> SecretKey {
    let number = NAMES.iter().position(|known| *known == name).unwrap();
    Words::parse(JUNK).unwrap().account(u32::try_from(number).unwrap())
}

pub(crate) fn address(name: &str) -> Address {
    Address::Key(account_key(name).public_key())
}

fn validator_key(replica: ReplicaId) -> SecretKey {
    SecretKey::from_seed([100 + u8::try_from(replica.get()).unwrap(); 32])
}

pub(crate) fn replicas() -> impl Iterator<Item = ReplicaId> {
    (0..VALIDATORS).map(ReplicaId::new)
}

fn genesis() -> Genesis {
    let mut builder = GenesisBuilder::local("wallet-test");
    builder.validators = replicas()
        .map(|replica| Validator {
            name: format!("node{replica}"),
            key: validator_key(replica).public_key(),
            peer_id: peer_id::of_key(
                &SecretKey::from_seed([50 + u8::try_from(replica.get()).unwrap(); 32]).public_key(),
            ),
        })
        .collect();
    builder.accounts = NAMES.map(|name| (address(name), Amount::new(100_000_000))).to_vec();
    builder.build().unwrap()
}

/// What all validators agree on.
pub(crate) struct Ledger {
    pub(crate) genesis: Genesis,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) accounts: Vec<Account>,
    pub(crate) blocks: Vec<Arc<ProvedBlock>>,
    pub(crate) pool: BTreeMap<(Address, Nonce), SignedTransaction>,
    places: BTreeMap<TransactionId, (usize, u32)>,
    /// Whether anything is committed.
    pub(crate) commits: bool,
    /// Most transactions of one block.
    pub(crate) block_max: usize,
    /// How many transactions are committed before the ledger stands still.
    pub(crate) committed_max: usize,
}

impl Ledger {
    pub(crate) fn start() -> Arc<Self> {
        let genesis = genesis();
        let state = State {
            accounts: genesis.accounts().to_vec(),
            blocks: Vec::new(),
            pool: BTreeMap::new(),
            places: BTreeMap::new(),
            commits: true,
            block_max: 1_000,
            committed_max: usize::MAX,
        };
        let ledger = Arc::new(Self { genesis, state: Mutex::new(state) });
        let ticking = Arc::downgrade(&ledger);
        thread::spawn(move || {
            while let Some(ledger) = ticking.upgrade() {
                ledger.commit();
                drop(ledger);
                thread::sleep(TICK);
            }
        });
        ledger
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn height(&self) -> usize {
        self.state().blocks.len()
    }

    pub(crate) fn committed(&self) -> Vec<SignedTransaction> {
        let state = self.state();
        state.blocks.iter().flat_map(|b| b.block.body.transactions().to_vec()).collect()
    }

    /// Signs as its holder does.
    pub(crate) fn transfer(
        &self,
        from: &str,
        to: &str,
        nonce: u64,
        units: u64,
    ) -> SignedTransaction {
        let transaction = types::Transaction {
            chain: *self.genesis.chain(),
            sender: address(from),
            nonce: Nonce::new(nonce),
            valid_until: types::Height::new(1_000_000),
            action: Action::Transfer(types::Transfer {
                recipient: address(to),
                amount: Amount::new(units),
                memo: types::Memo::new(format!("{from} to {to}")),
            }),
        };
        SignedTransaction::sign(transaction, &account_key(from))
    }

    /// Takes a transaction in; `true` when it was there before.
    pub(crate) fn admit(&self, signed: &SignedTransaction) -> Result<bool, Rejection> {
        signed.check_form(self.genesis.chain())?;
        if !signed.claim().holds() {
            return Err(Rejection::BadSignature);
        }
        let mut state = self.state();
        if state.places.contains_key(&signed.id()) {
            return Ok(true);
        }
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let height = types::Height::new(u64::try_from(state.blocks.len()).unwrap() + 1);
        if transaction.valid_until < height {
            return Err(Rejection::Expired { valid_until: transaction.valid_until, height });
        }
        let account = state.accounts.iter().find(|a| a.address == transaction.sender);
        let account = *account.ok_or(Rejection::UnknownSender)?;
        if transaction.nonce < account.nonce {
            let (expected, found) = (account.nonce, transaction.nonce);
            return Err(Rejection::NonceTooLow { expected, found });
        }
        if account.balance < transfer.amount {
            let (balance, amount) = (account.balance, transfer.amount);
            return Err(Rejection::Overdraft { balance, amount });
        }
        let place = (transaction.sender, transaction.nonce);
        match state.pool.get(&place) {
            Some(pending) if pending.id() == signed.id() => Ok(true),
            Some(_) => Err(Rejection::ConflictingNonce { nonce: transaction.nonce }),
            None => {
                state.pool.insert(place, signed.clone());
                Ok(false)
            }
        }
    }

    /// Makes a block of what can be applied.
    fn commit(&self) {
        let mut state = self.state();
        if !state.commits || state.pool.is_empty() {
            return;
        }
        let most = state.block_max.min(state.committed_max.saturating_sub(state.places.len()));
        let mut body = Vec::new();
        let pending: Vec<SignedTransaction> = state.pool.values().cloned().collect();
        for signed in pending {
            if body.len() < most && state.apply(&signed) {
                state.pool.remove(&(signed.transaction.sender, signed.transaction.nonce));
                body.push(signed);
            }
        }
        if !body.is_empty() {
            let parent = state.tip().unwrap_or_else(|| self.genesis.header().clone());
            let proved = prove(&self.genesis, &parent, body, state.root());
            state.append(proved);
        }
    }

    pub(crate) fn receipt(&self, replica: ReplicaId, id: &TransactionId) -> Option<Receipt> {
        let state = self.state();
        let (block, index) = state.places.get(id)?;
        Some(receipt(replica, &state.blocks[*block].block, *index))
    }

    pub(crate) fn proved_account(&self, address: &Address) -> Option<ProvedAccount> {
        let state = self.state();
        let proved = state.blocks.last()?;
        let index = state.accounts.iter().position(|account| account.address == *address)?;
        let (leaves, number) = (state.leaves(), u64::try_from(index).unwrap());
        Some(ProvedAccount {
            header: proved.block.header.clone(),
            account: AccountProof {
                index: number,
                accounts: u64::try_from(leaves.len()).unwrap(),
                account: state.accounts[index],
                path: merkle::path(Domain::AccountNode, &leaves, number).unwrap(),
            },
            proof: proved.proof.clone(),
        })
    }
}

impl State {
    fn tip(&self) -> Option<Header> {
        self.blocks.last().map(|proved| proved.block.header.clone())
    }

    fn leaves(&self) -> Vec<Digest> {
        self.accounts.iter().zip(0..).map(|(account, index)| account.leaf(index)).collect()
    }

    fn root(&self) -> Digest {
        let leaves = self.leaves();
        let tree = merkle::root(Domain::AccountNode, &leaves);
        state_root(u64::try_from(leaves.len()).unwrap(), tree)
    }

    fn apply(&mut self, signed: &SignedTransaction) -> bool {
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let sender = self.accounts.iter_mut().find(|a| a.address == transaction.sender).unwrap();
        let Some(left) = sender.balance.checked_sub(transfer.amount) else { return false };
        if sender.nonce != transaction.nonce {
            return false;
        }
        sender.balance = left;
        sender.nonce = sender.nonce.next();
        let recipient = self.accounts.iter_mut().find(|a| a.address == transfer.recipient);
        match recipient {
            Some(account) => {
                account.balance = account.balance.checked_add(transfer.amount).unwrap();
            }
            None => self.accounts.push(Account {
                address: transfer.recipient,
                balance: transfer.amount,
                nonce: Nonce::FIRST,
            }),
        }
        true
    }

    fn append(&mut self, proved: ProvedBlock) {
        let block = self.blocks.len();
        for (signed, index) in proved.block.body.transactions().iter().zip(0..) {
            self.places.insert(signed.id(), (block, index));
        }
        self.blocks.push(Arc::new(proved));
    }
}

/// A block on `parent`, certified by three validators.
pub(crate) fn prove(
    genesis: &Genesis,
    parent: &Header,
    body: Vec<SignedTransaction>,
    state_root: Digest,
) -> ProvedBlock {
    let body = Body::new(body);
    let header = Header {
        chain: parent.chain,
        height: parent.height.next(),
        parent: parent.id(),
        view: View::FIRST,
        proposer: ReplicaId::new(0),
        timestamp_ms: 1_790_000_000_000 + parent.height.get(),
        body_root: body.root(),
        transactions: u32::try_from(body.len()).unwrap(),
        state_root,
    };
    let statement = Statement {
        phase: Phase::Commit,
        view: View::FIRST,
        height: header.height,
        block: header.id(),
    };
    let votes: Vec<Vote> = replicas()
        .take(3)
        .map(|replica| Vote::sign(statement, replica, &header.chain, &validator_key(replica)))
        .collect();
    let certificate = Certificate::from_votes(statement, &votes, genesis.validators()).unwrap();
    let proof = Proof { descendants: Vec::new(), certificate };
    ProvedBlock { block: Block { header, body }, proof }
}

pub(crate) fn reply(replica: ReplicaId, header: &Header) -> BlockReply {
    let statement = CommittedStatement { height: header.height, block: header.id() };
    BlockReply::sign(statement, replica, &header.chain, &validator_key(replica))
}

pub(crate) fn receipt(replica: ReplicaId, block: &Block, index: u32) -> Receipt {
    Receipt {
        transaction: block.body.transactions()[usize::try_from(index).unwrap()].clone(),
        index,
        path: block.body.path(index).unwrap(),
        evidence: None,
        header: block.header.clone(),
        reply: reply(replica, &block.header),
    }
}

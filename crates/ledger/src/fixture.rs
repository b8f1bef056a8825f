//! What the tests share: a small network, people with money, transfers and blocks.

use crypto::digest::Digest;
use crypto::keys::{PublicKey, SecretKey, Signature};
use crypto::signed::{ChainId, Signed};
use types::address::Address;
use types::amount::Amount;
use types::application::{Application, BlockRefusal};
use types::block::{Block, BlockId, Body, Header};
use types::evidence::Evidence;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::parameters::Parameters;
use types::peer_id;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;

use crate::ledger::next_of;
use crate::{Admission, Ledger, Origin, PoolLimits};

/// The address of a person. The ledger never looks at keys, so any bytes will do.
pub(crate) fn address(person: u16) -> Address {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&person.to_be_bytes());
    Address::Key(PublicKey::from_bytes(bytes))
}

/// A genesis that one rich account holds; tests start from snapshots that share its supply out.
pub(crate) fn genesis(supply: u64, parameters: Parameters) -> Genesis {
    let key = |seed: u8| SecretKey::from_seed([seed; 32]).public_key();
    let mut builder = GenesisBuilder::local("ledger-test");
    builder.parameters = parameters;
    builder.validators =
        vec![Validator { name: "only".to_owned(), key: key(1), peer_id: peer_id::of_key(&key(2)) }];
    builder.accounts = vec![(Address::Key(key(3)), Amount::new(supply))];
    builder.build().unwrap()
}

/// A ledger in which person i has the i-th balance, and what its tests need around it.
pub(crate) struct Fixture {
    pub(crate) genesis: Genesis,
    pub(crate) ledger: Ledger,
}

impl Fixture {
    pub(crate) fn new(balances: &[u64]) -> Self {
        Self::with(balances, Parameters::default(), PoolLimits::default())
    }

    pub(crate) fn with(balances: &[u64], parameters: Parameters, limits: PoolLimits) -> Self {
        let genesis = genesis(balances.iter().sum(), parameters);
        let mut snapshot = Ledger::new(&genesis, limits).snapshot();
        snapshot.accounts = (0..)
            .zip(balances)
            .map(|(person, balance)| types::account::Account {
                address: address(person),
                balance: Amount::new(*balance),
                nonce: Nonce::FIRST,
            })
            .collect();
        let ledger = Ledger::restore(&genesis, snapshot, limits).unwrap();
        Self { genesis, ledger }
    }

    /// Another ledger of the same network, with the same committed state and an empty pool.
    pub(crate) fn twin(&self) -> Self {
        let limits = *self.ledger.pool.limits();
        Self {
            genesis: self.genesis.clone(),
            ledger: Ledger::restore(&self.genesis, self.ledger.snapshot(), limits).unwrap(),
        }
    }

    pub(crate) fn chain(&self) -> ChainId {
        *self.genesis.chain()
    }

    /// A transfer that is valid for ever, as far as its height goes.
    pub(crate) fn transfer(
        &self,
        from: u16,
        nonce: u64,
        to: u16,
        amount: u64,
    ) -> SignedTransaction {
        transfer(self.chain(), from, nonce, to, amount)
    }

    pub(crate) fn admit(
        &mut self,
        transaction: &SignedTransaction,
    ) -> Result<Admission, Rejection> {
        self.admit_from(transaction, Origin::Client)
    }

    pub(crate) fn admit_from(
        &mut self,
        transaction: &SignedTransaction,
        origin: Origin,
    ) -> Result<Admission, Rejection> {
        let result = self.ledger.admit(Signed::vouched(transaction.clone()), origin);
        self.assert_consistent();
        result
    }

    /// A block of these transactions on `parent`, with the right state root if they are valid
    /// there.
    pub(crate) fn block_on(
        &mut self,
        parent: BlockId,
        transactions: Vec<SignedTransaction>,
        view: u64,
    ) -> Block {
        self.block_of(parent, Body::new(transactions), view)
    }

    /// A block with this body on `parent`, with the right state root if it is valid there.
    pub(crate) fn block_of(&mut self, parent: BlockId, body: Body, view: u64) -> Block {
        let mut block = self.assemble(parent, body, Digest::ZERO, view);
        if let Err(BlockRefusal::StateRoot { found, .. }) = self.ledger.execute(&block) {
            block.header.state_root = found;
        }
        block
    }

    /// A block of these transactions on the committed state.
    pub(crate) fn block(&mut self, transactions: Vec<SignedTransaction>) -> Block {
        self.block_on(self.ledger.committed().1, transactions, 0)
    }

    /// Proposes on `parent` and makes the block of it, not executed yet.
    pub(crate) fn propose_on(&mut self, parent: BlockId) -> Option<Block> {
        self.propose_with(parent, &[])
    }

    /// The same with evidence.
    pub(crate) fn propose_with(
        &mut self,
        parent: BlockId,
        evidence: &[&Evidence],
    ) -> Option<Block> {
        let height = self.ledger.layers.height_of(&parent)?.next();
        let proposal = self.ledger.propose(&parent, height, evidence)?;
        Some(self.assemble(parent, proposal.body, proposal.state_root, 0))
    }

    fn assemble(&self, parent: BlockId, body: Body, state_root: Digest, view: u64) -> Block {
        let height = self.ledger.layers.height_of(&parent).map_or(Height::new(1), Height::next);
        Block {
            header: Header {
                chain: self.chain(),
                height,
                parent,
                view: View::new(view),
                proposer: ReplicaId::new(0),
                timestamp_ms: height.get(),
                body_root: body.root(),
                transactions: u32::try_from(body.len()).unwrap(),
                state_root,
            },
            body,
        }
    }

    pub(crate) fn execute(&mut self, block: &Block) -> Result<(), BlockRefusal> {
        let result = self.ledger.execute(block);
        self.assert_consistent();
        result
    }

    pub(crate) fn commit(&mut self, block: &Block) {
        self.ledger.commit(&block.id());
        self.assert_consistent();
    }

    pub(crate) fn forget(&mut self, block: &Block) {
        self.ledger.forget(&block.id());
        self.assert_consistent();
    }

    /// Executes and commits a block of these transactions on the committed state.
    pub(crate) fn settle(&mut self, transactions: Vec<SignedTransaction>) -> Block {
        let block = self.block(transactions);
        self.execute(&block).unwrap();
        self.commit(&block);
        block
    }

    fn assert_consistent(&self) {
        self.ledger.pool.assert_consistent();
        self.ledger.layers.assert_consistent();
        for (number, next) in self.ledger.pool.next_nonces() {
            let expected = next_of(&self.ledger.state, &self.ledger.layers, number);
            assert_eq!(next, expected, "account {number}");
        }
    }

    /// Balance and nonce of a person.
    pub(crate) fn of(&self, person: u16) -> Option<(u64, u64)> {
        let account = self.ledger.account(&address(person))?;
        Some((account.balance.get(), account.nonce.get()))
    }

    /// Transactions that can be executed now.
    pub(crate) fn pending(&self) -> u64 {
        self.ledger.pending().transactions
    }
}

pub(crate) fn transfer(
    chain: ChainId,
    from: u16,
    nonce: u64,
    to: u16,
    amount: u64,
) -> SignedTransaction {
    SignedTransaction {
        transaction: Transaction {
            chain,
            sender: address(from),
            nonce: Nonce::new(nonce),
            valid_until: Height::new(u64::MAX),
            action: Action::Transfer(Transfer {
                recipient: address(to),
                amount: Amount::new(amount),
                memo: Memo::empty(),
            }),
        },
        signature: Signature::from_bytes([0; 64]),
    }
}

/// As [`Fixture::transfer`], valid up to a height.
pub(crate) fn until(mut transaction: SignedTransaction, height: u64) -> SignedTransaction {
    transaction.transaction.valid_until = Height::new(height);
    transaction
}

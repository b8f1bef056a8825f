//! One validator in front of the ledger, honest or not, and its server.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use api::backend::{
    AccountState, AccountView, Backend, Fault, Happened, KeptEvidence, Known, Submission,
    SubmitError,
};
use api::events::EventHub;
use api::server::{self, Limits};
use api::types::{Live, Position, SaidStatus};
use crypto::signed::Unverified;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use types::evidence::{Evidence, EvidenceId};
use types::lost::{LostProposal, ProposalPlace};
use types::{
    Address, Amount, Block, BlockId, BlockReply, Genesis, Header, Height, ProvedBlock, Receipt,
    Rejection, ReplicaId, SignedTransaction, TransactionId, View,
};

use super::ledger::{Ledger, receipt, reply};

/// How a validator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduct {
    Honest,
    /// Signs nothing that holds, and shows no certificate.
    Forges,
    /// Replies for another block than the one that was committed, and shows no certificate.
    Contradicts,
    /// Signs under the name of this one, and shows no certificate.
    Speaks(ReplicaId),
    /// Says that there is nothing.
    Denies,
}

pub(crate) struct Validator {
    replica: ReplicaId,
    ledger: Arc<Ledger>,
    text: String,
    hub: EventHub,
    conduct: Mutex<Conduct>,
}

impl Validator {
    fn conduct(&self) -> Conduct {
        *self.conduct.lock().unwrap()
    }

    fn receipt(&self, id: &TransactionId) -> Option<Receipt> {
        let honest = self.ledger.receipt(self.replica, id)?;
        match self.conduct() {
            Conduct::Honest => Some(honest),
            Conduct::Denies => None,
            Conduct::Speaks(replica) => self.ledger.receipt(replica, id),
            Conduct::Forges => {
                let mut forged = honest;
                forged.reply.replica = ReplicaId::new((self.replica.get() + 1) % 4);
                Some(forged)
            }
            Conduct::Contradicts => {
                let (block, index) = self.rival(&honest);
                Some(receipt(self.replica, &block, index))
            }
        }
    }

    /// The same transaction in another block of the same height.
    fn rival(&self, honest: &Receipt) -> (Block, u32) {
        let state = self.ledger.state();
        let height = usize::try_from(honest.header.height.get()).unwrap();
        let mut block = state.blocks[height - 1].block.clone();
        block.header.timestamp_ms += 1;
        (block, honest.index)
    }

    fn proves(&self) -> bool {
        self.conduct() == Conduct::Honest
    }
}

impl Backend for Validator {
    fn genesis(&self) -> &Genesis {
        &self.ledger.genesis
    }

    fn genesis_text(&self) -> &str {
        &self.text
    }

    fn events(&self) -> &EventHub {
        &self.hub
    }

    async fn live(&self) -> Result<Live, Fault> {
        let state = self.ledger.state();
        let tip = state.blocks.last().map(|proved| proved.block.header.clone());
        let tip = tip.unwrap_or_else(|| self.ledger.genesis.header().clone());
        Ok(Live {
            replica: self.replica,
            height: tip.height,
            block: tip.id(),
            state_root: tip.state_root,
            supply: Amount::ZERO,
            accounts: 4,
            view: View::FIRST,
            primary: ReplicaId::new(0),
            entered: true,
            voting: true,
            retired: false,
            convicted: Vec::new(),
            fork: None,
            timeout_ms: 2_000,
            in_flight: 0,
            pending: u64::try_from(state.pool.len()).unwrap(),
            connected: Vec::new(),
            ready: true,
            uptime_seconds: 1,
        })
    }

    async fn metrics(&self) -> Result<String, Fault> {
        Ok("# EOF\n".to_owned())
    }

    async fn block(&self, height: Height) -> Result<Option<Arc<ProvedBlock>>, Fault> {
        let index = usize::try_from(height.get()).unwrap().checked_sub(1);
        let state = self.ledger.state();
        let found = index.and_then(|index| state.blocks.get(index)).cloned();
        Ok(found.filter(|_| self.proves()))
    }

    async fn height_of(&self, _block: BlockId) -> Result<Option<Height>, Fault> {
        Ok(None)
    }

    async fn headers(&self, _before: Option<Height>, _limit: usize) -> Result<Vec<Header>, Fault> {
        Ok(Vec::new())
    }

    async fn evidence(
        &self,
        _after: Option<EvidenceId>,
        _limit: usize,
    ) -> Result<Vec<KeptEvidence>, Fault> {
        Ok(Vec::new())
    }

    async fn evidence_piece(
        &self,
        _id: EvidenceId,
    ) -> Result<Option<(Evidence, Option<u64>)>, Fault> {
        Ok(None)
    }

    async fn said(&self) -> Result<Vec<SaidStatus>, Fault> {
        Ok(Vec::new())
    }

    async fn lost(
        &self,
        _before: Option<ProposalPlace>,
        _limit: usize,
    ) -> Result<(Vec<LostProposal>, u64), Fault> {
        Ok((Vec::new(), 0))
    }

    fn reply(&self, header: &Header) -> BlockReply {
        reply(self.replica, header)
    }

    async fn submit(
        &self,
        transaction: Unverified<SignedTransaction>,
        wait: Option<Duration>,
    ) -> Result<Submission, SubmitError> {
        let signed = transaction.get();
        let there = self.ledger.admit(signed)?;
        let deadline = Instant::now() + wait.unwrap_or_default();
        loop {
            match (self.receipt(&signed.id()).map(Box::new), there) {
                (Some(receipt), true) => return Ok(Submission::AlreadyCommitted(Some(receipt))),
                (Some(receipt), false) => return Ok(Submission::Committed(receipt)),
                (None, _) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                (None, true) => return Ok(Submission::AlreadyPending),
                (None, false) => return Ok(Submission::Pending),
            }
        }
    }

    async fn submit_batch(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> Result<Vec<Result<Submission, Rejection>>, Fault> {
        let answer = |signed: &SignedTransaction| match self.ledger.admit(signed)? {
            true => Ok(Submission::AlreadyPending),
            false => Ok(Submission::Pending),
        };
        Ok(transactions.iter().map(|transaction| answer(transaction.get())).collect())
    }

    async fn transaction(&self, id: TransactionId) -> Result<Option<Known>, Fault> {
        if self.conduct() == Conduct::Denies {
            return Ok(None);
        }
        if let Some(receipt) = self.receipt(&id) {
            return Ok(Some(Known::Committed(Box::new(receipt))));
        }
        let state = self.ledger.state();
        let pending = state.pool.values().find(|signed| signed.id() == id).cloned();
        Ok(pending.map(|signed| Known::Pending(Box::new(signed))))
    }

    async fn account(&self, address: Address) -> Result<Option<AccountView>, Fault> {
        if self.conduct() == Conduct::Denies {
            return Ok(None);
        }
        let proved = self.ledger.proved_account(&address);
        let state = self.ledger.state();
        let known = state.accounts.iter().find(|account| account.address == address).copied();
        let Some(account) = known else { return Ok(None) };
        let pending = state.pool.keys().filter(|(sender, _)| *sender == address).count();
        let next = account.nonce.get() + u64::try_from(pending).unwrap();
        let state = match proved {
            None => AccountState::Genesis(account),
            Some(mut proved) => {
                if self.conduct() == Conduct::Forges {
                    proved.account.account.balance = Amount::new(1);
                }
                AccountState::Proved(Box::new(proved))
            }
        };
        Ok(Some(AccountView { state, next_nonce: types::Nonce::new(next) }))
    }

    async fn history(
        &self,
        address: Address,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Happened>, Fault> {
        if self.conduct() == Conduct::Denies {
            return Ok(Vec::new());
        }
        let mut happened = Vec::new();
        for proved in self.ledger.state().blocks.iter().rev() {
            let transactions = proved.block.body.transactions().iter().zip(0u32..);
            let transactions: Vec<_> = transactions.collect();
            let transactions = transactions.into_iter().rev();
            happened.extend(transactions.map(|(signed, index)| Happened {
                position: Position { height: proved.block.header.height, index },
                block: proved.block.id(),
                timestamp_ms: proved.block.header.timestamp_ms,
                transaction: signed.clone(),
            }));
        }
        happened.retain(|entry| {
            let types::Action::Transfer(transfer) = &entry.transaction.transaction.action;
            (entry.transaction.transaction.sender == address || transfer.recipient == address)
                && before.is_none_or(|before| entry.position < before)
        });
        happened.truncate(limit);
        Ok(happened)
    }
}

/// A validator behind the real server, stopped when it is dropped.
pub(crate) struct Served {
    validator: Arc<Validator>,
    pub(crate) url: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Served {
    pub(crate) fn start(ledger: &Arc<Ledger>, replica: ReplicaId) -> Self {
        let validator = Arc::new(Validator {
            replica,
            text: ledger.genesis.to_toml(),
            ledger: Arc::clone(ledger),
            hub: EventHub::new(),
            conduct: Mutex::new(Conduct::Honest),
        });
        let mut served = Self { validator, url: String::new(), running: None };
        served.listen();
        served
    }

    pub(crate) fn behave(&self, conduct: Conduct) {
        *self.validator.conduct.lock().unwrap() = conduct;
    }

    /// Starts to listen on a new port.
    pub(crate) fn listen(&mut self) {
        self.stop();
        let (stop, stopped) = oneshot::channel::<()>();
        let (listening, address) = mpsc::channel();
        let backend = Arc::clone(&self.validator);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                let limits =
                    Limits { drain_timeout: Duration::from_millis(50), ..Limits::default() };
                let stop = async move { drop(stopped.await) };
                server::serve(listener, backend, limits, stop).await;
            });
        });
        self.url = format!("http://{}", address.recv().unwrap());
        self.running = Some((stop, thread));
    }

    /// Closes every connection; when this returns, nobody listens.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

//! False answers to clients: the backend of the HTTP API around that of an honest validator.
//!
//! What is not lied about is answered as it is. Wallets are to believe nothing of it unless t + 1 validators lie alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::backend::{
    AccountState, AccountView, Backend, Fault, Happened, KeptEvidence, Known, Submission,
    SubmitError,
};
use api::events::EventHub;
use api::types::{Live, Position, SaidStatus};
use byzantine::service::{Forger, Service};
use crypto::signed::Unverified;
use node::Gateway;
use types::address::Address;
use types::amount::Amount;
use types::block::{BlockId, Body, Header};
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::{Height, Nonce};
use types::proof::ProvedBlock;
use types::receipt::Receipt;
use types::rejection::Rejection;
use types::reply::BlockReply;
use types::transaction::{SignedTransaction, TransactionId};

use crate::deeds::{Served, Telling};

/// The most submissions that are remembered for a false receipt.
const SUBMITTED_MAX: usize = 1_024;

/// What every account has, in base units: 777,777.77 of a currency with two decimals.
const BALANCE: Amount = Amount::new(77_777_777);

/// How high its own chain is.
const OWN_HEIGHT: Height = Height::new(1_000_000);

/// A gateway that lies.
pub(crate) struct FalseReplies {
    honest: Gateway,
    lies: BTreeSet<Service>,
    forger: Arc<Forger>,
    telling: Telling,
    turn: AtomicU64,
    submitted: Mutex<BTreeMap<TransactionId, SignedTransaction>>,
}

impl FalseReplies {
    /// The gateway of an honest validator, with these lies.
    pub(crate) fn new(
        honest: Gateway,
        lies: BTreeSet<Service>,
        forger: Arc<Forger>,
        telling: Telling,
    ) -> Self {
        let (turn, submitted) = (AtomicU64::new(0), Mutex::default());
        Self { honest, lies, forger, telling, turn, submitted }
    }

    /// Whether this lie is told, and then tells of it.
    fn lies(&self, service: Service, attack: &'static str, what: impl FnOnce() -> String) -> bool {
        let lies = self.lies.contains(&service);
        if lies {
            self.telling.tell(&Served::new(attack, "answers", what()));
        }
        lies
    }

    fn denies(&self, what: &str) -> bool {
        self.lies(Service::Deny, "deny", || what.to_owned())
    }

    fn turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn remember(&self, transaction: &SignedTransaction) {
        let mut submitted = self.submitted.lock().unwrap_or_else(PoisonError::into_inner);
        submitted.insert(transaction.id(), transaction.clone());
        while submitted.len() > SUBMITTED_MAX {
            submitted.pop_first();
        }
    }

    fn remembered(&self, id: &TransactionId) -> Option<SignedTransaction> {
        let submitted = self.submitted.lock().unwrap_or_else(PoisonError::into_inner);
        submitted.get(id).cloned()
    }

    fn false_receipt(&self, transaction: &SignedTransaction) -> Option<Box<Receipt>> {
        let told = || format!("transaction {} is committed", transaction.id());
        if !self.lies(Service::FalseReceipts, "false-receipts", told) {
            return None;
        }
        self.forger.receipt(transaction).map(Box::new)
    }

    fn own_block(&self, height: Height) -> Option<ProvedBlock> {
        let told = || format!("a block at height {height}");
        let lies = self.lies(Service::OwnChain, "own-chain", told);
        lies.then(|| self.forger.block(height, Body::default(), self.turn()))
    }
}

impl Backend for FalseReplies {
    fn genesis(&self) -> &Genesis {
        self.honest.genesis()
    }

    fn genesis_text(&self) -> &str {
        self.honest.genesis_text()
    }

    fn events(&self) -> &EventHub {
        self.honest.events()
    }

    async fn live(&self) -> Result<Live, Fault> {
        let live = self.honest.live().await?;
        Ok(match self.own_block(OWN_HEIGHT) {
            Some(own) => Live { height: OWN_HEIGHT, block: own.block.id(), ..live },
            None => live,
        })
    }

    async fn metrics(&self) -> Result<String, Fault> {
        self.honest.metrics().await
    }

    async fn block(&self, height: Height) -> Result<Option<Arc<ProvedBlock>>, Fault> {
        match self.own_block(height) {
            Some(own) => Ok(Some(Arc::new(own))),
            None => self.honest.block(height).await,
        }
    }

    async fn height_of(&self, block: BlockId) -> Result<Option<Height>, Fault> {
        match self.own_block(OWN_HEIGHT) {
            Some(own) => Ok(Some(own.block.header.height)),
            None => self.honest.height_of(block).await,
        }
    }

    async fn headers(&self, before: Option<Height>, limit: usize) -> Result<Vec<Header>, Fault> {
        let headers = self.honest.headers(before, limit).await?;
        let own =
            |header: Header| self.own_block(header.height).map_or(header, |own| own.block.header);
        Ok(headers.into_iter().map(own).collect())
    }

    fn reply(&self, header: &Header) -> BlockReply {
        self.forger.reply(header)
    }

    async fn submit(
        &self,
        transaction: Unverified<SignedTransaction>,
        wait: Option<Duration>,
    ) -> Result<Submission, SubmitError> {
        if self.denies("a submission is refused") {
            return Err(Rejection::UnknownSender.into());
        }
        let claimed = transaction.get().clone();
        self.remember(&claimed);
        if let Some(receipt) = self.false_receipt(&claimed) {
            return Ok(Submission::Committed(receipt));
        }
        self.honest.submit(transaction, wait).await
    }

    async fn submit_batch(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> Result<Vec<Result<Submission, Rejection>>, Fault> {
        if self.denies("a batch is refused") {
            return Ok(transactions.iter().map(|_| Err(Rejection::UnknownSender)).collect());
        }
        let told = || format!("{} transactions are committed", transactions.len());
        if self.lies(Service::FalseReceipts, "false-receipts", told) {
            transactions.iter().for_each(|transaction| self.remember(transaction.get()));
            let committed = |_| Ok(Submission::AlreadyCommitted(None));
            return Ok(transactions.iter().map(committed).collect());
        }
        self.honest.submit_batch(transactions).await
    }

    async fn transaction(&self, id: TransactionId) -> Result<Option<Known>, Fault> {
        if self.denies("a transaction is not known") {
            return Ok(None);
        }
        let honest = self.honest.transaction(id).await?;
        let known = match &honest {
            Some(Known::Pending(transaction)) => Some((**transaction).clone()),
            Some(Known::Committed(receipt)) => Some(receipt.transaction.clone()),
            None => self.remembered(&id),
        };
        let receipt = known.and_then(|transaction| self.false_receipt(&transaction));
        Ok(receipt.map(Known::Committed).or(honest))
    }

    async fn account(&self, address: Address) -> Result<Option<AccountView>, Fault> {
        if self.denies("an account is not known") {
            return Ok(None);
        }
        let told = || "a balance".to_owned();
        if self.lies(Service::FalseBalances, "false-balances", told)
            && let Some(proved) = self.forger.account(&address, BALANCE, self.turn())
        {
            let state = AccountState::Proved(Box::new(proved));
            return Ok(Some(AccountView { state, next_nonce: Nonce::new(u64::MAX) }));
        }
        self.honest.account(address).await
    }

    async fn history(
        &self,
        address: Address,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Happened>, Fault> {
        if self.denies("an account has no history") {
            return Ok(Vec::new());
        }
        let mut happened = self.honest.history(address, before, limit).await?;
        for one in &mut happened {
            if let Some(own) = self.own_block(one.position.height) {
                one.block = own.block.id();
                one.position.index = one.position.index.saturating_add(1);
            }
        }
        Ok(happened)
    }

    async fn evidence(
        &self,
        after: Option<EvidenceId>,
        limit: usize,
    ) -> Result<Vec<KeptEvidence>, Fault> {
        self.honest.evidence(after, limit).await
    }

    async fn evidence_piece(
        &self,
        id: EvidenceId,
    ) -> Result<Option<(Evidence, Option<u64>)>, Fault> {
        self.honest.evidence_piece(id).await
    }

    async fn said(&self) -> Result<Vec<SaidStatus>, Fault> {
        self.honest.said().await
    }

    async fn lost(
        &self,
        before: Option<ProposalPlace>,
        limit: usize,
    ) -> Result<(Vec<LostProposal>, u64), Fault> {
        self.honest.lost(before, limit).await
    }
}

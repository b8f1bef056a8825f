//! The real network behind a payment.
//!
//! Submissions go through one thread and one short queue for each validator, so one that is stuck
//! delays nobody. Questions go to one validator at a time, the reader, and to the next when it
//! gives no answer.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use api::client::Client;
use api::client::network::Endpoint;
use api::problem::Code;
use api::types::{BatchAnswer, BatchResult};
use types::{Address, Height, Nonce, SignedTransaction, TransactionId};

use super::chain::{CertifiedBlock, Chain, Refusal, Word};
use crate::certified;
use crate::finality::proved_block;
use crate::site::Site;

/// How long one question or submission may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two questions while nothing happens.
const POLL_PAUSE: Duration = Duration::from_millis(10);

/// Batches that wait for one validator; more are not queued, they come again later.
const QUEUE: usize = 8;

/// The most entries of one page of history.
const PAGE: u32 = 100;

/// The validators of a network, asked on behalf of one sender.
pub(crate) struct Validators {
    site: Site,
    sender: Address,
    begun: Instant,
    reader: usize,
    workers: Vec<Worker>,
    said: (Sender<Word>, Receiver<Word>),
}

/// The thread that submits to one validator. It ends when the queue is dropped.
struct Worker {
    url: String,
    queue: SyncSender<Vec<SignedTransaction>>,
}

impl Validators {
    /// The validators of `site`.
    pub(crate) fn new(site: Site, sender: Address) -> Self {
        let mut validators = Self {
            site,
            sender,
            begun: Instant::now(),
            reader: 0,
            workers: Vec::new(),
            said: mpsc::channel(),
        };
        validators.hire();
        validators
    }

    /// A worker for each validator that is known; those of validators that are gone end.
    fn hire(&mut self) {
        let mut workers = std::mem::take(&mut self.workers);
        for endpoint in self.site.endpoints() {
            let kept = workers.iter().position(|worker| worker.url == endpoint.client.url());
            let worker = match kept {
                Some(index) => workers.swap_remove(index),
                None => Worker::start(endpoint, self.said.0.clone()),
            };
            self.workers.push(worker);
        }
    }

    fn client(&self) -> Option<Client> {
        let endpoints = self.site.endpoints();
        let index = self.reader.checked_rem(endpoints.len())?;
        endpoints.get(index).map(|endpoint| endpoint.client.clone().with_timeout(PATIENCE))
    }

    /// The reader's answer; the next validator reads when there is none.
    fn read<T>(&mut self, question: impl Fn(&Self, &Client) -> Option<T>) -> Option<T> {
        let answer = self.client().and_then(|client| question(self, &client));
        if answer.is_none() {
            self.reader = self.reader.wrapping_add(1);
        }
        answer
    }
}

impl Worker {
    fn start(endpoint: &Endpoint, said: Sender<Word>) -> Self {
        let (queue, batches) = mpsc::sync_channel::<Vec<SignedTransaction>>(QUEUE);
        let client = endpoint.client.clone().with_timeout(PATIENCE);
        let (name, url) = (endpoint.name.clone(), endpoint.client.url().to_owned());
        thread::spawn(move || {
            for batch in batches {
                // A batch that did not arrive comes again with the next round.
                let Ok(answer) = client.submit_batch(&batch) else {
                    continue;
                };
                for word in words(&name, &batch, answer) {
                    if said.send(word).is_err() {
                        return;
                    }
                }
            }
        });
        Self { url, queue }
    }
}

fn words(validator: &str, batch: &[SignedTransaction], answer: BatchAnswer) -> Vec<Word> {
    batch
        .iter()
        .zip(answer.results)
        .map(|(signed, result)| Word {
            validator: validator.to_owned(),
            id: signed.id(),
            refusal: refusal(result),
        })
        .collect()
}

fn refusal(result: BatchResult) -> Option<Refusal> {
    let code = result.code?;
    let lasting = code.parse().is_ok_and(is_lasting);
    Some(Refusal { code, detail: result.detail.unwrap_or_default(), lasting })
}

/// Whether a refusal stays as long as nobody else pays the sender or signs anew. The others pass: a
/// pool empties, a validator catches up, a rival transaction commits and is then found in its
/// block.
fn is_lasting(code: Code) -> bool {
    [
        Code::ForeignChain,
        Code::WeakKey,
        Code::MemoTooLong,
        Code::ZeroAmount,
        Code::BadSignature,
        Code::Expired,
        Code::Overdraft,
        Code::Overflow,
        Code::MalformedTransaction,
    ]
    .contains(&code)
}

impl Chain for Validators {
    fn validators(&self) -> (usize, usize) {
        (self.site.endpoints().len(), self.site.genesis().validators().quorum().reply())
    }

    fn submit(&mut self, batch: Vec<SignedTransaction>, everybody: bool) {
        let wanted = if everybody { usize::MAX } else { self.validators().1 };
        let count = self.workers.len();
        let mut queued = 0_usize;
        for offset in 0..count {
            let index = self.reader.wrapping_add(offset).checked_rem(count);
            let Some(worker) = index.and_then(|index| self.workers.get(index)) else {
                continue;
            };
            match worker.queue.try_send(batch.clone()) {
                Ok(()) => queued = queued.saturating_add(1),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
            if queued >= wanted {
                return;
            }
        }
    }

    fn words(&mut self) -> Vec<Word> {
        self.said.1.try_iter().collect()
    }

    fn nonce(&mut self) -> Option<(Height, Nonce)> {
        let text = self.sender.to_text(self.site.genesis().prefix());
        self.read(|this, client| {
            let answer = client.account(&text).ok()??;
            let certified = certified::check(this.site.genesis(), &this.sender, &answer).ok()?;
            Some((certified.height, certified.account.nonce))
        })
    }

    fn find(&mut self, ids: &[TransactionId]) -> Option<CertifiedBlock> {
        self.read(|this, client| {
            // Where it stands is a hint; the block itself is the proof.
            let height = ids.iter().rev().find_map(|id| {
                client.transaction(id).ok().flatten().and_then(|found| found.height)
            })?;
            let validators = this.site.genesis().validators();
            let proved = proved_block(client, validators, height).ok()?;
            let transactions = proved.block.body.transactions();
            let ours = transactions.iter().filter(|s| s.transaction.sender == this.sender);
            Some(CertifiedBlock { height, ids: ours.map(SignedTransaction::id).collect() })
        })
    }

    fn holder(&mut self, nonce: Nonce) -> Option<TransactionId> {
        let text = self.sender.to_text(self.site.genesis().prefix());
        self.read(|this, client| {
            let mut before = None;
            let height = loop {
                let page = client.history(&text, before, PAGE).ok()?;
                let sent = |entry: &&api::types::HistoryEntry| {
                    entry.transaction.nonce == nonce && entry.transaction.sender == text
                };
                if let Some(entry) = page.entries.iter().find(sent) {
                    break entry.height;
                }
                let next = page.next?;
                if before.is_some_and(|before| next >= before) {
                    return None;
                }
                before = Some(next);
            };
            let proved = proved_block(client, this.site.genesis().validators(), height).ok()?;
            proved
                .block
                .body
                .transactions()
                .iter()
                .find(|s| s.transaction.sender == this.sender && s.transaction.nonce == nonce)
                .map(SignedTransaction::id)
        })
    }

    fn rotate(&mut self) {
        self.reader = self.reader.wrapping_add(1);
        self.site.refresh();
        self.hire();
    }

    fn pause(&mut self) {
        thread::sleep(POLL_PAUSE);
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

//! The clients of a scenario. As a wallet does, each posts its transfers to every validator, when their time comes, and
//! again to one that was started anew.

use std::thread;
use std::time::Duration;

use api::client::Client;
use api::hex::to_hex_wire;
use api::types::{BatchRequest, BatchStatus};
use scenario::Load;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::transaction::{Action, SignedTransaction, Transaction, TransactionId, Transfer};

use crate::play::stage::{Stage, address};
use crate::play::{Play, lock};
use crate::testnet::node::Node;
use crate::testnet::process::Condition;

/// Most transfers of one request.
const BATCH_MAX: usize = 100;
/// Pause of a sender that has nothing to send, or was told to come later.
const TICK: Duration = Duration::from_millis(10);
/// How long one request may take.
const CALL_PATIENCE: Duration = Duration::from_secs(1);
/// No transfer expires.
const VALID_UNTIL: Height = Height::new(1 << 40);

/// All transfers of a run, in the order of their times.
pub(super) struct Transfers(Vec<Due>);

/// A signed transfer and its time.
pub(super) struct Due {
    /// When it is sent, in milliseconds.
    pub(super) at_ms: u64,
    /// Its id.
    pub(super) id: TransactionId,
    hex: String,
}

impl Transfers {
    /// Signs what the clients send. Each begins at another time, and has a burst every so many milliseconds.
    pub(super) fn sign(load: &Load, stage: &Stage) -> Self {
        let mut all = Vec::new();
        let (every_ms, clients) = (u64::from(load.every_ms), u64::from(load.clients.max(1)));
        let recipients = stage.keys.iter().cycle().skip(1).map(address);
        for ((client, key), recipient) in (0_u64..).zip(&stage.keys).zip(recipients) {
            let first_ms = every_ms.saturating_mul(client) / clients;
            for number in 0..load.transfers {
                let burst = u64::from(number / load.burst.max(1));
                let transaction = Transaction {
                    chain: *stage.testnet.genesis.chain(),
                    sender: address(key),
                    nonce: Nonce::new(number.into()),
                    valid_until: VALID_UNTIL,
                    action: Action::Transfer(Transfer {
                        recipient,
                        amount: Amount::new(1),
                        memo: Memo::default(),
                    }),
                };
                let signed = SignedTransaction::sign(transaction, key);
                let at_ms = first_ms.saturating_add(burst.saturating_mul(every_ms));
                all.push(Due { at_ms, id: signed.id(), hex: to_hex_wire(&signed) });
            }
        }
        // Those of one client stay in the order of their nonces.
        all.sort_by_key(|due| due.at_ms);
        Self(all)
    }

    /// Each of them.
    pub(super) fn all(&self) -> &[Due] {
        &self.0
    }
}

/// Posts every transfer whose time has come to a validator, until the run is over.
pub(super) fn post(play: &Play<'_>, node: &Node) {
    let mut known: Option<(u32, Client)> = None;
    let mut next = 0_usize;
    while !play.is_over() {
        let process = node.process().ok().flatten();
        let running = process.filter(|process| process.condition() == Condition::Running);
        let Some(process) = running else {
            thread::sleep(TICK);
            continue;
        };
        if known.as_ref().is_none_or(|(pid, _)| *pid != process.id()) {
            // One that was started anew has forgotten what was not committed.
            next = 0;
            let client = node.client(&process, CALL_PATIENCE);
            known = client.map(|client| (process.id(), client));
        }
        let sent = known.as_ref().map_or(0, |(_, client)| send(play, client, next));
        next = next.saturating_add(sent);
        if sent == 0 {
            thread::sleep(TICK);
        }
    }
}

/// Sends what is due from the `next`th on, and gives how much of it the validator took or does not need.
fn send(play: &Play<'_>, client: &Client, next: usize) -> usize {
    let now_ms = play.now_ms();
    let due = play.transfers.all().iter().skip(next).take_while(|due| due.at_ms <= now_ms);
    let batch: Vec<&Due> = due.take(BATCH_MAX).collect();
    if batch.is_empty() {
        return 0;
    }
    lock(&play.log).sent(next.saturating_add(batch.len()));
    let transactions = batch.iter().map(|due| due.hex.clone()).collect();
    let Ok(answer) = client.submit_batch_hex(&BatchRequest { transactions }) else { return 0 };
    let results = answer.results.iter().zip(&batch);
    // One that is refused for now is offered again, and those after it with it.
    let taken = results.take_while(|(result, due)| {
        result.status != BatchStatus::Refused || lock(&play.log).is_final(&due.id)
    });
    taken.count()
}

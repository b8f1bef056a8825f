//! What clients do, and what replicas answer them.

use std::sync::Arc;

use types::number::Nonce;
use types::proof::ProvedBlock;
use types::reply::BlockReply;

use super::client::{Client, Wish};
use super::{Event, World};
use crate::letter::Parcel;
use crate::links::Party;
use crate::record::Happened;

/// How long a client waits before it sends a transfer again, to everybody, in milliseconds.
pub(super) const AGAIN_MS: u64 = 1_000;

/// How many in 1,000 thoughts come with a transfer that must never be committed.
const NONSENSE_PER_MILLE: u32 = 30;

impl World {
    fn client(&mut self, client: u16) -> &mut Client {
        self.clients.get_mut(usize::from(client)).expect("events name clients that there are")
    }

    /// A client sends what it wants to send now, and what it has waited for too long.
    pub(super) fn client_thinks(&mut self, client: u16) {
        self.trace.add(self.now, 30, client, &[]);
        self.send_again(client);
        let load = self.plan.load;
        let outstanding_max = usize::try_from(load.outstanding_max).unwrap_or(usize::MAX);
        for _ in 0..load.burst {
            let person = self.client(client);
            if person.made < person.wanted && person.wishes.len() < outstanding_max {
                self.send_next(client);
            }
        }
        let person = self.client(client);
        person.awake = !person.is_done();
        if person.awake {
            let mean_ms =
                if person.made < person.wanted { u64::from(load.every_ms) } else { AGAIN_MS / 2 };
            let after_ms = person.random.between(1, mean_ms.saturating_mul(2));
            self.queue.push(self.now.after_ms(after_ms), Event::Client { client });
        }
    }

    fn send_next(&mut self, client: u16) {
        let (chain, clients) = (*self.genesis.chain(), self.plan.load.clients);
        let now_ms = self.now.ms();
        let person = self.client(client);
        let nonsense = person.random.chance(NONSENSE_PER_MILLE).then(|| person.nonsense(chain));
        let count = if person.spends_twice { 2 } else { 1 };
        let transfers: Vec<_> = (0..count).map(|_| person.transfer(chain, clients)).collect();
        let nonce = Nonce::new(person.made);
        person.made = person.made.saturating_add(1);
        let parcel = |transaction| Parcel::new(transaction, &self.door, &self.verifier);
        let nonsense = nonsense.map(parcel);
        let parcels: Vec<_> = transfers.into_iter().map(parcel).collect();
        let wish = Wish {
            parcels: parcels.clone(),
            replies: std::collections::BTreeMap::new(),
            made_ms: now_ms,
            sent_ms: now_ms,
        };
        self.client(client).wishes.insert(nonce, wish);
        for parcel in parcels.into_iter().chain(nonsense) {
            let n = u64::from(self.plan.replicas);
            let to = self.client(client).random.below(n);
            self.submit(client, u16::try_from(to).unwrap_or_default(), &parcel);
        }
    }

    fn send_again(&mut self, client: u16) {
        let now_ms = self.now.ms();
        let late: Vec<Arc<Parcel>> = self
            .client(client)
            .wishes
            .values_mut()
            .filter(|wish| wish.sent_ms.saturating_add(AGAIN_MS) <= now_ms)
            .flat_map(|wish| {
                wish.sent_ms = now_ms;
                wish.parcels.clone()
            })
            .collect();
        for parcel in late {
            for to in self.replicas() {
                self.submit(client, to, &parcel);
            }
        }
    }

    fn submit(&mut self, client: u16, to: u16, parcel: &Arc<Parcel>) {
        let arrivals = self.links.send(self.now, Party::Client(client), Party::Replica(to));
        for at in arrivals.into_iter().flatten() {
            self.queue.push(at, Event::Submission { to, client, parcel: parcel.clone() });
        }
    }

    /// A request came once more: when it is committed here, the client may have missed the reply.
    pub(super) fn answer_again(&mut self, replica: u16, client: u16, parcel: &Parcel) {
        let transaction = &parcel.transaction.transaction;
        let found = self.host(replica).store.find(&transaction.sender, transaction.nonce);
        if let Some(proved) = found {
            self.reply_to(replica, client, &proved);
        }
    }

    /// A replica says that a block is committed. The wallet's rule: t + 1 of them, each signed, and
    /// the transfer is in the block.
    pub(super) fn reply(&mut self, client: u16, reply: &BlockReply, block: &Arc<ProvedBlock>) {
        let validators = self.genesis.validators().clone();
        let from = reply.replica.get();
        self.trace.add(self.now, 31, client, &from.to_le_bytes());
        let holds = reply.claim(&validators).is_ok_and(|claim| self.verifier.all_hold(&[claim]));
        if !holds || block.block.id() != reply.statement.block {
            return;
        }
        let enough = validators.quorum().reply();
        let (height, id) = (reply.statement.height, reply.statement.block);
        let mut accepted = Vec::new();
        let person = self.client(client);
        let own = types::address::Address::Key(person.signer.public_key());
        for signed in block.block.body.transactions() {
            let nonce = signed.transaction.nonce;
            let Some(wish) = person.wishes.get_mut(&nonce) else {
                continue;
            };
            let wanted = wish.parcels.iter().any(|parcel| parcel.transaction == *signed);
            if signed.transaction.sender != own || !wanted {
                continue;
            }
            let said = wish.replies.entry((signed.id(), height, id)).or_default();
            said.insert(reply.replica);
            if said.len() >= enough {
                accepted.push((nonce, wish.made_ms));
                person.wishes.remove(&nonce);
            }
        }
        for (nonce, made_ms) in accepted {
            let waited_ms = self.now.ms().saturating_sub(made_ms);
            self.counts.longest_wait_ms = self.counts.longest_wait_ms.max(waited_ms);
            self.check.accepted(self.now, client, nonce, height, id);
            self.trace.tell(self.now, || Happened::Accepted {
                client,
                nonce: nonce.get(),
                height: height.get(),
                block: id.short(),
            });
        }
    }

    /// One more transfer of the first client, to see who still votes.
    pub(super) fn roll_call(&mut self) {
        let now = self.now;
        let Some(person) = self.clients.first_mut() else {
            return;
        };
        person.wanted = person.wanted.saturating_add(1);
        if !person.awake {
            person.awake = true;
            self.queue.push(now, Event::Client { client: 0 });
        }
    }
}

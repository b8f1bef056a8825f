//! What a process does when something arrives: as the shell, it steps everything that waits as one
//! batch and performs the outputs as one.

use std::sync::Arc;

use crypto::signed::Signed;
use ledger::{Admission, Origin};
use pbft::ignored::Refusal;
use pbft::{Ignored, Input, Output, Timer};
use types::evidence::Evidence;
use types::replica::ReplicaId;

use super::host::Inbound;
use super::{Event, Inside, World};
use crate::letter::{Letter, Parcel, is_proof};
use crate::links::Party;
use crate::record::{Happened, Loss};

impl World {
    pub(super) fn letter(&mut self, to: u16, number: u64, letter: &Arc<Letter>) {
        self.trace.add(self.now, 1, to, &letter.digest);
        self.comes_in(letter.from, to, number);
        match &letter.message {
            Ok(_) => self.arrive(to, Inbound::Letter(number, letter.clone())),
            // What does not hold is turned away at the door.
            Err(why) if self.host(to).process.is_some() => {
                self.trace.tell(self.now, || Happened::TurnedAway {
                    number,
                    by: to,
                    why: (*why).to_owned(),
                });
            }
            Err(_) => {}
        }
    }

    /// Tells that a message arrives, or that nobody is there.
    fn comes_in(&mut self, from: u16, to: u16, number: u64) {
        let runs = self.host(to).process.is_some();
        self.trace.tell(self.now, || {
            if runs {
                Happened::Arrived { number, from, to }
            } else {
                Happened::Lost { number, from, to, why: Loss::Down }
            }
        });
    }

    pub(super) fn accusation(&mut self, from: u16, to: u16, number: u64, evidence: Arc<Evidence>) {
        self.trace.add(self.now, 14, to, evidence.id().digest().as_bytes());
        self.comes_in(from, to, number);
        if is_proof(&evidence, &self.door, &self.verifier) {
            self.arrive(to, Inbound::Accusation(evidence));
        }
    }

    pub(super) fn requests(&mut self, to: u16, parcels: Arc<Vec<Arc<Parcel>>>) {
        self.trace.add(self.now, 2, to, &[]);
        self.arrive(to, Inbound::Requests(parcels));
    }

    pub(super) fn submission(&mut self, to: u16, client: u16, parcel: &Arc<Parcel>) {
        self.trace.add(self.now, 3, to, &client.to_le_bytes());
        let id = || parcel.transaction.id().short();
        self.trace.tell(self.now, || Happened::Submitted { client, to, transaction: id() });
        if parcel.authentic {
            self.arrive(to, Inbound::Submission(client, parcel.clone()));
        }
    }

    pub(super) fn timer(&mut self, replica: u16, timer: Timer, number: u64) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        // One that was set again since, or was fired, is no more.
        if process.timers.get(&timer) == Some(&number) {
            process.timers.remove(&timer);
            self.trace.add(self.now, 4, replica, &number.to_le_bytes());
            let name = || format!("{timer:?}").to_lowercase();
            self.trace.tell(self.now, || Happened::TimerFired { replica, timer: name() });
            self.arrive(replica, Inbound::Timer(timer));
        }
    }

    pub(super) fn connected(&mut self, to: u16, life: u64, peer: u16) {
        if self.host(to).life == life {
            self.trace.add(self.now, 5, to, &peer.to_le_bytes());
            self.arrive(to, Inbound::Connected(ReplicaId::new(peer)));
            self.ask(to, peer);
        }
    }

    /// Something waits for a process; it looks at it at once when it is free.
    pub(super) fn arrive(&mut self, replica: u16, inbound: Inbound) {
        let host = self.host(replica);
        let Some(process) = &mut host.process else {
            return;
        };
        process.inbox.push(inbound);
        self.turn(replica);
    }

    /// Looks at everything that waits.
    pub(super) fn turn(&mut self, replica: u16) {
        let now = self.now;
        let host = self.host(replica);
        if !host.is_free(now) {
            return;
        }
        let tick = host.tick(now);
        let Some(process) = &mut host.process else {
            return;
        };
        let inbox = std::mem::take(&mut process.inbox);
        if inbox.is_empty() {
            return;
        }
        let mut batch = Output::default();
        self.feed(replica, &mut batch, tick);
        for inbound in inbox {
            self.look_at(replica, &mut batch, inbound);
        }
        self.perform(replica, batch);
    }

    fn look_at(&mut self, replica: u16, batch: &mut Output, inbound: Inbound) {
        match inbound {
            Inbound::Letter(number, letter) => {
                if let Ok(message) = &letter.message {
                    let before = batch.ignored.len();
                    self.feed(replica, batch, Input::Message(Signed::vouched(message.clone())));
                    for ignored in batch.ignored.iter().skip(before) {
                        self.trace.tell(self.now, || not_taken(replica, number, ignored));
                    }
                }
            }
            Inbound::Requests(parcels) => {
                let mut admitted = false;
                for parcel in parcels.iter().filter(|parcel| parcel.authentic) {
                    admitted |= self.admit(replica, parcel, Origin::Peer);
                }
                if admitted {
                    self.feed(replica, batch, Input::Work);
                }
            }
            Inbound::Submission(client, parcel) => {
                if self.admit(replica, &parcel, Origin::Client) {
                    self.feed(replica, batch, Input::Work);
                    self.spread(replica, &Arc::new(vec![parcel]));
                } else {
                    self.answer_again(replica, client, &parcel);
                }
            }
            Inbound::Accusation(evidence) => {
                let evidence = Box::new(Signed::vouched(Evidence::clone(&evidence)));
                self.feed(replica, batch, Input::Evidence(evidence));
            }
            Inbound::Timer(timer) => self.feed(replica, batch, Input::Timer(timer)),
            Inbound::Blocks(blocks) => self.feed(replica, batch, Input::Blocks(blocks)),
            Inbound::Connected(peer) => self.feed(replica, batch, Input::Connected(peer)),
            Inbound::Resend => self.resend_waiting(replica),
        }
    }

    /// One step; its output joins the batch, every field behind what the field holds already.
    pub(super) fn feed(&mut self, replica: u16, batch: &mut Output, input: Input) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        let mut output = process.protocol.step(input);
        batch.records.append(&mut output.records);
        batch.committed.append(&mut output.committed);
        batch.messages.append(&mut output.messages);
        batch.timers.append(&mut output.timers);
        batch.replies.append(&mut output.replies);
        batch.evidence.append(&mut output.evidence);
        batch.ignored.append(&mut output.ignored);
        batch.behind = batch.behind.max(output.behind);
    }

    fn admit(&mut self, replica: u16, parcel: &Parcel, origin: Origin) -> bool {
        let sender = parcel.transaction.transaction.sender;
        let starved = self.starves.filter(|(who, _)| *who == replica);
        if starved.is_some_and(|(_, client)| sender == super::address(client)) {
            return false;
        }
        let Some(process) = &mut self.host(replica).process else {
            return false;
        };
        let transaction = Signed::vouched(parcel.transaction.clone());
        let admitted = process.protocol.application_mut().admit(transaction, origin);
        matches!(admitted, Ok(Admission::Pending))
    }

    /// Tells all other replicas of requests; any of them may miss it.
    pub(super) fn spread(&mut self, from: u16, parcels: &Arc<Vec<Arc<Parcel>>>) {
        for to in self.replicas().filter(|to| *to != from) {
            let arrivals = self.links.send(self.now, Party::Replica(from), Party::Replica(to));
            for at in arrivals.into_iter().flatten() {
                self.queue.push(at, Event::Requests { to, parcels: parcels.clone() });
            }
        }
    }

    /// As the shell does: requests that wait for a whole period are sent to everybody.
    pub(super) fn resend(&mut self, replica: u16) {
        let resend_us = self.resend_us();
        self.later(replica, resend_us, Inside::Resend);
        self.arrive(replica, Inbound::Resend);
    }

    /// How often what waits for long is sent again, in microseconds.
    pub(super) fn resend_us(&self) -> u64 {
        let most_ms = RESEND_MAX_MS.min(self.plan.rules.view_timeout_ms / 4).max(1);
        u64::from(most_ms).saturating_mul(1_000)
    }

    fn resend_waiting(&mut self, replica: u16) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        let ledger = process.protocol.application();
        let waiting = ledger.pending_since(process.resend_before, RESEND_MAX);
        let waiting: Vec<_> = waiting.into_iter().cloned().collect();
        process.resend_before = ledger.ticket();
        if !waiting.is_empty() {
            let parcels = waiting
                .into_iter()
                .map(|transaction| Parcel::new(transaction, &self.door, &self.verifier));
            self.spread(replica, &Arc::new(parcels.collect()));
        }
    }
}

/// A message that a replica was shown and did not act upon.
fn not_taken(by: u16, number: u64, ignored: &Ignored) -> Happened {
    let Ignored::Refused { height, refusal } = ignored else {
        return Happened::Ignored { number, by, why: ignored.name().to_owned() };
    };
    let why = match refusal {
        Refusal::ForeignChain => "it is of another chain".to_owned(),
        Refusal::HeaderView => "its header names another view".to_owned(),
        Refusal::HeaderProposer => "its header names another proposer than the primary".to_owned(),
        Refusal::NotTheTip => "it is not the block that the new view goes on from".to_owned(),
        Refusal::EmptyBody => "there is nothing in it".to_owned(),
        Refusal::WrongParent => "its parent is not the block last voted for".to_owned(),
        Refusal::TimestampNotLater => "its time is not later than its parent's".to_owned(),
        Refusal::Execution(refusal) => refusal.to_string(),
    };
    let (height, rule) = (height.get(), refusal.name().to_owned());
    Happened::Refused { number: Some(number), by, height, rule, why }
}

/// How often requests that wait since the last time are sent to everybody, in milliseconds: the shell's half second,
/// and four times while a view may go without progress.
const RESEND_MAX_MS: u32 = 500;

/// The most requests of one such sending.
const RESEND_MAX: usize = 256;

//! Performing an output strictly from top to bottom, as the shell does: records, flushed, then
//! blocks, then messages, then timers, and replies when the blocks are durable. A process can die
//! at each of these points.

use std::sync::Arc;

use pbft::journal::{append_frame, live, read};
use pbft::{Message, Outgoing, Output, Recipients, Record};
use types::evidence::Evidence;
use types::mutant;
use types::replica::ReplicaId;
use types::reply::{BlockReply, CommittedStatement};

use super::tell::Marked;
use super::{Act, Event, Inside, World};
use crate::letter::{Letter, is_proof};
use crate::links::Party;
use crate::plan::{Death, Moment};
use crate::record::{Happened, Said, contradiction};

impl World {
    /// Begins with an output: its records are written, and the rest waits until they are flushed.
    pub(super) fn perform(&mut self, replica: u16, output: Output) {
        if output.records.is_empty() {
            self.finish(replica, output);
            return;
        }
        if self.dies_with(replica, Moment::BeforeRecords, &output) {
            return;
        }
        let plan = &self.plan;
        let host = self
            .hosts
            .get_mut(usize::from(replica))
            .expect("only replicas that there are perform anything");
        let offset = host.journal.bytes().len();
        let mut frame = Vec::new();
        append_frame(&mut frame, u64::try_from(offset).unwrap_or(u64::MAX), &output.records);
        let written = host.journal.append(&frame, &mut host.random);
        let sync_us = host.sync_us(plan, self.now);
        self.trace.add(self.now, 6, replica, frame.get(..44).unwrap_or_default());
        if written.is_err() {
            self.fails(replica);
            return;
        }
        if self.dies_with(replica, Moment::Written, &output) {
            return;
        }
        mutant!(SentBeforeDurable => { self.send_all(replica, &output.messages); });
        if let Some(process) = &mut self.host(replica).process {
            process.performing = Some(output);
        }
        self.later(replica, sync_us, Inside::Flushed);
    }

    /// The flush comes back.
    pub(super) fn flushed(&mut self, replica: u16) {
        let now = self.now;
        let host = self.host(replica);
        if host.paused > now {
            let wait_us = host.paused.us().saturating_sub(now.us());
            self.later(replica, wait_us, Inside::Flushed);
            return;
        }
        let flushed = host.journal.flush(&mut host.random);
        let taken = host.process.as_mut().and_then(|process| process.performing.take());
        if flushed.is_err() && !mutant!(FlushErrorSwallowed) {
            self.fails(replica);
            return;
        }
        let Some(output) = taken else {
            return;
        };
        self.check.recorded(now, replica, &output.records);
        if self.dies_with(replica, Moment::Flushed, &output) {
            return;
        }
        self.finish(replica, output);
    }

    /// Everything behind the records.
    fn finish(&mut self, replica: u16, mut output: Output) {
        let committed = !output.committed.is_empty();
        for proved in std::mem::take(&mut output.committed) {
            let proved = Arc::new(proved);
            let id = proved.block.id();
            self.trace.add(self.now, 7, replica, id.digest().as_bytes());
            self.tell_of_commit(replica, &proved);
            self.check.committed(self.now, replica, &proved);
            self.note_commit(replica, &proved.block);
            self.show(replica, &Act::Commits(&proved.block));
            self.host(replica).store.push(proved);
        }
        if committed {
            self.store_blocks(replica);
            if self.dies_with(replica, Moment::Committed, &output) {
                return;
            }
        }
        if !self.send_all(replica, &output.messages) {
            return;
        }
        let timers = std::mem::take(&mut output.timers);
        let timed = !timers.is_empty();
        for set in timers {
            let Some(process) = &mut self.host(replica).process else {
                return;
            };
            process.settings = process.settings.saturating_add(1);
            let number = process.settings;
            process.timers.insert(set.timer, number);
            let after_us = u64::from(set.after_ms).saturating_mul(1_000);
            self.later(replica, after_us, Inside::Timer(set.timer, number));
        }
        if timed && self.dies_with(replica, Moment::Done, &output) {
            return;
        }
        for evidence in std::mem::take(&mut output.evidence) {
            // Whoever lies may say that anybody lied; it counts when it would convince others.
            let lies = self.check.is_faulty(replica);
            if !lies || is_proof(&evidence, &self.door, &self.verifier) {
                self.check.evidence(self.now, replica, &evidence);
            }
            let validators = self.genesis.validators();
            let proof = || contradiction(&evidence, validators);
            self.trace.tell(self.now, || Happened::Found { replica, proof: proof() });
            if !lies {
                let culprit = evidence.accused(self.genesis.validators()).get();
                self.counts.culprits.entry(culprit).or_default().insert(evidence.name());
            }
            self.spread_evidence(replica, &Arc::new(evidence));
        }
        for ignored in &output.ignored {
            let count = self.counts.ignored.entry(ignored.name()).or_default();
            *count = count.saturating_add(1);
        }
        if let Some(height) = output.behind {
            self.behind(replica, height);
        }
        if committed {
            self.after_commit(replica);
        }
        self.observe(replica);
        let waits = self.host(replica).process.as_ref().is_some_and(|it| !it.inbox.is_empty());
        if waits {
            self.later(replica, 0, Inside::Turn);
        }
    }

    /// Sends messages; whether the process is still alive behind them.
    fn send_all(&mut self, replica: u16, messages: &[Outgoing]) -> bool {
        let deeds = self.tell_of_deeds(replica);
        if messages.is_empty() {
            return true;
        }
        let doomed = self.is_doomed(replica, Moment::Sending);
        let count = messages.len().saturating_mul(usize::from(self.plan.replicas));
        let last = if doomed { self.host(replica).random.index(count) } else { usize::MAX };
        let mut sent: usize = 0;
        for outgoing in messages {
            self.check.said(self.now, replica, &outgoing.message);
            if let Message::PrePrepare(proposal) = &outgoing.message {
                self.counts.proposed.insert(proposal.block.id());
            }
            self.show(replica, &Act::Says(outgoing));
            let from = ReplicaId::new(replica);
            let letter = Letter::new(&outgoing.message, from, &self.door, &self.verifier);
            let said = || (Said::of(&outgoing.message), deeds.attack(outgoing));
            let said = self.trace.is_heard().then(said);
            let to = match outgoing.to {
                Recipients::All => self.replicas(),
                Recipients::One(to) => to.get()..to.get().saturating_add(1),
            };
            for to in to.filter(|to| *to != replica) {
                if sent >= last {
                    self.dies(replica, Moment::Sending);
                    return false;
                }
                sent = sent.saturating_add(1);
                self.post(replica, to, &letter, said.as_ref());
                if self.dies_behind(replica, outgoing) {
                    return false;
                }
            }
        }
        !self.dies(replica, Moment::Sending) && !self.dies(replica, Moment::Sent)
    }

    /// As the shell: whoever learns of a lie tells everybody once.
    fn spread_evidence(&mut self, from: u16, evidence: &Arc<Evidence>) {
        for to in self.replicas().filter(|to| *to != from) {
            let arrivals = self.links.send(self.now, Party::Replica(from), Party::Replica(to));
            let said = || (Said::of_evidence(evidence, self.genesis.validators()), None);
            let said = self.trace.is_heard().then(said);
            let number = self.tell_of_message(from, to, arrivals, said.as_ref());
            for at in arrivals.into_iter().flatten() {
                let evidence = Arc::clone(evidence);
                self.queue.push(at, Event::Accusation { from, to, number, evidence });
            }
        }
    }

    fn post(&mut self, from: u16, to: u16, letter: &Arc<Letter>, said: Option<&Marked>) {
        self.counts.messages = self.counts.messages.saturating_add(1);
        let arrivals = self.links.send(self.now, Party::Replica(from), Party::Replica(to));
        let number = self.tell_of_message(from, to, arrivals, said);
        for at in arrivals.into_iter().flatten() {
            self.queue.push(at, Event::Letter { to, number, letter: letter.clone() });
        }
    }

    /// As the shell after a commit: a snapshot when it is time, and the journal forgets what it
    /// may.
    fn after_commit(&mut self, replica: u16) {
        let interval = u64::from(self.plan.rules.snapshot_interval_blocks);
        let prune_bytes = usize::try_from(self.plan.disks.prune_bytes).unwrap_or(usize::MAX);
        let host = self.host(replica);
        let Some(process) = &mut host.process else {
            return;
        };
        process.protocol.application_mut().take_dropped();
        let (height, _) = process.protocol.application().committed();
        if height.above(process.snapshot_at) >= interval {
            process.snapshot_at = height;
            host.store.snapshot_later(process.protocol.application().snapshot());
        }
        let thick = host.pruned_bytes.saturating_mul(2).saturating_add(prune_bytes);
        if host.journal.bytes().len() > thick
            && let Ok(contents) = read(host.journal.bytes())
        {
            let mut bytes = Vec::new();
            let stored = host.store.durable();
            let forgets = if mutant!(PrunesTooMuch) { height } else { stored };
            let mut records = live(&contents.records, forgets);
            records.retain(|it| !mutant!(PrunesNewView) || !matches!(it, Record::NewView { .. }));
            append_frame(&mut bytes, 0, &records);
            host.pruned_bytes = bytes.len();
            host.journal.replace(bytes);
            self.counts.pruned = self.counts.pruned.saturating_add(1);
        }
    }

    /// Begins to make blocks durable, unless that is under way; what comes meanwhile waits for the
    /// next time.
    fn store_blocks(&mut self, replica: u16) {
        let store_us = u64::from(self.plan.disks.store_us);
        let host = self.host(replica);
        let blocks = host.store.len();
        let Some(process) = host.process.as_mut().filter(|process| !process.storing) else {
            return;
        };
        process.storing = true;
        self.later(replica, store_us, Inside::Stored(blocks));
    }

    /// Blocks have become durable: now they are replied to.
    pub(super) fn stored(&mut self, replica: u16, blocks: usize) {
        let host = self.host(replica);
        let fresh = host.store.flush(blocks);
        let more = host.store.len() > blocks;
        if let Some(process) = &mut host.process {
            process.storing = false;
        }
        let durable = host.store.durable();
        self.trace.add(self.now, 8, replica, &durable.get().to_le_bytes());
        self.check.durable(replica, durable);
        for proved in fresh {
            for client in 0..self.plan.load.clients {
                self.reply_to(replica, client, &proved);
            }
        }
        if more {
            self.store_blocks(replica);
        }
    }

    /// Tells a client that a block is committed here, signed.
    pub(super) fn reply_to(
        &mut self,
        from: u16,
        client: u16,
        block: &Arc<types::proof::ProvedBlock>,
    ) {
        let arrivals = self.links.send(self.now, Party::Replica(from), Party::Client(client));
        if arrivals.iter().all(Option::is_none) {
            return;
        }
        let header = &block.block.header;
        let statement = CommittedStatement { height: header.height, block: header.id() };
        let signer = Arc::clone(&self.host(from).signer);
        let replica = types::replica::ReplicaId::new(from);
        let reply = BlockReply::sign(statement, replica, self.genesis.chain(), signer.as_ref());
        for at in arrivals.into_iter().flatten() {
            self.queue.push(at, Event::Reply { client, reply, block: block.clone() });
        }
    }

    /// Shows the checker what the replica looks like from outside.
    pub(super) fn observe(&mut self, replica: u16) {
        let now = self.now;
        let host = self.host(replica);
        let journal_bytes = host.journal.bytes().len();
        let Some(process) = &host.process else {
            return;
        };
        let status = process.protocol.status();
        let pool = process.protocol.application().pool();
        self.check.seen(now, replica, &status, &pool, journal_bytes);
        self.trace.stands(now, replica, &status);
    }

    /// A write or a flush failed: the process ends, and is started again.
    fn fails(&mut self, replica: u16) {
        let down_ms = self.host(replica).down_ms;
        self.trace.add(self.now, 9, replica, &[]);
        self.die(replica, Death::Kill, down_ms);
    }

    fn is_doomed(&mut self, replica: u16, moment: Moment) -> bool {
        self.host(replica).doom.is_some_and(|doom| doom.moment == moment)
    }

    /// Whether the process dies at this point of its work.
    pub(super) fn dies(&mut self, replica: u16, moment: Moment) -> bool {
        let Some(doom) = self.host(replica).doom.take_if(|doom| doom.moment == moment) else {
            return false;
        };
        self.die(replica, doom.death, doom.down_ms);
        true
    }
}

//! How a process dies, and how it comes back: the way of production, over what the disk kept.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use byzantine::{Mutator, Random};
use ledger::{Ledger, PoolLimits, Replay, Ticket};
use pbft::{Config, Output, Protocol, Record, Replica, journal};
use types::block::Header;
use types::mutant;
use types::number::Height;
use types::replica::ReplicaId;

use super::host::{Asking, Process};
use super::{Event, Inside, World};
use crate::keys::Owner;
use crate::links::Party;
use crate::plan::{Broken, Death, Fate};
use crate::record::Happened;

/// What stands on a disk, read.
struct Found {
    ledger: Ledger,
    tip: Header,
    snapshot: Height,
    records: Vec<Record>,
}

impl World {
    /// The process is gone, and what was not durable may be.
    pub(super) fn die(&mut self, replica: u16, death: Death, down_ms: u64) {
        let now = self.now;
        let host = self.host(replica);
        host.process = None;
        host.paused = now;
        host.life = host.life.saturating_add(1);
        host.journal.die(death, &mut host.random);
        host.store.die(&mut host.random);
        let (life, dead, kept) = (host.life, host.dead, host.journal.bytes().len());
        self.trace.add(now, 10, replica, &u64::try_from(kept).unwrap_or_default().to_le_bytes());
        let how = match death {
            Death::Kill => "killed",
            Death::PowerCut => "power cut",
        };
        self.trace.tell(now, || Happened::Died { replica, how: how.to_owned() });
        if !dead {
            self.queue.push(now.after_ms(down_ms), Event::Start { replica, life });
        }
    }

    /// A process is started, unless one runs already.
    pub(super) fn start(&mut self, replica: u16, life: u64) {
        let host = self.host(replica);
        if host.life != life || host.process.is_some() || host.dead || host.refused {
            return;
        }
        // What was written and not flushed is about to be said again, so it must be durable first.
        if host.journal.flush(&mut host.random).is_err() {
            let down_ms = host.down_ms;
            self.die(replica, Death::Kill, down_ms);
            return;
        }
        let started = self.read(replica).and_then(|found| {
            let tip = (found.tip.height, found.tip.id());
            self.check.restarted(self.now, replica, tip, &found.records);
            self.recover(replica, found)
        });
        match started {
            Ok(output) => self.begin(replica, output),
            Err(reason) => {
                self.host(replica).refused = true;
                let why = || reason.clone();
                self.trace.tell(self.now, || Happened::RefusedToStart { replica, why: why() });
                self.check.refused(self.now, replica, reason);
            }
        }
    }

    /// Reads journal, snapshot and blocks.
    fn read(&mut self, replica: u16) -> Result<Found, String> {
        let genesis = self.genesis.clone();
        let host = self.host(replica);
        let contents =
            journal::read(host.journal.bytes()).map_err(|damage| format!("journal: {damage}"))?;
        host.journal.cut(usize::try_from(contents.whole_bytes).unwrap_or(usize::MAX));
        let snapshot = host.store.snapshot();
        let snapshot = snapshot.map(|(snapshot, proved)| (snapshot, proved.block.header.clone()));
        let mut replay = Replay::begin(&genesis, snapshot, PoolLimits::default())
            .map_err(|error| format!("store: {error}"))?;
        let start = replay.tip().height;
        while replay.tip().height < host.store.durable() {
            let height = replay.tip().height.next();
            let proved = host.store.read(height).ok_or_else(|| format!("no block {height}"))?;
            replay.apply(&proved.block).map_err(|error| format!("store: {error}"))?;
        }
        let (ledger, tip) = replay.finish();
        Ok(Found { ledger, tip, snapshot: start, records: contents.records })
    }

    /// Makes the replica, and the process around it.
    fn recover(&mut self, replica: u16, found: Found) -> Result<Output, String> {
        let config = Config {
            replica: ReplicaId::new(replica),
            validators: self.genesis.validators().clone(),
            parameters: *self.genesis.parameters(),
        };
        let signer = Arc::clone(&self.host(replica).signer);
        let height = found.tip.height;
        let records = if mutant!(JournalNotReplayed) { Vec::new() } else { found.records };
        let (core, output) = Replica::recover(config, signer, found.ledger, found.tip, records)
            .map_err(|error| format!("recovery: {error}"))?;
        let protocol: Box<dyn Protocol<Application = Ledger>> = if self.lies(replica) {
            Box::new(self.liar(replica, core))
        } else {
            match &self.wrap {
                Some(wrap) => wrap(ReplicaId::new(replica), core),
                None => Box::new(core),
            }
        };
        let now = self.now;
        self.host(replica).process = Some(Process {
            protocol,
            inbox: Vec::new(),
            performing: None,
            timers: BTreeMap::new(),
            settings: 0,
            asking: Asking { peer: replica, ..Asking::default() },
            storing: false,
            snapshot_at: found.snapshot,
            resend_before: Ticket::FIRST,
        });
        self.trace.add(now, 11, replica, &height.get().to_le_bytes());
        self.trace.tell(now, || Happened::Started { replica, height: height.get() });
        Ok(output)
    }

    /// Whether a replica lies by plan.
    fn lies(&self, replica: u16) -> bool {
        let lies = |broken: &Broken| (broken.replica, broken.fate) == (replica, Fate::Lying);
        self.plan.broken.iter().any(lies)
    }

    /// One that lies; after a restart it tells other lies.
    fn liar(&self, replica: u16, core: Replica<Ledger>) -> Mutator {
        let signer = Owner::Replica(replica).signer(self.plan.signer);
        let validators = self.genesis.validators().clone();
        let life = self.hosts.get(usize::from(replica)).map_or(0, |host| host.life);
        let random = Random::stream(self.seed, "lies", &[u64::from(replica), life]);
        let sent = Rc::clone(&self.sent);
        Mutator::new(ReplicaId::new(replica), core, validators, signer, random, sent)
            .witnessed(self.lies.witness(replica))
    }

    /// The first things that a process does, and what its peers notice of it.
    fn begin(&mut self, replica: u16, recovered: Output) {
        self.counts.restarts = self.counts.restarts.saturating_add(1);
        self.perform(replica, recovered);
        let period_us = self.resend_us();
        let host = self.host(replica);
        let resend_us = host.random.below(period_us);
        self.later(replica, resend_us, Inside::Resend);
        self.later(replica, resend_us, Inside::Fetch);
        for peer in self.replicas().filter(|peer| *peer != replica) {
            self.connect(replica, peer);
            self.connect(peer, replica);
        }
    }

    /// A connection stands again, as one end will notice.
    pub(super) fn connect(&mut self, to: u16, peer: u16) {
        let runs = |host: &super::host::Host| host.process.is_some();
        let both = runs(self.host(to)) && runs(self.host(peer));
        let cut = self.links.is_cut(Party::Replica(peer), Party::Replica(to));
        if both && !cut {
            let life = self.host(to).life;
            let at = self.now.after_us(CONNECT_US);
            self.queue.push(at, Event::Connected { to, life, peer });
        }
    }
}

/// How long it takes until a connection is noticed, in microseconds.
const CONNECT_US: u64 = 2_000;

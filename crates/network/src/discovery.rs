//! Finding the other members, from one bootstrap address.
//!
//! Each validator announces itself by gossip, at regular times and when something changed: where it
//! is to be dialled, or who listens to it. From what others announce an address book is kept, and
//! whoever is not connected is dialled. A connected member of whom nothing is heard by gossip for
//! three periods is disconnected, to be dialled again: libp2p can mute a gossip link for good with
//! no more than a log line.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crypto::keys::Signer;
use libp2p::Multiaddr;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::announcement::{
    self, ADDRESSES_MAX, Announcement, LIFETIME_MS, Refusal, SignedAnnouncement,
};
use crate::book::{Book, Delays, Worth};
use crate::event::{GossipVerdict, Payload};
use crate::hub::Hub;
use crate::swarm::Command;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(50);
/// Announcements of our own are at least so far apart, in milliseconds.
const SPACING_MS: u64 = 200;

/// What the swarm has for discovery.
#[derive(Debug)]
pub(crate) enum Note {
    /// An announcement, not yet looked at.
    Announced { bytes: Payload, verdict: GossipVerdict },
    /// A member began to take part in all topics.
    Subscribed,
    /// Somebody said where a member listens.
    Hint { replica: ReplicaId, addresses: Vec<Multiaddr> },
}

/// How many notes may wait; more are dropped, and an announcement comes again.
pub(crate) fn notes_max(others: usize) -> usize {
    others.saturating_mul(4).max(64)
}

/// The task's state.
pub(crate) struct Discovery {
    hub: Arc<Hub>,
    validators: ValidatorSet,
    signer: Arc<dyn Signer>,
    book: Book,
    sequence: u64,
    /// When we announce ourselves next, and when we did last, in milliseconds since the start.
    announce_ms: u64,
    announced_ms: u64,
}

impl Discovery {
    pub(crate) fn new(
        settings: crate::settings::Settings,
        bootstrap: Vec<(ReplicaId, Multiaddr)>,
        hub: Arc<Hub>,
    ) -> Self {
        let delays = Delays {
            min_ms: millis(hub.limits.dial_delay_min),
            max_ms: millis(hub.limits.dial_delay_max),
        };
        let mut book = Book::new(&hub.members, delays);
        for (replica, address) in bootstrap {
            book.add_bootstrap(replica, address);
        }
        Self {
            validators: settings.validators,
            signer: settings.signer,
            book,
            sequence: 0,
            announce_ms: 0,
            announced_ms: 0,
            hub,
        }
    }

    /// Runs until the network ends.
    pub(crate) async fn run(mut self, mut notes: mpsc::Receiver<Note>) {
        let mut addresses = self.hub.addresses.subscribe();
        let mut connections = self.hub.connections.subscribe();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(note) = notes.recv() => self.on_note(note),
                Ok(()) = addresses.changed() => self.announce_soon(),
                Ok(()) = connections.changed() => {
                    let connected = connections.borrow_and_update().clone();
                    self.book.set_connected(&connected, self.hub.now_ms());
                }
                _ = ticks.tick() => self.on_tick(),
            }
        }
    }

    fn on_note(&mut self, note: Note) {
        match note {
            Note::Announced { bytes, verdict } => self.on_announcement(&bytes, verdict),
            Note::Subscribed => self.announce_soon(),
            Note::Hint { replica, addresses } => {
                let peer = self.hub.members.peer(replica);
                let addresses = addresses
                    .into_iter()
                    .filter_map(|address| announcement::of_peer(address, peer?))
                    .collect();
                self.book.hint(replica, addresses, self.hub.now_ms());
            }
        }
    }

    fn on_announcement(&mut self, bytes: &[u8], verdict: GossipVerdict) {
        match self.judge(bytes) {
            Ok(()) => {
                self.hub.metrics.announcement("accepted");
                verdict.accept();
            }
            Err(refusal) => {
                self.hub.metrics.announcement(refusal.name());
                if refusal.is_fault() {
                    tracing::debug!(%refusal, "announcement refused");
                    verdict.reject();
                } else {
                    verdict.ignore();
                }
            }
        }
    }

    fn judge(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let read = announcement::read(bytes, &self.validators, unix_ms())?;
        if read.replica == self.hub.members.own {
            return Err(Refusal::Own);
        }
        let now_ms = self.hub.now_ms();
        match self.book.worth(read.replica, read.sequence, now_ms) {
            Worth::News => {}
            Worth::Old => return Err(Refusal::Old),
            Worth::TooSoon => return Err(Refusal::TooSoon),
        }
        let (replica, sequence) = (read.replica, read.sequence);
        let addresses = read.addresses.clone();
        read.verify(&self.validators)?;
        self.hub.hear(replica);
        if self.book.announce(replica, sequence, addresses, now_ms) {
            // It is new here, so it may not know of us either.
            self.announce_soon();
        }
        Ok(())
    }

    fn on_tick(&mut self) {
        let now_ms = self.hub.now_ms();
        if now_ms >= self.announce_ms {
            self.announce(now_ms);
        }
        for (replica, addresses) in self.book.due(now_ms, random) {
            tracing::debug!(replica = replica.get(), ?addresses, "dialling");
            self.command(Command::Dial { replica, addresses });
        }
        let limit_ms = millis(self.hub.limits.announce_interval).saturating_mul(3);
        let hub = Arc::clone(&self.hub);
        for replica in self.book.silent(now_ms, limit_ms, |replica| hub.heard_ms(replica)) {
            tracing::warn!(replica = replica.get(), "silent for three periods, connecting anew");
            self.command(Command::Disconnect(replica));
        }
    }

    fn announce_soon(&mut self) {
        let soon = self.announced_ms.saturating_add(SPACING_MS);
        self.announce_ms = self.announce_ms.min(soon);
    }

    fn announce(&mut self, now_ms: u64) {
        self.announce_ms = now_ms.saturating_add(millis(self.hub.limits.announce_interval));
        let addresses: Vec<String> =
            self.hub.dialled().iter().take(ADDRESSES_MAX).map(ToString::to_string).collect();
        if addresses.is_empty() {
            return;
        }
        self.announced_ms = now_ms;
        let unix_ms = unix_ms();
        // After a restart it is higher than before, because time has passed.
        self.sequence = self.sequence.saturating_add(1).max(unix_ms);
        let announcement = Announcement {
            key: self.signer.public_key(),
            peer_id: self.hub.members.own_peer.to_string(),
            addresses,
            sequence: self.sequence,
            expires_ms: unix_ms.saturating_add(LIFETIME_MS),
        };
        let signed = SignedAnnouncement::sign(announcement, &self.validators, self.signer.as_ref());
        self.command(Command::Publish {
            topic: self.hub.names.announcements.clone(),
            bytes: signed.to_bytes(),
        });
    }

    /// What the swarm has no room for now is due again later.
    fn command(&self, command: Command) {
        self.hub.commands.try_send(command).ok();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since 1970; zero before that.
fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

/// For spreading dials only; zero when the system has no randomness to give.
fn random() -> u64 {
    getrandom::u64().unwrap_or(0)
}

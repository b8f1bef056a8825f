//! What a validator has seen and does not act on: proposals that were lost, and what every
//! validator last said of itself. The core fills it in passing, clients ask for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::events::EventHub;
use api::hex;
use api::types::{NextHeight, SaidStatus, Waits};
use pbft::status::{Lacks, Members, Status};
use pbft::{Input, Message, Output};
use storage::LostProposals;
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

/// How long what was seen may wait to be written.
const SAVE_PERIOD: Duration = Duration::from_secs(5);

/// What was seen. Clones are the same memory, which is bounded: by the book of lost proposals, and
/// one status of each validator.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Shared>);

struct Shared {
    replicas: Vec<ReplicaId>,
    hub: Arc<EventHub>,
    seen: Mutex<Seen>,
}

struct Seen {
    lost: LostProposals,
    said: BTreeMap<ReplicaId, (Status, Instant)>,
    saved: Instant,
}

impl Observer {
    /// An observer of this network, with the lost proposals of an earlier life.
    pub(crate) fn new(genesis: &Genesis, hub: Arc<EventHub>, kept: Vec<LostProposal>) -> Self {
        let validators = genesis.validators();
        let lost = LostProposals::new(validators, kept);
        let seen = Seen { lost, said: BTreeMap::new(), saved: Instant::now() };
        let replicas = validators.iter().map(|(replica, _)| replica).collect();
        Self(Arc::new(Shared { replicas, hub, seen: Mutex::new(seen) }))
    }

    /// Decides about the heights that were undecided when it was written what is kept, by the blocks that are committed
    /// there.
    pub(crate) fn look_back(&self, block: impl Fn(Height) -> Option<Arc<ProvedBlock>>) {
        let mut seen = self.seen();
        for proved in seen.lost.undecided().into_iter().filter_map(block) {
            seen.lost.commit(&proved).iter().for_each(tell);
        }
    }

    /// The core takes an input, which was checked at the door.
    pub(crate) fn hear(&self, input: &Input) {
        if let Input::Message(message) = input {
            self.note_status(message.get());
        }
    }

    /// The core has performed an output.
    pub(crate) fn see(&self, output: &mut Output) {
        for outgoing in &output.messages {
            self.note_status(&outgoing.message);
        }
        if output.lost.is_empty() && output.committed.is_empty() {
            return;
        }
        let mut seen = self.seen();
        for lost in output.lost.drain(..) {
            seen.lost.note(lost);
        }
        for proved in &output.committed {
            for lost in seen.lost.commit(proved) {
                tell(&lost);
                self.0.hub.lost(&lost);
            }
        }
    }

    fn note_status(&self, message: &Message) {
        if let Message::Status(status) = message {
            let said = (status.clone(), Instant::now());
            self.seen().said.insert(status.standpoint.replica, said);
        }
    }

    /// What every validator last said of itself.
    pub(crate) fn said(&self) -> Vec<SaidStatus> {
        // The core waits for this memory, so it is not kept for long.
        let said: Vec<(Status, Instant)> = self.seen().said.values().cloned().collect();
        let told = said.iter();
        told.map(|(status, at)| said_status(status, at.elapsed(), &self.0.replicas)).collect()
    }

    /// Lost proposals in descending order, below `before`, at most `limit`; and how often one was
    /// not kept.
    pub(crate) fn lost(
        &self,
        before: Option<ProposalPlace>,
        limit: usize,
    ) -> (Vec<LostProposal>, u64) {
        let seen = self.seen();
        (seen.lost.page(before, limit), seen.lost.forgotten())
    }

    /// Everything to be written, when there is news and some time has passed since the last, or at
    /// the `end` of the process.
    pub(crate) fn unsaved(&self, end: bool) -> Option<Vec<LostProposal>> {
        let mut seen = self.seen();
        if !end && seen.saved.elapsed() < SAVE_PERIOD {
            return None;
        }
        seen.saved = Instant::now();
        seen.lost.take_changed()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line in the log.
fn tell(lost: &LostProposal) {
    let place = lost.place();
    tracing::info!(
        height = place.height.get(),
        view = place.view.get(),
        proposer = lost.proposer().get(),
        block = %place.block,
        why = lost.why(),
        winner = ?lost.winner.map(|winner| winner.block),
        "proposal lost"
    );
}

fn said_status(status: &Status, age: Duration, replicas: &[ReplicaId]) -> SaidStatus {
    let said = &status.standpoint;
    SaidStatus {
        replica: said.replica.get(),
        age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        view: said.view,
        entered: said.entered,
        committed: said.committed,
        waits: said.lacks.as_ref().map(|lacks| waits(lacks, said.committed.next(), replicas)),
        status: hex::to_hex_wire(status),
    }
}

fn waits(lacks: &Lacks, height: Height, replicas: &[ReplicaId]) -> Waits {
    let numbers = |members: Members| {
        let of_set = replicas.iter().filter(|replica| members.contains(**replica));
        of_set.map(|replica| replica.get()).collect()
    };
    let next = lacks.heights.first().map(|held| NextHeight {
        height,
        proposal: held.proposal,
        prepares: numbers(held.prepares),
        commits: numbers(held.commits),
    });
    Waits { view_changes: numbers(lacks.view_changes), next, block: lacks.block }
}

#[cfg(test)]
mod tests;

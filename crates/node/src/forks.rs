//! The alarm for a fork: a quorum committed a block that does not fit the chain of this validator.
//!
//! Then more than t validators have lied and no promise of the protocol holds; which chain is the right one, no program
//! can know. So nothing is undone and nothing stops here: operators are told, by an error in the log, a metric and the
//! status, and from what both chains' certificates say the liars are proved, as far as two certificates tell. What the
//! journals of several validators prove beside that, `logothete forensics` finds.
//!
//! The alarm is of this process: after a restart it is raised when the other chain is met again.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::signed::{Signed, Unverified};
use network::Held;
use pbft::Input;
use prometheus_client::metrics::counter::Counter;
use storage::StorageError;
use tokio::sync::{mpsc, watch};
use types::block::{BlockId, Header};
use types::evidence::Evidence;
use types::forensics::Testimony;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::core::{Arrived, View};
use crate::error::NodeError;

/// Blocks that wait for the alarm; more are dropped, and are met again.
pub(crate) const WAITING_MAX: usize = 8;

/// Reads the durable block at a height.
pub(crate) type Read =
    Arc<dyn Fn(Height) -> Result<Option<Arc<ProvedBlock>>, StorageError> + Send + Sync>;

/// Raises the alarm.
pub(crate) struct ForkAlarm {
    /// Whose certificates they are.
    pub(crate) validators: ValidatorSet,
    /// The block below all others.
    pub(crate) genesis: BlockId,
    /// Reads a block of the chain here.
    pub(crate) read: Read,
    /// The height up to which it is durable.
    pub(crate) durable: watch::Receiver<Height>,
    /// What the core has committed.
    pub(crate) view: watch::Receiver<View>,
    /// Proved blocks that may not fit it.
    pub(crate) rivals: mpsc::Receiver<ProvedBlock>,
    /// To the core, which is told who lied.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// The lowest height of a block that does not fit, once there is one.
    pub(crate) seen: watch::Sender<Option<Height>>,
    /// How many were met.
    pub(crate) met: Counter,
}

impl ForkAlarm {
    /// Works until the core is gone.
    ///
    /// A block here that cannot be read is told and passed over: who answers peers and clients does no more either.
    ///
    /// # Errors
    ///
    /// Fails when the process ends.
    pub(crate) async fn run(mut self) -> Result<(), NodeError> {
        let tolerated = self.validators.quorum().t();
        let mut proved: BTreeSet<ReplicaId> = BTreeSet::new();
        while let Some(rival) = self.rivals.recv().await {
            let height = rival.block.header.height;
            let told = self.seen.borrow().is_some_and(|seen| seen <= height);
            if told && proved.len() > tolerated {
                continue;
            }
            // What it contradicts here is in its own place, if something is committed there, or its parent.
            let below = Height::new(height.get().saturating_sub(1));
            let known = self.view.borrow().protocol.committed.min(height).max(below);
            if self.durable.wait_for(|durable| *durable >= known).await.is_err() {
                return Ok(());
            }
            let lies = match self.compare(rival.clone()).await? {
                Ok(Some(lies)) => lies,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(%height, %error, "a block cannot be compared with that of a peer");
                    continue;
                }
            };
            self.met.inc();
            proved.extend(lies.iter().map(|lie| lie.get().accused(&self.validators)));
            if !told {
                self.seen.send_replace(Some(height));
                tell(&rival, &proved);
            }
            for lie in lies {
                let input = Input::Evidence(Box::new(lie));
                if self.inputs.send(Arrived { input, held: Held::default() }).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The lies that are proved by a block that does not fit; `None` when it does.
    async fn compare(
        &self,
        rival: ProvedBlock,
    ) -> Result<Result<Option<Vec<Signed<Evidence>>>, StorageError>, NodeError> {
        let (read, validators, genesis) =
            (Arc::clone(&self.read), self.validators.clone(), self.genesis);
        let compared = tokio::task::spawn_blocking(move || {
            let fits = fits(&read, genesis, &rival.block.header)?;
            Ok((!fits).then(|| lies(&read, &validators, &rival)))
        });
        compared.await.map_err(|_| NodeError::Ended("the alarm for forks"))
    }
}

/// Whether a block is one of the chain here, or a child of its last.
fn fits(read: &Read, genesis: BlockId, header: &Header) -> Result<bool, StorageError> {
    if let Some(own) = read(header.height)? {
        return Ok(own.block.id() == header.id());
    }
    let below = Height::new(header.height.get().saturating_sub(1));
    let below = read(below)?.map_or(genesis, |below| below.block.id());
    Ok(below == header.parent)
}

fn tell(rival: &ProvedBlock, proved: &BTreeSet<ReplicaId>) {
    let culprits: Vec<String> = proved.iter().map(ToString::to_string).collect();
    tracing::error!(
        height = rival.block.header.height.get(),
        block = %rival.block.id(),
        culprits = culprits.join(" "),
        "FORK: a quorum committed a block that does not fit the chain here, so more validators lied than the network \
         bears; trust no payment since, stop the validators, and compare their directories with `logothete forensics`"
    );
}

/// The lies that the proof of a rival and those of the blocks that it contradicts prove together. One of those that
/// cannot be read proves nothing.
fn lies(read: &Read, validators: &ValidatorSet, rival: &ProvedBlock) -> Vec<Signed<Evidence>> {
    let header = &rival.block.header;
    let mut testimony = Testimony::new(validators.clone());
    testimony.proof(header, &rival.proof);
    for height in [header.height.get().saturating_sub(1), header.height.get()] {
        if let Ok(Some(own)) = read(Height::new(height)) {
            testimony.proof(&own.block.header, &own.proof);
        }
    }
    let verified = |lie| Unverified::new(lie).verify(validators).ok();
    testimony.lies().into_iter().filter_map(verified).collect()
}

#[cfg(test)]
mod tests;

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
use storage::{StorageError, Store};
use tokio::sync::{mpsc, watch};
use types::block::{BlockId, Header};
use types::evidence::Evidence;
use types::forensics::Testimony;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::core::Arrived;
use crate::error::NodeError;

/// Blocks that wait for the alarm; more are dropped, and are met again.
pub(crate) const WAITING_MAX: usize = 8;

/// Raises the alarm.
pub(crate) struct ForkAlarm {
    /// Whose certificates they are.
    pub(crate) validators: ValidatorSet,
    /// The block below all others.
    pub(crate) genesis: BlockId,
    /// The chain here.
    pub(crate) store: Store,
    /// The height up to which it is durable.
    pub(crate) durable: watch::Receiver<Height>,
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
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn run(mut self) -> Result<(), NodeError> {
        let tolerated = self.validators.quorum().t();
        let mut proved: BTreeSet<ReplicaId> = BTreeSet::new();
        while let Some(rival) = self.rivals.recv().await {
            let height = rival.block.header.height;
            let told = self.seen.borrow().is_some_and(|seen| seen <= height);
            if told && proved.len() > tolerated {
                continue;
            }
            // What it contradicts here is in its own place, or its parent.
            let below = Height::new(height.get().saturating_sub(1));
            if self.durable.wait_for(|durable| *durable >= below).await.is_err() {
                return Ok(());
            }
            let Some(lies) = self.compare(rival.clone()).await? else {
                continue;
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
    ) -> Result<Option<Vec<Signed<Evidence>>>, NodeError> {
        let (store, validators, genesis) =
            (self.store.clone(), self.validators.clone(), self.genesis);
        let compared = tokio::task::spawn_blocking(move || {
            let fits = fits(&store, genesis, &rival.block.header)?;
            (!fits).then(|| lies(&store, &validators, &rival)).transpose()
        });
        Ok(compared.await.map_err(|_| NodeError::Ended("the alarm for forks"))??)
    }
}

/// Whether a block is one of the chain here, or a child of its last.
fn fits(store: &Store, genesis: BlockId, header: &Header) -> Result<bool, StorageError> {
    if let Some(own) = store.block(header.height)? {
        return Ok(own.block.id() == header.id());
    }
    let below = Height::new(header.height.get().saturating_sub(1));
    let below = store.block(below)?.map_or(genesis, |below| below.block.id());
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

/// The lies that the proof of a rival and those of the blocks that it contradicts prove together.
fn lies(
    store: &Store,
    validators: &ValidatorSet,
    rival: &ProvedBlock,
) -> Result<Vec<Signed<Evidence>>, StorageError> {
    let header = &rival.block.header;
    let mut testimony = Testimony::new(validators.clone());
    testimony.proof(header, &rival.proof);
    for height in [header.height.get().saturating_sub(1), header.height.get()] {
        let own: Option<Arc<ProvedBlock>> = store.block(Height::new(height))?;
        if let Some(own) = own {
            testimony.proof(&own.block.header, &own.proof);
        }
    }
    let verified = |lie| Unverified::new(lie).verify(validators).ok();
    Ok(testimony.lies().into_iter().filter_map(verified).collect())
}

#[cfg(test)]
mod tests;

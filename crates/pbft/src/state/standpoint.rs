//! Where this replica stands, in its own words.

use types::number::Height;

use super::slot::Tally;
use super::{Stage, State};
use crate::status::{HEIGHTS_MAX, Held, Lacks, Members, Standpoint, Status};

impl<A> State<A> {
    /// A status, with what this replica lacks if it is to be sent.
    pub(crate) fn status(&self, lacks: bool) -> Status {
        let standpoint = Standpoint {
            replica: self.config.replica,
            view: self.view,
            entered: self.stage == Stage::Entered,
            committed: self.low(),
            lacks: lacks.then(|| self.lacks()),
        };
        Status::sign(standpoint, self.config.validators.chain(), self.signer.as_ref())
    }

    fn lacks(&self) -> Lacks {
        let asked = self.view_changes.values().filter(|asked| asked.view >= self.view);
        let top = self.slots.keys().next_back().copied().unwrap_or_default();
        let most = u64::try_from(HEIGHTS_MAX).unwrap_or(u64::MAX);
        let top = top.min(self.low().saturating_add(most));
        let heights = (self.low().next().get()..=top.get()).map(Height::new);
        Lacks {
            view_changes: asked.map(|asked| asked.replica).collect(),
            heights: heights.map(|height| self.held(height)).collect(),
            block: self.missing(),
        }
    }

    fn held(&self, height: Height) -> Held {
        let Some(slot) = self.slots.get(&height) else {
            return Held::default();
        };
        Held {
            proposal: slot.proposal.is_some(),
            prepares: members(&slot.prepares),
            commits: members(&slot.commits),
        }
    }
}

fn members(tally: &Tally) -> Members {
    tally.iter().map(|(replica, _)| *replica).collect()
}

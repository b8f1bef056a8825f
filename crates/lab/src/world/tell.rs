//! What the world tells of what happens, for who reads along or records. Nothing here changes what happens.

use types::proof::ProvedBlock;

use super::World;
use crate::links::Arrivals;
use crate::record::lies::{self, Deeds};
use crate::record::{Happened, Loss, Said};

/// What a message says, and the attack that made it.
pub(super) type Marked = (Said, Option<&'static str>);

impl World {
    /// Tells that a message is sent, and whether it is lost at once; its number.
    pub(super) fn tell_of_message(
        &mut self,
        from: u16,
        to: u16,
        arrivals: Arrivals,
        said: Option<&Marked>,
    ) -> u64 {
        let number = self.trace.number();
        if let Some((said, attack)) = said {
            let (said, attack) = (said.clone(), attack.map(str::to_owned));
            self.trace.tell(self.now, || Happened::Sent { number, from, to, said, attack });
            if arrivals.iter().all(Option::is_none) {
                let why = Loss::Link;
                self.trace.tell(self.now, || Happened::Lost { number, from, to, why });
            }
        }
        number
    }

    /// Tells what a replica did because of an attack beside sending messages; all that it did.
    pub(super) fn tell_of_deeds(&mut self, replica: u16) -> Deeds {
        if !self.trace.is_heard() {
            return Deeds::default();
        }
        let deeds = self.lies.take(replica);
        for deed in &deeds.others {
            let (attack, act) = (deed.attack.to_owned(), &deed.act);
            self.trace.tell(self.now, || Happened::Did {
                replica,
                attack,
                deed: lies::in_words(act),
            });
        }
        deeds
    }

    /// Tells that a replica commits a block, and whom the block convicts.
    pub(super) fn tell_of_commit(&mut self, replica: u16, proved: &ProvedBlock) {
        let block = &proved.block;
        let height = block.header.height.get();
        self.trace.tell(self.now, || Happened::Committed {
            replica,
            height,
            view: block.header.view.get(),
            block: block.id().short(),
            transactions: u64::try_from(block.body.len()).unwrap_or(u64::MAX),
        });
        if let Some(evidence) = block.body.evidence() {
            let culprit = evidence.accused(self.genesis.validators()).get();
            self.trace.tell(self.now, || Happened::Convicted { replica, height, culprit });
        }
    }
}

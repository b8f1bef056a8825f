//! What traitors do because of an attack, on its way from the traitor to who records.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use byzantine::{Act, Deed, Witness};
use pbft::Outgoing;

/// The deeds of all traitors of a run. Copies share them.
///
/// A traitor tells of a deed in the step in which it is done, and what it says is sent when its journal is flushed: the
/// world takes the deeds of a replica when it sends. Nothing is kept unless somebody listens.
#[derive(Debug, Clone, Default)]
pub struct Lies(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    listened_to: bool,
    deeds: BTreeMap<u16, Vec<Deed>>,
}

/// What is kept of one replica at most until it sends; one step says far less.
const WAITING_MAX: usize = 4_096;

impl Lies {
    /// Tells of what a replica does.
    pub fn witness(&self, replica: u16) -> Witness {
        let lies = self.clone();
        Box::new(move |deed| lies.tell(replica, deed))
    }

    /// A replica did something.
    pub(crate) fn tell(&self, replica: u16, deed: Deed) {
        let mut told = self.told();
        if told.listened_to {
            let waiting = told.deeds.entry(replica).or_default();
            if waiting.len() < WAITING_MAX {
                waiting.push(deed);
            }
        }
    }

    /// From now on deeds are kept.
    pub(crate) fn listen(&self) {
        self.told().listened_to = true;
    }

    /// What a replica did since it was asked last.
    pub(crate) fn take(&self, replica: u16) -> Deeds {
        let deeds = self.told().deeds.remove(&replica).unwrap_or_default();
        let (said, others) = deeds.into_iter().partition(|deed| deed.said().is_some());
        Deeds { said, others }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one replica did.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    said: Vec<Deed>,
    /// What it did beside saying something.
    pub(crate) others: Vec<Deed>,
}

impl Deeds {
    /// The attack that made this message, if one did. Of several the last one had the last word.
    pub(crate) fn attack(&self, outgoing: &Outgoing) -> Option<&'static str> {
        let mut said = self.said.iter().rev();
        said.find(|deed| deed.said() == Some(outgoing)).map(|deed| deed.attack)
    }
}

/// What somebody did beside saying something, as a sentence without its subject.
pub(crate) fn in_words(act: &Act) -> String {
    match act {
        Act::Says(said) => format!("says {}", said.message.name()),
        Act::Withholds(kept) => {
            let to = match kept.to {
                pbft::Recipients::All => "from all".to_owned(),
                pbft::Recipients::One(to) => format!("from replica {to}"),
            };
            format!("withholds {to}: {}", crate::record::Said::of(&kept.message))
        }
        Act::Keeps(proved) => {
            let (height, block) = (proved.block.header.height, proved.block.id().short());
            format!("hands out height {height}, block {block}, with a false proof")
        }
        Act::TurnsAway(id) => format!("does not hear of request {}", id.short()),
    }
}

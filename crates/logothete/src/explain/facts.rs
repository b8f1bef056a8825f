//! What is known of a network: what each validator that answers says of itself, and whose signed words it shows.

use std::collections::{BTreeMap, BTreeSet};

use api::hex;
use api::types::{SaidStatus, StandingAnswer, Status};
use crypto::signed::Unverified;
use pbft::Message;
use pbft::status::Standpoint;
use types::door::Door;
use types::genesis::Genesis;
use types::replica::ReplicaId;

/// Longest status that is read, in bytes: one about as many heights as are looked at.
const STATUS_BYTES_MAX: usize = 64 << 10;

/// All that is known.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// What everything was checked against.
    pub(crate) genesis: Genesis,
    /// Who answers, each with what it tells.
    pub(crate) witnesses: BTreeMap<ReplicaId, Witness>,
    /// Against whom there is evidence that holds.
    pub(crate) liars: BTreeSet<ReplicaId>,
    /// What is wrong with an answer.
    pub(crate) problems: Vec<String>,
}

/// A validator that answers.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    /// What it says of itself.
    pub(crate) status: Status,
    /// What it last heard of everybody, itself included: signed by whom it is about.
    pub(crate) said: BTreeMap<ReplicaId, Said>,
}

/// What somebody said of himself.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// How long ago it was heard.
    pub(crate) age_ms: u64,
    /// What he said.
    pub(crate) standpoint: Standpoint,
}

impl Facts {
    /// What these validators answer, each with the name it was asked by. What is not signed by whom it is about is left
    /// out and told of.
    pub(crate) fn of(
        genesis: &Genesis,
        answers: Vec<(String, StandingAnswer)>,
        liars: BTreeSet<ReplicaId>,
    ) -> Self {
        let mut facts = Self {
            genesis: genesis.clone(),
            witnesses: BTreeMap::new(),
            liars,
            problems: Vec::new(),
        };
        let door = Door::strict(genesis.validators().clone());
        for (name, answer) in answers {
            facts.take(&name, answer, &door);
        }
        facts
    }

    fn take(&mut self, name: &str, answer: StandingAnswer, door: &Door) {
        let StandingAnswer { status, said } = answer;
        let replica = ReplicaId::new(status.replica);
        if status.chain != *self.genesis.chain() {
            self.problems.push(format!("{name} is of another chain, {}", status.chain));
            return;
        }
        if door.validators().get(replica).is_none() || self.witnesses.contains_key(&replica) {
            self.problems.push(format!("{name} says that it is replica {replica}, and is not"));
            return;
        }
        let mut held = BTreeMap::new();
        for shown in said {
            let about = ReplicaId::new(shown.replica);
            match verified(&shown, door) {
                Some(standpoint) => {
                    held.insert(about, Said { age_ms: shown.age_ms, standpoint });
                }
                None => self.problems.push(format!(
                    "{name} shows a status of replica {about} that this one did not sign"
                )),
            }
        }
        self.witnesses.insert(replica, Witness { status, said: held });
    }
}

/// What was said, if it was said by whom it is about.
fn verified(shown: &SaidStatus, door: &Door) -> Option<Standpoint> {
    let status: pbft::Status = hex::from_hex_wire(&shown.status, STATUS_BYTES_MAX).ok()?;
    let standpoint = status.standpoint.clone();
    Unverified::new(Message::Status(status)).verify(door).ok()?;
    (standpoint.replica.get() == shown.replica).then_some(standpoint)
}

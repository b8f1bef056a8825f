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

/// An answer, and who gave it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The name it was asked by: one that the user knows, and not what it calls itself.
    pub(crate) name: String,
    /// Which validator was asked, when that is known; else it is only the word of whoever answered.
    pub(crate) replica: Option<ReplicaId>,
    /// What it answers.
    pub(crate) answer: StandingAnswer,
}

/// A validator that answers.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    /// What it says and does not sign; nothing when several say that they are this validator.
    pub(crate) status: Option<Status>,
    /// Whether it is known that this validator was asked, so that the status is about it.
    pub(crate) known: bool,
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

impl Witness {
    /// What it says of itself, as far as nobody else can have said it.
    pub(crate) fn own(&self) -> Option<&Status> {
        self.status.as_ref().filter(|_| self.known)
    }
}

impl Facts {
    /// What these validators answer. What is not signed by whom it is about is left out and told of, and so is the
    /// answer of one that gives itself out for another.
    pub(crate) fn of(genesis: &Genesis, answers: Vec<Asked>, liars: BTreeSet<ReplicaId>) -> Self {
        let mut facts = Self {
            genesis: genesis.clone(),
            witnesses: BTreeMap::new(),
            liars,
            problems: Vec::new(),
        };
        let door = Door::strict(genesis.validators().clone());
        let mut claimed: BTreeMap<ReplicaId, Vec<Asked>> = BTreeMap::new();
        for asked in answers {
            match facts.problem(&asked) {
                Some(problem) => facts.problems.push(problem),
                None => {
                    let replica = ReplicaId::new(asked.answer.status.replica);
                    claimed.entry(replica).or_default().push(asked);
                }
            }
        }
        for (replica, claims) in claimed {
            facts.take(replica, claims, &door);
        }
        facts
    }

    /// Why an answer is not used at all.
    fn problem(&self, asked: &Asked) -> Option<String> {
        let (name, status) = (&asked.name, &asked.answer.status);
        let replica = ReplicaId::new(status.replica);
        if status.chain != *self.genesis.chain() {
            return Some(format!("{name} is of another chain, {}", status.chain));
        }
        let other = asked.replica.is_some_and(|expected| expected != replica);
        let holds = !other && self.genesis.validators().get(replica).is_some();
        (!holds).then(|| format!("{name} says that it is replica {replica}, and is not"))
    }

    /// Takes what this validator answers, or all those that say they are this one.
    fn take(&mut self, replica: ReplicaId, claims: Vec<Asked>, door: &Door) {
        let names: Vec<&str> = claims.iter().map(|asked| asked.name.as_str()).collect();
        let only = names.len() == 1;
        if !only {
            let names = names.join(", ");
            self.problems.push(format!(
                "{names} all say that they are replica {replica}: only what is signed counts of them"
            ));
        }
        let mut witness = Witness { status: None, known: false, said: BTreeMap::new() };
        for Asked { name, replica: known, answer } in claims {
            let StandingAnswer { status, said } = answer;
            witness.status = only.then_some(status);
            witness.known = only && known.is_some();
            self.hear(&name, said, &mut witness.said, door);
        }
        self.witnesses.insert(replica, witness);
    }

    /// Takes of the words that one shows those that are signed by whom they are about, of each validator the last.
    fn hear(
        &mut self,
        name: &str,
        said: Vec<SaidStatus>,
        held: &mut BTreeMap<ReplicaId, Said>,
        door: &Door,
    ) {
        for shown in said {
            let (about, age_ms) = (ReplicaId::new(shown.replica), shown.age_ms);
            match verified(&shown, door) {
                Some(_) if held.get(&about).is_some_and(|held| held.age_ms <= age_ms) => {}
                Some(standpoint) => {
                    held.insert(about, Said { age_ms, standpoint });
                }
                None => self.problems.push(format!(
                    "{name} shows a status of replica {about} that this one did not sign"
                )),
            }
        }
    }
}

/// What was said, if it was said by whom it is about.
fn verified(shown: &SaidStatus, door: &Door) -> Option<Standpoint> {
    let status: pbft::Status = hex::from_hex_wire(&shown.status, STATUS_BYTES_MAX).ok()?;
    let standpoint = status.standpoint.clone();
    Unverified::new(Message::Status(status)).verify(door).ok()?;
    (standpoint.replica.get() == shown.replica).then_some(standpoint)
}

//! What the facts show: who is there, who hears whom, how far all are, and what is in progress.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use api::types::Status;
use pbft::status::{Held, Standpoint};
use types::number::{Height, View};
use types::quorum::Quorum;
use types::replica::ReplicaId;

use super::Verdict;
use super::facts::Facts;

/// A validator counts as heard for so long after its last status, in milliseconds: the core holds its timers by the same
/// bound, and a status is said every second at least.
const HEARD_MS: u64 = 3_000;

/// Further below the others than so many windows, a validator is behind and no longer only a little late.
const WINDOWS_BEHIND: u64 = 4;

/// A set of validators.
pub(super) type Members = BTreeSet<ReplicaId>;

/// What the facts show.
pub(super) struct Scene<'a> {
    pub(super) facts: &'a Facts,
    pub(super) quorum: Quorum,
    /// Who answers nobody.
    pub(super) silent: Members,
    /// Who does not answer us, and is heard by others.
    pub(super) heard_only: Members,
    /// Who says that it never votes again.
    pub(super) retired: Members,
    /// Who can vote.
    pub(super) able: Members,
    /// Who hears one another, as each of those that answer tells it; the largest first.
    pub(super) groups: Vec<Members>,
    /// The greatest height and view that t + 1 have reached.
    pub(super) height: Height,
    pub(super) view: View,
    /// Where everybody who is there stands, in his own words.
    standpoints: BTreeMap<ReplicaId, Standpoint>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let validators = facts.genesis.validators();
        let quorum = validators.quorum();
        let all: Members = validators.iter().map(|(replica, _)| replica).collect();
        let answers = |replica: &ReplicaId| facts.witnesses.contains_key(replica);
        let heard = |replica: &ReplicaId| age_ms(facts, *replica).is_some_and(|ms| ms <= HEARD_MS);
        let there: Members =
            all.iter().copied().filter(|replica| answers(replica) || heard(replica)).collect();
        let retired: Members = facts
            .witnesses
            .iter()
            .filter(|(_, witness)| witness.own().is_some_and(|status| status.retired))
            .map(|(replica, _)| *replica)
            .collect();
        let able: Members = there.difference(&retired).copied().collect();
        let standpoints: BTreeMap<_, _> =
            there.iter().filter_map(|replica| Some((*replica, stands(facts, *replica)?))).collect();
        let reached = standpoints.values().map(|it| it.committed).collect();
        let views = standpoints.values().map(|it| it.view).collect();
        Self {
            height: believed(reached, quorum).unwrap_or(Height::GENESIS),
            view: believed(views, quorum).unwrap_or(View::FIRST),
            silent: all.difference(&there).copied().collect(),
            heard_only: there.iter().copied().filter(|replica| !answers(replica)).collect(),
            groups: groups(facts, &able),
            facts,
            quorum,
            retired,
            able,
            standpoints,
        }
    }

    /// What is the matter.
    pub(super) fn verdict(&self) -> Verdict {
        let together = self.groups.first().map_or(0, BTreeSet::len);
        if self.able.len() < self.quorum.q() {
            return Verdict::NoQuorum;
        }
        if together < self.quorum.q() {
            return Verdict::Partitioned;
        }
        let leaving = self.standpoints.values().filter(|it| !it.entered).count();
        if leaving > self.quorum.t() {
            return Verdict::ViewChange;
        }
        if !self.has_work() {
            return Verdict::Idle;
        }
        if self.silent.contains(&self.primary()) {
            return Verdict::PrimarySilent;
        }
        if self.doublings() > 0 {
            return Verdict::Slow;
        }
        let waiting = self.standpoints.values().filter(|it| it.lacks.is_some()).count();
        if waiting > self.quorum.t() { Verdict::Waiting } else { Verdict::Busy }
    }

    pub(super) fn primary(&self) -> ReplicaId {
        self.facts.genesis.validators().primary(self.view)
    }

    pub(super) fn name(&self, replica: ReplicaId) -> String {
        crate::commands::evidence::name(&self.facts.genesis, replica)
    }

    pub(super) fn names<'r>(
        &self,
        replicas: impl IntoIterator<Item = &'r ReplicaId>,
    ) -> Vec<String> {
        replicas.into_iter().map(|replica| self.name(*replica)).collect()
    }

    /// What those say that answer and do not sign.
    fn statuses(&self) -> impl Iterator<Item = &Status> {
        self.facts.witnesses.values().filter_map(|witness| witness.status.as_ref())
    }

    /// How many transactions wait at t + 1 of them at least.
    pub(super) fn pending(&self) -> u64 {
        let pending = self.statuses().map(|status| status.pending).collect();
        believed(pending, self.quorum).unwrap_or_default()
    }

    fn has_work(&self) -> bool {
        let in_flight = self.statuses().map(|status| status.in_flight).collect();
        self.pending() > 0 || believed(in_flight, self.quorum).is_some_and(|count| count > 0)
    }

    /// How long a view may go without progress, as t + 1 of them say.
    pub(super) fn timeout_ms(&self) -> u64 {
        let waits = self.statuses().map(|status| status.timeout_ms);
        believed(waits.collect(), self.quorum).unwrap_or_default()
    }

    pub(super) fn base_ms(&self) -> u64 {
        u64::from(self.facts.genesis.parameters().view_timeout_ms)
    }

    /// How often that time has doubled.
    pub(super) fn doublings(&self) -> u32 {
        let times = self.timeout_ms().checked_div(self.base_ms()).unwrap_or_default();
        times.checked_ilog2().unwrap_or_default()
    }

    /// Whose view changes for this view those have who wait for it.
    pub(super) fn asked(&self) -> Members {
        let leaving = self.standpoints.iter();
        let leaving = leaving.filter(|(_, it)| !it.entered && it.view == self.view);
        let shown =
            leaving.filter_map(|(replica, it)| Some((*replica, it.lacks.as_ref()?.view_changes)));
        self.members_shown(shown.collect())
    }

    /// What those have of the height in progress who have waited for a while.
    pub(super) fn in_progress(&self) -> Vec<(ReplicaId, Held)> {
        let here = self.standpoints.iter();
        let here = here
            .filter(|(_, it)| it.entered && (it.view, it.committed) == (self.view, self.height));
        here.filter_map(|(replica, it)| Some((*replica, *it.lacks.as_ref()?.heights.first()?)))
            .collect()
    }

    /// Who has voted in the phase that the height in progress is in, and who has not; nobody when nothing is.
    pub(super) fn votes(&self) -> (Members, Members) {
        let held = self.in_progress();
        if held.is_empty() {
            return (Members::new(), Members::new());
        }
        let of = |votes: fn(&Held) -> pbft::status::Members| {
            self.members_shown(held.iter().map(|(by, held)| (*by, votes(held))).collect())
        };
        let (prepares, commits) = (of(|held| held.prepares), of(|held| held.commits));
        let voted = if prepares.len() < self.quorum.q() { prepares } else { commits };
        let not_voted = self.all().filter(|replica| !voted.contains(replica)).collect();
        (voted, not_voted)
    }

    /// Whom t + 1 of these show, so that an honest one does, or who shows himself: each set with who shows it.
    fn members_shown(&self, shown: Vec<(ReplicaId, pbft::status::Members)>) -> Members {
        let counts = |replica: &ReplicaId| {
            let by = || shown.iter().filter(|(_, set)| set.contains(*replica)).map(|(by, _)| by);
            by().count() > self.quorum.t() || by().any(|by| by == replica)
        };
        self.all().filter(counts).collect()
    }

    fn all(&self) -> impl Iterator<Item = ReplicaId> {
        self.facts.genesis.validators().iter().map(|(replica, _)| replica)
    }

    /// Who is far behind, and at which height.
    pub(super) fn behind(&self) -> BTreeMap<ReplicaId, Height> {
        let window = u64::from(self.facts.genesis.parameters().window_heights);
        let late = window.saturating_mul(WINDOWS_BEHIND);
        let behind =
            self.standpoints.iter().filter(|(_, it)| self.height.above(it.committed) > late);
        behind.map(|(replica, it)| (*replica, it.committed)).collect()
    }

    /// How long ago somebody was heard last, by whomever.
    pub(super) fn age_ms(&self, replica: ReplicaId) -> Option<u64> {
        age_ms(self.facts, replica)
    }
}

/// The greatest that t + 1 reach; the least when fewer are known.
fn believed<T: Ord + Copy>(mut values: Vec<T>, quorum: Quorum) -> Option<T> {
    values.sort_unstable_by(|one, other| other.cmp(one));
    values.get(quorum.t()).or(values.last()).copied()
}

fn age_ms(facts: &Facts, replica: ReplicaId) -> Option<u64> {
    let heard = facts.witnesses.values().filter_map(|witness| witness.said.get(&replica));
    heard.map(|said| said.age_ms).min()
}

/// Where somebody stands: as he says himself when he is known to answer, else as he signed it last.
fn stands(facts: &Facts, replica: ReplicaId) -> Option<Standpoint> {
    let witness = facts.witnesses.get(&replica);
    let Some((witness, now)) = witness.and_then(|witness| Some((witness, witness.own()?))) else {
        let shown = facts.witnesses.values().filter_map(|witness| witness.said.get(&replica));
        // Who shows an older one, or lies about its age, hides nothing: nobody goes back.
        let last = shown.max_by_key(|said| {
            let it = &said.standpoint;
            (it.committed, it.view, it.entered, Reverse(said.age_ms))
        });
        return last.map(|said| said.standpoint.clone());
    };
    let own = witness.said.get(&replica);
    // What it lacked when it spoke to all it may have got since.
    let lacks = own.map(|said| &said.standpoint).filter(|said| {
        (said.view, said.entered, said.committed) == (now.view, now.entered, now.height)
    });
    Some(Standpoint {
        replica,
        view: now.view,
        entered: now.entered,
        committed: now.height,
        lacks: lacks.and_then(|said| said.lacks.clone()),
    })
}

/// Who hears one another, as each of those tells it that answer and can vote.
fn groups(facts: &Facts, able: &Members) -> Vec<Members> {
    let mut groups: Vec<Members> = Vec::new();
    for (replica, witness) in facts.witnesses.iter().filter(|(replica, _)| able.contains(replica)) {
        let heard = witness.said.iter().filter(|(_, said)| said.age_ms <= HEARD_MS);
        let mut group: Members = heard.map(|(heard, _)| *heard).collect();
        group.insert(*replica);
        group.retain(|member| able.contains(member));
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups.sort_by_key(|group| Reverse(group.len()));
    groups
}

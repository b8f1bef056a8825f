//! Who is guilty of a fork: from everything signed that is at hand, the evidence that it contains (protocol page §7
//! and S12).
//!
//! Two commit certificates for different blocks at one height cannot come from at most t liars. In one view the
//! two quorums share more than t members, each of which signed both. In two views v < v' the new view of v', or one
//! between, either went on from a lower certificate than the commit certificate of v, and more than t of those who
//! asked for it had signed that one (kind 4), or from a certificate of v or of a view between that contradicts it, and
//! the same holds of that. So no case has to be told apart: all statements are laid beside each other, and every
//! contradiction among them is a piece of [`Evidence`]. What fails is naming enough of them when a new view is
//! missing: [`Testimony::lacks_new_view`] says which.
//!
//! Where the statements come from is not here.

use std::collections::{BTreeMap, BTreeSet};

use crypto::verify::{Claim, check_each};

use crate::block::{BlockId, Header};
use crate::certificate::Certificate;
use crate::evidence::{Askers, Certified, Evidence, askers, certified};
use crate::number::{Height, View};
use crate::proof::{DESCENDANTS_MAX, Proof};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::view_change::{Asked, NewView, Opened, ViewChange};
use crate::vote::{Phase, Vote};

/// Where a vote stands among all votes: those of one replica in one view are neighbours, ascending by height.
type Place = (ReplicaId, View, Height, BlockId, Phase);

/// Signed statements, by whomever they were collected. Only what is truly signed gets in, so nobody can spoil it
/// by adding to it.
#[derive(Debug, Clone)]
pub struct Testimony {
    validators: ValidatorSet,
    votes: BTreeMap<Place, Vote>,
    asked: BTreeMap<(ReplicaId, View, Option<Certified>), Asked>,
    opened: BTreeMap<(View, Askers), Opened>,
    /// Of which a whole new view was added, with the certificates in it.
    shown: BTreeSet<View>,
    headers: BTreeMap<BlockId, Header>,
}

impl Testimony {
    /// Nothing yet, about validators of this network.
    pub const fn new(validators: ValidatorSet) -> Self {
        Self {
            validators,
            votes: BTreeMap::new(),
            asked: BTreeMap::new(),
            opened: BTreeMap::new(),
            shown: BTreeSet::new(),
            headers: BTreeMap::new(),
        }
    }

    /// Adds a header, which shows what is an ancestor of what. It needs no signature: its id is its hash.
    pub fn header(&mut self, header: &Header) {
        self.headers.insert(header.id(), header.clone());
    }

    /// Adds votes: those that hold.
    pub fn votes(&mut self, votes: &[Vote]) {
        let claimed: Vec<(&Vote, Claim)> = votes
            .iter()
            .filter_map(|vote| Some((vote, vote.claim(&self.validators).ok()?)))
            .collect();
        let claims: Vec<Claim> = claimed.iter().map(|(_, claim)| *claim).collect();
        for ((vote, _), holds) in claimed.into_iter().zip(check_each(&claims)) {
            if holds {
                let said = &vote.statement;
                let place = (vote.replica, said.view, said.height, said.block, said.phase);
                self.votes.insert(place, *vote);
            }
        }
    }

    /// Adds what the signers of a certificate said.
    pub fn certificate(&mut self, certificate: &Certificate) {
        let statement = certificate.statement;
        let votes = certificate.signatures.iter();
        let votes = votes.map(|(replica, signature)| Vote {
            statement,
            replica: *replica,
            signature: *signature,
        });
        self.votes(&votes.collect::<Vec<_>>());
    }

    /// Adds the proof of the block with this header.
    pub fn proof(&mut self, header: &Header, proof: &Proof) {
        self.header(header);
        proof.descendants.iter().for_each(|descendant| self.header(descendant));
        self.certificate(&proof.certificate);
    }

    /// Adds what its sender said in a view change, and what the signers of its certificate said.
    pub fn view_change(&mut self, view_change: &ViewChange) {
        if let Some(certificate) = &view_change.certificate {
            self.certificate(certificate);
        }
        if view_change.check(&self.validators).is_ok() {
            self.asked(&view_change.into());
        }
    }

    fn asked(&mut self, asked: &Asked) {
        let formed = asked.check(&self.validators).is_ok();
        if formed && asked.claim(&self.validators).is_ok_and(|claim| claim.holds()) {
            let key = (asked.replica, asked.statement.view, certified(&asked.statement));
            self.asked.insert(key, *asked);
        }
    }

    /// Adds what its primary said in a new view, and everything in it.
    pub fn new_view(&mut self, new_view: &NewView) {
        new_view.view_changes.iter().for_each(|asked| self.view_change(asked));
        if new_view.check(&self.validators).is_ok() && self.opened(&new_view.into()) {
            self.shown.insert(new_view.view);
        }
    }

    /// Whether it was truly signed.
    fn opened(&mut self, opened: &Opened) -> bool {
        let formed = opened.check(&self.validators).is_ok();
        let holds = formed && opened.claim(&self.validators).is_ok_and(|claim| claim.holds());
        if holds {
            let key = (opened.statement.view, askers(&opened.statement));
            self.opened.insert(key, opened.clone());
        }
        holds
    }

    /// Adds what is said in a piece of evidence.
    pub fn evidence(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Votes { first, second } => self.votes(&[*first, *second]),
            Evidence::Branches { higher, lower, headers } => {
                headers.iter().for_each(|header| self.header(header));
                self.votes(&[*higher, *lower]);
            }
            Evidence::ViewChanges { first, second } => {
                self.asked(first);
                self.asked(second);
            }
            Evidence::Forgotten { commit, view_change } => {
                self.votes(&[*commit]);
                self.asked(view_change);
            }
            Evidence::NewViews { first, second } => {
                self.opened(first);
                self.opened(second);
            }
        }
    }

    /// Whether no new view of this view is at hand.
    pub fn lacks_new_view(&self, view: View) -> bool {
        !self.shown.contains(&view)
    }

    /// Every lie that is in it: one piece of evidence for each kind and liar, each valid.
    pub fn lies(&self) -> Vec<Evidence> {
        let mut lies = BTreeMap::new();
        let candidates = self
            .double_votes()
            .chain(self.branches())
            .chain(self.double_view_changes())
            .chain(self.forgotten())
            .chain(self.double_new_views());
        for lie in candidates {
            lies.entry((lie.accused(&self.validators), lie.name())).or_insert(lie);
        }
        lies.into_values().collect()
    }

    fn double_votes(&self) -> impl Iterator<Item = Evidence> {
        let mut firsts = BTreeMap::new();
        self.votes.values().filter_map(move |vote| {
            let said = &vote.statement;
            let place = (vote.replica, said.phase, said.view, said.height);
            let first: Vote = *firsts.entry(place).or_insert(*vote);
            let differs = first.statement != vote.statement;
            differs.then_some(Evidence::Votes { first, second: *vote })
        })
    }

    /// Votes of one replica in one view lie on one chain exactly when each is on one chain with its neighbour: an
    /// ancestor's ancestor is an ancestor. Those of one phase at one height are [double votes](Self::double_votes).
    fn branches(&self) -> impl Iterator<Item = Evidence> {
        neighbours(self.votes.values()).filter_map(|(lower, higher)| {
            let [low, high] = [lower, higher].map(|vote| &vote.statement);
            let together = (lower.replica, low.view) == (higher.replica, high.view);
            if !together || (low.phase, low.height) == (high.phase, high.height) {
                return None;
            }
            let headers = self.headers_between(lower, higher)?;
            let evidence = Evidence::Branches { higher: *higher, lower: *lower, headers };
            evidence.check(&self.validators).is_ok().then_some(evidence)
        })
    }

    /// The headers from the block of `higher` down to that above the height of `lower`, if all are at hand.
    fn headers_between(&self, lower: &Vote, higher: &Vote) -> Option<Vec<Header>> {
        let count = higher.statement.height.above(lower.statement.height);
        let count = usize::try_from(count).ok().filter(|count| *count <= DESCENDANTS_MAX)?;
        let mut headers: Vec<Header> = Vec::with_capacity(count);
        let mut id = higher.statement.block;
        while headers.len() < count {
            let header = self.headers.get(&id)?;
            id = header.parent;
            headers.push(header.clone());
        }
        Some(headers)
    }

    fn double_view_changes(&self) -> impl Iterator<Item = Evidence> {
        neighbours(self.asked.values()).filter_map(|(first, second)| {
            let place = |asked: &Asked| (asked.replica, asked.statement.view);
            let together = place(first) == place(second);
            let (first, second) = (*first, *second);
            together.then_some(Evidence::ViewChanges { first, second })
        })
    }

    /// For each view change the greatest commit vote of its sender in an earlier view.
    fn forgotten(&self) -> impl Iterator<Item = Evidence> {
        self.asked.values().filter_map(|view_change| {
            let first = |view| {
                let block = BlockId::new(crypto::digest::Digest::ZERO);
                (view_change.replica, view, Height::GENESIS, block, Phase::Prepare)
            };
            let earlier =
                self.votes.range(first(View::FIRST)..first(view_change.statement.view)).rev();
            let mut earlier = earlier.map(|(_, vote)| vote);
            let commit = *earlier.find(|vote| vote.statement.phase == Phase::Commit)?;
            let view_change = *view_change;
            let evidence = Evidence::Forgotten { commit, view_change };
            evidence.check(&self.validators).is_ok().then_some(evidence)
        })
    }

    fn double_new_views(&self) -> impl Iterator<Item = Evidence> {
        neighbours(self.opened.values()).filter_map(|(first, second)| {
            let together = first.statement.view == second.statement.view;
            let (first, second) = (first.clone(), second.clone());
            together.then_some(Evidence::NewViews { first, second })
        })
    }
}

/// Whose keys lied, by these pieces of evidence.
pub fn culprits(lies: &[Evidence], validators: &ValidatorSet) -> BTreeSet<ReplicaId> {
    lies.iter().map(|lie| lie.accused(validators)).collect()
}

/// Each with the next.
fn neighbours<'a, T: 'a>(
    all: impl Iterator<Item = &'a T> + Clone,
) -> impl Iterator<Item = (&'a T, &'a T)> {
    all.clone().zip(all.skip(1))
}

#[cfg(test)]
mod tests;

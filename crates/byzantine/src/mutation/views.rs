//! Changes of view changes, new views and statuses.

use pbft::Status;
use pbft::status::{Held, Lacks, Members, Standpoint};
use types::block::BlockId;
use types::certificate::Certificate;
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};

use super::{Mutation, Mutator, Variant};

/// More heights than a status may have.
const HEIGHTS_TOO_MANY: usize = 257;

impl Mutator {
    pub(super) fn view_changes(&mut self, one: &ViewChange) -> Vec<Variant<ViewChange>> {
        let ViewChange { view, certificate, replica, signature } = one;
        let same = || one.clone();
        let mut changed = vec![
            (Mutation::ViewChangeView, ViewChange { view: self.view(*view), ..same() }),
            (Mutation::ViewChangeReplica, ViewChange { replica: self.replica(*replica), ..same() }),
        ];
        if certificate.is_some() {
            let bare = ViewChange { certificate: None, ..same() };
            changed.push((Mutation::ViewChangeBare, bare));
        }
        let known = self.memory.certificate(&mut self.random);
        if let Some(known) = known.filter(|known| Some(known) != certificate.as_ref()) {
            let other = ViewChange { certificate: Some(known), ..same() };
            changed.push((Mutation::ViewChangeCertificate, other));
        }
        let certificates: Vec<(Mutation, Certificate)> =
            certificate.iter().flat_map(|certificate| self.certificates(certificate)).collect();
        for (mutation, certificate) in certificates {
            let certificate = Some(certificate);
            changed.push((mutation, ViewChange { certificate, ..same() }));
        }
        let mut variants: Vec<Variant<ViewChange>> = changed
            .into_iter()
            .map(|(mutation, stale)| {
                let anew = Some(self.sign_view_change(stale.clone()));
                Variant { mutation, stale, anew }
            })
            .collect();
        let stale = ViewChange { signature: self.signature(signature), ..same() };
        variants.push(Variant::stale(Mutation::ViewChangeSignature, stale));
        variants
    }

    fn sign_view_change(&self, asked: ViewChange) -> ViewChange {
        let ViewChange { view, certificate, replica, signature: _ } = asked;
        let chain = self.validators.chain();
        ViewChange::sign(view, certificate, replica, chain, self.signer.as_ref())
    }

    pub(super) fn new_views(&mut self, one: &NewView) -> Vec<Variant<NewView>> {
        let NewView { view, view_changes, signature } = one;
        let with = |view_changes: Vec<ViewChange>| NewView { view_changes, ..one.clone() };
        let reverse = view_changes.iter().rev().cloned().collect();
        let mut changed = vec![
            (Mutation::NewViewView, NewView { view: self.view(*view), ..one.clone() }),
            (Mutation::NewViewReordered, with(reverse)),
        ];
        let place = self.random.index(view_changes.len());
        if let Some(chosen) = view_changes.get(place).cloned() {
            let mut change = |mutation, change: &dyn Fn(&mut Vec<ViewChange>)| {
                let mut view_changes = view_changes.clone();
                change(&mut view_changes);
                changed.push((mutation, with(view_changes)));
            };
            change(Mutation::NewViewDropped, &|it| {
                it.remove(place);
            });
            change(Mutation::NewViewDoubled, &|it| it.insert(place, chosen.clone()));
            let known = self.memory.asked(&mut self.random);
            if let Some(known) = known.filter(|known| known.view != *view) {
                change(Mutation::NewViewMixed, &|it| replace(it, place, &known));
            }
            for of_member in self.view_changes(&chosen) {
                let own = chosen.replica == self.own;
                let other = of_member.anew.filter(|_| own).unwrap_or(of_member.stale);
                change(of_member.mutation, &|it| replace(it, place, &other));
            }
        }
        let (chain, signer) = (*self.validators.chain(), std::sync::Arc::clone(&self.signer));
        let sign = |stale: &NewView| {
            let view_changes = stale.view_changes.clone();
            NewView::sign(stale.view, view_changes, &chain, signer.as_ref())
        };
        let mut variants: Vec<Variant<NewView>> = changed
            .into_iter()
            .map(|(mutation, stale)| Variant { mutation, anew: Some(sign(&stale)), stale })
            .collect();
        let stale = NewView { signature: self.signature(signature), ..one.clone() };
        variants.push(Variant::stale(Mutation::NewViewSignature, stale));
        variants
    }

    pub(super) fn statuses(&mut self, one: &Status) -> Vec<Variant<Status>> {
        let Status { standpoint, signature } = one;
        let Standpoint { replica, view, entered, committed, lacks } = standpoint;
        let same = || standpoint.clone();
        let mut changed = vec![
            (Mutation::StatusReplica, Standpoint { replica: self.replica(*replica), ..same() }),
            (Mutation::StatusView, Standpoint { view: self.view(*view), ..same() }),
            (Mutation::StatusEntered, Standpoint { entered: !entered, ..same() }),
            (
                Mutation::StatusCommitted,
                Standpoint { committed: self.height(*committed), ..same() },
            ),
        ];
        let turned = match lacks {
            Some(_) => None,
            None => Some(Lacks::default()),
        };
        changed.push((Mutation::StatusLacks, Standpoint { lacks: turned, ..same() }));
        // What is lacking is only said after a while: a liar says it at once.
        let lacks = lacks.clone().unwrap_or_default();
        for (mutation, lacks) in self.lacks(&lacks) {
            changed.push((mutation, Standpoint { lacks: Some(lacks), ..same() }));
        }
        let (chain, signer) = (*self.validators.chain(), std::sync::Arc::clone(&self.signer));
        let mut variants: Vec<Variant<Status>> = changed
            .into_iter()
            .map(|(mutation, standpoint)| Variant {
                mutation,
                anew: Some(Status::sign(standpoint.clone(), &chain, signer.as_ref())),
                stale: Status { standpoint, signature: *signature },
            })
            .collect();
        let signature = self.signature(signature);
        let stale = Status { standpoint: same(), signature };
        variants.push(Variant::stale(Mutation::StatusSignature, stale));
        variants
    }

    fn lacks(&mut self, one: &Lacks) -> Vec<(Mutation, Lacks)> {
        let Lacks { view_changes, heights, block } = one;
        let same = || one.clone();
        let counts = [0, 1, heights.len().saturating_add(1), HEIGHTS_TOO_MANY];
        let count = self.random.pick(&counts).copied().unwrap_or_default();
        let more = heights.iter().copied().chain(std::iter::repeat(Held::default()));
        let id = self.block_id(&block.unwrap_or(BlockId::NONE));
        let mut changed = vec![
            (
                Mutation::LacksViewChanges,
                Lacks { view_changes: self.members(*view_changes), ..same() },
            ),
            (Mutation::LacksHeights, Lacks { heights: more.take(count).collect(), ..same() }),
            (Mutation::LacksBlock, Lacks { block: Some(id), ..same() }),
        ];
        let place = self.random.index(heights.len());
        let held = heights.get(place).copied().unwrap_or_default();
        for (mutation, held) in self.held(held) {
            let mut heights = heights.clone();
            match heights.get_mut(place) {
                Some(known) => *known = held,
                None => heights.push(held),
            }
            changed.push((mutation, Lacks { heights, ..same() }));
        }
        changed
    }

    fn held(&mut self, one: Held) -> [(Mutation, Held); 3] {
        let Held { proposal, prepares, commits } = one;
        [
            (Mutation::HeldProposal, Held { proposal: !proposal, ..one }),
            (Mutation::HeldPrepares, Held { prepares: self.members(prepares), ..one }),
            (Mutation::HeldCommits, Held { commits: self.members(commits), ..one }),
        ]
    }

    /// Everybody, if that is something else, or nobody.
    fn members(&mut self, members: Members) -> Members {
        let everybody: Members = (0..128).map(ReplicaId::new).collect();
        if members == everybody || self.random.chance(300) { Members::default() } else { everybody }
    }
}

fn replace(items: &mut [ViewChange], place: usize, with: &ViewChange) {
    if let Some(item) = items.get_mut(place) {
        *item = with.clone();
    }
}

//! Lies in view changes and new views.

use pbft::{Message, Outgoing, Protocol, Recipients};
use types::block::BlockId;
use types::certificate::Certificate;
use types::number::View;
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement};

use super::{Answer, Liar, Lie};

/// How far away the views are that nobody wants.
const FAR: u64 = 1 << 40;

impl Liar {
    /// Asks for a view, with another certificate for everybody.
    pub(super) fn ask(&mut self, to: Recipients, asked: ViewChange) -> Vec<Outgoing> {
        let view = asked.view;
        self.desk.memory.note_view_change(&asked);
        let mut said = Vec::new();
        for other in self.desk.receivers(to) {
            let message = Message::ViewChange(self.any_view_change(view, &asked));
            said.push(Outgoing { to: Recipients::One(other), message });
            if self.tells(Lie::AsksForMore) {
                let far = View::new(FAR.saturating_add(view.get()));
                let message = Message::ViewChange(self.desk.view_change(far, None));
                said.push(Outgoing { to: Recipients::One(other), message });
            }
        }
        said
    }

    fn any_view_change(&mut self, view: View, asked: &ViewChange) -> ViewChange {
        if self.tells(Lie::Forges) && self.desk.random.chance(700) {
            return self.desk.view_change(view, self.forged(view));
        }
        if self.tells(Lie::AnyCertificate) {
            let certificate = self.any_certificate(view);
            return self.desk.view_change(view, certificate);
        }
        asked.clone()
    }

    /// One that can be made of what was heard: none, any, the lowest, or the highest above the ground.
    fn any_certificate(&mut self, below: View) -> Option<Certificate> {
        let others = self.desk.validators.quorum().q().saturating_sub(1);
        let known = self.desk.memory.certifiable(self.desk.own, others, below);
        let statement = match self.desk.random.below(4) {
            0 => None,
            1 => self.desk.random.pick(&known).copied(),
            2 => known.into_iter().min_by_key(|it| (it.view, it.height)),
            _ => known.into_iter().max_by_key(|it| (it.height, std::cmp::Reverse(it.view))),
        }?;
        let own = (self.desk.own, self.desk.vote(statement.phase, &statement).signature);
        Some(self.desk.memory.certificate(statement, own))
    }

    /// One that nobody else has signed, for the greatest place there can be.
    fn forged(&self, below: View) -> Option<Certificate> {
        let view = View::new(below.get().checked_sub(1)?);
        let block = self.rivals.any().unwrap_or(BlockId::NONE);
        let height = self.status().committed.next();
        let statement = Statement { phase: Phase::Prepare, view, height, block };
        let signature = self.desk.vote(Phase::Prepare, &statement).signature;
        let mut signatures = vec![(self.desk.own, signature)];
        signatures.extend(self.desk.others().into_iter().map(|other| (other, signature)));
        Some(Certificate { statement, signatures })
    }

    /// An own new view: as it is, beside another one, or not to everybody.
    pub(super) fn show_new_view(&mut self, to: Recipients, new_view: NewView) -> Vec<Outgoing> {
        if self.tells(Lie::TwoNewViews) {
            return self.two_new_views(to, new_view);
        }
        let shown = self.desk.receivers(to).into_iter().filter(|other| !self.leaves_out(*other));
        let message = Message::NewView(new_view);
        shown
            .map(|other| Outgoing { to: Recipients::One(other), message: message.clone() })
            .collect()
    }

    /// Whether a new view is hidden from a replica: from as many as a quorum can do without, the next ones behind it.
    fn leaves_out(&self, other: ReplicaId) -> bool {
        let quorum = self.desk.validators.quorum();
        let (own, n) = (usize::from(self.desk.own.get()), quorum.n());
        let behind = usize::from(other.get()).saturating_add(n).saturating_sub(own);
        let behind = behind.checked_rem(n).unwrap_or_default();
        self.tells(Lie::HidesNewViews) && behind <= n.saturating_sub(quorum.q())
    }

    /// Two new views of one view, in any order for everybody.
    fn two_new_views(&mut self, to: Recipients, first: NewView) -> Vec<Outgoing> {
        let view = first.view;
        let certificate = self.any_certificate(view);
        let other = self.desk.view_change(view, certificate);
        let mut asked = first.view_changes.clone();
        for known in &mut asked {
            if known.replica == self.desk.own {
                *known = other.clone();
            }
        }
        let second =
            NewView::sign(view, asked, self.desk.validators.chain(), self.desk.signer.as_ref());
        let mut said = Vec::new();
        for other in self.desk.receivers(to) {
            let mut both = [first.clone(), second.clone()];
            if self.desk.random.chance(500) {
                both.reverse();
            }
            said.extend(both.map(|new_view| Outgoing {
                to: Recipients::One(other),
                message: Message::NewView(new_view),
            }));
        }
        said
    }

    /// A new view of a view that another one leads, or of too few: whatever was heard, under the own key.
    pub(super) fn new_view_of_other(&mut self, view: View) -> Vec<Outgoing> {
        let mut asked = self.desk.memory.asked(view);
        asked.retain(|asked| asked.replica != self.desk.own);
        let enough = asked.len() >= self.desk.validators.quorum().t();
        if !enough || !self.first_time(Answer::NewView(view, asked.len())) {
            return Vec::new();
        }
        asked.push(self.desk.view_change(view, None));
        asked.sort_by_key(|asked| asked.replica);
        let new_view =
            NewView::sign(view, asked, self.desk.validators.chain(), self.desk.signer.as_ref());
        vec![Outgoing { to: Recipients::All, message: Message::NewView(new_view) }]
    }
}

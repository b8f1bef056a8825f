//! What this replica has said under its key, as far as it matters, and what it does when it meets more.
//!
//! What lies below its last words cannot be told: it forgets what is committed and the views it has left. Nothing
//! that it may still say can contradict that.

use types::certificate::Certificate;
use types::number::View;
use types::view_change::{NewView, ViewChange};
use types::vote::{Statement, Vote};

use super::{Stage, Standing, State};
use crate::output::Output;
use crate::record::{Record, Retirement};

impl<A> State<A> {
    /// Why a vote under this replica's key is none of its own.
    pub(crate) fn unknown_vote(&self, vote: Vote) -> Option<Retirement> {
        let Statement { phase, view, height, block } = vote.statement;
        let said = self.own_vote(phase, height).filter(|said| said.statement.view == view);
        let other = said.is_some_and(|said| said.statement.block != block);
        let unknown = other || Some((view, height)) > self.spoken.last(phase);
        unknown.then_some(Retirement::Vote(vote))
    }

    /// Why a view change under this replica's key is none of its own.
    pub(crate) fn unknown_view_change(&self, asked: &ViewChange) -> Option<Retirement> {
        let own = self.view_changes.get(&self.config.replica);
        let shown = self.new_view.iter().flat_map(|new_view| &new_view.view_changes);
        let mut known = own.into_iter().chain(shown);
        let known = known.find(|known| known.replica == asked.replica && known.view == asked.view);
        let unknown = match known {
            Some(known) => known.statement() != asked.statement(),
            None => {
                asked.view > self.view || (asked.view == self.view && self.stage == Stage::Moved)
            }
        };
        unknown.then(|| Retirement::ViewChange(asked.statement()))
    }

    /// Why a new view under this replica's key is none of its own.
    pub(crate) fn unknown_new_view(&self, new_view: &NewView) -> Option<Retirement> {
        let known = self.new_view.as_ref().map(NewView::statement);
        let other = new_view.view == self.view && known != Some(new_view.statement());
        let unknown = other || self.is_behind(new_view.view);
        unknown.then(|| Retirement::NewView(new_view.statement()))
    }

    fn is_behind(&self, view: View) -> bool {
        view > self.view || (view == self.view && self.stage != Stage::Entered)
    }

    /// Looks for this replica's own words in a certificate that others show.
    pub(crate) fn question_certificate(&mut self, certificate: &Certificate, output: &mut Output) {
        let own = self.config.replica;
        let signature = certificate.signatures.iter().find(|(replica, _)| *replica == own);
        let unknown = signature.and_then(|(replica, signature)| {
            let statement = certificate.statement;
            self.unknown_vote(Vote { statement, replica: *replica, signature: *signature })
        });
        if let Some(reason) = unknown {
            self.retire(reason, output);
        }
    }

    /// Never votes again, because the key has spoken without this replica's knowledge.
    pub(crate) fn retire(&mut self, reason: Retirement, output: &mut Output) {
        match self.standing {
            Standing::Voting | Standing::Left | Standing::Diverged => {
                self.standing = Standing::Retired;
                output.records.push(Record::Retired { reason });
            }
            Standing::Retired => {}
        }
    }
}

//! Leaving a view and entering another (protocol page, section 4): the two changes of state that go with it.

use types::application::Application;
use types::mutant;
use types::number::{Height, View};
use types::view_change::{NewView, ViewChange};

use super::pace::STATUS_BUSY_MS;
use super::{Batch, Stage, Standing, State};
use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients, Timer, TimerSet};
use crate::record::Record;

impl<A: Application> State<A> {
    /// Asks for a later view, for good: what it says is fixed with this.
    pub(crate) fn ask(&mut self, view: View, output: &mut Output) {
        mutant!(VotesInAbandonedView => { return crate::mutated::ask(self, view, output) });
        self.report_left(view, output);
        self.leave(view, Stage::Asked);
        self.say_view_change(view, output);
    }

    /// Says, and writes down, that it asks for a view.
    pub(crate) fn say_view_change(&mut self, view: View, output: &mut Output) {
        let own = self.config.replica;
        let chain = self.config.validators.chain();
        let certificate = self.certificate.clone().filter(|_| !mutant!(BareViewChange));
        let view_change = ViewChange::sign(view, certificate, own, chain, self.signer.as_ref());
        output.records.push(Record::ViewChange { view_change: view_change.clone() });
        let message = Message::ViewChange(view_change.clone());
        output.messages.push(Outgoing { to: Recipients::All, message });
        self.view_changes.insert(own, view_change);
    }

    /// Leaves the view for a later one. Speculative layers are dropped and their requests wait again; the blocks that
    /// were voted for stay.
    pub(crate) fn leave(&mut self, view: View, stage: Stage) {
        assert!(view > self.view, "a view is left for a later one, not {} for {view}", self.view);
        self.forget_layers();
        self.view = view;
        self.stage = stage;
        if self.standing == Standing::Left {
            self.standing = Standing::Voting;
        }
        self.new_view = None;
        self.tip = None;
        self.opened = false;
        self.last_prepare = None;
        if !mutant!(OldVotesCounted) {
            self.slots.clear();
        }
        self.path.clear();
        mutant!(BodiesDropped => { self.path = super::path::Path::default() });
        self.view_changes.retain(|_, asked| asked.view >= view);
        self.starved = false;
        self.executed = self.low();
        for peer in self.peers.values_mut() {
            peer.voted = Height::GENESIS;
        }
        self.batch = Batch::Empty;
        self.early = None;
        self.pace.leave();
    }

    /// Moves to a view in which a quorum votes, without entering it. That it votes no more in the one it had entered is
    /// written down: after a restart it is there again, and what was committed since may be beside what it voted for.
    pub(crate) fn move_to(&mut self, view: View, output: &mut Output) {
        if self.is_voting() {
            let (height, block) = (self.low(), self.committed.id);
            output.records.push(Record::Left { view: self.view, height, block });
        }
        self.report_left(view, output);
        self.leave(view, Stage::Moved);
    }

    /// Enters a view with its new view, which was checked, and is recorded before anything is said in the view.
    pub(crate) fn enter(&mut self, new_view: NewView, output: &mut Output) {
        if new_view.view > self.view {
            self.report_left(new_view.view, output);
            self.leave(new_view.view, Stage::Moved);
        }
        output.records.push(Record::NewView { new_view: new_view.clone() });
        self.take_over(new_view);
        // What is still lacking soon, a block on the way to the tip above all, is asked for before the view fails for it.
        self.status_at = Some((self.view, self.low()));
        output.timers.push(TimerSet { timer: Timer::Status, after_ms: STATUS_BUSY_MS });
    }

    /// Stands on the tip of a new view.
    pub(crate) fn take_over(&mut self, new_view: NewView) {
        let certificates =
            new_view.view_changes.iter().filter_map(|asked| asked.certificate.as_ref());
        if let Some(greatest) = certificates.max_by_key(|certificate| certificate.rank()) {
            self.raise_certificate(greatest);
        }
        self.stage = Stage::Entered;
        self.pace.enter();
        self.tip = new_view.tip();
        if let Some(tip) = self.tip.filter(|tip| tip.height > self.low()) {
            self.path.push(tip.height, tip.block);
        }
        mutant!(OldParent => { crate::mutated::stand_on_highest(self) });
        let entered = self.view;
        self.view_changes.retain(|_, asked| asked.view > entered);
        self.new_view = Some(new_view);
    }

    /// Drops everything executed above the committed block.
    fn forget_layers(&mut self) {
        mutant!(LayersKept => { return });
        let first = self.low().next();
        if let Some(id) = self.path.at(first).filter(|_| self.executed >= first) {
            self.application.forget(&id);
        }
    }
}

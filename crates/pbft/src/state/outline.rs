//! What of a state decides what is said next, as canonical bytes: for model checks, which merge states of equal outline.
//!
//! Left out is what can never change what a replica says, votes, commits or refuses:
//!
//! - **time**: the clocks and the pace. A model check lets patience end whenever there is something to wait for, and
//!   whether there is follows from the rest;
//! - **the signers of certificates**: nothing may be told apart by them. That a replica finds its own unknown vote in
//!   a certificate is the same question as meeting the vote itself;
//! - **what only proves the lies of others**: their last commit votes, what their view changes show to somebody who
//!   is not the primary of the view asked for, what a new view shows beside its tip and the own view change, who was
//!   accused. Evidence is a pair of what one key has signed, and a model check looks at all pairs. What follows from it
//!   (it is proposed, and its owner is not waited for) must be so from the beginning or never, by the application;
//! - **hints and courtesy**: how far peers say they are, who was answered, what was last said about where this
//!   replica stands;
//! - **what is constant**: configuration, keys, and the application, whose state is that of the committed block and of
//!   those executed above it. Own messages are all delivered at the end of a step.
//!
//! The lab walks replicas with histories of their own beside the merged ones, and compares.

use crypto::encoding::{Encode, encode};
use types::block::BlockId;
use types::certificate::Certificate;
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use super::slot::{Slot, Tally};
use super::{Batch, Stage, Standing, State};

impl<A> State<A> {
    /// The outline, see [`Replica::outline`](crate::Replica::outline).
    pub(crate) fn outline(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        let stage = match self.stage {
            Stage::Entered => 0_u8,
            Stage::Asked => 1,
            Stage::Moved => 2,
        };
        let standing = match self.standing {
            Standing::Voting => 0_u8,
            Standing::Left => 1,
            Standing::Diverged => 2,
            Standing::Retired => 3,
        };
        let batch = match self.batch {
            Batch::Empty => 0_u8,
            Batch::Waiting => 1,
            Batch::Due => 2,
        };
        let flags = (self.opened, self.starved, self.early, batch);
        put(&mut bytes, &(self.view, stage, standing, flags, self.committed.id, self.executed));
        let made = self.new_view.as_ref().filter(|_| self.is_primary()).map(NewView::statement);
        let mut shown = self.new_view.iter().flat_map(|new_view| &new_view.view_changes);
        let own = shown.find(|asked| asked.replica == self.config.replica);
        let own = own.map(ViewChange::statement);
        put(&mut bytes, &(made, own, self.tip));
        put(&mut bytes, &[&self.last_prepare, &self.last_commit].map(|vote| vote.map(said)));
        put(&mut bytes, &[Phase::Prepare, Phase::Commit].map(|phase| self.spoken.last(phase)));
        let highest = [&self.prepared, &self.certificate];
        put(&mut bytes, &highest.map(|certificate| certificate.as_ref().map(certified)));
        put(&mut bytes, &self.path.ids().collect::<Vec<_>>());
        put(&mut bytes, &self.path.kept().collect::<Vec<_>>());
        put(&mut bytes, &self.slots.len());
        for (height, slot) in &self.slots {
            put(&mut bytes, height);
            slot.outline(&mut bytes);
        }
        let asked = self.view_changes.iter();
        let asked = asked.map(|(replica, asked)| (*replica, asked.view, self.shown(asked)));
        put(&mut bytes, &asked.collect::<Vec<_>>());
        bytes
    }

    /// What a view change shows to this replica: it says it itself, or makes the new view.
    fn shown(&self, asked: &ViewChange) -> Option<Statement> {
        let own = self.config.replica;
        let matters = asked.replica == own || self.config.validators.primary(asked.view) == own;
        asked.certified().filter(|_| matters)
    }
}

impl Slot {
    fn outline(&self, bytes: &mut Vec<u8>) {
        let proposal = self.proposal.as_ref();
        put(bytes, &proposal.map(|proposal| (proposal.id, proposal.refused)));
        put(bytes, &votes(&self.prepares));
        put(bytes, &votes(&self.commits));
    }
}

fn votes(tally: &Tally) -> Vec<(ReplicaId, BlockId)> {
    tally.iter().map(|(replica, vote)| (*replica, vote.statement.block)).collect()
}

const fn said(vote: Vote) -> Statement {
    vote.statement
}

const fn certified(certificate: &Certificate) -> Statement {
    certificate.statement
}

fn put<T: Encode>(bytes: &mut Vec<u8>, value: &T) {
    bytes.extend(encode(value));
}

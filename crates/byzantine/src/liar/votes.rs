//! Lies in votes.

use crypto::digest::Digest;
use pbft::{Message, Outgoing, Recipients};
use types::block::BlockId;
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::{Answer, Liar, Lie};

impl Liar {
    /// Votes of both phases for what somebody votes for, to him.
    pub(super) fn echo(&mut self, to: ReplicaId, statement: &Statement) -> Vec<Outgoing> {
        if !self.first_time(Answer::Vote(to, *statement)) {
            return Vec::new();
        }
        let votes = [
            Message::Prepare(self.desk.vote(Phase::Prepare, statement)),
            Message::Commit(self.desk.vote(Phase::Commit, statement)),
        ];
        votes.map(|message| Outgoing { to: Recipients::One(to), message }).into()
    }

    /// An own vote: given, kept back, or given behind one for a block that there is not.
    pub(super) fn vote_as_it_likes(
        &mut self,
        to: Recipients,
        message: Message,
        vote: Vote,
    ) -> Vec<Outgoing> {
        if self.tells(Lie::Withholds) {
            return Vec::new();
        }
        let mut said = Vec::new();
        if self.tells(Lie::VotesForNothing) && self.desk.random.chance(500) {
            let phase = vote.statement.phase;
            let block = nothing(vote.statement.block);
            let other = self.desk.vote(phase, &Statement { block, ..vote.statement });
            let message = match phase {
                Phase::Prepare => Message::Prepare(other),
                Phase::Commit => Message::Commit(other),
            };
            said.push(Outgoing { to, message });
        }
        said.push(Outgoing { to, message });
        said
    }
}

/// The id of a block that nobody has made.
fn nothing(block: BlockId) -> BlockId {
    let mut bytes = *block.digest().as_bytes();
    bytes.reverse();
    BlockId::new(Digest::from_bytes(bytes))
}

//! Several replicas that lie by one plan: they show one half of the others one network, and the other half another.
//!
//! Whoever of them leads a view proposes two blocks at every height, one to each half, and every one of them votes for
//! both, for each before those who were shown it. They say nothing else. That is the most that can be done to have two
//! blocks committed at one height: if each half together with the conspirators makes a quorum, it succeeds, and if no two
//! quorums have but liars in common, nothing does.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crypto::keys::Signer;
use ledger::Ledger;
use pbft::{Input, Message, Outgoing, Output, PrePrepare, Protocol, Recipients, Replica};
use types::block::Block;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::Phase;

use crate::traitor::{Witness, tell_of_lies};
use crate::{Desk, Random, Twin};

/// As many pairs of blocks are made, over the life of a conspiracy.
const PAIRS_MAX: usize = 64;

/// Makes the second block of a first one; where it stands is seen to.
pub type Rival = Box<dyn Fn(Block) -> Block>;

/// What conspirators have agreed on.
pub struct Conspiracy {
    halves: [BTreeSet<ReplicaId>; 2],
    rival: Rival,
    /// What the leaders among them have proposed so far, to each half.
    pairs: Vec<[PrePrepare; 2]>,
}

impl Conspiracy {
    /// A plan against these two halves of the others.
    pub fn new(halves: [BTreeSet<ReplicaId>; 2], rival: Rival) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { halves, rival, pairs: Vec::new() }))
    }

    /// A rival that says the same a millisecond later.
    pub fn later() -> Rival {
        Box::new(|mut block| {
            block.header.timestamp_ms = block.header.timestamp_ms.saturating_add(1);
            block
        })
    }

    /// Two blocks are made of one, each on the block below that its half was shown.
    fn propose(&mut self, desk: &Desk, first: &PrePrepare) {
        let id = first.vote.statement.block;
        let known = self.pairs.iter().any(|[known, _]| known.vote.statement.block == id);
        if known || self.pairs.len() >= PAIRS_MAX {
            return;
        }
        let mut block = (self.rival)(first.block.clone());
        let below = self
            .pairs
            .iter()
            .find(|[below, _]| below.vote.statement.block == first.block.header.parent);
        if let Some([_, below]) = below {
            block.header.parent = below.vote.statement.block;
        }
        let second = desk.propose(block, first.vote.statement.view);
        self.pairs.push([first.clone(), second]);
    }
}

/// One of them.
pub struct Conspirator {
    inner: Twin,
    desk: Desk,
    shared: Rc<RefCell<Conspiracy>>,
    /// How many pairs it has voted for.
    voted: usize,
    witness: Option<Witness>,
}

impl Conspirator {
    /// A conspirator around a replica, with the key that the replica has.
    pub fn new(
        own: ReplicaId,
        inner: Replica<Ledger>,
        validators: ValidatorSet,
        signer: Arc<dyn Signer>,
        shared: Rc<RefCell<Conspiracy>>,
    ) -> Self {
        let random = Random::stream(0, "conspirator", &[]);
        let desk = Desk::new(own, validators.clone(), signer, random, inner.status());
        let inner = Twin::new(own, inner, validators);
        Self { inner, desk, shared, voted: 0, witness: None }
    }

    /// The same, and the witness is told of what it says that the replica inside does not say.
    #[must_use]
    pub fn witnessed(self, witness: Witness) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// What it says to each half of what it has not voted for yet.
    fn vote(&mut self) -> Vec<Outgoing> {
        let shared = self.shared.borrow();
        let mut said = Vec::new();
        for pair in shared.pairs.iter().skip(self.voted) {
            for (half, proposal) in shared.halves.iter().zip(pair) {
                let statement = &proposal.vote.statement;
                let prepare = if proposal.vote.replica == self.desk.own {
                    Message::PrePrepare(proposal.clone())
                } else {
                    Message::Prepare(self.desk.vote(Phase::Prepare, statement))
                };
                let commit = Message::Commit(self.desk.commit(statement));
                for other in half {
                    let to = Recipients::One(*other);
                    said.push(Outgoing { to, message: prepare.clone() });
                    said.push(Outgoing { to, message: commit.clone() });
                }
            }
        }
        self.voted = shared.pairs.len();
        said
    }
}

impl Protocol for Conspirator {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        let mut output = self.inner.step(input);
        let honest = std::mem::take(&mut output.messages);
        for outgoing in &honest {
            if let Message::PrePrepare(first) = &outgoing.message
                && self.desk.is_own_first_proposal(first)
            {
                self.shared.borrow_mut().propose(&self.desk, first);
            }
        }
        output.messages = self.vote();
        tell_of_lies(&mut self.witness, "split", &honest, &output.messages);
        output
    }

    crate::as_inner!();
}

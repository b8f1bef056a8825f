//! The model check: every order of delivery within a small scope, over the production core.
//!
//! There are four replicas. The faulty ones, of which one is within what the protocol bears, say anything that
//! they can sign about the blocks of the [`Scope`]: two proposals on every parent in each view that they lead, and in it
//! every other block that there is; votes of both phases for every block in every view; view changes with nothing
//! or with any certificate that the votes cast so far allow; new views of any quorum of view changes. Bodies, and
//! blocks with any proof that the votes allow, are handed over by anybody. All of it to whom they like and when they
//! like. The honest ones are the production [`Replica`](pbft::Replica) over the smallest of applications. Every word once
//! said can be delivered to each of them at any time, in any order, again, late, or never; and a replica that waits for
//! something can lose its patience at any time, in every view but the last.
//!
//! Not in here: time beyond that (timestamps, starved requests), restarts (the crash [matrix](crate::matrix) has them),
//! blocks that cannot be executed, forged signatures (the door's tests have them), more requests than one for each
//! height, and a liar that asks for a view behind the last.
//!
//! # What makes it small, and why nothing is lost
//!
//! All that was ever said is one *soup* from which everything can be delivered again. A replica changes only by what is
//! delivered to it, and the others see nothing of the change but what it says. So once it is fixed who says what in
//! which order, what one replica may have been delivered in between is its own business: it depends on the soups, and
//! not on what the others were delivered. A *configuration* is therefore the soup, and for each honest replica the
//! **set of all states** that it may be in after that history: everything that can be delivered to it was, in every order
//! and not, short of what makes it speak. From a configuration the search goes on with everything that any state of
//! any replica can say next, and with all states behind it. (This is the subset construction of automata theory, with
//! what is said as the alphabet.) The states of the network after a history are exactly the combinations of one
//! state of each set, so properties of pairs are asserted over all pairs. A test searches a small scope without any of
//! this, state of the network by state, and finds exactly the same ones.
//!
//! States are told apart by their [outline](pbft::Replica::outline), kept as a 128-bit digest; its own page says what it
//! leaves out, and why. Steps of the core are computed once for each state and word. A test lets replicas with
//! histories of their own walk beside the merged states, and compares every step. What a certificate is of counts, not
//! who signed it; and two new views that differ only in what a liar asked with, and have one tip, are one word.
//!
//! # What is asserted
//!
//! Over every configuration: no two honest replicas commit different blocks at one height (S1); committed blocks are
//! one chain (S2); whatever is committed has a proof (S4) for which a quorum has voted, counted here; no honest key
//! contradicts itself (S5), and no pair of its words is evidence by the production code's own rules (S12). In every
//! step: no invariant of the core fails, whatever it gives out as evidence is some (S12), and no replica finds words
//! of its own that it does not know. (Whom the core accuses is watched on the walks: a merged state may
//! remember words of others from several histories, so only a pair of words that were really said can count.)
//!
//! # What is counted
//!
//! [`Search::states`] are pairs of a soup and a state of one replica: each was stored, and every word of the soup was
//! delivered to it. [`Search::represented`] is computed and not visited: how many states of the network, at least, the
//! configurations stand for.

use std::collections::BTreeMap;

use serde::Serialize;

mod application;
mod judge;
mod liar;
mod local;
mod route;
mod search;
mod sets;
mod words;

pub use search::explore;

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// The replicas that lie. With more than one of four nothing is promised, and forks are found.
    pub faulty: Vec<u16>,
    /// The last view that anybody asks for; 0 when no view ever changes.
    pub last_view: u64,
    /// How many heights have requests; as many may be in flight.
    pub heights: u64,
    /// How many blocks a liar makes on each parent for each view that it leads.
    pub rivals: u64,
    /// States after which the search is given up.
    pub states_max: u64,
}

impl Default for Scope {
    /// One height in two views, with the first primary lying.
    fn default() -> Self {
        Self { faulty: vec![0], last_view: 1, heights: 1, rivals: 2, states_max: u64::MAX }
    }
}

/// How far a search has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Configurations that were looked at.
    pub configurations: u64,
    /// Configurations that wait to be looked at.
    pub waiting: u64,
    /// See [`Search::states`].
    pub states: u64,
}

/// What came of a search.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    /// What was searched.
    pub scope: Scope,
    /// Whether nothing within the scope is left; not when the search was given up or something is broken.
    pub exhaustive: bool,
    /// Pairs of what was said and a state that one replica may be in then, each visited.
    pub states: u64,
    /// Configurations: what was said, with the sets of states that all replicas may be in then.
    pub configurations: u64,
    /// Different soups: sets of words that honest replicas have said.
    pub soups: u64,
    /// Different states of single replicas.
    pub locals: u64,
    /// Steps of the core that were computed.
    pub steps: u64,
    /// Different words that were said, lies included.
    pub words: u64,
    /// How many different states of the network the configurations stand for, at least: of each soup, the product of
    /// the sets in the largest configuration.
    pub represented: u128,
    /// Configurations in which some replica may have committed by votes of a view, by view.
    pub committing: BTreeMap<u64, u64>,
    /// What was broken, and how.
    pub broken: Option<Counterexample>,
}

/// How a property was broken.
#[derive(Debug, Clone, Serialize)]
pub struct Counterexample {
    /// What.
    pub sentence: String,
    /// What was delivered, in order.
    pub schedule: Vec<Delivery>,
}

/// One delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// To whom.
    pub replica: u16,
    /// The number of the word in its search.
    #[serde(skip)]
    pub number: u32,
    /// What.
    pub takes: String,
    /// Whether no honest replica has said it.
    pub lie: bool,
    /// What is said to it.
    pub says: Vec<String>,
}

#[cfg(test)]
mod tests;

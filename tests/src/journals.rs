//! What validators have signed over their whole life, read from their journals: nothing contradicts
//! anything (protocol page, S5 and section 7).

use std::collections::BTreeMap;
use std::path::Path;

use pbft::record::Record;
use storage::Archive;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::view_change::{NewView, NewViewStatement, ViewChange, ViewChangeStatement};
use types::vote::{Phase, Statement, Vote};

use crate::testnet::Testnet;

/// What one key has signed, and what it took from others.
#[derive(Debug, Default)]
pub struct Said {
    votes: Vec<Statement>,
    parents: BTreeMap<BlockId, (Height, BlockId)>,
    view_changes: BTreeMap<View, ViewChangeStatement>,
    new_views: BTreeMap<View, NewViewStatement>,
    retired: bool,
}

impl Said {
    /// Adds the journal of a data directory in which nobody works.
    ///
    /// # Panics
    ///
    /// When it cannot be read, or contradicts itself or what was added before.
    pub fn add(&mut self, data: &Path, genesis: &Genesis) {
        let scratch = tempfile::tempdir().expect("a directory for a test");
        let archive = Archive::open(data, genesis, scratch.path());
        let archive = archive.unwrap_or_else(|error| panic!("{}: {error}", data.display()));
        let mut view = View::default();
        for record in archive.records() {
            match record {
                Record::Vote { vote, block } => {
                    if let Some(block) = block {
                        let header = &block.header;
                        self.parents.insert(block.id(), (header.height, header.parent));
                    }
                    assert!(vote.statement.view >= view, "it had left the view of {vote:?}");
                    self.vote(vote);
                }
                Record::ViewChange { view_change } => {
                    view = view.max(view_change.view);
                    self.view_change(view_change);
                }
                Record::NewView { new_view } => {
                    view = view.max(new_view.view);
                    self.new_view(new_view);
                }
                Record::Retired { .. } => self.retired = true,
                Record::Certificate { .. } | Record::Left { .. } => {}
            }
        }
        self.assert_one_chain_in_each_view();
        self.assert_commits_are_told();
    }

    /// Whether it has said that it never votes again.
    pub fn is_retired(&self) -> bool {
        self.retired
    }

    /// How many votes it has signed.
    pub fn votes(&self) -> usize {
        self.votes.len()
    }

    /// Evidence of the first kind: two ids at one place.
    fn vote(&mut self, vote: &Vote) {
        let place = |one: &Statement| (one.phase, one.view, one.height);
        let said = vote.statement;
        let other = self.votes.iter().rev().find(|one| place(one) == place(&said));
        match other {
            Some(other) => assert_eq!(*other, said, "two votes for one place"),
            None => self.votes.push(said),
        }
    }

    /// Of the third kind: two view changes for one view.
    fn view_change(&mut self, view_change: &ViewChange) {
        let said = view_change.statement();
        let first = self.view_changes.entry(said.view).or_insert(said);
        assert_eq!(*first, said, "two view changes for one view");
    }

    /// Of the fifth kind: two new views for one view, its own or accepted.
    fn new_view(&mut self, new_view: &NewView) {
        let said = new_view.statement();
        let first = self.new_views.entry(said.view).or_insert_with(|| said.clone());
        assert_eq!(*first, said, "two new views for one view");
    }

    /// Of the second kind: votes in one view for blocks neither of which descends from the other.
    fn assert_one_chain_in_each_view(&self) {
        let mut heights: BTreeMap<View, BTreeMap<Height, BlockId>> = BTreeMap::new();
        for vote in &self.votes {
            let chain = heights.entry(vote.view).or_default();
            let first = chain.entry(vote.height).or_insert(vote.block);
            assert_eq!(*first, vote.block, "prepare and commit part at {vote:?}");
        }
        for (view, chain) in heights {
            for ((low, ancestor), (high, block)) in chain.iter().zip(chain.iter().skip(1)) {
                // Between two votes lie only blocks that came by catch-up, which journals do not
                // have.
                if let Some(found) = self.ancestor(*block, *low) {
                    assert_eq!(found, *ancestor, "two branches in view {view}: {low} and {high}");
                }
            }
        }
    }

    fn ancestor(&self, mut block: BlockId, at: Height) -> Option<BlockId> {
        loop {
            let (height, parent) = self.parents.get(&block)?;
            if *height <= at {
                return Some(block);
            }
            block = *parent;
            if height.get() == at.get() + 1 {
                return Some(block);
            }
        }
    }

    /// Of the fourth kind: a view change that is silent about a commit vote of an earlier view.
    fn assert_commits_are_told(&self) {
        for (view, said) in &self.view_changes {
            let told = said.certified.map(|certified| (certified.view, certified.height));
            let commits = self.votes.iter().filter(|vote| vote.phase == Phase::Commit);
            for vote in commits.filter(|vote| vote.view < *view) {
                let place = Some((vote.view, vote.height));
                assert!(told >= place, "{said:?} is silent about {vote:?}");
            }
        }
    }
}

/// The journals of all validators of a stopped testnet hold no contradiction, not even taken
/// together, and nobody has retired.
///
/// # Panics
///
/// When it is not so.
pub fn assert_no_contradiction(testnet: &Testnet) {
    let genesis = testnet.genesis();
    let all: Vec<Said> = (0..genesis.validators().len())
        .map(|node| {
            let mut said = Said::default();
            said.add(&testnet.node(node).join("data"), &genesis);
            assert!(!said.is_retired(), "node{node} never votes again");
            assert!(said.votes() > 0, "node{node} has never voted");
            said
        })
        .collect();
    assert_new_views_are_one(&all);
}

/// Everybody accepted the same new view for each view: its primary made only one.
///
/// # Panics
///
/// When it is not so.
pub fn assert_new_views_are_one(all: &[Said]) {
    let mut new_views: BTreeMap<View, &NewViewStatement> = BTreeMap::new();
    for said in all.iter().flat_map(|said| said.new_views.values()) {
        let first = new_views.entry(said.view).or_insert(said);
        assert_eq!(*first, said, "its primary made two new views for one view");
    }
}

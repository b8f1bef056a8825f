//! What is asserted of words and chains, on words and chains that are doctored.

use std::collections::BTreeSet;
use std::sync::Arc;

use types::block::BlockId;
use types::number::View;
use types::vote::Phase;

use crate::explore::Scope;
use crate::explore::judge::{consistent, differ, proved};
use crate::explore::search::genesis;
use crate::explore::words::{Word, Words};

/// Two blocks at height 1, and a child of the first.
fn words() -> (Words, [BlockId; 3]) {
    let mut words = Words::new(genesis(2), vec![0]);
    let parent = words.genesis.header().clone();
    let one = words.child(&parent, View::FIRST, 1);
    let other = words.child(&parent, View::FIRST, 2);
    let header = words.header(&one).unwrap().clone();
    let child = words.child(&header, View::FIRST, 1);
    (words, [one, other, child])
}

fn vote(words: &mut Words, replica: u16, phase: Phase, view: u64, block: &BlockId) -> u32 {
    let statement = words.statement(phase, View::new(view), block).unwrap();
    words.number(Word::Vote { replica, statement })
}

fn asked(words: &mut Words, view: u64, what: Option<(Phase, u64, &BlockId)>) -> u32 {
    let certified =
        what.map(|(phase, view, block)| words.statement(phase, View::new(view), block).unwrap());
    words.number(Word::Asked { replica: 1, view: View::new(view), certified })
}

#[test]
fn who_says_one_thing_is_consistent() {
    let (mut words, [one, other, child]) = words();
    let said = BTreeSet::from([
        vote(&mut words, 1, Phase::Prepare, 0, &one),
        vote(&mut words, 1, Phase::Prepare, 0, &child),
        vote(&mut words, 1, Phase::Commit, 0, &one),
        asked(&mut words, 1, Some((Phase::Prepare, 0, &one))),
        vote(&mut words, 1, Phase::Prepare, 1, &one),
        // What others say is no concern of this one.
        vote(&mut words, 2, Phase::Prepare, 0, &other),
    ]);

    assert_eq!(consistent(&words, 1, &said), Ok(()));
}

#[test]
fn every_contradiction_is_found() {
    let (mut words, [one, other, child]) = words();
    let w = &mut words;
    let cases = [
        (
            "votes twice",
            vec![vote(w, 1, Phase::Prepare, 0, &one), vote(w, 1, Phase::Prepare, 0, &other)],
        ),
        (
            "are no chain",
            vec![vote(w, 1, Phase::Prepare, 0, &other), vote(w, 1, Phase::Prepare, 0, &child)],
        ),
        (
            "evidence of branches",
            vec![vote(w, 1, Phase::Prepare, 0, &child), vote(w, 1, Phase::Commit, 0, &other)],
        ),
        (
            "asks twice for view 1",
            vec![asked(w, 1, None), asked(w, 1, Some((Phase::Prepare, 0, &one)))],
        ),
        ("forgets a commit vote", vec![vote(w, 1, Phase::Commit, 0, &one), asked(w, 1, None)]),
    ];

    for (what, said) in cases {
        let found = consistent(&words, 1, &said.into_iter().collect());
        assert!(found.as_ref().is_err_and(|found| found.contains(what)), "{what}: {found:?}");
    }
}

#[test]
fn a_commit_needs_the_votes_of_a_quorum_and_chains_may_not_differ() {
    let (mut words, [one, other, child]) = words();
    let scope = Scope { faulty: vec![0], ..Scope::default() };
    let statement = |block: &BlockId| words.statement(Phase::Commit, View::FIRST, block).unwrap();
    let chain = |blocks: &[BlockId]| {
        Arc::new(blocks.iter().map(|block| (*block, statement(block))).collect::<Vec<_>>())
    };
    let (long, short, fork) = (chain(&[one, child]), chain(&[one]), chain(&[other]));
    let mut said = BTreeSet::from([vote(&mut words, 1, Phase::Commit, 0, &one)]);
    said.insert(vote(&mut words, 2, Phase::Commit, 0, &other));

    let few = proved(&words, &scope, &said, &short);
    said.insert(vote(&mut words, 3, Phase::Commit, 0, &one));
    let enough = proved(&words, &scope, &said, &short);

    assert!(few.is_err_and(|few| few.contains("by 2 votes")));
    assert_eq!(enough, Ok(()));
    assert!(!differ(&long, &short) && !differ(&short, &long));
    assert!(differ(&long, &fork) && differ(&fork, &short));
}

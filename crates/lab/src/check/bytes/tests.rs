//! The checker's own arithmetic and bytes, against the nouns it does not use.

use types::genesis::Genesis;
use types::vote::Phase;

use super::header_id;
use crate::check::fixture::Story;
use crate::check::{Checker, Property};
use crate::keys::{SignerKind, Verifier};
use crate::plan::{Limits, Plan};

fn genesis(n: u16) -> Genesis {
    let plan = Plan::random(1, &Limits { replicas: vec![n], ..Limits::default() });
    crate::world::genesis(&plan)
}

#[test]
fn quorums_are_those_of_the_protocol_page() {
    for n in 1..=16 {
        let genesis = genesis(n);
        let verifier = Verifier::new(SignerKind::Fast);
        let check = Checker::new(&genesis, verifier, std::collections::BTreeSet::new());
        assert_eq!(check.members.quorum(), genesis.validators().quorum().q(), "n = {n}");
    }
}

#[test]
fn ids_and_signatures_are_those_of_the_nouns() {
    let mut story = Story::new();
    for block in &story.blocks {
        assert_eq!(header_id(&block.header), block.id());
    }
    let block = story.blocks[0].clone();
    let vote = story.vote(1, Phase::Prepare, 0, &block);
    let signed = |vote: &types::vote::Vote| {
        story.check.members.signed_by(&vote.statement, &[(1, vote.signature)])
    };
    assert!(signed(&vote));
    assert!(!signed(&types::vote::Vote {
        statement: types::vote::Statement { phase: Phase::Commit, ..vote.statement },
        ..vote
    }));
    story.votes(1, 0, &block);
    assert_eq!(story.broken(), Vec::<Property>::new());
}

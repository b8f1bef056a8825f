//! Liars who fork a chain are named, at least t + 1 of them, and nobody else is.

use std::collections::BTreeSet;

use crypto::signed::Unverified;
use proptest::prelude::*;

use super::{Testimony, culprits};
use crate::block::{Block, Header};
use crate::certificate::Certificate;
use crate::evidence::Evidence;
use crate::number::View;
use crate::proof::Proof;
use crate::replica::ReplicaId;
use crate::tests::fixtures::{
    block, blocks, certificate, other_chain, secret, statement, validators, view_change, vote,
};
use crate::view_change::{NewView, ViewChange};
use crate::vote::{Phase, Statement, Vote};

/// Most validators of a network here.
const N_MAX: u8 = 10;

/// In which the first of two conflicting blocks commits.
const VIEW: u64 = 2;

/// In which the other one does, when it is not the same.
const LATER: u64 = 5;

/// Blocks 1 to `count` of the one branch, or of the other, which leaves it above the first block.
fn branch(other: bool, count: u64) -> Vec<Block> {
    let mut chain = blocks(1);
    for height in 2..=count {
        let mut next = block(height, chain[chain.len() - 1].id());
        next.header.timestamp_ms += u64::from(other);
        chain.push(next);
    }
    chain
}

fn said(phase: Phase, view: u64, header: &Header) -> Statement {
    Statement { view: View::new(view), ..statement(phase, header) }
}

/// The proof of the second block of a branch by a commit certificate for its last one.
fn proof(view: u64, branch: &[Block], signers: &BTreeSet<u8>) -> Proof {
    Proof {
        descendants: branch[2..].iter().map(|block| block.header.clone()).collect(),
        certificate: certified(Phase::Commit, view, &branch[branch.len() - 1], signers),
    }
}

fn certified(phase: Phase, view: u64, block: &Block, signers: &BTreeSet<u8>) -> Certificate {
    let signers: Vec<u8> = signers.iter().copied().collect();
    certificate(said(phase, view, &block.header), &signers)
}

/// A set of `count` of the first `n`, drawn by these numbers.
fn some_of(n: u8, count: usize, draws: &[u32]) -> BTreeSet<u8> {
    let mut order: Vec<u8> = (0..n).collect();
    order.sort_by_key(|replica| draws[usize::from(*replica)]);
    order.into_iter().take(count).collect()
}

fn numbers(replicas: &BTreeSet<ReplicaId>) -> BTreeSet<u8> {
    replicas.iter().map(|replica| u8::try_from(replica.get()).unwrap()).collect()
}

/// Whom the evidence accuses; each piece must hold for anybody.
fn guilty(n: u8, testimony: &Testimony) -> BTreeSet<u8> {
    let lies = testimony.lies();
    for lie in &lies {
        Unverified::new(lie.clone()).verify(&validators(n)).unwrap();
    }
    numbers(&culprits(&lies, &validators(n)))
}

/// What everybody could make up about a replica: votes for both branches that it did not sign, that it
/// signed for another chain, or that another signed.
fn made_up(replica: u8, branches: &[Vec<Block>; 2]) -> Vec<Vote> {
    let mut votes = Vec::new();
    for (branch, other) in [(&branches[0], &branches[1]), (&branches[1], &branches[0])] {
        let said = said(Phase::Commit, VIEW, &branch[1].header);
        let honest = vote(said, replica);
        votes.push(Vote { replica: ReplicaId::new(u16::from(replica)), ..vote(said, replica + 1) });
        votes.push(Vote::sign(said, honest.replica, &other_chain(), &secret(replica)));
        let elsewhere = statement(Phase::Commit, &other[1].header);
        votes.push(Vote { statement: elsewhere, ..honest });
    }
    votes
}

/// n, the sizes of quorums beyond the least, and the draws for some of them.
fn network() -> impl Strategy<Value = (u8, [usize; 4], Vec<Vec<u32>>)> {
    let draws = proptest::collection::vec(any::<u32>(), usize::from(N_MAX));
    (4..=N_MAX, [0..3_usize, 0..3, 0..3, 0..3], proptest::collection::vec(draws, 4))
}

/// A quorum of the network, not always a smallest one.
fn quorum(n: u8, beyond: usize, draws: &[u32]) -> BTreeSet<u8> {
    some_of(n, (validators(n).quorum().q() + beyond).min(usize::from(n)), draws)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// S12 for one view: the two quorums share more than t members, and each of those is named, whether the
    /// certificates are for blocks at one height or at two.
    #[test]
    fn who_signed_both_certificates_of_one_view_is_guilty_and_nobody_else(
        (n, beyond, draws) in network(),
        heights in [2..6_u64, 2..6],
    ) {
        let branches = [branch(false, heights[0]), branch(true, heights[1])];
        let quorums = [0, 1].map(|side| quorum(n, beyond[side], &draws[side]));
        let mut testimony = Testimony::new(validators(n));
        for replica in 0..n {
            testimony.votes(&made_up(replica, &branches));
        }
        for (branch, signers) in branches.iter().zip(&quorums) {
            testimony.proof(&branch[1].header, &proof(VIEW, branch, signers));
            for replica in signers {
                let prepared = branch.iter().map(|block| said(Phase::Prepare, VIEW, &block.header));
                testimony.votes(&prepared.map(|said| vote(said, *replica)).collect::<Vec<_>>());
            }
        }

        let guilty = guilty(n, &testimony);

        let both: BTreeSet<u8> = quorums[0].intersection(&quorums[1]).copied().collect();
        prop_assert!(guilty.len() > validators(n).quorum().t());
        prop_assert_eq!(guilty, both);
    }

    /// S12 across views: those who signed the commit certificate and were silent about it when they asked for the
    /// later view, and a primary that opened it twice. Those who voted as the new view says are not.
    #[test]
    fn who_forgot_a_commit_between_two_views_is_guilty_and_nobody_else(
        (n, beyond, draws) in network(),
        lowers in proptest::collection::vec(any::<bool>(), usize::from(N_MAX)),
        twice in any::<bool>(),
    ) {
        let branches = [branch(false, 3), branch(true, 2)];
        let [commits, asks, again, others] = [0, 1, 2, 3].map(|it| quorum(n, beyond[it], &draws[it]));
        let lower = |replica: u8| {
            let certificate = certified(Phase::Prepare, 1, &branches[0][0], &commits);
            view_change(LATER, lowers[usize::from(replica)].then_some(certificate), replica)
        };
        let mut testimony = Testimony::new(validators(n));
        testimony.proof(&branches[0][1].header, &proof(VIEW, &branches[0], &commits));
        testimony.proof(&branches[1][1].header, &proof(LATER, &branches[1], &others));
        let primary = u8::try_from(LATER % u64::from(n)).unwrap();
        testimony.new_view(&new_view(primary, asks.iter().copied().map(lower).collect()));
        let mut liars: BTreeSet<u8> = commits.intersection(&asks).copied().collect();
        if twice {
            let prepared = certified(Phase::Prepare, VIEW, &branches[0][2], &commits);
            let told = |replica: u8| match commits.contains(&replica) {
                true => view_change(LATER, Some(prepared.clone()), replica),
                false => lower(replica),
            };
            testimony.new_view(&new_view(primary, again.iter().copied().map(told).collect()));
            liars.insert(primary);
        }

        let guilty = guilty(n, &testimony);

        prop_assert!(guilty.len() > validators(n).quorum().t());
        prop_assert_eq!(guilty, liars);
    }
}

fn new_view(primary: u8, view_changes: Vec<ViewChange>) -> NewView {
    let chain = *validators(4).chain();
    NewView::sign(View::new(LATER), view_changes, &chain, &secret(primary))
}

#[test]
fn without_the_new_view_a_fork_across_views_names_nobody_and_the_view_is_known_to_lack_it() {
    let branches = [branch(false, 3), branch(true, 2)];
    let all: BTreeSet<u8> = (0..4).collect();
    let mut testimony = Testimony::new(validators(4));
    testimony.proof(&branches[0][1].header, &proof(VIEW, &branches[0], &all));
    testimony.proof(&branches[1][1].header, &proof(LATER, &branches[1], &all));
    assert_eq!(testimony.lies(), []);
    assert!(testimony.lacks_new_view(View::new(LATER)));

    testimony.new_view(&new_view(1, (0..3).map(|it| view_change(LATER, None, it)).collect()));

    assert!(!testimony.lacks_new_view(View::new(LATER)));
    assert!(testimony.lacks_new_view(View::new(LATER - 1)));
    assert!(testimony.lacks_new_view(View::new(LATER + 1)));
    assert_eq!(guilty(4, &testimony), BTreeSet::from([0, 1, 2]));
}

/// The tip of the new view was certified in the view of the commit certificate, against it.
#[test]
fn the_certificates_inside_a_new_view_are_laid_beside_the_others() {
    let branches = [branch(false, 2), branch(true, 4)];
    let (commits, prepares) = (BTreeSet::from([0, 1, 2]), BTreeSet::from([1, 2, 3]));
    let rival = certified(Phase::Prepare, VIEW, &branches[1][2], &prepares);
    let mut testimony = Testimony::new(validators(4));
    testimony.proof(&branches[0][1].header, &proof(VIEW, &branches[0], &commits));
    testimony.proof(&branches[1][1].header, &proof(LATER, &branches[1], &prepares));

    let asked = [0, 1, 3].map(|it| view_change(LATER, Some(rival.clone()), it));
    testimony.new_view(&new_view(1, asked.to_vec()));

    assert_eq!(guilty(4, &testimony), BTreeSet::from([1, 2]));
}

/// A vote with a bad signature, a view change cut short or a new view of somebody else does not stand in the way
/// of the genuine one.
#[test]
fn what_is_not_signed_neither_accuses_nor_hides_anything() {
    let branches = [branch(false, 2), branch(true, 2)];
    let double =
        branches.each_ref().map(|branch| vote(said(Phase::Commit, 2, &branch[1].header), 2));
    let asked = [None, Some(certified(Phase::Prepare, 1, &branches[0][0], &[0, 1, 3].into()))]
        .map(|certificate| view_change(LATER, certificate, 3));
    let opened = new_view(1, (0..3).map(|it| view_change(LATER, None, it)).collect());
    let mut testimony = Testimony::new(validators(4));
    testimony.votes(&double.map(|vote| Vote { signature: asked[0].signature, ..vote }));
    for view_change in &asked {
        let mut forged = view_change.clone();
        forged.signature = double[0].signature;
        testimony.view_change(&forged);
        let mut cut = view_change.clone();
        if let Some(certificate) = &mut cut.certificate {
            certificate.signatures.truncate(1);
        }
        testimony.view_change(&cut);
    }
    let mut forged = opened.clone();
    forged.signature = double[0].signature;
    testimony.new_view(&forged);
    assert!(testimony.lacks_new_view(View::new(LATER)));
    assert_eq!(testimony.lies(), []);

    testimony.votes(&double);
    asked.iter().for_each(|view_change| testimony.view_change(view_change));
    testimony.new_view(&opened);

    // Replica 2 was silent in the new view about what it voted to commit.
    assert_eq!(guilty(4, &testimony), BTreeSet::from([2, 3]));
    let kinds: Vec<&str> = testimony.lies().iter().map(Evidence::name).collect();
    assert_eq!(kinds, ["forgotten", "votes", "view-changes"]);
}

/// Evidence that somebody kept gives its statements, and is found in them again.
#[test]
fn every_kind_of_evidence_is_found_again_in_its_own_statements() {
    for piece in crate::tests::fixtures::evidence() {
        let mut testimony = Testimony::new(validators(4));

        testimony.evidence(&piece);

        let kinds: Vec<_> = testimony.lies().iter().map(Evidence::name).collect();
        assert!(kinds.contains(&piece.name()), "{} gives {kinds:?}", piece.name());
    }
}

/// A gap in the headers hides what is behind it and accuses nobody.
#[test]
fn votes_between_which_headers_are_missing_accuse_nobody() {
    let branches = [branch(false, 2), branch(true, 4)];
    let votes =
        branches.each_ref().map(|it| vote(said(Phase::Prepare, 2, &it[it.len() - 1].header), 2));
    let mut testimony = Testimony::new(validators(4));
    testimony.votes(&votes);
    testimony.header(&branches[1][3].header);
    assert_eq!(testimony.lies(), []);

    testimony.header(&branches[1][2].header);

    assert_eq!(guilty(4, &testimony), BTreeSet::from([2]));
}

//! What proves a lie, what does not, and that nobody can be framed.

use std::sync::LazyLock;

use crypto::encoding::{decode, encode};
use crypto::signed::{Forged, Unverified};
use proptest::prelude::*;

use super::{Evidence, EvidenceError};
use crate::block::{Block, Header};
use crate::proof::DESCENDANTS_MAX;
use crate::tests::fixtures::{
    blocks, certificate, certified, new_view, prepared, validators, view_change, view_changes, vote,
};
use crate::view_change::{Asked, NewViewError, Opened, ViewChange, ViewChangeError};
use crate::vote::{NotAMember, Phase, Statement, Vote};
use crate::{BlockId, Height, ReplicaId, View};

mod framing;

fn verdict(evidence: Evidence) -> Result<ReplicaId, Forged<EvidenceError>> {
    let accused = evidence.accused(&validators(4));
    Unverified::new(evidence).verify(&validators(4)).map(|_| accused)
}

fn refused(evidence: Evidence) -> EvidenceError {
    match verdict(evidence) {
        Err(Forged::Malformed(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Blocks 1 to `count` on the one branch, or on the other, which leaves it right above the first
/// block.
fn branch(other: bool, count: u64) -> Vec<Block> {
    let mut chain = blocks(1);
    for height in 2..=count {
        let parent = chain[chain.len() - 1].id();
        let mut block = crate::tests::fixtures::block(height, parent);
        block.header.timestamp_ms += u64::from(other);
        chain.push(block);
    }
    chain
}

/// What a replica says about a block, in view 2.
fn said(phase: Phase, block: &Block, replica: u8) -> Vote {
    vote(crate::tests::fixtures::statement(phase, &block.header), replica)
}

/// The headers of a chain from its end down to the height above `lowest`, and that of it too.
fn down_to(chain: &[Block], lowest: u64) -> Vec<Header> {
    let headers = chain.iter().rev().map(|block| block.header.clone());
    headers.take_while(|header| header.height.get() > lowest).collect()
}

/// What a replica says when it asks for a view.
fn asks(view: u64, certificate: Option<crate::Certificate>, replica: u8) -> Asked {
    (&view_change(view, certificate, replica)).into()
}

/// What the primary of view 5 says when it opens it.
fn opens(asked: Vec<ViewChange>) -> Opened {
    (&new_view(5, asked)).into()
}

fn votes() -> Evidence {
    let (first, second) = (&branch(false, 2)[1], &branch(true, 2)[1]);
    Evidence::Votes {
        first: said(Phase::Prepare, first, 2),
        second: said(Phase::Prepare, second, 2),
    }
}

fn branches() -> Evidence {
    let (one, other) = (branch(false, 5), branch(true, 3));
    Evidence::Branches {
        higher: said(Phase::Prepare, &one[4], 2),
        lower: said(Phase::Commit, &other[2], 2),
        headers: down_to(&one, 3),
    }
}

fn double() -> Evidence {
    Evidence::ViewChanges { first: asks(5, Some(prepared(2, 2)), 2), second: asks(5, None, 2) }
}

fn forgotten() -> Evidence {
    Evidence::Forgotten {
        commit: vote(certified(Phase::Commit, 2, 2).statement, 2),
        view_change: asks(5, Some(prepared(2, 1)), 2),
    }
}

fn new_views() -> Evidence {
    let mut other = view_changes();
    other[2] = view_change(5, None, 2);
    other.sort_by_key(|asked| asked.replica);
    Evidence::NewViews { first: opens(view_changes()), second: opens(other) }
}

fn all() -> [Evidence; 5] {
    [votes(), branches(), double(), forgotten(), new_views()]
}

#[test]
fn each_kind_proves_the_lie_of_its_liar() {
    let facts = all().map(|evidence| {
        let (name, view) = (evidence.name(), evidence.view().get());
        (name, view, verdict(evidence).unwrap().get())
    });
    let expected =
        [("votes", 2, 2), ("branches", 2, 2), ("view-changes", 5, 2), ("forgotten", 5, 2)];
    assert_eq!(facts[..4], expected);
    assert_eq!(facts[4], ("new-views", 5, 1));
}

#[test]
fn no_two_pieces_of_evidence_share_a_name() {
    let ids: std::collections::BTreeSet<_> = all().iter().map(Evidence::id).collect();
    assert_eq!(ids.len(), 5);
}

/// T93: each signature under the statement it is about, and every byte of both statements.
#[test]
fn no_changed_bit_of_what_was_said_is_accepted() {
    for evidence in all() {
        let bytes = encode(&evidence);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            if let Ok(decoded) = decode::<Evidence>(&changed)
                && decoded != evidence
            {
                assert!(verdict(decoded).is_err(), "byte {place} of {}", evidence.name());
            }
        }
    }
}

#[test]
fn the_statements_of_two_replicas_contradict_nobody() {
    let other =
        Err(EvidenceError::OtherReplica { first: ReplicaId::new(2), second: ReplicaId::new(3) });
    let checked = |evidence: &Evidence| evidence.check(&validators(4));
    let Evidence::Votes { first, mut second } = votes() else { panic!() };
    second = vote(second.statement, 3);
    assert_eq!(checked(&Evidence::Votes { first, second }), other);
    let Evidence::Branches { higher, mut lower, headers } = branches() else { panic!() };
    lower = vote(lower.statement, 3);
    assert_eq!(checked(&Evidence::Branches { higher, lower, headers }), other);
    let Evidence::ViewChanges { first, .. } = double() else { panic!() };
    let second = asks(5, None, 3);
    assert_eq!(checked(&Evidence::ViewChanges { first, second }), other);
    let Evidence::Forgotten { commit, .. } = forgotten() else { panic!() };
    let view_change = asks(5, None, 3);
    assert_eq!(checked(&Evidence::Forgotten { commit, view_change }), other);
}

#[test]
fn a_stranger_cannot_be_accused() {
    let replica = ReplicaId::new(4);
    let Evidence::Votes { mut first, mut second } = votes() else { panic!() };
    (first.replica, second.replica) = (replica, replica);
    let evidence = Evidence::Votes { first, second };
    assert_eq!(refused(evidence), EvidenceError::NotAMember(NotAMember { replica }));
}

/// T94, and equal words under different signatures.
#[test]
fn votes_that_an_honest_replica_gives_are_no_evidence() {
    let Evidence::Votes { first, second } = votes() else { panic!() };
    let other = |change: fn(&mut Statement)| {
        let mut statement = second.statement;
        change(&mut statement);
        vote(statement, 2)
    };
    let mut again = first;
    again.signature = second.signature;
    for second in [
        first,
        again,
        other(|statement| statement.view = View::new(3)),
        other(|statement| statement.height = Height::new(3)),
        other(|statement| statement.phase = Phase::Commit),
    ] {
        let evidence = Evidence::Votes { first, second };
        assert_eq!(refused(evidence), EvidenceError::NoContradiction);
    }
}

#[test]
fn votes_of_both_phases_for_two_blocks_at_one_height_are_on_two_branches() {
    let (one, other) = (&branch(false, 2)[1], &branch(true, 2)[1]);
    let evidence = |higher, lower| Evidence::Branches { higher, lower, headers: Vec::new() };
    let (prepare, commit) = (said(Phase::Prepare, one, 2), said(Phase::Commit, other, 2));
    assert!(verdict(evidence(prepare, commit)).is_ok());
    assert!(verdict(evidence(commit, prepare)).is_ok());
    let fit = said(Phase::Commit, one, 2);
    assert_eq!(refused(evidence(prepare, fit)), EvidenceError::NoContradiction);
}

#[test]
fn votes_on_one_chain_or_in_two_views_are_on_no_two_branches() {
    let Evidence::Branches { higher, lower, headers } = branches() else { panic!() };
    let one = branch(false, 5);
    let evidence = |lower| Evidence::Branches { higher, lower, headers: headers.clone() };
    let ancestor = said(Phase::Commit, &one[2], 2);
    assert_eq!(refused(evidence(ancestor)), EvidenceError::NoContradiction);
    for view in [1, 3] {
        let elsewhere = Statement { view: View::new(view), ..lower.statement };
        assert_eq!(refused(evidence(vote(elsewhere, 2))), EvidenceError::NoContradiction);
    }
    let upside_down = Evidence::Branches { higher: lower, lower: higher, headers };
    assert_eq!(refused(upside_down), EvidenceError::NoContradiction);
}

#[test]
fn headers_that_do_not_lead_from_the_one_block_to_the_other_height_prove_nothing() {
    let Evidence::Branches { higher, lower, headers } = branches() else { panic!() };
    let one = branch(false, 5);
    let with = |headers| refused(Evidence::Branches { higher, lower, headers });
    let mut wrong = headers.clone();
    wrong[1].timestamp_ms += 1;
    let mut swapped = headers.clone();
    swapped.swap(0, 1);
    let mut doubled = headers.clone();
    doubled.insert(1, headers[0].clone());
    for broken in [
        Vec::new(),
        headers[..1].to_vec(),
        headers[1..].to_vec(),
        down_to(&one, 2),
        down_to(&branch(true, 5), 3),
        wrong,
        swapped,
        doubled,
    ] {
        assert_eq!(with(broken), EvidenceError::BrokenChain);
    }
}

#[test]
fn more_headers_than_a_proof_may_have_are_not_looked_at() {
    let top = u64::try_from(DESCENDANTS_MAX).unwrap() + 2;
    let rival = &branch(true, 2)[1];
    for (count, verdict) in [(top, Ok(())), (top + 1, Err(EvidenceError::BrokenChain))] {
        let chain = branch(false, count);
        let evidence = Evidence::Branches {
            higher: said(Phase::Prepare, &chain[chain.len() - 1], 2),
            lower: said(Phase::Prepare, rival, 2),
            headers: down_to(&chain, 2),
        };
        assert_eq!(evidence.check(&validators(4)), verdict);
    }
}

/// Different means different certified places or blocks.
#[test]
fn view_changes_that_mean_the_same_are_no_evidence() {
    let first = asks(5, Some(prepared(2, 2)), 2);
    let statement = first.statement.certified.unwrap();
    let again = asks(5, Some(certificate(statement, &[1, 2, 3])), 2);
    let committed = asks(5, Some(certified(Phase::Commit, 2, 2)), 2);
    let later = asks(6, None, 2);
    for second in [first, again, committed, later] {
        let evidence = Evidence::ViewChanges { first, second };
        assert_eq!(refused(evidence), EvidenceError::NoContradiction);
    }
    let second = asks(5, Some(prepared(5, 1)), 2);
    let evidence = Evidence::ViewChanges { first, second };
    assert!(matches!(
        refused(evidence),
        EvidenceError::ViewChange(ViewChangeError::CertificateView { .. })
    ));
}

#[test]
fn a_view_change_as_high_as_the_commit_vote_has_forgotten_nothing() {
    let commit = vote(certified(Phase::Commit, 2, 2).statement, 2);
    for known in [prepared(2, 2), certified(Phase::Commit, 2, 2), prepared(2, 3), prepared(3, 1)] {
        let view_change = asks(5, Some(known), 2);
        let evidence = Evidence::Forgotten { commit, view_change };
        assert_eq!(refused(evidence), EvidenceError::NoContradiction);
    }
    for lower in [None, Some(prepared(2, 1)), Some(certified(Phase::Commit, 1, 9))] {
        let view_change = asks(5, lower, 2);
        assert!(verdict(Evidence::Forgotten { commit, view_change }).is_ok());
    }
}

#[test]
fn a_prepare_vote_and_a_commit_vote_given_after_asking_are_nothing_forgotten() {
    let commit = certified(Phase::Commit, 2, 2).statement;
    let prepare = Statement { phase: Phase::Prepare, ..commit };
    for (statement, view) in [(prepare, 5), (commit, 2), (commit, 1)] {
        let view_change = asks(view, None, 2);
        let evidence = Evidence::Forgotten { commit: vote(statement, 2), view_change };
        assert_eq!(refused(evidence), EvidenceError::NoContradiction);
    }
    let next = asks(3, None, 2);
    let evidence = Evidence::Forgotten { commit: vote(commit, 2), view_change: next };
    assert!(verdict(evidence).is_ok());
}

#[test]
fn new_views_of_the_same_view_changes_are_no_evidence() {
    let first = opens(view_changes());
    let mut resigned = view_changes();
    let statement = resigned[1].certified().unwrap();
    resigned[1] = view_change(5, Some(certificate(statement, &[1, 2, 3])), 1);
    let mut committed = view_changes();
    committed[1] = view_change(5, Some(certified(Phase::Commit, 2, 2)), 1);
    for second in [opens(view_changes()), opens(resigned), opens(committed)] {
        let evidence = Evidence::NewViews { first: first.clone(), second };
        assert_eq!(refused(evidence), EvidenceError::NoContradiction);
    }
    let nine = (0..3).map(|sender| view_change(9, None, sender)).collect();
    let evidence = Evidence::NewViews { first: first.clone(), second: (&new_view(9, nine)).into() };
    assert_eq!(refused(evidence), EvidenceError::NoContradiction, "one primary, two views");
    let few = opens(view_changes()[..2].to_vec());
    let evidence = Evidence::NewViews { first, second: few };
    assert!(matches!(refused(evidence), EvidenceError::NewView(NewViewError::TooFew { .. })));
}

/// What replica 2 may say in its life when it is honest: it prepares one chain in view 2, commits a
/// part of it, asks for view 5 with the highest certificate, is primary of view 6, and goes on with
/// another branch in view 7.
fn honest_words() -> (Vec<Vote>, Vec<ViewChange>, crate::NewView) {
    let (one, other) = (branch(false, 4), branch(true, 4));
    let mut votes: Vec<Vote> = one.iter().map(|block| said(Phase::Prepare, block, 2)).collect();
    votes.extend(one[..2].iter().map(|block| said(Phase::Commit, block, 2)));
    for block in &other[1..] {
        for phase in [Phase::Prepare, Phase::Commit] {
            let view = View::new(7);
            let statement = crate::tests::fixtures::statement(phase, &block.header);
            votes.push(vote(Statement { view, ..statement }, 2));
        }
    }
    let asked = vec![
        view_change(5, Some(prepared(2, 2)), 2),
        view_change(6, Some(certified(Phase::Commit, 2, 2)), 2),
        view_change(8, Some(high(7, &other[3])), 2),
    ];
    let by = [0, 1].map(|sender| view_change(6, None, sender));
    let made = new_view(6, by.into_iter().chain([asked[1].clone()]).collect());
    (votes, asked, made)
}

fn high(view: u64, block: &Block) -> crate::Certificate {
    let statement = crate::tests::fixtures::statement(Phase::Prepare, &block.header);
    certificate(Statement { view: View::new(view), ..statement }, &[0, 1, 3])
}

/// Every piece of evidence that can be put together from two honest statements, before anything in
/// it is changed.
fn attempts() -> Vec<Evidence> {
    let (votes, asked, made) = honest_words();
    let (one, other) = (branch(false, 4), branch(true, 4));
    let mut attempts = Vec::new();
    for first in &votes {
        for second in &votes {
            attempts.push(Evidence::Votes { first: *first, second: *second });
            for chain in [&one, &other] {
                let lowest = second.statement.height.get();
                let top = usize::try_from(first.statement.height.get()).unwrap();
                let headers = down_to(&chain[..top], lowest);
                attempts.push(Evidence::Branches { higher: *first, lower: *second, headers });
            }
        }
        for view_change in asked.iter().map(Asked::from) {
            attempts.push(Evidence::Forgotten { commit: *first, view_change });
        }
    }
    for first in &asked {
        for second in &asked {
            let (first, second) = (first.into(), second.into());
            attempts.push(Evidence::ViewChanges { first, second });
        }
    }
    let made = Opened::from(&made);
    attempts.push(Evidence::NewViews { first: made.clone(), second: made });
    attempts
}

#[test]
fn no_two_statements_of_an_honest_replica_accuse_it() {
    for evidence in attempts() {
        assert!(evidence.check(&validators(4)).is_err(), "{evidence:?}");
    }
}

/// Puts bytes of one encoding over those of another: so signatures, ids and numbers get into every
/// place.
fn grafted(bytes: &mut [u8], donor: &[u8], to: usize, from: usize, count: usize) {
    let piece = donor.iter().skip(from).take(count);
    for (place, byte) in bytes.iter_mut().skip(to).zip(piece) {
        *place = *byte;
    }
}

static ATTEMPTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| attempts().iter().map(encode).collect());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// T93: nobody who has only an honest replica's words frames it, whatever he does to them.
    #[test]
    fn framing_is_impossible(
        attempt in any::<prop::sample::Index>(),
        donor in any::<prop::sample::Index>(),
        grafts in proptest::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..80), 0..4,
        ),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = attempt.get(&ATTEMPTS).clone();
        let donor = donor.get(&ATTEMPTS);
        for (to, from, count) in grafts {
            let (to, from) = (to.index(bytes.len()), from.index(donor.len()));
            grafted(&mut bytes, donor, to, from, count);
        }
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(evidence) = decode::<Evidence>(&bytes) {
            let accused = verdict(evidence);
            prop_assert!(accused.is_err(), "{accused:?}");
        }
    }
}

/// The chain of nobody: a header that has its own id as its parent does not exist, so no list of
/// headers is endless.
#[test]
fn evidence_about_the_lowest_and_the_greatest_height_is_judged_without_overflow() {
    for height in [0, u64::MAX] {
        let height = Height::new(height);
        let block = |byte| BlockId::new(crypto::digest::Digest::from_bytes([byte; 32]));
        let statement =
            |block| Statement { phase: Phase::Prepare, view: View::FIRST, height, block };
        let (one, other) = (vote(statement(block(1)), 2), vote(statement(block(2)), 2));
        let evidence = Evidence::Branches { higher: one, lower: other, headers: Vec::new() };
        assert!(evidence.check(&validators(4)).is_ok());
        let mut header = blocks(1)[0].header.clone();
        header.height = height;
        let higher = vote(statement(header.id()), 2);
        let evidence = Evidence::Branches { higher, lower: other, headers: vec![header] };
        assert!(evidence.check(&validators(4)).is_err() || height == Height::GENESIS);
    }
}

/// A primary of the largest network lies about everybody in the longest words.
#[test]
fn the_largest_piece_fits_into_its_bound() {
    let n = u8::try_from(crate::validators::VALIDATORS_MAX).unwrap();
    let validators = validators(n);
    let known = certified(Phase::Prepare, 2, 2).statement;
    let asked = (0..u16::from(n)).map(|replica| (ReplicaId::new(replica), Some(known))).collect();
    let statement = crate::view_change::NewViewStatement { view: View::new(5), asked };
    let first = Opened { statement, ..opens(view_changes()) };
    let mut second = first.clone();
    second.statement.asked[0].1 = None;
    let opened = Evidence::NewViews { first, second };
    assert_eq!(opened.check(&validators), Ok(()));

    let count = u64::try_from(DESCENDANTS_MAX).unwrap() + 2;
    let chain = branch(false, count);
    let branches = Evidence::Branches {
        higher: said(Phase::Prepare, &chain[chain.len() - 1], 2),
        lower: said(Phase::Prepare, &branch(true, 2)[1], 2),
        headers: down_to(&chain, 2),
    };
    for piece in [opened, branches] {
        let bytes = encode(&piece).len();
        assert!(bytes <= Evidence::bytes_max(&validators), "{}: {bytes}", piece.name());
    }
}

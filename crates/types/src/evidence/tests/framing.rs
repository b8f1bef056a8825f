//! A93: whoever has everything that everybody signed, on this chain and on another, and may cut, mix and change it
//! as he likes, makes evidence against the one who lied, or none.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crypto::encoding::{decode, encode};
use crypto::signed::{Authenticated, Unverified};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Evidence, branch, grafted};
use crate::block::{Block, Header};
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::tests::fixtures::{certificate, chain, other_chain, secret, statement, validators};
use crate::validators::ValidatorSet;
use crate::view_change::{Asked, NewView, Opened, ViewChange};
use crate::vote::{Phase, Statement, Vote};
use crate::{BlockId, ChainId};

/// The only one of the four that lies. It is the primary of view 5.
const LIAR: u8 = 1;

/// Everything that was ever signed.
struct Words {
    votes: Vec<Vote>,
    view_changes: Vec<ViewChange>,
    new_views: Vec<NewView>,
    headers: Vec<Header>,
}

static WORDS: LazyLock<Words> = LazyLock::new(words);

/// Every piece of evidence that two whole statements of all make, in bytes.
static PIECES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pairs = pairs(&WORDS);
    pairs.iter().filter(|piece| accused(piece).is_some()).map(encode).collect()
});

/// The same, by kind.
static OF_KIND: LazyLock<[Vec<Evidence>; 5]> = LazyLock::new(|| {
    [0, 1, 2, 3, 4].map(|kind| {
        let pieces = PIECES.iter().filter(|bytes| bytes[0] == kind);
        pieces.map(|bytes| decode(bytes).unwrap()).collect()
    })
});

/// In view 2 the honest ones vote for the one branch and commit a part of it, and go on with the other one in
/// view 6; on the other chain they do it the other way round. The liar says everything, and opens view 5 twice.
fn words() -> Words {
    let branches = [branch(false, 4), branch(true, 4)];
    let mut words = Words {
        votes: Vec::new(),
        view_changes: Vec::new(),
        new_views: Vec::new(),
        headers: branches.iter().flatten().map(|block| block.header.clone()).collect(),
    };
    for (chain, [one, other]) in
        [(chain(), [&branches[0], &branches[1]]), (other_chain(), [&branches[1], &branches[0]])]
    {
        for replica in 0..4 {
            words.life(&chain, replica, one, other);
        }
        words.life(&chain, LIAR, other, one);
        let (view, number) = (View::new(3), ReplicaId::new(u16::from(LIAR)));
        let silent = ViewChange::sign(view, None, number, &chain, &secret(LIAR));
        words.view_changes.push(silent);
        words.open(&chain, &[0, 2, 3]);
        words.open(&chain, &[0, 1, 3]);
    }
    words
}

impl Words {
    /// What an honest replica signs that votes for `one` in view 2 and for `other` in view 6.
    fn life(&mut self, chain: &ChainId, replica: u8, one: &[Block], other: &[Block]) {
        let number = ReplicaId::new(u16::from(replica));
        let signer = secret(replica);
        let mut vote = |phase, view, block: &Block| {
            let said = Statement { view: View::new(view), ..statement(phase, &block.header) };
            self.votes.push(Vote::sign(said, number, chain, &signer));
        };
        one.iter().for_each(|block| vote(Phase::Prepare, 2, block));
        one[..2].iter().for_each(|block| vote(Phase::Commit, 2, block));
        other[2..].iter().for_each(|block| vote(Phase::Prepare, 6, block));
        let known = |view, block: &Block| {
            let said =
                Statement { view: View::new(view), ..statement(Phase::Prepare, &block.header) };
            Some(certificate(said, &[0, 2, 3]))
        };
        for (view, known) in
            [(3, known(2, &one[1])), (5, known(2, &one[1])), (8, known(6, &other[2]))]
        {
            let view = View::new(view);
            self.view_changes.push(ViewChange::sign(view, known, number, chain, &signer));
        }
    }

    /// The primary of view 5 opens it with what these asked.
    fn open(&mut self, chain: &ChainId, asked: &[u8]) {
        let view = View::new(5);
        let of = |sender: &u8| {
            let number = ReplicaId::new(u16::from(*sender));
            let ours = ViewChange::sign(view, None, number, chain, &secret(*sender));
            let mut said =
                self.view_changes.iter().filter(|it| it.replica == number && it.view == view);
            said.next_back().cloned().unwrap_or(ours)
        };
        let new_view = NewView::sign(view, asked.iter().map(of).collect(), chain, &secret(LIAR));
        self.new_views.push(new_view);
    }
}

/// Whatever can be put together from two whole statements.
fn pairs(words: &Words) -> Vec<Evidence> {
    let mut pairs = Vec::new();
    for first in &words.votes {
        for second in &words.votes {
            let (higher, lower) = (*first, *second);
            pairs.push(Evidence::Votes { first: *first, second: *second });
            pairs.push(Evidence::Branches {
                higher,
                lower,
                headers: headers(words, first, second),
            });
        }
        for view_change in words.view_changes.iter().map(Asked::from) {
            pairs.push(Evidence::Forgotten { commit: *first, view_change });
        }
    }
    for first in &words.view_changes {
        for second in &words.view_changes {
            pairs.push(Evidence::ViewChanges { first: first.into(), second: second.into() });
        }
    }
    for first in &words.new_views {
        for second in &words.new_views {
            pairs.push(Evidence::NewViews { first: first.into(), second: second.into() });
        }
    }
    pairs
}

/// The headers from the block of the one down to the height of the other.
fn headers(words: &Words, higher: &Vote, lower: &Vote) -> Vec<Header> {
    let find = |id: BlockId| words.headers.iter().find(|header| header.id() == id);
    let chain = std::iter::successors(find(higher.statement.block), |header| find(header.parent));
    chain.take_while(|header| header.height > lower.statement.height).cloned().collect()
}

/// Whom a piece of evidence accuses, if it holds.
fn accused(evidence: &Evidence) -> Option<u16> {
    accused_on(evidence, &validators(4))
}

fn accused_on(evidence: &Evidence, validators: &ValidatorSet) -> Option<u16> {
    // As `verify` does it, but for the cost of copying thousands of pieces.
    let mut claims = Vec::new();
    evidence.claims(validators, &mut claims).ok()?;
    let holds = !claims.is_empty() && claims.iter().all(crypto::verify::Claim::holds);
    let verified = Unverified::new(evidence.clone()).verify(validators);
    assert_eq!(verified.is_ok(), holds);
    holds.then(|| evidence.accused(validators).get())
}

#[test]
fn of_everything_that_everybody_signed_only_the_liars_words_are_evidence() {
    let mut found = BTreeSet::new();
    for piece in pairs(&WORDS) {
        if let Some(accused) = accused(&piece) {
            assert_eq!(accused, u16::from(LIAR), "{piece:?}");
            found.insert(piece.name());
        }
    }

    assert_eq!(found.len(), 5, "the liar was found out of {found:?} only");
}

/// The signatures of the other chain are genuine, and mean nothing here; nor do ours there.
#[test]
fn a_piece_of_evidence_of_one_chain_is_none_on_another() {
    let elsewhere = ValidatorSet::new(
        other_chain(),
        validators(4).iter().map(|(_, validator)| validator.clone()).collect(),
    )
    .unwrap();
    let (mut here, mut there) = (0, 0);
    for piece in pairs(&WORDS) {
        let both = [accused(&piece), accused_on(&piece, &elsewhere)];
        assert!(both.contains(&None), "{piece:?} holds on two chains");
        here += usize::from(both[0].is_some());
        there += usize::from(both[1].is_some());
    }

    assert!(here > 20 && there > 20, "{here} here, {there} there");
}

#[test]
fn a_statement_beside_itself_under_any_signature_is_no_evidence() {
    let vote = WORDS.votes[0];
    let again = Vote { signature: WORDS.votes[1].signature, ..vote };
    for second in [vote, again] {
        assert_eq!(accused(&Evidence::Votes { first: vote, second }), None);
        let headers = Vec::new();
        assert_eq!(accused(&Evidence::Branches { higher: vote, lower: second, headers }), None);
    }
    let asked = Asked::from(&WORDS.view_changes[0]);
    let again = Asked { signature: WORDS.view_changes[1].signature, ..asked };
    assert_eq!(accused(&Evidence::ViewChanges { first: asked, second: again }), None);
    let opened = Opened::from(&WORDS.new_views[0]);
    let again = Opened { signature: WORDS.new_views[1].signature, ..opened.clone() };
    assert_eq!(accused(&Evidence::NewViews { first: opened, second: again }), None);
}

#[test]
fn a_piece_cut_short_or_made_longer_is_none() {
    for piece in PIECES.iter().step_by(7) {
        for length in 0..piece.len() {
            assert!(decode::<Evidence>(&piece[..length]).is_err());
        }
        let longer = [piece.as_slice(), &[0]].concat();
        assert!(decode::<Evidence>(&longer).is_err());
    }
}

/// One change of a statement: who, what, when, or the signature under it.
#[derive(Debug, Clone)]
enum Change {
    Replica(u16),
    Phase,
    View(u64),
    Height(u64),
    Block(Index),
    Signature(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0_u16..5).prop_map(Change::Replica),
        Just(Change::Phase),
        (0_u64..9).prop_map(Change::View),
        (0_u64..6).prop_map(Change::Height),
        any::<Index>().prop_map(Change::Block),
        any::<Index>().prop_map(Change::Signature),
    ]
}

impl Change {
    fn apply(&self, vote: &mut Vote) {
        let said = &mut vote.statement;
        match self {
            Self::Replica(replica) => vote.replica = ReplicaId::new(*replica),
            Self::Phase if said.phase == Phase::Prepare => said.phase = Phase::Commit,
            Self::Phase => said.phase = Phase::Prepare,
            Self::View(view) => said.view = View::new(*view),
            Self::Height(height) => said.height = Height::new(*height),
            Self::Block(index) => said.block = index.get(&WORDS.headers).id(),
            Self::Signature(index) => vote.signature = index.get(&WORDS.votes).signature,
        }
    }

    fn apply_to_asked(&self, asked: &mut Asked) {
        match self {
            Self::Replica(replica) => asked.replica = ReplicaId::new(*replica),
            Self::View(view) => asked.statement.view = View::new(*view),
            Self::Signature(index) => asked.signature = index.get(&WORDS.view_changes).signature,
            Self::Phase => asked.statement.certified = None,
            Self::Height(_) | Self::Block(_) => {
                self.apply_to_certified(&mut asked.statement.certified);
            }
        }
    }

    /// The place or the block of what is certified.
    fn apply_to_certified(&self, certified: &mut Option<Statement>) {
        if let Some(statement) = certified {
            let mut vote = Vote { statement: *statement, ..WORDS.votes[0] };
            self.apply(&mut vote);
            *statement = vote.statement;
        }
    }
}

/// Changes the one or the other statement of a piece.
fn apply(piece: &mut Evidence, second_one: bool, index: &Index, change: &Change) {
    match piece {
        Evidence::Votes { first, second }
        | Evidence::Branches { higher: first, lower: second, .. } => {
            change.apply(if second_one { second } else { first });
        }
        Evidence::ViewChanges { first, second } => {
            change.apply_to_asked(if second_one { second } else { first });
        }
        Evidence::Forgotten { commit, .. } if !second_one => change.apply(commit),
        Evidence::Forgotten { view_change, .. } => change.apply_to_asked(view_change),
        Evidence::NewViews { first, second } => {
            let opened = if second_one { second } else { first };
            let asked = &mut opened.statement.asked;
            let place = index.index(asked.len());
            match change {
                Change::View(view) => opened.statement.view = View::new(*view),
                Change::Signature(index) => {
                    opened.signature = index.get(&WORDS.new_views).signature;
                }
                Change::Replica(replica) => asked[place].0 = ReplicaId::new(*replica),
                Change::Phase => asked[place].1 = None,
                Change::Height(_) | Change::Block(_) => {
                    change.apply_to_certified(&mut asked[place].1);
                }
            }
        }
    }
}

/// Exchanges two stretches of a piece's bytes, moves one, or writes one over another.
fn permute(bytes: &mut Vec<u8>, donor: &[u8], (to, from): (Index, Index), count: usize, how: u8) {
    let (to, from) = (to.index(bytes.len()), from.index(bytes.len()));
    match how {
        0 => {
            for step in 0..count {
                if to.max(from) + step < bytes.len() {
                    bytes.swap(to + step, from + step);
                }
            }
        }
        1 => {
            let end = (from + count).min(bytes.len());
            let moved: Vec<u8> = bytes.drain(from..end).collect();
            let to = to.min(bytes.len());
            bytes.splice(to..to, moved);
        }
        _ => {
            let from = from % donor.len();
            grafted(bytes, donor, to, from, count);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Of all five kinds: a valid piece of which fields are changed is refused, or still accuses its liar.
    #[test]
    fn a_piece_with_changed_fields_accuses_its_liar_or_nobody(
        piece in any::<Index>(),
        kind in 0_usize..5,
        changes in proptest::collection::vec((any::<bool>(), any::<Index>(), change()), 1..4),
    ) {
        let mut piece = piece.get(&OF_KIND[kind]).clone();
        for (second_one, index, change) in &changes {
            apply(&mut piece, *second_one, index, change);
        }

        let accused = accused(&piece);

        prop_assert!(accused.is_none_or(|accused| accused == u16::from(LIAR)), "{piece:?}");
    }

    /// The same of its bytes, mixed with those of other pieces and of what only the honest ones said.
    #[test]
    fn a_piece_with_permuted_bytes_accuses_its_liar_or_nobody(
        piece in any::<Index>(),
        donor in any::<Index>(),
        steps in proptest::collection::vec(
            ((any::<Index>(), any::<Index>()), 1_usize..120, 0_u8..3), 1..4,
        ),
    ) {
        let mut bytes = piece.get(&PIECES).clone();
        let votes = &WORDS.votes;
        let donor = encode(&(donor.get(votes), donor.get(&WORDS.view_changes), donor.get(&PIECES)));
        for (places, count, how) in steps {
            permute(&mut bytes, &donor, places, count, how);
        }
        if let Ok(piece) = decode::<Evidence>(&bytes) {
            let accused = accused(&piece);
            prop_assert!(accused.is_none_or(|accused| accused == u16::from(LIAR)), "{piece:?}");
        }
    }
}

/// The pieces that the two properties begin with are of every kind.
#[test]
fn the_pieces_to_be_changed_are_of_every_kind() {
    let kinds: BTreeSet<u8> = PIECES.iter().map(|bytes| bytes[0]).collect();

    assert_eq!(kinds, BTreeSet::from([0, 1, 2, 3, 4]));
}

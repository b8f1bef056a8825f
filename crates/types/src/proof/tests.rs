use crypto::encoding::{decode, encode};
use crypto::signed::{Authenticated as _, Forged, Unverified};

use super::{DESCENDANTS_MAX, Proof, ProofError, ProvedBlock, ProvedBlockError};
use crate::door::BadBody;
use crate::evidence::EvidenceError;
use crate::tests::fixtures::{self, certificate, proof, statement};
use crate::{
    Action, Amount, Block, BlockId, Body, CertificateError, Door, Evidence, Header, Height, Phase,
    Rejection, View, Vote,
};

fn verdict(block: &Block, proof: Proof) -> Result<(), Forged<ProvedBlockError>> {
    let proved = ProvedBlock { block: block.clone(), proof };
    Unverified::new(proved).verify(&Door::strict(fixtures::validators(4))).map(|_| ())
}

fn unproved(error: ProofError) -> Result<(), Forged<ProvedBlockError>> {
    Err(Forged::Malformed(ProvedBlockError::Proof(error)))
}

#[test]
fn a_certificate_for_the_block_or_a_descendant_proves_it() {
    let blocks = fixtures::blocks(4);

    for length in 1..=4 {
        assert_eq!(verdict(&blocks[0], proof(&blocks[..length], &[0, 1, 2])), Ok(()));
    }
}

#[test]
fn a_certificate_for_an_ancestor_proves_nothing_above_it() {
    let blocks = fixtures::blocks(2);

    assert_eq!(
        verdict(&blocks[1], proof(&blocks[..1], &[0, 1, 2])),
        unproved(ProofError::OtherBlock)
    );
}

#[test]
fn a_prepared_certificate_proves_no_commit() {
    let blocks = fixtures::blocks(1);
    let prepared = Proof {
        descendants: Vec::new(),
        certificate: certificate(statement(Phase::Prepare, &blocks[0].header), &[0, 1, 2]),
    };

    assert_eq!(verdict(&blocks[0], prepared), unproved(ProofError::NotCommit));
}

#[test]
fn a_certificate_by_too_few_proves_nothing() {
    let blocks = fixtures::blocks(2);
    let too_few = CertificateError::TooFew { found: 2, q: 3 };

    assert_eq!(
        verdict(&blocks[0], proof(&blocks, &[0, 1])),
        unproved(ProofError::Certificate(too_few))
    );
}

#[test]
fn headers_left_out_swapped_or_repeated_break_the_chain() {
    let blocks = fixtures::blocks(4);
    let whole = proof(&blocks, &[0, 1, 2]);
    let changes: [fn(&mut Vec<Header>); 5] = [
        |headers| headers.retain(|header| header.height != Height::new(2)),
        |headers| headers.retain(|header| header.height != Height::new(3)),
        |headers| headers.swap(0, 1),
        |headers| headers.insert(1, headers[0].clone()),
        |headers| headers[1].parent = BlockId::NONE,
    ];
    for change in changes {
        let mut broken = whole.clone();
        change(&mut broken.descendants);
        let verdict = verdict(&blocks[0], broken);
        assert!(
            matches!(
                verdict,
                Err(Forged::Malformed(ProvedBlockError::Proof(ProofError::BrokenChain { .. })))
            ),
            "{verdict:?}"
        );
    }
    let mut cut = whole;
    cut.descendants.pop();
    assert_eq!(verdict(&blocks[0], cut), unproved(ProofError::OtherBlock));
}

#[test]
fn a_child_is_one_height_above_its_parent() {
    let parent = fixtures::blocks(1)[0].clone();
    for height in [0, 1, 3, u64::MAX] {
        let child = fixtures::block(height, parent.id());
        let chain = [parent.clone(), child];
        let height = Height::new(height);
        assert_eq!(
            verdict(&parent, proof(&chain, &[0, 1, 2])),
            unproved(ProofError::BrokenChain { height })
        );
    }
}

#[test]
fn a_block_at_the_greatest_height_has_no_child() {
    let last = fixtures::block(u64::MAX, BlockId::NONE);
    let child = fixtures::block(u64::MAX, last.id());

    assert!(!child.header.follows(&last.header));
}

#[test]
fn every_header_is_of_this_network() {
    let mut blocks = fixtures::blocks(2);
    blocks[1].header.chain = fixtures::other_chain();
    assert_eq!(
        verdict(&blocks[0], proof(&blocks, &[0, 1, 2])),
        unproved(ProofError::ForeignChain { height: Height::new(2) })
    );
    let mut foreign = fixtures::block(1, BlockId::NONE);
    foreign.header.chain = fixtures::other_chain();
    assert_eq!(
        verdict(&foreign, proof(std::slice::from_ref(&foreign), &[0, 1, 2])),
        unproved(ProofError::ForeignChain { height: Height::new(1) })
    );
}

#[test]
fn the_certificate_is_for_the_very_height_and_id() {
    let blocks = fixtures::blocks(1);
    let mut other_height = statement(Phase::Commit, &blocks[0].header);
    other_height.height = Height::new(2);
    let mut other_id = statement(Phase::Commit, &blocks[0].header);
    other_id.block = BlockId::NONE;

    for wrong in [other_height, other_id] {
        let proof = Proof { descendants: Vec::new(), certificate: certificate(wrong, &[0, 1, 2]) };
        assert_eq!(verdict(&blocks[0], proof), unproved(ProofError::OtherBlock));
    }
}

#[test]
fn longer_proofs_than_256_headers_are_not_looked_at() {
    let blocks = fixtures::blocks(DESCENDANTS_MAX.try_into().unwrap());
    let next = fixtures::block(257, blocks.last().unwrap().id());
    let first = blocks[0].header.clone();
    let mut longest = blocks.clone();
    longest.push(next.clone());
    let mut longer = longest.clone();
    longer.push(fixtures::block(258, next.id()));
    let validators = fixtures::validators(4);

    assert_eq!(proof(&longest, &[0, 1, 2]).check(&first, &validators), Ok(()));
    assert_eq!(
        proof(&longer, &[0, 1, 2]).check(&first, &validators),
        Err(ProofError::TooLong { found: 257 })
    );
}

#[test]
fn the_body_is_the_one_of_the_header() {
    let blocks = fixtures::blocks(1);
    let whole = &blocks[0];
    let transactions = whole.body.transactions();
    let mut other_signature = transactions.to_vec();
    other_signature[0].signature = other_signature[1].signature;
    let mut reversed = transactions.to_vec();
    reversed.reverse();
    let bodies = [transactions[..2].to_vec(), Vec::new(), other_signature, reversed];

    for body in bodies {
        let block = Block { header: whole.header.clone(), body: Body::new(body) };
        assert_eq!(
            verdict(&block, proof(&blocks, &[0, 1, 2])),
            Err(Forged::Malformed(ProvedBlockError::Body))
        );
    }
}

#[test]
fn a_count_of_transactions_that_is_not_the_bodys_is_refused() {
    let mut block = fixtures::block(1, BlockId::NONE);
    block.header.transactions = 4;

    assert_eq!(
        verdict(&block, proof(std::slice::from_ref(&block), &[0, 1, 2])),
        Err(Forged::Malformed(ProvedBlockError::Body))
    );
}

/// A block whose second transaction is changed, with a header that commits to it.
fn block_with(change: impl FnOnce(&mut crate::SignedTransaction)) -> Block {
    let mut block = fixtures::block(1, BlockId::NONE);
    let mut transactions = block.body.into_transactions();
    change(&mut transactions[1]);
    block.body = Body::new(transactions);
    block.header.body_root = block.body.root();
    block
}

#[test]
fn transactions_are_checked_too() {
    let zero = block_with(|signed| {
        let Action::Transfer(transfer) = &mut signed.transaction.action;
        transfer.amount = Amount::ZERO;
    });
    let forged = block_with(|signed| signed.signature = fixtures::signed(200, 9).signature);

    assert_eq!(
        verdict(&zero, proof(std::slice::from_ref(&zero), &[0, 1, 2])),
        Err(Forged::Malformed(ProvedBlockError::BadBody(BadBody::Transaction {
            index: 1,
            rejection: Rejection::ZeroAmount,
        })))
    );
    assert_eq!(
        verdict(&forged, proof(std::slice::from_ref(&forged), &[0, 1, 2])),
        Err(Forged::Signature)
    );
}

#[test]
fn evidence_is_checked_too() {
    let blocks = fixtures::blocks(2);
    let commit = |block: &Block| fixtures::vote(statement(Phase::Commit, &block.header), 2);
    let votes = [commit(&blocks[0]), commit(&blocks[1])];
    let with = |second: Vote| {
        let mut block = fixtures::block(1, BlockId::NONE);
        let evidence = Evidence::Votes { first: votes[0], second };
        block.body = block.body.with_evidence(Some(evidence));
        block.header.body_root = block.body.root();
        let proof = proof(std::slice::from_ref(&block), &[0, 1, 2]);
        verdict(&block, proof)
    };
    let mut other = votes[1];
    other.statement.height = votes[0].statement.height;
    let stolen = fixtures::vote(other.statement, 3).signature;

    let twice = BadBody::Evidence(EvidenceError::NoContradiction);
    assert_eq!(with(votes[0]), Err(Forged::Malformed(ProvedBlockError::BadBody(twice))));
    assert_eq!(with(Vote { signature: stolen, ..other }), Err(Forged::Signature));
    assert_eq!(with(fixtures::vote(other.statement, 2)), Ok(()));
}

#[test]
fn no_claim_is_made_for_what_is_malformed() {
    let blocks = fixtures::blocks(2);
    let mut claims = Vec::new();
    let prepared = Proof {
        descendants: Vec::new(),
        certificate: certificate(statement(Phase::Prepare, &blocks[0].header), &[0, 1, 2]),
    };
    let zero = block_with(|signed| {
        let Action::Transfer(transfer) = &mut signed.transaction.action;
        transfer.amount = Amount::ZERO;
    });
    let proved = ProvedBlock { proof: proof(std::slice::from_ref(&zero), &[0, 1, 2]), block: zero };

    let validators = fixtures::validators(4);
    assert!(prepared.claims(&blocks[0].header, &validators, &mut claims).is_err());
    assert!(proved.claims(&Door::strict(validators), &mut claims).is_err());

    assert_eq!(claims, []);
}

#[test]
fn no_changed_bit_is_accepted() {
    let bytes = encode(&fixtures::proved_block());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        if let Ok(ProvedBlock { block, proof }) = decode(&changed) {
            assert!(verdict(&block, proof).is_err(), "byte {place}");
        }
    }
}

#[test]
fn the_view_of_the_certificate_may_be_later_than_that_of_the_header() {
    let block = fixtures::block(1, BlockId::NONE);
    let mut later = statement(Phase::Commit, &block.header);
    later.view = View::new(77);
    let proof = Proof { descendants: Vec::new(), certificate: certificate(later, &[1, 2, 3]) };

    assert_eq!(verdict(&block, proof), Ok(()));
}

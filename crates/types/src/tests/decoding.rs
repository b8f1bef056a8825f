//! Any bytes may be decoded into any noun: what is accepted is the one encoding of what came out.

use crypto::encoding::{Decode, Encode, decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::account::Snapshot;
use crate::lost::LostProposal;
use crate::number::Height;
use crate::tests::fixtures;
use crate::vote::{Phase, Statement};
use crate::{
    Account, AccountProof, Action, Address, Amount, Block, BlockId, BlockReply, Body, Certificate,
    CommittedStatement, Door, Evidence, Header, Memo, NewView, Nonce, Proof, ProvedAccount,
    ProvedBlock, Receipt, ReplicaId, SignedTransaction, Transaction, TransactionId, Transfer,
    ValidatorSet, View, ViewChange, Vote,
};
use crypto::signed::Unverified;

/// One change to bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
    /// Eight bytes at once, so that lengths and counts become anything.
    Number(prop::sample::Index, u64),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        place().prop_map(Change::Remove),
        place().prop_map(Change::Truncate),
        (place(), prop_oneof![0_u64..4, any::<u64>()])
            .prop_map(|(at, number)| Change::Number(at, number)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            return bytes;
        }
        match change {
            Change::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Change::Remove(at) => {
                bytes.remove(at.index(bytes.len()));
            }
            Change::Truncate(at) => bytes.truncate(at.index(bytes.len())),
            Change::Number(at, number) => {
                let at = at.index(bytes.len());
                for (place, byte) in bytes.iter_mut().skip(at).zip(number.to_le_bytes()) {
                    *place = byte;
                }
            }
        }
    }
    bytes
}

/// Decodes, and shows that what is accepted encodes to the same bytes.
fn canonical<T: Encode + Decode<()>>(bytes: &[u8]) -> Option<T> {
    let value: T = decode(bytes).ok()?;
    assert_eq!(encode(&value), bytes);
    Some(value)
}

/// Everything that strangers' bytes are decoded into, and every check they then meet.
fn meet_all(bytes: &[u8]) {
    let validators = fixtures::validators(4);
    let door = Door::strict(validators.clone());
    let id = fixtures::signed(200, 0).id();
    canonical::<View>(bytes);
    canonical::<Height>(bytes);
    canonical::<Nonce>(bytes);
    canonical::<ReplicaId>(bytes);
    canonical::<Amount>(bytes);
    canonical::<Address>(bytes);
    canonical::<BlockId>(bytes);
    canonical::<TransactionId>(bytes);
    canonical::<Phase>(bytes);
    canonical::<Statement>(bytes);
    canonical::<CommittedStatement>(bytes);
    canonical::<Transfer>(bytes);
    canonical::<Action>(bytes);
    canonical::<Account>(bytes);
    if let Some(header) = canonical::<Header>(bytes) {
        assert!(!header.follows(&header));
    }
    if let Some(memo) = canonical::<Memo>(bytes) {
        assert!(memo.to_string().len() >= memo.len());
    }
    if let Some(transaction) = canonical::<Transaction>(bytes) {
        assert_eq!(decode::<Transaction>(&encode(&transaction)), Ok(transaction));
    }
    if let Some(transaction) = canonical::<SignedTransaction>(bytes) {
        assert_eq!(transaction.encoded_bytes(), bytes.len());
        let _verdict = Unverified::new(transaction).verify(&fixtures::chain()).is_ok();
    }
    if let Some(body) = canonical::<Body>(bytes) {
        assert_eq!(body.encoded_bytes(), bytes.len());
    }
    if let Some(block) = canonical::<Block>(bytes) {
        let _fits = block.fits();
    }
    if let Some(vote) = canonical::<Vote>(bytes) {
        let _verdict = Unverified::new(vote).verify(&validators).is_ok();
    }
    if let Some(reply) = canonical::<BlockReply>(bytes) {
        let _verdict = Unverified::new(reply).verify(&validators).is_ok();
    }
    if let Some(certificate) = canonical::<Certificate>(bytes) {
        let _verdict = Unverified::new(certificate).verify(&validators).is_ok();
    }
    if let Some(proof) = canonical::<Proof>(bytes) {
        let header = fixtures::proved_block().block.header;
        let _verdict = proof.check(&header, &validators).is_ok();
    }
    if let Some(proof) = canonical::<AccountProof>(bytes) {
        let _verdict = proof.verify(&fixtures::proved_block().block.header.state_root);
    }
    if let Some(proved) = canonical::<ProvedBlock>(bytes) {
        let _verdict = Unverified::new(proved).verify(&door).is_ok();
    }
    if let Some(proved) = canonical::<ProvedAccount>(bytes) {
        let address = proved.account.account.address;
        let _verdict = proved.verify(&validators, &address).is_ok();
    }
    if let Some(receipt) = canonical::<Receipt>(bytes) {
        let _verdict = receipt.verify(&validators, &id).is_ok();
    }
    if let Some(snapshot) = canonical::<Snapshot>(bytes) {
        let _found = (snapshot.state_root(), snapshot.supply());
    }
    meet_view_changes(bytes, &validators);
}

fn meet_view_changes(bytes: &[u8], validators: &ValidatorSet) {
    if let Some(asked) = canonical::<ViewChange>(bytes) {
        let _verdict = Unverified::new(asked).verify(validators).is_ok();
    }
    if let Some(new_view) = canonical::<NewView>(bytes) {
        let _tip = new_view.tip();
        let _verdict = Unverified::new(new_view).verify(validators).is_ok();
    }
    if let Some(lost) = canonical::<LostProposal>(bytes) {
        let _facts = (lost.place(), lost.why(), lost.voters(Phase::Prepare));
        let _verdict = Unverified::new(lost).verify(validators).is_ok();
    }
    if let Some(evidence) = canonical::<Evidence>(bytes) {
        let _facts = (evidence.id(), evidence.accused(validators), evidence.view());
        let _verdict = Unverified::new(evidence).verify(validators).is_ok();
    }
}

/// One encoding of every compound noun.
fn samples() -> Vec<Vec<u8>> {
    let proved = fixtures::proved_block();
    let statement = fixtures::statement(Phase::Prepare, &proved.block.header);
    let snapshot = Snapshot {
        height: Height::new(3),
        block: proved.block.id(),
        accounts: fixtures::accounts(),
        convicted: [1, 3].map(ReplicaId::new).into(),
    };
    [
        encode(&fixtures::address(1)),
        encode(&fixtures::signed(200, 0).transaction),
        encode(&fixtures::signed(200, 0)),
        encode(&fixtures::accounts()[0]),
        encode(&fixtures::account_proof(2)),
        encode(&fixtures::proved_account()),
        encode(&snapshot),
        encode(&proved.block.header),
        encode(&proved.block.body),
        encode(&proved.block),
        encode(&proved.proof),
        encode(&proved),
        encode(&fixtures::vote(statement, 1)),
        encode(&fixtures::certificate(statement, &[0, 1, 2])),
        encode(&fixtures::reply(&proved.block.header, 3)),
        encode(&fixtures::receipt(1)),
        encode(&fixtures::lost_proposal()),
    ]
    .into_iter()
    .chain(fixtures::view_changes().iter().map(encode))
    .chain([encode(&fixtures::new_view(5, fixtures::view_changes()))])
    .chain(fixtures::evidence().iter().map(encode))
    .collect()
}

proptest! {
    #[test]
    fn random_bytes_that_decode_are_the_one_encoding(bytes in vec(any::<u8>(), 0..600)) {
        meet_all(&bytes);
    }

    #[test]
    fn small_numbers_that_decode_are_the_one_encoding(bytes in vec(0_u8..3, 0..300)) {
        meet_all(&bytes);
    }

    #[test]
    fn changed_encodings_that_decode_are_the_one_encoding(
        sample in any::<prop::sample::Index>(),
        changes in vec(change(), 1..4),
    ) {
        let samples = samples();
        meet_all(&changed(sample.get(&samples).clone(), &changes));
    }
}

#[test]
fn every_sample_decodes_as_what_it_is() {
    for sample in samples() {
        meet_all(&sample);
    }
    assert!(canonical::<ProvedBlock>(&encode(&fixtures::proved_block())).is_some());
    assert!(canonical::<Receipt>(&encode(&fixtures::receipt(0))).is_some());
    let new_view = fixtures::new_view(5, fixtures::view_changes());
    assert!(canonical::<NewView>(&encode(&new_view)).is_some());
    for evidence in fixtures::evidence() {
        assert!(canonical::<Evidence>(&encode(&evidence)).is_some());
    }
}

#[test]
fn a_list_that_claims_more_than_its_bytes_is_refused_without_allocating() {
    let mut bytes = encode(&fixtures::proved_block().block.body);
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());

    assert!(decode::<Body>(&bytes).is_err());
    assert!(decode::<Certificate>(&bytes).is_err());
    assert!(decode::<Snapshot>(&bytes).is_err());
    let mut bytes = encode(&fixtures::new_view(5, fixtures::view_changes()));
    bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(decode::<NewView>(&bytes).is_err());
}

#[test]
fn the_largest_block_with_the_longest_proof_is_decoded() {
    let chain = fixtures::blocks(1);
    let transactions = vec![fixtures::signed(200, 0); 4_000];
    let header = chain[0].header.clone();
    let last = fixtures::statement(Phase::Commit, &header);
    let replicas: Vec<u8> = (0..128).collect();
    let largest = ProvedBlock {
        block: Block { header: header.clone(), body: Body::new(transactions) },
        proof: Proof {
            descendants: vec![header; crate::proof::DESCENDANTS_MAX],
            certificate: fixtures::certificate(last, &replicas),
        },
    };

    let bytes = encode(&largest);

    assert_eq!(decode(&bytes), Ok(largest));
    let parameters = crate::Parameters::default();
    assert!(bytes.len() <= parameters.message_bytes_max());
}

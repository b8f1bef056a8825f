//! The bytes of every encoded noun, put together here by hand, and the digests that follow from
//! them.
//!
//! A failure means that existing networks, files and signatures would no longer be understood: then
//! the change is wrong, or the format version changes with it.

use crypto::digest::Digest;
use crypto::encoding::{Encode, encode};
use crypto::keys::Signature;
use crypto::merkle::Path;
use crypto::signed::signing_digest;

use crate::account::Snapshot;
use crate::number::Height;
use crate::tests::fixtures;
use crate::view_change::{Asked, Opened};
use crate::vote::Phase;
use crate::{
    AccountProof, Amount, Block, BlockId, Body, Certificate, CommittedStatement, Evidence, Header,
    Memo, NewView, Nonce, Proof, ProvedAccount, ProvedBlock, Receipt, ReplicaId, Statement, View,
    ViewChange, Vote,
};

/// Bytes in the making, in the words of the format: fixed-size little-endian numbers.
#[derive(Default, Clone)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }
    fn u16(self, value: u16) -> Self {
        self.raw(&value.to_le_bytes())
    }
    fn u32(self, value: u32) -> Self {
        self.raw(&value.to_le_bytes())
    }
    fn u64(self, value: u64) -> Self {
        self.raw(&value.to_le_bytes())
    }
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    fn then(self, other: &Self) -> Self {
        self.raw(&other.0)
    }
}

fn bytes() -> Bytes {
    Bytes::default()
}

#[track_caller]
fn assert_encodes<T: Encode>(value: &T, expected: &Bytes) {
    assert_eq!(encode(value), expected.0);
}

fn transaction_bytes(sender: u8, nonce: u64) -> Bytes {
    bytes()
        .raw(&[7; 32])
        .u8(0)
        .raw(fixtures::secret(sender).public_key().as_bytes())
        .u64(nonce)
        .u64(100)
        .u32(0)
        .u8(0)
        .raw(fixtures::secret(201).public_key().as_bytes())
        .u64(1_250)
        .u64(9)
        .raw(b"for lunch")
}

fn signed_bytes(sender: u8, nonce: u64) -> Bytes {
    transaction_bytes(sender, nonce).raw(fixtures::signed(sender, nonce).signature.as_bytes())
}

fn header_bytes(header: &Header) -> Bytes {
    bytes()
        .raw(&[7; 32])
        .u64(header.height.get())
        .raw(header.parent.digest().as_bytes())
        .u64(1)
        .u16(1)
        .u64(1_700_000_000_000 + header.height.get())
        .raw(header.body_root.as_bytes())
        .u32(3)
        .raw(header.state_root.as_bytes())
}

fn body_bytes() -> Bytes {
    bytes()
        .u64(3)
        .then(&signed_bytes(200, 0))
        .then(&signed_bytes(200, 1))
        .then(&signed_bytes(202, 7))
        .raw(&[0])
}

fn statement_bytes(statement: &Statement, phase: u32) -> Bytes {
    bytes().u32(phase).u64(2).u64(statement.height.get()).raw(statement.block.digest().as_bytes())
}

fn vote_bytes(vote: &Vote, phase: u32) -> Bytes {
    statement_bytes(&vote.statement, phase).u16(vote.replica.get()).raw(vote.signature.as_bytes())
}

/// Of a view change whose certificate, if any, is a prepared one of view 2.
fn view_change_bytes(asked: &ViewChange) -> Bytes {
    let certificate = match &asked.certificate {
        Some(certificate) => bytes().u8(1).then(&certificate_bytes(certificate, 0)),
        None => bytes().u8(0),
    };
    bytes()
        .u64(asked.view.get())
        .then(&certificate)
        .u16(asked.replica.get())
        .raw(asked.signature.as_bytes())
}

fn asked_bytes(asked: &Asked) -> Bytes {
    let certified = match &asked.statement.certified {
        Some(statement) => bytes().u8(1).then(&statement_bytes(statement, 0)),
        None => bytes().u8(0),
    };
    bytes()
        .u64(asked.statement.view.get())
        .then(&certified)
        .u16(asked.replica.get())
        .raw(asked.signature.as_bytes())
}

fn new_view_bytes(new_view: &NewView) -> Bytes {
    let count = u64::try_from(new_view.view_changes.len()).unwrap();
    new_view
        .view_changes
        .iter()
        .fold(bytes().u64(new_view.view.get()).u64(count), |bytes, asked| {
            bytes.then(&view_change_bytes(asked))
        })
        .raw(new_view.signature.as_bytes())
}

fn certificate_bytes(certificate: &Certificate, phase: u32) -> Bytes {
    let count = u64::try_from(certificate.signatures.len()).unwrap();
    certificate.signatures.iter().fold(
        statement_bytes(&certificate.statement, phase).u64(count),
        |bytes, (replica, signature)| bytes.u16(replica.get()).raw(signature.as_bytes()),
    )
}

fn proof_bytes(proof: &Proof) -> Bytes {
    proof
        .descendants
        .iter()
        .fold(bytes().u64(u64::try_from(proof.descendants.len()).unwrap()), |bytes, header| {
            bytes.then(&header_bytes(header))
        })
        .then(&certificate_bytes(&proof.certificate, 1))
}

fn path_bytes(path: &Path) -> Bytes {
    let count = u64::try_from(path.siblings.len()).unwrap();
    path.siblings.iter().fold(bytes().u64(count), |bytes, sibling| bytes.raw(sibling.as_bytes()))
}

fn account_bytes(number: u8) -> Bytes {
    bytes()
        .u8(0)
        .raw(fixtures::secret(200 + number).public_key().as_bytes())
        .u64(1_000_000 + u64::from(number))
        .u64(u64::from(number))
}

fn account_proof_bytes(proof: &AccountProof) -> Bytes {
    bytes()
        .u64(proof.index)
        .u64(5)
        .then(&account_bytes(u8::try_from(proof.index).unwrap()))
        .then(&path_bytes(&proof.path))
}

#[test]
fn small_nouns_encode_as_their_numbers_and_texts() {
    assert_encodes(&View::new(0x0102_0304), &bytes().u64(0x0102_0304));
    assert_encodes(&Height::new(9), &bytes().u64(9));
    assert_encodes(&Nonce::new(u64::MAX), &bytes().u64(u64::MAX));
    assert_encodes(&ReplicaId::new(0x0102), &bytes().u16(0x0102));
    assert_encodes(&Amount::new(5), &bytes().u64(5));
    assert_encodes(&Phase::Prepare, &bytes().u32(0));
    assert_encodes(&Phase::Commit, &bytes().u32(1));
    assert_encodes(&BlockId::new(Digest::from_bytes([9; 32])), &bytes().raw(&[9; 32]));
    assert_encodes(&Memo::new("né".to_owned()), &bytes().u64(3).raw("né".as_bytes()));
    assert_encodes(
        &fixtures::address(4),
        &bytes().u8(0).raw(fixtures::secret(4).public_key().as_bytes()),
    );
}

#[test]
fn transactions_encode_field_by_field() {
    let signed = fixtures::signed(200, 3);

    assert_encodes(&signed.transaction, &transaction_bytes(200, 3));
    assert_encodes(&signed, &signed_bytes(200, 3));
    assert_eq!(signed.encoded_bytes(), signed_bytes(200, 3).0.len());
}

#[test]
fn blocks_encode_as_header_and_body() {
    let block = fixtures::block(5, BlockId::NONE);
    let expected = header_bytes(&block.header).then(&body_bytes());

    assert_encodes(&block.header, &header_bytes(&block.header));
    assert_eq!(encode(&block.header).len(), 158);
    assert_encodes(&block.body, &body_bytes());
    assert_eq!(block.body.encoded_bytes(), body_bytes().0.len());
    assert_encodes::<Block>(&block, &expected);
    assert_encodes(&Body::default(), &bytes().u64(0).raw(&[0]));
    for evidence in fixtures::evidence() {
        let expected = bytes().u64(0).raw(&[1]).raw(&encode(&evidence));
        assert_encodes(&Body::default().with_evidence(Some(evidence)), &expected);
    }
}

#[test]
fn votes_and_replies_encode_field_by_field() {
    let header = fixtures::block(5, BlockId::NONE).header;
    let statement = fixtures::statement(Phase::Commit, &header);
    let vote = fixtures::vote(statement, 3);
    let reply = fixtures::reply(&header, 3);

    assert_encodes(&vote, &statement_bytes(&statement, 1).u16(3).raw(vote.signature.as_bytes()));
    assert_encodes::<CommittedStatement>(
        &reply.statement,
        &bytes().u64(5).raw(header.id().digest().as_bytes()),
    );
    assert_encodes(
        &reply,
        &bytes().u64(5).raw(header.id().digest().as_bytes()).u16(3).raw(reply.signature.as_bytes()),
    );
}

#[test]
fn certificates_and_proofs_encode_field_by_field() {
    let proved = fixtures::proved_block();
    let statement = fixtures::statement(Phase::Prepare, &proved.block.header);
    let certificate = fixtures::certificate(statement, &[0, 1, 3]);
    let expected =
        header_bytes(&proved.block.header).then(&body_bytes()).then(&proof_bytes(&proved.proof));

    assert_encodes(&certificate, &certificate_bytes(&certificate, 0));
    assert_encodes(&proved.proof, &proof_bytes(&proved.proof));
    assert_encodes::<ProvedBlock>(&proved, &expected);
}

#[test]
fn view_changes_and_new_views_encode_field_by_field() {
    let asked = [
        fixtures::view_change(5, None, 0),
        fixtures::view_change(5, Some(fixtures::prepared(2, 2)), 1),
        fixtures::view_change(5, None, 3),
    ];
    let made = fixtures::new_view(5, asked.to_vec());
    let statement = fixtures::prepared(2, 2).statement;

    for asked in &asked {
        assert_encodes(asked, &view_change_bytes(asked));
    }
    assert_encodes(&made, &new_view_bytes(&made));
    assert_encodes(
        &asked[1].statement(),
        &bytes().u64(5).u8(1).then(&statement_bytes(&statement, 0)),
    );
    assert_encodes(&asked[0].statement(), &bytes().u64(5).u8(0));
    let expected = bytes().u64(5).u64(3).u16(0).u8(0).u16(1).u8(1);
    let expected = expected.then(&statement_bytes(&statement, 0)).u16(3).u8(0);
    assert_encodes(&made.statement(), &expected);
}

#[test]
fn evidence_encodes_as_its_kind_and_its_statements() {
    let [votes, branches, double, forgotten, _] = fixtures::evidence();
    let Evidence::Votes { first, second } = &votes else { panic!() };
    let expected = bytes().u32(0).then(&vote_bytes(first, 0)).then(&vote_bytes(second, 0));
    assert_encodes(&votes, &expected);
    let Evidence::Branches { higher, lower, headers } = &branches else { panic!() };
    let expected = bytes().u32(1).then(&vote_bytes(higher, 0)).then(&vote_bytes(lower, 1));
    assert_encodes(&branches, &expected.u64(1).then(&header_bytes(&headers[0])));
    let Evidence::ViewChanges { first, second } = &double else { panic!() };
    let expected = bytes().u32(2).then(&asked_bytes(first));
    assert_encodes(&double, &expected.then(&asked_bytes(second)));
    let Evidence::Forgotten { commit, view_change } = &forgotten else { panic!() };
    let expected = bytes().u32(3).then(&vote_bytes(commit, 1));
    assert_encodes(&forgotten, &expected.then(&asked_bytes(view_change)));

    let whole = fixtures::new_view(5, vec![fixtures::view_change(5, None, 0)]);
    let (first, second) = (Opened::from(&whole), Opened::from(&fixtures::new_view(5, Vec::new())));
    let expected = bytes().u32(4).u64(5).u64(1).u16(0).u8(0).raw(first.signature.as_bytes());
    let expected = expected.u64(5).u64(0).raw(second.signature.as_bytes());
    assert_encodes(&Evidence::NewViews { first, second }, &expected);
}

#[test]
fn accounts_and_their_proofs_encode_field_by_field() {
    let proved: ProvedAccount = fixtures::proved_account();
    let snapshot = Snapshot {
        height: Height::new(3),
        block: BlockId::NONE,
        accounts: fixtures::accounts()[..2].to_vec(),
        convicted: [1, 3].map(ReplicaId::new).into(),
    };

    assert_encodes(&fixtures::accounts()[4], &account_bytes(4));
    assert_encodes(&proved.account, &account_proof_bytes(&proved.account));
    assert_encodes(
        &proved,
        &header_bytes(&proved.header)
            .then(&account_proof_bytes(&proved.account))
            .then(&proof_bytes(&proved.proof)),
    );
    assert_encodes(
        &snapshot,
        &bytes()
            .u64(3)
            .raw(&[0; 32])
            .u64(2)
            .then(&account_bytes(0))
            .then(&account_bytes(1))
            .u64(2)
            .u16(1)
            .u16(3),
    );
}

#[test]
fn receipts_encode_field_by_field() {
    let receipt: Receipt = fixtures::receipt(1);
    let statement = &receipt.reply.statement;

    assert_encodes(
        &receipt,
        &signed_bytes(200, 1)
            .u32(1)
            .then(&path_bytes(&receipt.path))
            .raw(&[0])
            .then(&header_bytes(&receipt.header))
            .u64(9)
            .raw(statement.block.digest().as_bytes())
            .u16(2)
            .raw(receipt.reply.signature.as_bytes()),
    );
}

#[test]
fn digests_and_signatures_are_what_they_always_were() {
    let signed = fixtures::signed(200, 3);
    let block = fixtures::block(5, BlockId::NONE);
    let statement = fixtures::statement(Phase::Commit, &block.header);
    let vote: Signature = fixtures::vote(statement, 3).signature;
    let asked = fixtures::view_change(5, Some(fixtures::prepared(2, 2)), 1);
    let made = fixtures::new_view(5, fixtures::view_changes());
    let found = [
        ("transaction id", signed.id().to_string()),
        ("transaction leaf", signed.leaf().to_string()),
        ("transaction signature", signed.signature.to_string()),
        ("body root", block.header.body_root.to_string()),
        ("empty body root", Body::default().root().to_string()),
        ("account leaf", fixtures::accounts()[1].leaf(1).to_string()),
        ("state root", block.header.state_root.to_string()),
        ("block id", block.id().to_string()),
        ("vote digest", signing_digest(&fixtures::chain(), &statement).to_string()),
        ("vote signature", vote.to_string()),
        ("reply signature", fixtures::reply(&block.header, 3).signature.to_string()),
        ("view change digest", signing_digest(&fixtures::chain(), &asked.statement()).to_string()),
        ("new view digest", signing_digest(&fixtures::chain(), &made.statement()).to_string()),
        ("evidence id", fixtures::evidence()[0].id().to_string()),
    ];

    assert_eq!(found.map(|(name, text)| format!("{name} {text}")), DIGESTS);
}

const DIGESTS: [&str; 14] = [
    "transaction id 7fbb2af4ab24ead8f1e3b8ba84cda76770777859a5e5ef6e4c7a052e4e085d1a",
    "transaction leaf 815f744b0b920365b91b83833f1cd9160a4cc44d15c1e2c7a2696c04e4d51ebe",
    "transaction signature c8b9d79b45ef9a62b2995bc54005e1576455e9946d62b2cc7afbf5d4b8a5603b\
     32a348d0bbb639bf24a462bbbf7ee7ba735615c1417dffd1c2996963147e3b03",
    "body root 6588c4c5211d50375c30e48b628ac74ec377e3e266ab18bde02bec7b76e40191",
    "empty body root 48769c275c6eb748eb8f722eb721531e2ee24c75f7bf23dbe4eaebc02bc3319b",
    "account leaf 31af638be4096917e08d943ddff6c7079555b28e7832f41d2e5fc240f649802e",
    "state root a681cf164cf2db01c85eeded75f66c9bc70d7ea2a7df0e2ecbb252761600b506",
    "block id 9f73e10997deff33cadae18ae8d54014531814fda56fba4e99fd88a55b1e5c5e",
    "vote digest 2201e2242b5a1d551ea13bc3bd0019aa7b8af2a306a6d286d9b4d3cb833f752a",
    "vote signature 953145064637a9411ef4497463f2dcc4d69b31db5bdacea80afe73c60b84f951\
     ff1fe71f503be3ebcad612279fcd44368c5b2cb6f5ef358ef71b07bf4c55c70b",
    "reply signature a34fb9239cc9ef81220b7982432b480839c30d532b02ba0fe623f1301ed0cda0\
     356ce0715c764d8651797b70ce331f268c2f709372e7e9c914e70ae2e72f8d06",
    "view change digest 8f9e388953c24b113a3464a3961048e9e8c26d7629ae93e910ac39a7dad2cabf",
    "new view digest 2d0d86462d1898851e86424d4b7836452f57af1caf4e0a30ef11c9a31a6a6bd0",
    "evidence id 48cedf3d551719a5f48968e0eec0bb2c1548aeea0782152365c267118bec0b32",
];

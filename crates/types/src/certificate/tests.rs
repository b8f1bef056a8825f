use crypto::encoding::{decode, encode};
use crypto::signed::{Forged, Unverified};
use crypto::verify::Claim;
use crypto::{keys::Signature, signed::Authenticated as _};

use super::{Certificate, CertificateError};
use crate::tests::fixtures::{self, vote};
use crate::{BlockId, Height, Phase, ReplicaId, Statement, View};

fn statement() -> Statement {
    fixtures::statement(Phase::Commit, &fixtures::block(5, BlockId::NONE).header)
}

fn by(replicas: &[u8]) -> Certificate {
    fixtures::certificate(statement(), replicas)
}

fn verdict_among(n: u8, certificate: Certificate) -> Result<(), Forged<CertificateError>> {
    Unverified::new(certificate).verify(&fixtures::validators(n)).map(|_| ())
}

fn verdict(certificate: Certificate) -> Result<(), Forged<CertificateError>> {
    verdict_among(4, certificate)
}

fn malformed(error: CertificateError) -> Result<(), Forged<CertificateError>> {
    Err(Forged::Malformed(error))
}

#[test]
fn a_quorum_of_members_and_all_of_them_are_certificates() {
    assert_eq!(verdict(by(&[0, 1, 2])), Ok(()));
    assert_eq!(verdict(by(&[1, 2, 3])), Ok(()));
    assert_eq!(verdict(by(&[0, 1, 2, 3])), Ok(()));
    assert_eq!(verdict_among(1, by(&[0])), Ok(()));
}

#[test]
fn one_less_than_a_quorum_is_none_for_any_number_of_validators() {
    for n in 1..=10 {
        let q = u8::try_from(fixtures::validators(n).quorum().q()).unwrap();
        let enough: Vec<u8> = (0..q).collect();
        let found = enough.len() - 1;

        assert_eq!(verdict_among(n, by(&enough)), Ok(()), "n = {n}");
        assert_eq!(
            verdict_among(n, by(&enough[1..])),
            malformed(CertificateError::TooFew { found, q: found + 1 }),
            "n = {n}"
        );
    }
}

#[test]
fn a_voter_counts_once() {
    let replica = ReplicaId::new(1);
    assert_eq!(verdict(by(&[0, 1, 1])), malformed(CertificateError::NotAscending { replica }));
    let mut two_signatures = by(&[0, 1, 1]);
    two_signatures.signatures[2].1 = Signature::from_bytes([5; 64]);
    assert_eq!(verdict(two_signatures), malformed(CertificateError::NotAscending { replica }));
}

#[test]
fn members_stand_in_ascending_order() {
    let replica = ReplicaId::new(0);

    assert_eq!(verdict(by(&[1, 0, 2])), malformed(CertificateError::NotAscending { replica }));
}

#[test]
fn a_stranger_does_not_count() {
    let replica = ReplicaId::new(4);

    assert_eq!(verdict(by(&[0, 1, 4])), malformed(CertificateError::NotAMember { replica }));
}

#[test]
fn more_signatures_than_validators_are_not_looked_at() {
    let many = vec![by(&[0]).signatures[0]; 5];
    let certificate = Certificate { statement: statement(), signatures: many };

    assert_eq!(verdict(certificate), malformed(CertificateError::TooMany { found: 5, n: 4 }));
}

#[test]
fn signatures_of_swapped_members_do_not_hold() {
    let mut certificate = by(&[0, 1, 2]);
    let first = certificate.signatures[0].1;
    certificate.signatures[0].1 = certificate.signatures[1].1;
    certificate.signatures[1].1 = first;

    assert_eq!(verdict(certificate), Err(Forged::Signature));
}

#[test]
fn one_signature_under_another_statement_spoils_the_certificate() {
    let others: [fn(&mut Statement); 4] = [
        |statement| statement.phase = Phase::Prepare,
        |statement| statement.view = View::new(9),
        |statement| statement.height = Height::new(9),
        |statement| statement.block = BlockId::NONE,
    ];
    for change in others {
        let mut other = statement();
        change(&mut other);
        let mut mixed = by(&[0, 1, 2]);
        mixed.signatures[2].1 = vote(other, 2).signature;
        assert_eq!(verdict(mixed), Err(Forged::Signature));

        let mut all_others = by(&[0, 1, 2]);
        all_others.statement = other;
        assert_eq!(verdict(all_others), Err(Forged::Signature));
    }
}

#[test]
fn no_changed_bit_is_accepted() {
    let bytes = encode(&by(&[0, 1, 3]));
    for place in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            if let Ok(certificate) = decode(&changed) {
                assert!(verdict(certificate).is_err(), "byte {place}");
            }
        }
    }
}

#[test]
fn no_claim_is_made_for_what_is_malformed() {
    let mut claims: Vec<Claim> = Vec::new();

    assert!(by(&[0, 1, 1]).claims(&fixtures::validators(4), &mut claims).is_err());
    assert!(by(&[0, 1, 9]).claims(&fixtures::validators(4), &mut claims).is_err());

    assert_eq!(claims, []);
}

#[test]
fn votes_for_the_statement_make_a_certificate_in_order_and_once_each() {
    let mut other = statement();
    other.view = View::new(9);
    let mut again = vote(statement(), 3);
    again.signature = Signature::from_bytes([5; 64]);
    let votes =
        [vote(statement(), 3), vote(other, 1), vote(statement(), 0), again, vote(statement(), 2)];

    let made = Certificate::from_votes(statement(), &votes, &fixtures::validators(4));

    assert_eq!(made, Ok(by(&[0, 2, 3])));
    let replicas: Vec<u16> = by(&[0, 2, 3]).replicas().map(ReplicaId::get).collect();
    assert_eq!(replicas, [0, 2, 3]);
}

#[test]
fn votes_for_different_things_do_not_add_up() {
    let mut other = statement();
    other.block = BlockId::NONE;
    let votes = [vote(statement(), 0), vote(statement(), 1), vote(other, 2), vote(other, 3)];

    let made = Certificate::from_votes(statement(), &votes, &fixtures::validators(4));

    assert_eq!(made, Err(CertificateError::TooFew { found: 2, q: 3 }));
}

#[test]
fn certificates_are_ordered_by_view_then_height_then_phase() {
    let ranked = |view, height, phase| {
        let block = BlockId::NONE;
        let (view, height) = (View::new(view), Height::new(height));
        let statement = Statement { phase, view, height, block };
        Certificate { statement, signatures: Vec::new() }.rank()
    };

    assert!(ranked(1, 9, Phase::Commit) < ranked(2, 1, Phase::Prepare));
    assert!(ranked(1, 1, Phase::Commit) < ranked(1, 2, Phase::Prepare));
    assert!(ranked(1, 1, Phase::Prepare) < ranked(1, 1, Phase::Commit));
}

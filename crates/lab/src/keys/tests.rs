//! Both kinds of signatures hold for what was signed and for nothing else.

use crypto::digest::{Digest, Domain, digest};
use crypto::verify::Claim;

use super::{Owner, SignerKind, Verifier};

#[test]
fn a_signature_holds_for_its_key_and_its_message_alone() {
    let message = digest(Domain::SignedVote, b"one");
    for kind in [SignerKind::Fast, SignerKind::Ed25519] {
        let verifier = Verifier::new(kind);
        let signer = Owner::Replica(1).signer(kind);
        let claim = Claim { key: signer.public_key(), message, signature: signer.sign(&message) };

        assert_eq!(claim.key, Owner::Replica(1).public_key());
        assert!(verifier.all_hold(&[claim]));
        for wrong in [
            Claim { message: Digest::ZERO, ..claim },
            Claim { key: Owner::Replica(2).public_key(), ..claim },
            Claim { key: Owner::Client(1).public_key(), ..claim },
        ] {
            assert!(!verifier.all_hold(&[claim, wrong]), "{kind:?}");
        }
    }
}

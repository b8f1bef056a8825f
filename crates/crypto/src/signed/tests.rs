//! What is signed, and what becomes of it at the door.

use super::*;
use crate::keys::{PublicKey, SecretKey, Signature, Signer};

/// What the members of a fixture sign.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
struct Text(String);

impl Signable for Text {
    const DOMAIN: Domain = Domain::SignedVote;
}

/// The same bytes, meant as something else.
#[derive(Debug, Encode)]
#[bincode(crate = "crate::encoding")]
struct OtherText(String);

impl Signable for OtherText {
    const DOMAIN: Domain = Domain::SignedReply;
}

/// A text with any number of signatures, refused when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
struct Letter {
    text: Text,
    signatures: Vec<(PublicKey, Signature)>,
}

impl Authenticated for Letter {
    type Context = ChainId;
    type Malformed = &'static str;

    fn claims(&self, chain: &ChainId, claims: &mut Vec<Claim>) -> Result<(), &'static str> {
        let message = signing_digest(chain, &self.text);
        claims.extend(self.signatures.iter().map(|(key, signature)| Claim {
            key: *key,
            message,
            signature: *signature,
        }));
        // After the claims, so that what was appended before a refusal must be dropped.
        if self.text.0.is_empty() {
            return Err("empty text");
        }
        Ok(())
    }
}

fn chain(name: &[u8]) -> ChainId {
    ChainId::new(digest(Domain::ChainId, name))
}

fn letter(text: &str, seeds: &[u8]) -> Letter {
    let text = Text(text.to_owned());
    let message = signing_digest(&chain(b"home"), &text);
    let signatures = seeds
        .iter()
        .map(|seed| SecretKey::from_seed([*seed; 32]))
        .map(|secret| (secret.public_key(), secret.sign(&message)))
        .collect();
    Letter { text, signatures }
}

fn forged(mut letter: Letter, index: usize) -> Letter {
    let (_, signature) = &mut letter.signatures[index];
    let mut bytes = *signature.as_bytes();
    bytes[3] ^= 1;
    *signature = Signature::from_bytes(bytes);
    letter
}

#[test]
fn what_everyone_signed_is_signed() {
    let letter = letter("pay", &[1, 2, 3]);

    let signed = Unverified::new(letter.clone()).verify(&chain(b"home")).unwrap();

    assert_eq!(signed.get(), &letter);
    assert_eq!(signed, Signed::vouched(letter.clone()));
    assert_eq!(signed.into_inner(), letter);
}

#[test]
fn one_bad_signature_among_many_forges_the_whole() {
    for index in 0..3 {
        let refused =
            Unverified::new(forged(letter("pay", &[1, 2, 3]), index)).verify(&chain(b"home"));
        assert_eq!(refused, Err(Forged::Signature));
    }
}

#[test]
fn a_malformed_message_is_refused_before_its_signatures() {
    let refused = Unverified::new(forged(letter("", &[1]), 0)).verify(&chain(b"home"));
    assert_eq!(refused, Err(Forged::Malformed("empty text")));
}

#[test]
fn a_message_that_nobody_signed_is_forged() {
    let unsigned = Unverified::new(letter("pay", &[]));

    assert_eq!(unsigned.clone().verify(&chain(b"home")), Err(Forged::Signature));
    assert_eq!(verify_all(vec![unsigned], &chain(b"home")), [Err(Forged::Signature)]);
}

#[test]
fn a_signature_for_another_chain_is_refused() {
    let refused = Unverified::new(letter("pay", &[1])).verify(&chain(b"away"));
    assert_eq!(refused, Err(Forged::Signature));
}

#[test]
fn a_signature_for_one_domain_means_nothing_in_another() {
    let secret = SecretKey::from_seed([1; 32]);
    let home = chain(b"home");
    let text = signing_digest(&home, &Text("pay".to_owned()));
    let other = signing_digest(&home, &OtherText("pay".to_owned()));
    assert_ne!(text, other);

    let signature = secret.sign(&text);

    let claim = |message| Claim { key: secret.public_key(), message, signature };
    assert!(claim(text).holds());
    assert!(!claim(other).holds());
    // Whatever domain the same bytes are digested in, only the one that was signed holds.
    let bytes = encoding::encode(&(home, "pay"));
    let signature = secret.sign(&digest(Domain::SignedVote, &bytes));
    for domain in Domain::ALL {
        let claim = Claim { key: secret.public_key(), message: digest(*domain, &bytes), signature };
        assert_eq!(claim.holds(), *domain == Domain::SignedVote, "{domain:?}");
    }
}

#[test]
fn the_signing_digest_covers_chain_and_message() {
    let message = Text("pay".to_owned());
    let home = chain(b"home");

    let joined = [home.digest().as_bytes().to_vec(), encoding::encode(&message)].concat();

    assert_eq!(signing_digest(&home, &message), digest(Domain::SignedVote, &joined));
    assert_eq!(
        signing_digest(&home, &message).to_string(),
        "9f821c80c9f235558c78125d7ce833434007a73baf64f31c0092d4851a8aa561"
    );
}

#[test]
fn many_messages_are_judged_each_for_itself_and_in_order() {
    let good = letter("good", &[1, 2]);
    let bad = forged(letter("bad", &[3, 4, 5]), 1);
    let malformed = letter("", &[6, 7]);
    let unsigned = letter("unsigned", &[]);
    let last = letter("last", &[8]);
    let messages = [&good, &malformed, &bad, &unsigned, &good, &last];

    let verdicts =
        verify_all(messages.into_iter().cloned().map(Unverified::new).collect(), &chain(b"home"));

    assert_eq!(
        verdicts,
        [
            Ok(Signed::vouched(good.clone())),
            Err(Forged::Malformed("empty text")),
            Err(Forged::Signature),
            Err(Forged::Signature),
            Ok(Signed::vouched(good)),
            Ok(Signed::vouched(last)),
        ]
    );
}

#[test]
fn one_bad_message_among_many_is_named_whatever_its_place() {
    for index in 0..40 {
        let messages: Vec<_> = (0..40)
            .map(|seed| letter("pay", &[seed]))
            .enumerate()
            .map(|(at, letter)| if at == index { forged(letter, 0) } else { letter })
            .map(Unverified::new)
            .collect();

        let verdicts = verify_all(messages, &chain(b"home"));

        for (at, verdict) in verdicts.iter().enumerate() {
            assert_eq!(verdict.is_err(), at == index);
        }
    }
}

#[test]
fn no_messages_have_no_verdicts() {
    assert_eq!(verify_all::<Letter>(vec![], &chain(b"home")), []);
}

#[test]
fn the_wrappers_add_no_bytes() {
    let letter = letter("pay", &[1]);
    let bytes = encoding::encode(&letter);

    assert_eq!(encoding::encode(&Unverified::new(letter.clone())), bytes);
    assert_eq!(encoding::encode(&Signed::vouched(letter.clone())), bytes);
    assert_eq!(encoding::decode(&bytes), Ok(Unverified::new(letter)));
}

#[test]
fn a_chain_id_reads_back_from_its_text() {
    let id = chain(b"home");

    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(id.to_string(), id.digest().to_string());
    assert_eq!(encoding::encode(&id), id.digest().as_bytes());
}

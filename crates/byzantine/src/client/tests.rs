use crypto::signed::Unverified;

use super::*;

fn purse() -> Purse {
    let chain = ChainId::new(Digest::from_bytes([1; 32]));
    Purse { key: SecretKey::from_seed([9; 32]), chain, nonce: Nonce::new(4) }
}

fn round(name: &str) -> Vec<Volley> {
    Kind::of(name).unwrap().round(&purse(), &mut Random::stream(1, name, &[]))
}

fn transactions(volleys: Vec<Volley>) -> Vec<SignedTransaction> {
    let all = volleys.into_iter().flat_map(|volley| match volley.what {
        Shot::One(one) | Shot::Settled(one) => vec![*one],
        Shot::Many(many) => many,
        Shot::Bytes(_) => Vec::new(),
    });
    all.collect()
}

fn holds(transaction: &SignedTransaction) -> bool {
    Unverified::new(transaction.clone()).verify(&purse().chain).is_ok()
}

#[test]
fn two_payments_have_one_nonce_and_both_are_signed() {
    let both = transactions(round("double-spend"));
    assert!(both.iter().all(|one| holds(one) && one.transaction.nonce == Nonce::new(4)));
    assert_ne!(both[0].id(), both[1].id());
}

#[test]
fn no_other_form_of_a_signature_holds_and_all_are_of_one_payment() {
    let forms = transactions(round("malleate"));
    let genuine = forms.iter().filter(|form| holds(form)).count();
    assert_eq!((forms.len(), genuine), (7, 1));
    assert!(forms.iter().all(|form| form.id() == forms[0].id()));
    // Plus the order of the group: the sum is right, the form is not.
    assert_eq!(forms[0].signature.as_bytes()[..32], forms[5].signature.as_bytes()[..32]);
    assert_ne!(forms[0].signature, forms[5].signature);
}

#[test]
fn what_is_replayed_is_the_payment_itself_and_two_of_another_network() {
    let said = transactions(round("replay"));
    assert_eq!(said[0], said[1]);
    assert_eq!([holds(&said[0]), holds(&said[2]), holds(&said[3])], [true, false, false]);
    assert_eq!(said[3].transaction.chain, purse().chain);
}

#[test]
fn what_is_stuffed_never_has_its_turn() {
    let stuffed = transactions(round("nonce-gaps"));
    assert_eq!(stuffed.len(), 1_000);
    assert!(stuffed.iter().all(|one| holds(one) && one.transaction.nonce > Nonce::new(5)));
}

#[test]
fn every_attack_has_its_name_and_its_words() {
    assert!(CATALOGUE.is_sorted_by_key(|kind| kind.name));
    for kind in CATALOGUE {
        assert_eq!(Kind::of(kind.name).unwrap().name, kind.name);
        assert!(kind.sentence.len() > 10 && kind.answer.len() > 10);
        assert!(!round(kind.name).is_empty());
    }
}

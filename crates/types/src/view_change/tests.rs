//! Who may ask for a view, with what, and what a primary must show.

use crypto::encoding::{decode, encode};
use crypto::signed::{Authenticated as _, Forged, Unverified};

use super::{NewView, NewViewError, ViewChange, ViewChangeError};
use crate::certificate::CertificateError;
use crate::tests::fixtures::{
    self, certified, new_view, prepared, secret, validators, view_change, view_changes,
};
use crate::vote::NotAMember;
use crate::{Phase, ReplicaId, Statement, View};

fn verdict(asked: ViewChange) -> Result<(), Forged<ViewChangeError>> {
    Unverified::new(asked).verify(&validators(4)).map(|_| ())
}

fn verdict_of(new_view: NewView) -> Result<(), Forged<NewViewError>> {
    Unverified::new(new_view).verify(&validators(4)).map(|_| ())
}

fn replica(number: u16) -> ReplicaId {
    ReplicaId::new(number)
}

#[test]
fn a_view_change_with_or_without_a_certificate_of_a_lower_view_is_one() {
    for asked in view_changes() {
        assert_eq!(verdict(asked), Ok(()));
    }
    assert_eq!(verdict(view_change(u64::MAX, Some(prepared(u64::MAX - 1, 1)), 2)), Ok(()));
}

#[test]
fn nobody_asks_for_the_first_view() {
    assert_eq!(
        verdict(view_change(0, None, 1)),
        Err(Forged::Malformed(ViewChangeError::FirstView))
    );
}

#[test]
fn a_certificate_of_the_view_asked_for_or_of_a_later_one_is_refused() {
    for certified in [3, 4, u64::MAX] {
        let error = ViewChangeError::CertificateView {
            asked: View::new(3),
            certified: View::new(certified),
        };
        let asked = view_change(3, Some(prepared(certified, 1)), 1);
        assert_eq!(verdict(asked), Err(Forged::Malformed(error)));
    }
    assert_eq!(verdict(view_change(3, Some(prepared(2, 1)), 1)), Ok(()));
}

#[test]
fn a_stranger_asks_for_nothing() {
    for number in [4, u16::MAX] {
        let mut asked = view_change(3, None, 1);
        asked.replica = replica(number);
        let error = NotAMember { replica: replica(number) };
        assert_eq!(verdict(asked), Err(Forged::Malformed(error.into())));
    }
}

#[test]
fn a_certificate_that_is_none_is_refused_before_its_signatures() {
    let mut few = prepared(2, 1);
    few.signatures.pop();
    let error = CertificateError::TooFew { found: 2, q: 3 };
    assert_eq!(
        verdict(view_change(3, Some(few), 1)),
        Err(Forged::Malformed(ViewChangeError::Certificate(error)))
    );
}

#[test]
fn the_reasons_against_a_view_change_apply_in_their_order() {
    let mut asked = view_change(0, Some(prepared(2, 1)), 1);
    asked.replica = replica(9);
    asked.certificate.as_mut().unwrap().signatures.clear();
    let check = |asked: &ViewChange| asked.check(&validators(4)).unwrap_err();

    assert_eq!(check(&asked), ViewChangeError::FirstView);
    asked.view = View::new(1);
    assert!(matches!(check(&asked), ViewChangeError::CertificateView { .. }));
    asked.view = View::new(3);
    assert!(matches!(check(&asked), ViewChangeError::NotAMember(_)));
    asked.replica = replica(1);
    assert!(matches!(check(&asked), ViewChangeError::Certificate(_)));
    asked.certificate = None;
    assert_eq!(asked.check(&validators(4)), Ok(()));
}

/// T21: its sender's signature and every signature of its certificate.
#[test]
fn every_signature_of_a_view_change_is_claimed() {
    let mut claims = Vec::new();
    view_change(5, Some(prepared(2, 2)), 2).claims(&validators(4), &mut claims).unwrap();
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    assert_eq!(keys, [2, 0, 1, 3].map(|number| secret(number).public_key()));

    for place in 0..3 {
        let mut asked = view_change(5, Some(prepared(2, 2)), 2);
        let signatures = &mut asked.certificate.as_mut().unwrap().signatures;
        signatures[place].1 = fixtures::vote(prepared(3, 2).statement, 0).signature;
        assert_eq!(verdict(asked), Err(Forged::Signature));
    }
}

/// T09, T16: nothing of it can be said in another's name, or mean something else.
#[test]
fn no_changed_bit_of_a_view_change_is_accepted() {
    let bytes = encode(&view_change(5, Some(prepared(2, 2)), 2));
    for place in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            if let Ok(asked) = decode(&changed) {
                assert!(verdict(asked).is_err(), "byte {place}");
            }
        }
    }
}

#[test]
fn a_view_change_for_another_network_is_forged() {
    let (view, number) = (View::new(3), replica(1));
    let asked = ViewChange::sign(view, None, number, &fixtures::other_chain(), &secret(1));
    assert_eq!(verdict(asked), Err(Forged::Signature));
}

#[test]
fn a_certificate_cannot_be_added_to_a_view_change_taken_away_or_exchanged() {
    let mut bare = view_change(5, Some(prepared(2, 2)), 1);
    bare.certificate = None;
    let mut dressed = view_change(5, None, 1);
    dressed.certificate = Some(prepared(2, 2));
    let mut exchanged = view_change(5, Some(prepared(2, 2)), 1);
    exchanged.certificate = Some(certified(Phase::Commit, 2, 2));
    for asked in [bare, dressed, exchanged] {
        assert_eq!(verdict(asked), Err(Forged::Signature));
    }
}

/// What is signed names what is certified: who relays it may show other signatures of the same
/// statement.
#[test]
fn another_certificate_of_the_same_statement_means_the_same() {
    let mut asked = view_change(5, Some(prepared(2, 2)), 1);
    let statement = asked.certified().unwrap();
    asked.certificate = Some(fixtures::certificate(statement, &[1, 2, 3]));
    assert_eq!(verdict(asked), Ok(()));
}

#[test]
fn a_quorum_of_view_changes_by_ascending_sender_makes_a_new_view() {
    assert_eq!(verdict_of(new_view(5, view_changes())), Ok(()));
    let mut all = view_changes();
    all.insert(2, view_change(5, None, 2));
    assert_eq!(verdict_of(new_view(5, all)), Ok(()));
}

#[test]
fn one_view_change_less_than_a_quorum_is_too_few_for_any_number_of_validators() {
    for n in 1..=10 {
        let validators = validators(n);
        let q = validators.quorum().q();
        let asked: Vec<_> = (0..n).map(|sender| view_change(1, None, sender)).collect();
        let signer = u8::from(n > 1);
        let made = |count: usize| {
            let asked = asked[..count].to_vec();
            NewView::sign(View::new(1), asked, validators.chain(), &secret(signer))
        };
        assert_eq!(made(q).check(&validators), Ok(()), "n = {n}");
        let error = NewViewError::TooFew { found: q - 1, q };
        assert_eq!(made(q - 1).check(&validators), Err(error), "n = {n}");
    }
}

#[test]
fn a_new_view_that_is_none_is_refused_for_its_reason() {
    let refused = |view, asked: Vec<ViewChange>| match verdict_of(new_view(view, asked)) {
        Err(Forged::Malformed(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(0, view_changes()), NewViewError::FirstView);
    let many = vec![view_change(5, None, 0); 5];
    assert_eq!(refused(5, many), NewViewError::TooMany { found: 5, n: 4 });
    let few = view_changes()[..2].to_vec();
    assert_eq!(refused(5, few), NewViewError::TooFew { found: 2, q: 3 });

    let mut twice = view_changes();
    twice[1] = twice[0].clone();
    assert_eq!(refused(5, twice), NewViewError::NotAscending { replica: replica(0) });
    let mut swapped = view_changes();
    swapped.swap(1, 2);
    assert_eq!(refused(5, swapped), NewViewError::NotAscending { replica: replica(1) });

    for other in [4, 6] {
        let mut mixed = view_changes();
        mixed[1] = view_change(other, None, 1);
        let error = NewViewError::OtherView { replica: replica(1), found: View::new(other) };
        assert_eq!(refused(5, mixed), error);
    }
    let mut late = view_changes();
    late[2] = view_change(5, Some(prepared(5, 1)), 3);
    let error = ViewChangeError::CertificateView { asked: View::new(5), certified: View::new(5) };
    assert_eq!(refused(5, late), NewViewError::ViewChange { replica: replica(3), error });
}

/// T28: only the primary of the view signs its new view.
#[test]
fn a_new_view_by_anyone_but_the_primary_is_forged() {
    for signer in [0, 2, 3] {
        let made = NewView::sign(View::new(5), view_changes(), &fixtures::chain(), &secret(signer));
        assert_eq!(verdict_of(made), Err(Forged::Signature));
    }
}

/// T21, T27: everything in it that was signed is claimed.
#[test]
fn every_signature_in_a_new_view_is_claimed() {
    let mut claims = Vec::new();
    new_view(5, view_changes()).claims(&validators(4), &mut claims).unwrap();
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let signers = [1, 0, 1, 0, 1, 3, 3, 0, 1, 3];
    assert_eq!(keys, signers.map(|number| secret(number).public_key()));
}

#[test]
fn no_changed_bit_of_a_new_view_is_accepted() {
    let bytes = encode(&new_view(5, view_changes()));
    for place in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            if let Ok(new_view) = decode(&changed) {
                assert!(verdict_of(new_view).is_err(), "byte {place}");
            }
        }
    }
}

#[test]
fn a_new_view_for_another_network_is_forged() {
    let made = NewView::sign(View::new(5), view_changes(), &fixtures::other_chain(), &secret(1));
    assert_eq!(verdict_of(made), Err(Forged::Signature));
}

#[test]
fn who_asked_cannot_be_left_out_of_a_new_view() {
    let mut all = view_changes();
    all.insert(2, view_change(5, None, 2));
    for left_out in 0..4 {
        let mut made = new_view(5, all.clone());
        made.view_changes.remove(left_out);
        assert_eq!(made.check(&validators(4)), Ok(()));
        assert_eq!(verdict_of(made), Err(Forged::Signature));
    }
}

/// T22, T25: the greatest by view, then height, then phase, in whatever order they stand.
#[test]
fn the_tip_is_what_the_greatest_certificate_certifies_in_whatever_order_they_stand() {
    let ranked = [
        None,
        Some(prepared(0, 3)),
        Some(prepared(2, 1)),
        Some(certified(Phase::Commit, 2, 1)),
        Some(prepared(2, 2)),
        Some(certified(Phase::Prepare, 3, 1)),
    ];
    for (place, greatest) in ranked.iter().enumerate() {
        for (below, lower) in ranked[..=place].iter().enumerate() {
            let shown = [greatest, lower, &ranked[below / 2]];
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let asked = order.iter().zip([0, 1, 3]);
                let asked = asked.map(|(at, by)| view_change(5, shown[*at].clone(), by)).collect();
                let tip = new_view(5, asked).tip();
                let statement: Option<Statement> = greatest.as_ref().map(|c| c.statement);
                assert_eq!(tip, statement, "{order:?}");
            }
        }
    }
}

#[test]
fn a_new_view_of_everybody_fits_the_bound_that_frames_are_made_for() {
    let all = (0..4).map(|by| view_change(5, Some(certified(Phase::Commit, 4, 9)), by)).collect();
    let bytes = encode(&new_view(5, all)).len();
    assert!(bytes <= validators(4).new_view_bytes_max(), "{bytes}");
}

use super::{VALIDATORS_MAX, ValidatorSet, ValidatorSetError};
use crate::tests::fixtures;
use crate::{ReplicaId, View};

#[test]
fn members_are_found_by_number_and_by_key() {
    let validators = fixtures::validators(4);

    assert_eq!(validators.len(), 4);
    assert_eq!(validators.quorum().q(), 3);
    assert_eq!(validators.chain(), &fixtures::chain());
    for (number, (replica, validator)) in (0..).zip(validators.iter()) {
        assert_eq!(replica, ReplicaId::new(number));
        assert_eq!(validators.get(replica), Some(validator));
        assert_eq!(validators.replica_of(&validator.key), Some(replica));
    }
    assert_eq!(validators.get(ReplicaId::new(4)), None);
    assert_eq!(validators.get(ReplicaId::new(u16::MAX)), None);
    assert_eq!(validators.replica_of(&fixtures::secret(9).public_key()), None);
}

#[test]
fn the_primary_of_a_view_is_the_replica_view_mod_n() {
    let validators = fixtures::validators(4);

    let primaries = [0, 1, 2, 3, 4, 7, u64::MAX].map(|view| validators.primary(View::new(view)));

    assert_eq!(primaries.map(ReplicaId::get), [0, 1, 2, 3, 0, 3, 3]);
    assert_eq!(fixtures::validators(1).primary(View::new(17)), ReplicaId::new(0));
}

#[test]
fn there_are_1_to_128_members() {
    let members: Vec<_> = (0..=128)
        .map(|number| {
            let mut validator = fixtures::validator(number % 100);
            validator.key = fixtures::secret(number).public_key();
            validator
        })
        .collect();

    let set = |count: usize| ValidatorSet::new(fixtures::chain(), members[..count].to_vec());

    assert_eq!(set(0), Err(ValidatorSetError::Count { found: 0 }));
    assert_eq!(set(129), Err(ValidatorSetError::Count { found: 129 }));
    assert_eq!(set(VALIDATORS_MAX).unwrap().len(), VALIDATORS_MAX);
}

#[test]
fn two_members_with_one_key_are_refused() {
    let mut members = vec![fixtures::validator(0), fixtures::validator(1), fixtures::validator(2)];
    members[2].key = members[0].key;

    assert_eq!(
        ValidatorSet::new(fixtures::chain(), members),
        Err(ValidatorSetError::DuplicateKey {
            first: ReplicaId::new(0),
            second: ReplicaId::new(2),
        })
    );
}

#[test]
fn sets_are_equal_when_chain_and_members_are() {
    let set = fixtures::validators(3);
    let members = vec![fixtures::validator(0), fixtures::validator(1), fixtures::validator(2)];

    assert_eq!(set, set.clone());
    assert_eq!(set, ValidatorSet::new(fixtures::chain(), members.clone()).unwrap());
    assert_ne!(set, ValidatorSet::new(fixtures::other_chain(), members).unwrap());
    assert_ne!(set, fixtures::validators(4));
}

//! Sets of replicas: one bit each, for as many as a network may have.

use types::replica::ReplicaId;
use types::validators::VALIDATORS_MAX;

use super::Members;

#[test]
fn every_validator_of_the_largest_network_has_its_bit() {
    let all: Vec<ReplicaId> =
        (0..u16::try_from(VALIDATORS_MAX).unwrap()).map(ReplicaId::new).collect();
    for one in &all {
        let alone: Members = std::iter::once(*one).collect();
        let found: Vec<&ReplicaId> = all.iter().filter(|it| alone.contains(**it)).collect();
        assert_eq!(found, [one]);
    }
}

#[test]
fn a_number_that_no_validator_has_is_in_no_set() {
    for number in [128, 129, u16::MAX] {
        let stranger = ReplicaId::new(number);
        let set: Members = [stranger, ReplicaId::new(0)].into_iter().collect();
        assert!(!set.contains(stranger) && set.contains(ReplicaId::new(0)));
    }
}

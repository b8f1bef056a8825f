use super::ReplicaId;

#[test]
fn a_replica_is_shown_as_its_number() {
    let replica = ReplicaId::new(300);

    assert_eq!(replica.to_string(), "300");
    assert_eq!(format!("{replica:?}"), "ReplicaId(300)");
    assert_eq!((replica.get(), replica.index()), (300, 300));
}

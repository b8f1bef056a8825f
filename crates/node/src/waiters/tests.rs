use super::*;

fn id(byte: u8) -> TransactionId {
    TransactionId::new(crypto::digest::Digest::from_bytes([byte; 32]))
}

#[test]
fn everybody_who_waits_for_a_dropped_transaction_is_told_and_nobody_else() {
    let waiters = Waiters::default();
    let mut first = waiters.wait_for(id(1)).unwrap();
    let mut second = waiters.wait_for(id(1)).unwrap();
    let mut other = waiters.wait_for(id(2)).unwrap();

    waiters.dropped(id(1), &Rejection::ZeroAmount);

    for told in [&mut first, &mut second] {
        assert!(matches!(told.try_recv(), Ok(Outcome::Dropped(Rejection::ZeroAmount))));
    }
    assert!(other.try_recv().is_err());
}

#[test]
fn places_are_bounded_and_those_of_clients_that_left_are_used_again() {
    let waiters = Waiters::default();
    let many = u32::try_from(WAITED_MAX).unwrap();
    let named = |number: u32| {
        let digest = crypto::digest::digest_of(crypto::digest::Domain::TransactionId, &number);
        TransactionId::new(digest)
    };
    let waiting: Vec<_> = (0..many).map(|number| waiters.wait_for(named(number))).collect();
    assert!(waiting.iter().all(Option::is_some));
    assert!(waiters.wait_for(named(many)).is_none());

    drop(waiting);

    assert!(waiters.wait_for(named(many)).is_some());
}

#[test]
fn one_transaction_has_a_bounded_number_of_waiting_clients() {
    let waiters = Waiters::default();
    let waiting: Vec<_> =
        (0..CLIENTS_PER_TRANSACTION_MAX).map(|_| waiters.wait_for(id(1)).unwrap()).collect();

    assert!(waiters.wait_for(id(1)).is_none());

    drop(waiting);
    assert!(waiters.wait_for(id(1)).is_some());
}

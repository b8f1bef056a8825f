use super::Quorum;

#[test]
fn two_quorums_share_an_honest_replica_and_the_honest_ones_are_a_quorum() {
    for n in 1..=200 {
        let quorum = Quorum::of(n);
        let (t, q) = (quorum.t(), quorum.q());

        assert!(n > 3 * t && n <= 3 * t + 3, "t is the most faults n = {n} tolerates");
        assert!(2 * q > n + t, "two quorums share more than t members, n = {n}");
        assert!(q <= n - t, "those who are not faulty are a quorum, n = {n}");
        assert!(2 * (q - 1) < n + t + 1, "q is the smallest such number, n = {n}");
        assert_eq!(quorum.reply(), t + 1);
        assert_eq!(quorum.n(), n);
    }
}

#[test]
fn small_networks_have_the_numbers_worked_out_by_hand() {
    let table = [
        (1, 0, 1),
        (2, 0, 2),
        (3, 0, 2),
        (4, 1, 3),
        (5, 1, 4),
        (6, 1, 4),
        (7, 2, 5),
        (10, 3, 7),
        (100, 33, 67),
        (128, 42, 86),
    ];
    for (n, t, q) in table {
        assert_eq!((Quorum::of(n).t(), Quorum::of(n).q()), (t, q), "n = {n}");
    }
}

#[test]
fn two_majorities_share_somebody_and_no_more_is_promised_of_them() {
    for n in 1..=200 {
        let (majority, sound) = (Quorum::naive_majority(n), Quorum::of(n));

        assert!(2 * majority.q() > n && 2 * (majority.q() - 1) <= n, "n = {n}");
        assert_eq!((majority.n(), majority.t()), (n, sound.t()));
        assert!(majority.q() <= sound.q(), "n = {n}");
    }
    // The smallest network in which the difference shows: one liar is all that two groups of 3 share.
    assert_eq!((Quorum::naive_majority(5).q(), Quorum::of(5).q()), (3, 4));
    assert!(Quorum::naive_majority(usize::MAX).q() > usize::MAX / 2);
}

#[test]
fn no_number_overflows_and_no_validators_reach_nothing() {
    assert_eq!((Quorum::of(0).t(), Quorum::of(0).q()), (0, 1));
    assert!(Quorum::of(usize::MAX).q() > usize::MAX / 2);
}

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
fn no_number_overflows_and_no_validators_reach_nothing() {
    assert_eq!((Quorum::of(0).t(), Quorum::of(0).q()), (0, 1));
    assert!(Quorum::of(usize::MAX).q() > usize::MAX / 2);
}

use super::*;

#[test]
fn a_peer_that_is_refused_without_end_is_told_of_once_a_second_with_a_count() {
    let refusals = Refusals::default();
    let begin = Instant::now();
    let peer = ReplicaId::new(1);
    let at = |ms| begin + Duration::from_millis(ms);

    let lines: Vec<_> = (0..3_000).filter_map(|ms| refusals.note(peer, at(ms))).collect();
    let other = refusals.note(ReplicaId::new(2), at(3_000));
    let later = refusals.note(peer, at(9_000));

    assert_eq!(lines, [1, 1_000, 1_000]);
    assert_eq!(other, Some(1));
    assert_eq!(later, Some(1_000));
}

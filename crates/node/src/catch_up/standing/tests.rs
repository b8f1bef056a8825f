use super::*;

const HEIGHT: Height = Height::new(10);

fn peers(count: u16) -> BTreeSet<ReplicaId> {
    (1..=count).map(ReplicaId::new).collect()
}

/// Who is asked next of so many peers, nobody being asked.
fn next(standings: &mut Standings, count: u16, now: Instant) -> Option<u16> {
    standings.choose(&peers(count), |_| false, HEIGHT, now).map(ReplicaId::get)
}

const fn liar() -> ReplicaId {
    ReplicaId::new(1)
}

#[test]
fn everybody_gets_his_turn() {
    let mut standings = Standings::default();
    let now = Instant::now();

    let asked: Vec<_> = (0..4).map(|_| next(&mut standings, 3, now).unwrap()).collect();

    assert_eq!(asked, [1, 2, 3, 1]);
}

#[test]
fn nobody_is_chosen_who_is_being_asked() {
    let mut standings = Standings::default();
    let busy = |peer: ReplicaId| peer.get() != 2;

    let chosen = standings.choose(&peers(3), busy, HEIGHT, Instant::now());

    assert_eq!(chosen, Some(ReplicaId::new(2)));
    assert_eq!(standings.choose(&peers(3), |_| true, HEIGHT, Instant::now()), None);
}

#[test]
fn a_liar_rests_twice_as_long_each_time_and_not_for_ever() {
    let mut standings = Standings::default();
    let mut now = Instant::now();

    for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        standings.bad(liar(), now);
        let rest = Duration::from_secs(seconds);
        let early = now + rest - Duration::from_millis(1);
        assert!((0..4).all(|_| next(&mut standings, 3, early) != Some(1)), "{seconds} s");
        now += rest;
        assert!((0..3).any(|_| next(&mut standings, 3, now) == Some(1)), "{seconds} s");
    }
}

#[test]
fn good_answers_shorten_the_next_rest() {
    let mut standings = Standings::default();
    let now = Instant::now();
    (0..3).for_each(|_| standings.bad(liar(), now));

    standings.good(liar(), 10, 10);
    assert!(standings.admits(&peers(2), liar(), now));
    (0..2).for_each(|_| standings.good(liar(), 10, 10));
    standings.bad(liar(), now);

    assert!(standings.admits(&peers(2), liar(), now + REST_MIN));
}

#[test]
fn who_rests_is_asked_once_a_second_when_nobody_else_is_left() {
    let mut standings = Standings::default();
    let now = Instant::now();
    (0..7).for_each(|_| standings.bad(liar(), now));
    let soon = now + REST_MIN - Duration::from_millis(1);

    assert_eq!(next(&mut standings, 1, soon), None);
    assert!(!standings.admits(&peers(1), liar(), soon));
    assert_eq!(next(&mut standings, 1, now + REST_MIN), Some(1));
    assert!(standings.admits(&peers(1), liar(), now + REST_MIN));
}

#[test]
fn who_rests_is_asked_when_the_others_have_nothing() {
    let mut standings = Standings::default();
    let now = Instant::now();
    (0..7).for_each(|_| standings.bad(liar(), now));
    let later = now + REST_MIN;
    for peer in [2, 3] {
        standings.nothing(ReplicaId::new(peer), HEIGHT, later);
    }

    assert_eq!(next(&mut standings, 3, later), Some(1));
}

#[test]
fn a_peer_that_had_nothing_is_asked_for_lower_heights_at_once_and_for_others_soon() {
    let mut standings = Standings::default();
    let now = Instant::now();

    standings.nothing(liar(), HEIGHT.next(), now);
    assert_eq!(next(&mut standings, 1, now), Some(1));

    standings.nothing(liar(), HEIGHT, now);
    assert_eq!(next(&mut standings, 1, now), None);
    assert_eq!(next(&mut standings, 1, now + NOTHING_FOR), Some(1));
}

#[test]
fn a_peer_is_asked_for_as_much_as_it_gives() {
    let mut standings = Standings::default();
    let peer = ReplicaId::new(2);
    let now = Instant::now();

    standings.good(peer, 64, 3);
    assert_eq!(standings.count(peer), 3);
    (0..20).for_each(|_| standings.good(peer, 3, 3));
    assert_eq!(standings.count(peer), BLOCKS_MAX);
    (0..20).for_each(|_| standings.silent(peer, now));
    assert_eq!(standings.count(peer), 1);
}

#[test]
fn a_slow_peer_gets_more_time_up_to_a_bound() {
    let mut standings = Standings::default();
    let now = Instant::now();
    let mut patience = || {
        let patience = standings.patience(liar(), REST_MIN).as_secs();
        standings.silent(liar(), now);
        patience
    };

    let seconds: Vec<_> = (0..6).map(|_| patience()).collect();

    assert_eq!(seconds, [1, 2, 4, 8, 8, 8]);
}

#[test]
fn who_could_not_be_asked_waits_a_second_and_is_not_blamed() {
    let mut standings = Standings::default();
    let now = Instant::now();

    for tries in 0..5 {
        let now = now + REST_MIN * tries;
        standings.unasked(liar(), now);
        assert_eq!(next(&mut standings, 1, now), None);
    }
    standings.bad(liar(), now);

    assert!(standings.admits(&peers(2), liar(), now + REST_MIN));
}

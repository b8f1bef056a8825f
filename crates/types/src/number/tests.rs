use super::{Height, Nonce, View};

#[test]
fn steps_saturate_at_the_greatest_number() {
    let last = Height::new(u64::MAX);

    assert_eq!(last.next(), last);
    assert_eq!(last.saturating_add(7), last);
    assert_eq!(last.checked_next(), None);
    assert_eq!(Nonce::FIRST.checked_next(), Some(Nonce::new(1)));
    assert_eq!(View::FIRST.next().get(), 1);
}

#[test]
fn steps_down_stop_at_the_first() {
    assert_eq!(Height::new(3).saturating_sub(5), Height::GENESIS);
    assert_eq!(Height::new(5).saturating_sub(3), Height::new(2));
}

#[test]
fn distances_are_never_negative() {
    assert_eq!(Height::new(9).above(Height::new(4)), 5);
    assert_eq!(Height::new(4).above(Height::new(9)), 0);
}

#[test]
fn numbers_are_shown_plain_and_debugged_with_their_kind() {
    assert_eq!(Height::new(42).to_string(), "42");
    assert_eq!(format!("{:>4}", View::new(3)), "   3");
    assert_eq!(format!("{:?}", Nonce::new(42)), "Nonce(42)");
}

use std::time::{Duration, Instant};

use super::Interrupt;

#[test]
fn a_wait_ends_at_once_when_the_process_was_told_to_end() {
    let interrupt = Interrupt::never();
    assert!(!interrupt.wait(Duration::from_millis(1)));
    assert!(!interrupt.came());

    interrupt.tell();
    let began = Instant::now();

    assert!(interrupt.wait(Duration::from_secs(3600)));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(interrupt.came());
    assert!(!interrupt.insists());
}

#[test]
fn whoever_tells_it_twice_insists() {
    let interrupt = Interrupt::never();

    interrupt.tell();
    interrupt.tell();

    assert!(interrupt.insists());
}

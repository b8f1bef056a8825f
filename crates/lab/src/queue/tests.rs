//! The order of events.

use super::Queue;
use crate::time::Time;

#[test]
fn events_come_by_time_and_those_of_one_moment_in_the_order_asked_for() {
    let mut queue = Queue::new();
    for (at, event) in [(5, 'd'), (1, 'a'), (5, 'e'), (2, 'b'), (2, 'c')] {
        queue.push(Time::from_us(at), event);
    }

    let order: String = std::iter::from_fn(|| queue.pop()).map(|(_, event)| event).collect();

    assert_eq!(order, "abcde");
}

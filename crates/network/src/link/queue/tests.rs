use std::sync::Arc;

use types::replica::ReplicaId;

use super::{Pushed, Queue};
use crate::metrics::Metrics;

fn queue(frames_max: usize, bytes_max: usize) -> Queue {
    Queue::new(frames_max, bytes_max, Metrics::default().of(ReplicaId::new(1)))
}

fn frame(bytes: usize) -> Arc<[u8]> {
    vec![7; bytes].into()
}

#[test]
fn nothing_is_taken_before_the_stream_is_open() {
    let queue = queue(2, 10);

    assert_eq!(queue.push(frame(1)), Pushed::Closed);
}

#[test]
fn one_frame_too_many_breaks_the_queue_until_it_is_opened_anew() {
    let queue = queue(2, 100);
    queue.open();

    assert_eq!(queue.push(frame(1)), Pushed::Taken);
    assert_eq!(queue.push(frame(1)), Pushed::Taken);
    assert_eq!(queue.push(frame(1)), Pushed::Full);
    assert_eq!(queue.push(frame(1)), Pushed::Closed);

    queue.open();
    assert_eq!(queue.push(frame(1)), Pushed::Taken);
}

#[test]
fn one_byte_too_many_breaks_the_queue() {
    let queue = queue(100, 10);
    queue.open();

    assert_eq!(queue.push(frame(10)), Pushed::Taken);
    assert_eq!(queue.push(frame(1)), Pushed::Full);
}

#[tokio::test]
async fn frames_come_out_in_order_in_batches_of_at_least_one() {
    let queue = queue(10, 100);
    queue.open();
    for bytes in [30, 1, 2, 3] {
        queue.push(frame(bytes));
    }
    let mut batch = Vec::new();

    queue.take(5, &mut batch).await;
    let first: Vec<usize> = batch.drain(..).map(|frame| frame.len()).collect();
    queue.take(5, &mut batch).await;
    let second: Vec<usize> = batch.drain(..).map(|frame| frame.len()).collect();

    assert_eq!(first, [30]);
    assert_eq!(second, [1, 2]);
}

#[tokio::test]
async fn a_notice_of_an_earlier_break_does_not_break_the_next_stream() {
    let queue = queue(1, 100);
    queue.open();
    queue.push(frame(1));
    queue.push(frame(1));
    queue.open();

    let broken = tokio::select! {
        biased;
        () = queue.broken() => true,
        () = tokio::task::yield_now() => false,
    };

    assert!(!broken);
}

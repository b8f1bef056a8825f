use std::future::{pending, ready};

use super::*;

#[tokio::test]
async fn a_fault_ends_the_process_before_it_listens() {
    let (faults, mut fault) = mpsc::channel(1);
    let (halt, halted) = watch::channel(false);
    // A thread that ends while it must not, before there is any address to announce.
    drop(Sentinel { part: "the core", faults, halted });

    let ended: Result<(), NodeError> = unless_fault(pending(), &mut fault).await;

    assert!(matches!(ended, Err(NodeError::Ended("the core"))));
    drop(halt);
}

#[tokio::test]
async fn a_fault_is_told_also_when_the_process_is_told_to_stop() {
    let (faults, mut fault) = mpsc::channel(1);
    faults.try_send(NodeError::Ended("the disk thread")).unwrap();
    let (stop, stopped) = watch::channel(true);

    let ended = unless_fault(told_to_stop(stopped), &mut fault).await;

    assert!(matches!(ended, Err(NodeError::Ended("the disk thread"))));
    drop(stop);
}

#[tokio::test]
async fn nothing_waits_for_a_fault_that_nobody_will_tell() {
    let (faults, mut fault) = mpsc::channel(1);
    drop(faults);

    let done = unless_fault(ready(Ok(7)), &mut fault).await;

    assert!(matches!(done, Ok(7)));
}

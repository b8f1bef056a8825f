use super::*;

#[test]
fn one_that_asks_without_end_takes_nothing_from_the_others() {
    let answers = Answers::default();

    let liar: Vec<_> = (0..100).filter_map(|_| answers.begin(ReplicaId::new(0))).collect();
    let others: Vec<_> = (1..128).filter_map(|n| answers.begin(ReplicaId::new(n))).collect();

    assert_eq!((liar.len(), others.len()), (1, 127));
}

#[test]
fn who_was_answered_may_ask_again() {
    let answers = Answers::default();
    let first = answers.begin(ReplicaId::new(3));

    assert!(answers.begin(ReplicaId::new(3)).is_none());
    drop(first);
    assert!(answers.begin(ReplicaId::new(3)).is_some());
}

#[test]
fn an_answer_that_panics_is_over() {
    let answers = Answers::default();
    let answering = answers.begin(ReplicaId::new(3));

    let panicked = std::thread::spawn(move || {
        let _answering = answering;
        panic!("the disk is gone");
    });

    assert!(panicked.join().is_err());
    assert!(answers.begin(ReplicaId::new(3)).is_some());
}

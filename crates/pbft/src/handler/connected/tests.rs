//! What a replica that comes back is told.

use types::number::Height;
use types::replica::ReplicaId;
use types::vote::Phase;

use crate::fixture::{Bench, chain_of, commit, pre_prepare, prepare, said, statement};
use crate::handler::connected::GREETINGS_MAX;
use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients, Timer};
use crate::replica::{Input, Protocol};

/// Everything that a bench has said to all, in order.
fn spoken(outputs: &[Output]) -> Vec<Message> {
    let messages = outputs.iter().flat_map(|output| &output.messages);
    messages.map(|outgoing| outgoing.message.clone()).collect()
}

#[test]
fn it_is_told_every_word_about_undecided_heights_and_nobody_else_is() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 2);
    let mut outputs = Vec::new();
    for block in &blocks {
        outputs.push(bench.receive(pre_prepare(&bench.genesis, block)));
        outputs.push(bench.receive(prepare(&bench.genesis, 2, block)));
    }
    let spoken = spoken(&outputs);
    assert_eq!(spoken.len(), 4);

    let output = bench.step(Input::Connected(ReplicaId::new(3)));

    let to = Recipients::One(ReplicaId::new(3));
    let status = Message::Status(bench.replica.peek().status(false));
    let again = spoken.into_iter().chain([status]).map(|message| Outgoing { to, message });
    assert_eq!(output, Output { messages: again.collect(), ..Output::default() });
}

#[test]
fn the_primary_sends_its_proposals_again_whole() {
    let mut bench = Bench::new(4, 0);
    let proposed = bench.work(0..1);
    let output = bench.step(Input::Connected(ReplicaId::new(2)));
    assert_eq!(output.messages[0].message, proposed.messages[0].message);
    assert!(matches!(output.messages[0].message, Message::PrePrepare(_)));
}

/// Who lacks one commit vote for the last height would hear it from nobody else.
#[test]
fn it_is_told_the_last_commit_vote_about_a_decided_height() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(prepare(&bench.genesis, 2, &blocks[0]));
    for replica in [0, 3] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    assert_eq!(bench.replica.status().committed, Height::new(1));
    let output = bench.step(Input::Connected(ReplicaId::new(3)));
    assert_eq!(said(&output), [statement(Phase::Commit, &blocks[0])]);
}

/// Whoever connects again and again costs no more than whoever does so four times.
#[test]
fn it_is_told_a_few_times_until_this_replica_says_where_it_stands_itself() {
    let mut bench = Bench::new(4, 0);
    bench.work(0..1);
    let replica = ReplicaId::new(2);
    for _ in 0..GREETINGS_MAX {
        assert_eq!(bench.step(Input::Connected(replica)).messages.len(), 2);
    }
    for _ in 0..100 {
        let again = bench.step(Input::Connected(replica));
        assert_eq!(again.messages, []);
        assert_eq!(again.ignored, [Ignored::AnsweredAlready { replica }]);
    }
    assert_eq!(bench.step(Input::Connected(ReplicaId::new(3))).messages.len(), 2);

    bench.step(Input::Timer(Timer::Status));
    assert_eq!(bench.step(Input::Connected(replica)).messages.len(), 2);
}

//! Prepared situations, each made by real cores, and the right answer to each.

mod net;

use api::hex;
use pbft::Message;
use pbft::status::{Members, Standpoint};
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::Phase;

use super::{Asked, Explanation, Facts, Verdict, explain};
use net::Net;

/// Asserts what is shown of one that is there as one that is not.
fn assert_text(explanation: &Explanation, parts: &[&str]) {
    for part in parts {
        assert!(explanation.text.contains(part), "{part:?} is not in: {explanation:#?}");
    }
}

#[test]
fn healthy_and_idle() {
    let net = Net::new(4);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.height, found.view), (Verdict::Idle, 0, 0));
    assert_eq!((found.primary.as_str(), found.quorum, found.missing), ("node0", 3, 0));
    assert_eq!((found.silent.len(), found.heard_only.len(), found.problems.len()), (0, 0, 0));
    assert_text(&found, &["works and is idle", "1 more may fail"]);
    assert_eq!(found.helps, "nothing need be done");
}

#[test]
fn healthy_and_busy() {
    let mut net = Net::new(4);
    net.submit();
    net.run(50);
    net.submit();
    net.submit();

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.height), (Verdict::Busy, 1));
    assert_text(&found, &["works and is busy", "transactions wait"]);
}

#[test]
fn the_primary_is_down_and_work_begins() {
    let mut net = Net::new(4);
    net.kill(&[0]);
    net.run(5_000);
    net.submit();

    let found = net.explain(&[1, 2, 3]);

    assert_eq!((found.verdict, found.silent), (Verdict::PrimarySilent, vec!["node0".to_owned()]));
    assert_eq!(found.waits_for, "the view change that replaces node0");
    net.run(2_500);
    let after = net.explain(&[1, 2, 3]);
    assert_eq!(
        (after.verdict, after.height, after.primary),
        (Verdict::Idle, 1, "node1".to_owned())
    );
}

#[test]
fn the_primary_is_down_and_a_view_change_is_under_way() {
    let mut net = Net::new(7);
    net.kill(&[0, 1]);
    net.submit();
    net.run(3_500);

    let found = net.explain(&[2, 3, 4, 5, 6]);

    assert_eq!((found.verdict, found.view), (Verdict::ViewChange, 1));
    assert_eq!(found.asked, ["node2", "node3", "node4", "node5", "node6"]);
    assert_eq!(found.silent, ["node0", "node1"]);
    assert_text(&found, &["its primary node1 is silent, too"]);
    assert_eq!(found.waits_for, "view 2");
    net.run(5_000);
    assert_eq!(net.explain(&[2, 3, 4, 5, 6]).verdict, Verdict::Idle);
}

#[test]
fn as_many_are_down_as_are_borne() {
    let mut net = Net::new(4);
    net.kill(&[3]);
    net.submit();
    net.run(5_000);

    let found = net.explain(&[0, 1, 2]);

    assert_eq!((found.verdict, found.height, found.missing), (Verdict::Idle, 1, 0));
    assert_eq!(found.silent, ["node3"]);
    assert_text(&found, &["Nobody has heard node3 for 5.", "0 more may fail"]);
}

#[test]
fn one_more_is_down_than_is_borne() {
    let mut net = Net::new(4);
    net.kill(&[2, 3]);
    net.run(4_000);
    net.submit();
    net.run(3_000);

    let found = net.explain(&[0, 1]);

    assert_eq!((found.verdict, found.height, found.view), (Verdict::NoQuorum, 0, 0));
    assert_eq!((found.missing, found.pending), (1, 1));
    assert_eq!(found.silent, ["node2", "node3"]);
    assert_eq!(found.not_voted, found.silent);
    assert_eq!(found.voted, ["node0", "node1"]);
    assert_text(&found, &["2 of 4 validators can vote and 3 are needed", "1 more must come back"]);
    assert_eq!(found.waits_for, "1 of node2, node3");
}

#[test]
fn one_more_goes_down_than_is_borne_while_work_waits() {
    let mut net = Net::new(4);
    net.submit();
    net.kill(&[2, 3]);
    net.run(5_000);

    let found = net.explain(&[0, 1]);

    assert_eq!((found.verdict, found.view, found.missing), (Verdict::NoQuorum, 1, 1));
    assert_eq!(found.asked, ["node0", "node1"]);
    assert!(found.not_voted.is_empty());
    assert_text(&found, &["node0, node1 asked for view 1"]);
}

#[test]
fn two_groups_that_do_not_hear_each_other() {
    let mut net = Net::new(4);
    net.serves = false;
    net.lose(|from, to, _| (from < 2) != (to < 2));
    net.submit();
    net.run(5_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.missing), (Verdict::Partitioned, 0));
    assert_eq!(found.groups, [["node0", "node1"], ["node2", "node3"]]);
    assert_text(&found, &["stands still", "node0, node1 | node2, node3"]);
    assert!(found.helps.contains("mend the network"));
}

#[test]
fn one_is_far_behind_and_catches_up() {
    let mut net = Net::new(4);
    net.kill(&[3]);
    for _ in 0..40 {
        net.submit();
        net.run(50);
    }
    net.serves = false;
    net.start(3);
    net.run(1_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.height), (Verdict::Idle, 40));
    assert_eq!((&found.behind[..], found.silent.len()), (&["node3".to_owned()][..], 0));
    assert_text(&found, &["node3 is far behind, at height 0"]);
    net.serves = true;
    net.run(2_000);
    assert!(net.explain(&[0, 1, 2, 3]).behind.is_empty());
}

#[test]
fn one_is_convicted() {
    let mut net = Net::new(4);
    let blocks = [1, 2].map(|mark| net.signers.branch(1, mark, 0).remove(0));
    for block in &blocks {
        let vote = net.signers.vote(Phase::Prepare, 0, block, 3);
        (0..3).for_each(|to| net.bring(to, Message::Prepare(vote)));
    }
    net.run(2_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, &found.liars[..]), (Verdict::Idle, &["node3".to_owned()][..]));
    assert_text(&found, &["node3 lied", "one of the 1 faults"]);
}

#[test]
fn one_never_votes_again() {
    let mut net = Net::new(4);
    let block = net.signers.branch(1, 1, 0).remove(0);
    let unknown = net.signers.vote(Phase::Prepare, 5, &block, 2);
    net.bring(2, Message::Prepare(unknown));
    net.submit();
    net.run(2_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.height), (Verdict::Idle, 1));
    assert_eq!(found.retired, ["node2"]);
    assert_text(&found, &["node2 never votes again", "0 more may fail"]);
    net.kill(&[3]);
    net.run(5_000);
    let found = net.explain(&[0, 1, 2]);
    assert_eq!(
        (found.verdict, found.waits_for),
        (Verdict::NoQuorum, "1 of node2, node3".to_owned())
    );
}

#[test]
fn one_is_not_reached_by_the_command_and_votes() {
    let mut net = Net::new(4);
    net.submit();
    net.run(5_000);

    let found = net.explain(&[0, 1, 3]);

    assert_eq!((found.verdict, found.height), (Verdict::Idle, 1));
    assert_eq!((found.heard_only, found.silent.len()), (vec!["node2".to_owned()], 0));
    assert_text(&net.explain(&[0, 1, 3]), &["Not reached from here, but heard", "1 more may fail"]);
}

#[test]
fn views_fail_one_after_another_and_the_timeouts_have_doubled() {
    let mut net = Net::new(4);
    net.lose(|_, _, message| matches!(message, Message::PrePrepare(_)));
    net.submit();
    net.run(20_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.height, found.view), (Verdict::Slow, 0, 3));
    assert_eq!(found.timeout_ms, 16_000);
    assert_text(&found, &["doubled 3 times, from 2.0 s to 16 s", "1 transaction waits"]);
    assert!(found.helps.contains("the log of node3"), "{}", found.helps);
}

#[test]
fn some_do_not_vote() {
    let mut net = Net::new(4);
    net.lose(|_, to, message| to >= 2 && matches!(message, Message::PrePrepare(_)));
    net.submit();
    net.run(1_000);

    let found = net.explain(&[0, 1, 2, 3]);

    assert_eq!((found.verdict, found.voted.len()), (Verdict::Waiting, 2));
    assert_eq!(found.not_voted, ["node2", "node3"]);
    assert_eq!(found.waits_for, "1 more votes at height 1, of node2, node3");
}

#[test]
fn a_validator_cannot_speak_for_another() {
    let net = Net::new(4);
    let mut answers = net.answers(&[0, 1, 2]);
    let mut lie = net.answers(&[1]).remove(0).answer;
    // Node 1 shows words of node 3 under the name of node 2, and of node 0 with another height.
    let of_three = lie.said[3].status.clone();
    lie.said[2].status = of_three;
    let mut words: pbft::Status = hex::from_hex_wire(&lie.said[0].status, 10_000).unwrap();
    words.standpoint.view = View::new(77);
    lie.said[0].status = hex::to_hex_wire(&words);
    answers[1].answer = lie;

    let facts = Facts::of(&net.signers.genesis, answers, [].into());

    let expected = ["replica 0", "replica 2"]
        .map(|about| format!("node1 shows a status of {about} that this one did not sign"));
    assert_eq!(facts.problems, expected);
    let found = explain(&facts);
    assert_eq!((found.verdict, found.view), (Verdict::Idle, 0));
    assert_eq!((found.heard_only, found.problems.len()), (vec!["node3".to_owned()], 2));
}

/// The answers of four, of which this one is that of replica 0, who says that he is replica 1 and has retired.
fn impostor(net: &Net) -> Vec<Asked> {
    let mut answers = net.answers(&[0, 1, 2, 3]);
    let lie = &mut answers[0].answer;
    (lie.status.replica, lie.status.retired) = (1, true);
    (lie.status.height, lie.status.view) = (Height::GENESIS, View::new(9));
    lie.said.clear();
    answers
}

/// A network that has committed a few blocks.
fn at_work() -> Net {
    let mut net = Net::new(4);
    for _ in 0..40 {
        net.submit();
        net.run(50);
    }
    net.run(1_500);
    net
}

#[test]
fn who_gives_himself_out_for_another_is_named_and_nothing_is_said_of_the_other() {
    let net = at_work();

    let facts = Facts::of(&net.signers.genesis, impostor(&net), [].into());

    assert_eq!(facts.problems, ["node0 says that it is replica 1, and is not"]);
    let found = explain(&facts);
    assert_eq!((found.verdict, found.height, found.view), (Verdict::Idle, 40, 0));
    assert_eq!((found.retired.len(), found.behind.len()), (0, 0), "{found:#?}");
    assert_eq!(found.answering, ["node1", "node2", "node3"]);
}

#[test]
fn of_two_that_say_they_are_one_validator_only_what_is_signed_counts() {
    let net = at_work();
    let mut answers = impostor(&net);
    let urls = [0, 1, 2, 3].map(|node| format!("http://127.0.0.1:400{node}"));
    for (asked, url) in answers.iter_mut().zip(&urls) {
        (asked.name, asked.replica) = (url.clone(), None);
    }

    let facts = Facts::of(&net.signers.genesis, answers.clone(), [].into());

    let [problem] = &facts.problems[..] else { panic!("{:?}", facts.problems) };
    let both = format!("{}, {} all say that they are replica 1", urls[0], urls[1]);
    assert!(problem.starts_with(&both), "{problem}");
    let found = explain(&facts);
    assert_eq!((found.verdict, found.height, found.view), (Verdict::Idle, 40, 0));
    assert_eq!((found.retired.len(), found.behind.len()), (0, 0), "{found:#?}");
    // Nor does it count what one says whom nobody contradicts.
    answers.remove(1);
    let found = explain(&Facts::of(&net.signers.genesis, answers, [].into()));
    assert_eq!((found.verdict, found.height, found.view), (Verdict::Idle, 40, 0));
    assert_eq!((found.retired.len(), found.behind.len()), (0, 0), "{found:#?}");
}

/// One signs another standpoint of its own.
fn sign_other(net: &Net, asked: &mut Asked, change: impl FnOnce(&mut Standpoint)) {
    let replica = asked.answer.status.replica;
    let own = asked.answer.said.iter_mut().find(|said| said.replica == replica).unwrap();
    let status: pbft::Status = hex::from_hex_wire(&own.status, 10_000).unwrap();
    let mut standpoint = status.standpoint;
    change(&mut standpoint);
    let (chain, key) = (net.signers.genesis.chain(), net.signers.key(replica));
    own.status = hex::to_hex_wire(&pbft::Status::sign(standpoint, chain, key));
}

/// All of four.
fn everybody() -> Members {
    (0..4).map(ReplicaId::new).collect()
}

#[test]
fn one_alone_does_not_say_who_has_voted_nor_what_waits() {
    let mut net = Net::new(4);
    net.lose(|_, to, message| to >= 2 && matches!(message, Message::PrePrepare(_)));
    net.submit();
    net.run(1_000);
    let mut answers = net.answers(&[0, 1, 2, 3]);
    answers[1].answer.status.pending = 77;
    sign_other(&net, &mut answers[1], |it| {
        let held = &mut it.lacks.as_mut().expect("it waits").heights[0];
        (held.prepares, held.commits) = (everybody(), everybody());
    });

    let found = explain(&Facts::of(&net.signers.genesis, answers, [].into()));

    assert_eq!((found.verdict, found.pending), (Verdict::Waiting, 1), "{found:#?}");
    assert_eq!((found.voted, found.not_voted.len()), (vec!["node0".into(), "node1".into()], 2));
}

#[test]
fn one_alone_does_not_say_who_asked_for_a_view() {
    let mut net = Net::new(4);
    net.submit();
    net.kill(&[2, 3]);
    net.run(5_000);
    let mut answers = net.answers(&[0, 1]);
    sign_other(&net, &mut answers[1], |it| {
        it.lacks.as_mut().expect("it waits").view_changes = everybody();
    });

    let found = explain(&Facts::of(&net.signers.genesis, answers, [].into()));

    assert_eq!((found.verdict, found.view), (Verdict::NoQuorum, 1));
    assert_eq!(found.asked, ["node0", "node1"]);
}

#[test]
fn one_alone_makes_no_work() {
    let net = Net::new(4);
    let mut answers = net.answers(&[0, 1, 2, 3]);
    (answers[1].answer.status.pending, answers[1].answer.status.in_flight) = (77, 7);

    let found = explain(&Facts::of(&net.signers.genesis, answers, [].into()));

    assert_eq!((found.verdict, found.pending), (Verdict::Idle, 0));
}

use api::backend::KeptEvidence;
use api::types::EvidenceSummary;
use types::block::Block;
use types::evidence::Evidence;
use types::lost::{LostProposal, Winner};
use types::number::View;
use types::vote::{Phase, Statement, Vote};

use super::*;
use crate::fixture::{Signers, text};

/// Two blocks for height 1, and what the primary of view 0 signed for the second after the first.
fn rivals(signers: &Signers) -> ([Block; 2], LostProposal) {
    let blocks = [1, 2].map(|mark| signers.branch(1, mark, 0).remove(0));
    let lost = LostProposal {
        proposed: signers.vote(Phase::Prepare, 0, &blocks[1], 0),
        header: None,
        votes: Vec::new(),
        refused: None,
        rival: None,
        left: None,
        winner: None,
    };
    (blocks, lost)
}

fn report(signers: &Signers, merged: Merged<'_>) -> serde_json::Value {
    let report = ForksReport::new(
        &signers.genesis,
        "4 of 4 validators answer".to_owned(),
        merged,
        Vec::new(),
    );
    serde_json::to_value(&report).unwrap()
}

#[test]
fn what_each_saw_comes_together_and_both_statements_are_shown() {
    let signers = Signers::new(4);
    let ([first, second], lost) = rivals(&signers);
    let vote = |phase, replica| signers.vote(phase, 0, &second, replica);
    let of_two = LostProposal {
        rival: Some(signers.vote(Phase::Prepare, 0, &first, 0)),
        votes: vec![vote(Phase::Prepare, 3)],
        ..lost.clone()
    };
    let of_three = LostProposal {
        header: Some(second.header.clone()),
        votes: vec![vote(Phase::Commit, 3), vote(Phase::Prepare, 3), vote(Phase::Prepare, 2)],
        left: Some(View::new(1)),
        ..lost
    };
    let mut merged = Merged::new(&signers.genesis);
    merged.add("node2", vec![of_two], 0);
    merged.add("node3", vec![of_three], 9);
    let winner = Winner { block: first.id(), view: View::new(1) };
    merged.decide(first.header.height, Some(winner));

    let json = report(&signers, merged);

    let [fork] = &json["forks"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(fork["why"], "rival");
    assert_eq!(fork["seen_by"], serde_json::json!(["node2", "node3"]));
    assert_eq!(fork["held_by"], serde_json::json!(["node3"]));
    assert_eq!(fork["prepares"], serde_json::json!(["node0", "node2", "node3"]));
    assert_eq!(fork["commits"], serde_json::json!(["node3"]));
    assert_eq!(fork["proposed"]["block"], second.id().to_string());
    assert_eq!(fork["rival"]["block"], first.id().to_string());
    assert_eq!(fork["winner"]["block"], first.id().to_string());
    assert_eq!(json["forgotten"]["node3"], 9);
    let reason = fork["reason"].as_str().unwrap();
    assert!(
        reason.contains("both are signed") && reason.contains("certificate of view 1"),
        "{reason}"
    );
}

#[test]
fn what_is_not_signed_by_whom_it_names_is_left_out_and_told_of() {
    let signers = Signers::new(4);
    let ([first, _], lost) = rivals(&signers);
    let mut framed = lost.clone();
    framed.proposed.signature = signers.vote(Phase::Prepare, 0, &first, 0).signature;
    let mut stranger = lost.clone();
    stranger.votes = vec![signers.vote(Phase::Prepare, 0, &first, 2)];
    let mut merged = Merged::new(&signers.genesis);

    merged.add("node1", vec![framed, stranger], 0);
    merged.add("node2", vec![lost], 0);

    assert_eq!(merged.forks.len(), 1);
    let problems = merged.problems();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert!(problem.starts_with("node1 tells of a proposal") && problem.contains("2 times"));
    let forks: Vec<_> = merged.forks.values().map(|fork| fork.seen_by.clone()).collect();
    assert_eq!(forks, [["node2"]]);
}

#[test]
fn what_is_proved_to_be_committed_is_not_lost_whoever_says_so() {
    let signers = Signers::new(4);
    let ([_, second], lost) = rivals(&signers);
    let header = &second.header;
    let proved = signers.proved(0, &second, &[0, 1, 2]);
    let mut merged = Merged::new(&signers.genesis);
    merged.add("node1", vec![lost], 0);

    let winner = committed(&signers.genesis, header.height, header, &proved.proof);
    merged.decide(header.height, winner);

    assert!(merged.forks.is_empty());
    assert_eq!(committed(&signers.genesis, header.height.next(), header, &proved.proof), None);
    let mut forged = proved.proof.clone();
    forged.certificate.signatures[0].1 = forged.certificate.signatures[1].1;
    assert_eq!(committed(&signers.genesis, header.height, header, &forged), None);
}

#[test]
fn the_reason_is_a_sentence() {
    let signers = Signers::new(4);
    let (_, lost) = rivals(&signers);
    let reason = |change: fn(&mut LostProposal)| {
        let mut changed = lost.clone();
        change(&mut changed);
        let mut merged = Merged::new(&signers.genesis);
        merged.add("node1", vec![changed], 0);
        report(&signers, merged)["forks"][0]["reason"].as_str().unwrap().to_owned()
    };

    let nothing = "nothing is committed at this height yet";
    assert_eq!(reason(|_| ()), format!("too few voted for it; {nothing}"));
    let left = reason(|lost| lost.left = Some(View::new(3)));
    assert_eq!(left, format!("view 0 was left for view 3; {nothing}"));
    let refused = reason(|lost| lost.refused = Some("refused-execution".to_owned()));
    assert_eq!(refused, format!("refused by node1 (refused-execution); {nothing}"));
}

#[test]
fn the_table_tells_the_same_and_nothing_is_good_news() {
    let signers = Signers::new(4);
    let (_, lost) = rivals(&signers);
    let asked = || "4 of 4 validators answer".to_owned();
    let of = |lost| {
        let mut merged = Merged::new(&signers.genesis);
        merged.add("node1", lost, 0);
        text(&ForksReport::new(&signers.genesis, asked(), merged, Vec::new()))
    };

    let table = of(vec![lost.clone()]);

    let block: String = lost.place().block.to_string().chars().take(8).collect();
    assert!(table.contains(&block) && table.contains("node0") && table.contains("too few voted"));
    assert_eq!(of(Vec::new()), "  no proposal was lost: 4 of 4 validators answer\n");
}

#[test]
fn one_that_makes_proposals_up_does_not_fill_the_list() {
    let signers = Signers::new(4);
    let lost_at = |height: u64| {
        let (_, mut lost) = rivals(&signers);
        let statement = Statement { height: Height::new(height), ..lost.proposed.statement };
        let chain = signers.genesis.chain();
        lost.proposed = Vote::sign(statement, lost.proposed.replica, chain, signers.key(0));
        lost
    };
    let mut merged = Merged::new(&signers.genesis);
    merged.add("node0", (u64::MAX - 9..=u64::MAX).map(lost_at).collect(), 0);
    merged.add("node1", (1..=4).map(lost_at).collect(), 0);
    merged.add("node2", (2..=4).map(lost_at).collect(), 0);

    merged.cut(4);

    let heights: Vec<u64> = merged.heights().into_iter().map(Height::get).collect();
    assert_eq!(heights, [3, 4, u64::MAX - 1, u64::MAX]);
    merged.cut(1);
    assert_eq!(merged.forks.len(), 1);
}

#[test]
fn one_that_tells_it_twice_is_named_once() {
    let signers = Signers::new(4);
    let (_, lost) = rivals(&signers);
    let refused = LostProposal { refused: Some("refused-execution".to_owned()), ..lost };
    let mut merged = Merged::new(&signers.genesis);

    merged.add("node1", vec![refused.clone(), refused], 0);

    let fork = &report(&signers, merged)["forks"][0];
    assert_eq!(fork["seen_by"], serde_json::json!(["node1"]));
    assert!(fork["reason"].as_str().unwrap().starts_with("refused by node1 (refused"), "{fork}");
}

#[test]
fn while_nothing_is_committed_at_its_height_a_proposal_is_undecided() {
    let signers = Signers::new(4);
    let ([first, _], lost) = rivals(&signers);
    let left = LostProposal { left: Some(View::new(3)), ..lost };
    let mut merged = Merged::new(&signers.genesis);
    merged.add("node1", vec![left.clone()], 0);
    assert_eq!(report(&signers, merged)["forks"][0]["why"], "undecided");
    let mut merged = Merged::new(&signers.genesis);
    merged.add("node1", vec![left], 0);

    let winner = Winner { block: first.id(), view: View::new(3) };
    merged.decide(first.header.height, Some(winner));

    assert_eq!(report(&signers, merged)["forks"][0]["why"], "view-left");
}

#[test]
fn only_the_evidence_of_its_two_statements_is_named() {
    let signers = Signers::new(4);
    let ([first, _], lost) = rivals(&signers);
    let rival = signers.vote(Phase::Prepare, 0, &first, 0);
    let third = signers.vote(Phase::Prepare, 0, &signers.branch(1, 9, 0)[0], 0);
    let lost = LostProposal { rival: Some(rival), ..lost };
    let named = |first, second| {
        let piece = Evidence::Votes { first, second };
        let outline = piece.outline(signers.genesis.validators());
        let kept = KeptEvidence { outline, stored_ms: None };
        let mut merged = Merged::new(&signers.genesis);
        merged.add("node1", vec![lost.clone()], 0);
        let pieces = vec![EvidenceSummary::new(&signers.genesis, &kept)];
        let report = ForksReport::new(&signers.genesis, String::new(), merged, pieces);
        let json = serde_json::to_value(&report).unwrap();
        (json["forks"][0]["evidence"] == piece.id().to_string(), json)
    };

    for (first, second) in [(rival, lost.proposed), (lost.proposed, rival)] {
        let (is_named, json) = named(first, second);
        assert!(is_named, "{json}");
    }
    let (_, json) = named(rival, third);
    assert!(json["forks"][0]["evidence"].is_null(), "{json}");
}

//! Each way to vote, to ask or to enter against the rules is found; the right ones are not.

use std::collections::BTreeSet;

use crypto::keys::Signature;
use pbft::Record;
use types::block::Block;
use types::number::View;
use types::replica::ReplicaId;
use types::view_change::NewView;
use types::vote::Phase;

use crate::check::Property;
use crate::check::fixture::{NOW, Story, recorded};

/// What replica 1 breaks with these records, when replica 0 has proposed the blocks of the story.
fn breaks(records: impl Fn(&Story) -> Vec<Record>) -> Vec<Property> {
    let mut story = Story::new();
    for block in story.blocks.clone() {
        story.votes(0, 0, &block);
    }
    let records = records(&story);
    story.check.recorded(NOW, 1, &records);
    story.broken()
}

fn prepares(story: &Story, view: u64, block: &Block) -> Record {
    recorded(story.vote(1, Phase::Prepare, view, block), block)
}

fn asks(story: &Story, view: u64) -> Record {
    Record::ViewChange { view_change: story.asks(1, view, None) }
}

fn enters(story: &Story, view: u64, tip: Option<&Block>) -> Record {
    let asked = [0, 1, 2].map(|who| story.asks(who, view, tip));
    Record::NewView { new_view: story.new_view(view, asked.to_vec()) }
}

#[test]
fn the_tip_and_what_stands_on_it_may_be_voted_for() {
    assert_eq!(breaks(|story| vec![prepares(story, 0, &story.blocks[0])]), []);
    assert_eq!(
        breaks(|story| {
            let tip = &story.blocks[1];
            vec![asks(story, 1), enters(story, 1, Some(tip)), prepares(story, 1, tip)]
        }),
        []
    );
}

#[test]
fn a_block_that_stands_beside_the_tip_may_not() {
    let broken = breaks(|story| {
        let mut beside = story.blocks[1].clone();
        beside.header.view = View::new(1);
        beside.header.proposer = ReplicaId::new(1);
        vec![enters(story, 1, Some(&story.blocks[1])), prepares(story, 1, &beside)]
    });

    assert_eq!(broken, [Property::Vote]);
}

#[test]
fn a_child_of_the_tip_may() {
    let broken = breaks(|story| {
        let mut child = story.blocks[2].clone();
        child.header.view = View::new(1);
        child.header.proposer = ReplicaId::new(1);
        vec![enters(story, 1, Some(&story.blocks[1])), prepares(story, 1, &child)]
    });

    assert_eq!(broken, []);
}

#[test]
fn a_block_of_an_older_view_that_is_not_the_tip_may_not() {
    let broken = breaks(|story| {
        vec![enters(story, 1, Some(&story.blocks[1])), prepares(story, 1, &story.blocks[2])]
    });

    assert_eq!(broken, [Property::Vote]);
}

#[test]
fn a_block_that_the_primary_of_its_view_did_not_propose_may_not() {
    let mut story = Story::new();
    story.check.recorded(NOW, 1, &[prepares(&story, 0, &story.blocks[0])]);
    assert_eq!(story.broken(), [Property::Vote]);

    let broken = breaks(|story| {
        let mut usurped = story.blocks[0].clone();
        usurped.header.proposer = ReplicaId::new(1);
        vec![prepares(story, 0, &usurped)]
    });
    assert_eq!(broken, [Property::Vote]);
}

/// Who lies may have proposed it to others alone.
#[test]
fn a_block_of_a_primary_that_lies_may() {
    let mut story = Story::leaving_out(BTreeSet::from([0]));

    story.check.recorded(NOW, 1, &[prepares(&story, 0, &story.blocks[0])]);

    assert_eq!(story.broken(), []);
}

#[test]
fn what_was_not_prepared_in_the_view_may_not_be_committed() {
    let commits = |story: &Story| {
        let vote = story.vote(1, Phase::Commit, 0, &story.blocks[0]);
        Record::Vote { vote, block: None }
    };

    assert_eq!(breaks(|story| vec![commits(story)]), [Property::Vote]);
    let both = |story: &Story| vec![prepares(story, 0, &story.blocks[0]), commits(story)];
    assert_eq!(breaks(both), []);
}

#[test]
fn a_certificate_of_too_few_is_none_to_go_by() {
    let certificate = |story: &Story, signatures| {
        let mut certificate = story.asks(1, 1, Some(&story.blocks[0])).certificate.unwrap();
        certificate.signatures.truncate(signatures);
        vec![Record::Certificate { certificate }]
    };

    assert_eq!(breaks(|story| certificate(story, 3)), []);
    assert_eq!(breaks(|story| certificate(story, 2)), [Property::Vote]);
}

/// T44.
#[test]
fn a_view_that_nobody_honest_has_come_to_is_not_asked_for() {
    assert_eq!(breaks(|story| vec![asks(story, 1), asks(story, 2)]), []);
    assert_eq!(breaks(|story| vec![asks(story, 1), asks(story, 3)]), [Property::View]);
}

#[test]
fn a_new_view_without_a_quorum_behind_it_is_not_entered() {
    let view = |doctor: fn(&Story, &mut NewView)| {
        move |story: &Story| {
            let asked = [0, 1, 2].map(|who| story.asks(who, 1, Some(&story.blocks[0])));
            let mut new_view = story.new_view(1, asked.to_vec());
            doctor(story, &mut new_view);
            vec![Record::NewView { new_view }]
        }
    };
    let doctored: [fn(&Story, &mut NewView); 8] = [
        |story, it| *it = story.new_view(1, it.view_changes[..2].to_vec()),
        |story, it| {
            let twice = [0, 1, 1].map(|index: usize| it.view_changes[index].clone());
            *it = story.new_view(1, twice.to_vec());
        },
        |story, it| {
            it.view_changes[2] = story.asks(2, 2, None);
            *it = story.new_view(1, it.view_changes.clone());
        },
        |_, it| it.view_changes[2].signature = Signature::from_bytes([0; 64]),
        |_, it| it.view_changes[2].replica = ReplicaId::new(3),
        |_, it| {
            let certificate = it.view_changes[2].certificate.as_mut().unwrap();
            certificate.signatures[0].1 = Signature::from_bytes([0; 64]);
        },
        |_, it| {
            let certificate = it.view_changes[2].certificate.as_mut().unwrap();
            certificate.signatures.pop();
        },
        |_, it| it.signature = it.view_changes[0].signature,
    ];

    assert_eq!(breaks(view(|_, _| {})), []);
    for (case, doctor) in doctored.into_iter().enumerate() {
        assert_eq!(breaks(view(doctor)), [Property::View], "case {case}");
    }
}

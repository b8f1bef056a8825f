//! The matrix reaches every kind of message and both roles, everything holds in it, and it can fail.

use super::*;
use crate::check::Property;

/// One crash at every point of every story; and some pairs.
#[test]
fn whoever_loses_power_at_whichever_point_breaks_nothing() {
    let mut matrix = Matrix::default();
    for story in Story::ALL {
        matrix.run_story(story);
        matrix.run_pairs(story, 60, 0);
    }

    assert!(matrix.broken.is_empty(), "logothete-lab check crashes: {:#?}", matrix.broken);
    let kinds = ["commit", "new-view", "pre-prepare", "prepare", "status", "view-change"];
    for kind in kinds {
        let points = matrix.by_message.get(kind).copied().unwrap_or_default();
        assert!(points >= 20, "{points} points of {kind}");
    }
    assert_eq!(matrix.by_moment.len(), 6, "{:?}", matrix.by_moment);
    assert!(matrix.primary > 100 && matrix.points - matrix.primary > 300, "{matrix:?}");
    assert!(matrix.later_views > 300 && matrix.single > 1_500 && matrix.pairs > 250, "{matrix:?}");
}

/// T31: each story is about what its name says.
#[test]
fn stories_commit_in_the_view_that_they_are_about() {
    for story in Story::ALL {
        let points = points(story);
        let committing = points.iter().filter(|point| point.moment == Moment::Committed);
        let mut views: Vec<u64> = committing.map(|point| point.view).collect();
        views.dedup();
        let expected: &[u64] = match story {
            Story::Height | Story::Pruned => &[0],
            Story::SilentPrimary | Story::Prepared => &[1],
            Story::CommittedAlone => &[0, 1],
        };
        assert_eq!(views, expected, "{story:?}");
    }
}

/// T58, T95: with a disk that only says that it flushed, the same matrix finds broken promises.
#[test]
fn the_matrix_notices_a_flush_that_lies() {
    let mut broken = BTreeMap::new();
    for point in points(Story::Height) {
        let crash = Crash {
            replica: point.replica,
            number: point.number,
            left: Left::Nothing,
            stored: false,
            down_ms: 3,
        };
        let mut plan = Story::Height.plan();
        plan.disks.sync_lies = true;
        let options = Options { crashes: vec![crash], ..Options::default() };
        let report = run(&plan, 0, options);
        if let Some(property) = report.broken() {
            *broken.entry(property).or_insert(0) += 1;
        }
    }

    assert!(broken.get(&Property::S6) > Some(&10), "{broken:?}");
}

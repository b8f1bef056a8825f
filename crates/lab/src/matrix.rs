//! The crash matrix: power lost between any two of the things that an output asks for.
//!
//! A [story](Story) is a short run in which nothing is left to chance: one height in view 0, or a
//! change of view and one height in view 1. The first run of a story counts the points that every
//! replica comes to. Then it is run again for each of them, with the power of that one machine
//! failing there, and with each of what a disk may have kept: of records that were written and not
//! flushed nothing, either half, or all; of blocks that were not durable nothing or all. The machine
//! comes back soon, while the story goes on, or late. The [checker](crate::check) watches as in
//! every run: what was sent was durable (S6), nobody contradicts what he said before (S5), and the
//! network commits again, with the votes of all but t at least (L1, L3).
//!
//! With one crash the matrix is exhaustive over the points of its stories. With two, the pairs are
//! drawn from a seed: the second point is numbered in the run that the first crash has changed, and
//! may be one of the same machine while it comes back. What a story does not do, such as a window of
//! several heights, is left to runs on random plans.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use crate::check::Violation;
use crate::disk::Left;
use crate::plan::Moment;
use crate::report::{Verdict, run};
use crate::world::{Crash, Options, Point};
use byzantine::Random;

mod story;

pub use story::Story;

/// How long a machine is down that comes back while the story goes on, and one that comes late, in
/// milliseconds.
const DOWN_MS: [u64; 2] = [3, 900];

/// What came of a matrix.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Matrix {
    /// Points of all stories.
    pub points: u64,
    /// Points at which the replica was primary.
    pub primary: u64,
    /// Points of replicas that had left view 0.
    pub later_views: u64,
    /// Points by the kind of message: of outputs that send it, and behind each receiver of it.
    pub by_message: BTreeMap<&'static str, u64>,
    /// Points by what was done just before.
    pub by_moment: BTreeMap<String, u64>,
    /// Runs with one crash: each point with each of what may be left of it.
    pub single: u64,
    /// Runs with two.
    pub pairs: u64,
    /// Runs in which a property was broken.
    pub broken: Vec<Broken>,
}

/// A run in which a property was broken.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    /// In which story.
    pub story: Story,
    /// The crashes, in words.
    pub crashes: Vec<String>,
    /// What was broken.
    pub violations: Vec<Violation>,
}

/// Runs one story without a crash: its points.
pub fn points(story: Story) -> Vec<Point> {
    points_with(story, Vec::new())
}

fn points_with(story: Story, crashes: Vec<Crash>) -> Vec<Point> {
    let points = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&points);
    let census: crate::world::Census = Box::new(move |point| noted.borrow_mut().push(point));
    run(&story.plan(), 0, Options { census: Some(census), crashes, ..Options::default() });
    points.take()
}

/// The points that a story comes to behind a crash, on whatever machine.
fn points_behind(story: Story, crash: Crash) -> Vec<Point> {
    let points = points_with(story, vec![crash]);
    let there = |point: &Point| (point.replica, point.number) == (crash.replica, crash.number);
    points.into_iter().skip_while(|point| !there(point)).skip(1).collect()
}

/// Every crash that there is at a point.
pub fn crashes(point: &Point) -> Vec<Crash> {
    let left: &[Left] = match point.moment {
        Moment::Written => &[Left::Nothing, Left::Front, Left::Back, Left::Everything],
        Moment::Any
        | Moment::BeforeRecords
        | Moment::Flushed
        | Moment::Committed
        | Moment::Sending
        | Moment::Sent
        | Moment::Done => &[Left::Nothing],
    };
    let stored: &[bool] = if point.storing { &[false, true] } else { &[false] };
    let Point { replica, number, .. } = *point;
    let each = left.iter().flat_map(|left| stored.iter().map(|stored| (*left, *stored)));
    each.flat_map(|(left, stored)| {
        DOWN_MS.map(|down_ms| Crash { replica, number, left, stored, down_ms })
    })
    .collect()
}

impl Matrix {
    /// Counts the points of a story, and runs it with a crash at each of them.
    pub fn run_story(&mut self, story: Story) {
        let points = points(story);
        for point in &points {
            self.count(point);
            for crash in crashes(point) {
                self.single = self.single.saturating_add(1);
                self.run_with(story, vec![crash]);
            }
        }
    }

    /// Runs a story with every pair of crashes, the second one being at a point that the run with the
    /// first comes to behind it. This takes the square of the time.
    pub fn run_all_pairs(&mut self, story: Story) {
        for one in points(story).iter().flat_map(crashes) {
            for other in points_behind(story, one).iter().flat_map(crashes) {
                self.pairs = self.pairs.saturating_add(1);
                self.run_with(story, vec![one, other]);
            }
        }
    }

    /// Runs a story with so many pairs of crashes, drawn from a seed.
    pub fn run_pairs(&mut self, story: Story, count: u64, seed: u64) {
        let first = points(story);
        let mut random = Random::stream(seed, "pairs", &[story.number()]);
        for _ in 0..count {
            let Some(one) = draw(&first, &mut random) else {
                return;
            };
            let Some(other) = draw(&points_behind(story, one), &mut random) else {
                continue;
            };
            self.pairs = self.pairs.saturating_add(1);
            self.run_with(story, vec![one, other]);
        }
    }

    fn count(&mut self, point: &Point) {
        let more = |count: &mut u64| *count = count.saturating_add(1);
        more(&mut self.points);
        if point.primary {
            more(&mut self.primary);
        }
        if point.view > 0 {
            more(&mut self.later_views);
        }
        for kind in &point.messages {
            more(self.by_message.entry(kind).or_default());
        }
        more(self.by_moment.entry(format!("{:?}", point.moment)).or_default());
    }

    fn run_with(&mut self, story: Story, crashes: Vec<Crash>) {
        let words = crashes.iter().map(|crash| format!("{crash:?}")).collect();
        let options = Options { crashes, ..Options::default() };
        match run(&story.plan(), 0, options).verdict {
            Verdict::Held => {}
            Verdict::Violated(violations) => {
                self.broken.push(Broken { story, crashes: words, violations });
            }
            // A story ends long before a run does, so it did not come to its end.
            Verdict::Inconclusive(_) => {
                self.broken.push(Broken { story, crashes: words, violations: Vec::new() });
            }
        }
    }
}

/// One of the crashes at one of these points.
fn draw(points: &[Point], random: &mut Random) -> Option<Crash> {
    let crashes = crashes(random.pick(points)?);
    random.pick(&crashes).copied()
}

#[cfg(test)]
mod tests;

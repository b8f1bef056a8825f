//! Where things stand in a stretch of the picture.

use std::collections::{BTreeMap, BTreeSet};

use super::super::arrows::{Arrow, End};
use crate::record::Event;

/// Microseconds of a pixel, and the least and the most pixels from one moment to the next.
const US_PER_PIXEL: u64 = 150;
const STEP: (i64, i64) = (2, 26);

/// How far two labels on one lifeline are apart at least, and one across all from any, in pixels.
const LINE: i64 = 13;
const LINE_ACROSS: i64 = 16;

/// Something that is marked.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A replica commits a height.
    Commits { replica: u16, height: u64, words: String },
    /// Something happens to a replica.
    At { replica: u16, label: String, words: String },
    /// Something happens to all, or a property is broken.
    Across { words: String, breach: bool },
}

impl Mark {
    /// What comes from outside stands above what else happens at the same time, and what is broken by it below.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Across { breach: false, .. } => 0,
            Self::Across { breach: true, .. } => 2,
            Self::Commits { .. } | Self::At { .. } => 1,
        }
    }
}

/// A stretch of the picture: messages without a gap between them.
pub(super) struct Piece {
    pub(super) from_us: u64,
    pub(super) until_us: u64,
    pub(super) top: i64,
    pub(super) bottom: i64,
    pub(super) marks: Vec<(u64, Mark)>,
    ys: BTreeMap<(u64, u8), i64>,
    pills: BTreeSet<(u64, u16)>,
}

impl Piece {
    /// Places these messages, and what happens meanwhile, from `top` down. What is marked is later than `after_us`: the
    /// stretch before has marked the rest.
    pub(super) fn new(
        arrows: &[&Arrow<'_>],
        events: &[Event],
        after_us: Option<u64>,
        top: i64,
        n: u16,
    ) -> Self {
        let from_us = arrows.first().map_or(0, |arrow| arrow.sent_us);
        let arrived = |arrow: &&Arrow<'_>| match arrow.end {
            End::Arrived(at_us) => at_us,
            End::Lost | End::OnTheWay => arrow.sent_us,
        };
        let until_us = arrows.iter().map(arrived).max().unwrap_or(from_us);
        let within = |at_us: u64| (from_us..=until_us).contains(&at_us);
        let fresh = |at_us: u64| within(at_us) && Some(at_us) > after_us;
        let marks = marks(events.iter().filter(|event| fresh(event.at_us)));
        let mut labelled: BTreeMap<(u64, u8), BTreeSet<Option<u16>>> = BTreeMap::new();
        for arrow in arrows {
            labelled.entry((arrow.sent_us, 1)).or_default().insert(Some(arrow.from));
            if let End::Arrived(at_us) = arrow.end
                && within(at_us)
            {
                labelled.entry((at_us, 1)).or_default();
            }
        }
        let mut pills = BTreeSet::new();
        for (at_us, mark) in &marks {
            let who = match mark {
                Mark::Commits { replica, .. } => {
                    pills.insert((*at_us, *replica));
                    Some(*replica)
                }
                Mark::At { replica, .. } => Some(*replica),
                Mark::Across { .. } => None,
            };
            labelled.entry((*at_us, mark.rank())).or_default().insert(who);
        }
        let (ys, bottom) = place(&labelled, top, n);
        Self { from_us, until_us, top, bottom, marks, ys, pills }
    }

    /// Where a moment is, if something happens in it.
    pub(super) fn y_of(&self, at_us: u64, rank: u8) -> Option<i64> {
        self.ys.get(&(at_us, rank)).copied()
    }

    /// Where a moment is, or the edge that is nearer to it.
    pub(super) fn y_or_edge(&self, at_us: u64) -> i64 {
        if at_us < self.from_us {
            return self.top - 6;
        }
        if at_us > self.until_us {
            return self.bottom;
        }
        let before = self.ys.range(..=(at_us, 1)).next_back();
        before.map_or(self.top - 6, |(_, y)| *y)
    }

    /// Whether a replica commits at a moment, so that there is a pill on its lifeline.
    pub(super) fn has_pill(&self, at_us: u64, replica: u16) -> bool {
        self.pills.contains(&(at_us, replica))
    }

    /// Every moment, with its place.
    pub(super) fn moments(&self) -> impl Iterator<Item = (u64, i64)> {
        self.ys.iter().map(|((at_us, _), y)| (*at_us, *y))
    }
}

/// What is marked; of what goes across all at one moment, the first, and how many more.
fn marks<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<(u64, Mark)> {
    let mut marks: Vec<(u64, Mark)> = Vec::new();
    let mut across: BTreeMap<u64, (String, bool, u32)> = BTreeMap::new();
    for event in events {
        match super::mark(&event.event) {
            Some(Mark::Across { words, breach }) => {
                let there = across.entry(event.at_us).or_insert_with(|| (words.clone(), breach, 0));
                if breach && !there.1 {
                    (there.0, there.1) = (words, true);
                }
                there.2 = there.2.saturating_add(1);
            }
            // The highest of several heights that are committed at once stands for them.
            Some(Mark::Commits { replica, height, words }) => {
                let mark = Mark::Commits { replica, height, words };
                let same = |there: &&mut (u64, Mark)| {
                    matches!(there.1, Mark::Commits { replica: other, .. } if other == replica)
                        && there.0 == event.at_us
                };
                match marks.iter_mut().rev().take(64).find(same) {
                    Some(there) => there.1 = mark,
                    None => marks.push((event.at_us, mark)),
                }
            }
            Some(Mark::At { replica, label, words }) => {
                let there = marks.iter_mut().rev().take(64).find_map(|(at_us, mark)| match mark {
                    Mark::At { replica: other, label, words } => {
                        (*at_us == event.at_us && *other == replica).then_some((label, words))
                    }
                    Mark::Commits { .. } | Mark::Across { .. } => None,
                });
                match there {
                    // What comes last is where it stands.
                    Some((there, all)) => {
                        *there = label;
                        *all = format!("{all}; {words}");
                    }
                    None => marks.push((event.at_us, Mark::At { replica, label, words })),
                }
            }
            None => {}
        }
    }
    for (at_us, (words, breach, count)) in across {
        let more = if count > 1 {
            format!(" (and {} more)", count.saturating_sub(1))
        } else {
            String::new()
        };
        marks.push((at_us, Mark::Across { words: format!("{words}{more}"), breach }));
    }
    marks
}

/// Where each moment stands, so that no label stands on another; and the bottom.
fn place(
    labelled: &BTreeMap<(u64, u8), BTreeSet<Option<u16>>>,
    top: i64,
    n: u16,
) -> (BTreeMap<(u64, u8), i64>, i64) {
    let mut free: BTreeMap<u16, i64> = (0..n).map(|replica| (replica, top)).collect();
    let mut ys = BTreeMap::new();
    let mut y = top;
    let mut before_us = None;
    for ((at_us, rank), who) in labelled {
        if let Some(before_us) = before_us {
            let step = at_us.saturating_sub(before_us) / US_PER_PIXEL;
            let step = i64::try_from(step).unwrap_or(STEP.1);
            y += step.clamp(STEP.0, STEP.1);
        }
        before_us = Some(*at_us);
        for replica in who.iter().flatten() {
            y = y.max(free.get(replica).copied().unwrap_or(top));
        }
        if who.contains(&None) {
            y = y.max(
                free.values().copied().max().unwrap_or(top).saturating_add(LINE_ACROSS - LINE),
            );
            free.values_mut().for_each(|free| *free = y.saturating_add(LINE));
        }
        for replica in who.iter().flatten() {
            free.insert(*replica, y.saturating_add(LINE));
        }
        ys.insert((*at_us, *rank), y);
    }
    (ys, y.saturating_add(14))
}

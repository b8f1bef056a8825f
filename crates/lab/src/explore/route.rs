//! One order of deliveries that leads to where a property is broken.

use std::collections::{BTreeMap, VecDeque};

use super::local::SILENCE;
use super::sets::Sets;

/// What can be delivered until something is said, and who says what then.
pub(super) struct Phase {
    /// What can be delivered.
    pub(super) soup: u32,
    /// Who speaks, as a place among the honest replicas.
    pub(super) place: usize,
    /// What it says.
    pub(super) emission: u32,
}

/// How many phases lie behind a replica, and its state.
type Point = (usize, u32);

/// A delivery: in which phase, of what, and the emission that answers it.
pub(super) type Taken = (usize, u32, u32);

/// How a point was come to: from where, and with what delivery, if with any.
type Steps = BTreeMap<Point, Option<(Point, Option<(u32, u32)>)>>;

/// The fewest deliveries by which one replica says its part of all phases, and is in a state then, or in any.
///
/// `after` is what can be delivered behind the last phase.
pub(super) fn route(
    sets: &mut Sets,
    phases: &[Phase],
    after: Option<u32>,
    (place, start, goal): (usize, u32, Option<u32>),
) -> Vec<Taken> {
    let mut steps = Steps::new();
    let mut queue = VecDeque::from([((0, start), None)]);
    while let Some((point, from)) = queue.pop_front() {
        if steps.contains_key(&point) {
            continue;
        }
        steps.insert(point, from);
        let (at, local) = point;
        let phase = phases.get(at);
        if phase.is_none() && goal.is_none_or(|goal| goal == local) {
            return back(&steps, point);
        }
        let later = at.saturating_add(1);
        let answer = phase.filter(|phase| phase.place == place).map(|phase| phase.emission);
        if phase.is_some() && answer.is_none() {
            // Others speak, which costs this replica no delivery.
            queue.push_front(((later, local), Some((point, None))));
        }
        let soup = phase.map(|phase| phase.soup).or(after).and_then(|soup| sets.soup(soup));
        for word in soup.map(|soup| soup.all.clone()).unwrap_or_default() {
            // A word that breaks something leads nowhere.
            let Ok((to, said)) = sets.step(local, word) else {
                continue;
            };
            let taken = Some((point, Some((word, said))));
            if said == SILENCE {
                queue.push_back(((at, to), taken));
            } else if Some(said) == answer {
                queue.push_back(((later, to), taken));
            }
        }
    }
    Vec::new()
}

/// The deliveries on the way to a point, in order.
fn back(steps: &Steps, point: Point) -> Vec<Taken> {
    let mut taken = Vec::new();
    let mut at = point;
    while let Some(Some((from, delivery))) = steps.get(&at) {
        taken.extend(delivery.map(|(word, said)| (from.0, word, said)));
        at = *from;
    }
    taken.reverse();
    taken
}

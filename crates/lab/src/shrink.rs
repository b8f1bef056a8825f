//! Making a failing plan smaller while it still fails in the same way.
//!
//! Faults are left out in halves, quarters and so on down to one by one, then the load, the
//! replicas that stay broken and the troubles of links and disks are reduced. Every stream of
//! chance has its own seed, so what is left behaves as before wherever it can.

use crate::check::Property;
use crate::plan::{Links, Plan};
use crate::report::run;
use crate::world::Options;

/// The most runs that a shrinking takes.
const RUNS_MAX: u32 = 400;

/// A plan that fails like this one with as little as was found.
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// Runs that it took.
    pub runs: u32,
}

/// Shrinks a plan that breaks `property` under `seed`.
pub fn shrink(plan: &Plan, seed: u64, property: Property) -> Shrunk {
    let mut search = Search { plan: plan.clone(), seed, property, runs: 0 };
    loop {
        let before = search.plan.clone();
        search.drop_faults();
        search.simplify();
        if search.plan == before || search.runs >= RUNS_MAX {
            return Shrunk { plan: search.plan, runs: search.runs };
        }
    }
}

struct Search {
    plan: Plan,
    seed: u64,
    property: Property,
    runs: u32,
}

impl Search {
    /// Takes a smaller plan over if it still fails.
    fn accept(&mut self, smaller: Plan) -> bool {
        if smaller == self.plan || self.runs >= RUNS_MAX {
            return false;
        }
        self.runs = self.runs.saturating_add(1);
        let fails = run(&smaller, self.seed, Options::default()).broken() == Some(self.property);
        if fails {
            self.plan = smaller;
        }
        fails
    }

    fn drop_faults(&mut self) {
        let mut size = self.plan.faults.len();
        while size > 0 {
            let mut begin = 0;
            while begin < self.plan.faults.len() {
                let mut smaller = self.plan.clone();
                let end = begin.saturating_add(size).min(smaller.faults.len());
                smaller.faults.drain(begin..end);
                if !self.accept(smaller) {
                    begin = end;
                }
            }
            size /= 2;
        }
    }

    /// Everything else that may be less, one after the other.
    fn simplify(&mut self) {
        let steps: [fn(&mut Plan); 10] = [
            |plan| plan.broken.clear(),
            |plan| plan.load.double_spenders = 0,
            |plan| plan.load.transfers = (plan.load.transfers / 2).max(1),
            |plan| plan.load.clients = plan.load.clients.min(1),
            |plan| plan.links = Links { loss_per_mille: 0, ..plan.links },
            |plan| plan.links = Links { twice_per_mille: 0, ..plan.links },
            |plan| plan.links = Links { slow_per_mille: 0, ..plan.links },
            |plan| plan.replicas = plan.replicas.min(4),
            |plan| plan.heal_ms /= 2,
            |plan| plan.rules.window_heights = 1,
        ];
        for step in steps {
            let mut smaller = self.plan.clone();
            step(&mut smaller);
            if names_only_those_there_are(&smaller) {
                self.accept(smaller);
            }
        }
    }
}

/// Whether everybody that a plan names is there.
fn names_only_those_there_are(plan: &Plan) -> bool {
    let broken = plan.broken.iter().map(|broken| broken.replica);
    let named = plan.faults.iter().flat_map(|fault| fault.what.replicas());
    broken.chain(named).all(|replica| replica < plan.replicas)
}

#[cfg(test)]
mod tests;

//! Replicas of a run that lie.

use std::collections::BTreeSet;

use byzantine::liar::Liar;
use ledger::Ledger;
use pbft::{Protocol, Replica};
use types::replica::ReplicaId;

use crate::keys::Owner;
use crate::plan::Plan;
use crate::record::Lies;
use crate::world::{Options, genesis};

/// What a run of this plan is made with when these replicas lie. Which lies each of them tells is drawn from the seed.
pub fn options(plan: &Plan, seed: u64, liars: BTreeSet<u16>) -> Options {
    let lying = liars.clone();
    let validators = genesis(plan).validators().clone();
    let kind = plan.signer;
    let lies = Lies::default();
    let told = lies.clone();
    let wrap = move |replica: ReplicaId, inner: Replica<Ledger>| {
        let boxed: Box<dyn Protocol<Application = Ledger>> = if lying.contains(&replica.get()) {
            let signer = Owner::Replica(replica.get()).signer(kind);
            let liar = Liar::new(replica, inner, validators.clone(), signer, seed);
            Box::new(liar.witnessed(told.witness(replica.get())))
        } else {
            Box::new(inner)
        };
        boxed
    };
    Options { wrap: Some(Box::new(wrap)), faulty: liars, lies, ..Options::default() }
}

#[cfg(test)]
mod tests;

//! The same search without any reduction: every state of the network, every word to every replica.

use std::collections::BTreeSet;

use crate::explore::local::SILENCE;
use crate::explore::search::{Explorer, Order};
use crate::explore::{Progress, Scope};

/// The soup, and the state of each honest replica.
type Network = [u32; 5];

/// All states of the network within a scope, found depth first, and how many deliveries led to them.
fn plain(explorer: &mut Explorer) -> (BTreeSet<Network>, u64) {
    let sets = &mut explorer.sets;
    let mut first: Network = [0; 5];
    first[0] = explorer.nodes[0].soup;
    first[1..=explorer.started.len()].copy_from_slice(&explorer.started);
    let replicas = explorer.started.len();
    let mut met = BTreeSet::from([first]);
    let mut stack = vec![first];
    let mut deliveries = 0;
    while let Some(network) = stack.pop() {
        let all = sets.soup(network[0]).unwrap().all.clone();
        for place in 1..=replicas {
            for word in &all {
                let (to, said) = sets.step(network[place], *word).unwrap();
                deliveries += 1;
                let mut next = network;
                next[place] = to;
                if said != SILENCE {
                    let words = sets.locals.emission(said).to_vec();
                    next[0] = sets.said(Some(network[0]), &words).unwrap();
                }
                if met.insert(next) {
                    stack.push(next);
                }
            }
        }
    }
    (met, deliveries)
}

/// All states of the network that the configurations of a search stand for.
fn represented(explorer: &Explorer) -> BTreeSet<Network> {
    let mut all = BTreeSet::new();
    for node in &explorer.nodes {
        let mut networks: Vec<Network> = vec![[node.soup, 0, 0, 0, 0]];
        for (place, set) in node.sets.iter().enumerate().take(explorer.started.len()) {
            let members = &explorer.sets.set(*set).unwrap().members;
            let with = |network: &Network| {
                let mut network = *network;
                members.iter().map(move |local| {
                    network[place + 1] = *local;
                    network
                })
            };
            networks = networks.iter().flat_map(with).collect();
        }
        all.extend(networks);
    }
    all
}

fn compare(scope: Scope, least: usize) {
    let mut explorer = Explorer::new(scope.clone());
    explorer.run(Order::DepthFirst, &mut |_: Progress| {}).unwrap();
    let locals = explorer.sets.locals.len();

    let (met, deliveries) = plain(&mut explorer);

    eprintln!("{scope:?}: {} states of the network, {deliveries} deliveries", met.len());
    assert!(met.len() >= least, "{} states", met.len());
    assert_eq!(explorer.sets.locals.len(), locals, "the plain search met more states of replicas");
    assert!(met == represented(&explorer), "the searches differ in {scope:?}");
}

#[test]
fn the_reduced_search_finds_exactly_what_a_plain_one_finds() {
    let scope = |faulty: &[u16], last_view, rivals| Scope {
        faulty: faulty.to_vec(),
        last_view,
        rivals,
        ..Scope::default()
    };
    compare(scope(&[0], 0, 1), 100);
    compare(scope(&[0], 1, 0), 100);
    compare(scope(&[3], 0, 1), 100);
}

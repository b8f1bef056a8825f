//! L1 to L5 as bounds: how soon a network goes on after what the plan does to it.

use std::collections::BTreeSet;

use pbft::Overview;

use super::{Options, World};
use crate::keys::SignerKind;
use crate::plan::{Broken, Death, Disks, Fate, Fault, Links, Load, Moment, Plan, Rules, What};

/// How long a view may go without progress in these networks, in milliseconds.
const BASE_MS: u64 = 500;

/// What a view change costs beside the timeouts: a few messages, and a status or two.
const EXTRA_MS: u64 = 1_000;

/// A network of so many replicas on which nothing happens but load: 4 clients with one transfer
/// every 50 ms each.
fn calm(replicas: u16, seconds: u32) -> Plan {
    Plan {
        replicas,
        signer: SignerKind::Fast,
        rules: Rules {
            window_heights: 8,
            block_transactions_max: 50,
            batch_delay_ms: 5,
            view_timeout_ms: u32::try_from(BASE_MS).unwrap(),
            snapshot_interval_blocks: 100,
            clock_drift_max_ms: 1_000,
        },
        load: Load {
            clients: 4,
            transfers: seconds * 20,
            every_ms: 50,
            outstanding_max: 10_000,
            double_spenders: 0,
            burst: 1,
        },
        links: Links {
            delay_min_us: 500,
            delay_max_us: 2_000,
            slow_per_mille: 0,
            loss_per_mille: 0,
            twice_per_mille: 0,
        },
        disks: Disks {
            sync_min_us: 500,
            sync_max_us: 2_000,
            store_us: 5_000,
            prune_bytes: 64 << 10,
            sync_lies: false,
        },
        heal_ms: 2_000,
        broken: Vec::new(),
        faults: Vec::new(),
    }
}

fn run_until(world: &mut World, ms: u64) {
    while world.now.ms() < ms {
        assert_eq!(world.step(), None, "at {}", world.now);
    }
}

/// When the next block after this moment is committed, in milliseconds from then.
fn next_commit(world: &mut World, ms: u64) -> u64 {
    run_until(world, ms);
    let before = world.check.top();
    while world.check.top() == before {
        assert_eq!(world.step(), None, "nothing was committed before {}", world.now);
    }
    world.now.ms() - ms
}

fn overviews(world: &World) -> Vec<Overview> {
    let processes = world.hosts.iter().filter_map(|host| host.process.as_ref());
    processes.map(|process| process.protocol.status()).collect()
}

/// The longest that a timeout may be when so many primaries in a row have failed.
fn timeouts(failed: u32) -> u64 {
    (0..failed).map(|views| BASE_MS << views).sum()
}

/// L2.
#[test]
fn dead_primaries_in_a_row_cost_a_timeout_each() {
    for (replicas, dead) in [(4, 1), (5, 1), (6, 1), (7, 1), (7, 2)] {
        for seed in 0..4 {
            let mut plan = calm(replicas, 6);
            plan.broken = (0..dead).map(|replica| Broken { replica, fate: Fate::Dead }).collect();
            let mut world = World::new(plan.clone(), seed, Options::default());
            let gap = next_commit(&mut world, plan.heal_ms + 20);
            let bound = timeouts(u32::from(dead)) + EXTRA_MS;
            assert!(gap <= bound, "{dead} of {replicas} dead, seed {seed}: {gap} ms");
            assert!(gap >= BASE_MS / 2, "{dead} of {replicas} dead, seed {seed}: {gap} ms");
        }
    }
}

/// L4: ten minutes without a quorum, and the first commit comes soon after it is back. Then the
/// timeouts are as if nothing had happened.
#[test]
fn after_an_outage_of_any_length_a_network_goes_on_at_once() {
    for seed in 0..2 {
        let mut plan = calm(4, 2);
        let outage_ms = 600_000;
        let crash = |replica| Fault {
            at_ms: 1_000,
            what: What::Crash {
                replica,
                death: Death::PowerCut,
                moment: Moment::Any,
                down_ms: outage_ms,
            },
        };
        plan.faults = vec![crash(1), crash(3)];
        plan.heal_ms = outage_ms + 20_000;
        let mut world = World::new(plan, seed, Options::default());
        run_until(&mut world, 100_000);
        let stuck = world.check.top();
        run_until(&mut world, outage_ms);
        assert_eq!(world.check.top(), stuck, "there is no quorum");

        let gap = next_commit(&mut world, outage_ms + 1_000);
        assert!(gap <= BASE_MS + 5_000, "seed {seed}: {gap} ms");
        let timeouts: BTreeSet<u64> = overviews(&world).iter().map(|it| it.timeout_ms).collect();
        run_until(&mut world, outage_ms + 12_000);
        let after: BTreeSet<u64> = overviews(&world).iter().map(|it| it.timeout_ms).collect();
        assert!(after.iter().all(|ms| *ms <= 2 * BASE_MS), "{timeouts:?}, then {after:?}");
    }
}

/// Links of 300 ms each way are no reason to replace anybody.
#[test]
fn slow_links_change_no_view() {
    for seed in 0..3 {
        let mut plan = calm(4, 20);
        plan.rules.view_timeout_ms = 2_000;
        plan.links = Links { delay_min_us: 300_000, delay_max_us: 310_000, ..plan.links };
        plan.heal_ms = 25_000;
        let mut world = World::new(plan, seed, Options::default());
        run_until(&mut world, 24_000);
        assert!(world.check.top().get() > 20, "{}", world.check.top());
        let views: Vec<u64> = overviews(&world).iter().map(|it| it.view.get()).collect();
        assert_eq!(views, [0; 4], "seed {seed}");
    }
}

/// Three times more load than the network can carry, for a minute: all wait, nobody is starved.
#[test]
fn overload_changes_no_view() {
    {
        let seed = 0;
        let mut plan = calm(4, 60);
        // One transfer a height, one height at a time, some 50 ms each: 80 are wanted, 20 fit.
        plan.rules.window_heights = 1;
        plan.rules.block_transactions_max = 1;
        plan.links = Links { delay_min_us: 22_000, delay_max_us: 24_000, ..plan.links };
        plan.heal_ms = 70_000;
        let mut world = World::new(plan, seed, Options::default());
        run_until(&mut world, 61_000);
        let offered = 61 * 80;
        let done = world.check.top().get();
        assert!(done * 3 < offered && done > 300, "{done} of {offered}");
        let views: Vec<u64> = overviews(&world).iter().map(|it| it.view.get()).collect();
        assert_eq!(views, [0; 4], "seed {seed}");
    }
}

/// L5.
#[test]
fn a_primary_that_starves_an_account_is_replaced() {
    for seed in 0..3 {
        let mut plan = calm(4, 6);
        plan.heal_ms = 10_000;
        let options = Options { starves: Some((0, 2)), ..Options::default() };
        let mut world = World::new(plan, seed, options);
        run_until(&mut world, 9_000);
        let waiting = world.clients.iter().map(|client| client.wishes.len()).sum::<usize>();
        let views: Vec<u64> = overviews(&world).iter().map(|it| it.view.get()).collect();
        assert!(views.iter().all(|view| (1..=2).contains(view)), "seed {seed}: {views:?}");
        assert_eq!(waiting, 0, "seed {seed}");
    }
}

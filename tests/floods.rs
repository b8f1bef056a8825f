//! A validator that floods the others with control messages of gossip, by connections of its own, while payments are
//! made: they go on, nobody dies, and neither memory nor logs grow with what comes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::time::{Duration, Instant};

use tests::audit::assert_audits_of_pass;
use tests::load::{Load, Wallet, assert_paid_once_by, paid};
use tests::process::{resident_bytes, worked};
use tests::story::until_paid;
use tests::testnet::Testnet;
use tests::traitors::deeds;
use tests::wait::until;

/// Transfers a second.
const RATE: u32 = 50;
/// Frames to each victim before anything is judged, and so long at least.
const FRAMES: u64 = 3_000;
const FLOODED: Duration = Duration::from_secs(20);
/// How much memory an honest validator may take for a neighbour that floods. A connection keeps what was not read, up to
/// 16 MiB that its windows may grow, one RPC that is not whole (576 KiB), and eight RPCs that were decoded, whose control
/// messages of 4 KiB take 160 KiB each; and there are two connections: 36 MiB. The ids of its messages are remembered
/// for a minute: it sends none here. The rest is for the payments that are made meanwhile.
const MEMORY_BYTES: u64 = 64 << 20;
/// How much its log may grow.
const LOG_BYTES: u64 = 256 << 10;

/// The frames that node0 says it has sent to a replica.
fn frames(testnet: &Testnet, replica: usize) -> u64 {
    let to = format!("to replica {replica}");
    let told = deeds(testnet, 0);
    let sent =
        told.iter().filter(|deed| deed["attack"] == "control-flood" && deed["act"] == "sends");
    let whats = sent.filter_map(|deed| deed["what"].as_str()).filter(|what| what.ends_with(&to));
    whats.map(|what| what.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn log_bytes(testnet: &Testnet, node: usize) -> u64 {
    fs::metadata(testnet.node(node).join("log")).unwrap().len()
}

#[test]
fn a_flood_of_control_messages_takes_nothing_from_the_others() {
    let honest = [1, 2, 3];
    let testnet = Testnet::up(&["--timeout", "60"]);
    let load = Load::start(&testnet, RATE, Wallet::GivesUp);
    until_paid(&testnet, 1, 200);
    let pids = honest.map(|node| testnet.pid(node).unwrap());
    let memory = pids.map(resident_bytes);
    let logs = honest.map(|node| log_bytes(&testnet, node));
    let calm = (pids.map(worked), Instant::now());
    until_paid(&testnet, 1, paid(&testnet, 1) + 200);
    let calm = pids
        .map(worked)
        .into_iter()
        .zip(calm.0)
        .map(|(now, then)| (now - then).as_secs_f64() / calm.1.elapsed().as_secs_f64());
    let calm: Vec<f64> = calm.collect();

    drop(testnet.run(&["turn", "node0", "control-flood"]).with_code(0));
    let (begun, busy) = (Instant::now(), pids.map(worked));
    let paid_before = paid(&testnet, 1);
    let mut most = memory;
    until("the flood arrives at all, for long enough", || {
        for (most, pid) in most.iter_mut().zip(pids) {
            *most = (*most).max(resident_bytes(pid));
        }
        let arrived = honest.iter().all(|node| frames(&testnet, *node) >= FRAMES);
        (arrived && begun.elapsed() >= FLOODED).then_some(())
    });
    let lasted = begun.elapsed();
    println!("{} transfers paid in {lasted:?}", paid(&testnet, 1) - paid_before);
    until_paid(&testnet, 1, paid_before + 500);

    for (at, node) in honest.into_iter().enumerate() {
        assert_eq!(testnet.pid(node), Some(pids[at]), "node{node} is another process");
        let read = testnet.metric(node, "logothete_gossipsub_idontwant_msgs_total");
        assert!(read > FRAMES / 10, "node{node} read {read} IDONTWANT");
        let waits = "logothete_network_gossip_messages_total{reason=\"neighbour_waits\"}";
        assert!(testnet.metric(node, waits) > 0, "node{node} read all that came at once");
        let grown = most[at].saturating_sub(memory[at]);
        let log = log_bytes(&testnet, node) - logs[at];
        let share = (worked(pids[at]) - busy[at]).as_secs_f64() / lasted.as_secs_f64();
        println!(
            "node{node}: {} frames in {lasted:?}, {read} IDONTWANT; memory {} + {} KiB, log + {log} bytes, {:.0} % of a \
             processor ({:.0} % before)",
            frames(&testnet, node),
            memory[at] >> 10,
            grown >> 10,
            100.0 * share,
            100.0 * calm[at],
        );
        assert!(grown < MEMORY_BYTES, "node{node} took {grown} bytes more");
        assert!(log < LOG_BYTES, "node{node} has written {log} bytes");
    }
    let count = load.stop();
    assert_paid_once_by(&testnet, &honest, count);
    for node in honest {
        let log = fs::read_to_string(testnet.node(node).join("log")).unwrap();
        assert!(!log.contains("panicked"), "node{node}: {log}");
    }
    assert_audits_of_pass(&testnet, &honest);
}

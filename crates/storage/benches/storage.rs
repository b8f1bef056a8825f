//! What the disk costs: `cargo bench -p storage`, in the directory of `TMPDIR`.
//!
//! Prints medians and tails in microseconds: appending blocks of 1,000 transactions one by one and in groups, a
//! vote's append to the journal, reading and looking up. Processor time is of the whole process, background
//! threads included: on a busy machine it says more than the clock.

use std::io::Write;
use std::time::{Duration, Instant};

use crypto::signed::ChainId;
use pbft::record::Record;
use storage::{Directory, Journal, Store, WhenDamaged};
use types::genesis::Genesis;
use types::number::Height;
use types::proof::ProvedBlock;
use types::vote::Phase;

#[path = "../src/fixture.rs"]
#[expect(dead_code, reason = "the tests' fixture has more than this needs")]
mod fixture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = tempfile::tempdir()?;
    let genesis = fixture::genesis("net");
    journal(&root.path().join("journal"), genesis.chain())?;
    store(&root.path().join("store"), &genesis)?;
    Ok(())
}

fn journal(path: &std::path::Path, chain: &ChainId) -> Result<(), Box<dyn std::error::Error>> {
    let directory = Directory::open(path, *chain, fixture::key(1))?;
    let (mut journal, _) = Journal::open(&directory)?;
    let genesis = fixture::genesis("net");
    let mut source = fixture::Chain::new(&genesis);
    for (name, transactions, rounds) in [
        ("commit vote", 0, 2000),
        ("prepare vote, block of 10", 10, 2000),
        ("prepare vote, block of 4,000", 4000, 100),
    ] {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let block = source.block(transactions, 0).block;
            let height = block.header.height;
            let record = Record::Vote {
                vote: fixture::vote(&block, Phase::Prepare),
                block: (transactions > 0).then_some(block),
            };
            let begin = Instant::now();
            journal.append(&[record])?;
            journal.prune(Height::new(height.get().saturating_sub(8)))?;
            times.push(begin.elapsed());
        }
        print(&format!("journal append and sync, {name}"), times)?;
    }
    Ok(())
}

fn store(path: &std::path::Path, genesis: &Genesis) -> Result<(), Box<dyn std::error::Error>> {
    let directory = Directory::open(path, *genesis.chain(), fixture::key(1))?;
    let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse)?;
    let mut chain = fixture::Chain::new(genesis);
    chain.accounts = 10_000;
    let mut last: Vec<ProvedBlock> = Vec::new();
    let mut payload: usize = 0;
    for (blocks, transactions, rounds) in [(1, 1, 1000), (1, 1000, 1000), (8, 1000, 60)] {
        let mut times = Vec::new();
        let mut processor = Duration::ZERO;
        for _ in 0..rounds {
            last = chain.blocks(blocks, transactions);
            payload = payload.saturating_add(crypto::encoding::encoded_bytes(&last));
            let before = processor_time()?;
            let begin = Instant::now();
            store.append(&last)?;
            times.push(begin.elapsed());
            processor += processor_time()?.saturating_sub(before);
        }
        let each = processor.as_micros() / rounds;
        print(
            &format!("store append, {blocks} blocks of {transactions}, processor {each} µs each"),
            times,
        )?;
    }
    let disk = store.disk_bytes();
    writeln!(std::io::stdout(), "payload {payload} bytes, on disk {disk} bytes")?;
    reads(&store, &last)?;
    let begin = Instant::now();
    drop(store);
    let (_, report) = Store::open(&directory, genesis, WhenDamaged::Refuse)?;
    print(&format!("reopen, {} blocks indexed again", report.blocks_indexed), vec![begin.elapsed()])
}

fn reads(store: &Store, last: &[ProvedBlock]) -> Result<(), Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for height in (1001..=store.committed().get()).step_by(13) {
        let begin = Instant::now();
        store.block(Height::new(height))?;
        times.push(begin.elapsed());
    }
    print("read a block of 1,000", times)?;
    let mut found = Vec::new();
    for proved in last {
        for signed in proved.block.body.transactions().iter().step_by(50) {
            let begin = Instant::now();
            store.transaction(&signed.id())?;
            found.push(begin.elapsed());
        }
    }
    print("look up a recent transaction", found)?;
    let mut missed = Vec::new();
    let mut stranger = fixture::Chain::new(&fixture::genesis("other"));
    for signed in stranger.block(200, 0).block.body.transactions() {
        let begin = Instant::now();
        store.transaction(&signed.id())?;
        missed.push(begin.elapsed());
    }
    print("look up an unknown transaction", missed)?;
    let mut histories = Vec::new();
    for account in 0..20 {
        let begin = Instant::now();
        store.history(&fixture::address(account), None, 50)?;
        histories.push(begin.elapsed());
    }
    print("50 entries of a history", histories)
}

/// Processor time of all threads of this process so far.
fn processor_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let mut sum = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let nanoseconds = text.split_whitespace().next().unwrap_or("0").parse()?;
        sum += Duration::from_nanos(nanoseconds);
    }
    Ok(sum)
}

fn print(what: &str, mut times: Vec<Duration>) -> Result<(), Box<dyn std::error::Error>> {
    times.sort_unstable();
    let at = |hundredths: usize| {
        let place = times.len().saturating_mul(hundredths) / 100;
        times.get(place.min(times.len().saturating_sub(1))).map_or(0, Duration::as_micros)
    };
    let mean = times.iter().sum::<Duration>().as_micros() / u128::try_from(times.len().max(1))?;
    writeln!(
        std::io::stdout(),
        "{what}: mean {mean} p50 {} p99 {} max {} µs",
        at(50),
        at(99),
        at(100)
    )?;
    Ok(())
}

//! Real validators that die, halt, lose their disks and their links while payments are made. After
//! each story all have the same chain, nothing accepted is lost and nothing is executed twice, and
//! the journals hold no contradiction.
//!
//! LOGOTHETE_TEST_OUTAGE_SECONDS and LOGOTHETE_TEST_CYCLES make two of them longer than the suite
//! has time for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use api::types::{BlockName, Event};
use rustix::process::Signal;
use tests::audit::assert_audits_pass;
use tests::files::copy;
use tests::journals::{Said, assert_new_views_are_one, assert_no_contradiction};
use tests::load::{Load, Wallet, assert_paid_once, paid};
use tests::process;
use tests::random::Numbers;
use tests::relay::Relays;
use tests::story::{assert_whole, statuses, until_in_a_view_above, until_paid};
use tests::testnet::Testnet;
use tests::wait::{PATIENCE, until, until_true};
use types::number::Height;

/// What a new network's backups wait for before they replace the primary.
const TIMEOUT: Duration = Duration::from_millis(2_000);

/// A network of so many that runs.
fn up(validators: &str) -> Testnet {
    Testnet::up(&["-n", validators, "--timeout", "60"])
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The events of a validator with the moments at which they came.
fn events(testnet: &Testnet, node: usize) -> Receiver<(Instant, Event)> {
    let (to, events) = mpsc::channel();
    let stream = testnet.client(node).events(None);
    thread::spawn(move || {
        for event in stream.flatten() {
            if to.send((Instant::now(), event)).is_err() {
                return;
            }
        }
    });
    events
}

/// The moment and the view of the first commit after `moment` whose certificate is of a view above
/// `view`.
fn next_commit(
    testnet: &Testnet,
    node: usize,
    events: &Receiver<(Instant, Event)>,
    moment: Instant,
    view: u64,
) -> (Instant, u64) {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let Ok((at, event)) = events.recv_timeout(left) else {
            panic!("no block is committed in time: {:#?}", testnet.status(node));
        };
        let Event::Block(block) = event else { continue };
        if at < moment {
            continue;
        }
        let name = BlockName::Height(block.height);
        let proved = testnet.client(node).proved_block(name).unwrap().unwrap();
        let found = proved.proof.certificate.statement.view.get();
        if found > view {
            return (at, found);
        }
    }
}

/// Kills the primaries of the next views at the same moment under load. A block is committed in a
/// later view within the timeouts of the views without a primary and a second more, and what the
/// machine made another one wait for a processor. Gives what was measured.
fn replace_killed(testnet: &Testnet, load: &Load, killed: &[usize]) -> String {
    let nodes = testnet.genesis().validators().len();
    let alive: Vec<usize> = (0..nodes).filter(|node| !killed.contains(node)).collect();
    let watched = alive[alive.len() - 1];
    let before = testnet.status(watched);
    assert_eq!(usize::from(before.primary), killed[0]);
    let stream = events(testnet, watched);
    let pids: Vec<u32> = alive.iter().map(|node| testnet.pid(*node).unwrap()).collect();
    let waited = || -> Duration { pids.iter().map(|pid| process::waited(*pid)).max().unwrap() };
    let offered = load.offered();

    let starved = waited();
    let moments: Vec<Instant> = killed.iter().map(|node| testnet.crash(*node)).collect();
    let (at, view) = next_commit(testnet, watched, &stream, moments[0], before.view.get());
    let starved = waited().saturating_sub(starved);

    // The timeout doubles with each view in a row that fails.
    let doubled = u32::try_from((1_u64 << killed.len()) - 1).unwrap();
    let bound = TIMEOUT * doubled + Duration::from_secs(1);
    let took = at.duration_since(moments[0]);
    let measured = format!(
        "{} of {nodes} killed at transfer {offered}: next commit after {took:?} in view {view}, \
         bound {bound:?}, a processor awaited for {starved:?}",
        killed.len()
    );
    assert!(took <= bound + starved, "{measured}");
    if starved < Duration::from_millis(500) {
        assert_eq!(view, before.view.get() + u64::try_from(killed.len()).unwrap());
    }
    assert_view_change_is_shown(testnet, &alive, &stream, before.view.get());
    measured
}

/// Status, event stream and status line of these validators say the new view.
fn assert_view_change_is_shown(
    testnet: &Testnet,
    alive: &[usize],
    stream: &Receiver<(Instant, Event)>,
    before: u64,
) {
    until_in_a_view_above(testnet, alive, before);
    for status in statuses(testnet, alive) {
        assert_eq!(u64::from(status.primary), status.view.get() % u64::from(status.validators));
        assert!(!status.retired);
    }
    until("an event says the new view", || {
        let events = stream.try_iter();
        events
            .into_iter()
            .find(|(_, event)| matches!(event, Event::Status(status) if status.view.get() > before))
    });
    let shown = testnet.run(&["--json", "status"]).with_code(0).json();
    for node in alive {
        let view = shown["validators"][node]["view"].as_u64();
        assert!(view > Some(before), "node{node}: {shown}");
    }
}

#[test]
fn a_killed_primary_is_replaced_within_a_timeout_and_a_second() {
    let testnet = up("4");
    let load = Load::start(&testnet, 500, Wallet::GivesUp);
    until_paid(&testnet, 3, 1_000);

    println!("{}", replace_killed(&testnet, &load, &[0]));
    let count = load.offered();
    until_paid(&testnet, 1, count);
    let count = load.stop();
    drop(testnet.run(&["start", "node0"]).with_code(0));

    assert_whole(&testnet, count);
}

#[test]
fn two_consecutive_primaries_of_seven_killed_are_replaced_within_their_timeouts() {
    let testnet = up("7");
    let load = Load::start(&testnet, 100, Wallet::GivesUp);
    until_paid(&testnet, 6, 200);

    println!("{}", replace_killed(&testnet, &load, &[0, 1]));
    let count = load.offered();
    until_paid(&testnet, 2, count);
    let count = load.stop();
    drop(testnet.run(&["start", "node0", "node1"]).with_code(0));

    assert_whole(&testnet, count);
}

#[test]
fn a_primary_that_halts_is_replaced_and_votes_again_when_it_goes_on_long_after() {
    let testnet = up("4");
    let load = Load::start(&testnet, 200, Wallet::GivesUp);
    until_paid(&testnet, 1, 200);

    let pid = testnet.pid(0).unwrap();
    process::signal(pid, Signal::STOP);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    // Far behind: more than the two windows for which anybody keeps messages.
    let height = testnet.status(1).height.get() + 40;
    until_true("forty blocks without it", || testnet.status(1).height.get() >= height);
    let count = load.stop();
    until_paid(&testnet, 1, count);
    process::signal(pid, Signal::CONT);
    until_in_a_view_above(&testnet, &[0], 0);
    until_paid(&testnet, 0, count);

    assert_paid_once(&testnet, count);

    // Three of four are a quorum only with the one that was away.
    testnet.crash(3);
    let next = tests::money::transfer(&testnet, 1, 1);
    assert!(next > height);
    assert_eq!(testnet.pid(0), Some(pid));
    drop(testnet.run(&["start", "node3"]).with_code(0));
    testnet.level(next);
    assert_audits_pass(&testnet);
    assert_no_contradiction(&testnet);
}

#[test]
fn all_killed_at_once_under_load_in_a_later_view_go_on() {
    let testnet = up("4");
    let load = Load::start(&testnet, 200, Wallet::Repeats);
    until_paid(&testnet, 1, 100);
    testnet.crash(0);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    let before = paid(&testnet, 1);
    until_paid(&testnet, 1, before + 100);
    drop(testnet.run(&["start", "node0"]).with_code(0));

    let heights: Vec<_> = statuses(&testnet, &[0, 1, 2, 3]).iter().map(|one| one.height).collect();
    for pid in testnet.pids() {
        process::signal(pid, Signal::KILL);
    }
    until_true("all are gone", || testnet.pids().is_empty());
    drop(testnet.run(&["start", "all"]).with_code(0));

    for (node, height) in heights.into_iter().enumerate() {
        assert!(testnet.status(node).height >= height, "node{node} lost blocks");
    }
    let before = paid(&testnet, 1);
    until_paid(&testnet, 1, before + 200);
    let count = load.stop();
    assert_whole(&testnet, count);
}

/// Puts what is in a validator's data directory elsewhere.
fn set_aside(testnet: &Testnet, node: usize, name: &str) -> std::path::PathBuf {
    let aside = testnet.node(node).join(name);
    fs::rename(testnet.node(node).join("data"), &aside).unwrap();
    aside
}

/// What holds when the key of node3 has had several directories, the last of which is its own: it
/// serves the same chain, says that it never votes again, and all its journals together hold no
/// contradiction.
fn assert_retired(testnet: &Testnet, count: usize, aside: &[&Path]) {
    assert_paid_once(testnet, count);
    let status = testnet.status(3);
    assert!(status.retired && !status.voting && !status.ready, "{status:?}");
    for node in 0..3 {
        assert!(!testnet.status(node).retired, "node{node}");
    }
    let shown = testnet.run(&["--json", "status"]).with_code(0).json();
    assert_eq!((&shown["retired"][0], &shown["faults_left"]), (&"node3".into(), &0.into()));
    let up = testnet.run(&["up", "--detach"]).with_code(0);
    assert!(up.stderr.contains("warning: node3 never votes again"), "{up:?}");
    assert_audits_pass(testnet);
    let genesis = testnet.genesis();
    let mut all = Vec::new();
    for node in 0..4 {
        let mut said = Said::default();
        for data in aside.iter().filter(|_| node == 3) {
            said.add(data, &genesis);
        }
        said.add(&testnet.node(node).join("data"), &genesis);
        assert_eq!(said.is_retired(), node == 3, "node{node}");
        all.push(said);
    }
    assert_new_views_are_one(&all);
}

#[test]
fn a_validator_whose_directory_is_wiped_follows_and_never_votes_again() {
    let testnet = up("4");
    let load = Load::start(&testnet, 200, Wallet::GivesUp);
    until_paid(&testnet, 3, 200);

    testnet.crash(3);
    let aside = set_aside(&testnet, 3, "before");
    let before = paid(&testnet, 0);
    until_paid(&testnet, 0, before + 100);
    drop(testnet.run(&["start", "node3"]).with_code(0));
    assert!(testnet.status(3).retired, "it knows at once that it never votes again");
    let count = load.stop();

    assert_retired(&testnet, count, &[&aside]);
    let mut last = Said::default();
    last.add(&testnet.node(3).join("data"), &testnet.genesis());
    assert_eq!(last.votes(), 0, "it has signed nothing");
}

#[test]
fn a_validator_whose_journal_is_gone_follows_and_never_votes_again() {
    let testnet = up("4");
    let load = Load::start(&testnet, 200, Wallet::GivesUp);
    until_paid(&testnet, 3, 200);

    testnet.crash(3);
    let aside = testnet.node(3).join("before");
    copy(&testnet.node(3).join("data"), &aside);
    fs::remove_file(testnet.node(3).join("data/journal")).unwrap();
    drop(testnet.run(&["start", "node3"]).with_code(0));
    until_true("it says that it never votes again", || testnet.status(3).retired);
    let before = paid(&testnet, 3);
    until_paid(&testnet, 3, before + 100);
    let count = load.stop();

    assert_retired(&testnet, count, &[&aside]);
}

#[test]
fn a_validator_restored_from_an_old_copy_follows_and_never_votes_again() {
    let testnet = up("4");
    let load = Load::start(&testnet, 200, Wallet::GivesUp);
    until_paid(&testnet, 3, 100);
    testnet.crash(3);
    let old = testnet.node(3).join("old");
    copy(&testnet.node(3).join("data"), &old);
    drop(testnet.run(&["start", "node3"]).with_code(0));
    let before = paid(&testnet, 3);
    until_paid(&testnet, 3, before + 200);

    testnet.crash(3);
    let newer = set_aside(&testnet, 3, "newer");
    copy(&old, &testnet.node(3).join("data"));
    drop(testnet.run(&["start", "node3"]).with_code(0));
    until_true("it says that it never votes again", || testnet.status(3).retired);
    let count = load.stop();

    assert_retired(&testnet, count, &[&old, &newer]);
}

#[test]
fn after_an_outage_the_first_commit_comes_within_a_timeout_and_five_seconds() {
    let seconds = variable("LOGOTHETE_TEST_OUTAGE_SECONDS").unwrap_or(8);
    println!("LOGOTHETE_TEST_OUTAGE_SECONDS={seconds} cargo test -p tests --test faults outage");
    let testnet = up("4");
    let load = Load::start(&testnet, 50, Wallet::Repeats);
    until_paid(&testnet, 0, 50);
    testnet.crash(2);
    testnet.crash(3);
    let view = testnet.status(0).view;

    // The outage itself is what is tested, so this is no wait for anything.
    thread::sleep(Duration::from_secs(seconds));
    let during = statuses(&testnet, &[0, 1]);
    let height = during[0].height.max(during[1].height);
    let stream = events(&testnet, 0);
    let pids: Vec<u32> = [0, 1].map(|node| testnet.pid(node).unwrap()).into();
    let waited = || -> Duration { pids.iter().map(|pid| process::waited(*pid)).max().unwrap() };
    let starved = waited();
    let started = Instant::now();
    drop(testnet.run(&["start", "node2"]).with_code(0));
    let returned = Instant::now();
    let first = loop {
        let (at, event) = stream.recv_timeout(PATIENCE).expect("a block is committed in time");
        if matches!(&event, Event::Block(block) if block.height > height) {
            break at;
        }
    };
    let starved = waited().saturating_sub(starved);

    // Two of four move nobody: while no quorum was heard from, the clock stood still.
    assert!(during.iter().all(|status| status.view <= view.next()), "{during:?}");
    let took = first.saturating_duration_since(returned);
    let bound = TIMEOUT + Duration::from_secs(5);
    println!(
        "next commit {took:?} after the quorum was ready, {:?} after node2 was started, \
         a processor awaited for {starved:?}",
        first.duration_since(started)
    );
    assert!(took <= bound + starved, "{took:?} is above {bound:?} + {starved:?}");
    until_true("all wait no longer than at the beginning", || {
        let all = statuses(&testnet, &[0, 1, 2]);
        all.iter().all(|status| Duration::from_millis(status.timeout_ms) == TIMEOUT)
    });
    drop(testnet.run(&["start", "node3"]).with_code(0));
    let count = load.stop();
    assert_whole(&testnet, count);
}

#[test]
fn one_link_cut_and_healed_makes_no_difference() {
    let (testnet, relays) = Relays::up(&["--timeout", "60"]);
    let load = Load::start(&testnet, 100, Wallet::GivesUp);
    until_paid(&testnet, 1, 100);

    relays.cut(&[(0, 1), (1, 0)]);
    for node in [0, 1, 2, 3] {
        let before = paid(&testnet, node);
        until_paid(&testnet, node, before + 300);
    }
    relays.heal();

    let count = load.stop();
    assert_whole(&testnet, count);
}

#[test]
fn a_primary_that_is_cut_off_is_replaced_and_follows_when_the_links_heal() {
    let (testnet, relays) = Relays::up(&["--timeout", "60"]);
    let load = Load::start(&testnet, 100, Wallet::GivesUp);
    until_paid(&testnet, 1, 100);

    relays.part(&[&[1, 2, 3]]);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    let before = paid(&testnet, 1);
    until_paid(&testnet, 1, before + 200);
    assert!(testnet.status(0).height < testnet.status(1).height);
    relays.heal();
    until_in_a_view_above(&testnet, &[0], 0);

    let count = load.stop();
    assert_whole(&testnet, count);
}

#[test]
fn a_primary_that_hears_and_is_not_heard_is_replaced() {
    let (testnet, relays) = Relays::up(&["--timeout", "60"]);
    let load = Load::start(&testnet, 100, Wallet::GivesUp);
    until_paid(&testnet, 1, 100);

    relays.cut(&[(0, 1), (0, 2), (0, 3)]);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    let before = paid(&testnet, 1);
    until_paid(&testnet, 1, before + 200);
    relays.heal();
    until_in_a_view_above(&testnet, &[0], 0);

    let count = load.stop();
    assert_whole(&testnet, count);
}

#[test]
fn halves_commit_nothing_and_go_on_when_the_links_heal() {
    let (testnet, relays) = Relays::up(&["--timeout", "60"]);
    let load = Load::start(&testnet, 50, Wallet::GivesUp);
    until_paid(&testnet, 1, 50);

    relays.part(&[&[0, 1], &[2, 3]]);
    // A commit may be under way in a half that has all votes already; then none can be.
    let mut heights = Vec::new();
    until_true("nobody commits for two seconds", || {
        let now: Vec<Height> = statuses(&testnet, &[0, 1, 2, 3]).iter().map(|s| s.height).collect();
        if heights.last().is_none_or(|(last, _)| *last != now) {
            heights.push((now, Instant::now()));
        }
        heights.last().is_some_and(|(_, since)| since.elapsed() > TIMEOUT)
    });
    let parted = statuses(&testnet, &[0, 1, 2, 3]).into_iter().map(|one| one.height).max().unwrap();
    relays.heal();
    let healed = Instant::now();
    until_true("a commit", || testnet.status(0).height > parted);
    println!("next commit {:?} after the links healed", healed.elapsed());

    let count = load.stop();
    assert_whole(&testnet, count);
}

/// Lets a random time pass: a moment to be at, and no wait for anything.
fn pause(numbers: &mut Numbers, most_ms: u64) {
    thread::sleep(Duration::from_millis(numbers.below(most_ms)));
}

#[test]
fn validators_killed_at_random_moments_again_and_again_lose_nothing() {
    let cycles = variable("LOGOTHETE_TEST_CYCLES").unwrap_or(10);
    let seed = variable("LOGOTHETE_TEST_SEED").unwrap_or(1);
    println!(
        "LOGOTHETE_TEST_SEED={seed} LOGOTHETE_TEST_CYCLES={cycles} \
         cargo test -p tests --test faults again_and_again"
    );
    let mut numbers = Numbers::new(seed);
    let testnet = up("4");
    let load = Load::start(&testnet, 100, Wallet::Repeats);

    for cycle in 0..cycles {
        pause(&mut numbers, 1_500);
        // Mostly one, at times a quorum's worth or all at the same moment.
        let dead = [1, 1, 1, 2, 4][usize::try_from(numbers.below(5)).unwrap()];
        let first = numbers.below(4);
        let dead: Vec<usize> =
            (0..dead).map(|one| usize::try_from((first + one) % 4).unwrap()).collect();
        let pids: Vec<u32> = dead.iter().map(|node| testnet.pid(*node).unwrap()).collect();
        for pid in pids {
            process::signal(pid, Signal::KILL);
        }
        until_true("they are gone", || dead.iter().all(|node| testnet.pid(*node).is_none()));
        println!("cycle {cycle}: {dead:?} killed at transfer {}", load.offered());
        pause(&mut numbers, 4_000);
        let names: Vec<String> = dead.iter().map(|node| format!("node{node}")).collect();
        let mut start = vec!["start"];
        start.extend(names.iter().map(String::as_str));
        drop(testnet.run(&start).with_code(0));
    }

    let count = load.stop();
    println!("{count} transfers in {} blocks", testnet.level(1));
    assert_whole(&testnet, count);
}

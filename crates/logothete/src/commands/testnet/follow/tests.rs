use std::time::{Duration, Instant};

use anstream::adapter::strip_str;
use api::types::{Live, Status};
use types::number::{Height, View};
use types::replica::ReplicaId;

use super::{BlockLine, Rate, status_line};
use crate::output::Report;
use crate::status::{Sight, State};
use crate::testnet::attacks::Attacks;
use crate::testnet::plan::Plan;

fn sight(index: u16, height: Option<u64>, state: State) -> Sight {
    let genesis = Plan::new(4, 0).unwrap().genesis;
    let status = height.map(|height| {
        let live = Live {
            replica: ReplicaId::new(index),
            height: Height::new(height),
            block: genesis.header().id(),
            state_root: genesis.state_root(),
            supply: genesis.supply(),
            accounts: 4,
            view: View::FIRST,
            primary: ReplicaId::new(0),
            entered: true,
            voting: true,
            retired: false,
            convicted: Vec::new(),
            fork: None,
            timeout_ms: 2_000,
            in_flight: 0,
            pending: u64::from(index),
            connected: Vec::new(),
            ready: true,
            uptime_seconds: 1,
        };
        Status::new(&genesis, &live)
    });
    Sight {
        name: format!("node{index}"),
        state,
        pid: None,
        client: None,
        attacks: Attacks::default(),
        status,
    }
}

fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

#[test]
fn the_line_shows_the_network_and_each_validator() {
    let sights = [
        sight(0, Some(12), State::Up),
        sight(1, Some(11), State::Up),
        sight(2, None, State::Paused),
        sight(3, None, State::Down),
    ];

    let line = plain(&status_line(&sights, 340));

    let expected = "height 12  340 tx/s  1 pending  view 0  \
                    node0* 12  node1 11  node2 paused  node3 down";
    assert_eq!(line, expected);
}

#[test]
fn an_adversary_is_shown_with_what_it_does() {
    let mut traitor = sight(0, Some(12), State::Up);
    traitor.attacks = Attacks::parse("silent+equivocate").unwrap();
    let mut away = sight(3, None, State::Down);
    away.attacks = Attacks::parse("silent").unwrap();

    let line = plain(&status_line(&[traitor, sight(1, Some(12), State::Up), away], 0));

    assert!(line.ends_with("node0* silent+equivocate 12  node1 12  node3 silent down"), "{line}");
}

#[test]
fn of_many_validators_only_those_that_are_away_or_attack_have_a_mark() {
    let mut sights: Vec<_> = (0..15).map(|index| sight(index, Some(3), State::Up)).collect();
    sights.push(sight(15, None, State::Silent));
    sights[4].attacks = Attacks::parse("equivocate").unwrap();

    let line = plain(&status_line(&sights, 0));

    assert!(line.ends_with("view 0  15 of 16 up  node4 equivocate 3  node15 silent"), "{line}");
}

#[test]
fn nobody_there_is_a_line_as_well() {
    let line = plain(&status_line(&[sight(0, None, State::Down)], 0));

    assert_eq!(line, "height 0  0 tx/s  0 pending  view 0  node0 down");
}

#[test]
fn the_rate_forgets_what_is_long_ago() {
    let mut rate = Rate::default();
    let begin = Instant::now();

    rate.add(begin, 3_000);
    rate.add(begin + Duration::from_secs(1), 600);
    assert_eq!(rate.per_second(begin + Duration::from_secs(1)), 1_200);
    rate.add(begin + Duration::from_millis(3_500), 0);
    assert_eq!(rate.per_second(begin + Duration::from_millis(3_500)), 200);

    assert_eq!(rate.per_second(begin + Duration::from_secs(60)), 0);
}

#[test]
fn a_block_is_one_plain_line() {
    let block = BlockLine {
        height: 7,
        block: "0123456789abcdef".to_owned(),
        state_root: "fedcba9876543210".to_owned(),
        transactions: 1,
        view: 0,
        proposer: 2,
        timestamp_ms: 5,
    };
    let mut out = Vec::new();

    block.text(&mut out).unwrap();

    let expected = "height 7  1 transaction  block 01234567  state fedcba98  view 0  by node2\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

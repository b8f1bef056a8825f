//! Every endpoint answers what it should.

use types::number::{Height, Nonce};

use crate::client::error::ClientError;
use crate::problem::Code;
use crate::tests::backend::{FakeValidator, Served};
use crate::tests::http::{get, request};
use crate::tests::network;
use crate::types::{BlockName, Position};

fn served(blocks: u64) -> Served {
    Served::new(FakeValidator::with_blocks(2, blocks))
}

#[test]
fn the_status_says_what_the_validator_and_the_genesis_say() {
    let served = served(3);

    let status = served.client().status().unwrap();

    let tip = served.validator.tip();
    assert_eq!(status.name, "validator-2");
    assert_eq!(status.replica, 2);
    assert_eq!(status.chain, *served.validator.genesis.chain());
    assert_eq!((status.height, status.block), (tip.height, tip.id()));
    assert_eq!(status.supply_text, "50000.00 LGT");
    assert_eq!((status.peers_connected, status.validators), (2, 4));
}

#[test]
fn the_status_is_flat_json_with_the_documented_names() {
    let served = served(1);

    let reply = get(&served, "/v1/status");

    let value: serde_json::Value = reply.json();
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accounts",
            "block",
            "chain",
            "connected",
            "convicted",
            "decimals",
            "entered",
            "fork",
            "height",
            "in_flight",
            "name",
            "network",
            "peers_connected",
            "pending",
            "prefix",
            "primary",
            "ready",
            "replica",
            "retired",
            "state_root",
            "supply",
            "supply_text",
            "symbol",
            "timeout_ms",
            "uptime_seconds",
            "validators",
            "version",
            "view",
            "voting",
        ]
    );
    assert_eq!(value["supply"], "5000000");
    assert_eq!(value["height"], 1);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[test]
fn the_genesis_is_served_as_it_was_written() {
    let mut validator = FakeValidator::new(0);
    validator.text.push_str("\n# the operator's own words\n");
    let served = Served::new(validator);

    let reply = get(&served, "/v1/genesis");

    assert_eq!(reply.header("content-type"), Some("application/toml"));
    assert_eq!(served.client().genesis_text().unwrap(), served.validator.text);
}

#[test]
fn the_validators_come_with_the_numbers_that_count() {
    let served = served(0);

    let validators = served.client().validators().unwrap();

    assert_eq!((validators.faulty_max, validators.quorum, validators.replies), (1, 3, 2));
    let connected: Vec<bool> = validators.validators.iter().map(|it| it.connected).collect();
    // It is validator 2 itself, and connected to 1 and 2.
    assert_eq!(connected, [false, true, true, false]);
    assert_eq!(validators.validators[3].key, network::validator_key(3).public_key());
}

#[test]
fn blocks_are_paged_from_the_newest_down_to_the_genesis() {
    let served = served(5);
    let client = served.client();

    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = client.blocks(before, 2).unwrap();
        seen.extend(page.blocks.iter().map(|block| block.height.get()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }

    assert_eq!(seen, [5, 4, 3, 2, 1, 0]);
}

#[test]
fn a_page_below_the_genesis_is_empty() {
    let page = served(2).client().blocks(Some(Height::GENESIS), 10).unwrap();

    assert_eq!((page.blocks.len(), page.next), (0, None));
}

#[test]
fn a_block_is_found_by_height_and_by_id() {
    let served = served(2);
    let client = served.client();
    let tip = served.validator.tip();

    let by_height = client.block(BlockName::Height(tip.height)).unwrap().unwrap();
    let by_id = client.block(BlockName::Id(tip.id())).unwrap().unwrap();

    assert_eq!(by_height, by_id);
    assert_eq!(by_id.summary.block, tip.id());
    assert_eq!(by_id.body[0].amount_text, "12.50 LGT");
    assert_eq!(by_id.body[0].sender, network::address_text(0));
}

#[test]
fn the_genesis_block_is_there_and_has_no_certificate() {
    let served = served(1);
    let client = served.client();
    let id = served.validator.genesis.header().id();

    for name in [BlockName::Height(Height::GENESIS), BlockName::Id(id)] {
        assert_eq!(client.block(name).unwrap().unwrap().summary.block, id);
        assert_eq!(client.certificate(name).unwrap(), None);
        assert_eq!(client.proved_block(name).unwrap(), None);
    }
}

#[test]
fn a_certificate_proves_its_block() {
    let served = served(1);
    let client = served.client();

    let answer = client.certificate(BlockName::Height(Height::new(1))).unwrap().unwrap();

    let header = served.validator.tip();
    assert_eq!(answer.header, header);
    let validators = served.validator.genesis.validators();
    assert_eq!(answer.proof.check(&answer.header, validators), Ok(()));
    let names: Vec<&str> = answer.signers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["validator-0", "validator-1", "validator-2"]);
}

#[test]
fn a_block_comes_whole_as_wire_bytes() {
    let served = served(1);

    let proved = served.client().proved_block(BlockName::Height(Height::new(1))).unwrap();

    assert_eq!(proved.as_ref(), Some(served.validator.blocks.lock().unwrap()[0].as_ref()));
}

#[test]
fn an_account_is_proved_by_a_quorum_of_the_genesis() {
    let served = served(2);
    let genesis = network::genesis();

    let answer = served.client().account(&network::address_text(3)).unwrap().unwrap();

    let (height, account) = answer.verify(&genesis, &network::address(3)).unwrap();
    assert_eq!((height, account.balance), (Height::new(2), answer.balance));
    assert_eq!(answer.next_nonce, Nonce::new(3));
    assert!(answer.verify(&genesis, &network::address(2)).is_err());
}

#[test]
fn before_the_first_block_the_genesis_says_what_an_account_has() {
    let served = served(0);
    let genesis = network::genesis();

    let mut answer = served.client().account(&network::address_text(3)).unwrap().unwrap();

    assert_eq!(answer.proof, None);
    assert!(answer.verify(&genesis, &network::address(3)).is_ok());
    answer.balance = types::amount::Amount::new(1);
    assert!(answer.verify(&genesis, &network::address(3)).is_err());
    answer.height = Height::new(1);
    assert!(answer.verify(&genesis, &network::address(3)).is_err());
}

#[test]
fn an_account_that_does_not_exist_is_not_found_and_has_no_history() {
    let served = served(1);
    let stranger = network::address_text(50);

    assert_eq!(served.client().account(&stranger).unwrap(), None);
    let history = served.client().history(&stranger, None, 10).unwrap();
    assert_eq!((history.entries.len(), history.next), (0, None));
}

#[test]
fn a_history_is_paged_without_gap_or_repetition() {
    let served = served(0);
    for block in 0..3 {
        let nonces = block * 3..block * 3 + 3;
        served.validator.commit(nonces.map(|nonce| network::transfer(0, 1, nonce)).collect());
    }
    let client = served.client();

    let mut seen = Vec::new();
    let mut before: Option<Position> = None;
    loop {
        let page = client.history(&network::address_text(0), before, 2).unwrap();
        seen.extend(page.entries.iter().map(|it| it.transaction.nonce.get()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }

    assert_eq!(seen, [8, 7, 6, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn the_probes_tell_living_from_ready() {
    let served = served(0);
    assert_eq!(get(&served, "/livez").status, 200);
    assert!(served.client().ready().unwrap());

    served.validator.ready.store(false, std::sync::atomic::Ordering::Relaxed);

    assert_eq!(get(&served, "/livez").status, 200);
    assert_eq!(get(&served, "/readyz").code(), Code::NotReady);
    assert!(!served.client().ready().unwrap());
}

#[test]
fn metrics_are_open_metrics_text() {
    let served = served(0);

    let reply = get(&served, "/metrics");

    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert_eq!(served.client().metrics().unwrap(), "# EOF\n");
}

#[test]
fn the_description_lists_every_endpoint_the_server_has() {
    let reply = get(&served(0), "/openapi.json");

    let value: serde_json::Value = reply.json();
    let paths: Vec<&String> = value["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths.len(), 21);
    assert_eq!(value["openapi"], "3.1.0");
}

#[test]
fn head_answers_without_a_body_and_options_with_the_methods() {
    let served = served(1);

    let head = request(&served, "HEAD", "/v1/status", &[], &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    let options = request(&served, "OPTIONS", "/v1/transactions", &[], &[]);
    assert_eq!((options.status, options.header("allow")), (204, Some("POST")));
    let options = request(&served, "OPTIONS", "/v1/status", &[], &[]);
    assert_eq!(options.header("allow"), Some("GET,HEAD"));
}

#[test]
fn a_head_of_the_event_stream_ends_at_once() {
    let head = request(&served(1), "HEAD", "/v1/events", &[], &[]);

    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn an_answer_with_a_url_of_another_network_is_an_invalid_address() {
    let served = served(0);
    let foreign = network::address(0).to_text("other");

    let error = served.client().account(&foreign).unwrap_err();

    assert_eq!(error.code(), Some(Code::InvalidAddress));
    assert!(matches!(error, ClientError::Problem { .. }));
    // What ends a path segment is escaped, so it is no other route.
    let error = served.client().account("a/../b?c").unwrap_err();
    assert_eq!(error.code(), Some(Code::InvalidAddress));
}

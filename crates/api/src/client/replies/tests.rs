use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use types::number::{Height, Nonce};
use types::rejection::Rejection;

use super::{Outcome, Report, Said, await_final, look_up, submit};
use crate::backend::{Fault, Submission, SubmitError};
use crate::client::Client;
use crate::client::error::ClientError;
use crate::client::network::{Endpoint, Network};
use crate::tests::backend::{FakeValidator, Script, Served};
use crate::tests::http::PATIENCE;
use crate::tests::network::{self, replica};

/// Time that a test which must end without a verdict waits.
const SHORT: Duration = Duration::from_millis(300);

/// A network of these servers, each under its own URL.
fn network_of<'a>(served: impl IntoIterator<Item = &'a Served>) -> Network {
    let genesis = network::genesis();
    Network {
        genesis_text: genesis.to_toml(),
        genesis,
        endpoints: served
            .into_iter()
            .map(|served| Endpoint { name: served.url.clone(), client: served.client() })
            .collect(),
    }
}

/// Where the transfer of these tests is committed.
fn proved() -> types::proof::ProvedBlock {
    network::block(network::genesis().header(), vec![network::transfer(0, 1, 0)])
}

fn committed_by(number: u8) -> Script {
    let receipt = network::receipt(number, &proved().block, 0);
    Ok(Submission::Committed(Box::new(receipt)))
}

/// Validator `number` with these answers to the next submissions.
fn saying(number: u8, scripts: impl IntoIterator<Item = Script>) -> Served {
    let served = Served::new(FakeValidator::new(number));
    served.validator.answer(scripts);
    served
}

fn submit_to(network: &Network, patience: Duration) -> Report {
    submit(network, &network::transfer(0, 1, 0), patience)
}

#[test]
fn t_plus_one_equal_replies_are_final() {
    let all =
        [saying(0, []), saying(1, [committed_by(1)]), saying(2, []), saying(3, [committed_by(3)])];

    let report = submit_to(&network_of(&all), PATIENCE);

    let Outcome::Final { place, signers, receipts, already } = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!((place.height, place.block), (Height::new(1), proved().block.id()));
    assert_eq!(signers, [replica(1), replica(3)]);
    assert_eq!(receipts.len(), 2);
    assert!(!already);
}

#[test]
fn a_silent_and_an_absent_validator_do_not_delay_the_verdict() {
    let mut gone = saying(0, []);
    let all = [saying(1, [committed_by(1)]), saying(2, [committed_by(2)])];
    let mut network = network_of(all.iter().chain([&gone]));
    gone.stop();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    network.endpoints.push(Endpoint {
        name: "silent".to_owned(),
        client: Client::new(&format!("http://{}", silent.local_addr().unwrap())).unwrap(),
    });

    let begun = std::time::Instant::now();
    let report = submit_to(&network, PATIENCE);

    assert!(matches!(report.outcome, Outcome::Final { .. }), "{report:?}");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn one_validator_over_three_connections_counts_once() {
    let all: Vec<Served> = (0..3).map(|_| saying(2, [committed_by(2)])).collect();

    let report = submit_to(&network_of(&all), PATIENCE);

    let Outcome::TimedOut { replies, needed } = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!((replies, needed), (1, 2));
}

#[test]
fn t_replies_are_not_enough() {
    let all = [saying(0, [committed_by(0)]), saying(1, []), saying(2, []), saying(3, [])];

    let report = submit_to(&network_of(&all), SHORT);

    assert!(matches!(report.outcome, Outcome::TimedOut { replies: 1, .. }), "{report:?}");
    assert_eq!(report.id, network::transfer(0, 1, 0).id());
}

#[test]
fn a_forged_receipt_is_named_and_not_counted() {
    let mut receipt = network::receipt(1, &proved().block, 0);
    receipt.reply.replica = replica(3);
    let forged: Script = Ok(Submission::Committed(Box::new(receipt)));
    let all = [saying(0, [committed_by(0)]), saying(1, [forged])];

    let report = submit_to(&network_of(&all), PATIENCE);

    assert!(matches!(report.outcome, Outcome::Unverified), "{report:?}");
    let unverified = |said: &Said| matches!(said, Said::Unverified { .. });
    assert_eq!(report.answers.iter().filter(|it| unverified(&it.said)).count(), 1);
}

#[test]
fn receipts_for_different_blocks_are_a_contradiction() {
    let mut rival = proved().block;
    rival.header.timestamp_ms += 1;
    let lie: Script = Ok(Submission::Committed(Box::new(network::receipt(1, &rival, 0))));
    let all = [saying(0, [committed_by(0)]), saying(1, [lie])];

    let report = submit_to(&network_of(&all), PATIENCE);

    let Outcome::Contradiction { places } = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(places.len(), 2);
}

#[test]
fn a_liar_does_not_keep_the_honest_from_being_final() {
    let mut rival = proved().block;
    rival.header.timestamp_ms += 1;
    let lie: Script = Ok(Submission::Committed(Box::new(network::receipt(1, &rival, 0))));
    let all = [saying(0, [committed_by(0)]), saying(1, [lie]), saying(2, [committed_by(2)])];

    let report = submit_to(&network_of(&all), PATIENCE);

    let Outcome::Final { place, .. } = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(place.block, proved().block.id());
}

#[test]
fn a_refusal_by_all_is_a_refusal() {
    let refused: Script = Err(Rejection::UnknownSender.into());
    let all: Vec<Served> = (0..4).map(|number| saying(number, [refused.clone()])).collect();

    let report = submit_to(&network_of(&all), PATIENCE);

    let Outcome::Refused { problem } = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(problem.code, "unknown-sender");
}

#[test]
fn a_quorum_of_refusals_needs_no_answer_of_the_last() {
    let refused: Script = Err(Rejection::ZeroAmount.into());
    let mut all: Vec<Served> = (0..3).map(|number| saying(number, [refused.clone()])).collect();
    all.push(saying(3, []));

    let begun = std::time::Instant::now();
    let report = submit_to(&network_of(&all), PATIENCE);

    assert!(matches!(report.outcome, Outcome::Refused { .. }), "{report:?}");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn a_refusal_by_one_does_not_count_against_a_commit() {
    let too_low = Rejection::NonceTooLow { expected: Nonce::new(1), found: Nonce::new(0) };
    let all = [
        saying(0, [Err(too_low.into())]),
        saying(1, [committed_by(1)]),
        saying(2, [committed_by(2)]),
    ];

    let report = submit_to(&network_of(&all), PATIENCE);

    assert!(matches!(report.outcome, Outcome::Final { .. }), "{report:?}");
}

#[test]
fn a_problem_that_passes_is_waited_out() {
    let busy = [Err(SubmitError::Fault(Fault::Overloaded)), Err(Rejection::PoolFull.into())];
    let all = [
        saying(0, busy.clone().into_iter().chain([committed_by(0)])),
        saying(1, busy.into_iter().chain([committed_by(1)])),
    ];

    let report = submit_to(&network_of(&all), PATIENCE);

    assert!(matches!(report.outcome, Outcome::Final { .. }), "{report:?}");
}

#[test]
fn what_was_committed_before_is_final_and_says_so() {
    let already = |number| -> Script {
        let receipt = network::receipt(number, &proved().block, 0);
        Ok(Submission::AlreadyCommitted(Some(Box::new(receipt))))
    };
    let all = [saying(0, [already(0)]), saying(1, [already(1)])];

    let report = submit_to(&network_of(&all), PATIENCE);

    assert!(matches!(report.outcome, Outcome::Final { already: true, .. }), "{report:?}");
}

#[test]
fn nobody_there_is_unreachable_and_nothing_was_sent() {
    let mut gone: Vec<Served> = (0..2).map(|number| saying(number, [])).collect();
    let network = network_of(&gone);
    gone.iter_mut().for_each(Served::stop);

    let report = submit_to(&network, PATIENCE);

    assert!(matches!(report.outcome, Outcome::Unreachable), "{report:?}");
    let mut empty = network;
    empty.endpoints.clear();
    assert!(matches!(submit_to(&empty, PATIENCE).outcome, Outcome::Unreachable));
}

#[test]
fn a_validator_that_vanishes_after_it_took_the_transaction_may_still_commit_it() {
    let mut served = saying(0, []);
    let network = network_of([&served]);
    let validator = Arc::clone(&served.validator);
    let asking = std::thread::spawn(move || submit_to(&network, PATIENCE));
    while validator.submitted.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }

    served.stop();

    let report = asking.join().unwrap();
    assert!(matches!(report.outcome, Outcome::TimedOut { .. }), "{report:?}");
}

#[test]
fn a_look_up_counts_receipts_and_tells_unknown_from_silent() {
    let proved = Arc::new(proved());
    let id = network::transfer(0, 1, 0).id();
    let mut all: Vec<Served> = (0..4).map(|number| saying(number, [])).collect();
    let network = network_of(&all);
    assert!(matches!(look_up(&network, id, PATIENCE).outcome, Outcome::Unknown));

    all[0].validator.commit_block(&proved);
    let report = look_up(&network, id, PATIENCE);
    assert!(matches!(report.outcome, Outcome::TimedOut { replies: 1, .. }), "{report:?}");
    all[3].validator.commit_block(&proved);
    let report = look_up(&network, id, PATIENCE);
    assert!(matches!(report.outcome, Outcome::Final { .. }), "{report:?}");

    all.iter_mut().for_each(Served::stop);
    let report = look_up(&network, id, PATIENCE);
    assert!(matches!(report.outcome, Outcome::Unreachable), "{report:?}");
    let failed = |said: &Said| matches!(said, Said::Failed(ClientError::Unreachable { .. }));
    assert!(report.answers.iter().all(|answer| failed(&answer.said)));
}

#[test]
fn waiting_for_a_transaction_ends_when_enough_have_committed_it() {
    let all: Vec<Served> = (0..3).map(|number| saying(number, [])).collect();
    let network = network_of(&all);
    let id = network::transfer(0, 1, 0).id();
    let asking = std::thread::spawn(move || await_final(&network, id, PATIENCE));

    let proved = Arc::new(proved());
    for served in &all {
        served.validator.commit_block(&proved);
    }

    let report = asking.join().unwrap();
    assert!(matches!(report.outcome, Outcome::Final { .. }), "{report:?}");
}

//! Transactions are taken in, one or many, and found again.

use types::number::Height;
use types::rejection::Rejection;

use crate::backend::{Submission, SubmitError};
use crate::client::Wait;
use crate::hex;
use crate::tests::backend::{FakeValidator, Served};
use crate::tests::http::{get, post};
use crate::tests::network;
use crate::types::{BatchStatus, SubmitAnswer, SubmitStatus, scalar::JSON_INTEGER_MAX};

fn served(blocks: u64) -> Served {
    Served::new(FakeValidator::with_blocks(2, blocks))
}

#[test]
fn a_submission_that_does_not_wait_is_pending() {
    let served = served(0);
    let transaction = network::transfer(0, 1, 0);
    let body = format!("{{\"transaction\":\"{}\"}}", hex::to_hex_wire(&transaction));

    let reply = post(&served, "/v1/transactions", body.as_bytes());

    assert_eq!(reply.status, 202);
    let answer: SubmitAnswer = reply.json();
    assert_eq!((answer.id, answer.status), (transaction.id(), SubmitStatus::Pending));
    let known = served.client().transaction(&transaction.id()).unwrap();
    assert_eq!(known.unwrap().status, SubmitStatus::Pending);
}

#[test]
fn a_wait_that_ends_in_a_commit_brings_a_receipt_that_holds() {
    let served = served(0);
    let transaction = network::transfer(0, 1, 0);
    let block = network::block(&served.validator.tip(), vec![transaction.clone()]);
    let receipt = network::receipt(2, &block.block, 0);
    let committed = Submission::Committed(Box::new(receipt));
    served.validator.answer([Ok(committed)]);

    let answer = served
        .client()
        .submit(&transaction, Wait::Committed(crate::tests::http::PATIENCE))
        .unwrap();

    assert_eq!(answer.status, SubmitStatus::Committed);
    let verdict =
        answer.receipt.unwrap().verify(served.validator.genesis.validators(), &transaction.id());
    assert_eq!(verdict, Ok(()));
}

#[test]
fn a_wait_that_ends_without_a_commit_is_pending() {
    let served = served(0);
    let body = format!("{{\"transaction\":\"{}\"}}", hex::to_hex_wire(&network::transfer(0, 1, 0)));

    let reply = post(&served, "/v1/transactions?wait=committed&timeout_ms=20", body.as_bytes());

    assert_eq!(reply.status, 202);
    assert_eq!(reply.json::<SubmitAnswer>().status, SubmitStatus::Pending);
}

#[test]
fn submitting_again_is_harmless_and_says_so() {
    let served = served(1);
    let client = served.client();
    let transaction = network::transfer(0, 1, 0);
    let receipt = network::receipt(2, &served.validator.blocks.lock().unwrap()[0].block, 0);
    let committed = Submission::AlreadyCommitted(Some(Box::new(receipt)));
    served.validator.answer([
        Ok(Submission::AlreadyPending),
        Err(SubmitError::Refused(Rejection::AlreadyPending)),
        Ok(committed),
    ]);

    let said: Vec<SubmitStatus> =
        (0..3).map(|_| client.submit(&transaction, Wait::None).unwrap().status).collect();

    assert_eq!(
        said,
        [
            SubmitStatus::AlreadyPending,
            SubmitStatus::AlreadyPending,
            SubmitStatus::AlreadyCommitted,
        ]
    );
}

#[test]
fn a_batch_gives_one_result_for_each_in_order() {
    let served = served(0);
    let overdraft = Rejection::Overdraft {
        balance: types::amount::Amount::new(1),
        amount: types::amount::Amount::new(2),
    };
    served.validator.answer([
        Ok(Submission::Pending),
        Err(overdraft.into()),
        Ok(Submission::AlreadyCommitted(None)),
        Err(Rejection::AlreadyPending.into()),
    ]);
    let good: Vec<String> =
        (0..4).map(|nonce| hex::to_hex_wire(&network::transfer(0, 1, nonce))).collect();
    let transactions = vec![
        good[0].clone(),
        "no hex".to_owned(),
        good[1].to_uppercase(),
        "01".to_owned(),
        good[2].clone(),
        good[3].clone(),
        String::new(),
    ];

    let answer =
        served.client().submit_batch_hex(&crate::types::BatchRequest { transactions }).unwrap();

    let said: Vec<(BatchStatus, Option<&str>)> =
        answer.results.iter().map(|result| (result.status, result.code.as_deref())).collect();
    let malformed = (BatchStatus::Refused, Some("malformed-transaction"));
    assert_eq!(
        said,
        [
            (BatchStatus::Pending, None),
            malformed,
            (BatchStatus::Refused, Some("overdraft")),
            malformed,
            (BatchStatus::AlreadyCommitted, None),
            (BatchStatus::AlreadyPending, None),
            malformed,
        ]
    );
    assert_eq!(answer.results[4].id, Some(network::transfer(0, 1, 2).id()));
    assert_eq!(answer.results[1].id, None);
}

#[test]
fn a_batch_of_the_largest_size_with_the_longest_transactions_fits() {
    let served = served(0);
    let memo = "x".repeat(types::memo::MEMO_BYTES_MAX);
    let transactions: Vec<_> =
        (0..1_000).map(|nonce| network::transfer_with_memo(0, 1, nonce, &memo)).collect();

    let answer = served.client().submit_batch(&transactions).unwrap();

    assert_eq!(answer.results.len(), 1_000);
    let ids = transactions.iter().map(|signed| Some(signed.id()));
    assert!(ids.eq(answer.results.iter().map(|result| result.id)));
}

#[test]
fn an_empty_batch_has_no_results() {
    assert_eq!(served(0).client().submit_batch(&[]).unwrap().results, []);
}

#[test]
fn a_committed_transaction_is_found_with_its_receipt() {
    let served = served(3);
    let transaction = network::transfer(0, 1, 1);

    let answer = served.client().transaction(&transaction.id()).unwrap().unwrap();

    assert_eq!(answer.status, SubmitStatus::Committed);
    assert_eq!(answer.height, Some(Height::new(2)));
    assert_eq!(answer.index, Some(0));
    let validators = served.validator.genesis.validators();
    let verdict = answer.receipt.unwrap().verify(validators, &transaction.id());
    assert_eq!(verdict, Ok(()));
}

#[test]
fn a_transaction_nobody_knows_is_not_found() {
    let id = network::transfer(4, 3, 9).id();

    assert_eq!(served(1).client().transaction(&id).unwrap(), None);
}

#[test]
fn integers_above_two_to_the_53_are_text() {
    let served = served(0);
    let mut transaction = network::transfer(0, 1, JSON_INTEGER_MAX);
    transaction.transaction.valid_until = Height::new(u64::MAX);
    served.validator.pending.lock().unwrap().push(transaction.clone());

    let reply = get(&served, &format!("/v1/transactions/{}", transaction.id()));

    let value: serde_json::Value = reply.json();
    assert_eq!(value["transaction"]["nonce"], JSON_INTEGER_MAX);
    assert_eq!(value["transaction"]["valid_until"], "18446744073709551615");
    let known = served.client().transaction(&transaction.id()).unwrap().unwrap();
    assert_eq!(known.transaction.valid_until, Height::new(u64::MAX));
}

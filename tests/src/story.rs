//! What stories about faults have in common: waits for what must come, and what holds at the end.

use api::types::Status;

use crate::audit::assert_audits_pass;
use crate::journals::assert_no_contradiction;
use crate::load::{assert_paid_once, paid};
use crate::testnet::Testnet;
use crate::wait::until_true;

/// The statuses of these validators.
///
/// # Panics
///
/// When one does not answer.
pub fn statuses(testnet: &Testnet, nodes: &[usize]) -> Vec<Status> {
    nodes.iter().map(|node| testnet.status(*node)).collect()
}

/// Waits until so many transfers are paid at a validator.
///
/// # Panics
///
/// When they are not in time.
pub fn until_paid(testnet: &Testnet, node: usize, count: usize) {
    until_true(&format!("{count} transfers are paid at node{node}"), || {
        paid(testnet, node) >= count
    });
}

/// Waits until these validators have entered a view above this one and vote in it.
///
/// # Panics
///
/// When they have not in time.
pub fn until_in_a_view_above(testnet: &Testnet, nodes: &[usize], view: u64) {
    for node in nodes {
        until_true(&format!("node{node} votes in a view above {view}"), || {
            let status = testnet.status(*node);
            status.view.get() > view && status.entered && status.voting
        });
    }
}

/// What holds at the end of every story: each transfer was paid once, every validator has the same
/// valid chain, and the journals hold no contradiction. Stops the testnet.
///
/// # Panics
///
/// When it does not hold.
pub fn assert_whole(testnet: &Testnet, count: usize) {
    assert_paid_once(testnet, count);
    assert_audits_pass(testnet);
    assert_no_contradiction(testnet);
}

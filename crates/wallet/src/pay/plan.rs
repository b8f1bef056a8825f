//! Making a plan, and taking up an old one.
//!
//! A row is signed again in two cases only. **Expired**: a height at or above its last one is
//! certified and its nonce is not used; it gets the same nonce again, so that of its two
//! transactions one can commit at most. **Displaced**: its nonce is used by a transaction that is
//! none of its own, which is proved by the block that holds it; it gets a new nonce. In any other
//! case the bytes that were signed first are the bytes that are submitted.

use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use types::{Action, Address, Height, Nonce, SignedTransaction, Transaction, Transfer};

use super::engine::Settled;
use super::journal::{Journal, Plan, RowState};
use super::outcome::RowOutcome;
use super::rows::{Payments, Row};
use crate::exit::{Exit, Failure};

/// What all transactions of a payment have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// The chain.
    pub(crate) chain: ChainId,
    /// Who pays.
    pub(crate) sender: Address,
    /// The last height at which what is signed now may commit.
    pub(crate) valid_until: Height,
}

/// Signs every row with the nonces from `first` on.
pub(crate) fn sign_all(
    payments: &Payments,
    terms: &Terms,
    first: Nonce,
    secret: &SecretKey,
) -> Vec<RowState> {
    let mut nonce = first;
    let mut signed = Vec::with_capacity(payments.rows.len());
    for row in &payments.rows {
        signed.push(RowState { signed: vec![sign(row, terms, nonce, secret)], committed: None });
        nonce = nonce.next();
    }
    signed
}

/// Which rows have to be signed again, and with which nonce.
pub(crate) fn to_sign_again(
    rows: &[RowState],
    settled: &Settled,
    next: Nonce,
) -> Vec<(usize, Nonce)> {
    let nonces = || rows.iter().filter_map(|row| row.signed.last()).map(|s| s.transaction.nonce);
    let mut fresh = nonces().max().map_or(next, |last| last.next().max(next));
    let mut again = Vec::new();
    for (row, (state, outcome)) in rows.iter().zip(&settled.outcomes).enumerate() {
        let Some(last) = state.signed.last().map(|signed| &signed.transaction) else {
            continue;
        };
        match outcome {
            RowOutcome::Final { .. } => {}
            RowOutcome::Displaced { .. } => {
                again.push((row, fresh));
                fresh = fresh.next();
            }
            RowOutcome::Pending { .. } | RowOutcome::Unsent | RowOutcome::Refused { .. } => {
                let over = settled.height >= last.valid_until;
                if over && last.nonce >= settled.nonce {
                    again.push((row, last.nonce));
                }
            }
        }
    }
    again
}

/// Signs rows again and puts that on disk beside what was signed before.
///
/// # Errors
/// From the journal.
pub(crate) fn sign_again(
    journal: Journal,
    payments: &Payments,
    terms: &Terms,
    again: &[(usize, Nonce)],
    secret: &SecretKey,
) -> Result<Journal, Failure> {
    let mut rows = journal.rows().to_vec();
    for (index, nonce) in again {
        if let (Some(state), Some(row)) = (rows.get_mut(*index), payments.rows.get(*index)) {
            state.signed.push(sign(row, terms, *nonce, secret));
        }
    }
    journal.rewrite(rows)
}

/// Fails unless the journal is that of this file, chain and sender.
///
/// # Errors
/// [`Exit::Refused`] with what is different.
pub(crate) fn check_belongs(
    journal: &Journal,
    expected: &Plan,
    payments: &Payments,
    terms: &Terms,
    file: &str,
) -> Result<(), Failure> {
    let plan = journal.plan();
    let refused = |code: &str, text: String| Err(Failure::new(Exit::Refused, code, text));
    if plan.csv_sha256 != expected.csv_sha256 || plan.rows != expected.rows {
        return refused(
            "csv-changed",
            format!(
                "{file} was changed after a payment of it was begun; {file}.pay knows what was signed"
            ),
        )
        .map_err(|failure: Failure| {
            failure.with_hint(
                "bring the old content back to finish that payment, \
                 or pay the new rows from a file of another name",
            )
        });
    }
    if plan.chain != expected.chain {
        return refused("other-chain", format!("{file}.pay belongs to chain {}", plan.chain));
    }
    if plan.sender != expected.sender {
        return refused("other-sender", format!("{file} is being paid by {}", plan.sender));
    }
    for (state, row) in journal.rows().iter().zip(&payments.rows) {
        if let Some(other) = state.signed.iter().find(|signed| !pays(signed, row, terms)) {
            let Action::Transfer(transfer) = &other.transaction.action;
            return refused(
                "name-changed",
                format!(
                    "line {}: {} now stands for another address than {:?}, which was signed",
                    row.line, row.to, transfer.recipient
                ),
            );
        }
    }
    Ok(())
}

/// Whether a transaction is for this row.
fn pays(signed: &SignedTransaction, row: &Row, terms: &Terms) -> bool {
    let transaction = &signed.transaction;
    let Action::Transfer(transfer) = &transaction.action;
    transaction.chain == terms.chain
        && transaction.sender == terms.sender
        && transfer.recipient == row.recipient
        && transfer.amount == row.amount
        && transfer.memo == row.memo
}

fn sign(row: &Row, terms: &Terms, nonce: Nonce, secret: &SecretKey) -> SignedTransaction {
    let transfer =
        Transfer { recipient: row.recipient, amount: row.amount, memo: row.memo.clone() };
    let transaction = Transaction {
        chain: terms.chain,
        sender: terms.sender,
        nonce,
        valid_until: terms.valid_until,
        action: Action::Transfer(transfer),
    };
    SignedTransaction::sign(transaction, secret)
}

#[cfg(test)]
mod tests;

//! What became of one row.

use types::{Height, TransactionId};

/// What is known about a row when a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowOutcome {
    /// It is in a block that a quorum certified.
    Final {
        /// Its transaction.
        id: TransactionId,
        /// The height of the block.
        height: Height,
    },
    /// It was submitted and may still commit.
    Pending {
        /// What was signed for it last.
        id: TransactionId,
    },
    /// It was not submitted in this run, because a row before it did not go through.
    Unsent,
    /// Validators refuse it.
    Refused {
        /// The code of the refusal.
        code: String,
        /// Why.
        detail: String,
    },
    /// Its nonce was used by another transaction of the sender; what was signed for it can never
    /// commit.
    Displaced {
        /// The transaction that has the nonce.
        by: TransactionId,
    },
}

impl RowOutcome {
    /// A stable word for scripts.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            RowOutcome::Final { .. } => "final",
            RowOutcome::Pending { .. } => "pending",
            RowOutcome::Unsent => "unsent",
            RowOutcome::Refused { .. } => "refused",
            RowOutcome::Displaced { .. } => "displaced",
        }
    }

    /// Why it is not final, when there is a reason.
    pub(crate) fn reason(&self) -> Option<String> {
        match self {
            RowOutcome::Final { .. } | RowOutcome::Unsent => None,
            RowOutcome::Pending { .. } => Some("it may still commit".to_owned()),
            RowOutcome::Refused { code, detail } => Some(format!("{code}: {detail}")),
            RowOutcome::Displaced { by } => {
                Some(format!("its nonce was used by transaction {by}; run again to send it"))
            }
        }
    }
}

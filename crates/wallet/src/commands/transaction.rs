//! `transaction`: what became of one transaction, proved.

use std::io::{self, Write};

use api::client::replies;
use serde::Serialize;
use types::TransactionId;

use super::transfer::TransferReport;
use crate::arguments::TransactionArguments;
use crate::ask::{self, nobody_answered};
use crate::exit::{Exit, Failure};
use crate::finality::{self, Verdict};
use crate::output::{Report, WARN, styled};
use crate::program::Context;
use crate::site::Site;

/// Runs `transaction`.
///
/// # Errors
/// [`Exit::NotFound`] when nobody knows the id, [`Exit::Pending`] while it is not final.
pub(crate) fn run(
    context: &mut Context,
    arguments: &TransactionArguments,
) -> Result<Exit, Failure> {
    let id: TransactionId = arguments.id.parse().map_err(|cause| {
        Failure::usage(format!("{:?} is no transaction id: {cause}", arguments.id))
    })?;
    let site = Site::open(&context.places)?;
    if site.endpoints().is_empty() {
        return Err(site.nobody());
    }
    let deadline = ask::deadline();
    let time = finality::time_for_replies(ask::left(deadline));
    let report = replies::look_up(site.network(), id, time);
    match finality::judge(&site, report, deadline, &mut context.output)? {
        Verdict::Final(found) => {
            context.output.result(&TransferReport::of_final(site.genesis(), &found))?;
            Ok(Exit::Done)
        }
        Verdict::Pending => {
            context.output.result(&PendingReport { status: "pending", id: id.to_string() })?;
            Err(Failure::new(
                Exit::Pending,
                "pending",
                format!("{id} is not final, it may still commit"),
            ))
        }
        Verdict::Unknown => {
            Err(Failure::not_found(format!("no validator that answered knows {id}")))
        }
        Verdict::Refused(failure) => Err(failure),
        Verdict::Unreachable => Err(nobody_answered(None)),
    }
}

#[derive(Serialize)]
struct PendingReport {
    status: &'static str,
    id: String,
}

impl Report for PendingReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: it may still commit", styled(WARN, "not final yet"))?;
        writeln!(out, "  transaction  {}", self.id)
    }
}

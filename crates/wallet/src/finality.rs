//! When a transaction is believed to be final: t + 1 validators of the genesis signed the same
//! reply, or a quorum's certificate proves the block it stands in. One honest answer of the second
//! kind suffices.

use std::time::{Duration, Instant};

use api::client::Client;
use api::client::replies::{Answer, Outcome, Report, Said};
use api::types::BlockName;
use crypto::verify::batch_holds;
use types::{Height, ProvedBlock, Receipt, ReplicaId, TransactionId, ValidatorSet};

use crate::ask::first_of_all;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::site::Site;

/// The most time kept back to look for a certificate.
const CERTIFICATE_TIME: Duration = Duration::from_secs(1);

/// A transaction that is final, and who says so.
#[derive(Debug, Clone)]
pub(crate) struct Final {
    /// The transaction, its place and the block's header.
    pub(crate) receipt: Receipt,
    /// Who signed: t + 1 or more replies, or the certificate.
    pub(crate) signers: Vec<ReplicaId>,
    /// Whether the signatures are a certificate's.
    pub(crate) by_certificate: bool,
}

/// What is known about a transaction after all validators were asked.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It is final.
    Final(Box<Final>),
    /// Some validator has it and nobody proved more.
    Pending,
    /// Nobody who answered knows it.
    Unknown,
    /// It was refused.
    Refused(Failure),
    /// Nobody could be reached, nothing was sent.
    Unreachable,
}

/// How much of the time that is left replies may take, so that there is some to look for a
/// certificate where too few of them come.
pub(crate) fn time_for_replies(left: Duration) -> Duration {
    left.saturating_sub((left / 4).min(CERTIFICATE_TIME))
}

/// Makes a verdict of a report. Where too few replies came, it looks for a certificate until the
/// deadline.
///
/// # Errors
/// [`Exit::Unverified`] when replies contradict one another or do not verify, and no proof settles
/// it.
pub(crate) fn judge(
    site: &Site,
    report: Report,
    deadline: Instant,
    output: &mut Output,
) -> Result<Verdict, Failure> {
    warn_of_liars(&report.answers, output);
    let id = report.id;
    // Whoever has not spoken yet may be waiting with it for the commit.
    let unheard = report.answers.len() < site.network().endpoints.len();
    let maybe_sent = unheard || report.answers.iter().any(|answer| maybe_taken_in(&answer.said));
    let refusals = report.answers.iter().filter(|a| matches!(a.said, Said::Refused(_))).count();
    match report.outcome {
        Outcome::Final { signers, receipts, .. } => {
            let receipt = receipts.into_iter().next();
            Ok(receipt.map_or(Verdict::Pending, |receipt| {
                Verdict::Final(Box::new(Final { receipt, signers, by_certificate: false }))
            }))
        }
        Outcome::Refused { problem } => {
            let t = site.genesis().validators().quorum().t();
            // Refusals are not signed: up to t of them prove nothing against a submission that
            // broke off.
            if refusals <= t && maybe_sent {
                return Ok(Verdict::Pending);
            }
            Ok(Verdict::Refused(Failure::new(Exit::Refused, problem.code, problem.detail)))
        }
        Outcome::Unknown => Ok(Verdict::Unknown),
        Outcome::Unreachable => Ok(Verdict::Unreachable),
        Outcome::TimedOut { .. } => Ok(certified(site, id, deadline)
            .map_or(Verdict::Pending, |found| Verdict::Final(Box::new(found)))),
        Outcome::Contradiction { places } => match certified(site, id, deadline) {
            Some(found) => Ok(Verdict::Final(Box::new(found))),
            None => Err(contradiction(site, &places)),
        },
        Outcome::Unverified => match certified(site, id, deadline) {
            Some(found) => Ok(Verdict::Final(Box::new(found))),
            None => Err(Failure::new(
                Exit::Unverified,
                "unverified",
                format!("validators say that {id} is committed, and their replies do not verify"),
            )),
        },
    }
}

/// The names of validators in the order given.
pub(crate) fn names(validators: &ValidatorSet, replicas: &[ReplicaId]) -> Vec<String> {
    let name = |replica: &ReplicaId| {
        validators.get(*replica).map_or_else(|| replica.to_string(), |found| found.name.clone())
    };
    replicas.iter().map(name).collect()
}

/// Who is relied on, as a part of a sentence: nobody where the genesis itself says it.
pub(crate) fn signed_by(signers: &[String]) -> String {
    match signers.is_empty() {
        true => "by the genesis itself".to_owned(),
        false => format!("signed by {}", signers.join(", ")),
    }
}

/// A block that a quorum committed, from one validator's answer; nothing of it is taken on trust.
///
/// # Errors
/// A lowercase phrase: the block is not there or not proved.
pub(crate) fn proved_block(
    client: &Client,
    validators: &ValidatorSet,
    height: Height,
) -> Result<ProvedBlock, String> {
    let proved = client
        .proved_block(BlockName::Height(height))
        .map_err(|cause| cause.to_string())?
        .ok_or_else(|| format!("there is no block at height {height}"))?;
    if proved.block.header.height != height {
        return Err(format!("the block has height {}", proved.block.header.height));
    }
    proved.check(validators).map_err(|cause| cause.to_string())?;
    let mut claims = Vec::new();
    proved
        .proof
        .claims(&proved.block.header, validators, &mut claims)
        .map_err(|cause| cause.to_string())?;
    // The transactions' own signatures add nothing: a quorum executed this body.
    if batch_holds(&claims) { Ok(proved) } else { Err("a signature does not hold".to_owned()) }
}

/// A proof of the transaction's block, from whichever validator has one first.
fn certified(site: &Site, id: TransactionId, deadline: Instant) -> Option<Final> {
    let validators = site.genesis().validators().clone();
    let (_, found) =
        first_of_all(site, deadline, move |client| certified_by(client, &validators, &id))?;
    Some(found)
}

fn certified_by(client: &Client, validators: &ValidatorSet, id: &TransactionId) -> Option<Final> {
    let receipt = client.transaction(id).ok()??.receipt?;
    receipt.verify(validators, id).ok()?;
    let answer = client.certificate(BlockName::Height(receipt.header.height)).ok()??;
    let mut claims = Vec::new();
    answer.proof.claims(&receipt.header, validators, &mut claims).ok()?;
    batch_holds(&claims).then(|| Final {
        signers: answer.proof.certificate.replicas().collect(),
        receipt,
        by_certificate: true,
    })
}

/// Whether the validator may have the transaction although it refused nothing and confirmed
/// nothing.
fn maybe_taken_in(said: &Said) -> bool {
    use api::client::error::ClientError::{
        BadUrl, Broken, Garbled, Problem, TimedOut, Unreachable,
    };
    match said {
        Said::Failed(Broken { .. } | TimedOut { .. } | Garbled { .. } | Problem { .. }) => true,
        Said::Failed(BadUrl { .. } | Unreachable { .. }) => false,
        Said::Pending | Said::Committed { .. } | Said::Unverified { .. } => true,
        Said::Refused(_) | Said::Unknown => false,
    }
}

fn warn_of_liars(answers: &[Answer], output: &mut Output) {
    for Answer { endpoint, said } in answers {
        if let Said::Unverified { reason } = said {
            output.warning(format!("the reply of {endpoint} does not verify: {reason}"));
        }
    }
}

fn contradiction(site: &Site, places: &[(api::client::tally::Place, Vec<ReplicaId>)]) -> Failure {
    let said: Vec<String> = places
        .iter()
        .map(|(place, replicas)| {
            let who = names(site.genesis().validators(), replicas).join(", ");
            format!("{who}: height {}, block {}", place.height, place.block)
        })
        .collect();
    let text = format!("signed replies contradict one another: {}", said.join("; "));
    Failure::new(Exit::Unverified, "contradiction", text)
}

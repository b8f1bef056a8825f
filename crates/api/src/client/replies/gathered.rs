//! The verdict over what the endpoints of a network said.
//!
//! Pure: told what was heard, it says whether that is enough and what it means.

use types::receipt::Receipt;
use types::transaction::TransactionId;

use crate::client::error::ClientError;
use crate::client::network::Network;
use crate::client::replies::{Answer, Heard, Outcome, Report, Said};
use crate::client::tally::{Place, Tally};
use crate::problem::Problem;

/// Everything heard so far.
pub(super) struct Gathered<'a> {
    network: &'a Network,
    id: TransactionId,
    tally: Tally,
    /// Last words by endpoint.
    said: Vec<(usize, Said)>,
    /// Endpoints that will say no more.
    finished: usize,
    /// Whether every counted receipt was there before this submission.
    already: bool,
    /// Whether any endpoint may have received anything.
    reached: bool,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(network: &'a Network, id: TransactionId) -> Self {
        Self {
            network,
            id,
            tally: Tally::new(network.genesis.validators().clone(), id),
            said: Vec::new(),
            finished: 0,
            already: true,
            reached: false,
        }
    }

    pub(super) fn hear(&mut self, endpoint: usize, heard: Heard) {
        self.reached |= !matches!(heard, Heard::Failed(ClientError::Unreachable { .. }));
        let said = match heard {
            Heard::Receipt { receipt, already } => self.count(*receipt, already),
            Heard::NoReceipt => Said::Unverified { reason: "no receipt came with it".to_owned() },
            Heard::Pending => Said::Pending,
            Heard::Unknown => Said::Unknown,
            Heard::Refused(problem) => Said::Refused(problem),
            Heard::Failed(error) => Said::Failed(error),
        };
        self.said.retain(|(other, _)| *other != endpoint);
        self.said.push((endpoint, said));
    }

    fn count(&mut self, receipt: Receipt, already: bool) -> Said {
        let replica = receipt.reply.replica;
        let place = Place {
            height: receipt.reply.statement.height,
            block: receipt.reply.statement.block,
            index: receipt.index,
        };
        match self.tally.add(receipt) {
            Ok(()) => {
                self.already &= already;
                Said::Committed { replica, place, already }
            }
            Err(error) => Said::Unverified { reason: error.to_string() },
        }
    }

    pub(super) fn finish(&mut self) {
        self.finished = self.finished.saturating_add(1);
    }

    fn refusals(&self) -> Vec<&Problem> {
        self.said
            .iter()
            .filter_map(|(_, said)| match said {
                Said::Refused(problem) => Some(problem.as_ref()),
                Said::Pending
                | Said::Committed { .. }
                | Said::Unverified { .. }
                | Said::Unknown
                | Said::Failed(_) => None,
            })
            .collect()
    }

    /// Whether more answers cannot change the verdict, or would only delay it: t + 1 agree, or as
    /// many endpoints refuse as make a quorum while nobody has signed anything.
    pub(super) fn is_certain(&self) -> bool {
        let quorum = self.network.genesis.validators().quorum();
        self.tally.decided().is_some()
            || (self.refusals().len() >= quorum.q() && self.tally.validators_heard() == 0)
            || self.finished >= self.network.endpoints.len()
    }

    fn outcome(&self) -> Outcome {
        if let Some((place, receipts)) = self.tally.decided() {
            return Outcome::Final {
                place,
                signers: receipts.keys().copied().collect(),
                receipts: receipts.values().cloned().collect(),
                already: self.already,
            };
        }
        if self.tally.contradicts() {
            return Outcome::Contradiction { places: self.tally.places() };
        }
        if !self.reached && self.finished >= self.network.endpoints.len() {
            return Outcome::Unreachable;
        }
        if self.said.iter().any(|(_, said)| matches!(said, Said::Unverified { .. })) {
            return Outcome::Unverified;
        }
        self.outcome_without_proof()
    }

    /// The verdict when nobody claims a commit that proves nothing.
    fn outcome_without_proof(&self) -> Outcome {
        let silent = |said: &Said| matches!(said, Said::Failed(_));
        let refusals = self.refusals();
        let enough = refusals.len() >= self.network.genesis.validators().quorum().q();
        let alone = self.all(|said| matches!(said, Said::Refused(_)) || silent(said));
        if self.tally.validators_heard() == 0
            && (enough || alone)
            && let Some(problem) = commonest(&refusals)
        {
            return Outcome::Refused { problem: Box::new(problem.clone()) };
        }
        if self.all(|said| matches!(said, Said::Unknown) || silent(said)) && !self.all(silent) {
            return Outcome::Unknown;
        }
        Outcome::TimedOut {
            replies: self
                .tally
                .places()
                .iter()
                .map(|(_, signers)| signers.len())
                .max()
                .unwrap_or(0),
            needed: self.network.genesis.validators().quorum().reply(),
        }
    }

    fn all(&self, holds: impl Fn(&Said) -> bool) -> bool {
        self.said.iter().all(|(_, said)| holds(said))
    }

    pub(super) fn report(self) -> Report {
        let outcome = self.outcome();
        let answers = self
            .said
            .into_iter()
            .filter_map(|(endpoint, said)| {
                let endpoint = self.network.endpoints.get(endpoint)?;
                Some(Answer { endpoint: endpoint.name.clone(), said })
            })
            .collect();
        Report { id: self.id, outcome, answers }
    }
}

/// The refusal with the code that most of them have.
fn commonest<'a>(problems: &[&'a Problem]) -> Option<&'a Problem> {
    problems
        .iter()
        .max_by_key(|problem| problems.iter().filter(|other| other.code == problem.code).count())
        .copied()
}

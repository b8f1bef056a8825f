//! Scenarios in the lab: a file becomes a plan, its attacks become traitors, and what was seen is compared with what is
//! expected.
//!
//! Nothing heals here unless the scenario says so, and the run ends when the scenario does: that is what shows a network
//! that stands still.

use std::collections::BTreeMap;

use byzantine::Attack;
use scenario::{Judgement, Kind, Scenario, ScenarioErrors, Window, judge};
use serde::Serialize;

use crate::attacks::{self, Deeds, Traitors};
use crate::keys::SignerKind;
use crate::plan::{Death, Disks, Fault, Links, Load, Moment, Plan, Rules, What};
use crate::record::Recorder;
use crate::report::{Report, run};
use crate::trace::Reader;
use crate::world::{Options, QuorumRule};

/// A scenario on one seed.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The scenario.
    pub scenario: Scenario,
    /// Whether with one more fault than the network bears.
    pub one_more: bool,
    /// The seed.
    pub seed: u64,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The name of the scenario.
    pub scenario: String,
    /// Whether with one more fault than the network bears.
    pub one_more: bool,
    /// Whether it was as expected, and each expectation.
    pub judgement: Judgement,
    /// How often each attack did something.
    pub deeds: BTreeMap<&'static str, u64>,
    /// The run.
    pub report: Report,
    /// The command that repeats it.
    pub repeat: String,
}

impl Trial {
    /// Runs it. What happens is told to the reader, if there is one.
    ///
    /// # Errors
    ///
    /// When there is no such attack as the scenario names.
    pub fn run(&self, reader: Option<Reader>) -> Result<Outcome, ScenarioErrors> {
        self.run_recorded(reader, None)
    }

    /// The same, and the recorder keeps what happens.
    ///
    /// # Errors
    ///
    /// As [`Trial::run`].
    pub fn run_recorded(
        &self,
        reader: Option<Reader>,
        recorder: Option<Recorder>,
    ) -> Result<Outcome, ScenarioErrors> {
        let (options, deeds) = self.options()?;
        let report = run(&self.plan(), self.seed, Options { reader, recorder, ..options });
        Ok(self.outcome(report, &deeds))
    }

    /// What is to be said about a run of its plan.
    pub fn outcome(&self, report: Report, deeds: &Deeds) -> Outcome {
        Outcome {
            scenario: self.scenario.name.clone(),
            one_more: self.one_more,
            judgement: judge(&self.scenario, self.one_more, &report.seen),
            deeds: deeds.counts(),
            report,
            repeat: self.repeat(),
        }
    }

    /// The command that repeats it, if the scenario is a shipped one or its file is named in its place.
    pub fn repeat(&self) -> String {
        let one_more = if self.one_more { " --one-more" } else { "" };
        format!("logothete-lab run {}{one_more} --seed {}", self.scenario.name, self.seed)
    }

    /// What a run is made with beside plan and seed, and what its traitors will have done.
    ///
    /// # Errors
    ///
    /// When there is no such attack as the scenario names.
    pub fn options(&self) -> Result<(Options, Deeds), ScenarioErrors> {
        let (options, deeds) =
            attacks::options_under(self.quorum(), &self.plan(), self.seed, self.traitors()?);
        Ok((Options { ends_ms: Some(self.scenario.run_ms), ..options }, deeds))
    }

    /// How many votes make a certificate.
    pub const fn quorum(&self) -> QuorumRule {
        match self.scenario.network.quorum {
            scenario::QuorumRule::Kept => QuorumRule::Kept,
            scenario::QuorumRule::Majority => QuorumRule::NaiveMajority,
        }
    }

    fn traitors(&self) -> Result<Traitors, ScenarioErrors> {
        let mut traitors = Traitors::new();
        for attack in &self.scenario.situation(self.one_more).attacks {
            let known: Attack =
                attack.attack.parse().map_err(|error: byzantine::attack::AttackError| {
                    ScenarioErrors::found(&self.scenario.file, attack.line, error.to_string())
                })?;
            traitors.entry(attack.validator).or_default().push(known);
        }
        Ok(traitors)
    }

    /// What is done to the network.
    pub fn plan(&self) -> Plan {
        let Scenario { network, load, run_ms, .. } = &self.scenario;
        let faults = &self.scenario.situation(self.one_more).faults;
        let mut faults: Vec<Fault> =
            faults.iter().flat_map(|fault| happens(fault.when, &fault.kind, *run_ms)).collect();
        faults.sort_by_key(|fault| fault.at_ms);
        let us = |ms: u32| ms.saturating_mul(1_000);
        Plan {
            replicas: network.validators,
            signer: SignerKind::Fast,
            rules: Rules {
                window_heights: 8,
                block_transactions_max: 100,
                batch_delay_ms: 10,
                view_timeout_ms: network.view_timeout_ms,
                snapshot_interval_blocks: 100,
                clock_drift_max_ms: network.clock_drift_max_ms,
            },
            load: Load {
                clients: load.clients,
                transfers: load.transfers,
                every_ms: load.every_ms,
                outstanding_max: load.transfers,
                double_spenders: 0,
                burst: load.burst,
            },
            links: Links {
                delay_min_us: us(network.delay_min_ms).max(50),
                delay_max_us: us(network.delay_max_ms).max(100),
                slow_per_mille: 0,
                loss_per_mille: network.loss_per_mille,
                twice_per_mille: 0,
            },
            disks: Disks {
                sync_min_us: 200,
                sync_max_us: 1_000,
                store_us: 2_000,
                prune_bytes: 1 << 16,
                sync_lies: false,
            },
            heal_ms: *run_ms,
            broken: Vec::new(),
            faults,
        }
    }
}

/// What a fault of a scenario is in a plan.
fn happens(when: Window, kind: &Kind, run_ms: u64) -> Vec<Fault> {
    // What lasts must not end in the last moment.
    let lasts = when.end_ms == run_ms;
    let for_ms = when.for_ms().saturating_add(if lasts { run_ms } else { 0 });
    let what = match kind.clone() {
        Kind::Crash { validator: replica } => {
            What::Crash { replica, death: Death::Kill, moment: Moment::Any, down_ms: for_ms }
        }
        Kind::Pause { validator: replica } => What::Pause { replica, for_ms },
        Kind::OmitSend { validator: replica } => What::OmitSend { replica, for_ms },
        Kind::OmitReceive { validator: replica } => What::OmitReceive { replica, for_ms },
        Kind::Cut { from, to } => What::Cut { from, to, for_ms },
        Kind::Partition { side } => What::Partition { side, for_ms },
        Kind::Delay { validator: replica, delay_ms } => What::Delay { replica, delay_ms, for_ms },
        Kind::DelayLink { from, to, delay_ms } => What::DelayLink { from, to, delay_ms, for_ms },
        Kind::SlowDisk { validator: replica, sync_ms } => {
            What::SlowDisk { replica, sync_ms, for_ms }
        }
        Kind::Clock { validator: replica, shift_ms } => What::Clock { replica, shift_ms },
    };
    let mut faults = vec![Fault { at_ms: when.at_ms, what }];
    if let (Kind::Clock { validator: replica, .. }, false) = (kind, lasts) {
        let what = What::Clock { replica: *replica, shift_ms: 0 };
        faults.push(Fault { at_ms: when.end_ms, what });
    }
    faults
}

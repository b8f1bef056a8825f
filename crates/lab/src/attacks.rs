//! Replicas of a run that attack.
//!
//! A [`Trial`] is a network on which little happens but load and the attacks of its traitors, so that what is seen is the
//! attack. Where the traitors sit, and which replicas have an outage, follows from the place
//! in the protocol from which the attacks are made ([`Role`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use byzantine::{Attack, Random, Role, Traitor};
use ledger::Ledger;
use pbft::{Protocol, Replica};
use serde::Serialize;
use types::replica::ReplicaId;

use crate::keys::{Owner, SignerKind};
use crate::plan::{Death, Disks, Fault, Links, Load, Moment, Plan, Rules, What};
use crate::record::{Lies, Recorder};
use crate::report::{Report, run};
use crate::trace::Reader;
use crate::world::{Options, QuorumRule, genesis};

/// When replicas have their outage, and how long that takes, in milliseconds: the first primary and the last replicas
/// where the attack is made on a change of views, the last replica where it is made on somebody who catches up.
const OUTAGE_MS: (u64, u64) = (300, 1_500);

/// When everything else that happens to a network has happened, in milliseconds.
const HEAL_MS: u64 = 2_000;

/// Who attacks, with what: each traitor by its number.
pub type Traitors = BTreeMap<u16, Vec<Attack>>;

/// How often each attack did something. Copies count together.
#[derive(Debug, Clone, Default)]
pub struct Deeds(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Deeds {
    fn count(&self, attack: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(attack).or_default();
        *count = count.saturating_add(1);
    }

    /// By the name of the attack.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a run of this plan is made with when these replicas attack, and what they will have done.
pub fn options(plan: &Plan, seed: u64, traitors: Traitors) -> (Options, Deeds) {
    options_under(QuorumRule::Kept, plan, seed, traitors)
}

/// The same in a network with this quorum.
pub fn options_under(
    quorum: QuorumRule,
    plan: &Plan,
    seed: u64,
    traitors: Traitors,
) -> (Options, Deeds) {
    let faulty = traitors.keys().copied().collect();
    let validators = quorum.of(&genesis(plan)).validators().clone();
    let kind = plan.signer;
    let deeds = Deeds::default();
    let counts = deeds.clone();
    let lies = Lies::default();
    let told = lies.clone();
    let wrap = move |replica: ReplicaId, inner: Replica<Ledger>| {
        let Some(attacks) = traitors.get(&replica.get()) else {
            let honest: Box<dyn Protocol<Application = Ledger>> = Box::new(inner);
            return honest;
        };
        let signer = Owner::Replica(replica.get()).signer(kind);
        let counts = counts.clone();
        let mut tell = told.witness(replica.get());
        let witness = Box::new(move |deed: byzantine::Deed| {
            counts.count(deed.attack);
            tell(deed);
        });
        let attacks = attacks.clone();
        Box::new(Traitor::new(replica, inner, validators.clone(), signer, attacks, seed, witness))
    };
    (Options { wrap: Some(Box::new(wrap)), faulty, quorum, lies, ..Options::default() }, deeds)
}

/// A network with traitors who all do the same.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What every traitor does.
    pub attacks: Vec<Attack>,
    /// How many replicas there are.
    pub replicas: u16,
    /// How many of them are traitors.
    pub traitors: u16,
    /// From which everything else is drawn.
    pub seed: u64,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The run.
    #[serde(flatten)]
    pub report: Report,
    /// Who were the traitors.
    pub traitors: Vec<u16>,
    /// How often each attack did something.
    pub deeds: BTreeMap<&'static str, u64>,
}

impl Trial {
    /// Who the traitors are: those who come first in the places that their attacks are made from.
    pub fn traitors(&self) -> Vec<u16> {
        let first: u16 = match self.role() {
            Role::Primary => 0,
            Role::Backup | Role::NextPrimary | Role::Serving => 1,
            Role::Asking => 2,
        };
        let n = self.replicas.max(1);
        let number = |place: u16| place.checked_rem(n).unwrap_or_default();
        (first..first.saturating_add(self.traitors)).map(number).collect()
    }

    /// What happens to the network beside the attacks.
    pub fn plan(&self) -> Plan {
        let mut random = Random::stream(self.seed, "trial", &[]);
        let mut small = |low: u32, high: u32| {
            u32::try_from(random.between(low.into(), high.into())).unwrap_or(low)
        };
        let delay_min_us = small(50, 2_000);
        let sync_min_us = small(20, 1_000);
        let (at_ms, for_ms) = OUTAGE_MS;
        // With it pause as many as it takes that what is prepared now and then is not committed, so that the next view has
        // something to go on with.
        let tolerated = self.replicas.saturating_sub(1) / 3;
        let paused =
            std::iter::once(0).chain(self.replicas.saturating_sub(tolerated)..self.replicas);
        let outage = paused.map(|replica| Fault { at_ms, what: What::Pause { replica, for_ms } });
        let crash = Fault {
            at_ms,
            what: What::Crash {
                replica: self.replicas.saturating_sub(1),
                death: Death::Kill,
                moment: Moment::Any,
                down_ms: for_ms,
            },
        };
        Plan {
            replicas: self.replicas,
            signer: SignerKind::Fast,
            rules: Rules {
                window_heights: u16::try_from(small(1, 8)).unwrap_or(1),
                block_transactions_max: small(1, 6),
                batch_delay_ms: small(0, 10),
                view_timeout_ms: small(300, 500),
                snapshot_interval_blocks: 10,
                clock_drift_max_ms: 1_000,
            },
            load: Load {
                clients: 3,
                transfers: 16,
                every_ms: small(60, 120),
                outstanding_max: 16,
                double_spenders: 0,
                burst: 1,
            },
            links: Links {
                delay_min_us,
                delay_max_us: delay_min_us.saturating_add(small(100, 8_000)),
                slow_per_mille: 0,
                loss_per_mille: 0,
                twice_per_mille: 0,
            },
            disks: Disks {
                sync_min_us,
                sync_max_us: sync_min_us.saturating_add(small(50, 3_000)),
                store_us: small(500, 10_000),
                prune_bytes: 1 << 14,
                sync_lies: false,
            },
            heal_ms: HEAL_MS,
            broken: Vec::new(),
            faults: match self.role() {
                Role::Primary | Role::Backup => Vec::new(),
                Role::NextPrimary | Role::Asking => outage.collect(),
                Role::Serving => vec![crash],
            },
        }
    }

    /// Runs it. What happens is told to the reader, if there is one.
    pub fn run(&self, reader: Option<Reader>) -> Outcome {
        self.run_recorded(reader, None)
    }

    /// The same, and the recorder keeps what happens.
    pub fn run_recorded(&self, reader: Option<Reader>, recorder: Option<Recorder>) -> Outcome {
        let (plan, traitors) = (self.plan(), self.traitors());
        let attacks = traitors.iter().map(|traitor| (*traitor, self.attacks.clone()));
        let (options, deeds) = options(&plan, self.seed, attacks.collect());
        let report = run(&plan, self.seed, Options { reader, recorder, ..options });
        Outcome { report, traitors, deeds: deeds.counts() }
    }

    /// The command that repeats it.
    pub fn repeat(&self) -> String {
        let names: Vec<String> = self.attacks.iter().map(Attack::to_string).collect();
        format!(
            "logothete-lab attack {} --replicas {} --traitors {} --seed {}",
            names.join(" "),
            self.replicas,
            self.traitors,
            self.seed
        )
    }

    /// The place from which the first of the attacks is made.
    fn role(&self) -> Role {
        self.attacks.first().map_or(Role::Backup, |attack| attack.kind.role)
    }
}

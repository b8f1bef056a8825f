//! The parts of a scenario. Times are milliseconds since the network was started.

use std::fmt;

use serde::Serialize;
use types::quorum::Quorum;

use crate::check;
use crate::errors::ScenarioErrors;
use crate::expect::Expect;
use crate::read;

/// A checked scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// The file that it was read from, for errors that are found later.
    #[serde(skip)]
    pub file: String,
    /// What it is called on command lines: 1 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// The class of failure that it shows.
    pub class: Class,
    /// What it is about, in a line.
    pub title: String,
    /// What the reader may ask himself before he looks at the run.
    pub question: String,
    /// The explanation.
    pub answer: String,
    /// When the run is over at the latest. 1,000 to 60,000 ms.
    pub run_ms: u64,
    /// The network.
    pub network: Network,
    /// What its clients do.
    pub load: Load,
    /// What happens, within what the network bears.
    pub base: Situation,
    /// The same with more than the network bears: everything of `base`, and what comes on top.
    pub beyond: Situation,
}

impl Scenario {
    /// Reads and checks a document. Problems are named with the file that it came from.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioErrors> {
        let (draft, problems) = read::read(text);
        check::check(file, draft, problems)
    }

    /// The situation that the network bears, or the one with one more fault.
    pub const fn situation(&self, one_more: bool) -> &Situation {
        if one_more { &self.beyond } else { &self.base }
    }

    /// From when on nothing more begins or ends in a situation, but for what lasts until the end of the run.
    pub fn settled_ms(&self, one_more: bool) -> u64 {
        let faults = &self.situation(one_more).faults;
        let edges = faults.iter().flat_map(|fault| [fault.when.at_ms, fault.when.end_ms]);
        edges.filter(|at_ms| *at_ms < self.run_ms).max().unwrap_or_default()
    }
}

/// A class of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Processes stop, for good or for a while.
    Crash,
    /// Messages are not sent, or not received.
    Omission,
    /// Something takes longer than it should.
    Timing,
    /// Validators lie.
    Byzantine,
}

impl Class {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Crash, Self::Omission, Self::Timing, Self::Byzantine];

    /// Its name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Omission => "omission",
            Self::Timing => "timing",
            Self::Byzantine => "byzantine",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a network is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Network {
    /// How many validators there are, 1 to 16.
    pub validators: u16,
    /// How many votes make a certificate.
    pub quorum: QuorumRule,
    /// How long a backup waits for progress before it asks for another view. 100 to 10,000 ms.
    pub view_timeout_ms: u32,
    /// The least delay of a message, up to 1,000 ms.
    pub delay_min_ms: u32,
    /// The greatest delay of a message, up to 1,000 ms.
    pub delay_max_ms: u32,
    /// How many of 1,000 messages are lost, up to 500.
    pub loss_per_mille: u32,
    /// How far the time of a block may be ahead of a clock before a backup waits. 100 to 60,000 ms.
    pub clock_drift_max_ms: u32,
}

impl Network {
    /// How many votes make a certificate.
    pub fn q(&self) -> u16 {
        let n = self.validators;
        match self.quorum {
            QuorumRule::Kept => narrow(Quorum::of(n.into()).q()),
            QuorumRule::Majority => (n / 2).saturating_add(1),
        }
    }

    /// How many faulty validators the network is made for: t, and with majorities as many as may be missing.
    pub fn faulty_max(&self) -> u16 {
        match self.quorum {
            QuorumRule::Kept => narrow(Quorum::of(self.validators.into()).t()),
            QuorumRule::Majority => self.validators.saturating_sub(self.q()),
        }
    }

    /// How many of them may lie: t, and with majorities nobody.
    pub fn liars_max(&self) -> u16 {
        match self.quorum {
            QuorumRule::Kept => self.faulty_max(),
            QuorumRule::Majority => 0,
        }
    }
}

/// No network has more than 16 validators.
fn narrow(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// How many votes make a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumRule {
    /// As many as the protocol says.
    Kept,
    /// More than half of the validators, as popular texts have it. **Not safe**: only the lab can run it.
    Majority,
}

/// What the clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// How many there are, 1 to 16.
    pub clients: u16,
    /// Transfers of each, 1 to 400.
    pub transfers: u32,
    /// The mean time between two transfers of one client, or two bursts. 1 to 10,000 ms.
    pub every_ms: u32,
    /// How many transfers are sent at once, 1 to 100.
    pub burst: u32,
}

/// What happens to a network, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Situation {
    /// What breaks, in the order of the file.
    pub faults: Vec<Fault>,
    /// Who lies.
    pub attacks: Vec<Attack>,
    /// What is expected.
    pub expect: Expect,
}

impl Situation {
    /// Who lies, each once, in order.
    pub fn liars(&self) -> Vec<u16> {
        let mut liars: Vec<u16> = self.attacks.iter().map(|attack| attack.validator).collect();
        liars.sort_unstable();
        liars.dedup();
        liars
    }
}

/// From when to when something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// When it begins.
    pub at_ms: u64,
    /// When it ends: [`Scenario::run_ms`] when it lasts.
    pub end_ms: u64,
}

impl Window {
    /// Whether this moment is in it.
    pub const fn covers(&self, at_ms: u64) -> bool {
        self.at_ms <= at_ms && at_ms < self.end_ms
    }

    /// How long it is.
    pub const fn for_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.at_ms)
    }
}

/// Something that breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// When.
    pub when: Window,
    /// What.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// The process is killed, and started again at the end of the window unless that is the end of the run.
    Crash {
        /// Whose.
        validator: u16,
    },
    /// The process does nothing, and then goes on as if nothing had been.
    Pause {
        /// Whose.
        validator: u16,
    },
    /// Nothing that it sends reaches another validator.
    OmitSend {
        /// Who.
        validator: u16,
    },
    /// Nothing that other validators send reaches it.
    OmitReceive {
        /// Who.
        validator: u16,
    },
    /// Nothing goes from one validator to another; the other way is as it was.
    Cut {
        /// From whom.
        from: u16,
        /// To whom.
        to: u16,
    },
    /// Nothing goes between some validators and the rest.
    Partition {
        /// One side.
        side: Vec<u16>,
    },
    /// Whatever goes to or from a validator takes longer.
    Delay {
        /// Whose.
        validator: u16,
        /// By how much, each way. 1 to 10,000 ms.
        delay_ms: u32,
    },
    /// Whatever goes from one validator to another takes longer; the other way is as it was.
    DelayLink {
        /// From whom.
        from: u16,
        /// To whom.
        to: u16,
        /// By how much. 1 to 10,000 ms.
        delay_ms: u32,
    },
    /// A disk takes its time to make the journal durable.
    SlowDisk {
        /// Whose.
        validator: u16,
        /// How much longer each flush takes. 1 to 10,000 ms.
        sync_ms: u32,
    },
    /// A clock is wrong.
    Clock {
        /// Whose.
        validator: u16,
        /// By how much, ahead when positive. Up to an hour either way, in ms.
        shift_ms: i64,
    },
}

impl Kind {
    /// Every kind's name, in the order of the reference page.
    pub const NAMES: [&'static str; 10] = [
        "crash",
        "pause",
        "omit-send",
        "omit-receive",
        "cut",
        "partition",
        "delay",
        "delay-link",
        "slow-disk",
        "clock",
    ];

    /// Its name in a file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::Pause { .. } => "pause",
            Self::OmitSend { .. } => "omit-send",
            Self::OmitReceive { .. } => "omit-receive",
            Self::Cut { .. } => "cut",
            Self::Partition { .. } => "partition",
            Self::Delay { .. } => "delay",
            Self::DelayLink { .. } => "delay-link",
            Self::SlowDisk { .. } => "slow-disk",
            Self::Clock { .. } => "clock",
        }
    }

    /// The validator that it makes faulty, when it is one and not a link.
    pub const fn validator(&self) -> Option<u16> {
        match self {
            Self::Crash { validator }
            | Self::Pause { validator }
            | Self::OmitSend { validator }
            | Self::OmitReceive { validator }
            | Self::Delay { validator, .. }
            | Self::SlowDisk { validator, .. }
            | Self::Clock { validator, .. } => Some(*validator),
            Self::Cut { .. } | Self::Partition { .. } | Self::DelayLink { .. } => None,
        }
    }

    /// The ways, from whom and to whom, on which nothing arrives, in a network of so many validators.
    pub fn cut_ways(&self, validators: u16) -> Vec<(u16, u16)> {
        let others = |own: u16| (0..validators).filter(move |other| *other != own);
        match self {
            Self::OmitSend { validator } => others(*validator).map(|to| (*validator, to)).collect(),
            Self::OmitReceive { validator } => {
                others(*validator).map(|from| (from, *validator)).collect()
            }
            Self::Cut { from, to } => vec![(*from, *to)],
            Self::Partition { side } => {
                let (here, there): (Vec<u16>, Vec<u16>) =
                    (0..validators).partition(|it| side.contains(it));
                let ways = here.iter().flat_map(|one| there.iter().map(|other| (*one, *other)));
                ways.flat_map(|(one, other)| [(one, other), (other, one)]).collect()
            }
            Self::Crash { .. }
            | Self::Pause { .. }
            | Self::Delay { .. }
            | Self::DelayLink { .. }
            | Self::SlowDisk { .. }
            | Self::Clock { .. } => Vec::new(),
        }
    }

    /// The ways that take longer, and by how many milliseconds.
    pub fn slow_ways(&self, validators: u16) -> (Vec<(u16, u16)>, u32) {
        match self {
            Self::Delay { validator, delay_ms } => {
                let others = (0..validators).filter(|other| other != validator);
                let ways = others.flat_map(|other| [(*validator, other), (other, *validator)]);
                (ways.collect(), *delay_ms)
            }
            Self::DelayLink { from, to, delay_ms } => (vec![(*from, *to)], *delay_ms),
            Self::Crash { .. }
            | Self::Pause { .. }
            | Self::OmitSend { .. }
            | Self::OmitReceive { .. }
            | Self::Cut { .. }
            | Self::Partition { .. }
            | Self::SlowDisk { .. }
            | Self::Clock { .. } => (Vec::new(), 0),
        }
    }
}

impl fmt::Display for Fault {
    /// What breaks and when, in words.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Crash { validator } => write!(formatter, "validator {validator} is down")?,
            Kind::Pause { validator } => write!(formatter, "validator {validator} stands still")?,
            Kind::OmitSend { validator } => {
                write!(formatter, "nothing that validator {validator} sends arrives")?;
            }
            Kind::OmitReceive { validator } => {
                write!(formatter, "nothing arrives at validator {validator}")?;
            }
            Kind::Cut { from, to } => write!(formatter, "nothing gets from {from} to {to}")?,
            Kind::Partition { side } => {
                let side: Vec<String> = side.iter().map(u16::to_string).collect();
                write!(formatter, "validators {} are cut off from the rest", side.join(", "))?;
            }
            Kind::Delay { validator, delay_ms } => {
                write!(formatter, "all links of validator {validator} take {delay_ms} ms longer")?;
            }
            Kind::DelayLink { from, to, delay_ms } => {
                write!(formatter, "the link from {from} to {to} takes {delay_ms} ms longer")?;
            }
            Kind::SlowDisk { validator, sync_ms } => {
                write!(formatter, "the disk of validator {validator} takes {sync_ms} ms longer")?;
            }
            Kind::Clock { validator, shift_ms } => {
                let (ms, way) =
                    (shift_ms.unsigned_abs(), if *shift_ms < 0 { "behind" } else { "ahead" });
                write!(formatter, "the clock of validator {validator} is {ms} ms {way}")?;
            }
        }
        write!(formatter, " from {} to {} ms", self.when.at_ms, self.when.end_ms)
    }
}

/// Somebody who lies, from the start to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attack {
    /// Who.
    pub validator: u16,
    /// How: the name of an attack and its knobs, as `logothete-adversary` takes it.
    pub attack: String,
    /// The line of the file on which that stands, for whoever finds that there is no such attack.
    #[serde(skip)]
    pub line: Option<usize>,
}

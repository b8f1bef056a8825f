//! Drawing a plan from a seed.

use serde::{Deserialize, Serialize};

use super::{Broken, Death, Disks, Fate, Fault, Links, Load, Moment, Operation, Plan, Rules, What};
use crate::keys::SignerKind;
use byzantine::Random;

/// What plans are drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The numbers of replicas to choose from.
    pub replicas: Vec<u16>,
    /// The most faults of a plan.
    pub faults_max: u64,
    /// How long things may break, in milliseconds.
    pub chaos_max_ms: u64,
    /// The most transfers of all clients together.
    pub transfers_max: u64,
    /// One run in so many signs with Ed25519; none when 0.
    pub ed25519_every: u64,
    /// Whether the primary of view 0 may be among those that stay broken.
    pub first_primary_breaks: bool,
    /// In how many of 1,000 plans at least one replica lies, and those that stay broken do nothing else.
    #[serde(default)]
    pub lying_per_mille: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            replicas: vec![4, 4, 4, 5, 6, 7],
            faults_max: 14,
            chaos_max_ms: 6_000,
            transfers_max: 64,
            ed25519_every: 100,
            first_primary_breaks: true,
            lying_per_mille: 0,
        }
    }
}

impl Plan {
    /// The plan of a seed.
    pub fn random(seed: u64, limits: &Limits) -> Self {
        let mut random = Random::stream(seed, "plan", &[]);
        let replicas = random.pick(&limits.replicas).copied().unwrap_or(4);
        let heal_ms = random.between(limits.chaos_max_ms / 3, limits.chaos_max_ms);
        let mut liars = Random::stream(seed, "liars", &[]);
        let ed25519 = limits.ed25519_every > 0 && seed.is_multiple_of(limits.ed25519_every);
        Self {
            replicas,
            signer: if ed25519 { SignerKind::Ed25519 } else { SignerKind::Fast },
            rules: rules(&mut random),
            load: load(&mut random, limits, heal_ms),
            links: links(&mut random),
            disks: disks(&mut random),
            heal_ms,
            broken: if liars.chance(limits.lying_per_mille) && replicas > 3 {
                lying(&mut liars, replicas, limits)
            } else {
                broken(&mut random, replicas, limits)
            },
            faults: faults(&mut Random::stream(seed, "faults", &[]), replicas, heal_ms, limits),
        }
    }
}

fn rules(random: &mut Random) -> Rules {
    Rules {
        window_heights: small(random, 1, 8),
        block_transactions_max: u32::from(small(random, 1, 6)),
        batch_delay_ms: u32::from(small(random, 0, 20)),
        view_timeout_ms: u32::from(small(random, 300, 2_000)),
        snapshot_interval_blocks: u32::from(small(random, 2, 15)),
        clock_drift_max_ms: u32::from(small(random, 100, 2_000)),
    }
}

fn load(random: &mut Random, limits: &Limits, heal_ms: u64) -> Load {
    let clients = small(random, 2, 4);
    let transfers = random.between(limits.transfers_max / 3, limits.transfers_max);
    let each = u32::try_from(transfers / u64::from(clients)).unwrap_or(u32::MAX).max(1);
    let mean = heal_ms / u64::from(each);
    Load {
        clients,
        transfers: each,
        every_ms: u32::try_from(mean).unwrap_or(u32::MAX).max(1),
        outstanding_max: u32::from(small(random, 1, 16)),
        double_spenders: u16::from(random.chance(300)),
        burst: 1,
    }
}

fn links(random: &mut Random) -> Links {
    let delay_min_us = u32::from(small(random, 50, 2_000));
    Links {
        delay_min_us,
        delay_max_us: delay_min_us.saturating_add(u32::from(small(random, 100, 30_000))),
        slow_per_mille: u32::from(small(random, 0, 20)),
        loss_per_mille: if random.chance(500) { u32::from(small(random, 1, 60)) } else { 0 },
        twice_per_mille: if random.chance(500) { u32::from(small(random, 1, 50)) } else { 0 },
    }
}

fn disks(random: &mut Random) -> Disks {
    let sync_min_us = u32::from(small(random, 20, 1_000));
    Disks {
        sync_min_us,
        sync_max_us: sync_min_us.saturating_add(u32::from(small(random, 50, 10_000))),
        store_us: u32::from(small(random, 500, 60_000)),
        prune_bytes: 1 << random.between(10, 16),
        sync_lies: false,
    }
}

fn broken(random: &mut Random, replicas: u16, limits: &Limits) -> Vec<Broken> {
    let t = replicas.saturating_sub(1) / 3;
    let count = random.between(0, u64::from(t));
    let mut broken: Vec<Broken> = Vec::new();
    for _ in 0..count {
        let lowest = if limits.first_primary_breaks { 0 } else { 1 };
        let replica = small(random, lowest, replicas.saturating_sub(1));
        let fate = random.pick(&[Fate::Dead, Fate::Mute, Fate::Deaf]).copied();
        if broken.iter().all(|other| other.replica != replica) {
            broken.push(Broken { replica, fate: fate.unwrap_or(Fate::Dead) });
        }
    }
    broken
}

/// One to t replicas that lie.
fn lying(random: &mut Random, replicas: u16, limits: &Limits) -> Vec<Broken> {
    let t = replicas.saturating_sub(1) / 3;
    let lowest = if limits.first_primary_breaks { 0 } else { 1 };
    let mut replicas: Vec<u16> = (lowest..replicas).collect();
    let count = random.between(1, u64::from(t));
    let mut drawn = || replicas.remove(random.index(replicas.len()));
    (0..count).map(|_| Broken { replica: drawn(), fate: Fate::Lying }).collect()
}

fn faults(random: &mut Random, replicas: u16, heal_ms: u64, limits: &Limits) -> Vec<Fault> {
    let count = random.between(0, limits.faults_max);
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..count {
        let fault = Fault { at_ms: random.below(heal_ms), what: what(random, replicas, heal_ms) };
        faults.extend(again(random, &fault, heal_ms));
        faults.push(fault);
    }
    faults.sort_by_key(|fault| fault.at_ms);
    faults
}

/// What has just come back may go down again at once: it has said again what it had said, and done
/// little else.
fn again(random: &mut Random, fault: &Fault, heal_ms: u64) -> Option<Fault> {
    let What::Crash { replica, down_ms, .. } = fault.what else {
        return None;
    };
    let after_ms = down_ms.saturating_add(random.between(1, 60));
    let at_ms = fault.at_ms.saturating_add(after_ms);
    let fault = Fault { at_ms, what: crash(random, replica) };
    (random.chance(300) && at_ms < heal_ms).then_some(fault)
}

fn what(random: &mut Random, replicas: u16, heal_ms: u64) -> What {
    let replica = small(random, 0, replicas.saturating_sub(1));
    let for_ms = random.between(1, heal_ms / 2);
    match random.below(17) {
        16 => What::Blackout { down_ms: random.between(1, 800), apart_ms: random.below(200) },
        0..5 => crash(random, replica),
        5..7 => What::Pause { replica, for_ms: for_ms / 2 },
        7 | 8 => {
            What::Cut { from: replica, to: small(random, 0, replicas.saturating_sub(1)), for_ms }
        }
        9 | 10 => partition(random, replicas, for_ms),
        11 => What::Weather {
            loss_per_mille: u32::from(small(random, 10, 500)),
            twice_per_mille: u32::from(small(random, 0, 300)),
            delay_ms: u32::from(small(random, 0, 300)),
            for_ms,
        },
        12 => What::SlowDisk { replica, sync_ms: u32::from(small(random, 5, 300)), for_ms },
        13 | 14 => What::DiskError {
            replica,
            operation: if random.chance(500) { Operation::Write } else { Operation::Sync },
            down_ms: random.between(1, 1_000),
        },
        _ => What::Clock { replica, shift_ms: shift(random) },
    }
}

fn crash(random: &mut Random, replica: u16) -> What {
    let moments = [
        Moment::Any,
        Moment::BeforeRecords,
        Moment::Written,
        Moment::Written,
        Moment::Flushed,
        Moment::Committed,
        Moment::Sending,
        Moment::Sent,
    ];
    What::Crash {
        replica,
        death: if random.chance(600) { Death::PowerCut } else { Death::Kill },
        moment: random.pick(&moments).copied().unwrap_or(Moment::Any),
        down_ms: random.between(1, 1_500),
    }
}

fn partition(random: &mut Random, replicas: u16, for_ms: u64) -> What {
    let side = (0..replicas).filter(|_| random.chance(400)).collect();
    What::Partition { side, for_ms }
}

/// Up to [`CLOCK_SHIFT_MAX_MS`] either way.
fn shift(random: &mut Random) -> i64 {
    let size = i64::try_from(random.between(1, CLOCK_SHIFT_MAX_MS)).unwrap_or_default();
    if random.chance(500) { size } else { size.saturating_neg() }
}

/// The most by which a clock is ever wrong, in milliseconds.
pub(crate) const CLOCK_SHIFT_MAX_MS: u64 = 4_000;

fn small(random: &mut Random, low: u16, high: u16) -> u16 {
    u16::try_from(random.between(u64::from(low), u64::from(high))).unwrap_or(low)
}

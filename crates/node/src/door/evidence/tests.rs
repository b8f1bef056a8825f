use std::time::Duration;

use crypto::encoding::to_wire;
use tokio::sync::mpsc;
use tokio::time::timeout;
use types::block::BlockId;
use types::genesis::Genesis;
use types::vote::{Phase, Statement, Vote};

use super::*;
use crate::fixture::{Allowance, Cut, genesis, proved, vote};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const BYTES: usize = 100_000;

/// Two commit votes of a replica for two blocks at height 1.
fn lie(genesis: &Genesis, replica: u16) -> Evidence {
    let header = &proved(genesis, 1)[0].block.header;
    let first = vote(genesis, replica, Phase::Commit, header);
    let statement = Statement { block: BlockId::NONE, ..first.statement };
    let key = crate::fixture::key(replica);
    let second = Vote::sign(statement, ReplicaId::new(replica), genesis.chain(), &key);
    Evidence::Votes { first, second }
}

struct Setting {
    allowance: Allowance,
    brought: Brought,
    inputs: mpsc::Receiver<Arrived>,
    metrics: DoorMetrics,
    cut: Cut,
}

fn setting(genesis: &Genesis) -> Setting {
    let (out, inputs) = mpsc::channel(10);
    let (brought, metrics, cut) = (Brought::default(), DoorMetrics::default(), Cut::default());
    let door = EvidenceDoor {
        validators: genesis.validators().clone(),
        brought: brought.clone(),
        inputs: out,
        cut_off: cut.off(),
        metrics: metrics.clone(),
    };
    tokio::spawn(door.run());
    Setting { allowance: Allowance::new(BYTES), brought, inputs, metrics, cut }
}

impl Setting {
    fn bring(&self, from: u16, evidence: &Evidence) {
        let held = self.allowance.receive(to_wire(evidence)).into_held();
        self.brought.bring(ReplicaId::new(from), Unverified::new(evidence.clone()), held);
    }

    async fn passed(&mut self) -> Evidence {
        let arrived = timeout(PATIENCE, self.inputs.recv()).await.unwrap().unwrap();
        let Input::Evidence(evidence) = arrived.take() else {
            panic!("another input");
        };
        evidence.into_inner()
    }
}

#[tokio::test]
async fn a_proof_passes_once_whoever_brings_it() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);
    let [first, second] = [lie(&genesis, 2), lie(&genesis, 3)];

    for from in [1, 1, 3] {
        setting.bring(from, &first);
    }
    let passed = setting.passed().await;
    setting.bring(1, &second);

    assert_eq!(passed, first);
    assert_eq!(setting.passed().await, second, "the first does not pass again");
    assert_eq!(setting.allowance.left(), BYTES);
    assert_eq!(setting.metrics.forged.get(), 0);
}

#[tokio::test]
async fn a_forged_proof_frames_nobody_and_cuts_its_bringer_off() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);
    let Evidence::Votes { first, second } = lie(&genesis, 2) else { unreachable!() };
    let Evidence::Votes { first: other, .. } = lie(&genesis, 3) else { unreachable!() };
    let forged = Vote { signature: other.signature, ..second };
    let harmless = Evidence::Votes { first, second: first };

    setting.bring(1, &harmless);
    setting.bring(3, &Evidence::Votes { first, second: forged });
    let honest = lie(&genesis, 0);
    setting.bring(1, &honest);

    assert_eq!(setting.passed().await, honest);
    assert_eq!(setting.metrics.forged.get(), 2);
    assert_eq!(setting.cut.all(), [ReplicaId::new(3)]);
}

#[tokio::test]
async fn what_one_peer_brings_beyond_its_share_is_dropped() {
    let genesis = genesis(4);
    // Nobody takes anything out.
    let (brought, allowance) = (Brought::default(), Allowance::new(BYTES));
    let evidence = lie(&genesis, 2);

    for _ in 0..2 * WAITING_MAX {
        let held = allowance.receive(to_wire(&evidence)).into_held();
        brought.bring(ReplicaId::new(1), Unverified::new(evidence.clone()), held);
    }

    assert_eq!(allowance.left(), BYTES - WAITING_MAX * to_wire(&evidence).len());
}

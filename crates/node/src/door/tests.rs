use crypto::encoding::to_wire;
use types::vote::Phase;

use super::*;
use crate::fixture::{Allowance, genesis, proved, vote};

const BYTES: usize = 100_000;

fn delivered(allowance: &Allowance, message: Message) -> Delivered {
    let held = allowance.receive(to_wire(&message)).into_held();
    Delivered { from: ReplicaId::new(1), message: Unverified::new(message), held }
}

/// A door, its two ends, and what it counts.
struct Setting {
    door: ConsensusDoor,
    messages: (mpsc::Sender<Delivered>, mpsc::Receiver<Delivered>),
    inputs: mpsc::Receiver<Arrived>,
    metrics: DoorMetrics,
}

fn setting(genesis: &types::genesis::Genesis) -> Setting {
    let (inputs_out, inputs) = mpsc::channel(10);
    let metrics = DoorMetrics::default();
    let door = ConsensusDoor {
        door: Door::strict(genesis.validators().clone()),
        checked: Checked::default(),
        inputs: inputs_out,
        metrics: metrics.clone(),
    };
    Setting { door, messages: mpsc::channel(10), inputs, metrics }
}

#[tokio::test]
async fn a_message_counts_against_its_senders_allowance_until_the_core_takes_it() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, .. } = setting(&genesis);
    let header = &proved(&genesis, 1)[0].block.header;
    let allowance = Allowance::new(BYTES);
    let message = Message::Commit(vote(&genesis, 1, Phase::Commit, header));
    messages.send(delivered(&allowance, message.clone())).await.ok().unwrap();
    drop(messages);

    // The door has let it through and ended; nobody has taken it yet.
    door.run(queue).await.unwrap();
    let waiting = allowance.left();
    let arrived = inputs.recv().await.unwrap();
    let Input::Message(taken) = arrived.take() else {
        panic!("another input");
    };

    assert_eq!(waiting, BYTES - to_wire(&message).len());
    assert_eq!(taken.get(), &message);
    assert_eq!(allowance.left(), BYTES);
}

#[tokio::test]
async fn a_refused_message_counts_no_longer_and_does_not_reach_the_core() {
    let genesis = genesis(4);
    let Setting { door, messages: (messages, queue), mut inputs, metrics } = setting(&genesis);
    let header = &proved(&genesis, 1)[0].block.header;
    let mut forged = vote(&genesis, 1, Phase::Commit, header);
    forged.replica = ReplicaId::new(2);
    let allowance = Allowance::new(BYTES);
    messages.send(delivered(&allowance, Message::Commit(forged))).await.ok().unwrap();
    drop(messages);

    door.run(queue).await.unwrap();

    assert_eq!(metrics.forged.get(), 1);
    assert_eq!(allowance.left(), BYTES);
    assert!(inputs.recv().await.is_none());
}

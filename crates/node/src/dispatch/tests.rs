use crypto::encoding::to_wire;
use types::genesis::Genesis;
use types::vote::Phase;

use super::*;
use crate::fixture::{Allowance, genesis, key, proved, transfer, vote};
use crate::wire::{BATCH_BYTES_MAX, FrameRef};

const BYTES: usize = 1 << 20;

/// A dispatcher that has sorted these frames of replica 1, with the ends of its queues.
struct Sorted {
    messages: mpsc::Receiver<Delivered>,
    offered: Offered,
    forged: u64,
    _directory: tempfile::TempDir,
}

fn store(genesis: &Genesis, path: &std::path::Path) -> Store {
    let key = key(0).public_key();
    let directory = storage::Directory::open(path, *genesis.chain(), key).unwrap();
    Store::open(&directory, genesis, storage::WhenDamaged::Refuse).unwrap().0
}

async fn sort(genesis: &Genesis, frames: Vec<Payload>) -> Sorted {
    let root = tempfile::tempdir().unwrap();
    let (messages_out, messages) = mpsc::channel(10);
    let offered = Offered::default();
    let (inputs, _) = mpsc::channel(10);
    let (connected, _) = mpsc::channel(10);
    let metrics = DoorMetrics::default();
    let dispatch = Dispatch {
        brought: Brought::default(),
        messages: messages_out,
        offered: offered.clone(),
        inputs,
        connected,
        listening: watch::Sender::new(None),
        store: store(genesis, root.path()),
        answerer: std::sync::Arc::new(Some),
        frame_bytes_max: BYTES,
        metrics: metrics.clone(),
    };
    let (events, received) = mpsc::channel(10);
    for bytes in frames {
        events.send(Event::Frame { from: ReplicaId::new(1), bytes }).await.unwrap();
    }
    drop(events);
    dispatch.run(received).await.unwrap();
    Sorted { messages, offered, forged: metrics.forged.get(), _directory: root }
}

#[tokio::test]
async fn what_a_frame_was_decoded_into_counts_until_it_is_dropped() {
    let genesis = genesis(4);
    let header = &proved(&genesis, 1)[0].block.header;
    let message = pbft::Message::Commit(vote(&genesis, 1, Phase::Commit, header));
    let frames = [to_wire(&FrameRef::Consensus(&message)), to_wire(&FrameRef::Requests(&[]))];
    let allowance = Allowance::new(BYTES);
    let payloads = frames.iter().map(|frame| allowance.receive(frame.clone())).collect();

    let mut sorted = sort(&genesis, payloads).await;

    assert_eq!(allowance.left(), BYTES - frames[0].len() - frames[1].len());
    drop(sorted.messages.recv().await.unwrap());
    assert_eq!(allowance.left(), BYTES - frames[1].len());
    assert!(matches!(sorted.offered.take(), Some((_, Delivery::Peer { .. }))));
    assert_eq!(allowance.left(), BYTES);
    assert_eq!(sorted.forged, 0);
}

#[tokio::test]
async fn a_whole_frame_of_more_requests_than_a_batch_is_refused() {
    let genesis = genesis(4);
    let allowance = Allowance::new(BYTES);
    let frame = to_wire(&FrameRef::Requests(&vec![transfer(&genesis); 400]));
    assert!(frame.len() > BATCH_BYTES_MAX);

    let sorted = sort(&genesis, vec![allowance.receive(frame)]).await;

    assert_eq!(sorted.forged, 1);
    assert_eq!(allowance.left(), BYTES);
    assert!(sorted.offered.take().is_none());
}

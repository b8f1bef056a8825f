//! What a member that floods its neighbours with control messages of gossip can take from them. The numbers of fields
//! are those of gossipsub's RPC: 1 subscriptions, 2 messages, 3 control messages.

use std::time::{Duration, Instant};

use futures::AsyncWriteExt as _;
use libp2p::Stream;
use libp2p::gossipsub::{Message, TopicHash};

use super::liars::{GOSSIP, Liar, victim};
use super::{Node, quick};
use crate::behaviour::{Names, gossip_config};
use crate::event::{Event, Topic};

/// A field that has bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2][..], &length(bytes), bytes].concat()
}

fn length(bytes: &[u8]) -> Vec<u8> {
    let [low, high] = u16::try_from(bytes.len()).unwrap().to_le_bytes();
    if bytes.len() < 128 { vec![low] } else { vec![low | 0x80, high << 1 | low >> 7] }
}

fn rpc(body: &[u8]) -> Vec<u8> {
    [length(body), body.to_vec()].concat()
}

fn control(kind: u8, body: &[u8]) -> Vec<u8> {
    rpc(&field(3, &field(kind, body)))
}

fn subscription(topic: &TopicHash) -> Vec<u8> {
    rpc(&field(1, &[&[1 << 3, 1][..], &field(2, topic.as_str().as_bytes())].concat()))
}

fn message(topic: &TopicHash, data: &[u8]) -> Vec<u8> {
    rpc(&field(2, &[field(2, data), field(4, topic.as_str().as_bytes())].concat()))
}

/// A neighbour that says what it likes.
struct Neighbour {
    stream: Stream,
    names: Names,
    _liar: Liar,
}

impl Neighbour {
    async fn connect() -> (Node, Self) {
        let (node, address, names) = victim(quick()).await;
        let mut liar = Liar::connect(&address).await;
        let stream = liar.control.open_stream(liar.peer, GOSSIP).await.unwrap();
        (node, Self { stream, names, _liar: liar })
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Publishes a message and waits until it is there: everything before it was read then.
    async fn sync(&mut self, node: &mut Node, data: &[u8]) {
        let message = message(&self.names.transactions, data);
        self.say(&message).await;
        let come = node.next(|event| match event {
            Event::Gossip { topic: Topic::Transactions, bytes, .. } => Some(bytes.into_vec()),
            _ => None,
        });
        assert_eq!(come.await, data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_that_floods_is_read_at_a_bounded_pace() {
    let (node, mut neighbour) = Neighbour::connect().await;
    let limits = quick();
    // Of two validators.
    let (per_second, burst) = (2_000, 2_000 * u64::from(limits.burst_seconds));
    let more = 2 * per_second;

    let begun = Instant::now();
    let flood = tokio::spawn(async move {
        for number in 0_u64.. {
            let id = format!("{number:020}");
            // It ends with the network.
            let rpc = control(5, &field(1, id.as_bytes()));
            if neighbour.stream.write_all(&rpc).await.is_err() {
                break;
            }
        }
    });
    node.metric("gossipsub_idontwant_msgs_total", burst + more).await;

    let least = Duration::from_secs(more / per_second);
    assert!(begun.elapsed() >= least, "{} read in {:?}", burst + more, begun.elapsed());
    assert!(node.value("network_gossip_messages_total{reason=\"neighbour_waits\"}") > 0);
    flood.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_offered_is_neither_asked_for_nor_kept() {
    let (mut node, mut neighbour) = Neighbour::connect().await;
    let topic = neighbour.names.transactions.clone();
    let ids: Vec<u8> = (0..100).flat_map(|id: u8| field(2, &[id; 20])).collect();

    let offer = control(1, &[field(1, topic.as_str().as_bytes()), ids].concat());
    neighbour.say(&offer).await;
    neighbour.sync(&mut node, b"after it").await;

    assert_eq!(node.value(&format!("gossipsub_topic_iwant_msgs_total{{hash=\"{topic}\"}}")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_asked_for_again_and_again_is_not_sent_again() {
    let (mut node, mut neighbour) = Neighbour::connect().await;
    let topic = neighbour.names.transactions.clone();
    let sent = format!("gossipsub_topic_msg_sent_counts_total{{hash=\"{topic}\"}}");
    neighbour.say(&subscription(&topic)).await;
    neighbour.sync(&mut node, b"subscribed").await;
    node.network.publish(Topic::Transactions, b"wanted".to_vec()).unwrap();
    node.metric(&sent, 1).await;

    let config = gossip_config(&quick(), 1).unwrap();
    let wanted = Message { source: None, data: b"wanted".to_vec(), sequence_number: None, topic };
    let id = config.message_id(&wanted).0;
    let wish: Vec<u8> = (0..100).flat_map(|_| field(1, &id)).collect();
    for _ in 0..10 {
        neighbour.say(&control(2, &wish)).await;
    }
    neighbour.sync(&mut node, b"after them").await;

    assert_eq!(node.value(&sent), 1);
}

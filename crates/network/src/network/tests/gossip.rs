use super::{Node, all_connected, quick, replica};
use crate::error::PublishError;
use crate::event::{Event, Topic};
use crate::swarm::Command;

async fn gossip(node: &mut Node) -> Vec<u8> {
    node.next(|event| match event {
        Event::Gossip { bytes, verdict, topic: Topic::Transactions, .. } => {
            verdict.accept();
            Some(bytes.into_vec())
        }
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_to_everybody_once() {
    let mut nodes = all_connected(&[1, 2, 3, 4], &quick()).await;

    for _ in 0..3 {
        let again = nodes[0].network.publish(Topic::Transactions, b"first".to_vec());
        assert_eq!(again, Ok(()));
    }
    for node in &mut nodes[1..] {
        assert_eq!(gossip(node).await, b"first");
    }
    nodes[3].network.publish(Topic::Transactions, b"second".to_vec()).unwrap();

    for node in &mut nodes[..3] {
        assert_eq!(gossip(node).await, b"second");
    }
    nodes[0].metric("network_gossip_messages_total{reason=\"published_before\"}", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_passes_and_one_byte_more_is_not_published() {
    let mut nodes = all_connected(&[1, 2], &quick()).await;
    let bytes_max = quick().gossip_bytes_max;

    let refused = nodes[0].network.publish(Topic::Transactions, vec![1; bytes_max + 1]);
    nodes[0].network.publish(Topic::Transactions, vec![2; bytes_max]).unwrap();

    assert_eq!(refused, Err(PublishError::TooLong { bytes: bytes_max + 1, bytes_max }));
    assert_eq!(gossip(&mut nodes[1]).await, vec![2; bytes_max]);
    // The link is not muted by it.
    nodes[0].network.publish(Topic::Transactions, vec![3; bytes_max]).unwrap();
    assert_eq!(gossip(&mut nodes[1]).await, vec![3; bytes_max]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_without_a_verdict_are_bounded_and_ignored() {
    let limits = crate::settings::Limits { gossip_pending_max: 4, ..quick() };
    let mut nodes = all_connected(&[1, 2], &limits).await;

    let mut held = Vec::new();
    for number in 0..4_u8 {
        nodes[0].network.publish(Topic::Transactions, vec![number]).unwrap();
        let event =
            nodes[1].next(|event| matches!(event, Event::Gossip { .. }).then_some(event)).await;
        held.push(event);
    }
    nodes[0].network.publish(Topic::Transactions, b"too many".to_vec()).unwrap();
    nodes[1].metric("network_gossip_messages_total{reason=\"ignored_too_many\"}", 1).await;

    held.clear();

    // Each dropped event was a verdict, so there is room again.
    let arrives = async {
        for number in 100..u8::MAX {
            nodes[0].network.publish(Topic::Transactions, vec![number]).unwrap();
            tokio::task::yield_now().await;
        }
    };
    arrives.await;
    assert!(gossip(&mut nodes[1]).await[0] >= 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_as_announcements_are_refused_and_break_nothing() {
    let mut nodes = all_connected(&[1, 2], &quick()).await;
    let hub = &nodes[0].network.inner.hub;

    for number in 0..50_u8 {
        let bytes = vec![number.wrapping_mul(37); usize::from(number) * 9];
        let topic = hub.names.announcements.clone();
        hub.commands.send(Command::Publish { topic, bytes }).await.unwrap();
    }

    nodes[1].metric("network_announcements_total{reason=\"malformed\"}", 1).await;
    nodes[0].network.send(replica(1), b"still there"[..].into()).unwrap();
    assert_eq!(nodes[1].frame().await.1, b"still there");
}

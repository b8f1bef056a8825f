use super::{Node, settings, validators};
use crate::event::Event;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_after_the_handshake_and_causes_no_event() {
    let ours = validators(1, &[1, 2]);
    let theirs = validators(1, &[1, 9]);
    let mut one = Node::start(settings(&ours, 1, &[]));
    let bootstrap = [one.address().await];

    let stranger = Node::start(settings(&theirs, 9, &bootstrap));
    one.metric("network_refused_connections_total{reason=\"no_member\"}", 2).await;

    assert!(nothing_happened(&mut one));
    assert!(one.network.peers().borrow().connected.is_empty());
    assert!(stranger.network.peers().borrow().connected.is_empty());
    // A member is let in all the same.
    let _two = Node::start(settings(&ours, 2, &bootstrap));
    let first =
        one.next(|event| (!matches!(event, Event::Listening { .. })).then_some(event)).await;
    assert!(matches!(first, Event::Connected(replica) if replica == super::replica(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_another_chain_share_no_stream_topic_or_request() {
    let ours = validators(1, &[1, 2]);
    let theirs = validators(2, &[1, 2]);
    let mut one = Node::start(settings(&ours, 1, &[]));
    let bootstrap = [one.address().await];
    let two = Node::start(settings(&theirs, 2, &bootstrap));

    // The peer ids are right, so there is a connection, on which nothing can be agreed.
    let mut connections = two.network.inner.hub.connections.subscribe();
    connections.wait_for(|connected| !connected.is_empty()).await.unwrap();
    let answer = two.network.request(super::replica(0), vec![1]).await;

    assert!(answer.is_err());
    assert!(two.network.peers().borrow().connected.is_empty());
    assert!(two.network.peers().borrow().subscribed.is_empty());
    assert!(nothing_happened(&mut one));
}

/// Whether there was no event but that of listening.
fn nothing_happened(node: &mut Node) -> bool {
    std::iter::from_fn(|| node.events.try_recv().ok())
        .all(|event| matches!(event, Event::Listening { .. }))
}

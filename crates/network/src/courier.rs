//! Takes events from the swarm, which never waits, to whoever takes the events of the network, who
//! may.

use tokio::sync::mpsc;

use crate::event::Event;

/// Hands on every event of `inbox`, and waits when the events are not taken. What the inbox cannot
/// hold meanwhile, the swarm drops: gossip is ignored then, a request declined.
pub(crate) async fn run(mut inbox: mpsc::Receiver<Event>, events: mpsc::Sender<Event>) {
    while let Some(event) = inbox.recv().await {
        if events.send(event).await.is_err() {
            return;
        }
    }
}

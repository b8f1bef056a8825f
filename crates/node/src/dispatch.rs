//! Sorts what the network reports: messages to their doors, questions to the store.
//!
//! This is the only reader of the network's events. It waits for neither door: the consensus door
//! puts every message into its peer's lane, and transactions that do not fit into their peer's share
//! are dropped and come again.
//!
//! Nothing that peers send piles up behind it. Whatever a frame is decoded into keeps what its
//! bytes count for against their sender's allowance until the core has taken it, so between the
//! socket and the core one peer's frames are never more than
//! [`network::Limits::incoming_bytes_max`] bytes: 8 of the longest frames. The same holds for
//! gossip and [`network::Limits::gossip_pending_bytes_max`].

use network::{Event, Held, Payload, Topic};
use pbft::Input;
use storage::Store;
use tokio::sync::{mpsc, watch};
use types::replica::ReplicaId;

use crate::answers::Answers;
use crate::catch_up;
use crate::core::Arrived;
use crate::door::Delivered;
use crate::door::evidence::Brought;
use crate::error::NodeError;
use crate::metrics::DoorMetrics;
use crate::parts::Answerer;
use crate::requests::{Delivery, Offered};
use crate::wire::Frame;

/// Where everything goes.
pub(crate) struct Dispatch {
    /// To the consensus door.
    pub(crate) messages: mpsc::Sender<Delivered>,
    /// To the request door.
    pub(crate) offered: Offered,
    /// To the door for evidence.
    pub(crate) brought: Brought,
    /// To the core.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// To catch-up.
    pub(crate) connected: mpsc::Sender<ReplicaId>,
    /// Our own multiaddress, once there is one.
    pub(crate) listening: watch::Sender<Option<String>>,
    /// Answers requests for blocks.
    pub(crate) store: Store,
    /// What becomes of those answers.
    pub(crate) answerer: Answerer,
    /// The largest frame, in bytes.
    pub(crate) frame_bytes_max: usize,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

impl Dispatch {
    /// Works until the network or a door is gone.
    pub(crate) async fn run(self, mut events: mpsc::Receiver<Event>) -> Result<(), NodeError> {
        let answers = Answers::default();
        while let Some(event) = events.recv().await {
            match event {
                Event::Listening { address } => {
                    tracing::info!(%address, "listening");
                    self.listening.send_replace(Some(address));
                }
                Event::Connected(replica) => {
                    tracing::info!(replica = replica.get(), "connected");
                    let arrived =
                        Arrived { input: Input::Connected(replica), held: Held::default() };
                    if self.inputs.send(arrived).await.is_err() {
                        return Ok(());
                    }
                    // Catch-up asks somebody every second all the same.
                    self.connected.try_send(replica).ok();
                }
                Event::Disconnected(replica) => {
                    tracing::info!(replica = replica.get(), "disconnected");
                }
                Event::Frame { from, bytes } => {
                    if !self.frame(from, bytes).await {
                        return Ok(());
                    }
                }
                Event::Gossip { topic: Topic::Transactions, bytes, verdict, from } => {
                    self.offered.offer(from, Delivery::Gossip { bytes, verdict });
                }
                Event::Request { from, bytes, reply } => {
                    let Some(answering) = answers.begin(from) else {
                        continue;
                    };
                    let (store, answerer) = (self.store.clone(), self.answerer.clone());
                    tokio::task::spawn_blocking(move || {
                        let answer = catch_up::answer(&store, &bytes);
                        if let Some(answer) = answer.and_then(|answer| answerer(answer))
                            && let Err(error) = reply.respond(answer)
                        {
                            tracing::debug!(replica = from.get(), %error, "blocks not sent");
                        }
                        drop(answering);
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether the doors are still there.
    async fn frame(&self, from: ReplicaId, bytes: Payload) -> bool {
        let frame = Frame::read(&bytes, self.frame_bytes_max);
        let held = bytes.into_held();
        match frame {
            Ok(Frame::Consensus(message)) => {
                self.messages.send(Delivered { from, message, held }).await.is_ok()
            }
            Ok(Frame::Requests(transactions)) => {
                self.offered.offer(from, Delivery::Peer { transactions, held });
                true
            }
            Ok(Frame::Evidence(evidence)) => {
                self.brought.bring(from, *evidence, held);
                true
            }
            Err(error) => {
                self.metrics.refuse(from, "frame", &error);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;

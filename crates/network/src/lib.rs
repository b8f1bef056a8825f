//! Authenticated pipes between the members of one chain, over libp2p.
//!
//! A *member* is a validator of the genesis, known by the peer id that the genesis binds to it;
//! connections of anybody else end with the handshake. Between members there are four ways:
//!
//! - **Frames** ([`Network::send`], [`Network::broadcast`]): one long-lived stream per ordered
//!   pair, in order, with bounded queues. Consensus goes here. What was lost is known: a stream
//!   that breaks or overflows is told as [`Event::Disconnected`], and [`Event::Connected`] when it
//!   stands again, upon which the sender says again what still matters.
//! - **Gossip** ([`Network::publish`]): what many want and nobody must have.
//! - **Requests** ([`Network::request`]): one bounded question, one bounded answer, a time limit.
//! - **Announcements**, inside: each validator signs where it can be reached and spreads that by
//!   gossip, so that one bootstrap address is enough to find everybody.
//!
//! No message's meaning is known here, and nothing here is believed beyond who the neighbour of a
//! connection is: the author of a message is who signed it, which is checked by its receiver.
//!
//! The task that drives libp2p's swarm does no work of its own: streams, announcements, dialling
//! and the delivery of events each have their own tasks, and every channel between them is bounded.
//! What happens when one is full stands at its [`Limits`] field.

mod announcement;
mod behaviour;
mod book;
mod codec;
mod courier;
mod discovery;
mod door;
mod error;
mod event;
mod gossip;
mod hub;
mod identity;
mod link;
mod metrics;
mod muxer;
mod network;
mod rate;
mod settings;
mod swarm;

pub use crate::error::{NetworkError, PublishError, RequestError, RespondError, SendError};
pub use crate::event::{Event, GossipVerdict, Held, Payload, Responder, Topic};
pub use crate::hub::Peers;
pub use crate::identity::{peer_id_of, peer_id_valid};
pub use crate::network::{Network, start};
pub use crate::settings::{Limits, Settings};

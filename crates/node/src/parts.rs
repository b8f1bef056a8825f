//! The parts of a validator that somebody may want otherwise.
//!
//! An [honest](Honest) validator is made of the core, the gateway and the answers of this crate. A program that attacks
//! its network puts something around each of them; nothing here knows what.

use std::sync::Arc;

use api::backend::Backend;
use ledger::Ledger;
use network::Network;
use pbft::{Output, Protocol, Replica};

use crate::config::Config;
use crate::gateway::Gateway;
use crate::recovery::OwnWord;

/// What is sent instead of an answer to a peer's question for blocks, in the bytes of
/// [`BlocksResponse`](crate::wire::BlocksResponse); nothing, if it gets no answer. It may take its time: other peers are
/// answered meanwhile.
pub type Answerer = Arc<dyn Fn(Vec<u8>) -> Option<Vec<u8>> + Send + Sync>;

/// What a validator is made of.
pub trait Parts: Send + 'static {
    /// Its consensus core.
    type Protocol: Protocol<Application = Ledger> + Send + 'static;
    /// What answers its clients.
    type Backend: Backend;

    /// What it makes of a vote of its key that its journal lacks.
    fn own_word(&self) -> OwnWord {
        OwnWord::Binds
    }

    /// The core around the replica that was rebuilt from its directory.
    fn protocol(&mut self, replica: Replica<Ledger>, config: &Config) -> Self::Protocol;

    /// What is done first: for an honest validator what it had said before it was stopped, said again.
    fn recovered(&mut self, output: Output) -> Output;

    /// What answers clients, around what an honest validator answers.
    fn backend(&mut self, honest: Gateway) -> Self::Backend;

    /// What answers peers that ask for blocks.
    fn answerer(&mut self) -> Answerer;

    /// The network runs; called on the runtime of the process, once.
    fn joins(&mut self, network: &Network);
}

/// A validator that follows the protocol.
pub struct Honest;

impl Parts for Honest {
    type Protocol = Replica<Ledger>;
    type Backend = Gateway;

    fn protocol(&mut self, replica: Replica<Ledger>, _: &Config) -> Replica<Ledger> {
        replica
    }

    fn recovered(&mut self, output: Output) -> Output {
        output
    }

    fn backend(&mut self, honest: Gateway) -> Gateway {
        honest
    }

    fn answerer(&mut self) -> Answerer {
        Arc::new(Some)
    }

    fn joins(&mut self, _: &Network) {}
}

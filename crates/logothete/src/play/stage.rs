//! The network of a scenario, as a testnet with relays.

use std::path::Path;
use std::time::{Duration, Instant};

use crypto::keys::SecretKey;
use scenario::{Scenario, Situation};
use types::address::Address;
use types::parameters::Parameters;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::testnet::attacks::Attacks;
use crate::testnet::fleet::{Fleet, Orders};
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::node::Node;
use crate::testnet::plan::{self, Plan};
use crate::testnet::{Testnet, create};

/// What the keys of a scenario's network are derived from.
const SEED: u64 = 2;
/// How long the validators may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// The network, and who pays in it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(super) testnet: Testnet,
    /// The keys of the clients.
    pub(super) keys: Vec<SecretKey>,
    nodes: Vec<Node>,
    liars: Vec<u16>,
}

impl Stage {
    /// Makes the network in a directory that holds nothing.
    ///
    /// # Errors
    ///
    /// Refused when the directory holds something, a usage error when there is no such attack; fails when
    /// a file cannot be written.
    pub(super) fn new(
        scenario: &Scenario,
        one_more: bool,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let layout = Layout::new(directory);
        match layout.kind()? {
            Kind::Nothing => {}
            Kind::Testnet | Kind::Damaged | Kind::Remains => {
                let text = format!("{} holds a testnet already", layout.root().display());
                return Err(Failure::refused(text)
                    .with_hint("a scenario has a network of its own: name another directory"));
            }
            Kind::Other { found } => return Err(layout.occupied(&found)),
        }
        let situation = scenario.situation(one_more);
        let roles = roles(scenario, situation)?;
        let keys = plan::further_keys(SEED, usize::from(scenario.load.clients));
        let addresses: Vec<Address> = keys.iter().map(address).collect();
        let parameters = Parameters {
            view_timeout_ms: scenario.network.view_timeout_ms,
            ..Parameters::default()
        };
        let validators = usize::from(scenario.network.validators);
        let plan = Plan::with_parameters(validators, SEED, &addresses, parameters)?;
        create::create(&layout, &plan)?;
        let testnet = Testnet::open(layout)?;
        let nodes = testnet.nodes();
        testnet.relays().make(&nodes)?;
        for (validator, attacks) in &roles {
            attacks.give(&testnet.node(usize::from(*validator))?)?;
        }
        let liars = roles.into_iter().map(|(validator, _)| validator).collect();
        Ok(Self { testnet, keys, nodes, liars })
    }

    /// Starts everybody and waits until the honest are ready.
    ///
    /// # Errors
    ///
    /// As [`Fleet::start`].
    pub(super) fn start(&self, interrupt: &Interrupt) -> Result<Fleet, Failure> {
        let orders = orders(interrupt);
        let mut fleet = Fleet::start(&self.testnet, &self.nodes, &orders)?;
        fleet.await_ready(&self.nodes, &orders)?;
        Ok(fleet)
    }

    /// Starts one again, and does not wait until it is ready: nobody does that for one that crashed.
    ///
    /// # Errors
    ///
    /// As [`Fleet::start`].
    pub(super) fn start_again(&self, node: &Node) -> Result<Fleet, Failure> {
        Fleet::start(&self.testnet, std::slice::from_ref(node), &orders(&Interrupt::never()))
    }

    /// Everybody, in the order of their numbers.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether no attack lets this one lie.
    pub(super) fn is_honest(&self, node: &Node) -> bool {
        !self.liars.contains(&number(node))
    }

    /// All who do not lie.
    pub(super) fn honest(&self) -> Vec<&Node> {
        self.nodes.iter().filter(|node| self.is_honest(node)).collect()
    }
}

/// The number of a validator; there are at most 16.
pub(super) fn number(node: &Node) -> u16 {
    u16::try_from(node.index()).unwrap_or(u16::MAX)
}

/// The address of a client.
pub(super) fn address(key: &SecretKey) -> Address {
    Address::Key(key.public_key())
}

fn orders(interrupt: &Interrupt) -> Orders {
    let deadline = Instant::now() + READY_TIMEOUT;
    Orders { attached: true, deadline, interrupt: interrupt.clone() }
}

/// Who lies, and how.
fn roles(scenario: &Scenario, situation: &Situation) -> Result<Vec<(u16, Attacks)>, Failure> {
    let mut roles = Vec::new();
    for liar in situation.liars() {
        let own = situation.attacks.iter().filter(|attack| attack.validator == liar);
        let attacks = Attacks::new(own.map(|attack| attack.attack.clone()).collect());
        attacks.check().map_err(|failure| {
            let text = format!("{}: validator {liar}: {}", scenario.name, failure.text);
            Failure { text, ..failure }
        })?;
        roles.push((liar, attacks));
    }
    Ok(roles)
}

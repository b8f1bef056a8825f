//! The parts of a validator that attacks: a traitor for a core, false answers to clients and peers, and frames that no
//! validator sends.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use byzantine::attack::Attack;
use byzantine::service::{Forger, Service, frames};
use byzantine::{Random, Traitor};
use crypto::encoding::{from_wire, to_wire};
use crypto::keys::Signer;
use ledger::Ledger;
use network::{Network, Topic};
use node::recovery::OwnWord;
use node::wire::{BlocksResponse, FrameRef};
use node::{Answerer, Config, Gateway, Parts};
use pbft::{Input, Output, Overview, Protocol, Replica};
use program::output;
use tokio::time::{MissedTickBehavior, interval};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::Vote;
use zeroize::Zeroizing;

use crate::deeds::{self, Served, Telling};
use crate::flood::Flood;
use crate::replies::FalseReplies;

/// The most votes of others that are remembered.
const HEARD_MAX: usize = 256;

/// How often an accusation is sent, and how often bytes are.
const ACCUSATION_PERIOD: Duration = Duration::from_millis(50);
const GARBAGE_PERIOD: Duration = Duration::from_millis(10);

/// The longest answer that is forged, in bytes; a longer one is given as it is.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Votes of others, the newest last.
type Heard = Arc<Mutex<VecDeque<Vote>>>;

/// A validator that attacks.
pub(crate) struct Attacker {
    own: ReplicaId,
    validators: ValidatorSet,
    signer: Arc<dyn Signer>,
    node_seed: Zeroizing<[u8; 32]>,
    folder: PathBuf,
    bootstrap: Vec<String>,
    forger: Arc<Forger>,
    /// What the core says.
    strategies: Vec<Attack>,
    /// What is done beside it.
    services: Vec<(Service, Attack)>,
    seed: u64,
    telling: Telling,
    heard: Heard,
}

impl Attacker {
    /// The parts of this validator, with these attacks at work.
    pub(crate) fn new(config: &Config, attacks: Vec<Attack>, seed: u64, json: bool) -> Self {
        let names: Vec<&str> = attacks.iter().map(|attack| attack.kind.name).collect();
        tracing::warn!(attacks = names.join(" "), seed, "this validator attacks its network");
        let (mut strategies, mut services) = (Vec::new(), Vec::new());
        for attack in attacks {
            match Service::of(attack.kind.name) {
                Some(service) => services.push((service, attack)),
                None => strategies.push(attack),
            }
        }
        let forger = Forger::new(config.replica, config.genesis.clone(), config.signer.clone());
        Self {
            own: config.replica,
            validators: config.genesis.validators().clone(),
            signer: config.signer.clone(),
            node_seed: config.node_seed.clone(),
            folder: config.folder.clone(),
            bootstrap: config.p2p_bootstrap.clone(),
            forger: Arc::new(forger),
            strategies,
            services,
            seed,
            telling: deeds::telling(output::Output::of_process(json)),
            heard: Heard::default(),
        }
    }

    fn attack(&self, service: Service) -> Option<&Attack> {
        let found = self.services.iter().find(|(one, _)| *one == service);
        found.map(|(_, attack)| attack)
    }

    /// Whom frames are sent to.
    fn victims(&self, attack: &Attack) -> Vec<ReplicaId> {
        let all = self.validators.iter().map(|(replica, _)| replica);
        let named = &attack.knobs.victims;
        all.filter(|one| *one != self.own && (named.is_empty() || named.contains(one))).collect()
    }

    fn accuse(&self, attack: &Attack, network: &Network) {
        let (victims, network) = (self.victims(attack), network.clone());
        let (heard, telling, validators) =
            (self.heard.clone(), self.telling.clone(), self.validators.clone());
        let (own, signer, name) = (self.own, self.signer.clone(), attack.kind.name);
        let mut random = Random::stream(self.seed, name, &[]);
        tokio::spawn(async move {
            let mut period = interval(ACCUSATION_PERIOD);
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for turn in 0.. {
                period.tick().await;
                let genuine = {
                    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.get(random.index(heard.len())).copied()
                };
                let Some(genuine) = genuine else { continue };
                let lie = frames::accusation(&genuine, (own, &*signer), &validators, turn);
                let frame: Arc<[u8]> = to_wire(&FrameRef::Evidence(&lie)).into();
                let told = format!("evidence {} against replica {}", lie.id(), genuine.replica);
                telling.tell(&Served::new(name, "accuses", told));
                for victim in &victims {
                    // Who is cut off cannot be told.
                    network.send(*victim, Arc::clone(&frame)).ok();
                }
            }
        });
    }

    fn flood(&self, attack: &Attack, network: &Network) {
        let of = |replica: ReplicaId| {
            let peer = self.validators.get(replica)?.peer_id.parse().ok()?;
            Some((peer, replica))
        };
        let flood = Flood {
            node_seed: self.node_seed.clone(),
            folder: self.folder.clone(),
            bootstrap: self.bootstrap.clone(),
            victims: self.victims(attack).into_iter().filter_map(of).collect(),
            topics: Flood::topics(self.validators.chain()),
            seed: self.seed,
            name: attack.kind.name,
            telling: self.telling.clone(),
        };
        if let Err(failure) = flood.begin(network) {
            tracing::error!(cause = failure.text, "no flood");
        }
    }

    fn noise(&self, attack: &Attack, network: &Network) {
        let (victims, network) = (self.victims(attack), network.clone());
        let (telling, name) = (self.telling.clone(), attack.kind.name);
        let mut random = Random::stream(self.seed, name, &[]);
        tokio::spawn(async move {
            let mut period = interval(GARBAGE_PERIOD);
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for turn in 0.. {
                period.tick().await;
                let frame = frames::garbage(&mut random, turn);
                telling.tell(&Served::new(name, "sends", format!("{} bytes", frame.len())));
                network.publish(Topic::Transactions, frame.clone()).ok();
                let frame: Arc<[u8]> = frame.into();
                for victim in &victims {
                    network.send(*victim, Arc::clone(&frame)).ok();
                }
            }
        });
    }
}

impl Parts for Attacker {
    type Protocol = Listener;
    type Backend = FalseReplies;

    fn own_word(&self) -> OwnWord {
        OwnWord::IsNothing
    }

    fn protocol(&mut self, replica: Replica<Ledger>, _: &Config) -> Listener {
        let witness = deeds::witness(&self.validators, self.telling.clone());
        let attacks = std::mem::take(&mut self.strategies);
        let (validators, signer) = (self.validators.clone(), self.signer.clone());
        let inner =
            Traitor::new(self.own, replica, validators, signer, attacks, self.seed, witness);
        Listener { inner, own: self.own, heard: self.heard.clone() }
    }

    /// What the replica inside had said is not what this validator says; whoever lacks it asks.
    fn recovered(&mut self, mut output: Output) -> Output {
        output.messages.clear();
        output
    }

    fn backend(&mut self, honest: Gateway) -> FalseReplies {
        let lies = self.services.iter().map(|(service, _)| *service).collect();
        FalseReplies::new(honest, lies, self.forger.clone(), self.telling.clone())
    }

    fn answerer(&mut self) -> Answerer {
        let slow = self.attack(Service::SlowBlocks).map(|attack| attack.knobs.delay_ms);
        let forged = self.attack(Service::ForgedBlocks).is_some();
        let (forger, telling) = (self.forger.clone(), self.telling.clone());
        let turn = AtomicU64::new(0);
        Arc::new(move |answer| {
            if slow.is_none() && !forged {
                return Some(answer);
            }
            let blocks: BlocksResponse = from_wire(&answer, ANSWER_BYTES_MAX).ok()?;
            let mut blocks: Vec<ProvedBlock> =
                blocks.into_iter().map(|block| block.get().clone()).collect();
            let what = |blocks: &[ProvedBlock]| format!("{} blocks", blocks.len());
            if forged && !blocks.is_empty() {
                blocks = forger.blocks(blocks, turn.fetch_add(1, Ordering::Relaxed));
                telling.tell(&Served::new("forged-blocks", "answers", what(&blocks)));
            }
            if let Some(delay_ms) = slow {
                std::thread::sleep(Duration::from_millis(delay_ms));
                blocks.truncate(1);
                telling.tell(&Served::new("slow-blocks", "answers", what(&blocks)));
            }
            Some(to_wire(&blocks))
        })
    }

    fn joins(&mut self, network: &Network) {
        if let Some(attack) = self.attack(Service::FalseEvidence) {
            self.accuse(attack, network);
        }
        if let Some(attack) = self.attack(Service::GarbageFrames) {
            self.noise(attack, network);
        }
        if let Some(attack) = self.attack(Service::ControlFlood) {
            self.flood(attack, network);
        }
    }
}

/// A traitor that remembers what others have signed.
pub(crate) struct Listener {
    inner: Traitor,
    own: ReplicaId,
    heard: Heard,
}

impl Protocol for Listener {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        if let Input::Message(message) = &input
            && let Some(vote) = message.get().vote().filter(|vote| vote.replica != self.own)
        {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.len() >= HEARD_MAX {
                heard.pop_front();
            }
            heard.push_back(*vote);
        }
        self.inner.step(input)
    }

    fn application(&self) -> &Ledger {
        self.inner.application()
    }

    fn application_mut(&mut self) -> &mut Ledger {
        self.inner.application_mut()
    }

    fn status(&self) -> Overview {
        self.inner.status()
    }
}

//! What the tests share: keys, a genesis, signed votes and blocks, and one replica on a bench.

use std::sync::Arc;

use crypto::digest::{Digest, Domain, digest_pair};
use crypto::keys::{SecretKey, Signer};
use crypto::signed::Signed;
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::evidence::Evidence;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::parameters::Parameters;
use types::peer_id;
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use crate::message::{Message, PrePrepare};
use crate::output::{Output, Timer, TimerSet};
use crate::record::Record;
use crate::replica::{Config, Input, Protocol, Replica};
use crate::status::{Standpoint, Status};

pub(crate) mod application;
pub(crate) mod cluster;
pub(crate) mod liar;
pub(crate) mod network;
pub(crate) mod random;

use application::{FakeApplication, TestApplication};

/// Where the clocks of the tests begin, in milliseconds.
pub(crate) const NOON: u64 = 1_000_000;

/// The key of a replica.
pub(crate) fn key(replica: u16) -> SecretKey {
    SecretKey::from_seed([u8::try_from(replica).unwrap() + 1; 32])
}

/// The key of somebody with money.
pub(crate) fn person(person: u8) -> SecretKey {
    SecretKey::from_seed([200 + person; 32])
}

/// A network of `n` validators in which ten persons have money.
pub(crate) fn genesis(n: u16, parameters: Parameters) -> Genesis {
    let mut builder = GenesisBuilder::local("pbft-test");
    builder.parameters = parameters;
    let validator = |replica| Validator {
        name: format!("v{replica}"),
        key: key(replica).public_key(),
        peer_id: peer_id::of_key(&key(100 + replica).public_key()),
    };
    builder.validators = (0..n).map(validator).collect();
    let account = |index| {
        let address = Address::Key(person(index).public_key());
        (address, Amount::new(1_000_000))
    };
    builder.accounts = (0..10).map(account).collect();
    builder.build().unwrap()
}

/// A transfer by one person to the next.
pub(crate) fn transfer(genesis: &Genesis, sender: u8, nonce: u64) -> SignedTransaction {
    let key = person(sender);
    let transaction = Transaction {
        chain: *genesis.chain(),
        sender: Address::Key(key.public_key()),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(u64::MAX),
        action: Action::Transfer(Transfer {
            recipient: Address::Key(person((sender + 1) % 10).public_key()),
            amount: Amount::new(1),
            memo: Memo::default(),
        }),
    };
    SignedTransaction::sign(transaction, &key)
}

/// The state that the fake application has after a body.
pub(crate) fn fake_root(before: &Digest, body: &Body) -> Digest {
    digest_pair(Domain::StateRoot, before, &body.root())
}

/// A block of view 0 that the fake application accepts, with these transfers of the first person.
pub(crate) fn block_on(genesis: &Genesis, parent: &Header, nonces: &[u64]) -> Block {
    block_in(genesis, 0, parent, nonces)
}

/// A block of any view that the fake application accepts, with these transfers of the first person.
pub(crate) fn block_in(genesis: &Genesis, view: u64, parent: &Header, nonces: &[u64]) -> Block {
    let transactions = nonces.iter().map(|nonce| transfer(genesis, 0, *nonce));
    let body = Body::new(transactions.collect());
    let header = Header {
        chain: *genesis.chain(),
        height: parent.height.next(),
        parent: parent.id(),
        view: View::new(view),
        proposer: genesis.validators().primary(View::new(view)),
        timestamp_ms: NOON.max(parent.timestamp_ms + 1),
        body_root: body.root(),
        transactions: u32::try_from(body.len()).unwrap(),
        state_root: fake_root(&parent.state_root, &body),
    };
    Block { header, body }
}

/// `count` blocks of one transfer each, every one on the one before, the first on the genesis.
pub(crate) fn chain_of(genesis: &Genesis, count: u64) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for nonce in 0..count {
        let parent = blocks.last().map_or(genesis.header(), |block| &block.header);
        blocks.push(block_on(genesis, parent, &[nonce]));
    }
    blocks
}

/// A statement of view 0 about a block.
pub(crate) fn statement(phase: Phase, block: &Block) -> Statement {
    Statement { phase, view: View::FIRST, height: block.header.height, block: block.id() }
}

/// A vote of any replica for any statement.
pub(crate) fn signed(genesis: &Genesis, replica: u16, statement: Statement) -> Vote {
    Vote::sign(statement, ReplicaId::new(replica), genesis.chain(), &key(replica))
}

pub(crate) fn prepare(genesis: &Genesis, replica: u16, block: &Block) -> Message {
    Message::Prepare(signed(genesis, replica, statement(Phase::Prepare, block)))
}

pub(crate) fn commit(genesis: &Genesis, replica: u16, block: &Block) -> Message {
    Message::Commit(signed(genesis, replica, statement(Phase::Commit, block)))
}

/// A proposal by the primary of view 0.
pub(crate) fn pre_prepare(genesis: &Genesis, block: &Block) -> Message {
    Message::PrePrepare(PrePrepare {
        block: block.clone(),
        vote: signed(genesis, 0, statement(Phase::Prepare, block)),
    })
}

/// What a replica says about a block in a view.
pub(crate) fn vote_in(
    genesis: &Genesis,
    view: u64,
    phase: Phase,
    replica: u16,
    block: &Block,
) -> Vote {
    let statement = Statement { view: View::new(view), ..statement(phase, block) };
    signed(genesis, replica, statement)
}

/// The same as a message.
pub(crate) fn vote_message(
    genesis: &Genesis,
    view: u64,
    phase: Phase,
    replica: u16,
    block: &Block,
) -> Message {
    let vote = vote_in(genesis, view, phase, replica, block);
    match phase {
        Phase::Prepare => Message::Prepare(vote),
        Phase::Commit => Message::Commit(vote),
    }
}

/// A proposal by the primary of a view.
pub(crate) fn proposal_in(genesis: &Genesis, view: u64, block: &Block) -> Message {
    let primary = genesis.validators().primary(View::new(view)).get();
    let vote = vote_in(genesis, view, Phase::Prepare, primary, block);
    Message::PrePrepare(PrePrepare { block: block.clone(), vote })
}

/// A certificate of a view for a block, by these replicas.
pub(crate) fn certificate_by(
    genesis: &Genesis,
    view: u64,
    phase: Phase,
    block: &Block,
    replicas: &[u16],
) -> Certificate {
    let votes: Vec<Vote> =
        replicas.iter().map(|replica| vote_in(genesis, view, phase, *replica, block)).collect();
    Certificate::from_votes(votes[0].statement, &votes, genesis.validators()).unwrap()
}

/// A replica asks for a view.
pub(crate) fn asks(
    genesis: &Genesis,
    replica: u16,
    view: u64,
    certificate: Option<Certificate>,
) -> ViewChange {
    let (view, number) = (View::new(view), ReplicaId::new(replica));
    ViewChange::sign(view, certificate, number, genesis.chain(), &key(replica))
}

/// The primary of a view shows who asked for it.
pub(crate) fn new_view(genesis: &Genesis, view: u64, asked: Vec<ViewChange>) -> NewView {
    let view = View::new(view);
    let primary = genesis.validators().primary(view).get();
    NewView::sign(view, asked, genesis.chain(), &key(primary))
}

/// A block with a proof by the first q replicas.
pub(crate) fn proved(genesis: &Genesis, block: &Block) -> Signed<ProvedBlock> {
    proved_without(genesis, block, None)
}

/// A block with a proof by the first q replicas other than this one.
fn proved_without(genesis: &Genesis, block: &Block, left_out: Option<u16>) -> Signed<ProvedBlock> {
    let statement = statement(Phase::Commit, block);
    let votes: Vec<Vote> = genesis
        .validators()
        .iter()
        .filter(|(replica, _)| Some(replica.get()) != left_out)
        .map(|(replica, _)| signed(genesis, replica.get(), statement))
        .take(genesis.validators().quorum().q())
        .collect();
    let certificate = Certificate::from_votes(statement, &votes, genesis.validators()).unwrap();
    Signed::vouched(ProvedBlock {
        block: block.clone(),
        proof: Proof { descendants: Vec::new(), certificate },
    })
}

/// A fresh or restarted replica.
pub(crate) fn recover<A: TestApplication>(
    genesis: &Genesis,
    replica: u16,
    stored: &[ProvedBlock],
    records: Vec<Record>,
) -> Result<(Replica<A>, Output), crate::RecoveryError> {
    let config = Config {
        replica: ReplicaId::new(replica),
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let mut application = A::at_genesis(genesis);
    let mut tip = genesis.header().clone();
    for proved in stored {
        application.execute(&proved.block).unwrap();
        application.commit(&proved.block.id());
        tip = proved.block.header.clone();
    }
    let signer: Arc<dyn Signer> = Arc::new(key(replica));
    Replica::recover(config, signer, application, tip, records)
}

/// One replica over the fake application, and everything it has ever put out.
pub(crate) struct Bench {
    pub(crate) genesis: Genesis,
    pub(crate) replica: Replica<FakeApplication>,
    pub(crate) number: u16,
    pub(crate) records: Vec<Record>,
    pub(crate) committed: Vec<ProvedBlock>,
}

impl Bench {
    /// Replica `number` of `n`, at the genesis, at noon.
    pub(crate) fn new(n: u16, number: u16) -> Self {
        Self::with(n, number, Parameters::default())
    }

    pub(crate) fn with(n: u16, number: u16, parameters: Parameters) -> Self {
        let genesis = genesis(n, parameters);
        let (replica, output) = recover(&genesis, number, &[], Vec::new()).unwrap();
        let status = TimerSet { timer: Timer::Status, after_ms: 0 };
        assert_eq!(output, Output { timers: vec![status], ..Output::default() });
        let mut bench =
            Self { genesis, replica, number, records: Vec::new(), committed: Vec::new() };
        bench.step(tick(NOON));
        bench
    }

    /// The output of a step, without the timer of progress, which nearly every step sets.
    pub(crate) fn step(&mut self, input: Input) -> Output {
        let mut output = self.whole_step(input);
        output.timers.retain(|set| set.timer != Timer::Progress);
        output
    }

    /// The whole output of a step.
    pub(crate) fn whole_step(&mut self, input: Input) -> Output {
        let output = self.replica.step(input);
        self.records.extend(output.records.clone());
        self.committed.extend(output.committed.clone());
        output
    }

    /// A block of view 0 with evidence and nothing else.
    pub(crate) fn accusing(&self, parent: &Header, evidence: &Evidence) -> Block {
        let mut block = block_on(&self.genesis, parent, &[]);
        block.body = block.body.with_evidence(Some(evidence.clone()));
        block.header.body_root = block.body.root();
        block.header.state_root = fake_root(&parent.state_root, &block.body);
        block
    }

    /// Everybody but this replica asks for a view, one of them with this certificate, and its
    /// primary says so.
    pub(crate) fn new_view(&self, view: u64, certificate: Option<Certificate>) -> NewView {
        let others = (0..u16::try_from(self.genesis.validators().len()).unwrap())
            .filter(|replica| *replica != self.number);
        let mut certificate = Some(certificate);
        let asked = others.map(|replica| {
            let shown = certificate.take().flatten();
            asks(&self.genesis, replica, view, shown)
        });
        new_view(&self.genesis, view, asked.collect())
    }

    /// It is shown the new view of a view of which somebody else is primary.
    pub(crate) fn enter(&mut self, view: u64, certificate: Option<Certificate>) -> Output {
        let new_view = self.new_view(view, certificate);
        self.receive(Message::NewView(new_view))
    }

    /// The others are heard from, so that whoever waits too long asks for another view.
    pub(crate) fn hear_all(&mut self) {
        for replica in 0..u16::try_from(self.genesis.validators().len()).unwrap() {
            if replica != self.number {
                let status = status_of(&self.genesis, replica, |_| {});
                self.receive(status);
            }
        }
    }

    /// How far the block that it stands on is above the committed one.
    pub(crate) fn ahead(&self) -> u64 {
        let state = self.replica.peek();
        state.head().0.above(state.low())
    }

    /// A block with a proof by others.
    pub(crate) fn proved(&self, block: &Block) -> Signed<ProvedBlock> {
        proved_without(&self.genesis, block, Some(self.number))
    }

    pub(crate) fn receive(&mut self, message: Message) -> Output {
        self.step(Input::Message(Signed::vouched(message)))
    }

    /// Kills the replica and starts it again from what it had recorded and committed.
    pub(crate) fn restart(&mut self) -> Output {
        let records = self.records.clone();
        let recovered = recover(&self.genesis, self.number, &self.committed, records);
        let (replica, output) = recovered.unwrap();
        self.replica = replica;
        self.records.extend(output.records.clone());
        self.committed.extend(output.committed.clone());
        output
    }

    /// Brings transfers of the first person to the application, and says so.
    pub(crate) fn work(&mut self, nonces: std::ops::Range<u64>) -> Output {
        for nonce in nonces {
            let transaction = transfer(&self.genesis, 0, nonce);
            self.replica.application_mut().submit(&transaction);
        }
        self.step(Input::Work)
    }
}

/// Both clocks at this time.
pub(crate) fn tick(now_ms: u64) -> Input {
    Input::Tick { wall_ms: now_ms, steady_ms: now_ms }
}

/// A status of a replica that stands at the beginning and lacks nothing, or says otherwise.
pub(crate) fn status_of(
    genesis: &Genesis,
    replica: u16,
    change: impl FnOnce(&mut Standpoint),
) -> Message {
    let mut standpoint = Standpoint {
        replica: ReplicaId::new(replica),
        view: View::FIRST,
        entered: true,
        committed: Height::GENESIS,
        lacks: None,
    };
    change(&mut standpoint);
    Message::Status(Status::sign(standpoint, genesis.chain(), &key(replica)))
}

/// The view changes that an output says.
pub(crate) fn asked(output: &Output) -> Vec<ViewChange> {
    let messages = output.messages.iter();
    let asked = messages.filter_map(|outgoing| match &outgoing.message {
        Message::ViewChange(asked) => Some(asked.clone()),
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::NewView(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    });
    asked.collect()
}

/// The new views that an output says.
pub(crate) fn new_views(output: &Output) -> Vec<NewView> {
    let messages = output.messages.iter();
    let made = messages.filter_map(|outgoing| match &outgoing.message {
        Message::NewView(made) => Some(made.clone()),
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::ViewChange(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    });
    made.collect()
}

/// The votes of an output's messages, for short comparisons.
pub(crate) fn said(output: &Output) -> Vec<Statement> {
    let messages = output.messages.iter();
    messages.filter_map(|outgoing| Some(outgoing.message.vote()?.statement)).collect()
}

/// What is proposed.
pub(crate) fn proposals(output: &Output) -> Vec<&PrePrepare> {
    let messages = output.messages.iter();
    let proposals = messages.filter_map(|outgoing| match &outgoing.message {
        Message::PrePrepare(pre_prepare) => Some(pre_prepare),
        Message::Prepare(_)
        | Message::Commit(_)
        | Message::ViewChange(_)
        | Message::NewView(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    });
    proposals.collect()
}

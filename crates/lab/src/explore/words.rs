//! What can be said, told apart by what it means: no signature, and no signer of a certificate.

use std::collections::BTreeMap;
use std::fmt;

use crypto::keys::Signature;
use crypto::signed::Signed;
use pbft::{Handover, Input, Message, PrePrepare};
use types::block::{Block, BlockId, Header};
use types::certificate::Certificate;
use types::genesis::Genesis;
use types::number::View;
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use super::application::{body, root};

/// Nobody checks signatures here.
pub(super) const SIGNATURE: Signature = Signature::from_bytes([0; 64]);

/// The number of the word that says nothing: patience ends.
pub(super) const TIMEOUT: u32 = 0;

/// Nobody in particular: a certificate for him has the signatures of all.
const NOBODY: u16 = u16::MAX;

/// Who asked for a view, each with what he has certified.
type Asked = Vec<(u16, Option<Statement>)>;

/// One thing that can happen to a replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// It loses its patience.
    Timeout,
    /// A primary proposes a block.
    Proposal { view: View, block: BlockId },
    /// Somebody votes.
    Vote { replica: u16, statement: Statement },
    /// Somebody asks for a view, with this certified.
    Asked { replica: u16, view: View, certified: Option<Statement> },
    /// A primary shows who asked for its view, with what.
    Shown { view: View, asked: Asked },
    /// A body is handed over.
    Body { block: BlockId },
    /// A block is handed over with the commit votes for it, or for a descendant.
    Proved { block: BlockId, statement: Statement },
}

/// What a new view means to whom it is shown: the view, who of the honest asked for it with what, its tip, and the
/// greatest certificate, which is that of the tip unless a rule is broken on purpose. With what liars have asked
/// decides nothing else, and they can be accused of nothing that would matter.
type Meaning = (View, Asked, Option<Statement>, Option<Statement>);

/// All words so far, by number, and the blocks that they are about.
pub(super) struct Words {
    pub(super) genesis: Genesis,
    faulty: Vec<u16>,
    numbers: BTreeMap<Word, u32>,
    words: Vec<Word>,
    /// New views that mean the same are one word.
    meanings: BTreeMap<Meaning, u32>,
    blocks: BTreeMap<BlockId, Block>,
    /// The blocks of liars, by parent, view and number.
    children: BTreeMap<(BlockId, View, u64), BlockId>,
}

impl Words {
    pub(super) fn new(genesis: Genesis, faulty: Vec<u16>) -> Self {
        let mut all = Self {
            genesis,
            faulty,
            numbers: BTreeMap::new(),
            words: Vec::new(),
            meanings: BTreeMap::new(),
            blocks: BTreeMap::new(),
            children: BTreeMap::new(),
        };
        all.number(Word::Timeout);
        all
    }

    /// The number of a word, which it gets when it is first said.
    pub(super) fn number(&mut self, word: Word) -> u32 {
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let number = match self.meaning(&word) {
            Some(meaning) => *self.meanings.entry(meaning).or_insert(next),
            None => next,
        };
        if number == next {
            self.words.push(word.clone());
        }
        self.numbers.insert(word, number);
        number
    }

    fn meaning(&self, word: &Word) -> Option<Meaning> {
        let Word::Shown { view, asked } = word else {
            return None;
        };
        let new_view = self.shown(*view, asked, NOBODY);
        let certificates = new_view.view_changes.iter();
        let certificates = certificates.filter_map(|asked| asked.certificate.as_ref());
        let greatest = certificates.max_by_key(|certificate| certificate.rank());
        let greatest = greatest.map(|certificate| certificate.statement);
        let honest = asked.iter().filter(|(replica, _)| !self.faulty.contains(replica));
        Some((*view, honest.copied().collect(), new_view.tip(), greatest))
    }

    pub(super) fn word(&self, number: u32) -> Option<&Word> {
        self.words.get(usize::try_from(number).ok()?)
    }

    pub(super) const fn len(&self) -> usize {
        self.words.len()
    }

    /// Learns a block.
    pub(super) fn know(&mut self, block: Block) -> BlockId {
        let id = block.id();
        self.blocks.entry(id).or_insert(block);
        id
    }

    pub(super) fn block(&self, id: &BlockId) -> Option<&Block> {
        self.blocks.get(id)
    }

    /// The header of a block, the genesis included.
    pub(super) fn header(&self, id: &BlockId) -> Option<&Header> {
        let genesis = self.genesis.header();
        self.block(id).map(|block| &block.header).or((genesis.id() == *id).then_some(genesis))
    }

    /// A block that a liar makes for a view that it leads.
    pub(super) fn child(&mut self, parent: &Header, view: View, number: u64) -> BlockId {
        let key = (parent.id(), view, number);
        if let Some(known) = self.children.get(&key) {
            return *known;
        }
        let chain = *self.genesis.chain();
        let body = body(chain, number);
        let header = Header {
            chain,
            height: parent.height.next(),
            parent: parent.id(),
            view,
            proposer: self.genesis.validators().primary(view),
            timestamp_ms: parent.timestamp_ms.saturating_add(1),
            body_root: body.root(),
            transactions: u32::try_from(body.len()).unwrap_or(u32::MAX),
            state_root: root(&parent.id(), &body),
        };
        let id = self.know(Block { header, body });
        self.children.insert(key, id);
        id
    }

    /// What an honest replica has sent, as a word; `None` for what binds nobody.
    pub(super) fn read(&mut self, message: &Message) -> Option<u32> {
        let word = match message {
            Message::PrePrepare(PrePrepare { block, vote }) => {
                let block = self.know(block.clone());
                Word::Proposal { view: vote.statement.view, block }
            }
            Message::Prepare(vote) | Message::Commit(vote) => {
                Word::Vote { replica: vote.replica.get(), statement: vote.statement }
            }
            Message::ViewChange(asked) => Word::Asked {
                replica: asked.replica.get(),
                view: asked.view,
                certified: asked.certified(),
            },
            Message::NewView(shown) => {
                let asked = shown.view_changes.iter();
                let asked = asked.map(|asked| (asked.replica.get(), asked.certified())).collect();
                Word::Shown { view: shown.view, asked }
            }
            Message::Status(_) | Message::Handover(_) => return None,
        };
        Some(self.number(word))
    }

    /// What a receiver takes in; nothing for what is no message. Its own words are handed back to it but for the
    /// new view, which is one word with others.
    pub(super) fn input(&self, word: &Word, receiver: u16) -> Option<Input> {
        let message = match word {
            Word::Timeout => return None,
            Word::Proposal { view, block } => {
                let statement = self.statement(Phase::Prepare, *view, block)?;
                let vote = vote(self.primary(*view), statement);
                Message::PrePrepare(PrePrepare { block: self.block(block)?.clone(), vote })
            }
            Word::Vote { replica, statement } => match statement.phase {
                Phase::Prepare => Message::Prepare(vote(*replica, *statement)),
                Phase::Commit => Message::Commit(vote(*replica, *statement)),
            },
            Word::Asked { replica, view, certified } => {
                Message::ViewChange(self.asked(*replica, *view, *certified, receiver))
            }
            Word::Shown { view, .. } if self.primary(*view) == receiver => return None,
            Word::Shown { view, asked } => Message::NewView(self.shown(*view, asked, receiver)),
            Word::Body { block } => {
                // Anybody may hand it over; a receiver does not listen to itself.
                let replica = ReplicaId::new(u16::from(receiver == 0));
                let block = self.block(block)?.clone();
                Message::Handover(Handover { block, replica, signature: SIGNATURE })
            }
            Word::Proved { block, statement } => {
                let proof = Proof {
                    descendants: self.headers(&statement.block, block)?,
                    certificate: self.certificate(*statement, receiver),
                };
                let block = self.block(block)?.clone();
                return Some(Input::Blocks(vec![Signed::vouched(ProvedBlock { block, proof })]));
            }
        };
        Some(Input::Message(Signed::vouched(message)))
    }

    /// The headers above a block up to one of its descendants, ascending.
    pub(super) fn headers(&self, descendant: &BlockId, block: &BlockId) -> Option<Vec<Header>> {
        let mut headers = Vec::new();
        let mut id = *descendant;
        while id != *block {
            let header = self.block(&id)?.header.clone();
            id = header.parent;
            headers.push(header);
        }
        headers.reverse();
        Some(headers)
    }

    /// A statement about a known block.
    pub(super) fn statement(&self, phase: Phase, view: View, block: &BlockId) -> Option<Statement> {
        let height = self.block(block)?.header.height;
        Some(Statement { phase, view, height, block: *block })
    }

    pub(super) fn primary(&self, view: View) -> u16 {
        self.genesis.validators().primary(view).get()
    }

    /// The vote that a word is, or contains.
    pub(super) fn vote_of(&self, word: &Word) -> Option<Vote> {
        match word {
            Word::Vote { replica, statement } => Some(vote(*replica, *statement)),
            Word::Proposal { view, block } => {
                Some(vote(self.primary(*view), self.statement(Phase::Prepare, *view, block)?))
            }
            Word::Timeout
            | Word::Asked { .. }
            | Word::Shown { .. }
            | Word::Body { .. }
            | Word::Proved { .. } => None,
        }
    }

    /// The view change that a word is.
    pub(super) fn view_change_of(&self, word: &Word) -> Option<ViewChange> {
        match word {
            Word::Asked { replica, view, certified } => {
                Some(self.asked(*replica, *view, *certified, NOBODY))
            }
            Word::Timeout
            | Word::Proposal { .. }
            | Word::Vote { .. }
            | Word::Shown { .. }
            | Word::Body { .. }
            | Word::Proved { .. } => None,
        }
    }

    fn asked(&self, replica: u16, view: View, what: Option<Statement>, to: u16) -> ViewChange {
        let certificate = what.map(|statement| self.certificate(statement, to));
        ViewChange { view, certificate, replica: ReplicaId::new(replica), signature: SIGNATURE }
    }

    fn shown(&self, view: View, asked: &Asked, to: u16) -> NewView {
        let asked = asked.iter();
        let view_changes = asked.map(|(replica, what)| self.asked(*replica, view, *what, to));
        NewView { view, view_changes: view_changes.collect(), signature: SIGNATURE }
    }

    /// A certificate as the receiver is shown it: with the signatures of all others. Whether a quorum made the
    /// statement was asked when the word was said.
    fn certificate(&self, statement: Statement, receiver: u16) -> Certificate {
        let others = self.genesis.validators().iter().map(|(replica, _)| replica);
        let others = others.filter(|replica| replica.get() != receiver);
        Certificate { statement, signatures: others.map(|replica| (replica, SIGNATURE)).collect() }
    }
}

const fn vote(replica: u16, statement: Statement) -> Vote {
    Vote { statement, replica: ReplicaId::new(replica), signature: SIGNATURE }
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |what: &Option<Statement>| match what {
            Some(statement) => format!("with what is {}", certified(statement)),
            None => "with nothing".to_owned(),
        };
        match self {
            Self::Timeout => formatter.write_str("the end of its patience"),
            Self::Proposal { view, block } => {
                write!(formatter, "pre-prepare of {} in view {view}", block.short())
            }
            Self::Vote { replica, statement } => {
                let Statement { phase, view, height, block } = statement;
                let phase = match phase {
                    Phase::Prepare => "prepare",
                    Phase::Commit => "commit",
                };
                let block = block.short();
                write!(
                    formatter,
                    "{phase} of {replica} for {block} at height {height} in view {view}"
                )
            }
            Self::Asked { replica, view, certified } => {
                write!(formatter, "view-change of {replica} to view {view} {}", with(certified))
            }
            Self::Shown { view, asked } => {
                let asked = asked.iter().map(|(who, what)| format!("{who} {}", with(what)));
                write!(formatter, "new-view {view} of {}", asked.collect::<Vec<_>>().join(", "))
            }
            Self::Body { block } => write!(formatter, "body of {}", block.short()),
            Self::Proved { block, statement } => {
                write!(formatter, "block {} with what is {}", block.short(), certified(statement))
            }
        }
    }
}

fn certified(statement: &Statement) -> String {
    let Statement { phase, view, height, block } = statement;
    let phase = match phase {
        Phase::Prepare => "prepared",
        Phase::Commit => "committed",
    };
    format!("{phase} in view {view}: {} at height {height}", block.short())
}

//! The generals over the production core: PBFT among the generals, whose first primary is the commander.
//!
//! The order is the memo of a transfer from the commander's account. A loyal commander proposes it; one who lies signs
//! the opposite as well, with the same nonce, and shows one half of the lieutenants one block and the other half another,
//! and traitors among the lieutenants vote for both. Where the commander is loyal, traitors say nothing: nobody can change
//! what he has signed, so nothing that they can say does more.
//!
//! Unlike OM(m) and SM(m), PBFT has no rounds: messages take as long as they take. So a lieutenant who hears nothing does
//! not retreat, but waits, and asks for another primary.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;

use byzantine::conspiracy::Rival;
use pbft::{Message, Outgoing, Recipients};
use serde::Serialize;
use types::block::{Block, BlockId, Body};
use types::memo::Memo;
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction};

use super::words::{name, names};
use super::{Battle, BattleError, COMMANDER, Judgement, Method, Order, judge};
use crate::keys::{Owner, SignerKind};
use crate::plan::Plan;
use crate::record::Recorder;
use crate::report::{Report, Verdict, run};
use crate::resilience::{Strategy, Trial, plan, traitors};
use crate::world::{Act, Options, QuorumRule};

/// What a network of generals came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// How many generals there are: n.
    pub n: u16,
    /// How many votes make a certificate: q.
    pub q: usize,
    /// By which rule.
    pub quorum: QuorumRule,
    /// The numbers of those who lie.
    pub traitors: BTreeSet<u16>,
    /// The order that the commander gives, or would give if he were loyal.
    pub order: Order,
    /// What was said and committed until every loyal general had decided, in words.
    pub story: Vec<String>,
    /// What each loyal general has committed.
    pub decisions: BTreeMap<u16, Order>,
    /// The loyal generals who have committed no order.
    pub undecided: Vec<u16>,
    /// Whether the conditions hold for those who have decided.
    pub judgement: Judgement,
    /// Every property of the protocol that was broken.
    pub broken: Vec<String>,
    /// The seed of the run.
    pub seed: u64,
}

/// A council: the run of a network, and what its generals came to.
#[derive(Debug, Clone)]
pub struct Council {
    /// What they came to.
    pub agreement: Agreement,
    /// The network.
    pub plan: Plan,
    /// The run in figures.
    pub report: Report,
}

/// Lets the production core decide.
///
/// # Errors
///
/// When there cannot be so many generals, or a traitor is none of them.
pub fn agree(
    n: u16,
    who_lies: BTreeSet<u16>,
    order: Order,
    quorum: QuorumRule,
    seed: u64,
) -> Result<Agreement, BattleError> {
    Ok(council(n, who_lies, order, quorum, seed, None)?.agreement)
}

/// The same, with the run; the recorder keeps what happens in it.
///
/// # Errors
///
/// As of [`agree`].
pub fn council(
    n: u16,
    who_lies: BTreeSet<u16>,
    order: Order,
    quorum: QuorumRule,
    seed: u64,
    recorder: Option<Recorder>,
) -> Result<Council, BattleError> {
    let battle = Battle::new(n, 0, Method::Signed, order, who_lies.clone())?;
    let lies = battle.lies(COMMANDER);
    let strategy = if lies { Strategy::Split } else { Strategy::Silent };
    let t = u16::try_from(who_lies.len()).unwrap_or(n);
    let trial = Trial { n, t, quorum, strategy, seed };

    let mut plan = plan(n, SignerKind::Ed25519);
    plan.load.transfers = 1;
    // Long enough for what was missed to be said again before a view is given up.
    plan.rules.view_timeout_ms = 1_000;
    let loyal: BTreeSet<u16> = (0..n).filter(|general| !battle.lies(*general)).collect();
    let chronicle = Rc::new(RefCell::new(Chronicle::new(n, loyal.clone())));
    let scribe = Rc::clone(&chronicle);
    let options = Options {
        memo: Memo::new(order.to_string()),
        recorder,
        onlooker: Some(Box::new(move |who, act| scribe.borrow_mut().note(who, act))),
        ..traitors(&plan, &trial, who_lies.clone(), countermand(order))
    };
    let report = run(&plan, seed, options);

    let Chronicle { lines, decisions, .. } = chronicle.take();
    let undecided = loyal.into_iter().filter(|it| !decisions.contains_key(it)).collect();
    let broken = match &report.verdict {
        Verdict::Held => Vec::new(),
        Verdict::Violated(broken) => broken.iter().map(ToString::to_string).collect(),
        Verdict::Inconclusive(reason) => vec![format!("inconclusive: {reason}")],
    };
    let validators = quorum.of(&crate::world::genesis(&plan)).validators().clone();
    let agreement = Agreement {
        n,
        q: validators.quorum().q(),
        quorum,
        traitors: who_lies,
        order,
        story: lines.into_iter().map(|line| line.in_words(n)).collect(),
        judgement: judge((!lies).then_some(order), &of_lieutenants(&decisions)),
        decisions,
        undecided,
        broken,
        seed,
    };
    Ok(Council { agreement, plan, report })
}

/// What lieutenants have decided: the conditions are about them.
fn of_lieutenants(decisions: &BTreeMap<u16, Order>) -> BTreeMap<u16, Order> {
    let lieutenants = decisions.iter().filter(|(general, _)| **general != COMMANDER);
    lieutenants.map(|(general, order)| (*general, *order)).collect()
}

/// The rival of the commander's block: with the opposite order, signed by him as well.
fn countermand(order: Order) -> Rival {
    let signer = Owner::Client(0).signer(SignerKind::Ed25519);
    Box::new(move |mut block| {
        let opposite = |signed: &SignedTransaction| {
            let mut transaction = signed.transaction.clone();
            let Action::Transfer(transfer) = &mut transaction.action;
            transfer.memo = Memo::new(order.opposite().to_string());
            SignedTransaction::sign(transaction, signer.as_ref())
        };
        block.body = Body::new(block.body.transactions().iter().map(opposite).collect());
        block.header.body_root = block.body.root();
        block
    })
}

/// What is written down of a run.
#[derive(Debug, Default)]
struct Chronicle {
    n: u16,
    loyal: BTreeSet<u16>,
    /// The order of every block that has one.
    orders: BTreeMap<BlockId, Order>,
    lines: Vec<Line>,
    decisions: BTreeMap<u16, Order>,
}

/// Who did what, and whom he told.
#[derive(Debug)]
struct Line {
    who: u16,
    what: String,
    to: BTreeSet<u16>,
}

impl Chronicle {
    fn new(n: u16, loyal: BTreeSet<u16>) -> Self {
        Self { n, loyal, ..Self::default() }
    }

    /// Writes it down, until every loyal general has decided.
    fn note(&mut self, who: ReplicaId, act: &Act<'_>) -> ControlFlow<()> {
        match act {
            Act::Says(outgoing) => self.says(who, outgoing),
            Act::Commits(block) => self.commits(who.get(), block),
        }
        let decided = !self.loyal.is_empty() && self.decisions.len() == self.loyal.len();
        if decided { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn says(&mut self, who: ReplicaId, outgoing: &Outgoing) {
        if let Message::PrePrepare(proposal) = &outgoing.message {
            self.learn(&proposal.block);
        }
        // What others have said is handed on to who seems to lack it: no news.
        let handed_on = outgoing.message.vote().is_some_and(|vote| vote.replica != who);
        let words = self.words(&outgoing.message).filter(|_| !handed_on);
        let (Some(what), who) = (words, who.get()) else {
            return;
        };
        let to: BTreeSet<u16> = match outgoing.to {
            Recipients::All => (0..self.n).filter(|to| *to != who).collect(),
            Recipients::One(to) => [to.get()].into(),
        };
        let known = self.lines.iter_mut().find(|line| line.who == who && line.what == what);
        match known {
            Some(line) => line.to.extend(to),
            None => self.lines.push(Line { who, what, to }),
        }
    }

    /// A message that is about the order, or about who leads.
    fn words(&self, message: &Message) -> Option<String> {
        let verb = match message {
            Message::PrePrepare(_) => "proposes",
            Message::Prepare(_) => "votes to prepare",
            Message::Commit(_) => "votes to commit",
            Message::ViewChange(asked) => return Some(format!("asks for view {}", asked.view)),
            Message::NewView(led) => return Some(format!("leads view {}", led.view)),
            Message::Status(_) | Message::Handover(_) => return None,
        };
        let statement = message.vote()?.statement;
        let order = self.orders.get(&statement.block)?;
        let view = statement.view;
        Some(if view.get() == 0 {
            format!("{verb} {order}")
        } else {
            format!("{verb} {order} in view {view}")
        })
    }

    fn commits(&mut self, who: u16, block: &Block) {
        self.learn(block);
        let order = self.orders.get(&block.id()).copied();
        if let Some(order) = order.filter(|_| self.loyal.contains(&who)) {
            self.decisions.entry(who).or_insert(order);
            let what = format!("has a certificate: {order}");
            self.lines.push(Line { who, what, to: BTreeSet::new() });
        }
    }

    fn learn(&mut self, block: &Block) {
        let order = block.body.transactions().iter().find_map(|signed| {
            let Action::Transfer(transfer) = &signed.transaction.action;
            Order::ALL.into_iter().find(|order| order.to_string() == transfer.memo.text())
        });
        if let Some(order) = order {
            self.orders.insert(block.id(), order);
        }
    }
}

impl Line {
    fn in_words(self, n: u16) -> String {
        let who = name(self.who);
        let others = usize::from(n.saturating_sub(1));
        let whom: Vec<String> = self.to.iter().map(|to| name(*to)).collect();
        match whom.len() {
            0 => format!("{who} {}", self.what),
            all if all == others => format!("{who} {}, to all", self.what),
            _ => format!("{who} {}, to {}", self.what, whom.join(" and ")),
        }
    }
}

impl Council {
    /// Who lied, and how.
    pub fn liars(&self) -> BTreeMap<u16, Vec<String>> {
        let Agreement { traitors, .. } = &self.agreement;
        let split = traitors.contains(&COMMANDER);
        let how = |general: &u16| match (split, *general == COMMANDER) {
            (true, true) => "as the commander he shows each half of the others another order",
            (true, false) => "he votes for both orders of the commander",
            (false, _) => "he says nothing",
        };
        traitors.iter().map(|general| (*general, vec![how(general).to_owned()])).collect()
    }
}

impl Agreement {
    /// Whether every loyal general has decided and the conditions hold.
    pub fn holds(&self) -> bool {
        self.undecided.is_empty() && self.judgement.holds() && self.broken.is_empty()
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, q, order, .. } = self;
        let traitors = names(&self.traitors);
        writeln!(
            formatter,
            "PBFT, {n} generals, {q} votes make a certificate; the order is {order}; traitors: {traitors}"
        )?;
        for line in &self.story {
            writeln!(formatter, "  {line}")?;
        }
        writeln!(formatter, "decisions")?;
        for (lieutenant, order) in &self.decisions {
            writeln!(formatter, "  {}: {order}", name(*lieutenant))?;
        }
        for lieutenant in &self.undecided {
            writeln!(formatter, "  {}: none, he waits for a certificate", name(*lieutenant))?;
        }
        write!(formatter, "{}", self.judgement)?;
        for broken in &self.broken {
            write!(formatter, "\nbroken: {broken}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

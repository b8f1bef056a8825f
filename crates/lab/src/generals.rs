//! The Byzantine Generals: who gives an order to whom when some of them lie, and what the loyal ones do.
//!
//! Lamport, Shostak and Pease, "The Byzantine Generals Problem" (ACM TOPLAS 4(3), 1982). A commander gives an order to
//! his lieutenants, and two interactive consistency conditions are asked for: **IC1**, all loyal lieutenants obey the
//! same order; **IC2**, if the commander is loyal, every loyal lieutenant obeys the order that he gives. The paper's two
//! algorithms are played here, message by message:
//!
//! - [`Method::Oral`] is OM(m): a message is as good as its bearer. It holds with m traitors exactly when n > 3m;
//! - [`Method::Signed`] is SM(m): nobody can change what another has signed. It holds for any n.
//!
//! Liars choose from everything that the paper allows ([`Lies`]), or try it all ([`worst()`]). Beside it stands what has
//! become of the problem since: [`agree()`] has the order decided by the production core, in a network whose first
//! primary is the commander. Whether the conditions hold is said by [`judge()`], which knows of no algorithm.
//!
//! Generals have numbers: the commander is 0, lieutenants are 1 to n − 1. Time goes in rounds, the first of them the
//! commander's: OM(m) and SM(m) have m + 1. What a traitor does not say counts as retreat in OM(m), as in the paper, so
//! in it a silent traitor is one that says retreat.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use thiserror::Error;

mod consensus;
mod judge;
mod lies;
mod oral;
mod signed;
pub(crate) mod words;
mod worst;

pub use consensus::{Agreement, Council, agree, council};
pub use judge::{Judgement, judge};
pub use lies::Lies;
pub use worst::{Worst, worst};

use crate::keys::{REPLICAS_MAX, SignerKind};
use lies::Liar;

/// The most generals: each has a key.
pub const GENERALS_MAX: u16 = REPLICAS_MAX;

/// The most messages of one battle, by the formula of [`messages_of_rounds`].
pub const MESSAGES_MAX: u64 = 100_000;

/// The number of the commander.
pub(crate) const COMMANDER: u16 = 0;

/// What a general can do. Who knows nothing retreats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Attack.
    Attack,
    /// Retreat.
    Retreat,
}

impl Order {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Attack, Self::Retreat];

    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Attack => Self::Retreat,
            Self::Retreat => Self::Attack,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Attack => "attack",
            Self::Retreat => "retreat",
        })
    }
}

/// How messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By word of mouth: OM(m).
    Oral,
    /// Signed by everybody through whose hands they go: SM(m).
    Signed,
}

/// Who is there, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Battle {
    /// How many generals there are: n.
    n: u16,
    /// How many traitors the algorithm is to bear: it passes orders on in m rounds.
    m: u16,
    /// How messages are sent.
    method: Method,
    /// The order that the commander gives, or would give if he were loyal.
    order: Order,
    /// The numbers of those who lie.
    traitors: BTreeSet<u16>,
}

/// Why there is no such battle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BattleError {
    /// Too few generals, or too many.
    #[error(
        "{found} generals: there are 2 to {GENERALS_MAX}, a commander and his lieutenants; change -n"
    )]
    Generals {
        /// How many were asked for.
        found: u16,
    },
    /// More traitors than generals.
    #[error("{found} traitors among {n} generals: there are 0 to {n}; change --traitors")]
    Traitors {
        /// How many were asked for.
        found: usize,
        /// How many generals there are.
        n: u16,
    },
    /// A traitor that there is not.
    #[error("general {found} cannot be a traitor: {n} generals have the numbers 0 to n - 1")]
    NoSuchGeneral {
        /// The number.
        found: u16,
        /// How many generals there are.
        n: u16,
    },
    /// More messages than anybody wants to read.
    #[error(
        "OM({m}) among {n} generals sends {messages} messages, more than {MESSAGES_MAX}: take a smaller -n or -m"
    )]
    TooManyMessages {
        /// Traitors that the algorithm is to bear.
        m: u16,
        /// Generals.
        n: u16,
        /// How many messages it would be.
        messages: u64,
    },
}

impl Battle {
    /// A battle of `n` generals who pass orders on in `m` rounds.
    ///
    /// # Errors
    ///
    /// When there cannot be so many generals, traitors or messages.
    pub fn new(
        n: u16,
        m: u16,
        method: Method,
        order: Order,
        traitors: BTreeSet<u16>,
    ) -> Result<Self, BattleError> {
        if !(2..=GENERALS_MAX).contains(&n) {
            return Err(BattleError::Generals { found: n });
        }
        if let Some(found) = traitors.iter().copied().find(|traitor| *traitor >= n) {
            return Err(BattleError::NoSuchGeneral { found, n });
        }
        let messages = messages_of_rounds(n, m).into_iter().fold(0, u64::saturating_add);
        if messages > MESSAGES_MAX {
            return Err(BattleError::TooManyMessages { m, n, messages });
        }
        Ok(Self { n, m, method, order, traitors })
    }

    /// How many generals there are: n.
    pub const fn n(&self) -> u16 {
        self.n
    }

    /// How many traitors the algorithm is to bear: m.
    pub const fn m(&self) -> u16 {
        self.m
    }

    /// How messages are sent.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The order that the commander gives, or would give if he were loyal.
    pub const fn order(&self) -> Order {
        self.order
    }

    /// The numbers of those who lie.
    pub const fn traitors(&self) -> &BTreeSet<u16> {
        &self.traitors
    }

    /// Plays it.
    pub fn fight(&self, lies: Lies) -> Report {
        self.fight_with(&mut Liar::new(lies), SignerKind::Ed25519)
    }

    fn fight_with(&self, liar: &mut Liar, signer: SignerKind) -> Report {
        let (messages, decisions) = match self.method {
            Method::Oral => oral::fight(self, liar),
            Method::Signed => signed::fight(self, liar, signer),
        };
        let commander = (!self.lies(COMMANDER)).then_some(self.order);
        let obeyed = decisions.iter().map(|decision| (decision.lieutenant, decision.order));
        Report {
            battle: self.clone(),
            judgement: judge(commander, &obeyed.collect()),
            count: Count::of(self, &messages),
            messages,
            decisions,
        }
    }

    fn lies(&self, general: u16) -> bool {
        self.traitors.contains(&general)
    }

    /// All generals but those through whose hands a message went.
    fn others<'a>(&self, path: &'a [u16]) -> impl Iterator<Item = u16> + use<'a> {
        (0..self.n).filter(|general| !path.contains(general))
    }

    fn loyal_lieutenants(&self) -> impl Iterator<Item = u16> {
        (1..self.n).filter(|lieutenant| !self.lies(*lieutenant))
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// In which round, from 1.
    pub round: u16,
    /// Through whose hands the order is said to have gone: the commander first, the sender last.
    pub path: Vec<u16>,
    /// Who gets it.
    pub to: u16,
    /// The order that it tells of.
    pub order: Order,
    /// Whether a loyal general in the sender's place would have told of another.
    pub lie: bool,
    /// Why the one who gets it does not believe it.
    pub refused: Option<Refused>,
}

/// Why a signed message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// As many signatures as rounds have passed are needed, the commander's first, by generals who are all different
    /// and not the one who gets it.
    Signers,
    /// A signature is not of the general who is said to have signed.
    Signature {
        /// Who is said to have signed.
        general: u16,
    },
}

/// What a loyal lieutenant does in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Who.
    pub lieutenant: u16,
    /// What he weighed: in OM(m) a vote of each lieutenant, his own first; in SM(m) the different orders that he has
    /// seen signed.
    pub weighed: Vec<Order>,
    /// What he does.
    pub order: Order,
}

/// How many messages were sent, beside what the paper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What was sent, by round.
    pub rounds: Vec<u64>,
    /// What OM(m) sends by round: n − 1, (n − 1)(n − 2), and so on, m + 1 numbers. SM(m) sends at most that
    /// many of each of the two orders.
    pub formula: Vec<u64>,
}

impl Count {
    fn of(battle: &Battle, messages: &[Sent]) -> Self {
        let in_round = |round| messages.iter().filter(|sent| sent.round == round).count();
        let rounds = (1..=battle.m.saturating_add(1)).map(in_round);
        Self {
            rounds: rounds.map(|count| u64::try_from(count).unwrap_or(u64::MAX)).collect(),
            formula: messages_of_rounds(battle.n, battle.m),
        }
    }
}

/// What was sent, what came of it, and whether it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who was there.
    pub battle: Battle,
    /// Everything that was sent, in order.
    pub messages: Vec<Sent>,
    /// What every loyal lieutenant does.
    pub decisions: Vec<Decision>,
    /// Whether the conditions hold.
    pub judgement: Judgement,
    /// How many messages there were.
    pub count: Count,
}

/// The messages of OM(m) by round, from the paper's recursion: OM(m) sends n − 1 messages and lets each of the n − 1
/// lieutenants be the commander of an OM(m − 1) among those who are left. So the last round has the paper's
/// (n − 1)(n − 2) … (n − m − 1).
pub fn messages_of_rounds(n: u16, m: u16) -> Vec<u64> {
    let mut product: u64 = 1;
    let rounds = (0..=m).map(|round| {
        let left = n.saturating_sub(1).saturating_sub(round);
        product = product.saturating_mul(u64::from(left));
        product
    });
    rounds.collect()
}

#[cfg(test)]
mod tests;

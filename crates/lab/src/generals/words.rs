//! A battle told in words.

use std::fmt;

use super::{COMMANDER, Decision, Judgement, Method, Order, Refused, Report, Sent};

/// A general, as he is called.
pub(crate) fn name(general: u16) -> String {
    if general == COMMANDER { "the commander".to_owned() } else { format!("lieutenant {general}") }
}

/// Generals by name, or nobody.
pub(crate) fn names<'a>(generals: impl IntoIterator<Item = &'a u16>) -> String {
    let names: Vec<String> = generals.into_iter().map(|general| name(*general)).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// An algorithm by name, such as OM(1).
pub(crate) fn algorithm(method: Method, m: u16) -> String {
    match method {
        Method::Oral => format!("OM({m})"),
        Method::Signed => format!("SM({m})"),
    }
}

impl Decision {
    /// What he weighed, in words.
    pub(crate) fn weighed_in_words(&self) -> String {
        let weighed: Vec<String> = self.weighed.iter().map(Order::to_string).collect();
        if weighed.is_empty() { "nothing".to_owned() } else { weighed.join(", ") }
    }
}

impl Sent {
    /// The message in words: who tells whom what.
    pub fn in_words(&self, method: Method) -> String {
        let Some((sender, before)) = self.path.split_last() else {
            return String::new();
        };
        let (from, to, order) = (name(*sender), name(self.to), self.order);
        let told = match method {
            Method::Oral => {
                let hearsay: Vec<String> =
                    before.iter().rev().map(|it| format!("{} said ", name(*it))).collect();
                format!("{from} tells {to}: {}{order}", hearsay.join("that "))
            }
            Method::Signed => {
                let signers: Vec<String> = self.path.iter().map(|it| name(*it)).collect();
                format!("{from} shows {to}: {order}, signed by {}", signers.join(" and "))
            }
        };
        let lie = if self.lie { " (a lie)" } else { "" };
        let refused = match self.refused {
            None => String::new(),
            Some(Refused::Signers) => "; refused, not signed by those who must".to_owned(),
            Some(Refused::Signature { general }) => {
                format!("; refused, {} has not signed that", name(general))
            }
        };
        format!("{told}{lie}{refused}")
    }
}

impl Judgement {
    /// The two conditions, each with whether it holds.
    pub(crate) const fn in_words(&self) -> [(&'static str, &'static str); 2] {
        let ic1 = if self.ic1 { "holds" } else { "broken" };
        let ic2 = match self.ic2 {
            Some(true) => "holds",
            Some(false) => "broken",
            None => "says nothing, the commander is a traitor",
        };
        [
            ("IC1, all loyal lieutenants obey the same order", ic1),
            ("IC2, they obey the order of a loyal commander", ic2),
        ]
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(one, ic1), (two, ic2)] = self.in_words();
        write!(formatter, "{one}: {ic1}\n{two}: {ic2}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let battle = &self.battle;
        let algorithm = algorithm(battle.method, battle.m);
        let (n, order, traitors) = (battle.n, battle.order, names(&battle.traitors));
        writeln!(
            formatter,
            "{algorithm}, {n} generals; the order is {order}; traitors: {traitors}"
        )?;
        let mut round = 0;
        for sent in &self.messages {
            if sent.round > round {
                round = sent.round;
                writeln!(formatter, "round {round}")?;
            }
            writeln!(formatter, "  {}", sent.in_words(battle.method))?;
        }
        writeln!(formatter, "decisions")?;
        for decision in &self.decisions {
            let (who, order) = (name(decision.lieutenant), decision.order);
            let weighed = decision.weighed_in_words();
            writeln!(formatter, "  {who} weighs {weighed}: {order}")?;
        }
        writeln!(formatter, "{}", self.count_in_words())?;
        write!(formatter, "{}", self.judgement)
    }
}

impl Report {
    /// How many messages there were, beside the formula.
    pub(crate) fn count_in_words(&self) -> String {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        let (sent, formula) = (sum(&self.count.rounds), sum(&self.count.formula));
        let n = self.battle.n;
        let factors = |round: u16| {
            let factors: Vec<String> =
                (1..=round).map(|it| n.saturating_sub(it).to_string()).collect();
            factors.join("·")
        };
        let terms: Vec<String> = (1..=self.battle.m.saturating_add(1)).map(factors).collect();
        let limit = match self.battle.method {
            Method::Oral => "the formula says",
            Method::Signed => "of each order the formula allows",
        };
        format!("{sent} messages; {limit} {} = {formula}", terms.join(" + "))
    }
}

//! What was seen against what was expected, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::check::list;
use crate::expect::{Expect, Fails};
use crate::faulty::{at_the_end, faulty_at};
use crate::situation::{Scenario, Situation};

/// What was seen in a run, whoever made it. Honest are all validators that no attack lets lie.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Seen {
    /// When the run ended, in milliseconds.
    pub end_ms: u64,
    /// The height that each validator has committed at the end; those that do not run may be missing.
    pub heights: BTreeMap<u16, u64>,
    /// Two blocks at one height, if honest validators committed such.
    pub fork: Option<Fork>,
    /// Every other property that was broken, in a sentence.
    pub broken: Vec<String>,
    /// Transfers that clients have sent.
    pub sent: u64,
    /// Transfers that were sent and are not final.
    pub waiting: u64,
    /// The longest that a transfer took, or has waited so far, in milliseconds.
    pub longest_wait_ms: u64,
    /// When an honest validator last committed a height that none had committed before, in milliseconds.
    pub last_commit_ms: u64,
    /// Whom honest validators have proved a lie.
    pub culprits: BTreeSet<u16>,
    /// Whose conviction stands in a committed block.
    pub convicted: BTreeSet<u16>,
    /// Blocks that were proposed and are not part of the chain.
    pub forks: u64,
    /// The latest view that an honest validator has entered.
    pub view: u64,
}

/// Two blocks at one height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// The height.
    pub height: u64,
    /// Which honest validators committed which block: the number, and the id or as much of it as is known.
    pub blocks: Vec<(u16, String)>,
}

/// One expectation, and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Whether that is the same.
    pub holds: bool,
}

/// What is to be said about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Whether everything was as expected.
    pub as_expected: bool,
    /// In a sentence: both properties held, or which failed and why.
    pub verdict: String,
    /// Each expectation.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Judgement {
    /// The verdict, and a line for each expectation: `+` for those that were met, `!` for those that were not.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = if self.as_expected { "as expected" } else { "NOT AS EXPECTED" };
        write!(formatter, "{head}: {}", self.verdict)?;
        for Finding { expected, seen, holds } in &self.findings {
            let mark = if *holds { '+' } else { '!' };
            write!(formatter, "\n  {mark} expected: {expected}\n    seen:     {seen}")?;
        }
        Ok(())
    }
}

/// Compares a run with what its scenario expects.
pub fn judge(scenario: &Scenario, one_more: bool, seen: &Seen) -> Judgement {
    let judge = Judge { scenario, situation: scenario.situation(one_more), seen };
    let findings = judge.findings();
    Judgement {
        as_expected: findings.iter().all(|finding| finding.holds),
        verdict: judge.verdict(),
        findings,
    }
}

struct Judge<'s> {
    scenario: &'s Scenario,
    situation: &'s Situation,
    seen: &'s Seen,
}

impl Judge<'_> {
    const fn expect(&self) -> &Expect {
        &self.situation.expect
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = vec![self.agreement()];
        findings.extend(self.nothing_else());
        findings.extend(self.live());
        findings.extend(self.halts());
        findings.extend(self.height());
        findings.extend(self.level());
        let (culprits, convicted) = (&self.seen.culprits, &self.seen.convicted);
        findings.extend(accused(
            self.expect().culprits.as_deref(),
            culprits,
            "proved to have lied",
        ));
        findings.extend(accused(
            self.expect().convicted.as_deref(),
            convicted,
            "convicted on the chain",
        ));
        findings.extend(self.forks());
        findings.extend(self.views());
        findings
    }

    fn agreement(&self) -> Finding {
        let safe = self.expect().safe();
        let expected = if safe {
            "no two honest validators commit different blocks at one height"
        } else {
            "two honest validators commit different blocks at one height"
        };
        Finding {
            expected: expected.to_owned(),
            seen: self.chain(),
            holds: self.seen.fork.is_none() == safe,
        }
    }

    /// What the chain of the honest looks like.
    fn chain(&self) -> String {
        match &self.seen.fork {
            Some(fork) => fork.to_string(),
            None => format!("one chain, {} blocks", self.top()),
        }
    }

    /// Whatever else the protocol promises is kept, unless more lie than it bears.
    fn nothing_else(&self) -> Option<Finding> {
        let broken = &self.seen.broken;
        (self.is_promised() && !broken.is_empty()).then(|| Finding {
            expected: "no other property is broken".to_owned(),
            seen: broken.join("; "),
            holds: false,
        })
    }

    /// Whether no more lie than the network bears.
    fn is_promised(&self) -> bool {
        self.situation.liars().len() <= usize::from(self.scenario.network.liars_max())
    }

    fn live(&self) -> Option<Finding> {
        let within_ms = self.expect().live_within_ms?;
        let Seen { sent, waiting, longest_wait_ms, .. } = self.seen;
        let seen = match (sent, waiting) {
            (0, _) => "no transfer was sent".to_owned(),
            (_, 0) => format!("all {sent} are final, the slowest took {longest_wait_ms} ms"),
            _ => {
                format!("{waiting} of {sent} are not final, one of them after {longest_wait_ms} ms")
            }
        };
        Some(Finding {
            expected: format!("every transfer is final within {within_ms} ms"),
            seen,
            holds: *sent > 0 && *waiting == 0 && *longest_wait_ms <= within_ms,
        })
    }

    fn halts(&self) -> Option<Finding> {
        let from_ms = self.expect().halts_from_ms?;
        let Seen { waiting, last_commit_ms, end_ms, .. } = self.seen;
        // A network that never worked does not show what the faults did.
        let worked = self.top() > 0 && *last_commit_ms > 0;
        Some(Finding {
            expected: format!("nothing is committed after {from_ms} ms, although transfers wait"),
            seen: format!(
                "the last new height ({}) came at {last_commit_ms} ms, and {waiting} transfers wait at {end_ms} ms",
                self.top()
            ),
            holds: worked && *waiting > 0 && *last_commit_ms <= from_ms && *end_ms > from_ms,
        })
    }

    fn height(&self) -> Option<Finding> {
        let least = self.expect().height_min?;
        let top = self.top();
        Some(Finding {
            expected: format!("height {least} or more is committed"),
            seen: format!("height {top}"),
            holds: top >= least,
        })
    }

    fn level(&self) -> Option<Finding> {
        if !self.expect().level {
            return None;
        }
        let n = self.scenario.network.validators;
        let gone = at_the_end(self.situation, n, self.scenario.run_ms);
        let expected: Vec<u16> = (0..n).filter(|it| !gone.contains(it)).collect();
        let heights: Vec<Option<u64>> =
            expected.iter().map(|it| self.seen.heights.get(it).copied()).collect();
        let first = heights.first().copied().flatten();
        let holds = first.is_some() && heights.iter().all(|height| *height == first);
        let each = expected.iter().zip(&heights).map(|(validator, height)| match height {
            Some(height) => format!("{validator} at {height}"),
            None => format!("{validator} does not answer"),
        });
        Some(Finding {
            expected: format!("validators {} end at the same height", list(&expected)),
            seen: each.collect::<Vec<_>>().join(", "),
            holds,
        })
    }

    fn forks(&self) -> Option<Finding> {
        let least = self.expect().forks_min?;
        Some(Finding {
            expected: format!(
                "{least} or more blocks are proposed that do not become part of the chain"
            ),
            seen: self.seen.forks.to_string(),
            holds: self.seen.forks >= least,
        })
    }

    fn views(&self) -> Option<Finding> {
        let (least, most) = (self.expect().view_changes_min, self.expect().view_changes_max);
        let expected = match (least, most) {
            (None, None) => return None,
            (Some(least), None) => format!("{least} view changes or more"),
            (None, Some(most)) => format!("{most} view changes or fewer"),
            (Some(least), Some(most)) => format!("{least} to {most} view changes"),
        };
        let view = self.seen.view;
        Some(Finding {
            expected,
            seen: format!("{view}"),
            holds: least.is_none_or(|least| view >= least) && most.is_none_or(|most| view <= most),
        })
    }

    /// The greatest height that an honest validator has.
    fn top(&self) -> u64 {
        let liars = self.situation.liars();
        let honest = self.seen.heights.iter().filter(|(validator, _)| !liars.contains(validator));
        honest.map(|(_, height)| *height).max().unwrap_or_default()
    }

    /// What became of the two properties.
    fn verdict(&self) -> String {
        let network = &self.scenario.network;
        let (n, q) = (network.validators, network.q());
        let why = self.expect().why.as_deref();
        if let Some(fork) = &self.seen.fork {
            let liars = self.situation.liars();
            let reason = why.filter(|_| self.expect().fails == Some(Fails::Agreement));
            let reason = reason.map_or_else(String::new, |why| format!(" {why}"));
            return format!(
                "agreement failed: {fork}. {} of {n} lie ({}), and a certificate takes q = {q} votes.{reason}",
                liars.len(),
                list(&liars),
            );
        }
        if self.is_promised() && !self.seen.broken.is_empty() {
            return format!("a property was broken: {}", self.seen.broken.join("; "));
        }
        let from_ms = self.expect().halts_from_ms;
        let stands = from_ms.is_some_and(|from_ms| self.seen.last_commit_ms <= from_ms);
        if self.seen.waiting == 0 || (from_ms.is_some() && !stands) {
            return format!(
                "agreement and progress held: {}, {} of {} transfers final",
                self.chain(),
                self.seen.sent.saturating_sub(self.seen.waiting),
                self.seen.sent
            );
        }
        let at_ms = from_ms.unwrap_or(self.seen.last_commit_ms);
        let faulty = faulty_at(self.situation, n, at_ms);
        let left = usize::from(n).saturating_sub(faulty.len());
        let reason = why.filter(|_| self.expect().fails == Some(Fails::Progress));
        let reason = reason.map_or_else(String::new, |why| format!(" {why}"));
        format!(
            "progress failed: nobody has committed anything since {} ms (height {}), and {} transfers wait. {} of {n} \
             are faulty ({}), {left} are left, and a certificate takes q = {q} votes.{reason}",
            self.seen.last_commit_ms,
            self.top(),
            self.seen.waiting,
            faulty.len(),
            list(&faulty),
        )
    }
}

/// Exactly these were accused.
fn accused(expected: Option<&[u16]>, seen: &BTreeSet<u16>, what: &str) -> Option<Finding> {
    let expected: BTreeSet<u16> = expected?.iter().copied().collect();
    let named = |who: &BTreeSet<u16>| match who.len() {
        0 => format!("nobody is {what}"),
        1 => format!("validator {} is {what}", list(who)),
        _ => format!("validators {} are {what}", list(who)),
    };
    Some(Finding { expected: named(&expected), seen: named(seen), holds: expected == *seen })
}

impl fmt::Display for Fork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "two blocks at height {}:", self.height)?;
        for (index, (validator, block)) in self.blocks.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(formatter, "{comma} validator {validator} has {block}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Lost proposals as a table, and in words why each was lost.

use std::collections::BTreeMap;
use std::io::{self, Write};

use api::types::{BlockSummary, EvidenceSummary, ForkWinner, SignedStatement};
use serde::Serialize;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::replica::ReplicaId;
use types::vote::Phase;

use super::merge::{Fork, Merged};
use crate::commands::evidence::name;
use crate::output::{BAD, DIM, GOOD, Report, WARN, styled};
use crate::table::{self, Align};

/// Digits of an id that are shown.
const ID_DIGITS: usize = 8;

/// Every lost proposal that anybody told of.
#[derive(Debug, Serialize)]
pub(super) struct ForksReport {
    asked: String,
    forks: Vec<Row>,
    /// Who saw more than it kept, and how often.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    forgotten: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// A lost proposal.
#[derive(Debug, Serialize)]
struct Row {
    height: u64,
    view: u64,
    block: String,
    proposer: String,
    why: &'static str,
    /// Why, as a sentence.
    reason: String,
    seen_by: Vec<String>,
    held_by: Vec<String>,
    prepares: Vec<String>,
    commits: Vec<String>,
    refused: Vec<Refused>,
    left: Vec<Left>,
    winner: Option<ForkWinner>,
    /// What the proposer signed.
    proposed: SignedStatement,
    /// What the proposer signed for another block at this place.
    rival: Option<SignedStatement>,
    /// The evidence that is kept of these two statements.
    evidence: Option<String>,
    header: Option<BlockSummary>,
}

/// Who refused it, and by which rule.
#[derive(Debug, Serialize)]
struct Refused {
    by: String,
    rule: String,
}

/// Who left the view, and for which one.
#[derive(Debug, Serialize)]
struct Left {
    by: String,
    view: u64,
}

impl ForksReport {
    /// One row for each proposal, from the highest down.
    pub(super) fn new(
        genesis: &Genesis,
        asked: String,
        merged: Merged<'_>,
        evidence: Vec<EvidenceSummary>,
    ) -> Self {
        let problems = merged.problems();
        let Merged { forks, forgotten, .. } = merged;
        let rows = forks.into_values().rev().map(|fork| Row::new(genesis, fork, &evidence));
        Self { asked, forks: rows.collect(), forgotten, problems }
    }
}

impl Row {
    fn new(genesis: &Genesis, fork: Fork, evidence: &[EvidenceSummary]) -> Self {
        let (place, lost) = (fork.lost.place(), &fork.lost);
        let proposer = name(genesis, lost.proposer());
        let evidence = lost.rival.and_then(|rival| {
            let ids = [(rival, lost.proposed), (lost.proposed, rival)]
                .map(|(first, second)| Evidence::Votes { first, second }.id());
            evidence.iter().map(|piece| piece.id).find(|id| ids.contains(id))
        });
        let evidence = evidence.map(|id| id.to_string());
        let cause = match (fork.refused.is_empty(), lost.rival, fork.left.is_empty()) {
            (false, _, _) => "refused",
            (true, Some(_), _) => "rival",
            (true, None, false) => "view-left",
            (true, None, true) => "outvoted",
        };
        let voters = |phase| names(genesis, lost.voters(phase));
        Self {
            height: place.height.get(),
            view: place.view.get(),
            block: place.block.to_string(),
            // Until another block is committed at its height it may still be.
            why: lost.winner.map_or("undecided", |_| cause),
            reason: reason(genesis, &fork, cause, &proposer, evidence.as_deref()),
            prepares: voters(Phase::Prepare),
            commits: voters(Phase::Commit),
            winner: lost.winner.map(|winner| ForkWinner { block: winner.block, view: winner.view }),
            proposed: (&lost.proposed).into(),
            rival: lost.rival.as_ref().map(SignedStatement::from),
            header: lost.header.as_ref().map(BlockSummary::new),
            refused: fork.refused.iter().cloned().map(|(by, rule)| Refused { by, rule }).collect(),
            left: fork
                .left
                .iter()
                .map(|(by, view)| Left { by: by.clone(), view: view.get() })
                .collect(),
            seen_by: fork.seen_by,
            held_by: fork.held_by,
            proposer,
            evidence,
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.height.to_string(),
            self.view.to_string(),
            short(&self.block),
            self.proposer.clone(),
            list(&self.seen_by),
            list(&self.prepares),
            list(&self.commits),
            self.why.to_owned(),
        ]
    }
}

/// Why a proposal was lost, as a sentence.
fn reason(
    genesis: &Genesis,
    fork: &Fork,
    cause: &str,
    proposer: &str,
    evidence: Option<&str>,
) -> String {
    let lost = &fork.lost;
    let cause = match (cause, fork.refused.first(), &lost.rival, fork.left.first()) {
        ("refused", Some((_, rule)), _, _) => {
            let by: Vec<String> = fork.refused.iter().map(|(by, _)| by.clone()).collect();
            format!("refused by {} ({rule})", list(&by))
        }
        ("rival", _, Some(rival), _) => {
            let pair = Evidence::Votes { first: *rival, second: lost.proposed };
            let proof = match evidence {
                Some(id) => format!("evidence {}", short(id)),
                None if pair.check(genesis.validators()).is_ok() => "both are signed".to_owned(),
                None => "unproved".to_owned(),
            };
            let other = short(&rival.statement.block.to_string());
            format!("{proposer} signed {other} for this place, too: {proof}")
        }
        ("view-left", _, _, Some((_, to))) => {
            format!("view {} was left for view {to}", lost.place().view)
        }
        _ => "too few voted for it".to_owned(),
    };
    let end = match lost.winner {
        Some(winner) => {
            let block = short(&winner.block.to_string());
            format!("{block} was committed, certificate of view {}", winner.view)
        }
        None => "nothing is committed at this height yet".to_owned(),
    };
    format!("{cause}; {end}")
}

fn names(genesis: &Genesis, replicas: impl IntoIterator<Item = ReplicaId>) -> Vec<String> {
    replicas.into_iter().map(|replica| name(genesis, replica)).collect()
}

fn short(id: &str) -> String {
    id.chars().take(ID_DIGITS).collect()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

impl Report for ForksReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.problems {
            writeln!(out, "  {}: {problem}", styled(WARN, "look at this"))?;
        }
        if self.forks.is_empty() {
            let verdict = styled(GOOD, "no proposal was lost");
            return writeln!(out, "  {verdict}: {}", self.asked);
        }
        let columns = [
            ("HEIGHT", Align::Right),
            ("VIEW", Align::Right),
            ("BLOCK", Align::Left),
            ("PROPOSER", Align::Left),
            ("SEEN BY", Align::Left),
            ("PREPARE", Align::Left),
            ("COMMIT", Align::Left),
            ("WHY", Align::Left),
        ];
        let rows: Vec<_> = self.forks.iter().map(Row::cells).collect();
        table::write(out, &columns, &rows)?;
        writeln!(out)?;
        for row in &self.forks {
            let place = styled(DIM, format!("{} at height {}", short(&row.block), row.height));
            writeln!(out, "  {place}: {}", row.reason)?;
        }
        let lost = self.forks.iter().filter(|row| row.winner.is_some()).count();
        let count = styled(BAD, format!("{lost} proposals were lost"));
        let undecided = match self.forks.len().saturating_sub(lost) {
            0 => String::new(),
            undecided => format!(", {undecided} are undecided"),
        };
        writeln!(out, "\n  {count}{undecided}: {}", self.asked)?;
        for (name, times) in &self.forgotten {
            writeln!(out, "  {name} saw such {times} times more than it keeps")?;
        }
        Ok(())
    }
}

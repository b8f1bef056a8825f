//! What was signed, in words; and whether it truly was.

use crypto::signed::Authenticated;
use crypto::verify::{Claim, check_each};
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::replica::ReplicaId;
use types::view_change::{Asked, Opened, ViewChangeStatement};
use types::vote::{Phase, Statement, Vote};

/// Characters of a part of an id or a signature, so that two stand side by side on a terminal.
const PART_CHARS: usize = 32;

/// One statement: labels with their lines.
pub(super) type Said = Vec<(&'static str, Vec<String>)>;

/// Checks every rule and every signature of a piece of evidence.
///
/// # Errors
///
/// The rule, or the signatures, that fail.
pub(crate) fn judge(evidence: &Evidence, genesis: &Genesis) -> Result<(), String> {
    let mut claims: Vec<Claim> = Vec::new();
    evidence.claims(genesis.validators(), &mut claims).map_err(|error| error.to_string())?;
    let holds = check_each(&claims);
    let accused = name(genesis, evidence.accused(genesis.validators()));
    let failed: Vec<&str> = ["first", "second"]
        .into_iter()
        .zip(&holds)
        .filter_map(|(which, holds)| (!holds).then_some(which))
        .collect();
    match failed.as_slice() {
        [] if holds.len() == 2 => Ok(()),
        [] => Err("it makes no claim that could be checked".to_owned()),
        [which] => {
            Err(format!("the signature under the {which} statement is not that of {accused}"))
        }
        [_, ..] => Err(format!("the signatures under both statements are not those of {accused}")),
    }
}

/// A validator's name.
pub(crate) fn name(genesis: &Genesis, replica: ReplicaId) -> String {
    let validator = genesis.validators().get(replica);
    validator.map_or_else(|| format!("replica {replica}"), |validator| validator.name.clone())
}

/// The two statements of a piece.
pub(super) fn statements(evidence: &Evidence, genesis: &Genesis) -> [Said; 2] {
    match evidence {
        Evidence::Votes { first, second }
        | Evidence::Branches { higher: first, lower: second, headers: _ } => {
            [vote(first), vote(second)]
        }
        Evidence::ViewChanges { first, second } => [view_change(first), view_change(second)],
        Evidence::Forgotten { commit, view_change: asked } => [vote(commit), view_change(asked)],
        Evidence::NewViews { first, second } => {
            [new_view(first, genesis), new_view(second, genesis)]
        }
    }
}

/// How the two blocks of a piece are known to be on two branches, where it takes headers to see it.
pub(super) fn ancestry(evidence: &Evidence) -> Option<String> {
    let Evidence::Branches { higher, lower, headers } = evidence else { return None };
    let ancestor = headers.last()?.parent;
    Some(format!(
        "The ancestor at height {} of the block at height {} is {}, by the {} in the evidence, and not {}.",
        lower.statement.height,
        higher.statement.height,
        ancestor.short(),
        match headers.len() {
            1 => "header".to_owned(),
            count => format!("{count} headers"),
        },
        lower.statement.block.short(),
    ))
}

fn vote(vote: &Vote) -> Said {
    let said = &vote.statement;
    let says = match said.phase {
        Phase::Prepare => "\"I accept this block here\"",
        Phase::Commit => "\"a quorum accepted this block\"",
    };
    vec![
        ("signed", vec![format!("a {} vote", phase(said.phase))]),
        ("says", vec![says.to_owned()]),
        ("view", vec![said.view.to_string()]),
        ("height", vec![said.height.to_string()]),
        ("block", parts(&said.block.to_string())),
        ("signature", parts(&vote.signature.to_string())),
    ]
}

fn view_change(asked: &Asked) -> Said {
    let ViewChangeStatement { view, certified } = asked.statement;
    let mut said = vec![
        ("signed", vec!["a view change".to_owned()]),
        ("says", vec![format!("\"let us go to view {view}\"")]),
        ("view", vec![view.to_string()]),
    ];
    match certified {
        None => said.push(("shows", vec!["no certificate".to_owned()])),
        Some(known) => {
            said.push(("shows", vec![certificate(&known)]));
            said.push(("block", parts(&known.block.to_string())));
        }
    }
    said.push(("signature", parts(&asked.signature.to_string())));
    said
}

fn new_view(opened: &Opened, genesis: &Genesis) -> Said {
    let view = opened.statement.view;
    let asked = opened.statement.asked.iter().map(|(replica, known)| {
        let known = known.as_ref().map_or_else(|| "nothing".to_owned(), short);
        format!("{}: {known}", name(genesis, *replica))
    });
    vec![
        ("signed", vec!["a new view".to_owned()]),
        ("says", vec![format!("\"these asked for view {view}\"")]),
        ("view", vec![view.to_string()]),
        ("asked by", asked.collect()),
        ("signature", parts(&opened.signature.to_string())),
    ]
}

fn certificate(known: &Statement) -> String {
    format!("{} of view {}, height {}", certified(known.phase), known.view, known.height)
}

fn short(known: &Statement) -> String {
    format!("view {} height {} {}", known.view, known.height, known.block.short())
}

const fn certified(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "prepared",
        Phase::Commit => "committed",
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "prepare",
        Phase::Commit => "commit",
    }
}

/// A long text without spaces in lines of equal length.
fn parts(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(PART_CHARS).map(|part| part.iter().collect()).collect()
}

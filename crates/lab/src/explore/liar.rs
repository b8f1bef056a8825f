//! Everything that the faulty replicas can sign, given what the honest ones have said.

use std::collections::BTreeSet;

use types::block::BlockId;
use types::mutant;
use types::number::{Height, View};
use types::vote::{Phase, Statement};

use super::Scope;
use super::words::{TIMEOUT, Word, Words};

/// What can be delivered beside what honest replicas have said (`said`): the lies, everything that anybody can cut
/// out of what was said or put together from it, and the end of patience.
pub(super) fn lies(words: &mut Words, scope: &Scope, said: &BTreeSet<u32>) -> BTreeSet<u32> {
    let honest: Vec<Word> = said.iter().filter_map(|word| words.word(*word)).cloned().collect();
    let known = known(words, scope, &honest);
    let certified = certified(words, scope, &known, &honest);
    let mut lies = Vec::new();
    for view in (0..=scope.last_view).map(View::new) {
        about_blocks(words, scope, view, &known, &mut lies);
        about_views(words, scope, view, &honest, &certified, &mut lies);
    }
    lies.extend(known.iter().map(|block| Word::Body { block: *block }));
    proved(words, &certified, &known, &mut lies);
    // The vote in a pre-prepare can be handed on without the block.
    lies.extend(honest.iter().filter_map(|word| {
        let vote = words.vote_of(word)?;
        Some(Word::Vote { replica: vote.replica.get(), statement: vote.statement })
    }));
    let mut lies: BTreeSet<u32> = lies.into_iter().map(|word| words.number(word)).collect();
    lies.insert(TIMEOUT);
    lies
}

/// Every block that there is: what honest replicas have proposed, and what liars make of it in every view that
/// one of them leads, on the genesis and on each other.
fn known(words: &mut Words, scope: &Scope, honest: &[Word]) -> BTreeSet<BlockId> {
    let mut known: BTreeSet<BlockId> = honest.iter().filter_map(proposed).collect();
    let led = (0..=scope.last_view).map(View::new);
    let led: Vec<View> = led.filter(|view| scope.faulty.contains(&words.primary(*view))).collect();
    for height in (0..scope.heights).map(Height::new) {
        let genesis = words.genesis.header().id();
        let parents = known.iter().copied().chain([genesis]);
        let parents = parents.filter_map(|id| words.header(&id).cloned());
        let parents: Vec<_> = parents.filter(|header| header.height == height).collect();
        for parent in &parents {
            for view in &led {
                known.extend((1..=scope.rivals).map(|number| words.child(parent, *view, number)));
            }
        }
    }
    known
}

const fn proposed(word: &Word) -> Option<BlockId> {
    match word {
        Word::Proposal { block, .. } => Some(*block),
        Word::Timeout
        | Word::Vote { .. }
        | Word::Asked { .. }
        | Word::Shown { .. }
        | Word::Body { .. }
        | Word::Proved { .. } => None,
    }
}

/// Proposals and votes.
fn about_blocks(
    words: &Words,
    scope: &Scope,
    view: View,
    known: &BTreeSet<BlockId>,
    lies: &mut Vec<Word>,
) {
    let leads = scope.faulty.contains(&words.primary(view));
    for block in known {
        if leads {
            lies.push(Word::Proposal { view, block: *block });
        }
        for phase in [Phase::Prepare, Phase::Commit] {
            let statement = words.statement(phase, view, block);
            let votes = scope.faulty.iter().filter_map(|replica| {
                Some(Word::Vote { replica: *replica, statement: statement? })
            });
            lies.extend(votes);
        }
    }
}

/// View changes and new views.
fn about_views(
    words: &Words,
    scope: &Scope,
    view: View,
    honest: &[Word],
    certified: &[Statement],
    lies: &mut Vec<Word>,
) {
    if view == View::FIRST {
        return;
    }
    let below = certified.iter().filter(|statement| statement.view < view);
    let shown: Vec<Option<Statement>> =
        std::iter::once(None).chain(below.map(|statement| Some(*statement))).collect();
    for replica in &scope.faulty {
        let asked =
            |what: &Option<Statement>| Word::Asked { replica: *replica, view, certified: *what };
        lies.extend(shown.iter().map(asked));
    }
    if !scope.faulty.contains(&words.primary(view)) && !mutant!(NewViewOfAnybody) {
        return;
    }
    // Of each replica what it asked with, or nothing when it is left out.
    let mut choices: Vec<Vec<(u16, Option<Statement>)>> = vec![Vec::new()];
    for replica in (0..=u16::MAX).take(words.genesis.validators().len()) {
        let own: Vec<Option<Statement>> = if scope.faulty.contains(&replica) {
            shown.clone()
        } else {
            honest.iter().filter_map(|word| asks(word, replica, view)).collect()
        };
        let mut more = choices.clone();
        for choice in &choices {
            for what in &own {
                let mut longer = choice.clone();
                longer.push((replica, *what));
                more.push(longer);
            }
        }
        choices = more;
    }
    let quorum = words.genesis.validators().quorum();
    let enough = if mutant!(NewViewOfFew) { quorum.reply() } else { quorum.q() };
    let choices = choices.into_iter().filter(|asked| asked.len() >= enough);
    lies.extend(choices.map(|asked| Word::Shown { view, asked }));
}

/// What a replica asks for a view with, if this word is that.
fn asks(word: &Word, who: u16, what: View) -> Option<Option<Statement>> {
    match word {
        Word::Asked { replica, view, certified } => {
            (*replica == who && *view == what).then_some(*certified)
        }
        Word::Timeout
        | Word::Proposal { .. }
        | Word::Vote { .. }
        | Word::Shown { .. }
        | Word::Body { .. }
        | Word::Proved { .. } => None,
    }
}

/// Every block that a commit certificate proves, with each that proves it.
fn proved(words: &Words, certified: &[Statement], known: &BTreeSet<BlockId>, lies: &mut Vec<Word>) {
    for statement in certified.iter().filter(|statement| statement.phase == Phase::Commit) {
        let ancestors =
            known.iter().filter(|block| words.headers(&statement.block, block).is_some());
        lies.extend(ancestors.map(|block| Word::Proved { block: *block, statement: *statement }));
    }
}

/// Every statement for which the honest votes and those of all liars make a quorum.
fn certified(
    words: &Words,
    scope: &Scope,
    known: &BTreeSet<BlockId>,
    honest: &[Word],
) -> Vec<Statement> {
    let q = words.genesis.validators().quorum().q();
    let votes: BTreeSet<(Statement, u16)> = honest
        .iter()
        .filter_map(|word| words.vote_of(word))
        .map(|vote| (vote.statement, vote.replica.get()))
        .collect();
    let mut all = Vec::new();
    for view in (0..=scope.last_view).map(View::new) {
        let phases = [Phase::Prepare, Phase::Commit];
        let statements = known.iter().flat_map(|block| phases.map(|phase| (phase, block)));
        let statements =
            statements.filter_map(|(phase, block)| words.statement(phase, view, block));
        all.extend(statements.filter(|statement| {
            let voters = votes.range((*statement, 0)..=(*statement, u16::MAX)).count();
            voters.saturating_add(scope.faulty.len()) >= q || mutant!(CertificateUnchecked)
        }));
    }
    all
}

//! What must hold of everything that honest replicas have said, and of what they have committed.

use std::collections::{BTreeMap, BTreeSet};

use types::block::BlockId;
use types::evidence::Evidence;
use types::number::{Height, View};
use types::view_change::ViewChange;
use types::vote::{Phase, Vote};

use super::Scope;
use super::local::Chain;
use super::words::{Word, Words};

/// The votes that make a certificate, of four replicas: counted here and not asked of what is checked.
const QUORUM: usize = 3;

/// What one replica has said.
struct Own<'a> {
    replica: u16,
    votes: Vec<Vote>,
    asked: Vec<ViewChange>,
    words: &'a Words,
}

/// Whether what an honest replica has said contradicts itself, by rule (S5) or as evidence (S12).
pub(super) fn consistent(words: &Words, replica: u16, said: &BTreeSet<u32>) -> Result<(), String> {
    let said: Vec<&Word> = said.iter().filter_map(|word| words.word(*word)).collect();
    let votes = said.iter().filter_map(|word| words.vote_of(word));
    let asked = said.iter().filter_map(|word| words.view_change_of(word));
    let own = Own {
        replica,
        votes: votes.filter(|vote| vote.replica.get() == replica).collect(),
        asked: asked.filter(|asked| asked.replica.get() == replica).collect(),
        words,
    };
    own.says_one_thing()?;
    own.remembers()?;
    own.cannot_be_accused()
}

impl Own<'_> {
    /// One block for each phase, view and height; prepare votes of a view that are one chain; one view change for
    /// each view.
    fn says_one_thing(&self) -> Result<(), String> {
        let replica = self.replica;
        let mut places: BTreeMap<(Phase, View, Height), BlockId> = BTreeMap::new();
        for vote in &self.votes {
            let it = vote.statement;
            if *places.entry((it.phase, it.view, it.height)).or_insert(it.block) != it.block {
                let (height, view) = (it.height, it.view);
                let sentence = format!("votes twice at height {height} in view {view}");
                return Err(format!("S5: replica {replica} {sentence}"));
            }
        }
        for ((phase, view, height), block) in &places {
            let parent = self.words.block(block).map(|block| block.header.parent);
            let below = height.get().checked_sub(1).map(Height::new);
            let below = below.and_then(|below| places.get(&(*phase, *view, below)));
            if *phase == Phase::Prepare && below.is_some() && below.copied() != parent {
                let sentence = format!("prepare votes of replica {replica} in view {view}");
                return Err(format!("S5: {sentence} are no chain"));
            }
        }
        let mut asked = BTreeMap::new();
        for said in &self.asked {
            let what = said.certified().map(|it| (it.view, it.height, it.block));
            if *asked.entry(said.view).or_insert(what) != what {
                return Err(format!("S5: replica {replica} asks twice for view {}", said.view));
            }
        }
        Ok(())
    }

    /// No view change shows less than was voted to commit in the views before.
    fn remembers(&self) -> Result<(), String> {
        for asked in &self.asked {
            let shown = asked.certified().map(|it| (it.view, it.height));
            let forgot = self.votes.iter().map(|vote| vote.statement).any(|said| {
                let place = Some((said.view, said.height));
                said.phase == Phase::Commit && said.view < asked.view && shown < place
            });
            if forgot {
                let (replica, view) = (self.replica, asked.view);
                return Err(format!("S5: replica {replica} forgets a commit vote for view {view}"));
            }
        }
        Ok(())
    }

    /// No two of its words are evidence, by the production code's own rules.
    fn cannot_be_accused(&self) -> Result<(), String> {
        let validators = self.words.genesis.validators();
        let mut accusations = Vec::new();
        for (place, first) in self.votes.iter().enumerate() {
            for second in self.votes.iter().skip(place.saturating_add(1)) {
                accusations.push(Evidence::Votes { first: *first, second: *second });
                accusations.extend(self.branches(*first, *second));
            }
        }
        for (place, first) in self.asked.iter().enumerate() {
            for second in self.asked.iter().skip(place.saturating_add(1)) {
                let (first, second) = (first.into(), second.into());
                accusations.push(Evidence::ViewChanges { first, second });
            }
            accusations.extend(
                self.votes.iter().map(|commit| Evidence::Forgotten {
                    commit: *commit,
                    view_change: first.into(),
                }),
            );
        }
        match accusations.iter().find(|evidence| evidence.check(validators).is_ok()) {
            Some(evidence) => {
                let (kind, replica) = (evidence.name(), self.replica);
                Err(format!("S12: evidence of {kind} accuses the honest replica {replica}"))
            }
            None => Ok(()),
        }
    }

    fn branches(&self, first: Vote, second: Vote) -> Option<Evidence> {
        let rising = first.statement.height <= second.statement.height;
        let (lower, higher) = if rising { (first, second) } else { (second, first) };
        let mut headers = Vec::new();
        let mut id = higher.statement.block;
        for _ in lower.statement.height.get()..higher.statement.height.get() {
            let header = self.words.block(&id)?.header.clone();
            id = header.parent;
            headers.push(header);
        }
        Some(Evidence::Branches { higher, lower, headers })
    }
}

/// Whether a quorum of votes was given for everything that certificates in a chain are for.
pub(super) fn proved(
    words: &Words,
    scope: &Scope,
    said: &BTreeSet<u32>,
    chain: &Chain,
) -> Result<(), String> {
    for (_, statement) in chain.iter() {
        let voters: BTreeSet<u16> = said
            .iter()
            .filter_map(|word| words.vote_of(words.word(*word)?))
            .filter(|vote| vote.statement == *statement)
            .map(|vote| vote.replica.get())
            .chain(scope.faulty.iter().copied())
            .collect();
        if voters.len() < QUORUM {
            let (height, view) = (statement.height, statement.view);
            return Err(format!(
                "S4: height {height} was committed in view {view} by {} votes",
                voters.len()
            ));
        }
    }
    Ok(())
}

/// Whether two chains have different blocks at one height.
pub(super) fn differ(one: &Chain, other: &Chain) -> bool {
    one.iter().zip(other.iter()).any(|((one, _), (other, _))| one != other)
}

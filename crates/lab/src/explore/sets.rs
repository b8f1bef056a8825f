//! What was said, and the sets of states that replicas may be in then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::local::{Chain, Locals, SILENCE, Step};
use super::words::{Word, Words};
use super::{Scope, judge, liar};

/// All that was ever said by anybody is one soup from which everything can be delivered again.
pub(super) struct Soup {
    /// The words of honest replicas.
    pub(super) honest: BTreeSet<u32>,
    /// Everything that can be delivered, lies and the end of patience included, ascending.
    pub(super) all: Vec<u32>,
    /// All states of each replica that were met with this soup.
    met: BTreeMap<u16, Arc<Vec<u32>>>,
}

/// A set of states of one replica, closed under what changes nothing for the others.
pub(super) struct Set {
    soup: u32,
    /// Ascending.
    pub(super) members: Arc<Vec<u32>>,
    /// What is said next, and the states behind it, ascending.
    pub(super) next: BTreeMap<u32, Vec<u32>>,
    /// What its members have committed.
    pub(super) chains: BTreeSet<Chain>,
}

/// Why a search ends early.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// A property was broken.
    Broken {
        /// Which, by whom.
        sentence: String,
        /// The states in which it shows; none when it shows in what was said.
        states: Vec<u32>,
        /// The word that the first of them takes last, on which it breaks.
        word: Option<u32>,
    },
    /// There are more states than were to be looked at.
    Bound,
}

/// All soups and sets that were met.
pub(super) struct Sets {
    pub(super) scope: Scope,
    pub(super) words: Words,
    pub(super) locals: Locals,
    pub(super) honest: Vec<u16>,
    soups: Vec<Soup>,
    soup_numbers: BTreeMap<BTreeSet<u32>, u32>,
    sets: Vec<Set>,
    set_numbers: BTreeMap<(u32, [u8; 32]), u32>,
    /// Equal members are kept once.
    members: BTreeMap<[u8; 32], Arc<Vec<u32>>>,
    /// Sets under more words than they were closed under.
    wider: BTreeMap<(u32, u32), u32>,
    /// Sets behind an emission.
    behind: BTreeMap<(u32, u32, u32), u32>,
    marks: Vec<u32>,
    mark: u32,
    /// Pairs of a soup and a state of one replica that it may be in then.
    pub(super) states: u64,
}

impl Sets {
    pub(super) fn new(scope: Scope, words: Words, honest: Vec<u16>) -> Self {
        Self {
            locals: Locals::new(scope.clone()),
            scope,
            words,
            honest,
            soups: Vec::new(),
            soup_numbers: BTreeMap::new(),
            sets: Vec::new(),
            set_numbers: BTreeMap::new(),
            members: BTreeMap::new(),
            wider: BTreeMap::new(),
            behind: BTreeMap::new(),
            marks: Vec::new(),
            mark: 0,
            states: 0,
        }
    }

    pub(super) fn set(&self, set: u32) -> Option<&Set> {
        self.sets.get(index(set))
    }

    pub(super) fn soup(&self, soup: u32) -> Option<&Soup> {
        self.soups.get(index(soup))
    }

    /// How many different soups there were.
    pub(super) const fn soups(&self) -> usize {
        self.soups.len()
    }

    pub(super) fn step(&mut self, local: u32, word: u32) -> Result<Step, End> {
        let step = self.locals.step(&mut self.words, local, word);
        step.map_err(|sentence| End::Broken { sentence, states: vec![local], word: Some(word) })
    }

    /// What was said before and what is said now, judged when it is met first.
    pub(super) fn said(&mut self, before: Option<u32>, emission: &[u32]) -> Result<u32, End> {
        let broken = |sentence| End::Broken { sentence, states: Vec::new(), word: None };
        let before = before.and_then(|before| self.soup(before)).map(|soup| &soup.honest);
        let mut honest = before.cloned().unwrap_or_default();
        // A new view is one word with others of equal meaning, so a second one may be one said before.
        let view = |word: &u32| match self.words.word(*word)? {
            Word::Shown { view, .. } => Some(*view),
            Word::Timeout
            | Word::Proposal { .. }
            | Word::Vote { .. }
            | Word::Asked { .. }
            | Word::Body { .. }
            | Word::Proved { .. } => None,
        };
        let entered: Vec<_> = honest.iter().filter_map(view).collect();
        if let Some(again) = emission.iter().filter_map(view).find(|view| entered.contains(view)) {
            return Err(broken(format!("S5: the primary of view {again} makes it twice")));
        }
        honest.extend(emission);
        if let Some(number) = self.soup_numbers.get(&honest) {
            return Ok(*number);
        }
        for replica in &self.honest {
            judge::consistent(&self.words, *replica, &honest).map_err(broken)?;
        }
        let mut all = liar::lies(&mut self.words, &self.scope, &honest);
        all.extend(&honest);
        let number = u32::try_from(self.soups.len()).unwrap_or(u32::MAX);
        let (all, met) = (all.into_iter().collect(), BTreeMap::new());
        self.soups.push(Soup { honest: honest.clone(), all, met });
        self.soup_numbers.insert(honest, number);
        Ok(number)
    }

    /// A set when more can be delivered.
    pub(super) fn widen(&mut self, replica: u16, set: u32, soup: u32) -> Result<u32, End> {
        if let Some(known) = self.wider.get(&(set, soup)) {
            return Ok(*known);
        }
        let members = self.set(set).map(|set| set.members.to_vec()).unwrap_or_default();
        let wider = self.close(replica, members, Some(set), soup)?;
        self.wider.insert((set, soup), wider);
        Ok(wider)
    }

    /// The states of a set behind what they say next.
    pub(super) fn behind(
        &mut self,
        replica: u16,
        set: u32,
        emission: u32,
        soup: u32,
    ) -> Result<u32, End> {
        if let Some(known) = self.behind.get(&(set, emission, soup)) {
            return Ok(*known);
        }
        let members = self.set(set).and_then(|set| set.next.get(&emission)).cloned();
        let behind = self.close(replica, members.unwrap_or_default(), None, soup)?;
        self.behind.insert((set, emission, soup), behind);
        Ok(behind)
    }

    /// Everything that these states can silently become. What `before` has seen already is not
    /// delivered to its members again.
    pub(super) fn close(
        &mut self,
        replica: u16,
        seeds: Vec<u32>,
        before: Option<u32>,
        soup: u32,
    ) -> Result<u32, End> {
        let all = self.soup(soup).map(|soup| soup.all.clone()).unwrap_or_default();
        let known = before.and_then(|before| self.set(before));
        let seen = known.and_then(|set| self.soup(set.soup)).map(|soup| soup.all.as_slice());
        let seen = seen.unwrap_or_default();
        let fresh: Vec<u32> =
            all.iter().filter(|word| seen.binary_search(word).is_err()).copied().collect();
        let old = if known.is_some() { seeds.len() } else { 0 };
        let mut behind = known.map(|set| set.next.clone()).unwrap_or_default();
        let mut next: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        self.mark = self.mark.saturating_add(1);
        let mut members = Vec::new();
        for seed in seeds {
            self.join(seed, &mut members);
        }
        let mut at = 0;
        while let Some(local) = members.get(at).copied() {
            let deliver = if at < old { &fresh } else { &all };
            for word in deliver {
                let (to, emission) = self.step(local, *word)?;
                if emission == SILENCE {
                    self.join(to, &mut members);
                } else {
                    next.entry(emission).or_default().insert(to);
                }
            }
            at = at.saturating_add(1);
            if self.states.saturating_add(count(at)) > self.scope.states_max {
                return Err(End::Bound);
            }
        }
        members.sort_unstable();
        for (emission, more) in next {
            let states = behind.entry(emission).or_default();
            states.extend(more);
            states.sort_unstable();
            states.dedup();
        }
        self.intern(replica, soup, members, behind)
    }

    /// Adds a state unless it is there.
    fn join(&mut self, local: u32, members: &mut Vec<u32>) {
        let place = index(local);
        if self.marks.len() <= place {
            self.marks.resize(place.saturating_add(1), 0);
        }
        if let Some(mark) = self.marks.get_mut(place).filter(|mark| **mark != self.mark) {
            *mark = self.mark;
            members.push(local);
        }
    }

    fn intern(
        &mut self,
        replica: u16,
        soup: u32,
        members: Vec<u32>,
        next: BTreeMap<u32, Vec<u32>>,
    ) -> Result<u32, End> {
        let mut hasher = blake3::Hasher::new();
        for member in &members {
            hasher.update(&member.to_le_bytes());
        }
        let digest = *hasher.finalize().as_bytes();
        if let Some(number) = self.set_numbers.get(&(soup, digest)) {
            return Ok(*number);
        }
        let chains = members.iter().filter_map(|local| self.locals.chain(*local)).cloned();
        let chains: BTreeSet<Chain> = chains.collect();
        let said = self.soup(soup).map(|soup| soup.honest.clone()).unwrap_or_default();
        for chain in &chains {
            if let Err(sentence) = judge::proved(&self.words, &self.scope, &said, chain) {
                let with = |local: &&u32| self.locals.chain(**local) == Some(chain);
                let states = members.iter().find(with).into_iter().copied().collect();
                return Err(End::Broken { sentence, states, word: None });
            }
        }
        let members = Arc::clone(self.members.entry(digest).or_insert_with(|| Arc::new(members)));
        self.note(replica, soup, &members);
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(Set { soup, members, next, chains });
        self.set_numbers.insert((soup, digest), number);
        Ok(number)
    }

    /// Counts the states that were not met with this soup before.
    fn note(&mut self, replica: u16, soup: u32, members: &Arc<Vec<u32>>) {
        let Some(soup) = self.soups.get_mut(index(soup)) else {
            return;
        };
        let met = soup.met.entry(replica).or_default();
        let before = met.len();
        if met.is_empty() {
            *met = Arc::clone(members);
        } else {
            let both: BTreeSet<u32> = met.iter().chain(members.iter()).copied().collect();
            if both.len() > before {
                *met = Arc::new(both.into_iter().collect());
            }
        }
        self.states = self.states.saturating_add(count(met.len().saturating_sub(before)));
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! The search through configurations.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use types::address::Address;
use types::amount::Amount;
use types::genesis::{Genesis, GenesisBuilder};
use types::parameters::Parameters;
use types::validators::Validator;

use super::local::{Chain, Local, SILENCE};
use super::route::{Phase, route};
use super::sets::{End, Set, Sets, count};
use super::words::{TIMEOUT, Words};
use super::{Counterexample, Delivery, Progress, Scope, Search, judge};
use crate::keys::{Owner, peer_id};

/// The network of a scope.
pub(super) const REPLICAS: u16 = 4;

/// How many configurations are looked at between two reports of progress.
const PROGRESS: usize = 256;

/// The most configurations that are looked at again in order to find a shorter counterexample.
const SHORTER_MAX: usize = 200_000;

/// The set of states of each honest replica; what is said is the same for all.
pub(super) type Places = [u32; 4];

/// Searches a scope, depth first. What it has seen is told from time to time.
///
/// # Panics
///
/// When the genesis of four replicas is none, which would be a bug.
pub fn explore(scope: &Scope, progress: &mut dyn FnMut(Progress)) -> Search {
    let mut explorer = Explorer::new(scope.clone());
    let end = explorer.run(Order::DepthFirst, progress).err();
    let mut search = explorer.report(end.is_none());
    if let Some(End::Broken { .. }) = &end {
        let longer = explorer.counterexample(end);
        let again = explorer.run(Order::BreadthFirst, &mut |_| {}).err();
        search.broken = explorer.counterexample(again).or(longer);
    }
    search
}

/// In which order configurations are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The one met last comes first: everything, with the least waiting.
    DepthFirst,
    /// The one met first comes first: the first counterexample is one of the shortest.
    BreadthFirst,
}

/// A configuration, and how it was come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) sets: Places,
    pub(super) soup: u32,
    before: usize,
    /// Who said what last: the place of the replica, and its emission.
    said: (usize, u32),
}

/// A search that is going on.
pub(super) struct Explorer {
    pub(super) sets: Sets,
    /// Each honest replica as it was started.
    pub(super) started: Vec<u32>,
    pub(super) nodes: Vec<Node>,
    met: BTreeSet<Places>,
    frontier: VecDeque<usize>,
    /// The most states of the network that one configuration of a soup stands for.
    largest: BTreeMap<u32, u128>,
    committing: BTreeMap<u64, u64>,
    /// The configuration whose successor was being made, and what is said on the way.
    at: Option<(usize, (usize, u32))>,
}

pub(super) fn genesis(heights: u64) -> Genesis {
    let mut builder = GenesisBuilder::local("explore");
    builder.parameters = Parameters {
        window_heights: u16::try_from(heights).unwrap_or(u16::MAX),
        block_transactions_max: 1,
        batch_delay_ms: 0,
        view_timeout_ms: 100,
        ..Parameters::default()
    };
    let validator = |replica| Validator {
        name: format!("v{replica}"),
        key: Owner::Replica(replica).public_key(),
        peer_id: peer_id(replica),
    };
    builder.validators = (0..REPLICAS).map(validator).collect();
    // A genesis wants somebody who could transfer something.
    builder.accounts = vec![(Address::Key(Owner::Client(0).public_key()), Amount::new(1))];
    builder.build().expect("four validators with one account are a genesis")
}

impl Explorer {
    pub(super) fn new(scope: Scope) -> Self {
        let words = Words::new(genesis(scope.heights), scope.faulty.clone());
        let honest = (0..REPLICAS).filter(|replica| !scope.faulty.contains(replica)).collect();
        Self {
            sets: Sets::new(scope, words, honest),
            started: Vec::new(),
            nodes: Vec::new(),
            met: BTreeSet::new(),
            frontier: VecDeque::new(),
            largest: BTreeMap::new(),
            committing: BTreeMap::new(),
            at: None,
        }
    }

    /// Looks at every configuration.
    pub(super) fn run(
        &mut self,
        order: Order,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), End> {
        self.nodes.clear();
        self.met.clear();
        self.frontier.clear();
        self.at = None;
        self.begin()?;
        let mut seen = 0_usize;
        loop {
            let next = match order {
                Order::DepthFirst => self.frontier.pop_back(),
                Order::BreadthFirst => self.frontier.pop_front(),
            };
            let Some(at) = next else {
                return Ok(());
            };
            if order == Order::BreadthFirst && seen >= SHORTER_MAX {
                return Err(End::Bound);
            }
            self.expand(at)?;
            seen = seen.saturating_add(1);
            if seen.is_multiple_of(PROGRESS) {
                progress(Progress {
                    configurations: count(seen),
                    waiting: count(self.frontier.len()),
                    states: self.sets.states,
                });
            }
        }
    }

    /// Starts all replicas at the genesis. What they say first is the first soup.
    pub(super) fn start(&mut self) -> Result<u32, End> {
        let mut said = BTreeSet::new();
        let mut started = Vec::new();
        for replica in self.sets.honest.clone() {
            let sets = &mut self.sets;
            let start = sets.locals.start(&mut sets.words, replica);
            let (local, emission) = start.map_err(|sentence| End::Broken {
                sentence,
                states: Vec::new(),
                word: None,
            })?;
            said.extend(self.sets.locals.emission(emission));
            started.push(local);
        }
        self.started = started;
        let said: Vec<u32> = said.into_iter().collect();
        self.sets.said(None, &said)
    }

    /// The first configuration.
    fn begin(&mut self) -> Result<(), End> {
        let soup = self.start()?;
        let mut places = [0; 4];
        let replicas = self.sets.honest.clone().into_iter().zip(self.started.clone());
        for (place, (replica, local)) in places.iter_mut().zip(replicas) {
            *place = self.sets.close(replica, vec![local], None, soup)?;
        }
        self.reach(places, soup, 0, (0, SILENCE))
    }

    /// Everything that can be said next in a configuration.
    fn expand(&mut self, at: usize) -> Result<(), End> {
        let Some(&Node { sets, .. }) = self.nodes.get(at) else {
            return Ok(());
        };
        for (place, set) in sets.into_iter().enumerate().take(self.sets.honest.len()) {
            let next = self.sets.set(set).map(|set| set.next.keys().copied());
            for emission in next.map(Iterator::collect::<Vec<_>>).unwrap_or_default() {
                self.at = Some((at, (place, emission)));
                self.say(at, place, emission)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, at: usize, place: usize, emission: u32) -> Result<(), End> {
        let Some(&Node { sets, soup, .. }) = self.nodes.get(at) else {
            return Ok(());
        };
        let words = self.sets.locals.emission(emission).to_vec();
        let wider = self.sets.said(Some(soup), &words)?;
        let mut after = sets;
        for ((other, to), replica) in after.iter_mut().enumerate().zip(self.sets.honest.clone()) {
            *to = if other == place {
                self.sets.behind(replica, *to, emission, wider)?
            } else {
                self.sets.widen(replica, *to, wider)?
            };
        }
        self.reach(after, wider, at, (place, emission))
    }

    fn reach(
        &mut self,
        places: Places,
        soup: u32,
        before: usize,
        said: (usize, u32),
    ) -> Result<(), End> {
        if !self.met.insert(places) {
            return Ok(());
        }
        let used: Vec<&Set> = places
            .iter()
            .take(self.sets.honest.len())
            .filter_map(|set| self.sets.set(*set))
            .collect();
        let product = used.iter().fold(1_u128, |product, set| {
            let members = u128::try_from(set.members.len()).unwrap_or(u128::MAX);
            product.saturating_mul(members)
        });
        let largest = self.largest.entry(soup).or_default();
        *largest = product.max(*largest);
        let chains = used.iter().flat_map(|set| &set.chains);
        let views: BTreeSet<u64> =
            chains.flat_map(|chain| chain.iter()).map(|(_, proof)| proof.view.get()).collect();
        for view in views {
            let configurations = self.committing.entry(view).or_default();
            *configurations = configurations.saturating_add(1);
        }
        let forked = forked(&used);
        if let Some(chains) = forked {
            let state = |(place, chain): (usize, &Chain)| {
                let members = used.get(place).into_iter().flat_map(|set| set.members.iter());
                let mut members = members.copied();
                members.find(|local| self.sets.locals.chain(*local) == Some(chain))
            };
            return Err(End::Broken {
                sentence: "S1: two honest replicas commit different blocks at one height"
                    .to_owned(),
                states: chains.into_iter().filter_map(state).collect(),
                word: None,
            });
        }
        self.frontier.push_back(self.nodes.len());
        self.nodes.push(Node { sets: places, soup, before, said });
        Ok(())
    }

    /// How a property was broken, told as one order of deliveries.
    pub(super) fn counterexample(&mut self, end: Option<End>) -> Option<Counterexample> {
        let Some(End::Broken { sentence, states, word }) = end else {
            return None;
        };
        let phases = self.phases();
        let after = match phases.last() {
            Some(last) => {
                let words = self.sets.locals.emission(last.emission).to_vec();
                self.sets.said(Some(last.soup), &words).ok()
            }
            None => self.nodes.first().map(|first| first.soup),
        };
        let mut taken: Vec<(usize, u16, u32, u32)> = Vec::new();
        for (place, replica) in self.sets.honest.clone().into_iter().enumerate() {
            let start = self.started.get(place).copied().unwrap_or_default();
            let goal = states.iter().copied().find(|local| self.sets.locals.is_of(*local, replica));
            let route = route(&mut self.sets, &phases, after, (place, start, goal));
            taken.extend(route.into_iter().map(|(phase, word, said)| (phase, replica, word, said)));
        }
        // Stable: who speaks at the end of a phase comes last in it.
        taken.sort_by_key(|(phase, _, _, said)| (*phase, *said != SILENCE));
        let last = states.first().zip(word);
        if let Some((local, word)) = last {
            let replica = self.sets.locals.state(*local).map(Local::replica);
            taken.push((phases.len(), replica.unwrap_or_default(), word, SILENCE));
        }
        let tell = |taken: &(usize, u16, u32, u32)| self.delivery(taken, &phases);
        let schedule = taken.iter().map(tell).collect();
        Some(Counterexample { sentence, schedule })
    }

    fn delivery(
        &self,
        &(phase, replica, word, said): &(usize, u16, u32, u32),
        phases: &[Phase],
    ) -> Delivery {
        let tell = |word: u32| self.sets.words.word(word).map(ToString::to_string);
        let soup = phases.get(phase).or(phases.last()).map_or(0, |phase| phase.soup);
        let soup = self.sets.soup(soup);
        let before = phases.get(phase).is_some();
        let last = phases.last().filter(|_| !before);
        let spoken = last.map(|last| self.sets.locals.emission(last.emission)).unwrap_or_default();
        let honest = soup.is_some_and(|soup| soup.honest.contains(&word)) || spoken.contains(&word);
        let says = self.sets.locals.emission(said).iter();
        Delivery {
            replica,
            number: word,
            takes: tell(word).unwrap_or_default(),
            lie: !honest && word != TIMEOUT,
            says: says.filter_map(|word| tell(*word)).collect(),
        }
    }

    /// What was said one after the other up to where the search has ended.
    fn phases(&self) -> Vec<Phase> {
        let Some((mut at, mut said)) = self.at else {
            return Vec::new();
        };
        let mut phases = Vec::new();
        while let Some(node) = self.nodes.get(at) {
            let (place, emission) = said;
            phases.push(Phase { soup: node.soup, place, emission });
            if at == 0 {
                break;
            }
            (at, said) = (node.before, node.said);
        }
        phases.reverse();
        phases
    }

    fn report(&self, exhaustive: bool) -> Search {
        Search {
            scope: self.sets.scope.clone(),
            exhaustive,
            configurations: count(self.nodes.len()),
            soups: count(self.sets.soups()),
            states: self.sets.states,
            locals: count(self.sets.locals.len()),
            steps: self.sets.locals.computed,
            words: count(self.sets.words.len()),
            represented: self.largest.values().fold(0, |sum: u128, it| sum.saturating_add(*it)),
            committing: self.committing.clone(),
            broken: None,
        }
    }
}

/// Two replicas, by place, with chains that differ.
fn forked<'a>(sets: &[&'a Set]) -> Option<[(usize, &'a Chain); 2]> {
    for (place, one) in sets.iter().enumerate() {
        for (other_place, other) in sets.iter().enumerate().skip(place.saturating_add(1)) {
            for chain in &one.chains {
                let other = other.chains.iter().find(|other| judge::differ(chain, other));
                if let Some(other) = other {
                    return Some([(place, chain), (other_place, other)]);
                }
            }
        }
    }
    None
}

//! Schedules: who hears whom in which round.

use std::fmt;
use std::str::FromStr;

use byzantine::Random;

/// Who hears the votes to commit of a round. With everybody in a set hearing everything, a set either has a quorum and
/// commits or has none and prepares nothing; with fewer, blocks are prepared that nobody or one alone commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commits {
    /// Everybody in the set of the voter.
    Everybody,
    /// Nobody: they are lost.
    Nobody,
    /// Of the set of the voter this instance alone.
    Only(u8),
}

/// One round: the instances are parted into sets, and hear whoever is in their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round {
    /// The number of each instance's set; a set is numbered when its first instance comes.
    sets: Vec<u8>,
    commits: Commits,
}

impl Round {
    /// A round in which everybody hears everything.
    pub fn whole(instances: usize) -> Self {
        Self { sets: vec![0; instances], commits: Commits::Everybody }
    }

    /// Every way to part so many instances into so many sets at most.
    pub fn all(instances: usize, sets_max: u8) -> Vec<Self> {
        let mut all: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..instances {
            all = all.into_iter().flat_map(|sets| with_one_more(&sets, sets_max)).collect();
        }
        all.into_iter().map(|sets| Self { sets, commits: Commits::Everybody }).collect()
    }

    /// These rounds, each with every choice of who hears the votes to commit.
    pub fn with_commits(rounds: &[Self]) -> Vec<Self> {
        let choices = |round: &Self| {
            let instances = u8::try_from(round.sets.len()).unwrap_or(u8::MAX);
            let only = (0..instances).map(Commits::Only);
            [Commits::Everybody, Commits::Nobody].into_iter().chain(only).collect::<Vec<_>>()
        };
        let with = |round: &Self, commits| Self { commits, ..round.clone() };
        let each = rounds.iter();
        each.flat_map(|round| choices(round).into_iter().map(|it| with(round, it))).collect()
    }

    /// Any round: up to three sets, and in half of them everybody hears the votes to commit.
    pub fn random(instances: usize, random: &mut Random) -> Self {
        let sets = random.between(1, 3);
        let draws: Vec<u64> = (0..instances).map(|_| random.below(sets)).collect();
        let mut known: Vec<u64> = Vec::new();
        let mut number = |draw: &u64| {
            let place = known.iter().position(|it| it == draw).unwrap_or_else(|| {
                known.push(*draw);
                known.len().saturating_sub(1)
            });
            u8::try_from(place).unwrap_or(u8::MAX)
        };
        let sets = draws.iter().map(&mut number).collect();
        let commits = match random.below(4) {
            0 => Commits::Nobody,
            1 => Commits::Only(u8::try_from(random.index(instances)).unwrap_or_default()),
            _ => Commits::Everybody,
        };
        Self { sets, commits }
    }

    /// Whether what one instance sends reaches another one.
    pub(super) fn hears(&self, from: usize, to: usize) -> bool {
        self.sets.get(from).is_some_and(|set| self.sets.get(to) == Some(set))
    }

    /// Whether votes to commit reach an instance.
    pub(super) fn hears_commits(&self, to: usize) -> bool {
        match self.commits {
            Commits::Everybody => true,
            Commits::Nobody => false,
            Commits::Only(only) => usize::from(only) == to,
        }
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.sets.len()
    }

    /// The sets in words, with the names of the instances.
    pub(super) fn in_words(&self, names: &[String]) -> String {
        let mut words = Vec::new();
        for set in 0..=self.sets.iter().copied().max().unwrap_or_default() {
            let pairs = self.sets.iter().zip(names);
            let members: Vec<&str> =
                pairs.filter(|(it, _)| **it == set).map(|(_, name)| name.as_str()).collect();
            words.push(format!("{{{}}}", members.join(" ")));
        }
        let commits = match self.commits {
            Commits::Everybody => String::new(),
            Commits::Nobody => ", votes to commit are lost".to_owned(),
            Commits::Only(only) => {
                let name = names.get(usize::from(only)).map_or("?", String::as_str);
                format!(", {name} alone hears votes to commit")
            }
        };
        words.join(" ") + &commits
    }
}

fn with_one_more(sets: &[u8], sets_max: u8) -> Vec<Vec<u8>> {
    let fresh = sets.iter().max().map_or(0, |set| set.saturating_add(1));
    let last = fresh.min(sets_max.saturating_sub(1));
    (0..=last).map(|set| sets.iter().copied().chain([set]).collect()).collect()
}

/// The set of each instance as a letter, and behind a dot who hears the votes to commit: `.0` nobody, `.2` the instance
/// in the second place alone.
impl fmt::Display for Round {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.sets {
            write!(formatter, "{}", char::from(b'a'.saturating_add(*set)))?;
        }
        match self.commits {
            Commits::Everybody => Ok(()),
            Commits::Nobody => formatter.write_str(".0"),
            Commits::Only(only) => write!(formatter, ".{}", u16::from(only).saturating_add(1)),
        }
    }
}

impl FromStr for Round {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no round, such as aabab or aabab.0");
        let (sets, commits) = match text.split_once('.') {
            Some((sets, number)) => (sets, Some(number.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let commits = match commits.map(|number| number.checked_sub(1)) {
            None => Commits::Everybody,
            Some(None) => Commits::Nobody,
            Some(Some(only)) => Commits::Only(only),
        };
        let set = |letter: u8| letter.checked_sub(b'a').filter(|set| *set < 26).ok_or_else(wrong);
        let sets: Vec<u8> = sets.bytes().map(set).collect::<Result<_, _>>()?;
        if sets.is_empty() { Err(wrong()) } else { Ok(Self { sets, commits }) }
    }
}

/// The rounds of a run, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Schedule(pub Vec<Round>);

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds: Vec<String> = self.0.iter().map(Round::to_string).collect();
        formatter.write_str(&rounds.join("-"))
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split('-').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

//! How traitors choose: by the book, by chance, or by a script that comes to every choice in turn.

use byzantine::Random;

/// How traitors choose what to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// The paper's examples: a commander tells one half this and the other half that, a lieutenant says the opposite of
    /// what he was told.
    Contrary,
    /// By chance, from this seed.
    Seed(u64),
}

/// One who chooses for all traitors of a battle: they may have agreed on anything.
#[derive(Debug)]
pub(super) enum Liar {
    Contrary,
    Chance(Box<Random>),
    /// The choices of this battle, and how many were asked for so far.
    Script(Vec<bool>, usize),
}

impl Liar {
    pub(super) fn new(lies: Lies) -> Self {
        match lies {
            Lies::Contrary => Self::Contrary,
            Lies::Seed(seed) => Self::Chance(Box::new(Random::stream(seed, "generals", &[]))),
        }
    }

    /// The first of all scripts: whatever can be said that is not so is said.
    pub(super) const fn script() -> Self {
        Self::Script(Vec::new(), 0)
    }

    /// One choice. By the book it is `contrary`.
    pub(super) fn choose(&mut self, contrary: bool) -> bool {
        match self {
            Self::Contrary => contrary,
            Self::Chance(random) => random.chance(500),
            Self::Script(choices, asked) => {
                let choice = choices.get(*asked).copied().unwrap_or_else(|| {
                    choices.push(true);
                    true
                });
                *asked += 1;
                choice
            }
        }
    }

    /// Goes on to the script that differs from this one in the last choice that can still be changed; whether there is
    /// one. Every battle asks the same questions after the same answers, so no script is left out.
    pub(super) fn next_script(&mut self) -> bool {
        let Self::Script(choices, asked) = self else {
            return false;
        };
        *asked = 0;
        while choices.pop_if(|last| !*last).is_some() {}
        match choices.last_mut() {
            Some(last) => {
                *last = false;
                true
            }
            None => false,
        }
    }
}

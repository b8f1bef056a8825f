//! Merged states against replicas with histories of their own.

use byzantine::Random;

use crate::explore::Scope;
use crate::explore::local::{Local, SILENCE};
use crate::explore::search::Explorer;
use crate::explore::words::TIMEOUT;

/// A network of replicas that are never merged with others, and the number of the state that the search has for each.
struct Walk {
    replicas: Vec<(Local, u32)>,
    soup: u32,
}

impl Walk {
    fn begin(explorer: &mut Explorer) -> Self {
        let soup = explorer.start().unwrap();
        let state = |local: &u32| (explorer.sets.locals.state(*local).unwrap().clone(), *local);
        Self { replicas: explorer.started.iter().map(state).collect(), soup }
    }

    /// Delivers one word to one replica, and compares.
    fn go_on(&mut self, explorer: &mut Explorer, random: &mut Random) {
        let sets = &mut explorer.sets;
        let soup = sets.soup(self.soup).unwrap();
        let honest: Vec<u32> = soup.honest.iter().copied().chain([TIMEOUT]).collect();
        // Lies are many: half of the time only truth is told, else nothing would ever be agreed on.
        let from = if random.chance(500) { &honest } else { &soup.all };
        let word = *random.pick(from).unwrap();
        let place = random.index(self.replicas.len());
        let (own, number) = &mut self.replicas[place];
        let (expected, said) = sets.step(*number, word).unwrap();
        let taken = sets.locals.take(&sets.words, own, word).unwrap();
        let (found, heard) = match taken {
            Some((next, output)) => {
                let validators = sets.words.genesis.validators();
                for evidence in &output.evidence {
                    let accused = evidence.accused(validators).get();
                    assert!(
                        sets.scope.faulty.contains(&accused),
                        "an honest replica: {evidence:?}"
                    );
                }
                *own = next.clone();
                (sets.locals.intern(next), sets.locals.emitted(&mut sets.words, &output))
            }
            None => (*number, SILENCE),
        };
        let what = sets.words.word(word).unwrap();
        assert_eq!(
            (found, heard),
            (expected, said),
            "a state is not what it is merged with: {what}"
        );
        *number = found;
        if said != SILENCE {
            let words = sets.locals.emission(said).to_vec();
            self.soup = sets.said(Some(self.soup), &words).unwrap();
        }
    }
}

#[test]
fn merged_states_do_what_replicas_with_histories_of_their_own_do() {
    for (faulty, heights) in [(0, 1), (1, 1), (3, 2)] {
        let scope = Scope { faulty: vec![faulty], last_view: 2, heights, ..Scope::default() };
        let mut explorer = Explorer::new(scope);
        let mut random = Random::stream(heights, "walks", &[u64::from(faulty)]);
        let (mut committed, mut changed) = (0, 0);
        for _ in 0..150 {
            let mut walk = Walk::begin(&mut explorer);
            for _ in 0..200 {
                walk.go_on(&mut explorer, &mut random);
            }
            let mut ends = walk.replicas.iter().map(|(local, _)| local);
            committed += usize::from(ends.clone().any(|local| !local.chain().is_empty()));
            changed += usize::from(ends.any(|local| local.view().get() > 0));
        }
        eprintln!("{committed} walks to a commit, {changed} to another view");
        assert!(committed > 5 && changed > 5, "{committed} commits, {changed} view changes");
    }
}

//! The links between the validators of a testnet, cut and healed one direction at a time by `logothete testnet fault`.
//!
//! A cut link loses nothing that TCP would not bring back: what is under way waits, as with packets
//! that are lost and sent again, and so do the ends of connections. What was held back comes when
//! the link heals, however late.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::programs;
use crate::testnet::Testnet;

/// The relays of a testnet, which end with it.
#[derive(Debug)]
pub struct Relays {
    directory: String,
    count: usize,
}

impl Relays {
    /// A testnet that runs, all of whose connections go through relays.
    ///
    /// # Panics
    ///
    /// When it does not come up, or comes up without its relays.
    pub fn up(arguments: &[&str]) -> (Testnet, Self) {
        let mut all = vec!["--relays"];
        all.extend(arguments);
        let testnet = Testnet::up(&all);
        let count = testnet.genesis().validators().len();
        let pid = testnet.relays_pid().expect("the relays run");
        let links = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is ours");
        let sockets = links.flatten().filter_map(|link| fs::read_link(link.path()).ok());
        let sockets = sockets.filter(|target| target.to_string_lossy().starts_with("socket:"));
        // One that takes connections for each validator, and two for each pair of them.
        let (sockets, needed) = (sockets.count(), count + count * (count - 1));
        assert!(sockets >= needed, "only {sockets} sockets of {needed} are at the relays");
        let directory = testnet.directory().to_str().expect("a plain name").to_owned();
        (testnet, Self { directory, count })
    }

    /// From now on nothing that the first of each pair sends reaches the second.
    pub fn cut(&self, directions: &[(usize, usize)]) {
        let mut by_sender: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (from, to) in directions {
            by_sender.entry(*from).or_default().insert(*to);
        }
        for (from, receivers) in by_sender {
            let cuts: Vec<String> = receivers.iter().map(|to| format!("cut=node{to}")).collect();
            let sender = format!("node{from}");
            let mut words = vec![sender.as_str()];
            words.extend(cuts.iter().map(String::as_str));
            self.fault(&words);
        }
    }

    /// From now on nothing passes between validators of different groups. Whoever is in none is
    /// alone.
    pub fn part(&self, groups: &[&[usize]]) {
        self.cut(&apart(self.count, groups));
    }

    /// From now on everything passes again.
    pub fn heal(&self) {
        self.fault(&["clear"]);
    }

    fn fault(&self, words: &[&str]) {
        let mut arguments = vec!["testnet", "--dir", &self.directory, "fault"];
        arguments.extend(words);
        drop(programs::run("logothete", &arguments).with_code(0));
    }
}

/// Every direction between members of different groups, of so many. Whoever is in none is alone.
pub(crate) fn apart(count: usize, groups: &[&[usize]]) -> Vec<(usize, usize)> {
    let group = |index: usize| groups.iter().position(|group| group.contains(&index));
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    let apart = pairs
        .filter(|(from, to)| from != to && (group(*from).is_none() || group(*from) != group(*to)));
    apart.collect()
}

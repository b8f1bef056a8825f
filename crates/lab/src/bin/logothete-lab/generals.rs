//! The Byzantine Generals on a terminal.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use lab::QuorumRule;
use lab::generals::{Battle, Council, Lies, Method, Order, Worst, council, worst};
use lab::render::{self, Dossier};

use crate::folder::Folder;
use crate::output::to_json;
use crate::{Outcome, output};

/// Play the Byzantine Generals, message by message.
///
/// Oral messages, OM(m), unless --signed asks for SM(m). The traitors are the commander, if he lies, and the last
/// lieutenants. Without a seed they lie as in the paper's examples: a commander tells even lieutenants one thing and odd
/// ones another, a lieutenant says the opposite of what he was told.
///
/// With --pbft the production core decides instead, as a network of as many replicas, the commander being the first
/// primary. If he lies, he shows each half of the lieutenants another order, and other traitors vote for both; if he does
/// not, traitors say nothing.
#[derive(Debug, Args)]
pub(crate) struct Generals {
    /// How many generals there are, the commander included
    #[arg(short, default_value_t = 4)]
    n: u16,
    /// How many of them are traitors
    #[arg(long, default_value_t = 1)]
    traitors: u16,
    /// How many traitors the algorithm is to bear; as many as there are when not given
    #[arg(short)]
    m: Option<u16>,
    /// What the commander orders
    #[arg(long, value_enum, default_value_t = Ordered::Attack)]
    order: Ordered,
    /// The commander is one of the traitors
    #[arg(long)]
    commander_lies: bool,
    /// Messages are signed, with Ed25519
    #[arg(long)]
    signed: bool,
    /// The traitors lie by chance, from this seed; with --pbft, the seed of the network
    #[arg(long)]
    seed: Option<u64>,
    /// The production core decides, over messages that take their time
    #[arg(long, conflicts_with_all = ["signed", "m", "worst"])]
    pbft: bool,
    /// How many votes make a certificate
    #[arg(long, value_enum, default_value_t = Rule::Kept, requires = "pbft")]
    quorum: Rule,
    /// Try everything that the traitors can say, whoever they are and whatever the order is
    #[arg(long, conflicts_with_all = ["order", "commander_lies", "seed"])]
    worst: bool,
    /// Try no more lies than so many
    #[arg(long, default_value_t = 200_000, requires = "worst")]
    tries: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: Folder,
}

/// How many votes make a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// As many as the protocol says: any two such groups share more than may lie
    Kept,
    /// More than half, which is not safe
    Majority,
}

impl From<Rule> for QuorumRule {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Kept => Self::Kept,
            Rule::Majority => Self::NaiveMajority,
        }
    }
}

/// An order on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ordered {
    Attack,
    Retreat,
}

impl Ordered {
    const fn name(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::Retreat => "retreat",
        }
    }
}

impl From<Ordered> for Order {
    fn from(ordered: Ordered) -> Self {
        match ordered {
            Ordered::Attack => Self::Attack,
            Ordered::Retreat => Self::Retreat,
        }
    }
}

impl Generals {
    fn method(&self) -> Method {
        if self.signed { Method::Signed } else { Method::Oral }
    }

    fn m(&self) -> u16 {
        self.m.unwrap_or(self.traitors)
    }

    /// How they decide, in a word.
    const fn how(&self) -> &'static str {
        match (self.pbft, self.signed) {
            (true, _) => "pbft",
            (false, true) => "signed",
            (false, false) => "oral",
        }
    }

    /// What the folder is called.
    fn name(&self) -> String {
        let mut name = format!("generals-{}-{}", self.n, self.how());
        if self.commander_lies {
            name += "-commander-lies";
        }
        if self.worst {
            name += "-worst";
        }
        match self.seed {
            Some(seed) => format!("{name}-{seed}"),
            None => name,
        }
    }

    /// The command that repeats it.
    fn repeat(&self) -> String {
        let mut command =
            format!("logothete-lab generals -n {} --traitors {}", self.n, self.traitors);
        if let Some(m) = self.m {
            command += &format!(" -m {m}");
        }
        if self.signed {
            command += " --signed";
        }
        if self.worst {
            return format!("{command} --worst --tries {}", self.tries);
        }
        command += &format!(" --order {}", self.order.name());
        if self.commander_lies {
            command += " --commander-lies";
        }
        if self.pbft {
            command += &format!(" --pbft --quorum {}", QuorumRule::from(self.quorum).name());
        }
        if let Some(seed) = self.seed {
            command += &format!(" --seed {seed}");
        }
        command
    }

    fn who_lies(&self) -> Result<BTreeSet<u16>, String> {
        let (n, traitors) = (self.n, self.traitors);
        let commander = u16::from(self.commander_lies);
        let Some(lieutenants) = traitors.checked_sub(commander) else {
            return Err("a commander who lies is a traitor: --traitors is 1 or more".to_owned());
        };
        let there_are = n.saturating_sub(1);
        if lieutenants > there_are {
            return Err(format!(
                "{lieutenants} lieutenants cannot be traitors, there are {there_are}: \
                 lower --traitors or raise -n"
            ));
        }
        let last = n.saturating_sub(lieutenants)..n;
        Ok((0..commander).chain(last).collect())
    }
}

pub(crate) fn generals(arguments: &Generals) -> Result<Outcome, String> {
    if arguments.worst {
        return every_lie(arguments);
    }
    if arguments.pbft {
        return core_decides(arguments);
    }
    let place = arguments.folder.place(&arguments.name())?;
    let lies = arguments.seed.map_or(Lies::Contrary, Lies::Seed);
    let (n, m, who) = (arguments.n, arguments.m(), arguments.who_lies()?);
    let battle = Battle::new(n, m, arguments.method(), arguments.order.into(), who);
    let report = battle.map_err(|error| error.to_string())?.fight(lies);
    output::tell(&if arguments.json { to_json(&report)? } else { report.to_string() });
    if let Some(place) = place {
        place.write(render::battle(&report, lies, &arguments.repeat()))?;
    }
    Ok(if report.judgement.holds() { Outcome::Held } else { Outcome::Violated })
}

fn core_decides(arguments: &Generals) -> Result<Outcome, String> {
    let place = arguments.folder.place(&arguments.name())?;
    let recorder = arguments.folder.recorder();
    let (n, who, order) = (arguments.n, arguments.who_lies()?, arguments.order.into());
    let (quorum, seed) = (arguments.quorum.into(), arguments.seed.unwrap_or(0));
    let council = council(n, who, order, quorum, seed, recorder.clone());
    let council = council.map_err(|error| error.to_string())?;
    let agreement = &council.agreement;
    output::tell(&if arguments.json { to_json(agreement)? } else { agreement.to_string() });
    let outcome = if agreement.holds() { Outcome::Held } else { Outcome::Violated };
    if let Some((place, recorder)) = place.zip(recorder) {
        let traitors = council.liars();
        let Council { agreement, plan, report } = council;
        let dossier = Dossier {
            title: format!("PBFT, {n} generals, {order}"),
            command: arguments.repeat(),
            plan,
            quorum,
            report,
            recording: recorder.recording(),
            traitors,
            question: None,
            agreement: Some(agreement),
        };
        place.write(dossier.files())?;
    }
    Ok(outcome)
}

fn every_lie(arguments: &Generals) -> Result<Outcome, String> {
    let place = arguments.folder.place(&arguments.name())?;
    let (n, m, traitors) = (arguments.n, arguments.m(), arguments.traitors);
    let worst = worst(n, m, traitors, arguments.method(), arguments.tries)
        .map_err(|error| error.to_string())?;
    output::tell(&if arguments.json { to_json(&worst)? } else { describe(&worst, arguments) });
    if let Some(place) = place {
        place.write(render::worst(&worst, &arguments.repeat()))?;
    }
    Ok(match &worst {
        Worst { first: Some(_), .. } => Outcome::Violated,
        Worst { exhaustive: true, .. } => Outcome::Held,
        Worst { .. } => Outcome::Inconclusive,
    })
}

fn describe(worst: &Worst, arguments: &Generals) -> String {
    let Generals { n, traitors, .. } = arguments;
    let algorithm = if arguments.signed { "SM" } else { "OM" };
    let Worst { tried, exhaustive, broke_ic1, broke_ic2, first, .. } = worst;
    let scope = if *exhaustive { "every lie there is" } else { "there are more lies than these" };
    let mut lines = vec![format!(
        "{algorithm}({}), {n} generals, {traitors} of them traitors: {tried} battles, {scope}",
        arguments.m()
    )];
    match first {
        Some(first) => {
            lines.push(format!("IC1 broken in {broke_ic1}, IC2 broken in {broke_ic2}; the first:"));
            lines.push(String::new());
            lines.push(first.to_string());
        }
        None if *exhaustive => lines.push("IC1 and IC2 hold in every one".to_owned()),
        None => {
            lines.push("inconclusive: IC1 and IC2 hold in these; try more with --tries".to_owned())
        }
    }
    lines.join("\n")
}

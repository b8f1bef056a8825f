//! Walking through a recorded run, event by event, forwards and backwards.
//!
//! A [`Walk`] is a trace and a place in it. Every command is a line of text and gives text to show. What is shown of a
//! place follows from the events up to it and from nothing else, so it is the same from whichever side one comes.

use std::str::FromStr;

use thiserror::Error;

use crate::record::{Event, Happened, State, Trace};
use crate::time::Time;

/// What is done when the user says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// So many events on, or back.
    Move(i64),
    /// To the last event that is not later than a time, in microseconds.
    Time(u64),
    /// To the first commit of a height.
    Height(u64),
    /// To the next false message.
    False,
    /// To the next event with this text in its line.
    Search(String),
    /// What every replica has done so far.
    View,
    /// What can be said.
    Help,
    /// The end.
    Quit,
}

/// What a line is if it is no command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// There is no such command.
    #[error("there is no command {0:?}; ? lists them")]
    Unknown(String),
    /// A number is missing, or is none.
    #[error("{command} needs {needs}, and {found:?} is none")]
    Number {
        /// The command.
        command: &'static str,
        /// What it needs.
        needs: &'static str,
        /// What was given.
        found: String,
    },
    /// There is nothing to look for.
    #[error("/ needs a text to look for, such as /new-view")]
    NothingToFind,
}

/// What can be said, for people.
pub const HELP: &str = "\
n or Enter   the next event         p   the one before
+N or -N     N events on or back    g MS   to a time, in milliseconds
h HEIGHT     the first commit of a height
f            the next false message
/TEXT        the next event that says TEXT
v            where every replica stands and what it has voted for
?            this help              q   the end";

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let line = line.trim();
        if let Some(text) = line.strip_prefix('/') {
            let text = text.trim();
            let nothing = text.is_empty();
            return if nothing {
                Err(CommandError::NothingToFind)
            } else {
                Ok(Self::Search(text.to_owned()))
            };
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "n" => Ok(Self::Move(1)),
            "p" => Ok(Self::Move(-1)),
            "f" => Ok(Self::False),
            "v" => Ok(Self::View),
            "?" | "help" => Ok(Self::Help),
            "q" => Ok(Self::Quit),
            "g" => time(rest.trim()).map(Self::Time),
            "h" => {
                let (command, needs, found) = ("h", "a height", rest.trim().to_owned());
                let height = found.parse().map(Self::Height);
                height.map_err(|_| CommandError::Number { command, needs, found })
            }
            _ if word.starts_with(['+', '-']) => {
                word.parse().map(Self::Move).map_err(|_| CommandError::Unknown(line.to_owned()))
            }
            _ => Err(CommandError::Unknown(line.to_owned())),
        }
    }
}

/// Milliseconds, with up to three decimals, as microseconds.
fn time(text: &str) -> Result<u64, CommandError> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let wrong = || CommandError::Number {
        command: "g",
        needs: "a time in milliseconds",
        found: text.to_owned(),
    };
    let digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
    if rest.len() > 3 || !digits(whole) || !digits(rest) {
        return Err(wrong());
    }
    let ms: u64 = whole.parse().map_err(|_| wrong())?;
    let us: u64 = format!("{rest:0<3}").parse().map_err(|_| wrong())?;
    Ok(ms.saturating_mul(1_000).saturating_add(us))
}

/// A trace and a place in it.
#[derive(Debug, Clone)]
pub struct Walk {
    trace: Trace,
    /// The number of the event that is shown, from 0.
    place: usize,
}

impl Walk {
    /// Begins at the first event.
    pub const fn new(trace: Trace) -> Self {
        Self { trace, place: 0 }
    }

    /// What is shown first: of which run this is.
    pub fn opening(&self) -> String {
        let header = &self.trace.header;
        let mut lines = vec![
            format!("{}, seed {}: {} events", header.title, header.seed, self.trace.events.len()),
            format!("repeat it with: {}", header.command),
        ];
        if !header.traitors.is_empty() {
            let traitors: Vec<String> = header.traitors.iter().map(u16::to_string).collect();
            lines.push(format!("replicas that lie: {}", traitors.join(", ")));
        }
        if header.left_out > 0 {
            lines.push(format!("the recording was full: {} events are not in it", header.left_out));
        }
        lines.push("? lists what can be said".to_owned());
        lines.push(self.screen());
        lines.join("\n")
    }

    /// Does what was said; what is shown then, or `None` at the end.
    pub fn answer(&mut self, line: &str) -> Option<String> {
        let answer = match line.parse::<Command>() {
            Ok(Command::Quit) => return None,
            Ok(Command::Help) => HELP.to_owned(),
            Ok(Command::View) => self.state().table(&self.trace.header.traitors),
            Ok(Command::Move(by)) => self.by(by),
            Ok(Command::Time(us)) => {
                let later = self.trace.events.partition_point(|event| event.at_us <= us);
                self.to(Some(later.saturating_sub(1)), "there is nothing at this time")
            }
            Ok(Command::Height(wanted)) => {
                let is = |event: &Event| matches!(&event.event, Happened::Committed { height, .. } if *height == wanted);
                let place = self.trace.events.iter().position(is);
                self.to(place, &format!("nobody commits height {wanted} in this recording"))
            }
            Ok(Command::False) => {
                let place = self.next_with(|event| event.event.is_false());
                self.to(place, "no false message comes after this one")
            }
            Ok(Command::Search(text)) => {
                let place = self.next_with(|event| event.event.to_string().contains(&text));
                self.to(place, &format!("no event after this one says {text:?}"))
            }
            Err(error) => error.to_string(),
        };
        Some(answer)
    }

    /// The event that one is at.
    pub fn screen(&self) -> String {
        let Some(event) = self.trace.events.get(self.place) else {
            return "nothing happened in this run".to_owned();
        };
        let (number, all) = (self.place.saturating_add(1), self.trace.events.len());
        format!(
            "{number:>6} of {all}  {:>14}  {}",
            Time::from_us(event.at_us).to_string(),
            event.event
        )
    }

    /// What every replica has done up to here.
    pub fn state(&self) -> State {
        let events = self.trace.events.get(..=self.place).unwrap_or_default();
        State::after(self.trace.header.plan.replicas, events)
    }

    fn by(&mut self, by: i64) -> String {
        let last = self.trace.events.len().saturating_sub(1);
        let steps = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        let there = if by < 0 {
            self.place.saturating_sub(steps)
        } else {
            self.place.saturating_add(steps).min(last)
        };
        let end = if by < 0 { "this is the first event" } else { "this is the last event" };
        let place = (there != self.place).then_some(there);
        self.to(place, end)
    }

    fn next_with(&self, is: impl Fn(&Event) -> bool) -> Option<usize> {
        let behind = self.place.saturating_add(1);
        let mut later = self.trace.events.iter().enumerate().skip(behind);
        later.find(|(_, event)| is(event)).map(|(place, _)| place)
    }

    /// Goes there, or says why not.
    fn to(&mut self, place: Option<usize>, otherwise: &str) -> String {
        match place {
            Some(place) => {
                self.place = place;
                self.screen()
            }
            None => format!("{otherwise}\n{}", self.screen()),
        }
    }
}

#[cfg(test)]
mod tests;

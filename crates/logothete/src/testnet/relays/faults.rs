//! What the links of a testnet suffer: the file in which it stands, and what follows from it for one direction.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The longest delay of a link, in milliseconds.
pub(crate) const DELAY_MS_MAX: u64 = 60_000;

/// What a link can suffer, as it is written.
pub(crate) const LINK_FAULTS: &str =
    "omit-send, omit-receive, cut=NODE, delay=MILLISECONDSms and delay=MILLISECONDSms:NODE";

/// Everything that the links of a testnet suffer at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkFaults {
    /// How often it was changed: who says that it follows this number follows this content.
    pub(crate) generation: u64,
    /// What is on.
    pub(crate) on: Vec<LinkFault>,
}

/// What the links of one validator suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkFault {
    /// Whose links.
    pub(crate) node: usize,
    /// What they suffer.
    #[serde(rename = "fault")]
    pub(crate) effect: Effect,
}

/// What a link suffers. Its text is what is typed, and what stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Effect {
    /// Nothing that the validator sends reaches anybody.
    OmitSend,
    /// Nothing that anybody sends reaches the validator.
    OmitReceive,
    /// Nothing that the validator sends reaches this one.
    Cut(usize),
    /// What the validator sends and receives takes so much longer.
    Delay(Duration),
    /// What the validator sends to this one takes so much longer.
    DelayTo(Duration, usize),
}

/// How one direction of a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Nothing passes.
    Dark,
    /// Everything passes, each byte so long after it came.
    After(Duration),
}

impl LinkFaults {
    /// What stands in a file; nothing is on when there is none.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read or was not written by [`LinkFaults::write`].
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|cause| Failure::file("use", path, &cause.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::file("read", path, &error)),
        }
    }

    /// Writes the file as a whole: nobody ever reads half of it.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        replace(path, self)
    }

    /// Adds faults; a delay takes the place of the earlier one of the same links.
    pub(crate) fn add(&mut self, faults: &[LinkFault]) {
        for fault in faults {
            self.on.retain(|earlier| !earlier.is_replaced_by(fault));
            self.on.push(*fault);
        }
    }

    /// How the direction from one validator to another is. Delays of both ends add up.
    pub(crate) fn passage(&self, from: usize, to: usize) -> Passage {
        let mut delay = Duration::ZERO;
        for LinkFault { node, effect } in &self.on {
            match *effect {
                Effect::OmitSend if *node == from => return Passage::Dark,
                Effect::OmitReceive if *node == to => return Passage::Dark,
                Effect::Cut(other) if (*node, other) == (from, to) => return Passage::Dark,
                Effect::Delay(by) if *node == from || *node == to => {
                    delay = delay.saturating_add(by);
                }
                Effect::DelayTo(by, other) if (*node, other) == (from, to) => {
                    delay = delay.saturating_add(by);
                }
                Effect::OmitSend
                | Effect::OmitReceive
                | Effect::Cut(_)
                | Effect::Delay(_)
                | Effect::DelayTo(..) => {}
            }
        }
        Passage::After(delay)
    }
}

impl LinkFault {
    fn is_replaced_by(&self, later: &Self) -> bool {
        let same = match (self.effect, later.effect) {
            (Effect::Delay(_), Effect::Delay(_)) => true,
            (Effect::DelayTo(_, one), Effect::DelayTo(_, other)) => one == other,
            (one, other) => one == other,
        };
        self.node == later.node && same
    }
}

impl Effect {
    /// The validator at the other end, if it is about one link.
    pub(crate) const fn other(self) -> Option<usize> {
        match self {
            Self::Cut(other) | Self::DelayTo(_, other) => Some(other),
            Self::OmitSend | Self::OmitReceive | Self::Delay(_) => None,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OmitSend => formatter.write_str("omit-send"),
            Self::OmitReceive => formatter.write_str("omit-receive"),
            Self::Cut(other) => write!(formatter, "cut=node{other}"),
            Self::Delay(by) => write!(formatter, "delay={}ms", by.as_millis()),
            Self::DelayTo(by, other) => {
                write!(formatter, "delay={}ms:node{other}", by.as_millis())
            }
        }
    }
}

impl FromStr for Effect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let node = crate::cli::node_number;
        match text.split_once('=') {
            None if text == "omit-send" => Ok(Self::OmitSend),
            None if text == "omit-receive" => Ok(Self::OmitReceive),
            Some(("cut", other)) => node(other).map(Self::Cut),
            Some(("delay", rest)) => match rest.split_once(':') {
                None => Ok(Self::Delay(delay(rest)?)),
                Some((by, other)) => Ok(Self::DelayTo(delay(by)?, node(other)?)),
            },
            None | Some(_) => Err(format!("{text:?} is no fault of a link: {LINK_FAULTS} are")),
        }
    }
}

fn delay(text: &str) -> Result<Duration, String> {
    let digits = text.strip_suffix("ms").unwrap_or_default();
    match digits.parse() {
        Ok(number @ 1..=DELAY_MS_MAX) => Ok(Duration::from_millis(number)),
        Ok(_) | Err(_) => {
            Err(format!("{text:?} is no delay: 1ms to {DELAY_MS_MAX}ms are, such as 200ms"))
        }
    }
}

impl TryFrom<String> for Effect {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Effect> for String {
    fn from(effect: Effect) -> Self {
        effect.to_string()
    }
}

/// Writes a document beside a file and renames it: a reader sees the old one or the new one.
///
/// # Errors
///
/// Fails when it cannot be written.
pub(super) fn replace(path: &Path, document: &impl Serialize) -> Result<(), Failure> {
    let temporary = path.with_extension(format!("json.{}", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            serde_json::to_writer(&mut file, document)?;
            file.write_all(b"\n")
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|cause| Failure::file("write", path, &cause))
}

#[cfg(test)]
mod tests;

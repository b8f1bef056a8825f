//! What was said because of an attack, as a result: enough to demand the evidence of it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use byzantine::traitor::Act;
use byzantine::{Deed, Witness};
use pbft::{Message, Outgoing, Recipients};
use program::output::{BAD, Output, Report, styled};
use serde::Serialize;
use types::validators::ValidatorSet;
use types::vote::Vote;

/// Where deeds are told: whole, whoever of this process tells them.
#[derive(Clone)]
pub(crate) struct Telling(Arc<Mutex<(Output, bool)>>);

/// Tells deeds there.
pub(crate) fn telling(output: Output) -> Telling {
    Telling(Arc::new(Mutex::new((output, false))))
}

impl Telling {
    /// Tells a deed. When nobody takes them any more, that is logged once and the attack goes on.
    pub(crate) fn tell(&self, told: &impl Report) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (output, lost) = &mut *held;
        let cause = match output.entry(told) {
            Ok(true) => return,
            Ok(false) => "nobody reads them".to_owned(),
            Err(failure) => failure.text,
        };
        if !std::mem::replace(lost, true) {
            tracing::error!(cause, "deeds are not written any more");
        }
    }
}

/// Tells every deed of a traitor before it is sent.
pub(crate) fn witness(validators: &ValidatorSet, telling: Telling) -> Witness {
    let names: Vec<String> = validators.iter().map(|(_, one)| one.name.clone()).collect();
    Box::new(move |deed| {
        if let Some(told) = Told::of(&deed, &names) {
            telling.tell(&told);
        }
    })
}

/// Something done beside the protocol: an answer, a submission, bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Served {
    attack: &'static str,
    act: &'static str,
    what: String,
}

impl Served {
    /// Because of this attack this was done.
    pub(crate) const fn new(attack: &'static str, act: &'static str, what: String) -> Self {
        Self { attack, act, what }
    }
}

impl Report for Served {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { attack, act, what } = self;
        writeln!(out, "{} {act} {what}", styled(BAD, attack))
    }
}

/// A deed.
#[derive(Debug, Serialize)]
struct Told {
    /// The name of the attack.
    attack: &'static str,
    /// What it did: `says` something, `keeps` a committed block with another proof, `turns-away` a request.
    act: &'static str,
    /// The kind of message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// The name of the validator that it is for, or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// What the message is about.
    #[serde(flatten)]
    about: About,
    /// The transaction that is turned away.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    /// What makes the message authentic.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// What a message is about.
#[derive(Debug, Default, Serialize)]
struct About {
    view: Option<u64>,
    height: Option<u64>,
    block: Option<String>,
}

impl Told {
    /// What is told of a deed; nothing of what is left unsaid.
    fn of(deed: &Deed, names: &[String]) -> Option<Self> {
        let nothing = |act| Self {
            attack: deed.attack,
            act,
            message: None,
            to: None,
            about: About::default(),
            transaction: None,
            signature: None,
        };
        match &deed.act {
            Act::Says(said) => Some(Self::said(deed.attack, said, names)),
            Act::Withholds(_) => None,
            Act::Keeps(proved) => {
                let about = About {
                    height: Some(proved.block.header.height.get()),
                    block: Some(proved.block.id().to_string()),
                    view: None,
                };
                Some(Self { about, ..nothing("keeps") })
            }
            Act::TurnsAway(id) => {
                Some(Self { transaction: Some(id.to_string()), ..nothing("turns-away") })
            }
        }
    }

    fn said(attack: &'static str, said: &Outgoing, names: &[String]) -> Self {
        let to = match said.to {
            Recipients::All => "all".to_owned(),
            Recipients::One(one) => {
                names.get(one.index()).cloned().unwrap_or_else(|| format!("replica {one}"))
            }
        };
        let message = &said.message;
        let (about, signature) = match message {
            Message::PrePrepare(proposal) => (About::vote(&proposal.vote), proposal.vote.signature),
            Message::Prepare(vote) | Message::Commit(vote) => (About::vote(vote), vote.signature),
            Message::ViewChange(asked) => {
                let certified = asked.certificate.as_ref().map(|certificate| certificate.statement);
                let about = About {
                    view: Some(asked.view.get()),
                    height: certified.map(|statement| statement.height.get()),
                    block: certified.map(|statement| statement.block.to_string()),
                };
                (about, asked.signature)
            }
            Message::NewView(new_view) => {
                let tip = new_view.tip();
                let about = About {
                    view: Some(new_view.view.get()),
                    height: tip.map(|statement| statement.height.get()),
                    block: tip.map(|statement| statement.block.to_string()),
                };
                (about, new_view.signature)
            }
            Message::Status(status) => {
                let about = About {
                    view: Some(status.standpoint.view.get()),
                    height: Some(status.standpoint.committed.get()),
                    block: None,
                };
                (about, status.signature)
            }
            Message::Handover(handover) => {
                let about = About {
                    height: Some(handover.block.header.height.get()),
                    block: Some(handover.block.id().to_string()),
                    view: None,
                };
                (about, handover.signature)
            }
        };
        Self {
            attack,
            act: "says",
            message: Some(message.name()),
            to: Some(to),
            about,
            transaction: None,
            signature: Some(signature.to_string()),
        }
    }
}

impl About {
    fn vote(vote: &Vote) -> Self {
        let statement = &vote.statement;
        Self {
            view: Some(statement.view.get()),
            height: Some(statement.height.get()),
            block: Some(statement.block.to_string()),
        }
    }
}

impl Report for Told {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { attack, act, message, to, about, transaction, signature } = self;
        write!(out, "{}", styled(BAD, attack))?;
        match (message, to) {
            (Some(message), Some(to)) => write!(out, " {message} to {to}")?,
            _ => write!(out, " {act}")?,
        }
        if let Some(view) = about.view {
            write!(out, "  view {view}")?;
        }
        if let Some(height) = about.height {
            write!(out, "  height {height}")?;
        }
        let short = |digest: &str| digest.chars().take(8).collect::<String>();
        if let Some(block) = &about.block {
            write!(out, "  block {}", short(block))?;
        }
        if let Some(transaction) = transaction {
            write!(out, "  transaction {}", short(transaction))?;
        }
        if let Some(signature) = signature {
            write!(out, "  signature {}", short(signature))?;
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests;

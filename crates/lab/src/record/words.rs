//! Events, faults and proofs in words.

use std::fmt;

use types::evidence::Evidence;
use types::validators::ValidatorSet;
use types::view_change::{Asked, Opened};
use types::vote::{Phase, Vote};

use super::{Contradiction, Happened, Loss};
use crate::plan::{Death, Moment, Operation, What};

impl fmt::Display for Happened {
    #[expect(clippy::too_many_lines, reason = "one sentence for each event, and nothing else")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { number, from, to, said, attack: None } => {
                write!(f, "replica {from} to {to}: {said} #{number}")
            }
            Self::Sent { number, from, to, said, attack: Some(attack) } => {
                write!(f, "replica {from} to {to}: {said} #{number} FALSE ({attack})")
            }
            Self::Lost { number, from, to, why: Loss::Link } => {
                write!(f, "#{number} from {from} to {to} is lost on the way")
            }
            Self::Lost { number, from, to, why: Loss::Down } => {
                write!(f, "#{number} from {from} is lost: replica {to} does not run")
            }
            Self::Arrived { number, from, to } => {
                write!(f, "#{number} from {from} arrives at replica {to}")
            }
            Self::TurnedAway { number, by, why } => {
                write!(f, "replica {by} turns #{number} away: {why}")
            }
            Self::Ignored { number, by, why } => write!(f, "replica {by} ignores #{number}: {why}"),
            Self::Refused { number, by, height, rule, why } => {
                let which = number.map(|number| format!(" #{number}")).unwrap_or_default();
                write!(f, "replica {by} refuses proposal{which} of height {height}: {why} ({rule})")
            }
            Self::Did { replica, attack, deed } => write!(f, "replica {replica} {deed} ({attack})"),
            Self::TimerFired { replica, timer } => {
                write!(f, "replica {replica}: the {timer} timer fires")
            }
            Self::View { replica, view, primary, entered, voting, timeout_ms } => {
                let verb = match (entered, voting) {
                    (true, true) => "is in",
                    (true, false) => "is in, and does not vote in,",
                    (false, _) => "asks for",
                };
                write!(f, "replica {replica} {verb} view {view}, primary {primary}")?;
                write!(f, ", timeout {timeout_ms} ms")
            }
            Self::Committed { replica, height, view, block, transactions } => {
                write!(f, "replica {replica} commits height {height} {block}")?;
                write!(f, ", proposed in view {view}, transactions: {transactions}")
            }
            Self::Convicted { replica, height, culprit } => {
                write!(
                    f,
                    "replica {replica} convicts replica {culprit}: the proof is in the block"
                )?;
                write!(f, " of height {height}")
            }
            Self::Found { replica, proof } => {
                let Contradiction { culprit, kind, first, second, .. } = proof;
                write!(f, "replica {replica} has a proof that replica {culprit} lied ({kind}): ")?;
                write!(f, "{first}; and {second}")
            }
            Self::Fetched { replica, from, blocks } => {
                write!(f, "replica {replica} takes committed blocks from {from}: {blocks}")
            }
            Self::FetchRefused { replica, from, height } => {
                write!(f, "replica {replica} refuses committed blocks from {from}: ")?;
                write!(f, "that of height {height} proves nothing")
            }
            Self::Started { replica, height } => {
                write!(f, "replica {replica} starts at height {height}")
            }
            Self::Died { replica, how } => write!(f, "replica {replica} dies ({how})"),
            Self::RefusedToStart { replica, why } => {
                write!(f, "replica {replica} does not start: {why}")
            }
            Self::Fault { words, .. } => write!(f, "fault: {words}"),
            Self::FaultEnded { words, .. } => write!(f, "over: {words}"),
            Self::Healed => f.write_str("everything heals"),
            Self::Submitted { client, to, transaction } => {
                write!(f, "client {client} sends request {transaction} to replica {to}")
            }
            Self::Accepted { client, nonce, height, block } => {
                write!(
                    f,
                    "client {client} accepts its request {nonce}: committed at height {height}"
                )?;
                write!(f, " {block}")
            }
            Self::Broken { property, sentence, replica, height } => {
                write!(f, "BROKEN {property}")?;
                if let Some(replica) = replica {
                    write!(f, ", replica {replica}")?;
                }
                if let Some(height) = height {
                    write!(f, ", height {height}")?;
                }
                write!(f, ": {sentence}")
            }
        }
    }
}

/// A fault of a plan in words.
pub fn fault(what: &What) -> String {
    match what {
        What::Crash { replica, death, moment, down_ms } => {
            let how = match death {
                Death::Kill => "is killed",
                Death::PowerCut => "loses its power",
            };
            format!("replica {replica} {how} {} and is down for {down_ms} ms", when(*moment))
        }
        What::Blackout { down_ms, apart_ms } => format!(
            "the power fails everywhere; the first is down for {down_ms} ms, each next one {apart_ms} ms longer"
        ),
        What::Pause { replica, for_ms } => {
            format!("replica {replica} does nothing for {for_ms} ms")
        }
        What::Cut { from, to, for_ms } => {
            format!("nothing goes from replica {from} to replica {to} for {for_ms} ms")
        }
        What::Partition { side, for_ms } => {
            let side: Vec<String> = side.iter().map(u16::to_string).collect();
            let side = side.join(", ");
            format!("nothing goes between replicas {side} and the others for {for_ms} ms")
        }
        What::OmitSend { replica, for_ms } => {
            format!("nothing that replica {replica} sends arrives for {for_ms} ms")
        }
        What::OmitReceive { replica, for_ms } => {
            format!("nothing that is sent to replica {replica} arrives for {for_ms} ms")
        }
        What::Delay { replica, delay_ms, for_ms } => format!(
            "whatever goes from and to replica {replica} takes {delay_ms} ms longer for {for_ms} ms"
        ),
        What::DelayLink { from, to, delay_ms, for_ms } => format!(
            "whatever goes from replica {from} to replica {to} takes {delay_ms} ms longer for {for_ms} ms"
        ),
        What::Weather { loss_per_mille, twice_per_mille, delay_ms, for_ms } => format!(
            "for {for_ms} ms {loss_per_mille} of 1,000 messages are lost, {twice_per_mille} arrive twice, and each \
             takes up to {delay_ms} ms longer"
        ),
        What::SlowDisk { replica, sync_ms, for_ms } => {
            format!("each flush of replica {replica} takes {sync_ms} ms longer for {for_ms} ms")
        }
        What::DiskError { replica, operation, down_ms } => {
            let operation = match operation {
                Operation::Write => "write",
                Operation::Sync => "flush",
            };
            format!(
                "the next {operation} of replica {replica}'s journal fails; it is down for {down_ms} ms"
            )
        }
        What::Clock { replica, shift_ms } => {
            let (by, way) = (shift_ms.unsigned_abs(), if *shift_ms < 0 { "slow" } else { "fast" });
            format!("the clock of replica {replica} is {by} ms {way}")
        }
    }
}

const fn when(moment: Moment) -> &'static str {
    match moment {
        Moment::Any => "at once",
        Moment::BeforeRecords => "before it next writes its journal",
        Moment::Written => "when it has next written its journal and not flushed it",
        Moment::Flushed => "when it has next flushed its journal and said nothing",
        Moment::Committed => "when it next commits",
        Moment::Sending => "in the middle of its next messages",
        Moment::Sent => "behind its next messages",
        Moment::Done => "when it has next set its timers",
    }
}

/// A proof in words: both statements, and why nobody honest says both.
pub fn contradiction(evidence: &Evidence, validators: &ValidatorSet) -> Contradiction {
    let (mut first, mut second) = match evidence {
        Evidence::Votes { first, second } => (vote(first), vote(second)),
        Evidence::Branches { higher, lower, headers: _ } => (vote(lower), vote(higher)),
        Evidence::ViewChanges { first, second } => (asks(first), asks(second)),
        Evidence::Forgotten { commit, view_change } => (vote(commit), asks(view_change)),
        Evidence::NewViews { first, second } => (leads(first), leads(second)),
    };
    // Which of two equal kinds was heard first differs between replicas, and is no difference.
    let alike = !matches!(evidence, Evidence::Branches { .. } | Evidence::Forgotten { .. });
    if alike && second < first {
        std::mem::swap(&mut first, &mut second);
    }
    Contradiction {
        culprit: evidence.accused(validators).get(),
        kind: evidence.name().to_owned(),
        first,
        second,
        wrong: evidence.wrong().to_owned(),
    }
}

fn vote(vote: &Vote) -> String {
    let statement = &vote.statement;
    let phase = match statement.phase {
        Phase::Prepare => "prepare",
        Phase::Commit => "commit",
    };
    let (view, height, block) = (statement.view, statement.height, statement.block.short());
    format!("it votes to {phase} block {block} at height {height} in view {view}")
}

fn asks(asked: &Asked) -> String {
    let view = asked.statement.view;
    match asked.statement.certified {
        Some(known) => {
            let (of, height, block) = (known.view, known.height, known.block.short());
            format!(
                "it asks for view {view} and shows a certificate of height {height}, block {block}, view {of}"
            )
        }
        None => format!("it asks for view {view} and says it has no certificate"),
    }
}

fn leads(led: &Opened) -> String {
    let said = &led.statement;
    let who: Vec<String> = said.asked.iter().map(|(replica, _)| replica.to_string()).collect();
    let who = who.join(", ");
    let from = said.tip().map_or_else(
        || "the genesis".to_owned(),
        |tip| format!("height {}, block {}", tip.height, tip.block.short()),
    );
    format!("it opens view {} from {from}, asked by replicas {who}", said.view)
}

//! What cannot be played with real processes.

use scenario::{Kind, QuorumRule, Scenario};

use crate::failure::Failure;

/// Says why a situation of a scenario cannot be played with real processes.
///
/// # Errors
///
/// [`Exit::Refused`](crate::failure::Exit::Refused) when it cannot.
pub(crate) fn must_fit(scenario: &Scenario, one_more: bool) -> Result<(), Failure> {
    let Some(reason) = misfit(scenario, one_more) else { return Ok(()) };
    let name = &scenario.name;
    let flag = if one_more { " --one-more" } else { "" };
    Err(Failure::refused(format!("{name} cannot be played with real processes: {reason}"))
        .with_hint(format!("`logothete-lab run {name}{flag}` plays it in virtual time")))
}

/// Why it cannot be played, if so.
pub(crate) fn misfit(scenario: &Scenario, one_more: bool) -> Option<&'static str> {
    if scenario.network.quorum == QuorumRule::Majority {
        return Some("no program counts a majority as a quorum, because it is not safe");
    }
    if scenario.network.loss_per_mille > 0 {
        return Some("its links lose messages, and TCP brings back whatever is lost");
    }
    let faults = &scenario.situation(one_more).faults;
    faults.iter().find_map(|fault| match fault.kind {
        Kind::Clock { .. } => Some("all processes of a computer have one clock, and one is skewed"),
        Kind::SlowDisk { .. } => {
            Some("all processes of a computer have the same disk, and one is slow")
        }
        Kind::Crash { .. }
        | Kind::Pause { .. }
        | Kind::OmitSend { .. }
        | Kind::OmitReceive { .. }
        | Kind::Cut { .. }
        | Kind::Partition { .. }
        | Kind::Delay { .. }
        | Kind::DelayLink { .. } => None,
    })
}

#[cfg(test)]
mod tests;

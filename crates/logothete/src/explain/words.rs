//! The explanation in words.

use super::Verdict;
use super::scene::{Members, Scene};

/// Where the network is.
pub(super) fn head(scene: &Scene<'_>) -> String {
    format!(
        "The network {} of {} validators has committed height {} and is in view {}, whose primary is {}.",
        scene.facts.genesis.name(),
        scene.quorum.n(),
        scene.height,
        scene.view,
        scene.name(scene.primary())
    )
}

/// What is the matter; what is waited for; what would help.
pub(super) fn situation(scene: &Scene<'_>, verdict: Verdict) -> (String, String, String) {
    let q = scene.quorum.q();
    let nothing = || "nothing".to_owned();
    let nothing_helps = || "nothing need be done".to_owned();
    match verdict {
        Verdict::Idle => (
            format!("It works and is idle: {q} and more hear one another, and nothing waits."),
            "a transaction".to_owned(),
            nothing_helps(),
        ),
        Verdict::Busy => {
            (format!("It works and is busy: {}.", pending(scene)), nothing(), nothing_helps())
        }
        Verdict::Waiting => {
            let (_, not_voted) = scene.votes();
            let waits_for = waits_for_votes(scene, &not_voted);
            let state = format!("It waits: {}, and {}.", pending(scene), votes(scene));
            let helps = format!(
                "after {} without progress the view is changed; if that goes on, look at the logs of {}",
                seconds(scene.timeout_ms()),
                list(scene, &not_voted)
            );
            (state, waits_for, helps)
        }
        Verdict::PrimarySilent => primary_silent(scene),
        Verdict::ViewChange => view_change(scene),
        Verdict::Slow => slow(scene),
        Verdict::NoQuorum => no_quorum(scene),
        Verdict::Partitioned => partitioned(scene),
    }
}

fn primary_silent(scene: &Scene<'_>) -> (String, String, String) {
    let (primary, wait) = (scene.name(scene.primary()), seconds(scene.timeout_ms()));
    (
        format!(
            "Its primary {primary} is silent while {}; after {wait} without progress the others leave its view.",
            pending(scene)
        ),
        format!("the view change that replaces {primary}"),
        format!("nothing need be done; start {primary} again, so that another one may fail"),
    )
}

fn view_change(scene: &Scene<'_>) -> (String, String, String) {
    let (primary, q) = (scene.name(scene.primary()), scene.quorum.q());
    let asked = scene.asked();
    let mut state = format!(
        "A view change is under way: {} asked for view {}, {q} must",
        if asked.is_empty() { "some".to_owned() } else { list(scene, &asked) },
        scene.view,
    );
    if scene.silent.contains(&scene.primary()) {
        let wait = seconds(scene.timeout_ms());
        state += &format!(
            "; its primary {primary} is silent, too, so after {wait} the next view follows."
        );
        let waits_for = format!("view {}", scene.view.next());
        return (state, waits_for, "nothing need be done but to wait".to_owned());
    }
    state += &format!(", and {primary} must show it.");
    let waits_for = if asked.len() < q {
        format!("{} more to ask for view {}", q.saturating_sub(asked.len()), scene.view)
    } else {
        format!("{primary} to open view {}", scene.view)
    };
    (state, waits_for, "nothing need be done but to wait".to_owned())
}

fn slow(scene: &Scene<'_>) -> (String, String, String) {
    let (now, base) = (seconds(scene.timeout_ms()), seconds(scene.base_ms()));
    let doublings = scene.doublings();
    let mut state = format!(
        "It is slow: {}, and views failed one after another, so that the time given to each has doubled {doublings} \
         times, from {base} to {now}; one commit brings it back.",
        pending(scene)
    );
    let (_, not_voted) = scene.votes();
    if !scene.in_progress().is_empty() {
        state += &format!(" In this view {}.", votes(scene));
    }
    let primary = scene.name(scene.primary());
    let waits_for = if not_voted.is_empty() {
        format!("a proposal of {primary}")
    } else {
        waits_for_votes(scene, &not_voted)
    };
    let helps = format!(
        "look at the log of {primary} and at the network between the validators: messages come late or not at all"
    );
    (state, waits_for, helps)
}

fn no_quorum(scene: &Scene<'_>) -> (String, String, String) {
    let (able, q) = (scene.able.len(), scene.quorum.q());
    let missing = q.saturating_sub(able);
    let away: Members = scene.silent.union(&scene.retired).copied().collect();
    let mut state = format!(
        "It stands still: {able} of {} validators can vote and {q} are needed, so {missing} more must come back.",
        scene.quorum.n()
    );
    if !scene.in_progress().is_empty() {
        state += &format!(" At height {} {}.", scene.height.next(), votes(scene));
    }
    let asked = scene.asked();
    if !asked.is_empty() {
        state += &format!(" {} asked for view {}.", list(scene, &asked), scene.view);
    }
    let names = list(scene, &away);
    (
        state,
        format!("{missing} of {names}"),
        format!(
            "start {missing} of {names}, or mend the way to them; nothing committed is lost, and no view is changed \
             meanwhile"
        ),
    )
}

fn partitioned(scene: &Scene<'_>) -> (String, String, String) {
    let groups: Vec<String> = scene.groups.iter().map(|group| list(scene, group)).collect();
    let groups = groups.join(" | ");
    (
        format!(
            "It stands still: {} validators are up, but of those that hear one another no group has the {} that are \
             needed: {groups}.",
            scene.able.len(),
            scene.quorum.q()
        ),
        format!("connections between {groups}"),
        "mend the network between these groups; their validators need not be started again"
            .to_owned(),
    )
}

/// What else there is to know.
pub(super) fn notes(scene: &Scene<'_>) -> String {
    let mut notes = Vec::new();
    for replica in &scene.silent {
        let since = match scene.age_ms(*replica) {
            Some(ms) => format!("for {}", seconds(ms)),
            None => "since the others started".to_owned(),
        };
        notes.push(format!("Nobody has heard {} {since}.", scene.name(*replica)));
    }
    if !scene.heard_only.is_empty() {
        let names = list(scene, &scene.heard_only);
        notes.push(format!("Not reached from here, but heard by the others: {names}."));
    }
    if !scene.facts.liars.is_empty() {
        let names = list(scene, &scene.facts.liars);
        notes.push(format!(
            "By evidence that holds, {names} lied: it leads no view, and is one of the {} faults that are borne.",
            scene.quorum.t()
        ));
    }
    if !scene.retired.is_empty() {
        let names = list(scene, &scene.retired);
        notes.push(format!(
            "{names} never votes again under its key, whose journal was lost or which spoke elsewhere, and only \
             follows."
        ));
    }
    for (replica, height) in scene.behind() {
        notes.push(format!(
            "{} is far behind, at height {height}, and catches up; its votes count when it is there.",
            scene.name(replica)
        ));
    }
    let spare = scene.able.len().checked_sub(scene.quorum.q());
    if let Some(spare) = spare {
        notes.push(format!("{spare} more may fail before nothing is committed any more."));
    }
    notes.join(" ")
}

fn votes(scene: &Scene<'_>) -> String {
    let (voted, not_voted) = scene.votes();
    format!("votes are there of {}, and none of {}", list(scene, &voted), list(scene, &not_voted))
}

fn waits_for_votes(scene: &Scene<'_>, not_voted: &Members) -> String {
    if not_voted.is_empty() {
        return "votes that were given and did not arrive everywhere".to_owned();
    }
    let voted = scene.quorum.n().saturating_sub(not_voted.len());
    let more = scene.quorum.q().saturating_sub(voted);
    format!("{more} more votes at height {}, of {}", scene.height.next(), list(scene, not_voted))
}

fn pending(scene: &Scene<'_>) -> String {
    match scene.pending() {
        0 => "blocks are in flight".to_owned(),
        1 => "1 transaction waits".to_owned(),
        more => format!("{more} transactions wait"),
    }
}

fn list(scene: &Scene<'_>, members: &Members) -> String {
    let names = scene.names(members);
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// Whole seconds, tenths below ten.
fn seconds(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    if tenths < 100 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} s", tenths / 10)
    }
}

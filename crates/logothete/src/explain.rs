//! Why a network is slow or stands still: a pure function from collected facts to an explanation.
//!
//! Where a validator stands, what it has committed and whose votes it has, it said itself and signed; such a statement is
//! checked against the genesis and counts whoever shows it. How long ago it was heard is the word of the one that
//! heard it. Of heights and views the greatest that t + 1 validators reach is believed: one of them is honest.

mod facts;
mod scene;
mod words;

use serde::Serialize;

pub(crate) use facts::{Asked, Facts};
use scene::Scene;

/// What is the matter with a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Nothing is to be done.
    Idle,
    /// Work is being done.
    Busy,
    /// A block in progress lacks votes.
    Waiting,
    /// The primary is silent, and will be replaced.
    PrimarySilent,
    /// Validators leave a view and have not entered the next.
    ViewChange,
    /// Views failed one after another, so that the time given to each has grown.
    Slow,
    /// Too few validators are there.
    NoQuorum,
    /// Enough are there, and too few of them hear one another.
    Partitioned,
}

/// What is the matter, in fields and in words.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Explanation {
    pub(crate) verdict: Verdict,
    /// One paragraph.
    pub(crate) text: String,
    /// What is waited for.
    pub(crate) waits_for: String,
    /// What would help.
    pub(crate) helps: String,
    pub(crate) height: u64,
    pub(crate) view: u64,
    pub(crate) primary: String,
    /// How many validators there are, and how many votes make a certificate.
    pub(crate) validators: usize,
    pub(crate) quorum: usize,
    /// How many more must come back before anything can be committed.
    pub(crate) missing: usize,
    pub(crate) pending: u64,
    /// How long a view may go without progress.
    pub(crate) timeout_ms: u64,
    pub(crate) answering: Vec<String>,
    /// Who answers nobody.
    pub(crate) silent: Vec<String>,
    /// Who does not answer this command, and is heard by others.
    pub(crate) heard_only: Vec<String>,
    /// Who hears one another, when no group is a quorum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<Vec<String>>,
    /// Who has voted in the phase that the height in progress is in, and who has not.
    pub(crate) voted: Vec<String>,
    pub(crate) not_voted: Vec<String>,
    /// Who asks for the view, while it is changed.
    pub(crate) asked: Vec<String>,
    pub(crate) liars: Vec<String>,
    pub(crate) retired: Vec<String>,
    pub(crate) behind: Vec<String>,
    /// Who shows what others did not sign, or could not be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<String>,
}

/// What the facts amount to.
pub(crate) fn explain(facts: &Facts) -> Explanation {
    let scene = Scene::of(facts);
    let verdict = scene.verdict();
    let (state, waits_for, helps) = words::situation(&scene, verdict);
    let text = [words::head(&scene), state, words::notes(&scene)];
    let text: Vec<String> = text.into_iter().filter(|part| !part.is_empty()).collect();
    let (voted, not_voted) = scene.votes();
    let partitioned = verdict == Verdict::Partitioned;
    Explanation {
        verdict,
        text: text.join(" "),
        waits_for,
        helps,
        height: scene.height.get(),
        view: scene.view.get(),
        primary: scene.name(scene.primary()),
        validators: scene.quorum.n(),
        quorum: scene.quorum.q(),
        missing: scene.quorum.q().saturating_sub(scene.able.len()),
        pending: scene.pending(),
        timeout_ms: scene.timeout_ms(),
        answering: scene.names(facts.witnesses.keys()),
        silent: scene.names(&scene.silent),
        heard_only: scene.names(&scene.heard_only),
        groups: scene
            .groups
            .iter()
            .filter(|_| partitioned)
            .map(|group| scene.names(group))
            .collect(),
        voted: scene.names(&voted),
        not_voted: scene.names(&not_voted),
        asked: scene.names(&scene.asked()),
        liars: scene.names(&facts.liars),
        retired: scene.names(&scene.retired),
        behind: scene.names(scene.behind().keys()),
        problems: facts.problems.clone(),
    }
}

#[cfg(test)]
mod tests;

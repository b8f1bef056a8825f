//! The scenarios that come with the program.

use crate::errors::ScenarioErrors;
use crate::situation::Scenario;
use types::document::suggestion;

/// The file and the text of a shipped scenario.
macro_rules! shipped {
    ($name:literal) => {
        (concat!($name, ".toml"), include_str!(concat!("../../lab/scenarios/", $name, ".toml")))
    };
}

/// The file of each, and its text.
const FILES: &[(&str, &str)] = &[
    shipped!("down-and-back"),
    shipped!("five-bear-one"),
    shipped!("one-of-four-down"),
    shipped!("rolling-restarts"),
    shipped!("stopped-leader"),
    shipped!("two-of-seven-down"),
    shipped!("deaf-backup"),
    shipped!("half-deaf"),
    shipped!("mute-leader"),
    shipped!("one-is-cut-off"),
    shipped!("one-way-link"),
    shipped!("seven-fall-apart"),
    shipped!("bursts"),
    shipped!("hiccups"),
    shipped!("skewed-clock"),
    shipped!("slow-disk"),
    shipped!("slow-link"),
    shipped!("slow-node"),
    shipped!("censor"),
    shipped!("cheating-producer"),
    shipped!("colluders"),
    shipped!("config-store"),
    shipped!("flight-computers"),
    shipped!("forgetful-voter"),
    shipped!("hidden-prepared"),
    shipped!("majority-is-not-enough"),
    shipped!("slow-primary"),
    shipped!("three-generals"),
];

/// All of them, by class and then by name.
///
/// # Errors
///
/// What is wrong with one of them, which a test keeps from happening.
pub fn all() -> Result<Vec<Scenario>, ScenarioErrors> {
    let mut all: Vec<Scenario> =
        FILES.iter().map(|(file, text)| Scenario::parse(file, text)).collect::<Result<_, _>>()?;
    all.sort_by(|one, other| (one.class, &one.name).cmp(&(other.class, &other.name)));
    Ok(all)
}

/// The one of this name.
///
/// # Errors
///
/// A sentence that suggests another name when there is none of this.
pub fn find(name: &str) -> Result<Scenario, ScenarioErrors> {
    let file = format!("{name}.toml");
    match FILES.iter().find(|(known, _)| *known == file) {
        Some((file, text)) => Scenario::parse(file, text),
        None => {
            let known = FILES.iter().filter_map(|(file, _)| file.strip_suffix(".toml"));
            let known: Vec<&str> = known.collect();
            let instead = suggestion(name, &known, "there are");
            Err(ScenarioErrors::found(name, None, format!("no scenario of this name: {instead}")))
        }
    }
}

//! What can be expected of a network. Whatever is not said is not expected.

use serde::Serialize;

/// What is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expect {
    /// The property that fails, when there is more than the network bears; else both hold.
    pub fails: Option<Fails>,
    /// Why it fails, in a sentence.
    pub why: Option<String>,
    /// Every transfer is final within so many milliseconds from when its client first sent it.
    pub live_within_ms: Option<u64>,
    /// From here on, in milliseconds, nothing is committed any more although transfers wait.
    pub halts_from_ms: Option<u64>,
    /// An honest validator commits this height, or a greater one.
    pub height_min: Option<u64>,
    /// At the end all honest validators that run, and that no fault cuts off for good, have committed the same height.
    pub level: bool,
    /// Exactly these are proved to have lied.
    pub culprits: Option<Vec<u16>>,
    /// Exactly these are convicted: the proof stands in a committed block.
    pub convicted: Option<Vec<u16>>,
    /// At least so many blocks were proposed and did not become part of the chain.
    pub forks_min: Option<u64>,
    /// Honest validators leave at least so many views.
    pub view_changes_min: Option<u64>,
    /// Honest validators leave at most so many views.
    pub view_changes_max: Option<u64>,
}

impl Expect {
    /// Whether honest validators never commit different blocks at one height.
    pub fn safe(&self) -> bool {
        self.fails != Some(Fails::Agreement)
    }
}

/// A property that fails when there are more faults than a network bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fails {
    /// Two honest validators commit different blocks at one height.
    Agreement,
    /// Nothing is committed any more.
    Progress,
}

impl Fails {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Agreement, Self::Progress];

    /// Its name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Progress => "progress",
        }
    }
}

//! Mutants: the protocol with one rule broken on purpose, chosen at run time, so that it can be shown that the lab
//! notices (traps T95: a harness that cannot fail tests nothing).
//!
//! All of this exists with the feature `mutants` alone, which the lab's tests turn on and no program that is released
//! does. The code has a hook wherever a rule can be broken, [`mutant!`](crate::mutant!); without the feature a hook is
//! the constant `false`, or nothing. Some mutants have their hook in the lab, which plays the shell.

use std::cell::Cell;

use crate::quorum::Quorum;
use crate::vote::Statement;

macro_rules! catalogue {
    ($($name:ident, $rule:literal, $sentence:literal;)*) => {
        /// A rule that is broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $(#[doc = $sentence] $name,)*
        }

        impl Mutant {
            /// Every mutant, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it does wrong.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }

            /// The trap that it falls into, or the section of the protocol page that it ignores.
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$name => $rule,)*
                }
            }
        }
    };
}

catalogue! {
    // What a model of the protocol showed to be necessary (section 9).
    OldParent, "9", "the highest block voted for in any view is gone on from, not the tip";
    NewViewNotJournaled, "9", "an accepted new view is not written down";
    TipByHeight, "9", "the tip is the certified block of the greatest height, whatever its view";
    CertificateUnchecked, "9, T21", "certificates inside view changes are believed";
    VotesInAbandonedView, "9", "a replica that has asked for a view goes on voting in the one before";
    QuorumMinusOne, "9", "one vote less is a quorum";
    LowerCertificate, "9", "a later but lower certificate takes the place of the highest";
    ViewChangeRebuilt, "9", "a view change is made anew after a restart";
    // A. Quorums, votes, certificates.
    QuorumOfTwoThirds, "T01", "a quorum is 2t + 1, whatever n is";
    PrimaryCountedTwice, "T03", "the primary's prepare counts beside its pre-prepare";
    OtherBlocksCounted, "T04, T07", "votes for another block at the height are counted";
    VotersCountedTwice, "T05", "a vote that comes again counts again";
    CommitsLastHeard, "T06", "a commit vote names the block of the last prepare heard, not the prepared one";
    ProposerUnchecked, "T12", "anybody proposes";
    SecondProposalTaken, "T13", "a second proposal takes the place of the first, and is voted for";
    CertificatePartlyChecked, "T20", "one signature of a certificate is looked at";
    // B. View change.
    LowestTip, "T22", "the tip is that of the lowest certificate shown";
    BareViewChange, "T23", "a view change shows no certificate";
    FirstTip, "T27", "the tip is that of the first certificate shown";
    NewViewOfAnybody, "T28", "a new view need not be signed by the primary of its view";
    NewViewOfFew, "T30", "t + 1 view changes are enough for a new view";
    NewViewNotRepaired, "T32", "a new view that was lost is not said again";
    ShownCommitIgnored, "T33", "a commit certificate that a new view shows commits nothing";
    JoinsNobody, "T34", "a view is left after the own timeout alone, whoever else asks";
    SecondNewViewAccepted, "T35", "a second new view for one view is accepted as well";
    OldVotesCounted, "T36", "votes and proposals of the view that was left stay";
    TipRefused, "T37", "the tip is refused because its header names the view of its first proposal";
    PendingIsNoWork, "T39", "requests that nobody proposes start no timer";
    TimeoutNeverFalls, "T40", "the timeout stays doubled after progress";
    TimerResetByMessages, "T41", "every message begins the wait for progress anew";
    TimerNeedsThisView, "T43", "the timer of a view needs q view changes for exactly that view";
    JoinsGreatest, "T44", "the greatest of the views asked for is joined";
    JoinsAnybody, "T44", "one other replica is enough to leave a view";
    StarvationIgnored, "T39", "a primary that starves an account is left alone";
    BodiesDropped, "4.5", "the bodies of an abandoned branch are dropped";
    // C. Ordering, windows, concurrency.
    LayersKept, "T47", "the requests of an abandoned branch do not return to the pool";
    WindowStands, "T48", "the window does not move with the committed height";
    KnownBlockAgain, "T50", "a block that was fetched is committed again";
    StrayVotes, "3.2", "a replica whose chain was not committed goes on voting in the view";
    ExecutionUnchecked, "T90", "a block is voted for although it cannot be executed";
    // D. Durability and restart.
    SentBeforeDurable, "T58", "messages leave before what they say is durable";
    VoteNotJournaled, "T58", "votes are not written down";
    FlushErrorSwallowed, "T59", "a flush that failed is taken for one";
    ViewChangeNotJournaled, "T61", "view changes are not written down";
    JournalNotReplayed, "T62", "the journal is not read after a restart";
    PrepareForgotten, "T63", "prepare votes are forgotten at a restart";
    NewViewForgotten, "T30", "the new view is forgotten at a restart";
    CertificateNotJournaled, "5", "the highest certificate is not written down";
    PrunesTooMuch, "T64", "the journal forgets votes for blocks that are committed and not yet durable";
    PrunesNewView, "T69", "a rewritten journal has no new view";
    PrunesInPlace, "T66", "a rewritten journal takes the place of the old one before it is durable";
    // E. Sync.
    ProofUnchecked, "T70", "fetched blocks are believed without their proof";
    VotesNotRepaired, "T75", "votes and proposals that were lost are not said again";
    BodiesNotRepaired, "T74", "bodies that are asked for are not handed over";
}

thread_local! {
    static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// The mutant that this thread runs, if it runs one.
pub fn active() -> Option<Mutant> {
    ACTIVE.get()
}

/// Whether this thread runs this mutant.
pub fn is(mutant: Mutant) -> bool {
    active() == Some(mutant)
}

/// Runs something as this mutant, or as what it should be.
pub fn with<T>(mutant: Option<Mutant>, run: impl FnOnce() -> T) -> T {
    let _back = Back(ACTIVE.replace(mutant));
    run()
}

/// Puts back what was active before, however the run ends.
struct Back(Option<Mutant>);

impl Drop for Back {
    fn drop(&mut self) {
        ACTIVE.set(self.0);
    }
}

/// What is taken for a quorum.
pub(crate) fn quorum(sound: Quorum) -> Quorum {
    let q = match active() {
        Some(Mutant::QuorumMinusOne) => sound.q().saturating_sub(1),
        Some(Mutant::QuorumOfTwoThirds) => sound.t().saturating_mul(2).saturating_add(1),
        _ => sound.q(),
    };
    sound.with_q(q)
}

/// Which of what is certified is taken for the tip.
pub(crate) fn greatest(mut certified: impl Iterator<Item = Statement>) -> Option<Statement> {
    match active() {
        Some(Mutant::FirstTip) => certified.next(),
        Some(Mutant::LowestTip) => certified.min_by_key(Statement::rank),
        Some(Mutant::TipByHeight) => {
            certified.max_by_key(|said| (said.height, std::cmp::Reverse(said.view)))
        }
        _ => certified.max_by_key(Statement::rank),
    }
}

#[cfg(test)]
mod tests;

//! A mutant is one as long as it runs, and every one is told apart.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use super::{Mutant, active, is, with};

#[test]
fn a_mutant_is_active_while_it_runs_and_not_after_however_that_ends() {
    let inside =
        with(Some(Mutant::TipByHeight), || (is(Mutant::TipByHeight), is(Mutant::LowestTip)));
    let panicked = catch_unwind(|| with(Some(Mutant::FirstTip), || panic!("as a run may")));

    assert_eq!(inside, (true, false));
    assert!(panicked.is_err());
    assert_eq!(active(), None);
}

#[test]
fn no_two_mutants_have_one_name_or_one_sentence() {
    let names: BTreeSet<_> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
    let sentences: BTreeSet<_> = Mutant::ALL.iter().map(|mutant| mutant.sentence()).collect();

    assert_eq!((names.len(), sentences.len()), (Mutant::ALL.len(), Mutant::ALL.len()));
}

//! A run that ends in an assertion is a run with a result.

use crate::plan::{Limits, Plan};
use crate::{Options, Property, run};

#[test]
fn an_assertion_is_reported_and_does_not_end_the_lab() {
    let plan = Plan::random(1, &Limits::default());
    let wrap: crate::world::Wrap = Box::new(|_, _| panic!("the core is gone"));

    let report = run(&plan, 1, Options { wrap: Some(wrap), ..Options::default() });

    assert_eq!(report.broken(), Some(Property::Assertion));
}

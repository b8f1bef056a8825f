use types::quorum::Quorum;

use super::must_be_tolerated;
use crate::failure::Exit;

#[test]
fn as_many_adversaries_as_the_network_tolerates_are_welcome_and_more_on_demand() {
    for (n, t) in [(1, 0), (3, 0), (4, 1), (6, 1), (7, 2)] {
        let quorum = Quorum::of(n);
        assert_eq!(must_be_tolerated(t, quorum, false), Ok(()));
        assert_eq!(must_be_tolerated(t + 1, quorum, true), Ok(()));
        let failure = must_be_tolerated(t + 1, quorum, false).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.hint.unwrap().contains("--break-safety"));
    }
}

use std::io;

use super::{Exit, Failure};

#[test]
fn every_end_has_its_own_code_and_word() {
    let all = [
        Exit::Done,
        Exit::Fault,
        Exit::Usage,
        Exit::Refused,
        Exit::Unreachable,
        Exit::NotFound,
        Exit::TimedOut,
        Exit::Contradiction,
        Exit::Interrupted,
    ];

    let codes: Vec<_> = all.iter().map(|exit| exit.code()).collect();
    let mut names: Vec<_> = all.iter().map(|exit| exit.name()).collect();

    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 9, 130]);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
}

#[test]
fn a_fault_tells_its_whole_chain_of_causes_once() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the disk said no")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let failure = Failure::fault("cannot start", &Outer(io::Error::other("it is full")));
    let repeated = Failure::fault("cannot start: it is full", &io::Error::other("it is full"));

    assert_eq!(failure.text, "cannot start: the disk said no: it is full");
    assert_eq!(repeated.text, "cannot start: it is full");
}

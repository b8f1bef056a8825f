use std::io;

use super::{Exit, Failure};

const PAGE: &str = include_str!("../../../../docs/reference/logothete.md");

macro_rules! every_exit {
    ($($name:ident,)*) => {
        const ALL: &[Exit] = &[$(Exit::$name),*];

        /// Whether an exit is in the list. One that is not keeps this from compiling.
        const fn is_listed(exit: Exit) -> bool {
            match exit {
                $(Exit::$name => true,)*
            }
        }
    };
}

every_exit! {
    Done,
    Fault,
    Usage,
    Refused,
    Unreachable,
    NotFound,
    TimedOut,
    Contradiction,
    Interrupted,
}

#[test]
fn every_end_has_its_own_code_and_word() {
    let codes: Vec<_> = ALL.iter().map(|exit| exit.code()).collect();
    let mut names: Vec<_> = ALL.iter().map(|exit| exit.name()).collect();

    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 9, 130]);
    assert!(ALL.iter().copied().all(is_listed));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}

#[test]
fn the_reference_page_lists_every_code_with_its_word_and_no_other() {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| exit |")).skip(2);
    let listed = table.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let code: u8 = cells.next().unwrap().parse().unwrap();
        (code, cells.next().unwrap().trim_matches('`'))
    });

    let expected = ALL.iter().map(|exit| (exit.code(), exit.name()));
    assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
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

use super::Exit;

const PAGE: &str = include_str!("../../../../docs/reference/wallet.md");

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
    Pending,
    Declined,
    Key,
    Unverified,
}

#[test]
fn every_exit_code_has_the_documented_number() {
    let codes: Vec<u8> = ALL.iter().map(|exit| exit.code()).collect();

    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(ALL.iter().copied().all(is_listed));
}

#[test]
fn the_reference_page_lists_every_exit_code_and_no_other() {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| exit |")).skip(2);
    let listed = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim().parse::<u8>().unwrap());

    let codes = ALL.iter().map(|exit| exit.code());
    assert_eq!(listed.collect::<Vec<_>>(), codes.collect::<Vec<_>>());
}

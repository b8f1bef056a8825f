//! Each cell becomes what the numbers say, and the numbers say what the protocol page promises.

use super::*;

#[test]
fn by_the_numbers_exactly_the_networks_above_three_t_bear_t_traitors() {
    for n in 3..=40 {
        let q = u16::try_from(types::Quorum::of(n.into()).q()).unwrap();
        for t in 0..=n {
            assert_eq!(expected(n, t, q) == Found::Holds, n > 3 * t, "n = {n}, t = {t}, q = {q}");
        }
    }
}

#[test]
fn by_the_numbers_a_majority_bears_less_than_is_promised() {
    let majority = |n: u16| n / 2 + 1;
    let broken: Vec<(u16, u16)> = REPLICAS
        .flat_map(|n| TRAITORS.map(move |t| (n, t)))
        .filter(|(n, t)| *n > 3 * *t && expected(*n, *t, majority(*n)) != Found::Holds)
        .collect();

    assert_eq!(broken, [(5, 1), (7, 1), (7, 2), (8, 2), (9, 1), (9, 2), (10, 2), (10, 3)]);
}

/// One cell of each kind; the whole matrix is in the crate's `tests/matrix.rs`.
#[test]
fn cells_become_what_the_numbers_say_and_what_breaks_can_be_repeated() {
    for (n, t, rule, found) in [
        (3, 1, QuorumRule::Kept, Found::Forks),
        (4, 1, QuorumRule::Kept, Found::Holds),
        (5, 1, QuorumRule::NaiveMajority, Found::Forks),
        (5, 2, QuorumRule::Kept, Found::Halts),
    ] {
        let cell = Cell::of(n, t, rule, &(0..2));

        assert_eq!((cell.found, cell.expected), (found, found), "{cell:#?}");
        assert_eq!(cell.broken.is_none(), found == Found::Holds);
        if let Some(trial) = cell.broken {
            assert_eq!(Found::of(&trial.run(None).verdict), found, "{trial}");
        }
    }
}

#[test]
fn the_matrix_is_written_as_markdown_and_as_a_picture() {
    let cell = |n, t| Cell::of(n, t, QuorumRule::Kept, &(0..1));
    let resilience = Resilience { cells: vec![cell(3, 0), cell(3, 1)] };

    let markdown = resilience.to_markdown();
    assert!(markdown.contains("| 3 | 2 | holds | forks |"), "{markdown}");
    assert!(markdown.contains("`logothete-lab matrix --cell 3,1 --quorum kept --strategy split"));
    let svg = resilience.to_svg();
    // The ground and two cells.
    assert_eq!(svg.matches("<rect ").count(), 3, "{svg}");
    assert!(svg.contains(">holds</text>") && svg.contains(">forks</text>"), "{svg}");
    for tag in ["svg", "g", "title", "text"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let opened =
            svg.matches(&format!("{open}>")).count() + svg.matches(&format!("{open} ")).count();
        assert_eq!(opened, svg.matches(&close).count(), "{tag} in {svg}");
    }
}

#[test]
fn a_cell_that_is_not_what_it_must_be_is_marked() {
    let mut cell = Cell::of(4, 0, QuorumRule::Kept, &(0..1));
    assert_eq!(cell.in_a_word(), "holds");

    cell.expected = Found::Halts;

    assert_eq!(cell.in_a_word(), "holds (!)");
    assert!(!Resilience { cells: vec![cell] }.is_as_expected());
}

#[test]
fn traitors_are_as_many_as_are_asked_for_and_the_first_primary_is_one() {
    for seed in 0..20 {
        let trial = Trial { n: 7, t: 3, quorum: QuorumRule::Kept, strategy: Strategy::Split, seed };
        let traitors = trial.traitors();
        assert!(traitors.len() == 3 && traitors.contains(&0) && traitors.iter().all(|it| *it < 7));
    }
}

use clap::Parser;

use super::*;
use crate::cli::{Arguments, Command};

#[test]
fn a_wrong_adversary_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let words = ["logothete", "bench", "--accounts", "2", "--adversary", "4=silent", "--dir"];
    let words = words.into_iter().chain([place.to_str().unwrap()]);
    let Command::Bench(arguments) = Arguments::parse_from(words).command else { unreachable!() };
    let mut output = Output::new(true, Box::new(std::io::sink()), Box::new(std::io::sink()));

    let refused = subject(&arguments, &Interrupt::never(), &mut output);

    assert_eq!(refused.err().unwrap().exit, Exit::NotFound);
    assert!(!place.exists());
}

#[test]
fn thousandths_are_written_with_three_digits_at_most() {
    for count in (0..20_000).chain([5_831, 1_234_567_891]) {
        let text = serde_json::to_string(&thousandths(count)).unwrap();
        let (_, digits) = text.split_once('.').unwrap();

        assert!(digits.len() <= 3, "{text}");
    }
}

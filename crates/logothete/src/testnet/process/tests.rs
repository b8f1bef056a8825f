use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Condition, Process, look, parse_ps, parse_stat};

/// A process that waits until it is killed.
fn sleeper() -> Child {
    // `cat` waits for its standard input, which stays open as long as the child is kept.
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

fn becomes(process: &Process, expected: Condition) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while process.condition() != expected {
        if Instant::now() > end {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn a_process_is_halted_goes_on_and_is_gone_even_when_nobody_waited_for_it() {
    let mut child = sleeper();
    let process = Process::of(child.id()).unwrap();
    assert_eq!(process.id(), child.id());

    process.signal(Signal::STOP).unwrap();
    assert!(becomes(&process, Condition::Halted));
    process.signal(Signal::CONT).unwrap();
    assert!(becomes(&process, Condition::Running));
    process.signal(Signal::KILL).unwrap();
    assert!(becomes(&process, Condition::Gone));

    assert_eq!(Process::of(child.id()), None);
    child.wait().unwrap();
    process.signal(Signal::KILL).unwrap();
}

#[test]
fn a_process_with_the_same_id_and_another_birth_is_another_process() {
    let mut child = sleeper();
    let process = Process { birth: "another".to_owned(), ..Process::of(child.id()).unwrap() };

    process.signal(Signal::KILL).unwrap();

    assert_eq!(process.condition(), Condition::Gone);
    assert_eq!(Process::of(child.id()).unwrap().condition(), Condition::Running);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_name_with_brackets_and_spaces_does_not_confuse() {
    let fields: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
    let text = format!("17 (a) R (b) T {}", fields.join(" "));

    let seen = parse_stat(&text).unwrap();

    assert_eq!((seen.state, seen.birth.as_str()), ('T', "22"));
}

#[test]
fn what_ps_says_is_read_as_well() {
    let seen = parse_ps("Ss   Mon Jan  5 10:00:00 2026\n").unwrap();

    assert_eq!((seen.state, seen.birth.as_str()), ('S', "Mon Jan  5 10:00:00 2026"));
    assert!(parse_ps("").is_none());
}

#[test]
fn this_process_is_seen() {
    let id = i32::try_from(std::process::id()).unwrap();

    assert!(look(rustix::process::Pid::from_raw(id).unwrap()).is_some());
}

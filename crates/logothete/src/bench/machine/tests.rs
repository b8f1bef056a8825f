use super::*;

#[test]
fn percentiles_are_values_that_occurred() {
    let values: Vec<u64> = (1..=100).collect();

    assert_eq!(percentile(&values, 50), 50);
    assert_eq!(percentile(&values, 99), 99);
    assert_eq!(percentile(&values, 100), 100);
    assert_eq!(percentile(&[7], 50), 7);
    assert_eq!(percentile(&[], 99), 0);
}

#[test]
fn this_process_uses_time_and_memory() {
    let begin = Usage::now(&[std::process::id()]);
    let mut turns: u64 = 0;
    while Usage::now(&[std::process::id()]).since(&begin).own_cpu_ms == 0 {
        turns = turns.wrapping_add(1);
    }
    assert!(turns > 0 && begin.memory_bytes_max > 100_000);
}

#[test]
fn a_rate_is_rounded_down() {
    assert_eq!(per_second(10, Duration::from_secs(4)), 2);
    assert_eq!(per_second(0, Duration::ZERO), 0);
}

#[test]
fn bytes_of_a_folder_include_those_below_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("below")).unwrap();
    fs::write(dir.path().join("one"), [0; 10]).unwrap();
    fs::write(dir.path().join("below/two"), [0; 5]).unwrap();

    assert_eq!(folder_bytes(dir.path()), 15);
}

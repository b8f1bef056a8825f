use super::*;

fn faults(on: &[(usize, &str)]) -> LinkFaults {
    let fault =
        |(node, text): &(usize, &str)| LinkFault { node: *node, effect: text.parse().unwrap() };
    LinkFaults { generation: 1, on: on.iter().map(fault).collect() }
}

/// The directions among three validators that carry nothing.
fn dark(on: &[(usize, &str)]) -> Vec<(usize, usize)> {
    let faults = faults(on);
    let pairs = (0..3).flat_map(|from| (0..3).map(move |to| (from, to)));
    pairs.filter(|(from, to)| from != to && faults.passage(*from, *to) == Passage::Dark).collect()
}

#[test]
fn each_omission_darkens_its_own_directions_and_no_other() {
    assert_eq!(dark(&[]), []);
    assert_eq!(dark(&[(1, "omit-send")]), [(1, 0), (1, 2)]);
    assert_eq!(dark(&[(1, "omit-receive")]), [(0, 1), (2, 1)]);
    assert_eq!(dark(&[(1, "cut=node2")]), [(1, 2)]);
    assert_eq!(dark(&[(1, "delay=200ms"), (0, "delay=5ms:node1")]), []);
    assert_eq!(dark(&[(0, "cut=1"), (1, "cut=0")]), [(0, 1), (1, 0)]);
}

#[test]
fn delays_of_both_ends_and_of_the_link_add_up() {
    let faults = faults(&[(0, "delay=100ms"), (1, "delay=20ms"), (0, "delay=3ms:node1")]);

    for ((from, to), ms) in
        [((0, 1), 123), ((1, 0), 120), ((0, 2), 100), ((2, 0), 100), ((1, 2), 20), ((2, 3), 0)]
    {
        let expected = Passage::After(Duration::from_millis(ms));
        assert_eq!(faults.passage(from, to), expected, "{from} -> {to}");
    }
}

#[test]
fn a_fault_that_is_on_is_not_added_again_and_a_delay_replaces_the_earlier_one() {
    let mut on = faults(&[(0, "omit-send"), (0, "delay=100ms"), (0, "delay=7ms:node1")]);

    on.add(&faults(&[(0, "omit-send"), (0, "delay=5ms"), (0, "delay=8ms:node1")]).on);
    on.add(&faults(&[(1, "delay=9ms"), (0, "delay=1ms:node2")]).on);

    let expected = [
        (0, "omit-send"),
        (0, "delay=5ms"),
        (0, "delay=8ms:node1"),
        (1, "delay=9ms"),
        (0, "delay=1ms:node2"),
    ];
    assert_eq!(on, faults(&expected));
}

#[test]
fn what_is_written_is_read_again_and_nothing_else_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.json");
    assert_eq!(LinkFaults::read(&path).unwrap(), LinkFaults::default());

    let on = faults(&[(1, "omit-receive"), (0, "cut=node2"), (2, "delay=40ms:node0")]);
    on.write(&path).unwrap();

    assert_eq!(LinkFaults::read(&path).unwrap(), on);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#"{"node":0,"fault":"cut=node2"}"#), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    for damaged in ["", "{\"generation\":1,\"on\":[", "{\"generation\":1,\"on\":[],\"off\":[]}"] {
        fs::write(&path, damaged).unwrap();
        let failure = LinkFaults::read(&path).unwrap_err();
        assert!(failure.text.contains("faults.json"), "{}", failure.text);
    }
}

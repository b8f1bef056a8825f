use super::*;

#[test]
fn the_limit_is_raised_as_far_as_the_system_lets_us() {
    let hard = getrlimit(Resource::Nofile).maximum;
    let lower = Rlimit { current: hard.map(|files| files - 1), maximum: hard };
    setrlimit(Resource::Nofile, lower).unwrap();

    assert_eq!(raise(), hard);
    assert_eq!(getrlimit(Resource::Nofile).current, hard);
}

#[test]
fn the_api_takes_no_connection_whose_descriptor_the_store_may_need() {
    let connections = |limit| connections_within(limit, 1_024).unwrap();

    assert_eq!(connections(None), 1_024);
    assert_eq!(connections(Some(u64::MAX)), 1_024);
    assert_eq!(connections(Some(1_024 + 512)), 1_024);
    assert_eq!(connections(Some(1_024)), 512);
    assert_eq!(connections(Some(528)), 16);
}

#[test]
fn a_validator_with_too_few_descriptors_does_not_start() {
    for limit in [0, 64, 527] {
        let refused = connections_within(Some(limit), 1_024).unwrap_err().to_string();
        assert!(refused.contains(&format!("open {limit} files")), "{refused}");
        assert!(refused.contains("needs 528"), "{refused}");
    }
}

use super::{KEYS, Parameters};

#[test]
fn the_default_is_within_all_bounds_and_without_contradiction() {
    let parameters = Parameters::default();

    for (key, value) in KEYS.iter().zip(parameters.values()) {
        assert!((key.min..=key.max).contains(&value), "{}", key.name);
    }
    assert_eq!(parameters.contradiction(), None);
}

#[test]
fn values_and_parameters_are_the_same_in_both_directions() {
    let parameters = Parameters {
        window_heights: 1,
        block_transactions_max: 2,
        block_bytes_max: 3,
        batch_delay_ms: 4,
        view_timeout_ms: 5,
        snapshot_interval_blocks: 6,
        clock_drift_max_ms: 7,
    };

    assert_eq!(parameters.values(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(Parameters::from_values(parameters.values()), Some(parameters));
    assert_eq!(Parameters::from_values([u32::MAX; 7]), None);
}

#[test]
fn the_largest_message_has_room_for_a_full_block_and_its_longest_proof() {
    let parameters = Parameters::default();

    let needed = (1 << 20) + 256 * 158 + 128 * 66 + 158 + 8 + 8 + 52 + 8;

    assert!(parameters.message_bytes_max() > needed);
    assert!(parameters.message_bytes_max() < 2 << 20);
}

use super::*;

#[test]
fn what_no_genesis_would_name_a_validator_is_not_shown() {
    for name in ["node0", "a", "paris-2", &"x".repeat(NAME_BYTES_MAX)] {
        assert!(names_validator(name), "{name}");
    }
    for name in ["", "\u{1b}[2J", "node 0", "Node0", "n\u{f6}de", &"x".repeat(NAME_BYTES_MAX + 1)] {
        assert!(!names_validator(name), "{name:?}");
    }
}

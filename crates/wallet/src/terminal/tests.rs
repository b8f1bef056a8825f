use super::says_yes;

#[test]
fn only_a_clear_yes_is_a_yes() {
    for answer in ["y\n", "Y", "yes\n", " YES "] {
        assert!(says_yes(answer), "{answer:?}");
    }
    for answer in ["", "\n", "n", "no", "yeah", "ja", "yy"] {
        assert!(!says_yes(answer), "{answer:?}");
    }
}

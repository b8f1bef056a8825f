use super::log_filter;
use crate::failure::Exit;

#[test]
fn levels_and_parts_with_a_level_are_filters() {
    for text in
        ["", "debug", "OFF", "info,network=debug", "warn, node::core=trace", "node[step]=info"]
    {
        assert!(log_filter(text).is_ok(), "{text}");
    }
}

#[test]
fn a_word_that_would_silence_everything_is_refused() {
    for text in ["nope", "info,nope", "network", "network=nope", "inof"] {
        let failure = log_filter(text).unwrap_err();

        assert_eq!(failure.exit, Exit::Usage, "{text}");
        assert!(failure.hint.unwrap().contains("PART=LEVEL"), "{text}");
    }
}

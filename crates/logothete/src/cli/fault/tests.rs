use std::time::Duration;

use super::*;

fn order(words: &[&str]) -> Result<FaultOrder, String> {
    FaultArguments { words: words.iter().map(|word| (*word).to_owned()).collect() }.order()
}

#[test]
fn faults_are_listed_added_and_cleared() {
    let link = Fault::Link;
    let ms = Duration::from_millis;
    for (words, expected) in [
        (&[][..], FaultOrder::List),
        (&["clear"], FaultOrder::Clear(None)),
        (&["clear", "all"], FaultOrder::Clear(None)),
        (&["clear", "node2"], FaultOrder::Clear(Some(2))),
        (&["node2", "crash"], FaultOrder::Add(2, vec![Fault::Crash])),
        (&["2", "pause"], FaultOrder::Add(2, vec![Fault::Pause])),
        (
            &["0", "omit-send", "omit-receive"],
            FaultOrder::Add(0, vec![link(Effect::OmitSend), link(Effect::OmitReceive)]),
        ),
        (&["1", "cut=node3"], FaultOrder::Add(1, vec![link(Effect::Cut(3))])),
        (&["1", "delay=200ms"], FaultOrder::Add(1, vec![link(Effect::Delay(ms(200)))])),
        (&["1", "delay=5ms:0"], FaultOrder::Add(1, vec![link(Effect::DelayTo(ms(5), 0))])),
    ] {
        assert_eq!(order(words), Ok(expected), "{words:?}");
    }
}

#[test]
fn what_is_no_fault_is_refused_with_what_there_is() {
    for (words, text) in [
        (&["clear", "1", "2"][..], "\"2\" is too much"),
        (&["node1"], "node1 needs a fault: crash, pause, omit-send"),
        (&["first", "crash"], "a validator is named like node2 or 2"),
        (&["1", "freeze"], "\"freeze\" is no fault: crash, pause, omit-send"),
        (&["1", "cut=first"], "a validator is named like node2 or 2"),
        (&["1", "delay=200"], "\"200\" is no delay: 1ms to 60000ms are"),
        (&["1", "delay=0ms"], "\"0ms\" is no delay"),
        (&["1", "delay=60001ms"], "\"60001ms\" is no delay"),
        (&["1", "delay=200ms:x"], "a validator is named like node2 or 2"),
    ] {
        let error = order(words).unwrap_err();
        assert!(error.contains(text), "{words:?}: {error}");
    }
}

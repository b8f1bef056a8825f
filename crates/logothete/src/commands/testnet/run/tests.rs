use super::*;

#[test]
fn a_stall_on_a_busy_computer_is_told_and_fails_as_it_was_seen() {
    let scenario = shipped::find("one-of-four-down").unwrap();
    let within_ms = scenario.base.expect.live_within_ms.unwrap();
    let seen = Seen { sent: 1, longest_wait_ms: within_ms + 7, ..Seen::default() };
    let took_ms = seen.longest_wait_ms;
    let report = RunReport::new(&scenario, false, Played { seen, starved_ms: 3_000 });

    let mut text = Vec::new();
    report.text(&mut text).unwrap();

    let mut findings = report.judgement.findings.iter();
    assert!(findings.any(|one| one.expected.contains("final within") && !one.holds));
    let text = String::from_utf8(text).unwrap();
    let told = format!(
        "the slowest transfer took {took_ms} ms; a validator waited 3000 ms for a processor"
    );
    assert!(text.contains(&told), "{text}");
}

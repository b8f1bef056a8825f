use super::*;

#[test]
fn the_page_of_metrics_has_every_one_of_them() {
    let page = include_str!("../../../../docs/reference/metrics.md");
    let mut registry = Registry::default();
    let _metrics = Metrics::register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();

    let names: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();

    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
    }
    assert!(page.contains("`logothete_messages_ignored{reason}`"));
}

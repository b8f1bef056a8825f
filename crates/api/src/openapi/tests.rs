use super::document;

const COMMITTED: &str = include_str!("../../../../docs/openapi.json");
const RENEW: &str = "cargo run -p api --example openapi > docs/openapi.json";

#[test]
fn the_committed_description_is_the_one_of_the_code() {
    assert!(
        COMMITTED == document(),
        "docs/openapi.json is out of date; renew it with\n\n    {RENEW}\n"
    );
}

#[test]
fn every_reference_inside_the_description_leads_somewhere() {
    let text = document();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();

    let mut references = 0;
    for part in text.split("\"$ref\": \"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(value.pointer(pointer).is_some(), "{pointer}");
        references += 1;
    }
    assert!(references > 20);
}

#[test]
fn every_endpoint_is_described_in_words() {
    let value: serde_json::Value = serde_json::from_str(&document()).unwrap();
    for (path, methods) in value["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"].is_object(), "{method} {path}");
        }
    }
}

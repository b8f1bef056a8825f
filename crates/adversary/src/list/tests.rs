use byzantine::Attack;
use program::output::Report;
use serde_json::Value;

use super::{AttackRow, CATALOGUE, KNOBS, List, client, service};

fn all() -> List {
    List {
        attacks: CATALOGUE.iter().map(AttackRow::of).collect(),
        beside: service::CATALOGUE.iter().map(|(_, kind)| AttackRow::of(kind)).collect(),
        clients: client::CATALOGUE.iter().map(AttackRow::of_client).collect(),
        knobs: &KNOBS,
    }
}

#[test]
fn every_knob_that_there_is_stands_in_the_list_with_a_value_that_fits() {
    let unknown = "silent:nothing".parse::<Attack>().unwrap_err().to_string();
    let (_, known) = unknown.split_once("the knobs are ").unwrap();
    let known: Vec<&str> = known.split([',', ' ']).filter(|word| !word.is_empty()).collect();

    let names: Vec<&str> = KNOBS.iter().map(|knob| knob.name).collect();
    assert_eq!(names, known.into_iter().filter(|word| *word != "and").collect::<Vec<_>>());
    for knob in &KNOBS {
        let text = format!("silent:{}={}", knob.name, knob.example);
        text.parse::<Attack>().unwrap();
    }
}

#[test]
fn every_attack_is_explained_to_people_and_to_scripts() {
    let mut text = Vec::new();
    all().text(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json: Value = serde_json::to_value(all()).unwrap();

    for (index, kind) in CATALOGUE.iter().enumerate() {
        assert!(text.contains(kind.name) && text.contains(kind.sentence), "{text}");
        assert_eq!(json["attacks"][index]["name"], kind.name);
        assert_eq!(json["attacks"][index]["provable"], kind.provable);
    }
    let (beside, clients) = (service::CATALOGUE.iter(), client::CATALOGUE.iter());
    let words = beside.map(|(_, kind)| (kind.name, kind.sentence));
    for (name, sentence) in words.chain(clients.map(|kind| (kind.name, kind.sentence))) {
        assert!(text.contains(name) && text.contains(sentence), "{text}");
    }
    assert_eq!(json["beside"][0]["answer"], service::CATALOGUE[0].1.answer);
}

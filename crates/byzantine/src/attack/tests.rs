use std::collections::BTreeSet;

use types::number::{Height, View};
use types::replica::ReplicaId;

use super::{Attack, AttackError, CATALOGUE, Knobs};

#[test]
fn every_attack_is_found_by_its_name_and_no_two_share_one() {
    let names: BTreeSet<&str> = CATALOGUE.iter().map(|kind| kind.name).collect();

    assert_eq!(names.len(), CATALOGUE.len());
    assert!(CATALOGUE.is_sorted_by_key(|kind| kind.name), "{names:?}");
    for kind in CATALOGUE {
        let attack: Attack = kind.name.parse().unwrap();
        assert_eq!(attack.kind.name, kind.name);
        assert_eq!(attack.knobs, Knobs::default());
        assert!(kind.sentence.len() > 10 && kind.answer.len() > 10, "{}", kind.name);
    }
}

#[test]
fn knobs_are_read_from_behind_the_name() {
    let text = "equivocate:chance=250,from=3,until=9,from-view=1,until-view=4,victims=1+2,with=0+3,delay=70";

    let Attack { kind, knobs } = text.parse().unwrap();

    assert_eq!(kind.name, "equivocate");
    let expected = Knobs {
        chance_per_mille: 250,
        heights: (Height::new(3), Height::new(9)),
        views: (View::new(1), View::new(4)),
        victims: [1, 2].map(ReplicaId::new).into(),
        with: [0, 3].map(ReplicaId::new).into(),
        delay_ms: 70,
    };
    assert_eq!(knobs, expected);
    assert!(knobs.cover(Height::new(3), View::new(4)));
    assert!(!knobs.cover(Height::new(10), View::new(4)));
    assert!(!knobs.cover(Height::new(3), View::new(0)));
}

#[test]
fn an_attack_is_written_as_it_is_read() {
    for text in [
        "equivocate",
        "silent:chance=250",
        "equivocate:chance=250,from=3,until=9,from-view=1,until-view=4,delay=70,victims=1+2",
    ] {
        assert_eq!(text.parse::<Attack>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_attack_is_refused_by_name() {
    let unknown = "equivocat".parse::<Attack>().unwrap_err();
    assert!(unknown.to_string().contains("equivocate"), "{unknown}");
    let knob = "silent:form=3".parse::<Attack>().unwrap_err();
    assert_eq!(knob, AttackError::UnknownKnob { knob: "form".to_owned() });
    for bad in ["silent:chance=1001", "silent:from=", "silent:from=-1", "silent:victims=1+x"] {
        let error = bad.parse::<Attack>().unwrap_err();
        assert!(matches!(error, AttackError::BadValue { .. }), "{bad}: {error}");
    }
}

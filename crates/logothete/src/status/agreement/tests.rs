use types::number::Height;

use super::{Agreement, Claim, compare, judge};

fn claim(name: &str, chain: &str, block: &str, state_root: &str) -> Claim {
    Claim {
        name: name.to_owned(),
        chain: chain.to_owned(),
        block: block.to_owned(),
        state_root: state_root.to_owned(),
    }
}

#[test]
fn equal_claims_agree() {
    let claims = [claim("node0", "c", "b", "r"), claim("node1", "c", "b", "r")];

    let expected = Agreement::Agree {
        height: 7,
        block: "b".to_owned(),
        state_root: "r".to_owned(),
        validators: 2,
    };
    assert_eq!(judge(Height::new(7), &claims), expected);
}

#[test]
fn a_difference_is_named_with_both_sides() {
    for (chain, block, root, what) in [
        ("x", "b", "r", "chain at height 7: node0 has c, node2 has x"),
        ("c", "x", "r", "block at height 7: node0 has b, node2 has x"),
        ("c", "b", "x", "state root at height 7: node0 has r, node2 has x"),
    ] {
        let claims = [
            claim("node0", "c", "b", "r"),
            claim("node1", "c", "b", "r"),
            claim("node2", chain, block, root),
        ];

        let judged = judge(Height::new(7), &claims);

        assert_eq!(judged, Agreement::Contradict { what: what.to_owned() });
    }
}

#[test]
fn nobody_agrees_with_nobody() {
    assert_eq!(compare(&[]), Agreement::Nobody);
}

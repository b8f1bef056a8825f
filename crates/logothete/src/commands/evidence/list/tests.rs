use api::backend::KeptEvidence;
use api::types::EvidenceSummary;

use super::{ListReport, Listed};
use crate::fixture::{Signers, text};

#[test]
fn each_piece_is_a_row_with_all_who_keep_it() {
    let signers = Signers::new(4);
    let [votes, branches, ..] = signers.evidence();
    let summary = |piece: &types::evidence::Evidence| {
        let outline = piece.outline(signers.genesis.validators());
        EvidenceSummary::new(&signers.genesis, &KeptEvidence { outline, stored_ms: None })
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let listed = Listed {
        pieces: vec![
            (summary(&votes), names(&["node0", "node3"])),
            (summary(&branches), names(&["node0"])),
        ],
        problems: names(&["node2: evidence 01234567 does not hold: it cannot be had"]),
    };

    let report = ListReport::new("2 of 4 validators answer".to_owned(), listed);

    let json = serde_json::to_value(&report).unwrap();
    let kept_by: Vec<_> =
        json["evidence"].as_array().unwrap().iter().map(|row| row["kept_by"].clone()).collect();
    assert_eq!(kept_by, [serde_json::json!(["node0"]), serde_json::json!(["node0", "node3"])]);
    let text = text(&report);
    assert!(text.contains("votes     node1       0  2        node0, node3"), "{text}");
    assert!(text.contains("evidence against node1: 2 of 4 validators answer"), "{text}");
    assert!(text.contains("look at this: node2: evidence 01234567 does not hold"), "{text}");
}

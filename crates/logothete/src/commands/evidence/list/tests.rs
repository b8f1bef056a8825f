use api::backend::KeptEvidence;
use api::types::EvidenceSummary;

use super::{ListReport, rows};
use crate::fixture::{Signers, text};

#[test]
fn a_piece_that_several_keep_is_one_row_with_all_of_them() {
    let signers = Signers::new(4);
    let [votes, branches, ..] = signers.evidence();
    let summary = |piece: &types::evidence::Evidence| {
        let outline = piece.outline(signers.genesis.validators());
        EvidenceSummary::new(&signers.genesis, &KeptEvidence { outline, stored_ms: None })
    };
    let kept = [(&votes, "node0"), (&branches, "node0"), (&votes, "node3")];
    let pieces = kept.map(|(piece, keeper)| (summary(piece), keeper.to_owned()));

    let report = ListReport {
        asked: "2 of 4 validators answer".to_owned(),
        evidence: rows(pieces.to_vec()),
    };

    let json = serde_json::to_value(&report).unwrap();
    let kept_by: Vec<_> =
        json["evidence"].as_array().unwrap().iter().map(|row| row["kept_by"].clone()).collect();
    assert_eq!(kept_by, [serde_json::json!(["node0"]), serde_json::json!(["node0", "node3"])]);
    let text = text(&report);
    assert!(text.contains("votes     node1       0  2        node0, node3"), "{text}");
    assert!(text.contains("evidence against node1: 2 of 4 validators answer"), "{text}");
}

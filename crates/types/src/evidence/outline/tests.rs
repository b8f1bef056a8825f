use crate::tests::fixtures::{evidence, validators};

#[test]
fn the_outline_of_each_kind_names_liar_view_and_heights() {
    let outlines = evidence().map(|piece| piece.outline(&validators(4)));

    let facts = outlines.iter().map(|outline| {
        let heights: Vec<u64> = outline.heights.iter().map(|height| height.get()).collect();
        (outline.kind, outline.accused.get(), outline.view.get(), heights)
    });
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [
            ("votes", 2, 2, vec![3]),
            ("branches", 2, 2, vec![3, 4]),
            ("view-changes", 2, 5, vec![2]),
            ("forgotten", 2, 5, vec![1, 2]),
            // The one goes on from a certificate of view 4 for height 1, the other from view 2's for height 2.
            ("new-views", 1, 5, vec![1, 2]),
        ]
    );
    for (outline, piece) in outlines.iter().zip(evidence()) {
        assert_eq!(outline.id, piece.id());
    }
}

#[test]
fn each_kind_says_in_a_sentence_of_its_own_what_is_wrong() {
    let sentences: std::collections::BTreeSet<_> =
        evidence().iter().map(super::Evidence::wrong).collect();

    assert_eq!(sentences.len(), 5);
    assert!(sentences.iter().all(|it| it.starts_with("An honest ") && it.ends_with('.')));
}

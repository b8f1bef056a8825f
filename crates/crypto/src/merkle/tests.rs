//! Trees, overlays and paths against the plainest definition.

use proptest::prelude::*;

use super::*;
use crate::digest::digest;
use crate::encoding;

const DOMAIN: Domain = Domain::AccountNode;

type Changes = BTreeMap<u64, Digest>;

fn leaf(value: u64) -> Digest {
    digest(Domain::AccountLeaf, &value.to_le_bytes())
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(leaf).collect()
}

/// The root by definition: halves split so that the left one is the largest power of two below the
/// whole.
fn root_by_definition(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::ZERO,
        [leaf] => *leaf,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            digest_pair(DOMAIN, &root_by_definition(left), &root_by_definition(right))
        }
    }
}

/// Changes for a list of `count` leaves: some of it, and `added` at the end.
fn changes(count: u64, picks: &[(prop::sample::Index, u64)], added: u64) -> Changes {
    let size = usize::try_from(count).unwrap();
    let mut changes: Changes =
        (count..count + added).map(|index| (index, leaf(index ^ 0xabcd))).collect();
    if size > 0 {
        changes.extend(
            picks
                .iter()
                .map(|(pick, value)| (u64::try_from(pick.index(size)).unwrap(), leaf(*value))),
        );
    }
    changes
}

fn change(leaves: &mut Vec<Digest>, changes: &Changes) {
    for (index, leaf) in changes {
        let index = usize::try_from(*index).unwrap();
        if index == leaves.len() {
            leaves.push(*leaf);
        } else {
            leaves[index] = *leaf;
        }
    }
}

#[test]
fn roots_are_those_of_the_definition() {
    for count in 0..70 {
        let leaves = leaves(count);
        let expected = root_by_definition(&leaves);

        assert_eq!(root(DOMAIN, &leaves), expected, "{count} leaves");
        let tree = Tree::from_leaves(DOMAIN, leaves);
        assert_eq!(tree.root(), expected, "{count} leaves");
        assert_eq!(tree.len(), count);
        assert_eq!(tree.is_empty(), count == 0);
    }
}

#[test]
fn known_leaves_have_their_published_root() {
    assert_eq!(root(DOMAIN, &[]), Digest::ZERO);
    assert_eq!(root(DOMAIN, &leaves(1)), leaf(0));
    assert_eq!(
        root(DOMAIN, &leaves(5)).to_string(),
        "93c88faf65e08aa141b194211097136de2c9bc7d773870dd6bbc0fa2a32813ac"
    );
}

#[test]
fn the_last_odd_node_moves_up_unchanged() {
    let [a, b, c] = [leaf(0), leaf(1), leaf(2)];
    assert_eq!(root(DOMAIN, &[a, b, c]), digest_pair(DOMAIN, &digest_pair(DOMAIN, &a, &b), &c));
    // A tree that repeats its last leaf instead would give these two lists one root.
    assert_ne!(root(DOMAIN, &[a, b, c]), root(DOMAIN, &[a, b, c, c]));
}

#[test]
fn every_leaf_has_a_path_to_the_root() {
    for count in 0..40 {
        let leaves = leaves(count);
        let tree = Tree::from_leaves(DOMAIN, leaves.clone());
        for (index, leaf) in (0..).zip(&leaves) {
            let path = tree.path(index).unwrap();

            assert_eq!(path.root(DOMAIN, *leaf, index, count), Some(tree.root()));
            assert_eq!(super::path(DOMAIN, &leaves, index), Some(path));
            assert_eq!(tree.leaf(index), Some(*leaf));
        }
        assert_eq!(tree.path(count), None);
        assert_eq!(tree.leaf(count), None);
        assert_eq!(super::path(DOMAIN, &leaves, u64::MAX), None);
    }
}

#[test]
fn a_path_proves_nothing_for_another_place_leaf_or_domain() {
    for count in 2..20 {
        let tree = Tree::from_leaves(DOMAIN, leaves(count));
        for index in 0..count {
            let path = tree.path(index).unwrap();
            let right = Some(tree.root());

            for other in (0..count + 2).filter(|other| *other != index) {
                assert_ne!(path.root(DOMAIN, leaf(index), other, count), right);
            }
            assert_ne!(path.root(DOMAIN, leaf(99), index, count), right);
            assert_ne!(path.root(Domain::TransactionNode, leaf(index), index, count), right);
        }
    }
}

#[test]
fn a_path_of_another_shape_is_refused() {
    for count in 1..20 {
        let tree = Tree::from_leaves(DOMAIN, leaves(count));
        for index in 0..count {
            let path = tree.path(index).unwrap();
            let mut longer = path.clone();
            longer.siblings.push(leaf(0));
            assert_eq!(longer.root(DOMAIN, leaf(index), index, count), None);
            let mut shorter = path.clone();
            if shorter.siblings.pop().is_some() {
                assert_eq!(shorter.root(DOMAIN, leaf(index), index, count), None);
            }
            assert_eq!(path.root(DOMAIN, leaf(index), count, count), None);
            assert_eq!(path.root(DOMAIN, leaf(index), index, index), None);
            // Twice as many leaves need one sibling more.
            assert_eq!(path.root(DOMAIN, leaf(index), index, 2 * count.next_power_of_two()), None);
        }
    }
}

#[test]
fn a_path_for_the_greatest_numbers_is_checked_without_harm() {
    let path = Path { siblings: vec![leaf(0); 64] };

    assert!(path.root(DOMAIN, leaf(1), u64::MAX - 2, u64::MAX).is_some());
    assert_eq!(path.root(DOMAIN, leaf(1), u64::MAX, u64::MAX), None);
    let path = Path { siblings: vec![leaf(0); 65] };
    assert_eq!(path.root(DOMAIN, leaf(1), 0, u64::MAX), None);
}

#[test]
fn a_path_has_golden_bytes() {
    let path = Path { siblings: vec![Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32])] };

    let expected = [vec![2, 0, 0, 0, 0, 0, 0, 0], vec![1; 32], vec![2; 32]].concat();

    assert_eq!(encoding::encode(&path), expected);
    assert_eq!(encoding::decode(&expected), Ok(path));
}

#[test]
fn an_overlay_holds_about_one_node_per_change_and_level() {
    let tree = Tree::from_leaves(DOMAIN, leaves(1 << 14));
    for changed in [1, 10, 100] {
        let changes: Changes =
            (0..changed).map(|number| (number * 151, leaf(number + 7))).collect();

        let overlay = tree.overlay(&[], &changes);

        let nodes: usize = overlay.levels.iter().map(Vec::len).sum();
        assert!(nodes <= usize::try_from(changed).unwrap() * 15, "{nodes} nodes");
    }
}

#[test]
fn no_changes_leave_the_root() {
    for count in [0, 1, 5] {
        let mut tree = Tree::from_leaves(DOMAIN, leaves(count));
        let before = tree.clone();

        let first = tree.overlay(&[], &Changes::new());
        let second = tree.overlay(&[&first], &Changes::from([(count, leaf(9))]));

        assert_eq!((first.root(), first.leaves()), (before.root(), count));
        assert_eq!(second.leaves(), count + 1);
        tree.apply(first);
        assert_eq!(tree, before);
    }
}

#[test]
fn rival_overlays_stand_on_one_state() {
    let mut tree = Tree::from_leaves(DOMAIN, leaves(6));
    let parent = tree.overlay(&[], &Changes::from([(2, leaf(20))]));
    let one = tree.overlay(&[&parent], &Changes::from([(3, leaf(30))]));
    let other = tree.overlay(&[&parent], &Changes::from([(3, leaf(31)), (6, leaf(6))]));
    assert_ne!(one.root(), other.root());

    tree.apply(parent);
    tree.apply(other.clone());

    assert_eq!(tree.root(), other.root());
    assert_eq!(tree.leaf(3), Some(leaf(31)));
}

#[test]
#[should_panic(expected = "leaves a gap")]
fn a_new_leaf_beyond_the_next_is_a_mistake_of_the_caller() {
    Tree::from_leaves(DOMAIN, leaves(3)).update(&Changes::from([(4, leaf(4))]));
}

#[test]
#[should_panic(expected = "another state than the one below it")]
fn overlays_in_the_wrong_order_are_a_mistake_of_the_caller() {
    let tree = Tree::from_leaves(DOMAIN, leaves(3));
    let low = tree.overlay(&[], &Changes::from([(0, leaf(7))]));
    let high = tree.overlay(&[&low], &Changes::from([(1, leaf(7))]));
    tree.overlay(&[&high, &low], &Changes::new());
}

#[test]
#[should_panic(expected = "another state than it was made on")]
fn an_overlay_of_another_state_is_not_applied() {
    let mut tree = Tree::from_leaves(DOMAIN, leaves(3));
    let low = tree.overlay(&[], &Changes::from([(0, leaf(7))]));
    let high = tree.overlay(&[&low], &Changes::from([(1, leaf(7))]));
    tree.apply(high);
}

proptest! {
    #[test]
    fn overlays_stacked_and_applied_equal_a_tree_built_anew(
        count in 0_u64..40,
        blocks in prop::collection::vec(
            (prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 0..12), 0_u64..6),
            1..12,
        ),
        window in 1_usize..9,
    ) {
        let mut tree = Tree::from_leaves(DOMAIN, leaves(count));
        let mut committed = leaves(count);
        let mut latest = committed.clone();
        let mut stack: Vec<(Overlay, Changes)> = Vec::new();
        for (picks, added) in blocks {
            let changes = changes(u64::try_from(latest.len()).unwrap(), &picks, added);
            change(&mut latest, &changes);

            let below: Vec<&Overlay> = stack.iter().map(|(overlay, _)| overlay).collect();
            let overlay = tree.overlay(&below, &changes);
            prop_assert_eq!(overlay.root(), root_by_definition(&latest));
            prop_assert_eq!(overlay.leaves(), u64::try_from(latest.len()).unwrap());

            stack.push((overlay, changes));
            if stack.len() == window {
                let (lowest, changes) = stack.remove(0);
                change(&mut committed, &changes);
                tree.apply(lowest);
                prop_assert_eq!(&tree, &Tree::from_leaves(DOMAIN, committed.clone()));
            }
        }
    }

    #[test]
    fn updates_equal_a_tree_built_anew(
        count in 0_u64..300,
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 0..40),
        added in 0_u64..300,
    ) {
        let mut tree = Tree::new(DOMAIN);
        tree.update(&(0..).zip(leaves(count)).collect());
        let mut list = leaves(count);
        let changes = changes(count, &picks, added);

        tree.update(&changes);

        change(&mut list, &changes);
        prop_assert_eq!(tree, Tree::from_leaves(DOMAIN, list));
    }

    #[test]
    fn seeking_forward_finds_what_is_there(
        present in prop::collection::btree_set(0_u64..200, 0..80),
        asked in prop::collection::btree_set(0_u64..200, 0..80),
    ) {
        let list: Vec<(u64, Digest)> = present.iter().map(|index| (*index, leaf(*index))).collect();
        let mut rest = list.as_slice();

        for index in asked {
            let found = seek(&mut rest, index).copied();
            prop_assert_eq!(found, present.contains(&index).then(|| leaf(index)));
        }
    }
}

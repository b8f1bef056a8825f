//! Dense Merkle trees over numbered leaves: short proofs of one leaf, and roots of states not yet
//! decided.
//!
//! Leaves are numbered 0, 1, 2, … without gaps; they are added and changed, never removed. A node
//! is the digest of exactly its two children under the domain of the tree; the last node of a level
//! with an odd number of nodes moves up unchanged. Leaves are digests of another domain, so a leaf
//! never passes for a node. **A root does not fix the number of leaves**: whoever commits to a root
//! commits to the number beside it, and [`Path::root`] asks for it.
//!
//! A [`Tree`] holds the committed state, all levels as arrays. An [`Overlay`] holds only what one
//! block changes, on top of a tree and the overlays of the blocks between: making one costs about
//! k·log2(n) hashes for k changed leaves of n. Which blocks there are is the ledger's business.

use std::collections::BTreeMap;

use crate::digest::{Digest, Domain, digest_pair};
use crate::encoding::{Decode, Encode};

/// The root over `leaves`, [`Digest::ZERO`] for none.
pub fn root(domain: Domain, leaves: &[Digest]) -> Digest {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = parents(domain, &level);
    }
    level.first().copied().unwrap_or(Digest::ZERO)
}

/// The path of leaf `index`, `None` when there is no such leaf. Hashes the whole tree: for many
/// paths of one list make a [`Tree`] of it.
pub fn path(domain: Domain, leaves: &[Digest], index: u64) -> Option<Path> {
    Tree::from_leaves(domain, leaves.to_vec()).path(index)
}

/// What, with a leaf and its place, gives the root again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct Path {
    /// The sibling of each node from the leaf upwards; levels where the node moves up alone have
    /// none.
    pub siblings: Vec<Digest>,
}

impl Path {
    /// The root that follows for `leaf` as number `index` of `leaves`.
    ///
    /// `None` when there is no such leaf or the number of siblings is not exactly the one needed;
    /// so at most 64 siblings are ever hashed.
    pub fn root(&self, domain: Domain, leaf: Digest, index: u64, leaves: u64) -> Option<Digest> {
        if index >= leaves {
            return None;
        }
        let mut siblings = self.siblings.iter();
        let mut node = leaf;
        for place in places(index, leaves) {
            node = match place {
                Place::Alone => node,
                Place::Left => digest_pair(domain, &node, siblings.next()?),
                Place::Right => digest_pair(domain, siblings.next()?, &node),
            };
        }
        siblings.next().is_none().then_some(node)
    }
}

/// A tree with all its nodes in memory, about 64 bytes a leaf: the committed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    domain: Domain,
    /// From the leaves upwards; the last level has one node. No levels without leaves.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// A tree without leaves.
    pub const fn new(domain: Domain) -> Self {
        Self { domain, levels: Vec::new() }
    }

    /// The tree over `leaves`, built at once.
    pub fn from_leaves(domain: Domain, leaves: Vec<Digest>) -> Self {
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above = parents(domain, &level);
            levels.push(level);
            level = above;
        }
        if !level.is_empty() {
            levels.push(level);
        }
        Self { domain, levels }
    }

    /// The number of leaves.
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| count(leaves.len()))
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The root, [`Digest::ZERO`] without leaves.
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or(Digest::ZERO)
    }

    /// Leaf number `index`.
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        at(self.levels.first()?, index)
    }

    /// The path of leaf `index`, `None` when there is no such leaf.
    pub fn path(&self, index: u64) -> Option<Path> {
        self.leaf(index)?;
        let mut position = index;
        let mut siblings = Vec::new();
        for (level, place) in self.levels.iter().zip(places(index, self.len())) {
            match place {
                Place::Alone => {}
                Place::Left => siblings.push(at(level, position.saturating_add(1))?),
                Place::Right => siblings.push(at(level, position.saturating_sub(1))?),
            }
            position /= 2;
        }
        Some(Path { siblings })
    }

    /// Changes leaves and adds new ones.
    ///
    /// # Panics
    ///
    /// As [`Tree::overlay`].
    pub fn update(&mut self, changes: &BTreeMap<u64, Digest>) {
        let overlay = self.overlay(&[], changes);
        self.apply(overlay);
    }

    /// What `changes` make of this tree with `below` on top of it, **the lowest overlay first**;
    /// nothing is touched.
    ///
    /// # Panics
    ///
    /// When `below` is not a chain that starts at this tree, or new leaves leave a gap: both are
    /// mistakes of the caller, never something a peer can cause.
    pub fn overlay(&self, below: &[&Overlay], changes: &BTreeMap<u64, Digest>) -> Overlay {
        let (base_root, base_leaves) =
            below.iter().fold((self.root(), self.len()), |(root, leaves), overlay| {
                assert!(
                    overlay.base_root == root && overlay.base_leaves == leaves,
                    "an overlay stands on another state than the one below it"
                );
                (overlay.root, overlay.leaves)
            });
        let leaves = grown(base_leaves, changes);
        let mut levels = Vec::new();
        let mut changed: Vec<(u64, Digest)> =
            changes.iter().map(|(index, leaf)| (*index, *leaf)).collect();
        let mut width = leaves;
        while width > 1 && !changed.is_empty() {
            let mut nodes = Nodes::new(self, below, levels.len());
            let above = changed_parents(self.domain, &changed, width, &mut nodes);
            levels.push(changed);
            changed = above;
            width = width.div_ceil(2);
        }
        let root = changed.first().map_or(base_root, |(_, top)| *top);
        levels.push(changed);
        Overlay { base_root, base_leaves, root, leaves, levels }
    }

    /// Makes the state of `overlay` this tree's; overlays built above it stand on the tree from now
    /// on.
    ///
    /// # Panics
    ///
    /// When `overlay` was not made directly on the state this tree has now.
    pub fn apply(&mut self, overlay: Overlay) {
        assert!(
            overlay.base_root == self.root() && overlay.base_leaves == self.len(),
            "an overlay is applied to another state than it was made on"
        );
        for (number, changed) in overlay.levels.into_iter().enumerate() {
            if changed.is_empty() {
                continue;
            }
            if self.levels.len() == number {
                self.levels.push(Vec::new());
            }
            let level = self
                .levels
                .get_mut(number)
                .expect("levels are changed from the lowest upwards, so the one below exists");
            for (index, node) in changed {
                match usize::try_from(index).ok().and_then(|at| level.get_mut(at)) {
                    Some(place) => *place = node,
                    None => level.push(node),
                }
            }
        }
    }
}

/// The nodes that one set of changes gives new values, on top of a tree and other overlays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    base_root: Digest,
    base_leaves: u64,
    root: Digest,
    leaves: u64,
    /// From the leaves upwards: changed nodes of each level by ascending index. Arrays and not a
    /// map, because they are read in ascending order, by overlays stacked several deep.
    levels: Vec<Vec<(u64, Digest)>>,
}

impl Overlay {
    /// The root with these changes.
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// The number of leaves with these changes.
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }
}

/// Where a node stands among its parent's children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Left,
    Right,
    Alone,
}

/// The places from leaf `index` of `leaves` up to just below the root.
fn places(index: u64, leaves: u64) -> impl Iterator<Item = Place> {
    let start = (leaves > 1).then_some((index, leaves));
    std::iter::successors(start, |(position, width)| {
        let above = width.div_ceil(2);
        (above > 1).then_some((position / 2, above))
    })
    .map(|(position, width)| {
        if position % 2 == 1 {
            Place::Right
        } else if position.saturating_add(1) < width {
            Place::Left
        } else {
            Place::Alone
        }
    })
}

/// The level above a whole level.
fn parents(domain: Domain, level: &[Digest]) -> Vec<Digest> {
    let (pairs, last) = level.as_chunks::<2>();
    pairs
        .iter()
        .map(|[left, right]| digest_pair(domain, left, right))
        .chain(last.iter().copied())
        .collect()
}

/// The nodes above `changed`, where the level has `width` nodes and `nodes` knows the unchanged
/// ones.
fn changed_parents(
    domain: Domain,
    changed: &[(u64, Digest)],
    width: u64,
    nodes: &mut Nodes<'_>,
) -> Vec<(u64, Digest)> {
    let mut above = Vec::with_capacity(changed.len());
    let mut changed = changed.iter().peekable();
    while let Some((index, node)) = changed.next() {
        let parent = if index % 2 == 1 {
            digest_pair(domain, nodes.get(index.saturating_sub(1)), node)
        } else {
            let sibling = index.saturating_add(1);
            if let Some((_, right)) = changed.next_if(|(next, _)| *next == sibling) {
                digest_pair(domain, node, right)
            } else if sibling < width {
                digest_pair(domain, node, nodes.get(sibling))
            } else {
                *node
            }
        };
        above.push((index / 2, parent));
    }
    above
}

/// One level of a tree below overlays, read at ascending indexes.
struct Nodes<'a> {
    tree: &'a [Digest],
    /// What is left of each overlay's level, the highest overlay first.
    overlays: Vec<&'a [(u64, Digest)]>,
}

impl<'a> Nodes<'a> {
    fn new(tree: &'a Tree, below: &[&'a Overlay], level: usize) -> Self {
        Self {
            tree: tree.levels.get(level).map_or(&[], Vec::as_slice),
            overlays: below
                .iter()
                .rev()
                .filter_map(|overlay| overlay.levels.get(level).map(Vec::as_slice))
                .collect(),
        }
    }

    /// The node at `index`, never below an index asked for before.
    fn get(&mut self, index: u64) -> &'a Digest {
        self.overlays
            .iter_mut()
            .find_map(|changed| seek(changed, index))
            .or_else(|| usize::try_from(index).ok().and_then(|index| self.tree.get(index)))
            .expect("every node below the width of a level without gaps exists")
    }
}

/// Moves `changed` forward to `index`, in steps that double, and says whether it is there.
fn seek<'a>(changed: &mut &'a [(u64, Digest)], index: u64) -> Option<&'a Digest> {
    let mut step = 1_usize;
    while let Some((passed, rest)) = changed.split_at_checked(step)
        && passed.last().is_some_and(|(at, _)| *at < index)
    {
        *changed = rest;
        step = step.saturating_mul(2);
    }
    let near = changed.get(..step).unwrap_or(changed);
    let skipped = near.partition_point(|(at, _)| *at < index);
    *changed = changed.get(skipped..).unwrap_or_default();
    changed.first().and_then(|(at, node)| (*at == index).then_some(node))
}

/// The number of leaves after `changes`; asserts that new ones leave no gap.
fn grown(leaves: u64, changes: &BTreeMap<u64, Digest>) -> u64 {
    changes.range(leaves..).fold(leaves, |leaves, (index, _)| {
        assert!(*index == leaves, "new leaf {index} leaves a gap after {leaves} leaves");
        leaves.saturating_add(1)
    })
}

fn at(level: &[Digest], index: u64) -> Option<Digest> {
    level.get(usize::try_from(index).ok()?).copied()
}

fn count(items: usize) -> u64 {
    u64::try_from(items).expect("memory holds fewer than 2^64 digests")
}

#[cfg(test)]
mod tests;

//! The chain a replica stands on grows downwards with the blocks that come, and upwards with its
//! votes.

use std::sync::Arc;

use types::block::Block;
use types::number::Height;
use types::parameters::Parameters;

use super::Path;
use crate::fixture::{chain_of, genesis};

fn chain() -> Vec<Block> {
    chain_of(&genesis(4, Parameters::default()), 5)
}

fn keep(path: &mut Path, block: &Block) {
    path.keep(block.id(), Arc::new(block.clone()));
}

#[test]
fn a_path_grows_down_to_the_committed_block_as_the_blocks_come() {
    let chain = chain();
    let mut path = Path::default();
    path.push(Height::new(5), chain[4].id());
    for (at, lowest) in [(4, 4), (3, 3), (2, 2)] {
        assert_eq!(path.missing(), Some(chain[at].id()));
        keep(&mut path, &chain[at]);
        path.reach_down(Height::new(1));
        assert_eq!(path.lowest().map(|(height, _)| height.get()), Some(lowest));
    }
    assert_eq!(path.missing(), Some(chain[1].id()));
    keep(&mut path, &chain[1]);
    path.reach_down(Height::new(1));
    assert_eq!((path.lowest(), path.missing()), (Some((Height::new(2), chain[1].id())), None));
    assert_eq!(path.head(), Some((Height::new(5), chain[4].id())));
}

#[test]
fn a_vote_above_a_gap_begins_the_path_anew() {
    let chain = chain();
    let mut path = Path::default();
    path.push(Height::new(1), chain[0].id());
    path.push(Height::new(2), chain[1].id());
    assert_eq!(path.lowest(), Some((Height::new(1), chain[0].id())));
    path.push(Height::new(4), chain[3].id());
    assert_eq!(path.lowest(), Some((Height::new(4), chain[3].id())));
    keep(&mut path, &chain[3]);
    path.reach_down(Height::GENESIS);
    assert_eq!(path.missing(), Some(chain[2].id()));
}

#[test]
fn a_path_that_is_left_keeps_its_blocks_until_their_height_is_committed() {
    let chain = chain();
    let mut path = Path::default();
    for block in &chain {
        keep(&mut path, block);
        path.push(block.header.height, block.id());
    }
    path.clear();
    assert_eq!((path.head(), path.missing()), (None, None));
    path.forget(Height::new(3));
    let kept: Vec<bool> = chain.iter().map(|block| path.block(&block.id()).is_some()).collect();
    assert_eq!(kept, [false, false, false, true, true]);
}

#[test]
fn a_committed_height_is_forgotten_and_the_rest_stays() {
    let chain = chain();
    let mut path = Path::default();
    for block in &chain {
        keep(&mut path, block);
        path.push(block.header.height, block.id());
    }
    path.forget(Height::new(2));
    assert_eq!(path.at(Height::new(2)), None);
    assert_eq!(path.lowest(), Some((Height::new(3), chain[2].id())));
    path.forget(Height::new(9));
    assert_eq!(path.head(), None);
}

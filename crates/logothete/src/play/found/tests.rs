use super::*;
use crate::fixture::Signers;

fn chain(mark: u64, from: u64, count: u64) -> Chain {
    let blocks = Signers::new(4).branch(count, mark, from);
    blocks.iter().map(|block| (block.header.height.get(), block.id())).collect()
}

#[test]
fn chains_of_which_one_is_shorter_are_no_fork() {
    let chains = BTreeMap::from([(0, chain(0, 1, 5)), (1, chain(0, 1, 3)), (2, Chain::new())]);

    assert_eq!(fork(&chains), None);
    assert_eq!(fork(&BTreeMap::new()), None);
}

#[test]
fn the_lowest_height_with_two_blocks_is_the_fork() {
    let chains = BTreeMap::from([(0, chain(0, 1, 5)), (1, chain(0, 1, 3)), (3, chain(7, 3, 4))]);

    let fork = fork(&chains).unwrap();

    assert_eq!(fork.height, 3);
    let named: Vec<u16> = fork.blocks.iter().map(|(validator, _)| *validator).collect();
    assert_eq!(named, [0, 1, 3]);
    assert_eq!(fork.blocks[0].1, fork.blocks[1].1);
    assert_ne!(fork.blocks[0].1, fork.blocks[2].1);
    assert_eq!(fork.blocks[0].1.len(), ID_DIGITS);
}

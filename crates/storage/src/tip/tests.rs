use std::fs;

use types::block::BlockId;
use types::number::Height;

use super::{Mark, Tip};
use crate::fixture::{Chain, genesis};

fn marks(count: usize) -> Vec<Mark> {
    let genesis = genesis("net");
    let mut marks = vec![Mark { height: Height::GENESIS, block: genesis.block().id() }];
    marks.extend(
        Chain::new(&genesis)
            .blocks(count, 0)
            .iter()
            .map(|proved| Mark { height: proved.block.header.height, block: proved.block.id() }),
    );
    marks
}

#[test]
fn the_newest_mark_is_found_after_any_number_of_writes() {
    let root = tempfile::tempdir().unwrap();
    let marks = marks(5);
    Tip::create(root.path(), marks[0]).unwrap();

    for newest in &marks {
        let (mut tip, _) = Tip::open(root.path()).unwrap().unwrap();
        tip.write(newest).unwrap();
        assert_eq!(Tip::open(root.path()).unwrap().unwrap().1, Some(*newest));
    }
}

#[test]
fn a_flipped_bit_gives_the_mark_before_or_the_same_and_two_give_none() {
    let root = tempfile::tempdir().unwrap();
    let marks = marks(2);
    let mut tip = Tip::create(root.path(), marks[0]).unwrap();
    tip.write(&marks[1]).unwrap();
    tip.write(&marks[2]).unwrap();
    let file = root.path().join("tip");
    let whole = fs::read(&file).unwrap();

    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(&file, flipped).unwrap();
        let (_, found) = Tip::open(root.path()).unwrap().unwrap();
        assert!(found == Some(marks[2]) || found == Some(marks[1]), "byte {place}");
    }
    fs::write(&file, vec![1; whole.len()]).unwrap();
    assert!(Tip::open(root.path()).unwrap().unwrap().1.is_none());
}

#[test]
fn marks_are_ordered_by_height() {
    let low = Mark { height: Height::new(1), block: BlockId::NONE };
    let high = Mark { height: Height::new(2), block: BlockId::NONE };

    assert!(low < high);
}

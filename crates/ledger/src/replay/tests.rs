//! What was stored comes back exactly, or not at all.

use types::address::Address;
use types::application::{Application, BlockRefusal};
use types::block::{Block, Body, Header};
use types::genesis::Genesis;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;

use super::{Replay, ReplayError};
use crate::fixture::{genesis, transfer};
use crate::{Ledger, PoolLimits};

/// A ledger with three blocks of one transfer each, and the blocks.
fn story() -> (Genesis, Ledger, Vec<Block>) {
    let genesis = genesis(1_000, Parameters::default());
    let mut ledger = Ledger::new(&genesis, PoolLimits::default());
    let mut blocks: Vec<Block> = Vec::new();
    for nonce in 0..3 {
        let parent = blocks.last().map_or(genesis.header(), |block| &block.header).clone();
        let block = next(&genesis, &mut ledger, &parent, nonce);
        ledger.execute(&block).unwrap();
        ledger.commit(&block.id());
        blocks.push(block);
    }
    (genesis, ledger, blocks)
}

/// A block with the next transfer of the one account there is.
fn next(genesis: &Genesis, ledger: &mut Ledger, parent: &Header, nonce: u64) -> Block {
    let mut transaction = transfer(*genesis.chain(), 0, nonce, 7, 5);
    let Address::Key(rich) = genesis.accounts()[0].address;
    transaction.transaction.sender = Address::Key(rich);
    let body = Body::new(vec![transaction]);
    let header = Header {
        chain: *genesis.chain(),
        height: parent.height.next(),
        parent: parent.id(),
        view: View::FIRST,
        proposer: ReplicaId::new(0),
        timestamp_ms: nonce + 1,
        body_root: body.root(),
        transactions: 1,
        state_root: parent.state_root,
    };
    let mut block = Block { header, body };
    if let Err(BlockRefusal::StateRoot { found, .. }) = ledger.execute(&block) {
        block.header.state_root = found;
    }
    block
}

fn replay(
    genesis: &Genesis,
    snapshot: Option<(types::account::Snapshot, Header)>,
    blocks: &[Block],
) -> Result<(Ledger, Header), ReplayError> {
    let mut replay = Replay::begin(genesis, snapshot, PoolLimits::default())?;
    for block in blocks {
        replay.apply(block)?;
    }
    Ok(replay.finish())
}

#[test]
fn a_ledger_comes_back_from_its_blocks_and_from_every_snapshot_below_them() {
    let (genesis, ledger, blocks) = story();

    let (whole, tip) = replay(&genesis, None, &blocks).unwrap();

    assert_eq!(tip, blocks[2].header);
    assert_eq!(whole.snapshot(), ledger.snapshot());
    for from in 1..=3 {
        let (below, header) = replay(&genesis, None, &blocks[..from]).unwrap();
        let snapshot = Some((below.snapshot(), header));
        let (again, tip) = replay(&genesis, snapshot, &blocks[from..]).unwrap();
        assert_eq!((again.snapshot(), tip), (ledger.snapshot(), blocks[2].header.clone()));
    }
}

#[test]
fn a_snapshot_of_another_block_is_refused() {
    let (genesis, ledger, blocks) = story();

    let refused = replay(&genesis, Some((ledger.snapshot(), blocks[1].header.clone())), &[]);

    let expected = ReplayError::OtherState {
        height: Height::new(3),
        promised: blocks[1].header.state_root,
        found: ledger.state_root(),
    };
    assert_eq!(refused.map(|(_, tip)| tip), Err(expected));
}

#[test]
fn a_snapshot_with_other_money_is_refused() {
    let (genesis, ledger, blocks) = story();
    let mut snapshot = ledger.snapshot();
    snapshot.accounts.pop();

    let refused = replay(&genesis, Some((snapshot, blocks[2].header.clone())), &[]);

    assert!(matches!(refused, Err(ReplayError::Snapshot { .. })), "{refused:?}");
}

#[test]
fn a_block_that_does_not_follow_is_refused() {
    let (genesis, _, blocks) = story();

    for order in [
        &blocks[1..2],
        &[blocks[0].clone(), blocks[0].clone()],
        &[blocks[0].clone(), blocks[2].clone()],
    ] {
        let height = order.last().map(|block| block.header.height).unwrap();
        let refused = replay(&genesis, None, order).map(|(_, tip)| tip);
        assert_eq!(refused, Err(ReplayError::NotNext { height }));
    }
}

#[test]
fn a_block_that_executes_to_something_else_is_refused() {
    let (genesis, _, mut blocks) = story();
    blocks[0].header.state_root = genesis.state_root();

    let refused = replay(&genesis, None, &blocks[..1]).map(|(_, tip)| tip);

    assert!(matches!(refused, Err(ReplayError::Refused { .. })), "{refused:?}");
}

//! What is sent to peers beside the protocol: accusations that do not hold, and bytes that are no message.

use crypto::encoding::FORMAT_VERSION;
use crypto::keys::Signer;
use types::block::BlockId;
use types::evidence::Evidence;
use types::number::Height;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::view_change::ViewChange;
use types::vote::{Phase, Statement, Vote};

use crate::Random;
use crate::attack::forge_header::other;

/// The longest noise, in bytes.
const NOISE_MAX: u64 = 60 << 10;

/// An accusation of whoever gave a genuine vote, which does not hold.
pub fn accusation(
    genuine: &Vote,
    own: (ReplicaId, &dyn Signer),
    validators: &ValidatorSet,
    turn: u64,
) -> Evidence {
    let (chain, said) = (validators.chain(), genuine.statement);
    let block = BlockId::new(other(said.block.digest()));
    match turn % 5 {
        // Another block under the signature that he gave for this one.
        0 => {
            let second = Vote { statement: Statement { block, ..said }, ..*genuine };
            Evidence::Votes { first: *genuine, second }
        }
        // Another block in his name, under the accuser's key.
        1 => {
            let forged = Vote::sign(Statement { block, ..said }, genuine.replica, chain, own.1);
            Evidence::Votes { first: *genuine, second: forged }
        }
        // Genuine, and no contradiction.
        2 => Evidence::Votes { first: *genuine, second: *genuine },
        // The accuser's own lie, so that he stands in it beside the other.
        3 => {
            let second = Vote::sign(Statement { block, ..said }, own.0, chain, own.1);
            Evidence::Votes { first: *genuine, second }
        }
        // A view change that he never signed, beside a commit vote.
        _ => {
            let commit = Vote { statement: Statement { phase: Phase::Commit, ..said }, ..*genuine };
            let view_change =
                ViewChange::sign(said.view.next(), None, genuine.replica, chain, own.1);
            Evidence::Forgotten { commit, view_change: (&view_change).into() }
        }
    }
}

/// Bytes of a frame that is none.
pub fn garbage(random: &mut Random, turn: u64) -> Vec<u8> {
    let mut noise = |bytes_max: u64| {
        let length = usize::try_from(random.below(bytes_max)).unwrap_or_default();
        let mut noise = Vec::with_capacity(length.saturating_add(8));
        while noise.len() < length {
            noise.extend_from_slice(&random.number().to_le_bytes());
        }
        noise
    };
    // How a frame begins: the format, the number of its kind, and for lists how long they are.
    let begin = |kind: u8, count: u64| {
        let mut frame = vec![FORMAT_VERSION, kind, 0, 0, 0];
        frame.extend_from_slice(&count.to_le_bytes());
        frame
    };
    match turn % 6 {
        0 => noise(NOISE_MAX),
        // So many requests that no memory holds them; and as many bytes of a body of a block.
        1 => begin(1, u64::MAX),
        2 => [begin(1, 1 << 40), noise(1_024)].concat(),
        3 => [begin(0, u64::MAX), vec![0xff; 4_096]].concat(),
        4 => [begin(2, u64::MAX >> 1), noise(NOISE_MAX)].concat(),
        _ => [begin(u8::MAX, Height::GENESIS.get()), noise(64)].concat(),
    }
}

//! Another value of a field than the one that is there.

use crypto::digest::Digest;
use crypto::keys::{PublicKey, Signature};
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::replica::ReplicaId;
use types::vote::Phase;

use super::Mutator;

/// A memo of so many bytes is longer than any that is accepted.
const MEMO_TOO_LONG: usize = 100;

impl Mutator {
    /// A number nearby, or at an end.
    pub(super) fn number(&mut self, number: u64) -> u64 {
        let n = u64::try_from(self.validators.len()).unwrap_or(1);
        let others = [
            number.saturating_add(1),
            number.saturating_sub(1),
            number.saturating_add(n),
            number.saturating_add(1_000),
            0,
            u64::MAX,
        ];
        let others = others.map(|other| if other == number { number ^ 1 } else { other });
        self.random.pick(&others).copied().unwrap_or_default()
    }

    pub(super) fn small_number(&mut self, number: u32) -> u32 {
        let other = self.number(number.into());
        u32::try_from(other).ok().filter(|other| *other != number).unwrap_or(u32::MAX)
    }

    pub(super) fn view(&mut self, view: View) -> View {
        View::new(self.number(view.get()))
    }

    pub(super) fn height(&mut self, height: Height) -> Height {
        Height::new(self.number(height.get()))
    }

    pub(super) fn nonce(&mut self, nonce: Nonce) -> Nonce {
        Nonce::new(self.number(nonce.get()))
    }

    pub(super) fn amount(&mut self, amount: Amount) -> Amount {
        Amount::new(self.number(amount.get()))
    }

    pub(super) const fn phase(phase: Phase) -> Phase {
        match phase {
            Phase::Prepare => Phase::Commit,
            Phase::Commit => Phase::Prepare,
        }
    }

    pub(super) fn digest(&mut self, digest: &Digest) -> Digest {
        Digest::from_bytes(self.bytes(*digest.as_bytes()))
    }

    pub(super) fn chain(&mut self, chain: &ChainId) -> ChainId {
        ChainId::new(self.digest(chain.digest()))
    }

    /// The id of a block that it knows, or of none that there is.
    pub(super) fn block_id(&mut self, id: &BlockId) -> BlockId {
        let known = self.memory.block(&mut self.random).filter(|known| known != id);
        match known.filter(|_| self.random.chance(700)) {
            Some(known) => known,
            None => BlockId::new(self.digest(id.digest())),
        }
    }

    /// Another member, or nobody.
    pub(super) fn replica(&mut self, replica: ReplicaId) -> ReplicaId {
        let n = u16::try_from(self.validators.len()).unwrap_or(u16::MAX);
        let members = (0..n).chain([n, u16::MAX]).map(ReplicaId::new);
        let others: Vec<ReplicaId> = members.filter(|other| *other != replica).collect();
        self.random.pick(&others).copied().unwrap_or(replica)
    }

    pub(super) fn signature(&mut self, signature: &Signature) -> Signature {
        Signature::from_bytes(self.bytes(*signature.as_bytes()))
    }

    pub(super) fn address(&mut self, address: &Address) -> Address {
        let Address::Key(key) = address;
        Address::Key(PublicKey::from_bytes(self.bytes(*key.as_bytes())))
    }

    pub(super) fn memo(&mut self, memo: &Memo) -> Memo {
        let more = if self.random.chance(500) { 1 } else { MEMO_TOO_LONG };
        Memo::new(format!("{}{}", memo.text(), "x".repeat(more)))
    }

    /// The same bytes but for one bit.
    fn bytes<const N: usize>(&mut self, mut bytes: [u8; N]) -> [u8; N] {
        let (place, bit) = (self.random.index(N), self.random.below(8));
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << bit;
        }
        bytes
    }
}

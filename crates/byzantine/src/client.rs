//! Attacks by clients: what they submit to the validators of a network.
//!
//! A client has an account of the genesis and its key, or nothing but a socket. What it submits is made here, round by
//! round; the adversary sends it and tells what was answered.

use crypto::digest::Digest;
use crypto::keys::{SecretKey, Signature};
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use crate::Random;

/// No transaction expires.
const VALID_UNTIL: Height = Height::new(1 << 40);

/// Transactions with a gap before them, in one round: as many as one submission may hold.
const STUFFING: u64 = 1_000;

/// The order of the group, little-endian: a signature plus this is the same signature in another form.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// An attack by a client.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What it is called on command lines.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// What the validators do about it, in one sentence.
    pub answer: &'static str,
    make: fn(&Purse, &mut Random) -> Vec<Volley>,
}

/// Every attack by a client, by name.
pub const CATALOGUE: &[Kind] = &[
    Kind {
        name: "decode-bombs",
        sentence: "submits texts that are no transactions: lists in lists without end, lengths beyond all memory, noise",
        answer: "sizes and depths are bounded before anything is decoded, and every one is refused",
        make: decode_bombs,
    },
    Kind {
        name: "double-spend",
        sentence: "signs two transfers with one nonce, and gives each to one half of the validators",
        answer: "one of the two commits, the same at all, and the other is refused for its nonce",
        make: double_spend,
    },
    Kind {
        name: "malleate",
        sentence: "pays, and submits the same payment under other forms of its signature: plus the order of the group, with \\
                   other bits set",
        answer: "a signature has one form, every other is refused, and the payment is made once",
        make: malleate,
    },
    Kind {
        name: "nonce-gaps",
        sentence: "submits transfers by the thousand with a gap before their nonces, near and far, so that they must wait",
        answer: "an account has few places to wait in, and those of others are not taken",
        make: nonce_gaps,
    },
    Kind {
        name: "replay",
        sentence: "pays, and submits the same payment again and again, as it was and as it was signed for another network",
        answer: "a nonce is used once, and the network is signed with every transaction",
        make: replay,
    },
];

impl Kind {
    /// The attack of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|kind| kind.name == name)
    }

    /// What is submitted in one round, in this order.
    pub fn round(&self, purse: &Purse, random: &mut Random) -> Vec<Volley> {
        (self.make)(purse, random)
    }
}

/// The account that an attack is made from.
pub struct Purse {
    /// Its key.
    pub key: SecretKey,
    /// The network that it is of.
    pub chain: ChainId,
    /// The nonce of its next transaction.
    pub nonce: Nonce,
}

/// To whom something is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// To all validators.
    All,
    /// To every second one, from the first.
    Even,
    /// To every second one, from the second.
    Odd,
}

/// Something that is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volley {
    /// To whom.
    pub to: Audience,
    /// What.
    pub what: Shot,
}

/// What is submitted at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shot {
    /// One transaction.
    One(Box<SignedTransaction>),
    /// Several.
    Many(Vec<SignedTransaction>),
    /// One that is first waited for until it is committed.
    Settled(Box<SignedTransaction>),
    /// A body of a request for submission that is none.
    Bytes(Vec<u8>),
}

impl Purse {
    /// One base unit for an account that nobody has.
    fn transfer(&self, nonce: Nonce, random: &mut Random) -> SignedTransaction {
        self.transfer_on(self.chain, nonce, random)
    }

    fn transfer_on(&self, chain: ChainId, nonce: Nonce, random: &mut Random) -> SignedTransaction {
        let mut seed = [0; 32];
        for word in seed.chunks_exact_mut(8) {
            word.copy_from_slice(&random.number().to_le_bytes());
        }
        let transaction = Transaction {
            chain,
            sender: Address::Key(self.key.public_key()),
            nonce,
            valid_until: VALID_UNTIL,
            action: Action::Transfer(Transfer {
                recipient: Address::Key(SecretKey::from_seed(seed).public_key()),
                amount: Amount::new(1),
                memo: Memo::default(),
            }),
        };
        SignedTransaction::sign(transaction, &self.key)
    }
}

fn double_spend(purse: &Purse, random: &mut Random) -> Vec<Volley> {
    let [one, other] = [(); 2].map(|()| Box::new(purse.transfer(purse.nonce, random)));
    vec![
        Volley { to: Audience::Even, what: Shot::One(one.clone()) },
        Volley { to: Audience::Odd, what: Shot::One(other.clone()) },
        Volley { to: Audience::Odd, what: Shot::One(one) },
        Volley { to: Audience::Even, what: Shot::One(other) },
    ]
}

fn nonce_gaps(purse: &Purse, random: &mut Random) -> Vec<Volley> {
    let gap = if random.chance(500) { random.below(32) } else { random.below(1 << 40) };
    let first = purse.nonce.get().saturating_add(2).saturating_add(gap);
    let nonces = (0..STUFFING).map(|step| Nonce::new(first.saturating_add(step)));
    let stuffing = nonces.map(|nonce| purse.transfer(nonce, random)).collect();
    vec![Volley { to: Audience::All, what: Shot::Many(stuffing) }]
}

fn replay(purse: &Purse, random: &mut Random) -> Vec<Volley> {
    let paid = Box::new(purse.transfer(purse.nonce, random));
    let elsewhere = ChainId::new(Digest::from_bytes([0x5a; 32]));
    let foreign = Box::new(purse.transfer_on(elsewhere, purse.nonce.next(), random));
    // Signed for the other network, and then said to be of this one.
    let mut moved = foreign.clone();
    moved.transaction.chain = purse.chain;
    let one = |what| Volley { to: Audience::All, what: Shot::One(what) };
    vec![
        Volley { to: Audience::All, what: Shot::Settled(paid.clone()) },
        one(paid),
        one(foreign),
        one(moved),
    ]
}

fn malleate(purse: &Purse, random: &mut Random) -> Vec<Volley> {
    let paid = purse.transfer(purse.nonce, random);
    let with = |signature: [u8; 64]| {
        let mut other = paid.clone();
        other.signature = Signature::from_bytes(signature);
        Volley { to: Audience::All, what: Shot::One(Box::new(other)) }
    };
    let genuine = *paid.signature.as_bytes();
    let flipped = |place: usize, bit: u8| {
        let mut bytes = genuine;
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= bit;
        }
        bytes
    };
    let mut volleys: Vec<Volley> =
        [plus_order(genuine), flipped(31, 0x80), flipped(63, 0xe0), [0; 64], [0xff; 64]]
            .map(with)
            .into();
    volleys.push(Volley { to: Audience::All, what: Shot::Settled(Box::new(paid.clone())) });
    volleys.push(with(plus_order(genuine)));
    volleys
}

/// The second half of a signature, which is a number below the order of the group, plus that order.
fn plus_order(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0_u16;
    for (byte, order) in signature.iter_mut().skip(32).zip(ORDER) {
        let sum = u16::from(*byte).wrapping_add(u16::from(order)).wrapping_add(carry);
        let [low, high] = sum.to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    signature
}

fn decode_bombs(_: &Purse, random: &mut Random) -> Vec<Volley> {
    let mut noise = vec![0; 4_096];
    for word in noise.chunks_exact_mut(8) {
        word.copy_from_slice(&random.number().to_le_bytes());
    }
    let text = |text: String| text.into_bytes();
    let bodies = [
        text("[".repeat(100_000)),
        text(format!("{{\"transaction\":{}", "{\"a\":".repeat(50_000))),
        text(format!("{{\"transaction\":\"{}\"}}", "0".repeat(200_000))),
        // The format, and a length beyond all memory.
        text("{\"transaction\":\"01ffffffffffffffffffffffffffffffffffffffffffffffff\"}".to_owned()),
        text("{\"transaction\":1e999999}".to_owned()),
        noise,
    ];
    bodies.into_iter().map(|body| Volley { to: Audience::All, what: Shot::Bytes(body) }).collect()
}

#[cfg(test)]
mod tests;

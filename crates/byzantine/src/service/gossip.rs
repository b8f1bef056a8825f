//! Control messages of gossipsub that no honest neighbour sends, as bytes.
//!
//! Gossipsub is spoken in RPCs, each with its length in front of it. An RPC is a protobuf message; what is used of it
//! here, by the numbers of its fields:
//!
//! | message | fields |
//! | --- | --- |
//! | RPC | 1 subscriptions, 3 control |
//! | subscription | 1 whether it begins or ends, 2 topic |
//! | control | 1 IHAVE, 2 IWANT, 3 GRAFT, 4 PRUNE, 5 IDONTWANT |
//! | IHAVE | 1 topic, 2 ids of messages |
//! | IWANT, IDONTWANT | 1 ids of messages |
//! | GRAFT | 1 topic |
//! | PRUNE | 1 topic, 2 other peers, 3 for how many seconds |
//! | peer | 1 its id |

use crate::Random;

/// How many bytes of control messages a long frame has: a neighbour that takes less ends the stream.
const LONG_BYTES: usize = 3_800;
/// Of so many frames in a row, the first are long and the others have one entry.
const ROW: u64 = 1_000;
const LONG_OF_ROW: u64 = 50;
/// Ids that are used again and again.
const KNOWN_IDS: u64 = 64;
/// What is said of a number and of bytes beside the number of its field.
const NUMBER: u64 = 0;
const BYTES: u64 = 2;
/// How a peer id with an Ed25519 key begins; the key follows.
const PEER_ID: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A frame that a neighbour can read, and what is in it. These topics are those of the network.
pub fn flood(random: &mut Random, turn: u64, topics: &[String]) -> (&'static str, Vec<u8>) {
    let bytes_max = if turn % ROW < LONG_OF_ROW { LONG_BYTES } else { 1 };
    let mut draw = Draw { random, topics, bytes_max };
    let (name, rpc) = match turn % 10 {
        0 => ("IHAVE of what never was", one(1, &draw.ihave())),
        1 => ("IHAVE of nothing", draw.many(1, |_| Vec::new())),
        2 => ("IWANT of the same", one(2, &draw.ids(1, Draw::known))),
        3 => ("GRAFT of all topics", draw.many(3, |draw| field(1, &draw.topic()))),
        4 => ("GRAFT of nothing", draw.many(3, |_| Vec::new())),
        5 => ("PRUNE for ever", draw.many(4, Draw::prune)),
        6 => ("PRUNE with many peers", one(4, &draw.prune_with_peers())),
        7 => ("IDONTWANT of what never was", one(5, &draw.ids(1, Draw::made_up))),
        8 => ("IDONTWANT of the same", one(5, &draw.ids(1, Draw::known))),
        _ => ("subscriptions in turn", draw.subscriptions()),
    };
    (name, frame(&rpc))
}

/// Bytes that end a stream: above a limit, of no RPC, or fewer than they promise. After those nothing more can be said
/// on it.
pub fn unreadable(turn: u64) -> (&'static str, Vec<u8>) {
    match turn % 5 {
        0 => ("control messages above the limit", frame(&field(3, &vec![0x1a; 2 << 20]))),
        1 => ("an RPC above the limit", frame(&field(2, &vec![0; 4 << 20]))),
        2 => ("a length beyond all memory", number(u64::MAX)),
        3 => ("fewer bytes than promised", [number(500_000), vec![0; 4_096]].concat()),
        _ => ("an RPC that is none", frame(&[0xff; 512])),
    }
}

/// One control message.
fn one(kind: u64, body: &[u8]) -> Vec<u8> {
    field(3, &field(kind, body))
}

/// What frames are drawn from.
struct Draw<'a> {
    random: &'a mut Random,
    topics: &'a [String],
    bytes_max: usize,
}

impl Draw<'_> {
    /// As many control messages as the frame takes.
    fn many(&mut self, kind: u64, body: impl Fn(&mut Self) -> Vec<u8>) -> Vec<u8> {
        field(3, &self.filled(|draw| field(kind, &body(draw))))
    }

    fn ids(&mut self, tag: u64, id: impl Fn(&mut Self) -> Vec<u8>) -> Vec<u8> {
        self.filled(|draw| field(tag, &id(draw)))
    }

    fn ihave(&mut self) -> Vec<u8> {
        let topic = self.random.pick(self.topics).cloned().unwrap_or_default();
        [field(1, topic.as_bytes()), self.ids(2, Self::made_up)].concat()
    }

    fn prune(&mut self) -> Vec<u8> {
        [field(1, &self.topic()), key(3, NUMBER), number(u64::MAX)].concat()
    }

    fn prune_with_peers(&mut self) -> Vec<u8> {
        [self.prune(), self.filled(|draw| field(2, &field(1, &draw.peer())))].concat()
    }

    fn peer(&mut self) -> Vec<u8> {
        let key = [(); 4].map(|()| self.random.number().to_le_bytes()).concat();
        [&PEER_ID[..], &key].concat()
    }

    /// Begins and ends what it takes part in, and what nobody has heard of.
    fn subscriptions(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        for topic in self.topics {
            let begins = [key(1, NUMBER), number(self.random.chance(500).into())].concat();
            for topic in [topic.clone().into_bytes(), self.made_up()] {
                all.extend(field(1, &[begins.clone(), field(2, &topic)].concat()));
            }
        }
        all
    }

    /// One of the topics, or one that nobody has heard of.
    fn topic(&mut self) -> Vec<u8> {
        let known = self.random.chance(900).then(|| self.random.pick(self.topics)).flatten();
        known.map_or_else(|| self.made_up(), |topic| topic.clone().into_bytes())
    }

    /// An id that no message has; as a text it can be read.
    fn made_up(&mut self) -> Vec<u8> {
        format!("{:020}", self.random.number()).into_bytes()
    }

    /// One of a few ids.
    fn known(&mut self) -> Vec<u8> {
        format!("{:020}", self.random.below(KNOWN_IDS)).into_bytes()
    }

    /// As many entries as the frame takes, at least one.
    fn filled(&mut self, entry: impl Fn(&mut Self) -> Vec<u8>) -> Vec<u8> {
        let mut all = entry(self);
        loop {
            let next = entry(self);
            if all.len().saturating_add(next.len()) > self.bytes_max {
                return all;
            }
            all.extend(next);
        }
    }
}

/// An RPC with its length.
fn frame(rpc: &[u8]) -> Vec<u8> {
    [number(length(rpc)), rpc.to_vec()].concat()
}

/// A field that has bytes.
fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    [key(tag, BYTES), number(length(bytes)), bytes.to_vec()].concat()
}

fn key(tag: u64, kind: u64) -> Vec<u8> {
    number(tag << 3 | kind)
}

/// A number by seven bits a byte, the lowest first; all bytes but the last have their highest bit.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! What is made is what gossipsub reads: decoded here by the table at the head of the module, and nothing else.

use std::collections::BTreeSet;

use super::*;

/// A field of a message: a number, or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

fn take_number(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0.. {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * place);
        if first & 0x80 == 0 {
            break;
        }
    }
    value
}

fn take_bytes(bytes: &mut &[u8]) -> Vec<u8> {
    let length = usize::try_from(take_number(bytes)).unwrap();
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken.to_vec()
}

/// The fields of a message, each with its number.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = take_number(&mut bytes);
        all.push((
            key >> 3,
            match key & 7 {
                0 => Field::Number(take_number(&mut bytes)),
                2 => Field::Bytes(take_bytes(&mut bytes)),
                other => panic!("field {} has the kind {other}", key >> 3),
            },
        ));
    }
    all
}

fn messages(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let of_bytes = |(tag, field): (u64, Field)| match field {
        Field::Bytes(bytes) => (tag, bytes),
        Field::Number(number) => panic!("field {tag} is the number {number}"),
    };
    fields(bytes).into_iter().map(of_bytes).collect()
}

fn topics() -> Vec<String> {
    ["announcements", "transactions"].map(|kind| format!("/logothete/{kind}/1/abc")).into()
}

#[test]
fn every_kind_of_control_message_is_made_and_can_be_read() {
    let mut random = Random::stream(7, "flood", &[]);
    let mut kinds = BTreeSet::new();
    let mut names = BTreeSet::new();
    for turn in (0..40).chain(500..540) {
        let long = turn < 40;
        let (name, frame) = flood(&mut random, turn, &topics());
        names.insert(name);

        let mut rest = frame.as_slice();
        let rpc = take_bytes(&mut rest);
        assert!(rest.is_empty() && frame.len() < 4 << 10, "{name}: {} bytes", frame.len());
        for (tag, body) in messages(&rpc) {
            match tag {
                1 => {
                    kinds.insert(0);
                    let fields = fields(&body);
                    assert!(matches!(fields[0], (1, Field::Number(0 | 1))), "{fields:?}");
                    assert!(matches!(fields[1], (2, Field::Bytes(_))), "{fields:?}");
                }
                3 => kinds.extend(messages(&body).into_iter().map(|(kind, body)| {
                    read(name, long, kind, &body);
                    kind
                })),
                other => panic!("{name}: an RPC with the field {other}"),
            }
        }
    }
    assert_eq!(kinds, BTreeSet::from([0, 1, 2, 3, 4, 5]));
    assert_eq!(names.len(), 10);
}

/// A control message is one of its kind.
fn read(name: &str, long: bool, kind: u64, body: &[u8]) {
    let fields = fields(body);
    let topic = |field: &(u64, Field)| {
        let known = topics().iter().any(|topic| field.1 == Field::Bytes(topic.clone().into()));
        field.0 == 1 && (known || matches!(&field.1, Field::Bytes(text) if text.len() == 20))
    };
    let id = |tag: u64| move |field: &(u64, Field)| matches!(field, (number, Field::Bytes(id)) if *number == tag && id.len() == 20);
    match kind {
        1 if body.is_empty() => {}
        1 => {
            assert!(topic(&fields[0]) && fields[1..].iter().all(id(2)), "{name}");
            assert_eq!(fields.len() > 100, long, "{name}");
        }
        2 | 5 => {
            assert!(fields.iter().all(id(1)), "{name}");
            assert_eq!(fields.len() > 100, long, "{name}");
        }
        3 => assert!(fields.is_empty() || (fields.len() == 1 && topic(&fields[0])), "{name}"),
        4 if body.is_empty() => {}
        4 => {
            assert!(topic(&fields[0]) && fields[1] == (3, Field::Number(u64::MAX)), "{name}");
            for (tag, peer) in &fields[2..] {
                let Field::Bytes(peer) = peer else { panic!("{name}: a peer is a number") };
                let id = messages(peer);
                assert_eq!((*tag, id[0].0, id[0].1.len()), (2, 1, 38), "{name}");
            }
            let many = name == "PRUNE with many peers" && long;
            assert_eq!(fields.len() > 80, many, "{name}");
        }
        other => panic!("{name}: a control message of the kind {other}"),
    }
}

#[test]
fn what_ends_a_stream_is_above_a_limit_or_no_rpc() {
    let lengths: Vec<usize> = (0..5).map(|turn| unreadable(turn).1.len()).collect();
    assert!(lengths[0] > 2 << 20 && lengths[1] > 4 << 20, "{lengths:?}");
    let mut endless = &unreadable(2).1[..];
    assert_eq!(take_number(&mut endless), u64::MAX);
    let mut short = &unreadable(3).1[..];
    assert!(take_number(&mut short) > 4_096 && short.len() == 4_096);
}

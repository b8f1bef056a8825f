use std::io;

use futures::executor::block_on;
use futures::io::Cursor;
use proptest::prelude::*;

use super::{read_bounded, write_bounded};

#[test]
fn the_longest_message_passes_and_one_byte_more_is_refused_on_both_sides() {
    let mut wire = Cursor::new(Vec::new());
    block_on(write_bounded(&mut wire, &[7; 100], 100)).unwrap();
    let refused = block_on(write_bounded(&mut wire, &[7; 101], 100)).unwrap_err();
    let bytes = wire.into_inner();

    let read = block_on(read_bounded(&mut Cursor::new(&bytes), 100)).unwrap();
    let too_long = block_on(read_bounded(&mut Cursor::new(&bytes), 99)).unwrap_err();

    assert_eq!(read, vec![7; 100]);
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    assert_eq!(too_long.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_length_without_its_bytes_is_an_end_of_file_and_takes_no_memory() {
    let wire = u32::MAX.to_be_bytes();

    let error = block_on(read_bounded(&mut Cursor::new(wire), u32::MAX)).unwrap_err();

    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

proptest! {
    #[test]
    fn random_bytes_are_a_bounded_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let read = block_on(read_bounded(&mut Cursor::new(&bytes), 64));

        if let Ok(message) = read {
            prop_assert!(message.len() <= 64);
        }
    }
}

use proptest::prelude::*;

use super::{Frame, read_frame};

fn frames(text: &str) -> Vec<Frame> {
    let mut reader = text.as_bytes();
    let mut frames = Vec::new();
    while let Ok(frame) = read_frame(&mut reader) {
        frames.push(frame);
    }
    frames
}

fn frame(event: &str, data: &str) -> Frame {
    Frame { event: event.to_owned(), data: data.to_owned() }
}

#[test]
fn fields_are_joined_and_comments_and_unknown_fields_skipped() {
    let text = ": hello\nid: 7\nevent: block\ndata: {\"a\":\ndata:1}\nretry: 5\n\n\
                event:status\r\ndata: {}\r\n\r\n: alone\n\nnonsense\n\n";

    assert_eq!(
        frames(text),
        [frame("block", "{\"a\":\n1}"), frame("status", "{}"), frame("", ""), frame("", ""),]
    );
}

#[test]
fn a_frame_that_the_stream_cuts_short_is_none() {
    assert_eq!(frames("event: block\ndata: {}\n"), []);
    assert_eq!(frames("event: block\ndata: {"), []);
}

#[test]
fn a_line_without_end_is_refused_and_not_held() {
    struct Endless(u64);
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'x');
            self.0 += u64::try_from(buffer.len()).unwrap();
            assert!(self.0 < 2 * super::LINE_BYTES_MAX);
            Ok(buffer.len())
        }
    }

    let mut reader = std::io::BufReader::new(Endless(0));

    assert!(read_frame(&mut reader).is_err());
}

#[test]
fn data_without_end_is_refused_and_not_held() {
    let line = format!("data: {}\n", "x".repeat(1 << 20));
    let text = line.repeat(20);

    assert!(read_frame(&mut text.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut reader = bytes.as_slice();
        while read_frame(&mut reader).is_ok() {}
    }
}

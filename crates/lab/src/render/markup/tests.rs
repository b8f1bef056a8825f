//! Text that is data stays text.

use super::*;

#[test]
fn nothing_in_a_text_is_markup() {
    let text = "<b a='1' c=\"2\">&\u{1}";

    assert_eq!(escaped(text), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\u{fffd}");
}

#[test]
fn a_text_that_is_cut_says_so() {
    assert_eq!(
        (cut("abcde", 5), cut("abcdef", 5)),
        ("abcde".to_owned(), "abcd\u{2026}".to_owned())
    );
}

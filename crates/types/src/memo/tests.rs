use super::{MEMO_BYTES_MAX, Memo};

#[test]
fn a_memo_fits_up_to_64_bytes_of_utf8() {
    assert!(Memo::empty().fits());
    assert!(Memo::new("x".repeat(MEMO_BYTES_MAX)).fits());
    assert!(!Memo::new("x".repeat(MEMO_BYTES_MAX + 1)).fits());
    assert!(!Memo::new("é".repeat(33)).fits());
}

#[test]
fn text_that_would_draw_on_a_terminal_is_shown_escaped() {
    let memo = Memo::new("pay\u{1b}[2J \u{202e}evil\u{200b}\u{85}\u{e0041}\n".to_owned());

    let shown = memo.to_string();

    assert_eq!(shown, "pay\\u{1b}[2J \\u{202e}evil\\u{200b}\\u{85}\\u{e0041}\\u{a}");
    assert_eq!(format!("{memo:?}"), format!("Memo(\"{shown}\")"));
    assert!(memo.text().contains('\u{1b}'));
}

#[test]
fn ordinary_text_is_shown_as_it_is() {
    let text = "Grüße, 東京 – 5 % „ok“ 🎉";

    assert_eq!(Memo::new(text.to_owned()).to_string(), text);
    assert_eq!(Memo::new(text.to_owned()).len(), text.len());
    assert!(!Memo::new(text.to_owned()).is_empty());
}

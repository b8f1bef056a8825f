use super::{Align, write};

#[test]
fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
    let rows = vec![
        vec!["node0".to_owned(), "7".to_owned(), "up".to_owned()],
        vec!["né".to_owned(), "1042".to_owned(), String::new()],
    ];

    let mut out = Vec::new();
    let columns = [("NAME", Align::Left), ("HEIGHT", Align::Right), ("STATE", Align::Left)];
    write(&mut out, &columns, &rows).unwrap();
    let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();

    let expected = "  NAME   HEIGHT  STATE\n  node0       7  up\n  né       1042\n";
    assert_eq!(text, expected);
}

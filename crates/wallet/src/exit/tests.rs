use super::Exit;

#[test]
fn every_exit_code_has_the_documented_number() {
    let all = [
        Exit::Done,
        Exit::Fault,
        Exit::Usage,
        Exit::Refused,
        Exit::Unreachable,
        Exit::NotFound,
        Exit::Pending,
        Exit::Declined,
        Exit::Key,
        Exit::Unverified,
    ];

    let codes: Vec<u8> = all.iter().map(|exit| exit.code()).collect();

    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

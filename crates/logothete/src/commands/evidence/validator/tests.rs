use super::*;

/// A validator that nobody needs to reach: the pages are made here.
fn validator() -> Validator {
    let client = Client::new("http://127.0.0.1:1").unwrap();
    Validator::new("node1".to_owned(), None, client, Duration::from_secs(1))
}

/// What is taken of a list with this page after each cursor, and how the list ends.
fn taken(
    limit: usize,
    mut page: impl FnMut(Option<u64>, u32) -> Page<u64, u64>,
) -> (Vec<u64>, Result<(), ClientError>) {
    let (mut taken, mut asked) = (Vec::new(), 0);
    let page = |_: &Client, cursor, count| {
        asked += 1;
        assert!(asked < 100, "the list never ends");
        Ok(page(cursor, count))
    };
    let end = validator().list(limit, page, |next, cursor| next > cursor, |it| taken.extend(it));
    (taken, end)
}

fn garbled(reason: &str) -> Result<(), ClientError> {
    let (url, reason) = ("http://127.0.0.1:1".to_owned(), reason.to_owned());
    Err(ClientError::Garbled { url, reason })
}

#[test]
fn a_list_is_read_to_its_end_or_to_the_limit() {
    let honest = |cursor: Option<u64>, count: u32| {
        let first = cursor.map_or(1, |cursor| cursor + 1);
        let entries: Vec<u64> = (first..=250).take(count.try_into().unwrap()).collect();
        let full = entries.len() == usize::try_from(count).unwrap();
        let next = entries.last().copied().filter(|_| full);
        (entries, next)
    };

    assert_eq!(taken(1_000, honest), ((1..=250).collect(), Ok(())));
    assert_eq!(taken(120, honest), ((1..=120).collect(), Ok(())));
}

#[test]
fn a_list_that_does_not_go_on_ends() {
    let stuck = "its list does not go on from page to page";

    let empty = taken(1_000, |cursor, _| (Vec::new(), Some(cursor.map_or(0, |it| it + 1))));
    assert_eq!(empty, (Vec::new(), garbled(stuck)));
    assert_eq!(taken(1_000, |_, _| (vec![7], Some(7))), (vec![7, 7], garbled(stuck)));
}

#[test]
fn a_page_longer_than_asked_for_is_not_taken() {
    let long = taken(3, |_, _| (vec![1, 2, 3, 4], None));

    assert_eq!(long, (Vec::new(), garbled("it lists more than was asked for")));
}

#[test]
fn one_whose_time_is_over_is_not_asked_any_more() {
    let validator = validator().with_time_max(Duration::from_nanos(1));

    assert_eq!(validator.ask(|_| Ok(1)), Ok(1));

    let over = validator.ask(|_| -> Result<(), ClientError> { panic!("it is asked") });
    assert_eq!(over, Err(ClientError::TimedOut { url: "http://127.0.0.1:1".to_owned() }));
}

use crypto::keys::Signature;
use types::number::View;
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};

use super::{key, read, write};
use crate::chunks::part_key;
use crate::database::Database;

/// A new view of so many view changes; what is kept is not judged.
fn new_view(view: u64, count: u16) -> NewView {
    let (view, signature) = (View::new(view), Signature::from_bytes([7; 64]));
    let asked = (0..count).map(ReplicaId::new);
    let asked = asked.map(|replica| ViewChange { view, certificate: None, replica, signature });
    NewView { view, view_changes: asked.collect(), signature }
}

fn views(database: &Database, from: u64, limit: usize) -> Vec<u64> {
    let read = read(database, View::new(from), limit).unwrap();
    read.iter().map(|new_view| new_view.view.get()).collect()
}

#[test]
fn they_come_back_by_view_and_the_first_of_a_view_stays() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    // The second is of several parts.
    for (view, count) in [(9, 3), (1, 1_000), (u64::MAX, 2), (256, 4)] {
        assert!(write(&database, &new_view(view, count)).unwrap());
    }
    assert!(!write(&database, &new_view(9, 4)).unwrap());

    assert_eq!(views(&database, 0, 9), [1, 9, 256, u64::MAX]);
    assert_eq!((views(&database, 2, 2), views(&database, 257, 9)), (vec![9, 256], vec![u64::MAX]));
    let all = read(&database, View::FIRST, 2).unwrap();
    assert_eq!(all, [new_view(1, 1_000), new_view(9, 3)]);
}

#[test]
fn a_damaged_one_is_passed_over_and_can_be_kept_anew() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    for view in [1, 2, 3] {
        write(&database, &new_view(view, 1_000)).unwrap();
    }
    let first = database.get(&part_key(&key(View::new(1)), 0)).unwrap().unwrap();
    database.put(&part_key(&key(View::new(2)), 0), &first).unwrap();
    assert_eq!(views(&database, 0, 9), [1, 3]);

    // What an interrupted write leaves: parts without a first one.
    database.remove(&part_key(&key(View::new(3)), 0)).unwrap();
    assert_eq!(views(&database, 0, 9), [1]);
    for view in [2, 3] {
        assert!(write(&database, &new_view(view, 1_000)).unwrap());
    }
    assert_eq!(views(&database, 0, 9), [1, 2, 3]);
}

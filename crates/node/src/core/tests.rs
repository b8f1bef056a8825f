use types::vote::Phase;

use super::*;
use crate::fixture::{genesis, proved, vote};

#[test]
fn what_is_said_to_several_replicas_is_in_memory_once() {
    let genesis = genesis(4);
    let header = &proved(&genesis, 1)[0].block.header;
    let message = Message::Commit(vote(&genesis, 1, Phase::Commit, header));
    let (same, other) =
        (message.clone(), Message::Commit(vote(&genesis, 2, Phase::Commit, header)));
    let mut encoded = Encoded::default();

    let first = encoded.bytes(&message);
    let second = encoded.bytes(&same);
    let third = encoded.bytes(&other);

    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(*third, *crypto::encoding::to_wire(&FrameRef::Consensus(&other)));
    assert_ne!(first, third);
}

#[test]
fn gossip_goes_on_when_any_of_it_is_news() {
    let refused = Err(Rejection::BadSignature);

    assert!(any_news(&[refused, Ok(Admission::AlreadyPending), Ok(Admission::Pending)]));
    assert!(any_news(&[Ok(Admission::Parked)]));
    assert!(!any_news(&[Ok(Admission::AlreadyPending), refused]));
    assert!(!any_news(&[]));
}

use super::*;

const ONE: ReplicaId = ReplicaId::new(1);
const TWO: ReplicaId = ReplicaId::new(2);
const THREE: ReplicaId = ReplicaId::new(3);

#[tokio::test]
async fn a_peer_that_sends_much_waits_behind_itself_and_nobody_else_does() {
    let lane = Lane::default();
    for number in 0..100 {
        lane.push(ONE, number);
    }
    lane.push(TWO, 200);
    lane.push(THREE, 300);
    lane.push(TWO, 201);

    let taken = lane.take_some(6).await;

    assert_eq!(taken, [(ONE, 0), (TWO, 200), (THREE, 300), (ONE, 1), (TWO, 201), (ONE, 2)]);
}

#[tokio::test]
async fn of_a_peer_whose_item_is_not_done_no_other_is_taken() {
    let lane = Lane::default();
    for number in 0..3 {
        lane.push(ONE, number);
    }
    lane.push(TWO, 200);

    let first = lane.take().await;
    let second = lane.take().await;
    let none = lane.take_now(9);
    lane.push(ONE, 3);
    let still_none = lane.take_now(9);
    lane.done(ONE);
    let third = lane.take().await;

    assert_eq!((first, second, third), (Some((ONE, 0)), Some((TWO, 200)), Some((ONE, 1))));
    assert_eq!((none.len(), still_none.len()), (0, 0));
}

#[tokio::test]
async fn what_is_urgent_comes_before_what_the_same_peer_sent_earlier() {
    let lane = Lane::default();
    lane.push(ONE, "body");
    lane.push(ONE, "another body");
    lane.push_urgent(ONE, "view change");
    lane.push_urgent(ONE, "new view");
    lane.push(ONE, "its body");

    let taken: Vec<_> = lane.take_some(9).await.into_iter().map(|(_, item)| item).collect();

    assert_eq!(taken, ["view change", "new view", "body", "another body", "its body"]);
}

#[tokio::test]
async fn more_than_its_share_comes_back() {
    let lane = Lane::default();

    let offered: Vec<_> = (0..4).map(|number| lane.offer(ONE, number, 2)).collect();
    let other = lane.offer(TWO, 9, 2);

    assert_eq!(offered, [Ok(()), Ok(()), Err(2), Err(3)]);
    assert_eq!(other, Ok(()));
}

#[tokio::test]
async fn what_is_forgotten_is_dropped_and_what_comes_later_is_not() {
    let lane = Lane::default();
    for number in 0..3 {
        lane.push(ONE, number);
    }
    lane.push(TWO, 200);
    let first = lane.take().await;

    lane.forget(ONE);
    lane.push(ONE, 7);
    let second = lane.take().await;
    let busy = lane.take_now(9);
    lane.done(ONE);
    let third = lane.take().await;

    assert_eq!((first, second, third), (Some((ONE, 0)), Some((TWO, 200)), Some((ONE, 7))));
    assert_eq!(busy, []);
}

#[tokio::test]
async fn a_closed_lane_is_emptied_and_then_ends_for_everybody() {
    let lane = Lane::default();
    lane.push(ONE, 0);
    lane.close();

    assert_eq!(lane.take().await, Some((ONE, 0)));
    assert_eq!(lane.take().await, None);
    assert_eq!(lane.take().await, None);
    assert_eq!(lane.take_some(3).await, []);
}

#[tokio::test]
async fn of_each_peer_a_few_are_taken_however_few_the_others_have() {
    let lane = Lane::default();
    for number in 0..9 {
        lane.push(ONE, number);
    }
    lane.push(TWO, 200);

    let taken = lane.take_of_each(3);

    assert_eq!(taken, [(ONE, 0), (TWO, 200), (ONE, 1), (ONE, 2)]);
}

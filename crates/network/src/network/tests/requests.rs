use std::time::Duration;

use super::{Node, PATIENCE, all_connected, quick, replica, settings, validators};
use crate::error::{RequestError, RespondError};
use crate::event::{Event, Responder};
use crate::settings::{Limits, Settings};

async fn request(node: &mut Node) -> (Vec<u8>, Responder) {
    node.next(|event| match event {
        Event::Request { bytes, reply, .. } => Some((bytes.into_vec(), reply)),
        _ => None,
    })
    .await
}

async fn two(limits: Limits) -> (Node, Node) {
    let mut nodes = all_connected(&[1, 2], &limits).await;
    let second = nodes.pop().unwrap();
    (nodes.pop().unwrap(), second)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_up_to_the_largest_answer() {
    let (one, mut two) = two(quick()).await;
    let bytes_max = usize::try_from(quick().response_bytes_max).unwrap();
    let network = one.network.clone();
    let asking = tokio::spawn(async move { network.request(replica(1), b"why".to_vec()).await });

    let (question, reply) = request(&mut two).await;
    reply.respond(vec![5; bytes_max]).unwrap();

    assert_eq!(question, b"why");
    assert_eq!(asking.await.unwrap(), Ok(vec![5; bytes_max]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_refused_on_the_side_of_its_sender() {
    let (one, mut two) = two(quick()).await;
    let request_max = quick().request_bytes_max;
    let response_max = quick().response_bytes_max;
    let long = vec![1; usize::try_from(request_max).unwrap() + 1];

    let refused = one.network.request(replica(1), long.clone()).await;
    let network = one.network.clone();
    let asking = tokio::spawn(async move { network.request(replica(1), vec![]).await });
    let (question, reply) = request(&mut two).await;
    let answer = vec![1; usize::try_from(response_max).unwrap() + 1];
    let not_sent = reply.respond(answer.clone());

    assert_eq!(refused, Err(RequestError::TooLong { bytes: long.len(), bytes_max: request_max }));
    assert_eq!(question, b"");
    assert_eq!(
        not_sent,
        Err(RespondError::TooLong { bytes: answer.len(), bytes_max: response_max })
    );
    assert!(matches!(asking.await.unwrap(), Err(RequestError::Failed { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_longer_than_the_askers_limit_is_refused_by_the_asker() {
    let validators = validators(1, &[1, 2]);
    let mut one = Node::start(Settings {
        limits: Limits { response_bytes_max: 100, ..quick() },
        ..settings(&validators, 1, &[])
    });
    let bootstrap = [one.address().await];
    let mut two = Node::start(settings(&validators, 2, &bootstrap));
    one.connected(1).await;
    let network = one.network.clone();
    let asking = tokio::spawn(async move { network.request(replica(1), vec![]).await });

    let (_, reply) = request(&mut two).await;
    reply.respond(vec![1; 101]).unwrap();

    assert!(matches!(asking.await.unwrap(), Err(RequestError::Failed { .. })));
}

/// Two connected nodes, of which the first asks and the second answers with a time limit of its
/// own.
async fn with_timeouts(asking: Duration, answering: Duration) -> (Node, Node) {
    let validators = validators(1, &[1, 2]);
    let limits = |request_timeout| Limits { request_timeout, ..quick() };
    let mut one = Node::start(Settings { limits: limits(asking), ..settings(&validators, 1, &[]) });
    let bootstrap = [one.address().await];
    let two =
        Node::start(Settings { limits: limits(answering), ..settings(&validators, 2, &bootstrap) });
    one.connected(1).await;
    (one, two)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_the_time_of_the_asker_runs_out() {
    let (one, mut two) = with_timeouts(Duration::from_millis(200), PATIENCE).await;

    let answer = one.network.request(replica(1), b"anybody".to_vec()).await;

    assert_eq!(answer, Err(RequestError::Timeout));
    drop(request(&mut two).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_told_so_and_the_asker_has_none() {
    let (one, mut two) = with_timeouts(PATIENCE, Duration::from_millis(200)).await;
    let network = one.network.clone();
    let asking = tokio::spawn(async move { network.request(replica(1), vec![1]).await });

    let (_, reply) = request(&mut two).await;
    two.metric("network_requests_total{reason=\"not_answered\"}", 1).await;

    assert_eq!(reply.respond(vec![1]), Err(RespondError::TooLate));
    assert!(matches!(asking.await.unwrap(), Err(RequestError::Failed { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_question_fails_at_once() {
    let (one, mut two) = two(quick()).await;
    let network = one.network.clone();
    let asking = tokio::spawn(async move { network.request(replica(1), vec![1]).await });

    drop(request(&mut two).await);

    assert!(matches!(asking.await.unwrap(), Err(RequestError::Failed { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_questions_than_may_be_open_are_refused() {
    let limits = Limits { requests_in_flight_max: 2, ..quick() };
    let (one, mut two) = two(limits).await;
    let mut asking = Vec::new();
    let mut open = Vec::new();
    for number in 0..2_u8 {
        let network = one.network.clone();
        asking.push(tokio::spawn(async move { network.request(replica(1), vec![number]).await }));
        open.push(request(&mut two).await.1);
    }

    let refused = one.network.request(replica(1), vec![9]).await;
    for reply in open {
        reply.respond(b"done".to_vec()).unwrap();
    }

    assert_eq!(refused, Err(RequestError::Busy(replica(1))));
    for answer in asking {
        assert_eq!(answer.await.unwrap(), Ok(b"done".to_vec()));
    }
}

#[tokio::test]
async fn nobody_is_asked_who_is_not_connected() {
    let validators = validators(1, &[1, 2]);
    let node = Node::start(settings(&validators, 1, &[]));

    for to in [0, 1, 7] {
        let answer = node.network.request(replica(to), vec![1]).await;
        assert_eq!(answer, Err(RequestError::NotConnected(replica(to))));
    }
}

//! Asking all validators at once, without waiting for those that are stuck.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use api::client::Client;
use api::client::error::ClientError;
use api::client::network::Endpoint;

use crate::exit::{Exit, Failure};
use crate::site::Site;

/// How long one question may take, its proof included.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the others are waited for once enough have answered.
const GRACE: Duration = Duration::from_millis(250);

/// What one validator answered.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    /// Who was asked, by the name of the run file or the URL. Nobody vouches for it.
    pub(crate) name: String,
    /// The answer.
    pub(crate) answer: Result<T, ClientError>,
}

/// When a question that is asked now is given up, unless the command ends before.
pub(crate) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// How much time is left.
pub(crate) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Asks every validator the same question, until the deadline. When t + 1 have answered, of which
/// one is honest, the rest get a moment and are then left behind.
///
/// # Errors
/// [`Exit::Unreachable`] when no validator is known.
pub(crate) fn ask_all<T: Send + 'static>(
    site: &Site,
    deadline: Instant,
    question: impl Fn(&Client) -> Result<T, ClientError> + Clone + Send + 'static,
) -> Result<Vec<Answer<T>>, Failure> {
    if site.endpoints().is_empty() {
        return Err(site.nobody());
    }
    let enough = site.genesis().validators().quorum().reply();
    let receiver = ask(site.endpoints(), deadline, question);
    let (mut answers, mut until, mut good) = (Vec::new(), deadline, 0_usize);
    loop {
        match receiver.recv_timeout(left(until)) {
            Ok((endpoint, answer)) => {
                good = good.saturating_add(usize::from(answer.is_ok()));
                if good == enough && answer.is_ok() {
                    until = deadline.min(Instant::now() + GRACE);
                }
                answers.push(Answer { name: endpoint.name, answer });
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(answers),
        }
    }
}

/// Asks every validator at once and takes the first answer there is, with who gave it. For questions
/// whose answer is a proof that `question` checks: of several all would be as good.
pub(crate) fn first_of_all<T: Send + 'static>(
    site: &Site,
    deadline: Instant,
    question: impl Fn(&Client) -> Option<T> + Clone + Send + 'static,
) -> Option<(Endpoint, T)> {
    let receiver = ask(site.endpoints(), deadline, question);
    loop {
        match receiver.recv_timeout(left(deadline)) {
            Ok((endpoint, Some(answer))) => return Some((endpoint, answer)),
            Ok((_, None)) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Asks each of them in a thread of its own, which is not joined: a validator that is stuck holds
/// its thread until the time is over, and nobody else.
fn ask<A: Send + 'static>(
    endpoints: &[Endpoint],
    deadline: Instant,
    question: impl Fn(&Client) -> A + Clone + Send + 'static,
) -> Receiver<(Endpoint, A)> {
    let (sender, receiver) = mpsc::channel();
    for endpoint in endpoints.iter().cloned() {
        let (sender, question) = (sender.clone(), question.clone());
        thread::spawn(move || {
            let answer = question(&endpoint.client.clone().with_timeout(left(deadline)));
            drop(sender.send((endpoint, answer)));
        });
    }
    receiver
}

/// The failure when nobody gave an answer that can be used.
pub(crate) fn nobody_answered<'a>(errors: impl IntoIterator<Item = &'a ClientError>) -> Failure {
    let errors: Vec<&ClientError> = errors.into_iter().collect();
    let garbled = errors.iter().find(|error| matches!(error, ClientError::Garbled { .. }));
    if let Some(garbled) = garbled {
        return Failure::new(Exit::Unverified, "unverified", garbled.to_string());
    }
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let text = if reasons.is_empty() {
        "no validator answered in time".to_owned()
    } else {
        format!("no validator answered: {}", reasons.join("; "))
    };
    Failure::new(Exit::Unreachable, "unreachable", text)
        .with_hint("`logothete testnet status` shows how the validators of a local network are")
}

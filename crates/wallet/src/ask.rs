//! Asking all validators at once, without waiting for those that are stuck.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use api::client::Client;
use api::client::error::ClientError;
use api::client::network::Endpoint;

use crate::exit::{Exit, Failure};
use crate::site::Site;

/// How long one question may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

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

/// Asks every validator the same question. When t + 1 have answered, of which one is honest, the
/// rest get a moment and are then left behind.
///
/// # Errors
/// [`Exit::Unreachable`] when no validator is known.
pub(crate) fn ask_all<T: Send + 'static>(
    site: &Site,
    question: impl Fn(&Client) -> Result<T, ClientError> + Clone + Send + 'static,
) -> Result<Vec<Answer<T>>, Failure> {
    if site.endpoints().is_empty() {
        return Err(site.nobody());
    }
    let enough = site.genesis().validators().quorum().reply();
    Ok(ask(site.endpoints(), enough, question))
}

fn ask<T: Send + 'static>(
    endpoints: &[Endpoint],
    enough: usize,
    question: impl Fn(&Client) -> Result<T, ClientError> + Clone + Send + 'static,
) -> Vec<Answer<T>> {
    let (sender, receiver) = mpsc::channel();
    for endpoint in endpoints.iter().cloned() {
        let (sender, question) = (sender.clone(), question.clone());
        // Not joined: a validator that is stuck holds its thread until the time is over, and nobody
        // else.
        thread::spawn(move || {
            let answer = question(&endpoint.client.with_timeout(PATIENCE));
            drop(sender.send(Answer { name: endpoint.name, answer }));
        });
    }
    drop(sender);
    let mut answers = Vec::new();
    let mut until = Instant::now() + PATIENCE + GRACE;
    let mut good = 0_usize;
    loop {
        match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => {
                good = good.saturating_add(usize::from(answer.answer.is_ok()));
                if good == enough && answer.answer.is_ok() {
                    until = Instant::now() + GRACE;
                }
                answers.push(answer);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return answers,
        }
    }
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

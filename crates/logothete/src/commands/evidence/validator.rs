//! A validator that is asked, and what keeps a lying one from taking all memory and time of who asks.
//!
//! However it answers, the asking ends: a list must go on with each of its pages, holds no more than was asked for, and
//! all calls together have one time limit.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::client::Client;
use api::client::error::ClientError;
use types::replica::ReplicaId;

/// How long one validator may take for all that it is asked.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Entries in a page that is asked for.
const PAGE: usize = 100;

/// A validator that answers.
#[derive(Debug)]
pub(crate) struct Validator {
    /// What the user knows it by, whatever it calls itself: its name in a testnet, else its URL.
    pub(crate) name: String,
    /// Which one it is, when that is known from elsewhere than from itself.
    pub(crate) replica: Option<ReplicaId>,
    client: Client,
    patience: Duration,
    /// What is left of its time.
    left: Mutex<Duration>,
}

/// Entries of a list, and where the next page begins when there is one.
pub(crate) type Page<T, C> = (Vec<T>, Option<C>);

impl Validator {
    /// One that has all its time, and so long for each answer.
    pub(crate) const fn new(
        name: String,
        replica: Option<ReplicaId>,
        client: Client,
        patience: Duration,
    ) -> Self {
        Self { name, replica, client, patience, left: Mutex::new(TIME_MAX) }
    }

    /// The same with another limit for all that it is asked.
    #[cfg(test)]
    pub(crate) fn with_time_max(self, max: Duration) -> Self {
        Self { left: Mutex::new(max), ..self }
    }

    /// One call.
    ///
    /// # Errors
    ///
    /// What the call says; [`ClientError::TimedOut`] without a call when its time is over.
    pub(crate) fn ask<T>(
        &self,
        call: impl FnOnce(&Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let left = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_zero() {
            return Err(ClientError::TimedOut { url: self.client.url().to_owned() });
        }
        let start = Instant::now();
        let answer = call(&self.client.clone().with_timeout(left.min(self.patience)));
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(start.elapsed());
        answer
    }

    /// A list page by page, each handed to `take` when it comes, until it ends or has `limit` entries. `page` asks for
    /// one; `beyond` tells whether the first cursor is strictly further than the second.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`]; [`ClientError::Garbled`] when a page has more than was asked for, or the list does not go on.
    /// What came before stays taken.
    pub(crate) fn list<T, C: Copy>(
        &self,
        limit: usize,
        mut page: impl FnMut(&Client, Option<C>, u32) -> Result<Page<T, C>, ClientError>,
        beyond: impl Fn(&C, &C) -> bool,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<(), ClientError> {
        let (mut left, mut cursor) = (limit, None);
        while left > 0 {
            let wanted = left.min(PAGE);
            let count = u32::try_from(wanted).unwrap_or(u32::MAX);
            let (entries, next) = self.ask(|client| page(client, cursor, count))?;
            if entries.len() > wanted {
                return Err(self.garbled("it lists more than was asked for"));
            }
            left = left.saturating_sub(entries.len());
            let empty = entries.is_empty();
            take(entries);
            let Some(next) = next else { break };
            if empty || cursor.is_some_and(|cursor| !beyond(&next, &cursor)) {
                return Err(self.garbled("its list does not go on from page to page"));
            }
            cursor = Some(next);
        }
        Ok(())
    }

    fn garbled(&self, reason: &str) -> ClientError {
        ClientError::Garbled { url: self.client.url().to_owned(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests;

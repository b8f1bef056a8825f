//! How a call fails.

use std::io;

use thiserror::Error;

use crate::problem::{Code, Problem};

/// Why a call gave no answer, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// The text is not the URL of a validator.
    #[error("{url:?} is not a URL of the form http://HOST:PORT")]
    BadUrl {
        /// The text.
        url: String,
    },
    /// No connection could be made: nothing was sent.
    #[error("no validator answers at {url}: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The connection broke on the way; what was sent may have been taken in.
    #[error("the connection to {url} broke: {reason}")]
    Broken {
        /// Where.
        url: String,
        /// How.
        reason: String,
    },
    /// No answer in time; what was sent may have been taken in.
    #[error("{url} did not answer in time")]
    TimedOut {
        /// Where.
        url: String,
    },
    /// The validator refused, and said why.
    #[error("{problem}")]
    Problem {
        /// Where.
        url: String,
        /// The refusal.
        problem: Box<Problem>,
    },
    /// The answer is not what the API says it should be.
    #[error("the answer of {url} makes no sense: {reason}")]
    Garbled {
        /// Where.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    /// The code of the refusal, when it is one and this version knows it.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem { problem, .. } => problem.known_code(),
            Self::BadUrl { .. }
            | Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::Garbled { .. } => None,
        }
    }

    /// Whether the validator answered that what was asked for does not exist there.
    pub fn is_not_found(&self) -> bool {
        match self.code() {
            Some(code) => [
                Code::BlockNotFound,
                Code::CertificateNotFound,
                Code::TransactionNotFound,
                Code::AccountNotFound,
                Code::EvidenceNotFound,
            ]
            .contains(&code),
            None => false,
        }
    }

    /// Whether asking the same again a little later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => matches!(problem.status, 408 | 429 | 503 | 504),
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => true,
            Self::BadUrl { .. } | Self::Garbled { .. } => false,
        }
    }

    /// The library's error in our words.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an enum of the library, which may grow; what is not named here is an answer we cannot read"
    )]
    pub(crate) fn of(url: &str, error: &ureq::Error) -> Self {
        let url = url.to_owned();
        let reason = error.to_string();
        match error {
            ureq::Error::Io(error) => Self::of_io(url, error),
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::Unreachable { url, reason }
            }
            ureq::Error::Timeout(_) => Self::TimedOut { url },
            _ => Self::Garbled { url, reason },
        }
    }

    /// The system's error in our words.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an enum of the library with dozens of kinds; all others mean a broken connection"
    )]
    pub(crate) fn of_io(url: String, error: &io::Error) -> Self {
        let reason = error.to_string();
        match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Self::Unreachable { url, reason },
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut { url },
            _ => Self::Broken { url, reason },
        }
    }
}

//! The query of a request, read strictly: a parameter that the endpoint does not have, one that is
//! given twice or has no value, and one that is not of its form are all refused, in words for people.

use std::time::Duration;

use axum::extract::{FromRequestParts, Query as AnyQuery};
use axum::http::request::Parts;
use types::evidence::EvidenceId;
use types::lost::ProposalPlace;
use types::number::Height;

use crate::problem::{Code, Problem};
use crate::types::{Position, scalar};

/// Entries of a page when none are asked for, and the most that may be.
const PAGE: (u64, u64) = (50, 100);

/// The most characters of an unknown name that are said back.
const NAME_SHOWN_MAX: usize = 32;

/// The query parameters of an endpoint. Every handler takes them, so that none passes any over.
pub(crate) struct Parameters<T>(pub(crate) T);

/// What can stand in the query of an endpoint.
pub(crate) trait Query: Sized {
    /// The names of its parameters.
    const NAMES: &'static [&'static str];

    /// Reads their values.
    fn read(given: &Given) -> Result<Self, Problem>;
}

impl<S: Send + Sync, T: Query> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        T::read(&Given::of(parts, T::NAMES)?).map(Self)
    }
}

/// What stands in a query: names that the endpoint knows, each once, none without a value.
pub(crate) struct Given(Vec<(String, String)>);

impl Given {
    fn of(parts: &Parts, names: &[&str]) -> Result<Self, Problem> {
        let AnyQuery(given) = AnyQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| invalid("the query is not made of NAME=VALUE".to_owned()))?;
        for (number, (name, value)) in given.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                return Err(unknown(name, names));
            }
            if given.iter().take(number).any(|(earlier, _)| earlier == name) {
                return Err(invalid(format!("{name}: it is given twice")));
            }
            if value.is_empty() {
                return Err(invalid(format!("{name}: it has no value")));
            }
        }
        Ok(Self(given))
    }

    /// The value of a parameter, if it is given.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that `read` understands, which knows `what` it should be.
    fn value<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| invalid(format!("{name}: it must be {what}")))
    }
}

fn unknown(name: &str, names: &[&str]) -> Problem {
    let shown: String = name.chars().take(NAME_SHOWN_MAX).collect();
    let known = match names {
        [] => "this endpoint has none".to_owned(),
        names => format!("this endpoint has {}", names.join(" and ")),
    };
    invalid(format!("there is no parameter {shown:?}: {known}"))
}

fn invalid(detail: String) -> Problem {
    Problem::new(Code::InvalidParameter, detail)
}

/// Of an endpoint without parameters.
pub(crate) struct Nothing;

impl Query for Nothing {
    const NAMES: &'static [&'static str] = &[];

    fn read(_: &Given) -> Result<Self, Problem> {
        Ok(Self)
    }
}

/// Where a page begins, and how many entries it has at most.
pub(crate) struct Page<T> {
    pub(crate) begin: Option<T>,
    pub(crate) limit: usize,
}

/// What a page can begin at.
pub(crate) trait Begin: Sized {
    /// The names of the two parameters of a page, that of its begin first.
    const NAMES: &'static [&'static str; 2];
    /// What the begin must be.
    const FORM: &'static str;

    /// Reads one.
    fn read(text: &str) -> Option<Self>;
}

impl Begin for Height {
    const NAMES: &'static [&'static str; 2] = &["before", "limit"];
    const FORM: &'static str = "a height";

    fn read(text: &str) -> Option<Self> {
        scalar::parse_decimal(text).map(Self::new)
    }
}

impl Begin for Position {
    const NAMES: &'static [&'static str; 2] = &["before", "limit"];
    const FORM: &'static str = "HEIGHT-INDEX";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Begin for ProposalPlace {
    const NAMES: &'static [&'static str; 2] = &["before", "limit"];
    const FORM: &'static str = "HEIGHT-VIEW-BLOCK";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Begin for EvidenceId {
    const NAMES: &'static [&'static str; 2] = &["after", "limit"];
    const FORM: &'static str = "an id of 64 hexadecimal digits";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl<T: Begin> Query for Page<T> {
    const NAMES: &'static [&'static str] = T::NAMES;

    fn read(given: &Given) -> Result<Self, Problem> {
        let [begin, limit] = T::NAMES;
        let (default, max) = PAGE;
        let entries = given.value(limit, &format!("a whole number from 1 to {max}"), |text| {
            scalar::parse_decimal(text).filter(|entries| (1..=max).contains(entries))
        })?;
        let limit = usize::try_from(entries.unwrap_or(default));
        Ok(Self {
            begin: given.value(begin, T::FORM, T::read)?,
            limit: limit.map_err(|_| invalid("limit: it is too large".to_owned()))?,
        })
    }
}

/// What a submission waits for.
pub(crate) struct Wait {
    /// Whether that is its commit.
    pub(crate) committed: bool,
    /// How long at most, when that is said.
    pub(crate) timeout: Option<Duration>,
}

impl Query for Wait {
    const NAMES: &'static [&'static str] = &["wait", "timeout_ms"];

    fn read(given: &Given) -> Result<Self, Problem> {
        let committed = given.value("wait", "none or committed", |text| match text {
            "none" => Some(false),
            "committed" => Some(true),
            _ => None,
        })?;
        let timeout = given.value("timeout_ms", "a whole number", scalar::parse_decimal)?;
        let (committed, timeout) =
            (committed.unwrap_or_default(), timeout.map(Duration::from_millis));
        Ok(Self { committed, timeout })
    }
}

/// After which height events are wanted.
pub(crate) struct After(pub(crate) Option<Height>);

impl Query for After {
    const NAMES: &'static [&'static str] = &["after"];

    fn read(given: &Given) -> Result<Self, Problem> {
        given.value("after", Height::FORM, <Height as Begin>::read).map(Self)
    }
}

//! File descriptors. Every connection takes one, anybody may connect to the API, and journal and store
//! must never find none left: a write that fails ends the validator.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::ConfigError;

/// Kept for everything but the API: files, other validators, and connections that are not theirs yet.
const RESERVED: u64 = 512;

/// The fewest connections that are worth an API.
const CONNECTIONS_MIN: u64 = 16;

/// Raises the limit as far as the system lets us. Says how many connections the API may hold, `wanted`
/// at most.
///
/// # Errors
///
/// [`ConfigError::FewFiles`] when there are too few for a validator at all.
pub(super) fn connections_max(wanted: usize) -> Result<usize, ConfigError> {
    let limit = raise();
    let connections = connections_within(limit, wanted)?;
    if connections < wanted {
        tracing::warn!(
            files_max = limit,
            connections_max = connections,
            "few files may be open at once: the API takes fewer connections than {wanted}"
        );
    }
    Ok(connections)
}

/// Raises the soft limit to the hard one, and says what it is then; none for no limit.
fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files");
            current
        }
    }
}

fn connections_within(limit: Option<u64>, wanted: usize) -> Result<usize, ConfigError> {
    let Some(limit) = limit else {
        return Ok(wanted);
    };
    let left = limit.saturating_sub(RESERVED);
    if left < CONNECTIONS_MIN {
        let needed = RESERVED.saturating_add(CONNECTIONS_MIN);
        return Err(ConfigError::FewFiles { limit, needed });
    }
    Ok(usize::try_from(left).unwrap_or(usize::MAX).min(wanted))
}

#[cfg(test)]
mod tests;

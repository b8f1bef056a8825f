//! The new views that a validator accepted, by view: whoever looks for the guilty of a fork across views needs the
//! certificates in them long after the journal has let go of them.

use crypto::encoding::{from_wire, to_wire};
use types::number::View;
use types::view_change::NewView;

use crate::chunks;
use crate::database::Database;
use crate::error::StorageError;

/// First byte of their keys.
const KEY: u8 = b'v';

/// Writes a new view, unless its view has one. Says whether it did. Not durable yet.
pub(crate) fn write(database: &Database, new_view: &NewView) -> Result<bool, StorageError> {
    let key = key(new_view.view);
    if chunks::read(database, &key).is_ok() {
        return Ok(false);
    }
    chunks::write(database, &key, &to_wire(new_view))?;
    Ok(true)
}

/// Those of views from this one upwards, ascending, at most so many.
pub(crate) fn read(
    database: &Database,
    from: View,
    limit: usize,
) -> Result<Vec<NewView>, StorageError> {
    let mut found = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next.filter(|_| found.len() < limit) {
        let first =
            database.first(&[KEY], &key(from)).map_err(|broken| database.damaged(broken))?;
        let Some(view) = first.and_then(|(key, _)| view_of_key(&key)) else {
            break;
        };
        match read_one(database, view) {
            Ok(new_view) => found.push(new_view),
            Err(reason) => tracing::warn!(%view, reason, "passed over a damaged new view"),
        }
        next = view.get().checked_add(1).map(View::new);
    }
    Ok(found)
}

fn read_one(database: &Database, view: View) -> Result<NewView, String> {
    let bytes = chunks::read(database, &key(view))?;
    let new_view: NewView =
        from_wire(&bytes, bytes.len()).map_err(|error| format!("it does not decode: {error}"))?;
    if new_view.view != view {
        return Err(format!("it says it is of view {}", new_view.view));
    }
    Ok(new_view)
}

fn key(view: View) -> Vec<u8> {
    let mut key = vec![KEY];
    key.extend_from_slice(&view.get().to_be_bytes());
    key
}

fn view_of_key(key: &[u8]) -> Option<View> {
    let (kind, rest) = key.split_first()?;
    let (view, _) = rest.split_first_chunk::<8>()?;
    (*kind == KEY).then(|| View::new(u64::from_be_bytes(*view)))
}

#[cfg(test)]
mod tests;

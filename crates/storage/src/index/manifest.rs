//! Which runs there are, in one value that changes atomically.

use crypto::encoding::{Decode, Encode, from_wire, to_wire};

use super::run::RunNote;
use crate::database::{Database, VALUE_BYTES_MAX};
use crate::error::StorageError;
use crate::sealed::{seal, unseal};

/// The key of the manifest.
pub(super) const MANIFEST_KEY: &[u8] = b"m";

/// The key that says the index must be built anew.
pub(super) const DAMAGE_KEY: &[u8] = b"x";

/// What is known of the index when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub(super) struct Manifest {
    /// The runs hold every block up to this height and none above it.
    pub(super) indexed: u64,
    /// The number of the next run. Pages of this and later numbers are leftovers.
    pub(super) next_run: u64,
    /// The runs of the list of places.
    pub(super) places: Vec<RunNote>,
    /// The runs of the list of histories.
    pub(super) history: Vec<RunNote>,
    /// Runs that are being written or removed: their pages are leftovers after a restart.
    pub(super) unfinished: Vec<u64>,
}

impl Manifest {
    /// Reads the manifest; `Ok(None)` when there is none, `Err` with a reason when it cannot be used.
    pub(super) fn load(database: &Database) -> Result<Option<Self>, String> {
        let get = |key: &[u8]| database.get(key).map_err(|broken| broken.reason);
        if get(DAMAGE_KEY)?.is_some() {
            return Err("it was found damaged before".to_owned());
        }
        let Some(value) = get(MANIFEST_KEY)? else {
            return Ok(None);
        };
        let content = unseal(MANIFEST_KEY, &value)
            .ok_or_else(|| "the checksum of its manifest does not match".to_owned())?;
        from_wire(content, VALUE_BYTES_MAX)
            .map(Some)
            .map_err(|error| format!("its manifest does not decode: {error}"))
    }

    /// Writes it. Not durable yet.
    pub(super) fn save(&self, database: &Database) -> Result<(), StorageError> {
        database.put(MANIFEST_KEY, &seal(MANIFEST_KEY, &to_wire(self)))
    }
}

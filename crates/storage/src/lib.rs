//! What a validator keeps on disk: its votes, the committed blocks, snapshots of the state.
//!
//! [`Directory`] says whose the files are and lets one process in. [`Journal`] makes votes durable before they
//! are sent (protocol, §5). [`Store`] keeps what is committed and finds it again. [`Archive`] reads a stopped
//! directory without touching it.
//!
//! Three rules hold everywhere. A failed write or sync is final: nobody knows what is on disk after it, so nothing
//! is written any more and the validator stops. Every stored value has a checksum and a place that it is
//! bound to: damage is an error that names what is damaged, never another value. And nothing that was
//! reported durable is given up silently: the journal is never repaired beyond its torn tail, a damaged store is
//! set aside only when the operator asks for it.
//!
//! What the stored things mean is decided elsewhere: records and their frames in `pbft`, blocks in `types`,
//! whether a chain is valid in `ledger` and `node`. The database is named in one module and known to nobody else.

mod archive;
mod blocks;
mod chunks;
mod database;
mod directory;
mod error;
mod evidence;
mod files;
#[cfg(test)]
mod fixture;
mod index;
mod journal;
mod new_views;
mod proposals;
mod sealed;
mod snapshots;
mod store;
mod tip;
mod used;

pub use crate::archive::Archive;
pub use crate::directory::{Directory, FORMAT, Holder, Identity, is_locked};
pub use crate::error::StorageError;
pub use crate::evidence::{EvidenceStore, Kept};
pub use crate::journal::Journal;
pub use crate::proposals::{
    LOST_AT_PLACE_MAX, LOST_MAX, LOST_OF_ONE_MIN, LostProposalStore, LostProposals,
};
pub use crate::store::{OpenReport, SetAside, Store, WhenDamaged};
pub use crate::used::UsedKey;

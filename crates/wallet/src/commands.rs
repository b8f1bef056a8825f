//! The commands, one file each.

pub(crate) mod accounts;
pub(crate) mod balance;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod pay;
pub(crate) mod transaction;
pub(crate) mod transfer;

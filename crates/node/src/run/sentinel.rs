//! Who notices that a part of the process has ended.

use tokio::sync::{mpsc, watch};

use crate::error::NodeError;

/// Notices when a part of the process ends, by whatever way, while the process should go on.
pub(super) struct Sentinel {
    pub(super) part: &'static str,
    pub(super) faults: mpsc::Sender<NodeError>,
    pub(super) halted: watch::Receiver<bool>,
}

impl Sentinel {
    /// The part ended in an orderly way; that alone is a fault while the process should go on.
    pub(super) fn ended(self, result: Result<(), NodeError>) {
        if let Err(error) = result {
            // One fault is enough to end the process: if the channel is full, there was one.
            drop(self.faults.try_send(error));
        }
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if !*self.halted.borrow() {
            drop(self.faults.try_send(NodeError::Ended(self.part)));
        }
    }
}

//! SIGINT and SIGTERM as something a blocking command can wait for and ask about.
//!
//! Once installed neither ends the process by itself any more: whoever installs this asks at every
//! wait. SIGHUP keeps its meaning, so that `nohup` works: a closed terminal ends the command, and
//! the validators it started end with their standard input.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// How often the process was told to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    times: Mutex<u32>,
    told: Condvar,
}

impl Interrupt {
    /// Takes both signals from now on.
    ///
    /// # Errors
    ///
    /// Fails when the system gives no handler or no thread.
    pub(crate) fn install() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut interrupt, mut terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let this = Self::default();
        let shared = this.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async move {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => shared.tell(),
                        _ = terminate.recv() => shared.tell(),
                    }
                }
            });
        })?;
        Ok(this)
    }

    /// One that never comes, for commands that a signal simply ends.
    pub(crate) fn never() -> Self {
        Self::default()
    }

    /// One that came already.
    #[cfg(test)]
    pub(crate) fn told() -> Self {
        let this = Self::default();
        this.tell();
        this
    }

    /// Whether the process was told to end.
    pub(crate) fn came(&self) -> bool {
        *self.times() > 0
    }

    /// Whether it was told so more than once: somebody is in a hurry.
    pub(crate) fn insists(&self) -> bool {
        *self.times() > 1
    }

    /// Waits at most so long; returns at once with true when the process was or is told to end.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let waited = self.0.told.wait_timeout_while(self.times(), patience, |times| *times == 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > 0
    }

    fn tell(&self) {
        let mut times = self.times();
        *times = times.saturating_add(1);
        drop(times);
        self.0.told.notify_all();
    }

    fn times(&self) -> MutexGuard<'_, u32> {
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

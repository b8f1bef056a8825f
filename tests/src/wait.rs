//! Waits that are bounded and end with something that can be observed.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a slow machine with all tests running at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `holds` gives something, and gives it.
///
/// # Panics
///
/// When it does not within [`PATIENCE`].
pub fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain: {what}", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `holds` is true.
///
/// # Panics
///
/// As [`until`].
pub fn until_true(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || holds().then_some(()));
}

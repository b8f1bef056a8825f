//! Directories of data, copied.

use std::fs;
use std::path::Path;

/// Copies a directory with everything in it.
///
/// # Panics
///
/// When it cannot be read, or the copy cannot be written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a test may write");
    for entry in fs::read_dir(from).expect("what is copied is there") {
        let path = entry.expect("a directory can be read").path();
        let name = path.file_name().expect("an entry has a name");
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("a test may write");
        }
    }
}

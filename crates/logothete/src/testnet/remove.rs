//! Deletes a testnet, and nothing else: only files that a testnet consists of, by name, and folders
//! only when nothing is left in them. What somebody else put there stays.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;
use crate::testnet::layout::Layout;
use crate::testnet::node::Node;
use crate::testnet::relays::Relays;

/// Deletes the files of a testnet that does not run. The genesis goes last, so that an interrupted
/// deletion can be taken up again. The directory itself and the lock of `testnet up` stay.
///
/// # Errors
///
/// Fails when something cannot be deleted.
pub(crate) fn remove(layout: &Layout) -> Result<(), Failure> {
    for node in layout.existing_nodes()? {
        remove_node(&node)?;
    }
    Relays::of(layout).remove()?;
    remove_file(&layout.accounts())?;
    remove_file(&layout.genesis())
}

fn remove_node(node: &Node) -> Result<(), Failure> {
    let metadata = fs::symlink_metadata(node.folder())
        .map_err(|cause| Failure::file("look at", node.folder(), &cause))?;
    // What a link leads to was not made by a testnet.
    if !metadata.is_dir() {
        return Ok(());
    }
    let data = node.data();
    match fs::symlink_metadata(&data) {
        Ok(metadata) if metadata.is_dir() => {
            fs::remove_dir_all(&data).map_err(|cause| Failure::file("delete", &data, &cause))?;
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file("look at", &data, &error)),
    }
    let files = [
        node.config(),
        node.validator_key(),
        node.used_key(),
        node.node_key(),
        node.log(),
        node.attacks(),
        node.deeds(),
        node.run_file(),
    ];
    for path in files {
        remove_file(&path)?;
    }
    match fs::remove_dir(node.folder()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) => Err(Failure::file("delete", node.folder(), &error)),
    }
}

fn remove_file(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::file("delete", path, &error)),
    }
}

//! Replacing a file so that a crash at any moment leaves the old one or the new one, whole.
//!
//! ```text
//! create NAME.tmp -> write -> fsync -> rename to NAME -> fsync of the folder -> done
//!                                      before: the old     until here a power cut may
//!                                      file is untouched   still bring the old name back
//! ```
//! Without the first fsync the rename can reach the medium before the bytes: an empty file after a power cut.
//! Without the second one the write may be acknowledged and then undone. It stands apart because the records,
//! their index and the users file are all written this way.

use std::path::{Path, PathBuf};

use super::disk::{Disk, parent};
use super::error::{Op, StoreError};

/// The end of a temporary file's name.
pub(super) const TEMPORARY: &str = ".tmp";

/// Replaces a file, durably: after `Ok` it survives a power cut.
///
/// # Errors
/// Whatever the disk reports. The temporary file is gone, and so far as the error came before the rename the
/// old file is untouched; after it the new one stands there, whole, but a power cut might undo it.
pub(super) fn replace(disk: &mut impl Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    put(disk, path, bytes)?;
    settle(disk, parent(path))
}

/// The first half of [`replace`]: up to the rename. For many files in one folder, whose fsync they share.
pub(super) fn put(disk: &mut impl Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary(path);
    let result = write_synced(disk, &temporary, bytes)
        .and_then(|()| disk.rename(&temporary, path).map_err(StoreError::of(Op::Rename, path)));
    if result.is_err() {
        // If that fails as well, the next start removes it.
        let _ = disk.remove(&temporary);
    }
    result
}

/// The second half: the names in the folder are durable.
pub(super) fn settle(disk: &mut impl Disk, folder: &Path) -> Result<(), StoreError> {
    disk.sync_folder(folder).map_err(StoreError::of(Op::SyncFolder, folder))
}

fn write_synced(disk: &mut impl Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = disk.create(path).map_err(StoreError::of(Op::Create, path))?;
    disk.write(&mut file, bytes).map_err(StoreError::of(Op::Write, path))?;
    // The file is closed on return, before the rename: Windows renames no open file.
    disk.sync(&mut file).map_err(StoreError::of(Op::Sync, path))
}

/// In the same folder: a rename across file systems would be a copy.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMPORARY);
    name.into()
}

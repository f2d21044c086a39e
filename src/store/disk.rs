//! The few file operations that the store is made of, behind a trait.
//!
//! It stands apart so that a test can put a disk there that records the order of operations, or one that
//! fails at a chosen one. No policy here: what is written where, and in which order, is `atomic`'s
//! and [`super::Records`]'s business.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, if it is text.
    pub name: Option<String>,
    /// True for a regular file: no folder, no link, no pipe.
    pub regular: bool,
}

/// A disk, or what passes for one in a test.
pub trait Disk {
    /// An open file.
    type File;

    /// Makes a folder and those above it, durably. One that exists is fine.
    ///
    /// # Errors
    /// The system's.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;

    /// What is in a folder, in no particular order.
    ///
    /// # Errors
    /// The system's.
    fn list(&mut self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// At most `limit` bytes from the start of a file.
    ///
    /// # Errors
    /// The system's; `NotFound` if there is no such file.
    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>>;

    /// Makes an empty file that only this user may read. One that was left there goes first.
    ///
    /// # Errors
    /// The system's.
    fn create(&mut self, path: &Path) -> io::Result<Self::File>;

    /// Appends to a file.
    ///
    /// # Errors
    /// The system's; `StorageFull` is the one to expect.
    fn write(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;

    /// fsync: returns once the file's bytes are on the medium.
    ///
    /// # Errors
    /// The system's. After one the file's state is unknown: trying again proves nothing, because Linux marks
    /// the pages clean and forgets them.
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;

    /// Gives a file a name, in place of what had it before. Nobody ever sees neither or half of both.
    ///
    /// # Errors
    /// The system's.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// fsync of a folder: the names in it are on the medium.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&mut self, path: &Path) -> io::Result<()>;

    /// Locks a file, which is made if need be, for as long as it stays open: the folder has one writer.
    ///
    /// # Errors
    /// `WouldBlock` if another process holds the lock.
    fn lock(&mut self, path: &Path) -> io::Result<Self::File>;
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    type File = File;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        let parent = parent(path);
        self.make_folder(parent)?;
        private_folder().create(path)?;
        self.sync_folder(parent)
    }

    fn list(&mut self, folder: &Path) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            let regular = entry.file_type()?.is_file();
            Ok(Entry { name: entry.file_name().into_string().ok(), regular })
        };
        fs::read_dir(folder)?.map(entry).collect()
    }

    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = open_itself(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&mut self, path: &Path) -> io::Result<File> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => create_private(path),
        }
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        // On macOS the standard library asks for F_FULLFSYNC here: plain fsync stops at the drive's cache.
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn lock(&mut self, path: &Path) -> io::Result<File> {
        lock(path)
    }
}

/// Opens a file that no other process has open in this way; [`io::ErrorKind::WouldBlock`] if one has.
#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    let file = private_options().create(true).truncate(false).open(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Opens a file that no other process has open: on Windows a file can be refused to others as it is opened.
#[cfg(windows)]
fn lock(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;

    /// ERROR_SHARING_VIOLATION.
    const SHARED: i32 = 32;
    let opened = private_options().create(true).truncate(false).share_mode(0).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(SHARED) => io::ErrorKind::WouldBlock.into(),
        _ => error,
    })
}

/// Opens the file of that very name: not what a link in its place points to, and without waiting for a writer
/// if somebody has put a pipe there.
#[cfg(unix)]
fn open_itself(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Opens a file. Links take privileges to make on Windows.
#[cfg(windows)]
fn open_itself(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Makes a file that was not there, for this user alone.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    private_options().create_new(true).open(path)
}

/// The folder of a path; a bare name is in the current one.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

// A user's data folder on Windows is readable by that user alone: its files inherit that.
#[cfg(not(unix))]
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

#[cfg(unix)]
fn private_folder() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_folder() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

// Windows opens no folder for that; NTFS keeps its names in a journal.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

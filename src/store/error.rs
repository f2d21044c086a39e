//! A file error that says which operation failed on which path.

use std::io;
use std::path::{Path, PathBuf};

/// The operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Making a folder.
    MakeFolder,
    /// Listing a folder.
    List,
    /// Reading a file.
    Read,
    /// Making a file.
    Create,
    /// Writing to a file.
    Write,
    /// fsync of a file.
    Sync,
    /// Giving a file its name.
    Rename,
    /// fsync of a folder.
    SyncFolder,
    /// Removing a file.
    Remove,
    /// Becoming a folder's only writer.
    Lock,
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Op::MakeFolder => "make the folder",
            Op::List => "list the folder",
            Op::Read => "read",
            Op::Create => "create",
            Op::Write => "write",
            Op::Sync => "fsync",
            Op::Rename => "rename",
            Op::SyncFolder => "fsync the folder",
            Op::Remove => "remove",
            Op::Lock => "lock",
        })
    }
}

/// An operation on a path, and the system's reason.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}", .path.display())]
pub struct StoreError {
    /// What was tried.
    pub op: Op,
    /// On which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl StoreError {
    /// For `map_err`: an error of `op` on `path`.
    pub(super) fn of(op: Op, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError { op, path: path.to_owned(), source }
    }

    /// What a client may be told: without the path, which is the server's own affair.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{}: {}", self.op, self.source)
    }
}

//! Confining a program that nobody trusts: what it may read, write and reach, decided before it starts and never
//! taken back (Landlock, Linux 5.13).
//!
//! ```text
//! netlab ──spawn──► netlab confined ──enter()──► exec the program
//!                   the launcher                  with no way out, nor for its children
//! ```
//! | what                                | how                                          | since      |
//! |-------------------------------------|----------------------------------------------|------------|
//! | files                               | Landlock                                     | Linux 5.13 |
//! | TCP connections to others           | Landlock; to listen is free                  | Linux 6.7  |
//! | signals, abstract Unix sockets      | Landlock                                     | Linux 6.12 |
//! | others' priorities and limits       | seccomp                                      | Linux 3.17 |
//! | the terminal                        | a session of its own, and five harmless devices |         |
//! | descriptors that netlab came by     | closed                                       |            |
//! | netlab started by root              | a user of its own; of root's rights only to read |        |
//!
//! What can't be had so, and is open: UDP to anywhere; Unix sockets with a path that the user may write to (until
//! Linux 7.1); what is kept in memory without a process, such as files of memfd_create; and where an ordinary user
//! grades, the modes and times of that user's files, and what a program leaves in /dev/shm. A netlab that is killed
//! leaves what it has started. A machine or a container of its own closes all that. What a program may use up is
//! [`Limits`](super::Limits)' business.

use std::path::{Path, PathBuf};

use super::os;

/// What a program may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Folders and files that it may read, and run programs from, beside the system's own.
    pub read: Vec<PathBuf>,
    /// Folders in which it may do what it likes.
    pub write: Vec<PathBuf>,
    /// Ports that it may connect to by TCP: its own. A proxy for somebody else's answers is no server.
    pub connect: Vec<u16>,
    /// How many more threads its user may have than now. The system does not hold root to it.
    pub processes: Option<u64>,
    /// The user that it becomes, if netlab is root's.
    pub user: Option<u32>,
}

/// Why a program can't be confined here.
#[derive(Debug, thiserror::Error)]
#[error("programs can't be confined here: {reason}")]
pub struct ConfineError {
    /// What the system lacks, or said.
    pub reason: String,
}

/// Folders that every program needs for reading: itself, its libraries, what the system tells. Of `/etc` only what
/// everybody may read is among them.
const SYSTEM: [&str; 10] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix", "/proc", "/sys/devices"];
/// Where the system's settings are, and some of its secrets.
const SETTINGS: &str = "/etc";
/// Devices that may be read and written. Not the terminals: what is typed there, and what is seen, is not its
/// business.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Where semaphores and shared memory have their names; a program knows its own alone.
const NAMES: &str = "/dev/shm";
/// What stands beside a folder of programs and belongs to them: a language installed in a home folder.
const BESIDE_PROGRAMS: [&str; 8] =
    ["bin", "lib", "lib64", "libexec", "shims", "toolchains", "version", "versions"];
/// Folders of settings are looked through to this depth; what is deeper, everybody may read or nobody.
const SETTINGS_DEPTH: usize = 6;

/// What the system is asked to enforce.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux enforces it"))]
pub(super) struct Rules<'a> {
    pub(super) read: Vec<PathBuf>,
    pub(super) write: Vec<&'a Path>,
    /// Folders whose names may be listed.
    pub(super) list: &'a Path,
    /// Where files may be made and used, but not listed.
    pub(super) names: &'a Path,
    pub(super) connect: &'a [u16],
}

impl Confinement {
    /// Says whether programs can be confined here, without confining anything.
    ///
    /// # Errors
    /// What is missing.
    pub fn available() -> Result<(), ConfineError> {
        os::landlock_available().map_err(|reason| ConfineError { reason })
    }

    /// Confines this process, for good. What it starts inherits it.
    ///
    /// # Errors
    /// A system that can't.
    pub fn enter(&self) -> Result<(), ConfineError> {
        let failed = |reason| ConfineError { reason };
        let mut read: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).chain(self.read.clone()).collect();
        if self.user.is_some() {
            public(Path::new(SETTINGS), SETTINGS_DEPTH, &mut read);
        } else {
            // The modes of the files keep their secrets.
            read.push(SETTINGS.into());
        }
        let write = DEVICES.iter().map(Path::new).chain(self.write.iter().map(PathBuf::as_path)).collect();
        let (list, names) = (Path::new(SETTINGS), Path::new(NAMES));
        os::leave_session();
        os::close_inherited();
        // As the new user: the old one's processes are not counted.
        if let Some(user) = self.user {
            os::become_user(user).map_err(failed)?;
        }
        os::limit_processes(self.processes);
        os::landlock(&Rules { read, write, list, names, connect: &self.connect }).map_err(failed)?;
        // An unknown machine, or a kernel without seccomp: what Landlock and the user's own rights hold still holds.
        let _ = os::refuse_calls();
        Ok(())
    }
}

/// Adds `path` to `found` if everybody may read all that is beneath it, else those of its parts. True for the whole.
fn public(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> bool {
    let Ok(metadata) = path.symlink_metadata() else { return false };
    if !metadata.is_symlink() && !os::readable_by_all(&metadata) {
        return false;
    }
    let before = found.len();
    let mut all = true;
    if metadata.is_dir() && depth > 0 {
        for entry in path.read_dir().into_iter().flatten().flatten() {
            all &= public(&entry.path(), depth - 1, found);
        }
    }
    if all {
        found.truncate(before);
        found.push(path.to_path_buf());
    }
    all
}

/// Where the programs of `path` (the variable PATH) stand that are not the system's: folders of programs in a home
/// folder, and the libraries beside them. Nothing else of a home folder is among them.
#[must_use]
pub fn program_folders(path: &std::ffi::OsStr) -> Vec<PathBuf> {
    let own = |folder: &PathBuf| {
        folder.is_absolute()
            && !SYSTEM.iter().chain(&[SETTINGS, "/dev"]).any(|system| folder.starts_with(system))
    };
    let mut folders = Vec::new();
    for folder in std::env::split_paths(path).filter(own) {
        let parent = folder.parent().map(Path::to_path_buf).unwrap_or_default();
        let home = std::env::home_dir().is_some_and(|home| parent == home);
        if !home {
            let beside = BESIDE_PROGRAMS.iter().map(|name| parent.join(name));
            folders.extend(beside.filter(|path| path.exists()));
        }
        folders.push(folder);
    }
    folders.sort();
    folders.dedup();
    folders
}

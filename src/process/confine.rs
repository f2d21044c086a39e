//! Confining a program that nobody trusts: what it may read and write, decided before it starts and never taken
//! back (Landlock, Linux 5.13).
//!
//! ```text
//! netlab ──spawn──► netlab confined ──enter()──► exec the program
//!                   the launcher                  with no way out, nor for its children
//! ```
//! Files alone are confined, and signals to processes outside (Linux 6.12). The network is not: a server has to
//! serve. What a program may use up is [`Limits`](super::Limits)' business.

use std::path::{Path, PathBuf};

use super::os;

/// What a program may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Folders and files that it may read, and run programs from, beside the system's own.
    pub read: Vec<PathBuf>,
    /// Folders in which it may do what it likes.
    pub write: Vec<PathBuf>,
    /// How many more processes its user may have than now. The system does not hold root to it.
    pub processes: Option<u64>,
}

/// Why a program can't be confined here.
#[derive(Debug, thiserror::Error)]
#[error("programs can't be confined here: {reason}")]
pub struct ConfineError {
    /// What the system lacks, or said.
    pub reason: String,
}

/// Folders that every program needs for reading: itself, its libraries, what the system tells.
const SYSTEM: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/opt",
    "/nix",
    "/proc",
    "/sys/devices",
    "/dev",
];
/// Devices that may be written.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"];
/// What stands beside a folder of programs and belongs to them: a language installed in a home folder.
const BESIDE_PROGRAMS: [&str; 8] =
    ["bin", "lib", "lib64", "libexec", "shims", "toolchains", "version", "versions"];

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
        let read: Vec<&Path> =
            SYSTEM.iter().map(Path::new).chain(self.read.iter().map(PathBuf::as_path)).collect();
        let write: Vec<&Path> =
            DEVICES.iter().map(Path::new).chain(self.write.iter().map(PathBuf::as_path)).collect();
        os::limit_processes(self.processes);
        os::landlock(&read, &write).map_err(|reason| ConfineError { reason })
    }
}

/// Where the programs of `path` (the variable PATH) stand that are not the system's: folders of programs in a home
/// folder, and the libraries beside them. Nothing else of a home folder is among them.
#[must_use]
pub fn program_folders(path: &std::ffi::OsStr) -> Vec<PathBuf> {
    let own =
        |folder: &PathBuf| folder.is_absolute() && !SYSTEM.iter().any(|system| folder.starts_with(system));
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

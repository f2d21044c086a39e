//! A student's folder: its `run` script, and the conditions under which it is started.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::{FileError, Plan};
use crate::check::{self, CheckReport, Config, Target};
use crate::process::{Limits, Program, Scratch};
use crate::text::escape;

/// The program of a submission.
const RUN: &str = "run";
/// Files of a submission that its fingerprint covers; more than this nobody hands in.
const FILES: usize = 10_000;
/// Bytes of a submission's name that its files are called by: with an ending and `.tmp` they stay below 255, which is
/// what file systems take.
const NAME: usize = 200;
/// What a program may use up: far more than any server of the exercises needs.
const LIMITS: Limits = Limits {
    memory: Some(4 << 30),
    descriptors: Some(1_024),
    file_size: Some(64 << 20),
    cpu_seconds: Some(120),
    processes: Some(64),
    together: Some(2 << 30),
    files: Some(256 << 20),
};
/// How many threads a program may have.
const THREADS: usize = 128;
/// And for each processor: Java starts some for each.
const THREADS_EACH: usize = 16;
/// Variables that a program gets to see; the others may hold secrets of whoever grades.
const KEPT: [&str; 5] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];

/// One student's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The folder's name.
    pub name: OsString,
    /// Where it is.
    pub folder: PathBuf,
}

/// What programs may touch.
#[derive(Clone, Debug)]
pub enum Surroundings {
    /// Put this in front of each: it confines the program to reading its folder, and writing in a temporary one.
    Confined {
        /// netlab itself.
        launcher: PathBuf,
        /// What programs may read besides, such as a language in a home folder.
        read: Vec<PathBuf>,
    },
    /// They may do what whoever grades may.
    Open,
}

/// The submissions in a folder: every folder in it that is not hidden, by name.
///
/// # Errors
/// A folder that can't be read.
pub fn submissions(folder: &Path) -> Result<Vec<Submission>, FileError> {
    let failed = || FileError::new("read", folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let (path, hidden) = (entry.path(), entry.file_name().as_encoded_bytes().starts_with(b"."));
        // A link that leads nowhere is somebody's submission too: nobody is left out without a word.
        let lost = path.is_symlink() && fs::metadata(&path).is_err();
        if !hidden && (lost || path.is_dir()) {
            // In full: the program runs in there.
            let folder = fs::canonicalize(&path).unwrap_or(path);
            found.push(Submission { name: entry.file_name(), folder });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Submission {
    /// Its name, with nothing in it that a terminal obeys.
    #[must_use]
    pub fn shown(&self) -> String {
        escape(self.name.as_encoded_bytes())
    }

    /// The name of a file about it.
    pub(super) fn file_name(&self, extension: &str) -> OsString {
        let mut name = self.name.clone();
        if name.len() > NAME {
            // Its hash keeps it apart from another one with the same beginning.
            let hash = Sha256::digest(name.as_encoded_bytes());
            name = excerpt_of(&self.shown()).into();
            name.push(crate::text::hex(&hash[..8]).replace(' ', ""));
        }
        name.push(".");
        name.push(extension);
        name
    }

    /// Changes when one of its files does: their names, sizes and times of change.
    pub(super) fn fingerprint(&self) -> String {
        let (mut hash, mut folders, mut files) = (Sha256::new(), vec![self.folder.clone()], 0);
        while let Some(folder) = folders.pop() {
            let mut entries: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                // Of the link, not of what it leads to.
                let Ok(metadata) = entry.metadata() else { continue };
                files += 1;
                if files > FILES {
                    break;
                }
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
                let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                hash.update(entry.path().as_os_str().as_encoded_bytes());
                hash.update(metadata.len().to_be_bytes());
                hash.update(changed.unwrap_or_default().as_nanos().to_be_bytes());
            }
        }
        crate::text::hex(&hash.finalize()[..16]).replace(' ', "")
    }

    /// Checks it.
    ///
    /// # Errors
    /// Why it could not be checked.
    pub(super) fn check(&self, plan: &Plan<'_>) -> Result<CheckReport, Unchecked> {
        let run = self.folder.join(RUN);
        readable(&run).map_err(Unchecked::NoProgram)?;
        let scratch =
            Scratch::new().map_err(|error| Unchecked::Checker(format!("no temporary folder: {error}")))?;
        let program = self.program(&run, plan, &scratch);
        let mut config = Config::new(Target::Program(program), plan.seed);
        config.limit = plan.limit;
        config.scratch = Some(scratch.path().to_path_buf());
        config.shown = format!("./{RUN} PORT");
        let checked = catch_unwind(AssertUnwindSafe(|| check::run(plan.exercise, &config, &mut Vec::new())));
        match checked {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(Unchecked::Checker(error.to_string())),
            Err(_) => Err(Unchecked::Checker("a fault of its own, told on stderr".to_owned())),
        }
    }

    fn program(&self, run: &Path, plan: &Plan<'_>, scratch: &Scratch) -> Program {
        let mut command = interpreter(run);
        command.extend([run.into(), "{port}".into()]);
        let program = Program { command, folder: Some(self.folder.clone()), ..Program::default() };
        plan.surroundings.around(program, &self.folder, scratch)
    }
}

impl Surroundings {
    /// The program with its limits, an environment without secrets, and its launcher, if it is confined: it may read
    /// `folder`, and write in `scratch`.
    #[must_use]
    pub fn around(&self, program: Program, folder: &Path, scratch: &Scratch) -> Program {
        let names = std::env::vars_os().map(|(name, _)| name);
        let hidden_env = names.filter(|name| !KEPT.iter().any(|kept| name == OsStr::new(kept))).collect();
        let env = ["HOME", "TMPDIR"].map(|name| (name.into(), scratch.path().into())).into();
        let mut user = None;
        let launcher = match self {
            Surroundings::Open => Vec::new(),
            Surroundings::Confined { launcher, read } => {
                let mut words: Vec<OsString> = vec![launcher.into(), "confined".into()];
                for path in std::iter::once(folder).chain(read.iter().map(PathBuf::as_path)) {
                    words.extend(["--read".into(), path.into()]);
                }
                user = scratch.user();
                if let Some(user) = user {
                    words.extend(["--user".into(), user.to_string().into()]);
                }
                words.extend(["--write".into(), scratch.path().into()]);
                let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                let threads = (THREADS + THREADS_EACH * processors).to_string();
                words.extend(["--connect", "{port}", "--processes", &threads, "--"].map(OsString::from));
                words
            }
        };
        let scratch = Some(scratch.path().to_path_buf());
        Program { launcher, env, hidden_env, limits: LIMITS, scratch, user, ..program }
    }
}

/// The beginning of a name, cut where a character ends.
fn excerpt_of(name: &str) -> String {
    let mut end = NAME / 2;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// Why a submission could not be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// It has nothing that could be started.
    NoProgram(String),
    /// The checker's own failure.
    Checker(String),
}

/// A file that can be started; otherwise why not, in words.
fn readable(run: &Path) -> Result<(), String> {
    let missing = || format!("no file `{RUN}`: it starts the server on the port that is its argument");
    match fs::File::open(run).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(format!("`{RUN}` is no file: it starts the server on the port that is its argument")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(format!("`{RUN}` can't be read: {error}")),
    }
}

/// What has to be put in front of a script that is not marked executable (archives lose the mark): the words of its
/// first line, or the shell.
fn interpreter(run: &Path) -> Vec<OsString> {
    if is_executable(run) {
        return Vec::new();
    }
    let mut line = String::new();
    let read = fs::File::open(run).and_then(|file| BufReader::new(file.take(256)).read_line(&mut line));
    match line.strip_prefix("#!").filter(|_| read.is_ok()) {
        Some(words) if !words.trim().is_empty() => words.split_whitespace().map(OsString::from).collect(),
        _ => vec!["sh".into()],
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}

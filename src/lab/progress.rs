//! What has been passed on this machine: one small JSON file in the user's data folder, never sent anywhere.
//!
//! ```json
//! {"schema_version":1,
//!  "labs":{"04-sticky-packets":{"Round 1: three sends, one recv":"2026-01-31"}},
//!  "exercises":{"tcp-echo":"2026-01-31"}}
//! ```

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::SCHEMA_VERSION;
use crate::store;

/// What was passed, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    schema_version: u32,
    /// For each lab the rounds that were passed, by their headings, and the day.
    #[serde(default)]
    labs: BTreeMap<String, BTreeMap<String, String>>,
    /// The exercises that `netlab check` has passed, and the day.
    #[serde(default)]
    exercises: BTreeMap<String, String>,
}

/// What every version of the file says.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

/// A file of progress that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The disk says no.
    #[error("{}", crate::text::printable(&.path.display().to_string()))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer netlab wrote it: it is not for this one to judge, and not to be removed.
    #[error(
        "{}: written by a newer netlab (schema_version {version}, this one knows {SCHEMA_VERSION}); use that one",
        crate::text::printable(&.path.display().to_string())
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        version: u32,
    },
    /// It holds something else.
    #[error(
        "{}: not a progress file of netlab ({reason}); remove it to begin anew",
        crate::text::printable(&.path.display().to_string())
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { schema_version: SCHEMA_VERSION, labs: BTreeMap::new(), exercises: BTreeMap::new() }
    }
}

impl Progress {
    /// Reads the file; none at all means that nothing has been passed.
    ///
    /// # Errors
    /// A file that can't be read, or that is no progress file.
    pub fn load(path: &Path) -> Result<Progress, ProgressError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Progress::default()),
            Err(source) => return Err(ProgressError::Io { path: path.to_owned(), source }),
        };
        let content = |reason: String| ProgressError::Content { path: path.to_owned(), reason };
        // The version first: what else a newer file holds may be of another form.
        let Version { schema_version: version } =
            serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
        match version.cmp(&SCHEMA_VERSION) {
            Ordering::Equal => serde_json::from_str(&text).map_err(|error| content(error.to_string())),
            Ordering::Greater => Err(ProgressError::Newer { path: path.to_owned(), version }),
            Ordering::Less => Err(content(format!("schema_version {version}"))),
        }
    }

    /// Reads the file, has it changed and writes it, while no other netlab does.
    ///
    /// # Errors
    /// Those of [`load`](Progress::load) and [`save`](Progress::save).
    pub fn update(path: &Path, change: impl FnOnce(&mut Progress)) -> Result<(), ProgressError> {
        // A file that can't be used is said before a lock is made beside it.
        Progress::load(path)?;
        let _lock = store::users::lock(path)
            .map_err(|error| ProgressError::Io { path: path.to_owned(), source: io::Error::other(error) })?;
        let mut progress = Progress::load(path)?;
        change(&mut progress);
        progress.save(path)
    }

    /// Writes the file, and makes its folder if there is none. Another program sees the old one or the new one.
    ///
    /// # Errors
    /// A disk that says no.
    pub fn save(&self, path: &Path) -> Result<(), ProgressError> {
        let text = serde_json::to_string(self).expect("texts and maps") + "\n";
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            replace(path, &text)
        };
        write().map_err(|source| ProgressError::Io { path: path.to_owned(), source })
    }

    /// Notes that a round was passed.
    pub fn pass_round(&mut self, lab: &str, round: &str, day: &str) {
        self.labs
            .entry(lab.to_owned())
            .or_default()
            .entry(round.to_owned())
            .or_insert_with(|| day.to_owned());
    }

    /// Notes that an exercise was passed.
    pub fn pass_exercise(&mut self, name: &str, day: &str) {
        self.exercises.entry(name.to_owned()).or_insert_with(|| day.to_owned());
    }

    /// The day on which a round was passed.
    #[must_use]
    pub fn round(&self, lab: &str, round: &str) -> Option<&str> {
        self.labs.get(lab)?.get(round).map(String::as_str)
    }

    /// The day on which an exercise was passed.
    #[must_use]
    pub fn exercise(&self, name: &str) -> Option<&str> {
        self.exercises.get(name).map(String::as_str)
    }
}

/// Notes in the file that an exercise was passed today.
///
/// # Errors
/// A file that can't be read or written.
pub fn exercise_passed(path: &Path, name: &str) -> Result<(), ProgressError> {
    Progress::update(path, |progress| progress.pass_exercise(name, &today()))
}

/// Writes a file so that another program, and a full disk, leave the old one or the new one.
///
/// # Errors
/// A disk that says no.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Who keeps the file elsewhere, and a link to it here, keeps the link.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Two netlabs at a time don't meet in one temporary file.
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
    written.inspect_err(|_| {
        // A full disk leaves a part of it.
        let _ = std::fs::remove_file(&temporary);
    })
}

/// The day, as `2026-01-31`, in UTC.
#[must_use]
pub fn today() -> String {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/labs.json");
        assert_eq!(Progress::load(&path).unwrap(), Progress::default());
        let mut progress = Progress::default();
        progress.pass_round("09-on-the-wire", "Round 1", "2026-01-01");
        progress.pass_round("09-on-the-wire", "Round 1", "2026-01-02");
        progress.save(&path).unwrap();
        exercise_passed(&path, "tcp-echo").unwrap();
        let found = Progress::load(&path).unwrap();
        assert_eq!(found.round("09-on-the-wire", "Round 1"), Some("2026-01-01"), "the first day stays");
        assert_eq!(found.exercise("tcp-echo"), Some(today().as_str()));
        assert_eq!((found.round("09-on-the-wire", "Round 2"), found.exercise("rooms")), (None, None));
        let files =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut files: Vec<_> = files.collect();
        files.sort();
        assert_eq!(files, ["labs.json", "labs.json.lock"], "no temporary file is left");
    }

    #[test]
    fn another_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labs.json");
        let begin_anew =
            ["", "[]", "{\"labs\":{}}", "{\"schema_version\":0}", "{\"schema_version\":1,\"labs\":{\"0"];
        let newer = ["{\"schema_version\":2}", "{\"schema_version\":7,\"labs\":[]}"];
        let all = begin_anew.map(|content| (content, "remove it"));
        for (content, said) in all.into_iter().chain(newer.map(|content| (content, "newer netlab"))) {
            std::fs::write(&path, content).unwrap();
            let error = exercise_passed(&path, "rooms").unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    // Catches: a load, a change and a save with another one's between them.
    #[test]
    fn what_many_note_at_once_is_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labs.json");
        let names: Vec<String> = (0..40).map(|n| format!("exercise-{n}")).collect();
        std::thread::scope(|scope| {
            for part in names.chunks(10) {
                scope.spawn(|| part.iter().for_each(|name| exercise_passed(&path, name).unwrap()));
            }
        });
        let found = Progress::load(&path).unwrap();
        assert!(names.iter().all(|name| found.exercise(name).is_some()), "{found:?}");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("labs.json"), folder.path().join("kept.json"));
        Progress::default().save(&kept).unwrap();
        std::os::unix::fs::symlink(&kept, &path).unwrap();
        exercise_passed(&path, "rooms").unwrap();
        assert!(path.is_symlink() && Progress::load(&kept).unwrap().exercise("rooms").is_some());
    }
}

//! What has been passed on this machine: one small JSON file in the user's data folder, never sent anywhere.
//!
//! ```json
//! {"schema_version":1,
//!  "labs":{"04-sticky-packets":{"Round 1: three sends, one recv":"2026-01-31"}},
//!  "exercises":{"tcp-echo":"2026-01-31"}}
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::SCHEMA_VERSION;

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
    /// It holds something else.
    #[error(
        "{}: not a progress file of this netlab ({reason}); remove it to begin anew",
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
        let progress: Progress = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
        if progress.schema_version == SCHEMA_VERSION {
            Ok(progress)
        } else {
            Err(content(format!("schema_version {}", progress.schema_version)))
        }
    }

    /// Writes the file, and makes its folder if there is none. Another program sees the old one or the new one.
    ///
    /// # Errors
    /// A disk that says no.
    pub fn save(&self, path: &Path) -> Result<(), ProgressError> {
        let text = serde_json::to_string(self).expect("texts and maps") + "\n";
        // Two netlabs at a time don't meet in one temporary file.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(&temporary, text)?;
            std::fs::rename(&temporary, path)
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
    let mut progress = Progress::load(path)?;
    progress.pass_exercise(name, &today());
    progress.save(path)
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
        let files: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "no temporary file is left");
    }

    #[test]
    fn another_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labs.json");
        for content in ["", "[]", "{\"schema_version\":2}", "{\"labs\":{}}"] {
            std::fs::write(&path, content).unwrap();
            let error = exercise_passed(&path, "rooms").unwrap_err();
            assert!(error.to_string().contains("remove it"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}

//! What has been graded already: a file for each submission, written whole or not at all, so that a grading that
//! was interrupted goes on where it stopped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FileError, Submission, Unchecked};
use crate::check::{CheckReport, Status};

/// Where the ledger lies in the folder of grades.
const FOLDER: &str = ".ledger";
/// What all grades in a folder have in common.
const TERMS: &str = "terms.json";

/// Under which conditions a class is graded: the same for everyone, also when the grading goes on later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The exercise.
    pub exercise: String,
    /// Its variant.
    pub variant: Option<u64>,
    /// Chooses the messages' texts.
    pub seed: u64,
    /// The weights, as they were written.
    pub points: Option<String>,
    /// How the reports are written.
    pub format: String,
}

impl Terms {
    /// What differs, by the names that it has on the command line; none if grades under both are comparable.
    #[must_use]
    pub fn differences(&self, other: &Terms) -> Vec<&'static str> {
        let same = [
            ("EXERCISE", self.exercise == other.exercise),
            ("--variant", self.variant == other.variant),
            ("--seed", self.seed == other.seed),
            ("--points", self.points == other.points),
            ("--format", self.format == other.format),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was checked.
    Graded,
    /// It has nothing that could be started.
    NoProgram,
    /// The checker failed: this says nothing about it.
    CheckerFailed,
}

/// A submission's line in the class's table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub submission: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was not checked.
    pub reason: Option<String>,
    /// Points.
    pub score: u32,
    /// Of so many.
    pub max_score: u32,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed, by name.
    pub failed: Vec<String>,
    /// Classes of bugs that were proven.
    pub classes: Vec<String>,
    /// What it looked like then.
    pub fingerprint: String,
    /// How long it took.
    pub seconds: f64,
}

impl Row {
    pub(super) fn of(submission: &Submission, report: &CheckReport) -> Row {
        let failed = report.cases.iter().filter(|case| case.status == Status::Failed);
        let classes = report.cases.iter().filter_map(|case| case.diagnosis.as_ref());
        let outcome = if report.is_error() { Outcome::CheckerFailed } else { Outcome::Graded };
        Row {
            submission: submission.shown(),
            outcome,
            reason: report.is_error().then(|| "the checker failed in a case".to_owned()),
            score: report.score,
            max_score: report.max_score,
            passed: report.passed,
            failed: failed.map(|case| case.name.clone()).collect(),
            classes: classes.map(|diagnosis| diagnosis.class.clone()).collect(),
            fingerprint: String::new(),
            seconds: 0.0,
        }
    }

    /// A submission that could not be checked; what was not handed in is worth nothing of `max_score`.
    pub(super) fn unchecked(submission: &Submission, why: Unchecked, max_score: u32) -> Row {
        let (outcome, reason, max_score) = match why {
            Unchecked::NoProgram(reason) => (Outcome::NoProgram, reason, max_score),
            Unchecked::Checker(reason) => {
                (Outcome::CheckerFailed, format!("the checker failed: {reason}"), 0)
            }
        };
        Row {
            submission: submission.shown(),
            outcome,
            reason: Some(reason),
            score: 0,
            max_score,
            passed: 0,
            failed: Vec::new(),
            classes: Vec::new(),
            fingerprint: String::new(),
            seconds: 0.0,
        }
    }
}

/// The files in which the rows are kept.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    /// The ledger in a folder of grades, which is made if it isn't there, and the terms under which the grading there
    /// began: `asked`, where it begins now.
    ///
    /// # Errors
    /// A folder that can't be made, or files in it that can't be read or written.
    pub fn open(out: &Path, asked: &Terms) -> Result<(Ledger, Terms), FileError> {
        let folder = out.join(FOLDER);
        fs::create_dir_all(&folder).map_err(FileError::new("make", &folder))?;
        let path = folder.join(TERMS);
        let terms = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(io::Error::other)
                .map_err(FileError::new("understand", &path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                replace(&path, &json(asked))?;
                asked.clone()
            }
            Err(error) => return Err(FileError::new("read", &path)(error)),
        };
        Ok((Ledger { folder }, terms))
    }

    /// A submission's row, if it has been graded. A file that is no row counts as none.
    #[must_use]
    pub fn row(&self, submission: &Submission) -> Option<Row> {
        serde_json::from_slice(&fs::read(self.path(submission)).ok()?).ok()
    }

    pub(super) fn enter(&self, submission: &Submission, row: &Row) -> Result<(), FileError> {
        replace(&self.path(submission), &json(row))
    }

    fn path(&self, submission: &Submission) -> PathBuf {
        // Not `terms.json`, whatever a submission is called.
        self.folder.join(submission.file_name("row.json"))
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("string keys and finite numbers")
}

/// Writes a file whole or not at all.
///
/// # Errors
/// A folder or a disk that does not take it.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // A half would lie there for good.
        let _ = fs::remove_file(&temporary);
        FileError::new("write", path)(error)
    })
}

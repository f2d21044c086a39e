//! Grading a class: each submission checked under the same conditions, confined, one after the other or a few at a
//! time. What one of them does stops nothing.
//!
//! | file            | what it holds                                                         |
//! |-----------------|-----------------------------------------------------------------------|
//! | `submission.rs` | a student's folder: its program, and how that is started              |
//! | `points.rs`     | weights of the cases                                                  |
//! | `ledger.rs`     | what has been graded already, so that an interrupted grading goes on  |
//! | `summary.rs`    | the class: a table, `grades.csv`                                      |
//!
//! ```text
//! submissions/NAME/run ──► check::run ──► grades/NAME.txt (or another format)
//!                                    └──► grades/.ledger/NAME.json ──► grades/grades.csv, the summary
//! ```

mod ledger;
mod points;
mod submission;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::{CheckReport, Exercise};
use crate::report::{Events, Report};

pub use ledger::{Ledger, Outcome, Row, Terms, replace};
pub use points::{Points, PointsError};
pub use submission::{Submission, Surroundings, Unchecked, submissions};
pub use summary::ClassReport;

/// How to grade.
pub struct Plan<'a> {
    /// What was to be written.
    pub exercise: &'a Exercise,
    /// What programs may touch.
    pub surroundings: Surroundings,
    /// Chooses the messages' texts, the same for all.
    pub seed: u64,
    /// Weights, where they are not the exercise's own.
    pub points: Option<Points>,
    /// How long one submission may take in all.
    pub limit: Duration,
    /// Submissions that are checked at a time.
    pub jobs: usize,
    /// Where the reports go.
    pub out: PathBuf,
    /// The ending of their names.
    pub extension: &'static str,
    /// How a report is written.
    pub write: &'a (dyn Fn(&CheckReport) -> String + Sync),
}

impl Plan<'_> {
    /// What a submission can get.
    fn max_score(&self) -> u32 {
        let weight = |name: &str| self.points.as_ref().and_then(|points| points.of(name));
        self.exercise.cases.iter().map(|case| weight(case.name).unwrap_or(case.points)).sum()
    }
}

/// What happens while a class is graded.
#[derive(Clone, Debug)]
pub enum GradeEvent {
    /// A submission is done: how many of how many, its name.
    Done {
        /// How many are.
        number: usize,
        /// How many there are.
        of: usize,
        /// The submission's name.
        name: String,
    },
}

/// A file that can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{op} {path}")]
pub struct FileError {
    /// What was tried.
    pub op: &'static str,
    /// The file, with nothing in it that a terminal obeys.
    pub path: String,
    /// What the system said.
    pub source: std::io::Error,
}

impl FileError {
    pub(super) fn new(op: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
        let path = crate::text::escape(path.as_os_str().as_encoded_bytes());
        move |source| FileError { op, path, source }
    }
}

/// Grades every submission that is not graded yet, and reports on all of them. `stop` is asked between two.
///
/// # Errors
/// A file of the grades that can't be written. What a submission does is no error.
pub fn run(
    plan: &Plan<'_>,
    ledger: &Ledger,
    submissions: &[Submission],
    stop: &(dyn Fn() -> bool + Sync),
    events: &mut (dyn Events<GradeEvent> + Send),
) -> Result<ClassReport, FileError> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (failed, events) = (Mutex::new(None), Mutex::new(events));
    let alone = RwLock::new(());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.clamp(1, submissions.len().max(1)) {
            scope.spawn(|| {
                while let Some(submission) = submissions.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if stop() || lock(&failed).is_some() {
                        return;
                    }
                    if let Err(error) = grade(plan, ledger, submission, &alone) {
                        *lock(&failed) = Some(error);
                    }
                    let number = done.fetch_add(1, Ordering::SeqCst) + 1;
                    let name = submission.shown();
                    lock(&events).event(GradeEvent::Done { number, of: submissions.len(), name });
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let rows = submissions.iter().filter_map(|submission| ledger.row(submission)).collect();
    let report = ClassReport::new(plan.exercise.name, submissions.len(), rows);
    let csv = plan.out.join("grades.csv");
    ledger::replace(&csv, report.csv().as_bytes())?;
    Ok(report)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Grades one submission, if it was not or has changed since. The checker's own failure is no grade: the next grading
/// tries again.
fn grade(
    plan: &Plan<'_>,
    ledger: &Ledger,
    submission: &Submission,
    alone: &RwLock<()>,
) -> Result<(), FileError> {
    let fingerprint = submission.fingerprint();
    let file = plan.out.join(submission.file_name(plan.extension));
    let stands = |row: Row| match row.outcome {
        Outcome::Graded => row.fingerprint == fingerprint && file.exists(),
        Outcome::NoProgram => row.fingerprint == fingerprint,
        Outcome::CheckerFailed => false,
    };
    if ledger.row(submission).is_some_and(stands) {
        return Ok(());
    }
    let begun = Instant::now();
    let checked = checked(plan, submission, alone);
    let mut row = match checked {
        Ok(mut report) => {
            if let Some(points) = &plan.points {
                points.apply(&mut report);
            }
            ledger::replace(&file, (plan.write)(&report).as_bytes())?;
            Row::of(submission, &report)
        }
        Err(why) => {
            // A report of an earlier version would say something else than the row.
            let _ = std::fs::remove_file(&file);
            Row::unchecked(submission, why, plan.max_score())
        }
    };
    row.fingerprint = fingerprint;
    row.seconds = begun.elapsed().as_secs_f64();
    ledger.enter(submission, &row)
}

/// Checks a submission beside others, and once more alone unless it passed: the others take time from it, so that an
/// answer may come too late, and a fork bomb among them may disturb even the checker.
fn checked(plan: &Plan<'_>, submission: &Submission, alone: &RwLock<()>) -> Result<CheckReport, Unchecked> {
    let beside = alone.read().unwrap_or_else(PoisonError::into_inner);
    let checked = submission.check(plan);
    drop(beside);
    let stands = match &checked {
        Ok(report) => plan.jobs == 1 || report.succeeded(),
        Err(Unchecked::NoProgram(_)) => true,
        Err(Unchecked::Checker(_)) => false,
    };
    if stands {
        return checked;
    }
    let _alone = alone.write().unwrap_or_else(PoisonError::into_inner);
    submission.check(plan)
}

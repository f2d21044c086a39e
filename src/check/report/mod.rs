//! The report: plain data, as JSON has it. How it is laid out for the eye is in `layout`.
//!
//! | file       | what it makes                                                   |
//! |------------|-----------------------------------------------------------------|
//! | `mod`      | the report's data, from verdicts and findings                   |
//! | `sentence` | what was observed, in a sentence                                |
//! | `exchange` | what went over the wire, in rows; folded to a screenful         |
//! | `reading`  | the section of a lab that is about a class of bug               |
//! | `layout`   | all of it in the order in which it is read                      |

mod exchange;
mod layout;
mod reading;
mod sentence;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Config;
use super::case::{Case, Trial};
use super::diagnosis::Finding;
use super::engine::LISTENS;
use super::exercise::{Exercise, Lab};
use super::outcome::Outcome;
use super::reproduce::reproduce;
use super::timetable::Verdict;
use crate::report::Exchange;

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All as expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not played, because what it needs failed.
    Skipped,
    /// The checker could not play it: this says nothing about the program.
    Error,
}

/// The class of a bug, proven by the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Its stable name, a topic of `netlab explain`.
    pub class: String,
    /// What proves it.
    pub explanation: String,
}

impl Diagnosis {
    pub(super) fn of(finding: &Finding) -> Diagnosis {
        Diagnosis { class: finding.class.to_owned(), explanation: finding.explanation.clone() }
    }
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub status: Status,
    /// What was expected, in a sentence.
    pub expected: String,
    /// What was observed, in a sentence.
    pub observed: String,
    /// The class of the bug, at the first case that shows it.
    pub diagnosis: Option<Diagnosis>,
    /// Five lines of Python, and the same as a command, which show the failure.
    pub reproduce: Option<String>,
    /// What it is worth.
    #[serde(skip)]
    pub points: u32,
    /// What went over the wire.
    #[serde(skip)]
    pub exchange: Option<Exchange>,
    /// How long it was played.
    #[serde(skip)]
    pub took: Duration,
}

/// A finished check.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// The exercise's name.
    pub exercise: String,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Points of the cases that passed.
    pub score: u32,
    /// Points of all cases.
    pub max_score: u32,
    /// Repeats this run.
    pub seed: u64,
    /// The cases, in their order.
    pub cases: Vec<CaseReport>,
    /// What to read.
    #[serde(skip)]
    pub lab: Lab,
    /// How many failures the text shows in full.
    #[serde(skip)]
    pub detail: Detail,
    /// When the run began.
    #[serde(skip)]
    pub began: Timestamp,
    /// How long it took in all: the cases, and the search for what is wrong.
    #[serde(skip)]
    pub took: Duration,
}

/// How much of a report is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// A screenful: the first failure.
    #[default]
    Screen,
    /// Every failure.
    All,
}

impl Serialize for Lab {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::fmt::Display for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "labs/{}, {}", self.folder, self.section)
    }
}

impl CheckReport {
    pub(super) fn new(exercise: &Exercise, config: &Config, cases: Vec<CaseReport>) -> CheckReport {
        let count = |status| cases.iter().filter(|case| case.status == status).count();
        let passed = cases.iter().filter(|case| case.status == Status::Passed);
        CheckReport {
            exercise: exercise.name.to_owned(),
            passed: count(Status::Passed),
            failed: count(Status::Failed),
            score: passed.map(|case| case.points).sum(),
            max_score: cases.iter().map(|case| case.points).sum(),
            seed: config.seed,
            lab: exercise.lab,
            detail: Detail::Screen,
            began: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            cases,
        }
    }

    /// The report of a run that began at `at`, and, by the clock that nobody sets, at `begun`.
    pub(super) fn timed(self, at: Timestamp, begun: Instant) -> CheckReport {
        CheckReport { began: at, took: begun.elapsed(), ..self }
    }

    /// True if the checker itself failed somewhere.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.cases.iter().any(|case| case.status == Status::Error)
    }
}

/// A case's report without its details, and what failed, if it did.
pub(super) fn of_case(case: &Case, verdict: Verdict) -> (CaseReport, Option<(Trial, Outcome)>) {
    let mut report = CaseReport {
        name: case.name.to_owned(),
        status: Status::Passed,
        expected: case.expected.clone(),
        observed: "As expected.".to_owned(),
        diagnosis: None,
        reproduce: None,
        points: if case.name == LISTENS { 0 } else { case.points },
        exchange: None,
        took: Duration::ZERO,
    };
    match verdict {
        Verdict::Passed(left_out) => {
            if let Some(left_out) = left_out {
                report.observed = format!("As expected, as far as it was tried: {left_out}.");
            }
            (report, None)
        }
        Verdict::Failed(trial, outcome) => {
            report.status = Status::Failed;
            (report, Some((*trial, *outcome)))
        }
        Verdict::Skipped(why) => {
            (report.status, report.observed) = (Status::Skipped, format!("Not tried: {why}."));
            (report, None)
        }
        Verdict::Unready(unready) => {
            report.status = Status::Failed;
            (report.observed, report.diagnosis) = sentence::not_ready(&unready);
            (report, None)
        }
    }
}

/// Adds what was seen, drawn, and how to see it again.
pub(super) fn explain(
    report: &mut CaseReport,
    exercise: &Exercise,
    config: &Config,
    trial: &Trial,
    outcome: &Outcome,
) {
    report.observed = sentence::sentence(trial, outcome);
    report.exchange = Some(exchange::exchange(outcome));
    report.reproduce = Some(reproduce(exercise, config, trial, outcome));
}

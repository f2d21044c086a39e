//! Weights of the cases: a line for each, its name and its points.

use std::collections::BTreeMap;

use crate::check::{CheckReport, Exercise, Status};
use crate::text::escape;

/// The points of each case that was named; the others keep the exercise's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points(BTreeMap<String, u32>);

/// A file of weights that can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PointsError {
    /// Not a name and a number.
    #[error("line {line}: `{text}` is no case and its points, a whole number, such as `cut 5`")]
    Line {
        /// From 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A case that has its points already.
    #[error("line {line}: `{name}` has its points from a line above")]
    Twice {
        /// From 1.
        line: usize,
        /// The case.
        name: String,
    },
    /// A case that the exercise does not have.
    #[error("line {line}: `{name}` is no case of {exercise}: it has {known}")]
    Case {
        /// From 1.
        line: usize,
        /// What stands there.
        name: String,
        /// The exercise.
        exercise: String,
        /// Its cases.
        known: String,
    },
}

impl Points {
    /// Reads weights: `NAME POINTS` a line; `#` begins a comment; `=` or `:` may stand between the two.
    ///
    /// # Errors
    /// A line that is none, or that names a case which the exercise does not have.
    pub fn parse(text: &str, exercise: &Exercise) -> Result<Points, PointsError> {
        let mut points = Points::default();
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, whole) in text.lines().enumerate() {
            let line = whole.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let fault = || PointsError::Line { line: at + 1, text: escape(whole.trim().as_bytes()) };
            let (name, number) = line.rsplit_once([' ', '\t', '=', ':']).ok_or_else(fault)?;
            let name = name.trim_end_matches([' ', '\t', '=', ':']);
            let number = number.parse().ok().filter(|number| *number <= 1_000_000).ok_or_else(fault)?;
            if !exercise.cases.iter().any(|case| case.name == name) {
                let known: Vec<&str> = exercise.cases.iter().map(|case| case.name).collect();
                return Err(PointsError::Case {
                    line: at + 1,
                    name: escape(name.as_bytes()),
                    exercise: exercise.name.to_owned(),
                    known: known.join(", "),
                });
            }
            if points.0.insert(name.to_owned(), number).is_some() {
                return Err(PointsError::Twice { line: at + 1, name: name.to_owned() });
            }
        }
        Ok(points)
    }

    /// The points of a case, if it was named.
    pub(super) fn of(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    /// Weighs a report anew.
    pub fn apply(&self, report: &mut CheckReport) {
        for case in &mut report.cases {
            if let Some(points) = self.0.get(&case.name) {
                case.points = *points;
            }
        }
        let sum = |passed: bool| {
            let counted = report.cases.iter().filter(|case| !passed || case.status == Status::Passed);
            counted.map(|case| case.points).sum()
        };
        (report.score, report.max_score) = (sum(true), sum(false));
    }
}

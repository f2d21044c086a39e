//! `netlab check`: what is wrong with a student's own server, in any language.
//!
//! ```text
//! Exercise ── cases ──► Script ── played ──► Outcome ──┐
//!    (Dialect, Plan)       against the Subject         ├──► diagnosis ──► CheckReport
//!                experiments, on a hypothesis's demand ┘
//! ```
//! | file            | what it holds                                                          |
//! |-----------------|------------------------------------------------------------------------|
//! | [`Exercise`]    | specification and cases, made from a [`Variant`]                        |
//! | [`codec`]       | messages on the wire, with their bytes named                            |
//! | [`expect`]      | what an answer has to be                                                |
//! | [`plan`]        | messages and the way they are played; from it comes the [`script`]      |
//! | `player`        | plays a script on real sockets                                          |
//! | `timetable`     | which trial comes next, and the verdict on each case                    |
//! | `lanes`         | plays the trials, side by side where the program is a slow one          |
//! | `subject`       | the program under test: started, restarted, ended                       |
//! | [`outcome`]     | what was observed                                                       |
//! | [`diagnosis`]   | pure: from all that was observed to the class of the bug, if it is proven |
//! | `reduce`        | the failing input made as small as it still fails                       |
//! | `reproduce`     | the failure as a command and as five lines of Python                    |
//! | [`client`]      | the other way round: the server that a student's client is checked with  |
//!
//! The diagnosis looks at bytes and times alone: never at the exercise's name, nor at the program's text.

pub mod case;
pub mod client;
pub mod codec;
pub mod diagnosis;
mod engine;
pub mod exercise;
mod exercises;
pub mod expect;
pub mod grade;
mod lanes;
mod line;
pub mod outcome;
pub mod plan;
mod player;
mod reduce;
mod report;
mod reproduce;
pub mod script;
mod subject;
mod timetable;
pub mod variant;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use engine::run;
pub use exercise::{Exercise, Lab};
pub use report::{CaseReport, CheckReport, Detail, Diagnosis, Status};
pub use variant::Variant;

use crate::net::{NetError, Stop};
use crate::process::{Program, SpawnError};

/// How to check.
#[derive(Clone, Debug)]
pub struct Config {
    /// What to check.
    pub target: Target,
    /// Chooses the messages' texts; the same seed repeats a run.
    pub seed: u64,
    /// Run this case alone, with those that it needs.
    pub case: Option<String>,
    /// How long the next byte of an answer may take.
    pub patience: Duration,
    /// How long the whole run may take; what is not done by then is skipped.
    pub limit: Duration,
    /// Ends the check early: what is not done by then is skipped.
    pub stop: Stop,
    /// How the program is called in a reproduction, such as `python3 my_server.py {port}`.
    pub shown: String,
    /// Where the program's folders are made; `None`: in the system's temporary folder.
    pub scratch: Option<PathBuf>,
}

impl Config {
    /// A check of `target` with the default patience.
    #[must_use]
    pub fn new(target: Target, seed: u64) -> Config {
        let (patience, limit) = (Duration::from_secs(3), Duration::from_secs(120));
        let stop = Stop::new();
        Config { target, seed, case: None, patience, limit, stop, shown: String::new(), scratch: None }
    }
}

/// What is checked.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a run")]
pub enum Target {
    /// A program to start. `{host}` and `{port}` in its arguments are replaced.
    Program(Program),
    /// A server that runs already.
    Running(SocketAddr),
}

/// The checker's own failure: it says nothing about the program.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The program can't be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// No port, no descriptor.
    #[error(transparent)]
    Net(#[from] NetError),
    /// No thread to play on.
    #[error("start a thread")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// No folder for the program's files.
    #[error("make a temporary folder")]
    Folder {
        /// What the system said.
        source: io::Error,
    },
    /// A case that the exercise does not have.
    #[error("`{name}` is no case of this exercise: it has {}", names.join(", "))]
    NoCase {
        /// What was asked for.
        name: String,
        /// What there is.
        names: Vec<&'static str>,
    },
}

/// What happens while a check runs.
#[derive(Clone, Debug)]
pub enum CheckEvent {
    /// A case begins: its number from 0, how many there are, its name.
    Case {
        /// From 0.
        number: usize,
        /// How many there are.
        of: usize,
        /// Its name.
        name: &'static str,
    },
    /// An experiment is made to find out why something failed.
    Experiment(&'static str),
}

//! A failure as what a student can run: how the server is started, five lines of Python, and a netlab command where
//! one does the same. Each line is whole, so that it can be copied.
//!
//! | file      | for                                                                       |
//! |-----------|---------------------------------------------------------------------------|
//! | `calls`   | what the clients did, as calls; for a challenge, how answers were made of it |
//! | `python`  | the calls in Python                                                       |
//! | `piled`   | answers that pile up: a client that sends, and reads much later           |
//! | `literal` | bytes in Python and in hex                                                |
//! | `command` | the calls as a netlab command                                             |

mod calls;
mod command;
mod literal;
mod piled;
mod python;

use std::fmt::Write;

use super::case::Trial;
use super::exercise::Exercise;
use super::outcome::Outcome;
use super::{Config, Target};
use crate::text::printable;

pub(super) use literal::{COUNT, literal};

/// The server's address in a reproduction, which is run against a server started by hand.
const PORT: &str = "PORT";

/// The reproduction: Python, with the server's command and a client's as comments around it.
pub(super) fn reproduce(exercise: &Exercise, config: &Config, trial: &Trial, outcome: &Outcome) -> String {
    let mut text = start(exercise, config);
    if let Some(piled) = piled::python(exercise, trial, outcome) {
        return text + &piled;
    }
    let key = exercise.env.iter().find(|(name, _)| *name == "NETLAB_KEY").map(|(_, key)| key.as_str());
    let calls = calls::calls(outcome, key);
    text.push_str(&python::python(exercise, trial, &calls, outcome));
    if let Some(command) = command::command(exercise, &calls, outcome) {
        let _ = write!(text, "\n# or: {command}");
    }
    text
}

/// How the server is started, with what it finds in its environment.
fn start(exercise: &Exercise, config: &Config) -> String {
    if !matches!(config.target, Target::Program(_)) || config.shown.is_empty() {
        return String::new();
    }
    let mut line = "# start it: ".to_owned();
    if let Some(name) = exercise.folder_env {
        // With a file beside the folder, which no request may reach.
        let canary = "printf 'Last updated: 2020-01-01 00:00:00\\nsecret\\n'";
        let _ = write!(line, "d=$(mktemp -d); mkdir $d/files; {canary} > $d/out.txt; {name}=$d/files ");
    }
    for (name, value) in &exercise.env {
        let _ = write!(line, "{name}={} ", printable(value));
    }
    line + &config.shown + "\n"
}

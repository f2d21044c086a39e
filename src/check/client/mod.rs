//! `netlab check --client`: plays the server for a student's client.
//!
//! ```text
//! Exercise ── cases ──► Play ── played by the server ──► Seen ──► diagnosis ──► CheckReport
//!     (Dialect)         stdin ► the program ► stdout
//! ```
//! A client reads lines and prints lines, so that its work can be seen from outside in any language. The same report
//! as for servers comes of it. As there, the diagnosis looks at bytes alone.

mod cases;
mod challenge;
mod conversation;
mod datagrams;
mod diagnosis;
mod door;
mod forms;
mod play;
mod player;
mod requests;
mod seen;
mod spec;
mod stdin;
mod words;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use cases::ClientCase;
use play::Play;
use seen::{Seen, Wrong};
pub use spec::specification;

use super::report::{CaseReport, CheckReport, Diagnosis, Status};
use super::{CheckError, CheckEvent, Config, Exercise, Target};
use crate::process::Program;
use crate::report::Events;

/// Why a case was not tried after Ctrl-C.
const INTERRUPTED: &str = "the check was interrupted";

/// What a client's case is called and asks, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseLine {
    /// Its name.
    pub name: &'static str,
    /// What is expected, in a sentence.
    pub expected: &'static str,
    /// The cases without which it tells nothing.
    pub needs: &'static [&'static str],
}

/// The cases of an exercise's clients.
#[must_use]
pub fn case_lines(exercise: &Exercise) -> Vec<CaseLine> {
    let line = |case: ClientCase| CaseLine { name: case.name, expected: case.expected, needs: case.needs };
    cases::cases(exercise, 0).into_iter().map(line).collect()
}

/// One run of the program, and what was wrong with it.
#[derive(Debug)]
struct Run {
    play: Play,
    seen: Seen,
    wrong: Option<Wrong>,
}

/// Checks a client: plays the server of the exercise for it, case by case.
///
/// # Errors
/// The checker's own failures: a program that can't be started, no free port.
///
/// # Panics
/// `config.target` has to be a program.
pub fn run(
    exercise: &Exercise,
    config: &Config,
    events: &mut dyn Events<CheckEvent>,
) -> Result<CheckReport, CheckError> {
    let Target::Program(program) = &config.target else { panic!("a client is a program to start") };
    let cases = chosen(cases::cases(exercise, config.seed), config.case.as_deref())?;
    let (at, begun) = (Timestamp::now(), Instant::now());
    let mut reports: Vec<CaseReport> = Vec::new();
    let mut runs = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        events.event(CheckEvent::Case { number, of: cases.len(), name: case.name });
        let unmet = case.needs.iter().find(|need| {
            reports.iter().any(|report| report.name == **need && report.status != Status::Passed)
        });
        let case_begun = Instant::now();
        let report = if config.stop.requested() {
            skipped(case, INTERRUPTED)
        } else if begun.elapsed() > config.limit {
            skipped(case, "the time for the whole run is over")
        } else if let Some(need) = unmet {
            skipped(case, &format!("it tells nothing without `{need}`"))
        } else {
            played(case, exercise, program, config, &mut runs)?
        };
        reports.push(CaseReport { took: case_begun.elapsed(), ..report });
    }
    one_cause_one_diagnosis(&mut reports);
    Ok(CheckReport::new(exercise, config, reports).timed(at, begun))
}

/// All cases, or one with what it needs.
fn chosen(mut cases: Vec<ClientCase>, name: Option<&str>) -> Result<Vec<ClientCase>, CheckError> {
    let Some(name) = name else { return Ok(cases) };
    if !cases.iter().any(|case| case.name == name) {
        let names = cases.iter().map(|case| case.name).collect();
        return Err(CheckError::NoCase { name: name.to_owned(), names });
    }
    // A case stands behind those that it needs.
    let mut wanted = vec![name.to_owned()];
    for case in cases.iter().rev() {
        if wanted.iter().any(|name| name == case.name) {
            wanted.extend(case.needs.iter().map(|need| (*need).to_owned()));
        }
    }
    cases.retain(|case| wanted.iter().any(|name| name == case.name));
    Ok(cases)
}

fn report_of(case: &ClientCase) -> CaseReport {
    CaseReport {
        name: case.name.to_owned(),
        status: Status::Passed,
        expected: case.expected.to_owned(),
        observed: "As expected.".to_owned(),
        diagnosis: None,
        reproduce: None,
        points: u32::from(case.name != "connects"),
        exchange: None,
        took: Duration::ZERO,
    }
}

fn skipped(case: &ClientCase, why: &str) -> CaseReport {
    CaseReport { status: Status::Skipped, observed: format!("Not tried: {why}."), ..report_of(case) }
}

/// Plays a case to its end, or to its first failure.
fn played(
    case: &ClientCase,
    exercise: &Exercise,
    program: &Program,
    config: &Config,
    runs: &mut Vec<Run>,
) -> Result<CaseReport, CheckError> {
    let mut report = report_of(case);
    for play in &case.plays {
        if config.stop.requested() {
            return Ok(skipped(case, INTERRUPTED));
        }
        let seen = player::play(play, exercise, program, config)?;
        if config.stop.requested() {
            // It was ended in the middle: that says nothing about it.
            return Ok(skipped(case, INTERRUPTED));
        }
        let wrong = seen.wrong(play);
        let run = Run { play: play.clone(), seen, wrong };
        if let Some(wrong) = &run.wrong {
            report.status = Status::Failed;
            report.observed = words::sentence(&run, wrong);
            report.exchange = Some(words::exchange(&run));
            report.reproduce = Some(words::reproduce(&run, exercise.transport, config, &exercise.env));
            report.diagnosis = diagnosis::diagnose(&run, runs);
        }
        let failed = run.wrong.is_some();
        runs.push(run);
        if failed {
            break;
        }
    }
    Ok(report)
}

/// A class stands at the first case that shows it.
fn one_cause_one_diagnosis(reports: &mut [CaseReport]) {
    let mut known: Vec<(String, String)> = Vec::new();
    for report in reports {
        let Some(Diagnosis { class, .. }) = &report.diagnosis else { continue };
        match known.iter().find(|(own, _)| own == class) {
            Some((class, name)) => {
                let observed = &report.observed;
                report.observed = format!("{observed} (of the same cause as `{name}`: {class})");
                report.diagnosis = None;
            }
            None => known.push((class.clone(), report.name.clone())),
        }
    }
}

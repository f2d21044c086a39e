//! The report: plain data for JSON, blocks for the eye. The first failure in full on one screen; the rest in a line
//! each, unless more is asked for.

use std::fmt::Write;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::case::{Case, Trial};
use super::diagnosis::Finding;
use super::engine::LISTENS;
use super::exercise::{Exercise, Lab};
use super::outcome::{Ended, Failure, Outcome, What};
use super::plan::Way;
use super::reproduce::reproduce;
use super::subject::Unready;
use super::timetable::Verdict;
use super::{Config, Target};
use crate::report::{Block, Exchange, ExchangeRow, Report, Span};
use crate::text::{Grouped, byte_count, counted, excerpt};

/// Rows of an exchange that are shown: its end is where the failure is.
const ROWS: usize = 10;
/// Bytes of a row that are shown.
const SHOWN: usize = 400;

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
            (report.observed, report.diagnosis) = not_ready(&unready);
            (report, None)
        }
    }
}

fn not_ready(unready: &Unready) -> (String, Option<Diagnosis>) {
    let words = |stderr: &[u8]| {
        let text = String::from_utf8_lossy(stderr);
        match text.lines().rfind(|line| !line.trim().is_empty()) {
            Some(line) => format!(": `{}`", excerpt(line.trim().as_bytes(), 160)),
            None => String::new(),
        }
    };
    match unready {
        Unready::Exited(exit, stderr) => {
            (format!("The program ended before it listened ({exit}){}.", words(stderr)), None)
        }
        Unready::Never(stderr) => {
            (format!("The program ran for 10 s and did not listen on its port{}.", words(stderr)), None)
        }
        Unready::Elsewhere(addr) => {
            let explanation = format!(
                "your server listens on {addr}, not on the port that it was given. Take the port from the command line (`{{port}}`) or \
                 from the variable NETLAB_PORT."
            );
            let diagnosis = Diagnosis { class: "listens-elsewhere".to_owned(), explanation };
            (format!("The program listens on {addr}."), Some(diagnosis))
        }
        Unready::Checker(error) => (format!("The checker failed: {error}."), None),
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
    report.observed = sentence(trial, outcome);
    report.exchange = Some(exchange(outcome));
    let start = match &config.target {
        Target::Program(_) if !config.shown.is_empty() => format!("# start it: {}\n", config.shown),
        _ => String::new(),
    };
    report.reproduce = Some(start + &reproduce(exercise, outcome));
}

/// What was observed, in a sentence or two.
fn sentence(trial: &Trial, outcome: &Outcome) -> String {
    let Some((client, failure)) = &outcome.failure else { return String::new() };
    let who = if outcome.talks.len() > 1 { format!("Client {}: ", client + 1) } else { String::new() };
    let missing = outcome.missing().map_or("an answer".to_owned(), super::expect::Expect::describe);
    let said = match failure {
        Failure::Refused => "nobody accepted the connection".to_owned(),
        Failure::Wrong { at, why } => {
            let offset = at.saturating_sub(outcome.failed_talk().map_or(0, |talk| talk.right));
            format!("instead of {missing} came something else: {why}, at byte {} of the answer", offset + 1)
        }
        Failure::Silent => {
            let came = outcome.wrong_bytes().len() as u64;
            let part = if came > 0 { format!(", of which {} came", byte_count(came)) } else { String::new() };
            format!("no answer in time, while waiting for {missing}{part}")
        }
        Failure::Gone(Ended::Fin) => format!("the server ended the connection instead of sending {missing}"),
        Failure::Gone(Ended::Reset) => format!("the connection was reset while waiting for {missing}"),
        Failure::Unasked { .. } => {
            let more = outcome.wrong_bytes();
            format!(
                "{} came that nothing had asked for: `{}`",
                byte_count(more.len() as u64),
                excerpt(more, 40)
            )
        }
        Failure::StaysOpen => "the server did not end the connection".to_owned(),
        Failure::Unread => "the server does not read what is sent".to_owned(),
        Failure::Busy(percent) => format!("{percent} % of a processor were used while nothing was asked"),
        Failure::Trace(trace) => trace.clone(),
    };
    let mut text = format!("{}{}.", capital(&format!("{who}{said}")), of_way(&trial.plan.way));
    if let Some(exit) = outcome.exit {
        let line = outcome.last_words();
        let words = if line.is_empty() { String::new() } else { format!(": `{line}`") };
        let _ = write!(text, " The program ended with {exit}{words}.");
    }
    text
}

fn of_way(way: &Way) -> String {
    match way {
        Way::Cut(cuts) if cuts.len() == 1 => format!(" (cut after byte {})", cuts[0]),
        Way::Cut(_) | Way::Bytes => " (cut between bytes)".to_owned(),
        Way::Paused(at) => format!(" (pause after byte {at})"),
        Way::Coalesced => " (all in one send)".to_owned(),
        Way::HalfClosed => " (the client had ended its side)".to_owned(),
        Way::AfterBad(bytes) => format!(" (after `{}` from another client)", excerpt(bytes, 30)),
        Way::AfterReset(_) => " (after another client had reset its connection)".to_owned(),
        _ => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// What went over the wire, the last rows of it, with the first wrong byte marked.
fn exchange(outcome: &Outcome) -> Exchange {
    let several = outcome.talks.len() > 1;
    let label = |client: usize, does: &str| {
        if several { format!("{} {does}", client + 1) } else { does.to_owned() }
    };
    let wrong_at = match outcome.failure {
        Some((client, Failure::Wrong { at, .. } | Failure::Unasked { at })) => Some((client, at)),
        _ => None,
    };
    let note = |client: usize, text: String| ExchangeRow {
        label: label(client, ""),
        note: text,
        ..ExchangeRow::default()
    };
    let mut rows: Vec<ExchangeRow> = Vec::new();
    for event in &outcome.events {
        let talk = &outcome.talks[event.client];
        match &event.what {
            What::Sent { start, end, fields } => rows.push(ExchangeRow {
                label: label(event.client, "sends"),
                bytes: shown(&talk.sent[*start..*end]),
                length: end - start,
                fields: fields
                    .iter()
                    .map(|f| Span { start: f.start, end: f.end, label: f.name.to_owned() })
                    .collect(),
                ..ExchangeRow::default()
            }),
            What::Received { start, end } => {
                let wrong =
                    wrong_at.filter(|(client, at)| *client == event.client && (*start..*end).contains(at));
                rows.push(ExchangeRow {
                    label: label(event.client, "receives"),
                    bytes: shown(&talk.received[*start..*end]),
                    length: end - start,
                    wrong: wrong.map(|(_, at)| at - start),
                    ..ExchangeRow::default()
                });
            }
            What::Taken(true) => rows.push(note(event.client, "(waits until the server has read it)".into())),
            What::Taken(false) => {
                rows.push(note(event.client, "(waits; the server does not read it)".into()));
            }
            What::Paused(time) => rows.push(note(event.client, format!("(waits {} ms)", time.as_millis()))),
            What::HalfClosed => rows.push(note(event.client, "ends its side (FIN)".into())),
            What::Closed => rows.push(note(event.client, "closes".into())),
            What::Reset => rows.push(note(event.client, "resets its connection (RST)".into())),
            What::Ended(Ended::Fin) => rows.push(note(event.client, "the server ends its side (FIN)".into())),
            What::Ended(Ended::Reset) => rows.push(note(event.client, "the server resets (RST)".into())),
            What::Opened if several => rows.push(note(event.client, "connects".into())),
            What::Opened | What::Answered => {}
        }
    }
    let left_out = rows.len().saturating_sub(ROWS);
    rows.drain(..left_out);
    if let Some(expect) = outcome.missing().filter(|_| failed_answer(outcome)) {
        rows.push(match expect.bytes() {
            Some(bytes) => ExchangeRow {
                label: "expected".into(),
                length: bytes.len(),
                bytes: shown(&bytes),
                ..ExchangeRow::default()
            },
            None => {
                ExchangeRow { label: "expected".into(), note: expect.describe(), ..ExchangeRow::default() }
            }
        });
    }
    Exchange { left_out, rows }
}

/// True where an answer is what is missing or wrong.
fn failed_answer(outcome: &Outcome) -> bool {
    matches!(outcome.failure, Some((_, Failure::Wrong { .. } | Failure::Silent | Failure::Gone(_))))
}

fn shown(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(SHOWN)].to_vec()
}

impl Report for CheckReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Text(self.headline())];
        let failed: Vec<&CaseReport> =
            self.cases.iter().filter(|case| matches!(case.status, Status::Failed | Status::Error)).collect();
        let full = if self.detail == Detail::All { failed.len() } else { 1 };
        for case in failed.iter().take(full) {
            blocks.extend(self.failure(case));
        }
        let rest: Vec<&CaseReport> = match self.detail {
            Detail::Screen => failed.iter().skip(full).copied().collect(),
            Detail::All => {
                self.cases.iter().filter(|case| !failed.iter().any(|f| f.name == case.name)).collect()
            }
        };
        if !rest.is_empty() {
            blocks.push(Block::Text(String::new()));
        }
        for case in rest {
            blocks.push(Block::Text(line(case)));
        }
        let skipped: Vec<&str> = self
            .cases
            .iter()
            .filter(|case| case.status == Status::Skipped)
            .map(|case| case.name.as_str())
            .collect();
        if self.detail == Detail::Screen && !skipped.is_empty() {
            blocks.push(Block::Text(format!("not tried: {}", skipped.join(", "))));
        }
        if failed.len() > full {
            blocks.push(Block::Text("-v shows every failure like the first.".to_owned()));
        }
        blocks
    }

    fn succeeded(&self) -> bool {
        self.failed == 0 && self.cases.iter().all(|case| case.status == Status::Passed)
    }
}

/// A case in a line.
fn line(case: &CaseReport) -> String {
    let status = match case.status {
        Status::Passed => return format!("passed  {}: {}", case.name, case.expected),
        Status::Failed => "failed ",
        Status::Skipped => "skipped",
        Status::Error => "error  ",
    };
    let class = case.diagnosis.as_ref().map_or(String::new(), |d| format!(" [{}]", d.class));
    format!("{status} {}: {}{class}", case.name, case.observed)
}

impl CheckReport {
    /// The result in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        let cases = counted(self.cases.len() as u64, "case");
        let skipped = self.cases.len() - self.passed - self.failed;
        let mut text = format!("{}: {} of {cases} passed", self.exercise, self.passed);
        if self.failed > 0 {
            let _ = write!(text, ", {} failed, {skipped} not tried", self.failed);
        }
        let _ = write!(
            text,
            " (score {} of {}, --seed {})",
            Grouped(self.score.into()),
            self.max_score,
            self.seed
        );
        text
    }

    /// One failure in full.
    #[must_use]
    pub fn failure(&self, case: &CaseReport) -> Vec<Block> {
        let text = |text: String| Block::Text(text);
        let mut blocks = vec![
            text(String::new()),
            text(format!("failed: {}", case.name)),
            text(format!("Expected: {}", case.expected)),
            text(format!("Observed: {}", case.observed)),
        ];
        if let Some(exchange) = case.exchange.as_ref().filter(|exchange| !exchange.rows.is_empty()) {
            blocks.push(text(String::new()));
            blocks.push(Block::Exchange(exchange.clone()));
        }
        if let Some(diagnosis) = &case.diagnosis {
            blocks.push(text(String::new()));
            blocks.push(text(format!("Likely {}: {}", diagnosis.class, diagnosis.explanation)));
        }
        if let Some(reproduce) = &case.reproduce {
            blocks.push(text(String::new()));
            blocks.push(text("See it yourself:".to_owned()));
            blocks.extend(reproduce.lines().map(|line| Block::Verbatim(format!("  {line}"))));
        }
        blocks.push(text(format!("Read: {}", self.lab)));
        blocks
    }
}

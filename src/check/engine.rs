//! The run: cases in their order, then experiments until the failures are explained, then the report.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::case::{Case, Trial};
use super::diagnosis::{self, Evidence, Finding, Observed};
use super::exercise::Exercise;
use super::lanes::Lanes;
use super::outcome::{Failure, Outcome};
use super::plan::{Plan, Probe};
use super::report::{self, CaseReport, CheckReport, Diagnosis, Status};
use super::script::Script;
use super::subject::Unready;
use super::timetable::{Played, Verdict};
use super::{CheckError, CheckEvent, Config, reduce};
use crate::report::Events;

/// The case that comes first: the program listens.
pub(super) const LISTENS: &str = "listens";
/// Experiments for one run: more hypotheses than this are not tested.
const EXPERIMENTS: usize = 30;

/// Checks a server: plays all cases of the exercise, finds out why some failed, and reports.
///
/// # Errors
/// The checker's own failures: a program that can't be started, no free port.
pub fn run(
    exercise: &Exercise,
    config: &Config,
    events: &mut dyn Events<CheckEvent>,
) -> Result<CheckReport, CheckError> {
    let (at, begun) = (Timestamp::now(), Instant::now());
    let cases = chosen(exercise, config.case.as_deref())?;
    let mut lanes = Lanes::new(exercise, config, begun);
    let timetable = lanes.play(&cases, events)?;
    let (verdicts, played) = timetable.finish(lanes.over());
    let times = times(cases.len(), &played);
    let mut run =
        Run { exercise, evidence: evidence(exercise, &cases, played), lanes, config, experiments: 0 };
    let findings = run.findings(events)?;
    let mut reports = run.reports(&cases, verdicts, &findings)?;
    for (report, took) in reports.iter_mut().zip(times) {
        report.took = took;
    }
    Ok(CheckReport::new(exercise, config, reports).timed(at, begun))
}

/// How long the trials of each case took, together.
fn times(cases: usize, played: &[Played]) -> Vec<Duration> {
    let mut times = vec![Duration::ZERO; cases];
    for Played { job, outcome } in played {
        times[job.case] += outcome.took;
    }
    times
}

/// What was observed in the cases.
fn evidence(exercise: &Exercise, cases: &[Case], played: Vec<Played>) -> Evidence {
    let mut evidence = Evidence::new(exercise.dialect.clone(), exercise.transport);
    evidence.observed = played
        .into_iter()
        .map(|Played { job, outcome }| {
            let plan = cases[job.case].trials[job.trial].plan.clone();
            Observed { case: Some(job.case), plan, outcome }
        })
        .collect();
    evidence
}

/// The cases to run: all, or one with what it needs.
fn chosen(exercise: &Exercise, name: Option<&str>) -> Result<Vec<Case>, CheckError> {
    let listens = Case::new(LISTENS, "The program listens on the port that it was given.", &[])
        .probe(Probe::Listens, Script::default());
    let mut cases = vec![listens];
    cases.extend(exercise.cases.iter().cloned());
    let Some(name) = name else { return Ok(cases) };
    let names = || cases.iter().map(|case| case.name).collect();
    if !cases.iter().any(|case| case.name == name) {
        return Err(CheckError::NoCase { name: name.to_owned(), names: names() });
    }
    let mut wanted = vec![name.to_owned()];
    let mut at = 0;
    while at < wanted.len() {
        let needs = cases.iter().find(|case| case.name == wanted[at]).map(|case| case.needs.clone());
        for need in needs.unwrap_or_default() {
            if !wanted.iter().any(|name| name == need) {
                wanted.push(need.to_owned());
            }
        }
        at += 1;
    }
    cases.retain(|case| wanted.iter().any(|name| name == case.name));
    Ok(cases)
}

struct Run<'a> {
    exercise: &'a Exercise,
    lanes: Lanes<'a>,
    evidence: Evidence,
    config: &'a Config,
    experiments: usize,
}

impl Run<'_> {
    /// Tests one hypothesis after the other, with the experiments that they ask for.
    fn findings(&mut self, events: &mut dyn Events<CheckEvent>) -> Result<Vec<Finding>, CheckError> {
        let mut findings = Vec::new();
        for hypothesis in diagnosis::HYPOTHESES {
            loop {
                if self.evidence.open().next().is_none() {
                    return Ok(findings);
                }
                match (hypothesis.test)(&self.evidence) {
                    diagnosis::Test::No => break,
                    diagnosis::Test::Try(plan) => {
                        let over = self.lanes.over().is_some();
                        if self.experiments >= EXPERIMENTS || over || self.evidence.has(&plan) {
                            break;
                        }
                        events.event(CheckEvent::Experiment(hypothesis.class));
                        self.experiment(plan)?;
                    }
                    diagnosis::Test::Proven(finding) => {
                        self.evidence.explain(&finding);
                        findings.push(finding);
                        break;
                    }
                }
            }
        }
        Ok(findings)
    }

    fn experiment(&mut self, plan: Plan) -> Result<bool, CheckError> {
        self.experiments += 1;
        // What earlier cases left behind shall not decide it.
        self.lanes.subject().stop();
        let script = plan.script(&*self.exercise.dialect);
        let outcome = match self.lanes.subject().play(&script) {
            Ok(outcome) => outcome,
            Err(Unready::Checker(error)) => return Err(error),
            // A program that did not start shows nothing, least of all that it passed.
            Err(_) => Outcome { failure: Some((0, Failure::Refused)), ..Outcome::default() },
        };
        let failed = !outcome.passed();
        self.evidence.observed.push(Observed { case: None, plan, outcome });
        Ok(failed)
    }

    fn reports(
        &mut self,
        cases: &[Case],
        verdicts: Vec<Verdict>,
        findings: &[Finding],
    ) -> Result<Vec<CaseReport>, CheckError> {
        let mut reports = Vec::new();
        for (number, (case, verdict)) in cases.iter().zip(verdicts).enumerate() {
            let finding = findings.iter().find(|finding| finding.cases.contains(&number));
            // One root cause gives one diagnosis: it stands at the first case that shows it.
            let first = finding.is_some_and(|finding| finding.cases.first() == Some(&number));
            let (mut report, failed) = report::of_case(case, verdict);
            if let Some((mut trial, mut outcome)) = failed {
                let worth = first || finding.is_none();
                if worth && self.lanes.over().is_none() {
                    (trial, outcome) = self.reduced(trial, outcome)?;
                }
                report::explain(&mut report, self.exercise, self.config, &trial, &outcome);
            }
            match finding {
                Some(finding) if first => report.diagnosis = Some(Diagnosis::of(finding)),
                Some(finding) => {
                    let name = cases[finding.cases[0]].name;
                    report.observed.extend([" (of the same cause as `", name, "`: ", finding.class, ")"]);
                }
                None => {}
            }
            reports.push(report);
        }
        debug_assert!(reports.iter().all(|report| report.status != Status::Error));
        Ok(reports)
    }

    /// The smallest plan found that still fails.
    fn reduced(&mut self, trial: Trial, outcome: Outcome) -> Result<(Trial, Outcome), CheckError> {
        let dialect = self.exercise.dialect.clone();
        let mut error = None;
        let smallest = reduce::reduce(&trial.plan, &outcome, &*dialect, |plan| {
            let script = plan.script(&*dialect);
            match self.lanes.subject().play(&script) {
                Ok(outcome) => {
                    (!outcome.passed()).then_some((Trial { plan: plan.clone(), written: None }, outcome))
                }
                Err(Unready::Checker(failed)) => {
                    error = Some(failed);
                    None
                }
                Err(_) => None,
            }
        });
        match error {
            Some(error) => Err(error),
            None => Ok(smallest.unwrap_or((trial, outcome))),
        }
    }
}

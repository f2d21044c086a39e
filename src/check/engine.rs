//! The run: cases in their order, then experiments until the failures are explained, then the report.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::case::{Case, Trial};
use super::diagnosis::{self, Evidence, Finding, Observed};
use super::exercise::Exercise;
use super::outcome::Outcome;
use super::plan::Plan;
use super::report::{self, CaseReport, CheckReport, Diagnosis, Status};
use super::subject::{Subject, Unready};
use super::{CheckError, CheckEvent, Config, reduce};
use crate::report::Events;

/// The case that comes first: the program listens.
pub(super) const LISTENS: &str = "listens";
/// Experiments for one run: more hypotheses than this are not tested.
const EXPERIMENTS: usize = 30;

/// What became of a case.
#[derive(Debug)]
pub(super) enum Verdict {
    Passed,
    Failed(Box<Trial>, Box<Outcome>),
    /// The program did not get as far as listening.
    Unready(Unready),
    Skipped(String),
}

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
    let mut run = Run {
        exercise,
        subject: Subject::new(config, exercise),
        evidence: Evidence::new(exercise.dialect.clone(), exercise.transport),
        begun,
        config,
        experiments: 0,
    };
    let (mut verdicts, mut times): (Vec<Verdict>, Vec<Duration>) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        events.event(CheckEvent::Case { number, of: cases.len(), name: case.name });
        let case_begun = Instant::now();
        let verdict = match run.unmet(&cases, &verdicts, case) {
            Some(why) => Verdict::Skipped(why),
            None => run.case(number, case)?,
        };
        verdicts.push(verdict);
        times.push(case_begun.elapsed());
    }
    let findings = run.findings(events)?;
    let mut reports = run.reports(&cases, verdicts, &findings)?;
    for (report, took) in reports.iter_mut().zip(times) {
        report.took = took;
    }
    Ok(CheckReport::new(exercise, config, reports).timed(at, begun))
}

/// The cases to run: all, or one with what it needs.
fn chosen(exercise: &Exercise, name: Option<&str>) -> Result<Vec<Case>, CheckError> {
    let listens = Case::new(LISTENS, "The program listens on the port that it was given.", &[]);
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
    subject: Subject<'a>,
    evidence: Evidence,
    begun: Instant,
    config: &'a Config,
    experiments: usize,
}

impl Run<'_> {
    /// Why a case can't be run, if it can't.
    fn unmet(&self, cases: &[Case], verdicts: &[Verdict], case: &Case) -> Option<String> {
        if self.begun.elapsed() > self.config.limit {
            return Some("the time for the whole run is over".to_owned());
        }
        let failed = |need: &&str| {
            let at = cases.iter().position(|case| case.name == *need);
            at.and_then(|at| verdicts.get(at)).is_some_and(|verdict| !matches!(verdict, Verdict::Passed))
        };
        let need = case.needs.iter().copied().find(failed)?;
        Some(format!("it tells nothing without `{need}`"))
    }

    fn case(&mut self, number: usize, case: &Case) -> Result<Verdict, CheckError> {
        if case.name == LISTENS {
            return Ok(match self.subject.play(&super::script::Script::default()) {
                Ok(_) => Verdict::Passed,
                Err(Unready::Checker(error)) => return Err(error),
                Err(unready) => Verdict::Unready(unready),
            });
        }
        for trial in &case.trials {
            if self.begun.elapsed() > self.config.limit {
                return Ok(Verdict::Skipped("the time for the whole run is over".to_owned()));
            }
            let outcome = match self.subject.play(&trial.script(&*self.exercise.dialect)) {
                Ok(outcome) => outcome,
                Err(Unready::Checker(error)) => return Err(error),
                Err(unready) => return Ok(Verdict::Unready(unready)),
            };
            let passed = outcome.passed();
            let failed = (!passed).then(|| outcome.clone());
            self.evidence.observed.push(Observed {
                case: Some(number),
                plan: trial.plan.clone(),
                outcome: outcome.thin(),
            });
            if let Some(outcome) = failed {
                return Ok(Verdict::Failed(Box::new(trial.clone()), Box::new(outcome)));
            }
        }
        Ok(Verdict::Passed)
    }

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
                        let over = self.begun.elapsed() > self.config.limit;
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
        self.subject.stop();
        let script = plan.script(&*self.exercise.dialect);
        let outcome = match self.subject.play(&script) {
            Ok(outcome) => outcome,
            Err(Unready::Checker(error)) => return Err(error),
            Err(_) => Outcome::default(),
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
                if worth && self.begun.elapsed() < self.config.limit {
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
            match self.subject.play(&script) {
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

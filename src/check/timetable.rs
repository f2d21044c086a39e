//! Which trial is played next, and what became of the cases. Pure: it starts nothing and reads no clock.
//!
//! Trials are handed out in their order. Several may be under way at a time, each with a copy of the program; what is
//! made of them does not depend on which one is done first:
//!
//! ```text
//! case     one-message ──► several-messages ──► cut ...       a case waits for those that it needs
//! trials   0               0                    0 1 2 3 ...   its first failure decides it, by number, not by time
//! ```
//! A trial that moves much data waits until a smaller one has shown how long it will take. One that would take minutes, because
//! the program thinks about every piece that it reads, is left out, and the report says so.

use std::time::Duration;

use super::case::{Case, Trial};
use super::outcome::{Outcome, What};
use super::plan::{SLOW_LOAD, Way};
use super::subject::Unready;
use crate::text::Grouped;

/// A trial that moves so many bytes waits for what a smaller one tells.
const HEAVY: usize = 5_000;
/// What a message tells about one of so many times its size: a program that reads it in one piece, and thinks, reads that in
/// so many.
const TELLS: usize = 16;
/// A trial that will take longer is left out: a run of a right server shall take less than 20 s.
const TOO_LONG: Duration = Duration::from_secs(4);
/// Answers to messages of this size tell how long the program thinks, not how fast it copies.
const SMALL: usize = 500;
/// How many answers tell that.
const SAMPLES: usize = 5;

/// What became of a case.
#[derive(Debug)]
pub(super) enum Verdict {
    /// As expected; with what was left out of it, if anything was.
    Passed(Option<String>),
    Failed(Box<Trial>, Box<Outcome>),
    /// The program did not get as far as listening.
    Unready(Unready),
    Skipped(String),
}

/// A trial: its case and its number in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) case: usize,
    pub(super) trial: usize,
}

/// A trial that was played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) job: Job,
    /// Of a trial that passed, only that it did.
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
enum State {
    Open,
    Playing,
    Passed,
    Failed(Option<Box<Outcome>>),
    Unready(Option<Unready>),
    LeftOut,
}

/// The trials of a run.
#[derive(Debug)]
pub(super) struct Timetable<'a> {
    cases: &'a [Case],
    states: Vec<Vec<State>>,
    /// The most bytes that were answered in one message, and how long that took.
    largest: (usize, Duration),
    answers: Vec<Duration>,
}

impl<'a> Timetable<'a> {
    pub(super) fn new(cases: &'a [Case]) -> Timetable<'a> {
        let states = cases.iter().map(|case| case.trials.iter().map(|_| State::Open).collect()).collect();
        Timetable { cases, states, largest: (0, Duration::ZERO), answers: Vec::new() }
    }

    /// The next trial that may be played now. None: all is done, or waits for one that is being played.
    pub(super) fn next(&mut self) -> Option<Job> {
        for case in 0..self.cases.len() {
            if self.unmet(case).is_some() || !self.needs_passed(case) {
                continue;
            }
            for trial in 0..self.states[case].len() {
                match &self.states[case][trial] {
                    // What stands behind the first failure is not played.
                    State::Failed(_) | State::Unready(_) => break,
                    State::Open => {}
                    _ => continue,
                }
                let job = Job { case, trial };
                match self.expected_time(job) {
                    Wait::For => {}
                    Wait::No(Some(time)) if time > TOO_LONG => self.states[case][trial] = State::LeftOut,
                    Wait::No(_) => {
                        self.states[case][trial] = State::Playing;
                        return Some(job);
                    }
                }
            }
        }
        None
    }

    /// Notes what came of a trial.
    pub(super) fn note(&mut self, job: Job, result: Result<Outcome, Unready>) {
        let state = match result {
            Ok(outcome) if outcome.passed() => {
                self.learn(job, &outcome);
                State::Passed
            }
            Ok(outcome) => State::Failed(Some(Box::new(outcome))),
            Err(unready) => State::Unready(Some(unready)),
        };
        self.states[job.case][job.trial] = state;
    }

    /// How long the program thinks about a small message; none until enough were answered.
    pub(super) fn thinking_time(&self) -> Option<Duration> {
        let mut answers = self.answers.clone();
        answers.sort_unstable();
        (answers.len() >= SAMPLES).then(|| answers[answers.len() / 2])
    }

    /// What is known at the end: verdicts, and all that counts as evidence, in the order of the cases. `why` says why what
    /// was not played was not.
    pub(super) fn finish(mut self, why: Option<&str>) -> (Vec<Verdict>, Vec<Played>) {
        let mut played = Vec::new();
        let mut verdicts: Vec<Verdict> = Vec::new();
        for case in 0..self.cases.len() {
            let unmet = self.unmet(case).map(|need| format!("it tells nothing without `{need}`"));
            let verdict = match unmet {
                Some(unmet) => Verdict::Skipped(unmet),
                None => self.verdict(case, why, &mut played),
            };
            verdicts.push(verdict);
        }
        (verdicts, played)
    }

    /// The verdict of a case that could be played.
    fn verdict(&mut self, case: usize, why: Option<&str>, played: &mut Vec<Played>) -> Verdict {
        let mut left_out = Vec::new();
        for trial in 0..self.states[case].len() {
            let job = Job { case, trial };
            match &mut self.states[case][trial] {
                State::Passed => played.push(Played { job, outcome: Outcome::default() }),
                State::LeftOut => left_out.push(load(&self.cases[case].trials[trial])),
                State::Failed(outcome) => {
                    let outcome = outcome.take().expect("a failure is taken once");
                    played.push(Played { job, outcome: (*outcome).clone() });
                    return Verdict::Failed(Box::new(self.cases[case].trials[trial].clone()), outcome);
                }
                State::Unready(unready) => {
                    return Verdict::Unready(unready.take().expect("it is taken once"));
                }
                State::Open | State::Playing => {
                    return Verdict::Skipped(why.unwrap_or("its turn did not come").to_owned());
                }
            }
        }
        Verdict::Passed(left_out.into_iter().min().map(|least| self.too_slow(least)))
    }

    fn too_slow(&self, least: usize) -> String {
        let (bytes, took) = self.largest;
        format!(
            "{} bytes took {:.1} s, so {} bytes and more were left out",
            Grouped(bytes as u64),
            took.as_secs_f64(),
            Grouped(least as u64)
        )
    }

    fn learn(&mut self, job: Job, outcome: &Outcome) {
        let trial = &self.cases[job.case].trials[job.trial];
        if trial.plan.way != Way::Whole {
            return;
        }
        let (bytes, answers) = (load(trial), thinking_times(outcome));
        if bytes < SMALL {
            self.answers.extend(answers);
        } else if bytes > self.largest.0
            && let Some(took) = answers.into_iter().max()
        {
            self.largest = (bytes, took);
        }
    }

    /// Whether a trial has to wait until others have shown how long it takes, and how long that will be.
    fn expected_time(&self, job: Job) -> Wait {
        let bytes = load(&self.cases[job.case].trials[job.trial]);
        if bytes < HEAVY {
            return Wait::No(None);
        }
        let sizes = |case: usize| {
            self.cases[case].trials.iter().any(|t| t.plan.way == Way::Whole && load(t) >= HEAVY)
        };
        if self.largest.0 * TELLS >= bytes {
            return Wait::No(self.time_of(bytes));
        }
        // In the ladder of sizes a rung waits for those below; all else waits for the whole ladder.
        let ladder = (0..self.cases.len()).find(|case| sizes(*case));
        let below = match ladder {
            Some(ladder) if ladder == job.case => &self.states[ladder][..job.trial],
            Some(ladder) if self.unmet(ladder).is_none() => &self.states[ladder][..],
            _ => &[],
        };
        let failed = below.iter().any(|state| matches!(state, State::Failed(_) | State::Unready(_)));
        if !failed && below.iter().any(|state| matches!(state, State::Open | State::Playing)) {
            return Wait::For;
        }
        Wait::No(self.time_of(bytes))
    }

    /// How long so many bytes will take, by what the largest message took beyond a small one.
    fn time_of(&self, bytes: usize) -> Option<Duration> {
        let (known, took) = self.largest;
        let thinking = self.thinking_time().unwrap_or_default();
        let more = took.saturating_sub(thinking);
        let times = u32::try_from(bytes.div_ceil(known.max(1))).unwrap_or(u32::MAX);
        (known > 0).then(|| thinking.saturating_add(more.saturating_mul(times)))
    }

    /// The first of the cases that this one needs and that has not passed for certain.
    fn unmet(&self, case: usize) -> Option<&'static str> {
        let lost = |need: &&'static str| {
            self.number(need).is_some_and(|at| {
                let failed = |state: &State| matches!(state, State::Failed(_) | State::Unready(_));
                self.states[at].iter().any(failed) || self.unmet(at).is_some()
            })
        };
        self.cases[case].needs.iter().copied().find(lost)
    }

    /// True once all the cases that this one needs have passed.
    fn needs_passed(&self, case: usize) -> bool {
        let passed = |state: &State| matches!(state, State::Passed | State::LeftOut);
        let needs = self.cases[case].needs.iter().filter_map(|need| self.number(need));
        needs.into_iter().all(|at| self.states[at].iter().all(passed))
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.cases.iter().position(|case| case.name == name)
    }
}

/// Whether a trial may be played, and how long that will take if it is known.
enum Wait {
    For,
    No(Option<Duration>),
}

/// How many bytes a trial moves in each direction.
fn load(trial: &Trial) -> usize {
    match trial.plan.way {
        Way::SlowReader => SLOW_LOAD,
        _ => trial.plan.messages.iter().map(Vec::len).sum(),
    }
}

/// From each client's last send to its answer.
fn thinking_times(outcome: &Outcome) -> Vec<Duration> {
    let mut sent = vec![None; outcome.talks.len()];
    let mut times = Vec::new();
    for event in &outcome.events {
        match event.what {
            What::Sent { .. } => sent[event.client] = Some(event.at),
            What::Answered => times.extend(sent[event.client].take().map(|at| event.at.saturating_sub(at))),
            _ => {}
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::outcome::{Event, Failure, Talk};
    use crate::check::plan::Plan;

    fn case(name: &'static str, needs: &[&'static str], sizes: &[usize]) -> Case {
        let plan = |size: &usize| Plan::new(Way::Whole, &[&vec![b'x'; *size]]);
        sizes.iter().map(plan).fold(Case::new(name, "", needs), Case::plan)
    }

    /// An answer that came after this time.
    fn passed(after: u64) -> Outcome {
        let event = |at, what| Event { at: Duration::from_millis(at), client: 0, what };
        let sent = What::Sent { start: 0, end: 1, fields: Vec::new() };
        let events = vec![event(0, sent), event(after, What::Answered)];
        Outcome { talks: vec![Talk::default()], events, ..Outcome::default() }
    }

    fn failed() -> Outcome {
        Outcome { failure: Some((0, Failure::Silent)), ..Outcome::default() }
    }

    fn at(case: usize, trial: usize) -> Job {
        Job { case, trial }
    }

    #[test]
    fn a_case_waits_for_what_it_needs_and_falls_with_it() {
        let cases = [case("a", &[], &[1, 2]), case("b", &["a"], &[1]), case("c", &["b"], &[1])];
        let mut table = Timetable::new(&cases);
        assert_eq!((table.next(), table.next(), table.next()), (Some(at(0, 0)), Some(at(0, 1)), None));
        table.note(at(0, 0), Ok(passed(1)));
        assert_eq!(table.next(), None, "`b` needs all of `a`");
        table.note(at(0, 1), Ok(failed()));
        assert_eq!(table.next(), None);
        let (verdicts, played) = table.finish(None);
        assert!(matches!(&verdicts[0], Verdict::Failed(trial, _) if trial.plan.messages[0].len() == 2));
        assert!(matches!(&verdicts[1], Verdict::Skipped(why) if why.contains("`a`")));
        assert!(matches!(&verdicts[2], Verdict::Skipped(why) if why.contains("`b`")));
        assert_eq!(played.len(), 2);
    }

    #[test]
    fn the_first_failure_counts_by_number_not_by_time() {
        let cases = [case("a", &[], &[1, 2, 3])];
        let mut table = Timetable::new(&cases);
        let jobs = [(); 3].map(|()| table.next().unwrap());
        table.note(jobs[2], Ok(failed()));
        table.note(jobs[0], Ok(passed(1)));
        table.note(jobs[1], Ok(failed()));
        let (verdicts, played) = table.finish(None);
        assert!(matches!(&verdicts[0], Verdict::Failed(trial, _) if trial.plan.messages[0].len() == 2));
        assert_eq!(played.iter().map(|p| p.job).collect::<Vec<_>>(), jobs[..2], "as if played one by one");
    }

    #[test]
    fn what_is_not_played_is_skipped_with_the_reason() {
        let cases = [case("a", &[], &[1]), case("b", &[], &[1])];
        let mut table = Timetable::new(&cases);
        let first = table.next().unwrap();
        table.note(first, Ok(passed(1)));
        let (verdicts, _) = table.finish(Some("it was interrupted"));
        assert!(matches!(verdicts[0], Verdict::Passed(None)));
        assert!(matches!(&verdicts[1], Verdict::Skipped(why) if why == "it was interrupted"));
    }

    /// Plays all, one by one; `time` says how long so many bytes take. Returns the sizes that were played.
    fn sizes(time: impl Fn(usize) -> u64) -> (Vec<usize>, Verdict) {
        let cases = [case("a", &[], &[1; 5]), case("sizes", &["a"], &[1_000, 4_096, 8_192, 65_000, 200_000])];
        let mut table = Timetable::new(&cases);
        let mut played = Vec::new();
        while let Some(job) = table.next() {
            let bytes = load(&cases[job.case].trials[job.trial]);
            if bytes > 1 {
                played.push(bytes);
            }
            table.note(job, Ok(passed(time(bytes))));
        }
        (played, table.finish(None).0.remove(1))
    }

    #[test]
    fn a_server_that_thinks_about_each_message_gets_all_sizes() {
        let (played, verdict) = sizes(|_| 1_000);
        assert_eq!(played.len(), 5);
        assert!(matches!(verdict, Verdict::Passed(None)));
    }

    #[test]
    fn a_server_that_thinks_about_each_piece_gets_what_time_allows_and_the_report_says_so() {
        let (played, verdict) = sizes(|bytes| 200 * bytes.div_ceil(1_024) as u64);
        assert_eq!(played, [1_000, 4_096, 8_192]);
        let Verdict::Passed(Some(left_out)) = verdict else { panic!("{verdict:?}") };
        assert_eq!(left_out, "8,192 bytes took 1.6 s, so 65,000 bytes and more were left out");
    }
}

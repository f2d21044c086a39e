//! Plays the trials of a run. Mostly one after the other, on one program. A program that thinks for long before it answers,
//! or has to be started for each trial and starts slowly, is started several times, and its copies are tried side by
//! side: a run is waiting, and waiting costs nothing.
//!
//! ```text
//! Timetable ──next──► lane 0  Subject ──┐
//!                     lane 1  Subject   ├──► note ──► Timetable
//!                     ...               ┘
//! ```
//! A server that runs already is tried by one client after the other: it can't be copied.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use super::exercise::Exercise;
use super::outcome::Outcome;
use super::script::Script;
use super::subject::{Subject, Unready};
use super::timetable::{Job, Timetable};
use super::{CheckError, CheckEvent, Config, Target};
use crate::report::Events;

/// How many copies of a slow program run side by side.
const LANES: usize = 6;
/// From here on a program thinks for long: a run asks for about a hundred answers, half of them for a second time.
const THINKS_LONG: Duration = Duration::from_millis(50);
/// From here on it starts slowly, where each of some 25 trials starts it.
const STARTS_SLOWLY: Duration = Duration::from_millis(500);

/// The program under test, once or several times.
pub(super) struct Lanes<'a> {
    exercise: &'a Exercise,
    config: &'a Config,
    begun: Instant,
    /// Those that play nothing at the moment; never empty between two calls.
    idle: Vec<Subject<'a>>,
}

/// What came back from a lane.
struct Done<'a> {
    job: Job,
    lane: Subject<'a>,
    result: Result<Result<Outcome, Unready>, Box<dyn Any + Send>>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(exercise: &'a Exercise, config: &'a Config, begun: Instant) -> Lanes<'a> {
        Lanes { exercise, config, begun, idle: vec![Subject::new(config, exercise)] }
    }

    /// The program, for one script at a time.
    pub(super) fn subject(&mut self) -> &mut Subject<'a> {
        &mut self.idle[0]
    }

    /// Why nothing more is played, if that is so.
    pub(super) fn over(&self) -> Option<&'static str> {
        if self.config.stop.requested() {
            Some("the check was interrupted")
        } else if self.begun.elapsed() > self.config.limit {
            Some("the time for the whole run is over")
        } else {
            None
        }
    }

    /// Plays all trials that can be played.
    ///
    /// # Errors
    /// The checker's own failures.
    pub(super) fn play<'c>(
        &mut self,
        cases: &'c [Case],
        events: &mut dyn Events<CheckEvent>,
    ) -> Result<Timetable<'c>, CheckError> {
        let mut timetable = Timetable::new(cases);
        // All are written first, in their order: names that count up do not depend on which lane is faster.
        let mut scripts = self.scripts(cases);
        let (mut lanes, mut playing, mut begun_case) = (1, 0, None);
        thread::scope(|scope| {
            let (done, results) = mpsc::channel::<Done<'a>>();
            loop {
                while let Some(mut lane) = self.lane(lanes, playing) {
                    let job = if self.over().is_some() { None } else { timetable.next() };
                    let Some(job) = job else {
                        self.idle.push(lane);
                        break;
                    };
                    if begun_case < Some(job.case) {
                        begun_case = Some(job.case);
                        let (number, of) = (job.case, cases.len());
                        events.event(CheckEvent::Case { number, of, name: cases[job.case].name });
                    }
                    let script = std::mem::take(&mut scripts[job.case][job.trial]);
                    let done = done.clone();
                    playing += 1;
                    let play = move || {
                        let result = catch_unwind(AssertUnwindSafe(|| lane.play_twice(&script)));
                        // Nobody takes it once the run has failed.
                        let _ = done.send(Done { job, lane, result });
                    };
                    thread::Builder::new()
                        .spawn_scoped(scope, play)
                        .map_err(|source| CheckError::Thread { source })?;
                }
                if playing == 0 {
                    // All the copies but one have done their work.
                    self.idle.truncate(1);
                    return Ok(());
                }
                let Done { job, lane, result } = results.recv().expect("this end has a sender, too");
                playing -= 1;
                let began_in = lane.began_in();
                if let Ok(Ok(outcome)) = &result {
                    let Job { case, trial } = job;
                    tracing::debug!("{} {trial}: {:?}", cases[case].name, outcome.took);
                }
                self.idle.push(lane);
                match result {
                    Err(panic) => resume_unwind(panic),
                    Ok(Err(Unready::Checker(error))) => return Err(error),
                    // It was ended in the middle: that says nothing about it.
                    Ok(_) if self.config.stop.requested() => {}
                    Ok(result) => timetable.note(job, result),
                }
                if self.slow(timetable.thinking_time(), began_in) {
                    lanes = LANES;
                }
            }
        })?;
        Ok(timetable)
    }

    /// A lane that is free, a new one while there are fewer than `most`.
    fn lane(&mut self, most: usize, playing: usize) -> Option<Subject<'a>> {
        let new = || (playing < most).then(|| Subject::new(self.config, self.exercise));
        self.idle.pop().or_else(new)
    }

    fn scripts(&self, cases: &[Case]) -> Vec<Vec<Script>> {
        let script = |case: &Case| {
            case.trials.iter().map(|trial| trial.script(&*self.exercise.dialect)).collect::<Vec<_>>()
        };
        cases.iter().map(script).collect()
    }

    fn slow(&self, thinks: Option<Duration>, starts: Option<Duration>) -> bool {
        let thinks_long = thinks.is_some_and(|time| time >= THINKS_LONG);
        let starts_slowly = self.exercise.once && starts.is_some_and(|time| time >= STARTS_SLOWLY);
        matches!(self.config.target, Target::Program(_)) && (thinks_long || starts_slowly)
    }
}

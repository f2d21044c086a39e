//! One load while it runs: its clock, its meter and its pace, the same for every bench.

use std::time::{Duration, Instant};

use super::BenchError;
use super::meter::{Course, Meter, nanos};
use super::pace::{Metronome, Schedule};
use super::report::Event;
use crate::net::Stop;
use crate::net::table::Process;
use crate::report::Events;

/// How often progress is reported.
const PROGRESS_NS: u64 = 100_000_000;

/// The load while it runs.
#[derive(Debug)]
pub(super) struct Run {
    began: Instant,
    pub(super) meter: Meter,
    pub(super) schedule: Option<Schedule>,
    /// Open loop: the next request that is due.
    next: u64,
    next_progress_ns: u64,
    /// It is over: what ends now ends by itself.
    pub(super) done: bool,
    _metronome: Option<Metronome>,
}

impl Run {
    /// Begins now. With a rate it is an open loop, and `wake` is called whenever requests are due.
    pub(super) fn begin(
        course: Course,
        rate_per_s: Option<f64>,
        server: Option<Process>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Run, BenchError> {
        let Course { warm_up, until, wait } = course;
        let began = Instant::now();
        let schedule = rate_per_s.map(|rate| Schedule::new(rate, warm_up, until));
        // An open loop ends by the clock, also where it was asked for a count.
        let until = schedule.map_or(until, |schedule| schedule.until(warm_up));
        let metronome = rate_per_s.map(|rate| Metronome::start(began, rate, wake)).transpose();
        Ok(Run {
            began,
            meter: Meter::new(Course { warm_up, until, wait }, schedule.is_some(), server),
            schedule,
            next: 0,
            next_progress_ns: 0,
            done: false,
            _metronome: metronome.map_err(BenchError::Thread)?,
        })
    }

    /// Nanoseconds since the load began.
    pub(super) fn now_ns(&self) -> u64 {
        nanos(self.began.elapsed())
    }

    /// True while requests will be sent that are not due yet.
    pub(super) fn sending(&self, now_ns: u64) -> bool {
        match self.schedule {
            None => self.meter.may_send(now_ns),
            Some(schedule) => self.next < schedule.total && !self.meter.was_cut(),
        }
    }

    /// Open loop: takes the next request that is due.
    pub(super) fn next_due(&mut self, now_ns: u64) -> Option<u64> {
        let (schedule, n) = (self.schedule?, self.next);
        let due = n < schedule.total && schedule.due_ns(n) <= now_ns;
        self.next += u64::from(due);
        due.then_some(n)
    }

    /// Does what time brings, and reports it; returns when to be called again, at the latest.
    pub(super) fn advance<R>(
        &mut self,
        now_ns: u64,
        stop: &Stop,
        events: &mut dyn Events<Event<R>>,
    ) -> Instant {
        if stop.requested() {
            self.meter.cut(now_ns);
        }
        if let Some(interval) = self.meter.tick(now_ns) {
            events.event(Event::Interval(interval.clone()));
        }
        if now_ns >= self.next_progress_ns {
            self.next_progress_ns = now_ns + PROGRESS_NS;
            events.event(Event::Progress(self.meter.progress(now_ns)));
        }
        self.began + Duration::from_nanos(self.meter.next_ns(now_ns).min(self.next_progress_ns))
    }
}

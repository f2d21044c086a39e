//! The course of a load: warming up, measuring, waiting for the last replies; and what was measured.
//!
//! ```text
//!  0 ────────── warm_up ─────────────────── end ───────────► all replies are there,
//!    sent, checked,      sent, checked,         waiting        or none came for `wait`
//!    not measured        measured
//! ```
//! Times are nanoseconds since the load began, and arguments: nothing here reads a clock but that of the
//! processor time used. Every bench has one meter, whatever it sends.

use std::time::Duration;

use serde::Serialize;

use super::cpu::{Cpu, Watch};
use super::latency::{Latencies, Percentiles};
use super::window::Sent;
use crate::net::table::Process;

/// What to measure, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Load before the measurement, so that caches are warm and buffers have grown.
    pub warm_up: Duration,
    /// When the measurement ends.
    pub until: Until,
    /// How long to wait for replies when none comes any more.
    pub wait: Duration,
}

/// The end of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After a time.
    Time(Duration),
    /// After so many requests.
    Count(u64),
}

/// One second of the load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// When it ended, since the measurement began.
    pub at_s: u64,
    /// Replies in it.
    pub replies: u64,
    /// Their latencies.
    pub latency: Option<Percentiles>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// How long it took, to the last reply.
    pub elapsed_s: f64,
    /// Requests sent.
    pub requests: u64,
    /// Right replies to them.
    pub replies: u64,
    /// Replies a second.
    pub rate_per_s: f64,
    /// Latencies, counted from when requests were sent.
    pub latency: Option<Percentiles>,
    /// Latencies, counted from when requests were due; only an open loop has such moments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_from_intended: Option<Percentiles>,
    /// Processor time.
    pub cpu: Option<Cpu>,
    /// Second by second.
    pub intervals: Vec<Interval>,
    /// Every latency of the first kind; of the second one where there is one.
    #[serde(skip)]
    pub latencies: Latencies,
}

/// Measures a load.
#[derive(Debug)]
pub(super) struct Meter {
    course: Course,
    from_ns: u64,
    end_ns: u64,
    /// Ctrl-C came, or nobody is left to send to.
    cut: bool,
    requests: u64,
    replies: u64,
    last_reply_ns: u64,
    since_send: Latencies,
    since_due: Option<Latencies>,
    interval: Latencies,
    intervals: Vec<Interval>,
    server: Option<Process>,
    watch: Option<Watch>,
    cpu: Option<Cpu>,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Meter {
    /// A meter for a load that begins now. `open` has it count from due times, too.
    pub(super) fn new(course: Course, open: bool, server: Option<Process>) -> Meter {
        let from_ns = nanos(course.warm_up);
        let end_ns = match course.until {
            Until::Time(time) => from_ns.saturating_add(nanos(time)),
            Until::Count(_) => u64::MAX,
        };
        Meter {
            course,
            from_ns,
            end_ns,
            cut: false,
            requests: 0,
            replies: 0,
            last_reply_ns: 0,
            since_send: Latencies::default(),
            since_due: open.then(Latencies::default),
            interval: Latencies::default(),
            intervals: Vec::new(),
            server,
            watch: None,
            cpu: None,
        }
    }

    /// True while requests may be sent.
    pub(super) fn may_send(&self, now_ns: u64) -> bool {
        let left = match self.course.until {
            Until::Time(_) => now_ns < self.end_ns,
            Until::Count(count) => self.requests < count,
        };
        left && !self.cut
    }

    /// Sends no more.
    pub(super) fn cut(&mut self, now_ns: u64) {
        self.cut = true;
        self.end_ns = self.end_ns.min(now_ns);
    }

    /// True if the load was ended before its time.
    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    /// A request is sent.
    #[inline]
    pub(super) fn sent(&mut self, sent: Sent) {
        self.requests += u64::from(sent.due_ns >= self.from_ns);
    }

    /// A right reply came; true if it counts.
    #[inline]
    pub(super) fn answered(&mut self, sent: Sent, now_ns: u64) -> bool {
        self.answered_all(sent, 1, now_ns)
    }

    /// Right replies came to `count` requests that were sent at one time.
    #[inline]
    pub(super) fn answered_all(&mut self, sent: Sent, count: u64, now_ns: u64) -> bool {
        if count == 0 {
            return false;
        }
        self.last_reply_ns = now_ns;
        if sent.due_ns < self.from_ns {
            return false;
        }
        self.replies += count;
        self.interval.record(now_ns.saturating_sub(sent.at_ns), count);
        if let Some(since_due) = &mut self.since_due {
            since_due.record(now_ns.saturating_sub(sent.due_ns), count);
        }
        true
    }

    /// Does what time brings: begins the measurement, ends a second. Returns the second that ended.
    pub(super) fn tick(&mut self, now_ns: u64) -> Option<&Interval> {
        if self.watch.is_none() && now_ns >= self.from_ns {
            self.watch = Some(Watch::start(self.server.as_ref()));
        }
        if self.cpu.is_none() && !self.may_send(now_ns) {
            self.read_cpu();
        }
        let at_s = self.intervals.len() as u64 + 1;
        if now_ns < self.next_second_ns() || self.next_second_ns() > self.end_ns {
            return None;
        }
        let (replies, latency) = (self.interval.count(), self.interval.percentiles());
        self.since_send.take(&mut self.interval);
        self.intervals.push(Interval { at_s, replies, latency });
        self.intervals.last()
    }

    fn next_second_ns(&self) -> u64 {
        self.from_ns + (self.intervals.len() as u64 + 1) * SECOND_NS
    }

    fn read_cpu(&mut self) {
        self.cpu = self.watch.as_ref().map(|watch| watch.read(self.replies));
    }

    /// When to call [`tick`](Meter::tick) next, at the latest.
    pub(super) fn next_ns(&self, now_ns: u64) -> u64 {
        let moments = [self.from_ns, self.end_ns, self.next_second_ns(), self.give_up_ns()];
        moments.into_iter().filter(|at| *at > now_ns).min().unwrap_or(now_ns + SECOND_NS)
    }

    /// True if replies that are missing now need not be waited for any more.
    pub(super) fn gives_up(&self, now_ns: u64) -> bool {
        now_ns >= self.give_up_ns()
    }

    /// Before the end of a timed load a silent server is measured, not given up.
    fn give_up_ns(&self) -> u64 {
        let end_ns = if self.end_ns == u64::MAX { self.from_ns } else { self.end_ns };
        end_ns.max(self.last_reply_ns).saturating_add(nanos(self.course.wait))
    }

    /// What of the whole course lies behind, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a bar on a screen")]
    pub(super) fn progress(&self, now_ns: u64) -> f64 {
        match self.course.until {
            Until::Time(_) => now_ns as f64 / self.end_ns.max(1) as f64,
            Until::Count(count) => self.replies as f64 / count.max(1) as f64,
        }
        .min(1.0)
    }

    /// Ends the measurement.
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure")]
    pub(super) fn finish(mut self) -> Measured {
        if self.cpu.is_none() {
            self.read_cpu();
        }
        self.since_send.take(&mut self.interval);
        let timed = if self.end_ns == u64::MAX { 0 } else { self.end_ns };
        let ended_ns = timed.max(self.last_reply_ns);
        let elapsed_s = ended_ns.saturating_sub(self.from_ns) as f64 / 1e9;
        Measured {
            elapsed_s,
            requests: self.requests,
            replies: self.replies,
            rate_per_s: (self.replies as f64 / elapsed_s.max(1e-9)).round(),
            latency: self.since_send.percentiles(),
            latency_from_intended: self.since_due.as_ref().and_then(Latencies::percentiles),
            cpu: self.cpu,
            intervals: self.intervals,
            latencies: self.since_due.unwrap_or(self.since_send),
        }
    }
}

/// A duration in nanoseconds.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn meter(until: Until, open: bool) -> Meter {
        let (warm_up, wait) = (Duration::from_millis(100), Duration::from_millis(500));
        Meter::new(Course { warm_up, until, wait }, open, None)
    }

    fn at(at_ms: u64, due_ms: u64) -> Sent {
        Sent { at_ns: at_ms * MS, due_ns: due_ms * MS }
    }

    #[test]
    fn what_was_due_during_the_warm_up_is_not_measured() {
        let mut meter = meter(Until::Time(Duration::from_millis(400)), false);
        for sent in [at(99, 99), at(100, 100), at(499, 499)] {
            assert!(meter.may_send(sent.at_ns));
            meter.sent(sent);
            meter.answered(sent, sent.at_ns + 3 * MS);
        }
        assert!(!meter.may_send(500 * MS));
        let measured = meter.finish();
        assert_eq!((measured.requests, measured.replies), (2, 2));
        assert!((measured.elapsed_s - 0.402).abs() < 1e-9, "to the last reply: {}", measured.elapsed_s);
        assert!((measured.rate_per_s - 5.0).abs() < 0.1);
    }

    #[test]
    fn a_count_ends_the_load_and_silence_ends_the_waiting() {
        let mut meter = meter(Until::Count(2), false);
        meter.sent(at(100, 100));
        assert!(meter.may_send(101 * MS));
        meter.sent(at(101, 101));
        assert!(!meter.may_send(101 * MS));
        assert!(!meter.gives_up(599 * MS));
        meter.answered(at(100, 100), 300 * MS);
        assert!(!meter.gives_up(799 * MS));
        assert!(meter.gives_up(800 * MS));
        assert_eq!(meter.next_ns(200 * MS), 800 * MS);
    }

    #[test]
    fn latency_is_counted_from_both_moments() {
        let mut meter = meter(Until::Time(Duration::from_secs(1)), true);
        meter.answered(at(400, 200), 401 * MS);
        let measured = meter.finish();
        let (sent, due) = (measured.latency.unwrap(), measured.latency_from_intended.unwrap());
        assert!((sent.max_us - 1_000.0).abs() < 2.0 && (due.max_us - 201_000.0).abs() < 200.0);
        assert_eq!(measured.latencies.percentiles().unwrap().max_us.to_bits(), due.max_us.to_bits());
    }

    #[test]
    fn seconds_follow_each_other_and_lose_no_latency() {
        let mut meter = meter(Until::Time(Duration::from_secs(3)), false);
        meter.answered(at(150, 150), 160 * MS);
        assert!(meter.tick(1_099 * MS).is_none());
        assert_eq!(meter.tick(1_100 * MS).map(|second| (second.at_s, second.replies)), Some((1, 1)));
        meter.answered(at(1_200, 1_200), 1_300 * MS);
        assert_eq!(meter.tick(2_150 * MS).map(|second| (second.at_s, second.replies)), Some((2, 1)));
        assert_eq!(meter.finish().latencies.count(), 2);
    }
}

//! What became of each probe: answered, late, doubled, out of order, or lost. Pure: time comes in as an argument.
//!
//! ```text
//!          arrived                        arrived again
//! sent ──────────────► answered ──────────────────────────► answered, a duplicate more
//!   └─ overdue ─► given up ── arrived ─► answered, late
//! ```
//! A reply is out of order if one to a later probe came before it (RFC 4737). What is unanswered at the end is lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::report::{ProbeRecord, Rtt, us};

/// Probes that are remembered: at one a second most of a day, at the fastest pace a minute. What is older is lost
/// if it is unanswered, and a duplicate of it is not recognized.
const REMEMBERED: usize = 1 << 16;

/// A probe.
#[derive(Clone, Debug)]
struct Probe {
    at: Instant,
    rtt: Option<Duration>,
    given_up: bool,
    late: bool,
    reordered: bool,
    duplicates: u32,
}

/// What a reply turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first one to its probe.
    Reply { rtt: Duration, late: bool, reordered: bool },
    /// Another one had come before.
    Duplicate { after: Duration },
    /// To a probe that was never sent, or is forgotten.
    Unknown,
}

/// All probes so far.
#[derive(Debug)]
pub(super) struct Tally {
    probes: VecDeque<Probe>,
    /// The number of the first one remembered; they count from 1.
    first: u64,
    /// The first one that may be overdue next.
    oldest: u64,
    /// The latest probe that was answered.
    highest: u64,
    in_flight: u64,
    pub(super) received: u64,
    pub(super) duplicates: u64,
    pub(super) reordered: u64,
    pub(super) late: u64,
    times: Histogram<u64>,
    /// Sums of microseconds and of their squares: mean and deviation are exact.
    sums: (f64, f64),
    range: (Duration, Duration),
}

impl Default for Tally {
    fn default() -> Tally {
        // To three digits, from a nanosecond to a minute.
        let times = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order");
        Tally {
            probes: VecDeque::new(),
            first: 1,
            oldest: 1,
            highest: 0,
            in_flight: 0,
            received: 0,
            duplicates: 0,
            reordered: 0,
            late: 0,
            times,
            sums: (0.0, 0.0),
            range: (Duration::MAX, Duration::ZERO),
        }
    }
}

impl Tally {
    /// The number that the next probe will have.
    pub(super) fn next_seq(&self) -> u64 {
        self.first + self.probes.len() as u64
    }

    /// How many were sent.
    pub(super) fn sent_probes(&self) -> u64 {
        self.next_seq() - 1
    }

    /// How many are unanswered and not given up.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The one probe in flight, if it is the only one.
    pub(super) fn only_one_in_flight(&mut self) -> Option<u64> {
        self.next_overdue(Duration::ZERO).filter(|_| self.in_flight == 1).map(|_| self.oldest)
    }

    /// The longest round trip so far.
    pub(super) fn longest(&self) -> Duration {
        self.range.1
    }

    /// The next probe is being sent.
    pub(super) fn sent(&mut self, at: Instant) {
        if self.probes.len() == REMEMBERED {
            let forgotten = self.probes.pop_front().expect("it is full");
            self.in_flight -= u64::from(forgotten.rtt.is_none() && !forgotten.given_up);
            self.first += 1;
            self.oldest = self.oldest.max(self.first);
        }
        let (rtt, given_up, late, reordered) = (None, false, false, false);
        self.probes.push_back(Probe { at, rtt, given_up, late, reordered, duplicates: 0 });
        self.in_flight += 1;
    }

    /// When exactly it was sent.
    pub(super) fn sent_at(&mut self, seq: u64, at: Instant) {
        if let Some(probe) = self.probe(seq) {
            probe.at = at;
        }
    }

    /// It is known that no reply will come.
    pub(super) fn failed(&mut self, seq: u64) {
        let Some(probe) = self.probe(seq) else { return };
        let was_in_flight = probe.rtt.is_none() && !probe.given_up;
        probe.given_up = true;
        self.in_flight -= u64::from(was_in_flight);
    }

    /// A probe that has waited for `wait` by now, which is given up hereby.
    pub(super) fn overdue(&mut self, now: Instant, wait: Duration) -> Option<u64> {
        if self.next_overdue(wait)? > now {
            return None;
        }
        let seq = self.oldest;
        self.failed(seq);
        Some(seq)
    }

    /// When the next one is overdue.
    pub(super) fn next_overdue(&mut self, wait: Duration) -> Option<Instant> {
        loop {
            let oldest = self.oldest;
            let probe = self.probe(oldest)?;
            if probe.rtt.is_none() && !probe.given_up {
                return Some(probe.at + wait);
            }
            self.oldest += 1;
        }
    }

    /// A reply has come.
    pub(super) fn arrived(&mut self, seq: u64, now: Instant) -> Arrival {
        let reordered = seq < self.highest;
        let Some(probe) = self.probe(seq) else { return Arrival::Unknown };
        let rtt = now.saturating_duration_since(probe.at);
        if probe.rtt.is_some() {
            probe.duplicates += 1;
            self.duplicates += 1;
            return Arrival::Duplicate { after: rtt };
        }
        let late = probe.given_up;
        (probe.rtt, probe.late, probe.reordered) = (Some(rtt), late, reordered);
        self.in_flight -= u64::from(!late);
        self.received += 1;
        self.late += u64::from(late);
        self.reordered += u64::from(reordered);
        self.highest = self.highest.max(seq);
        self.measured(rtt);
        Arrival::Reply { rtt, late, reordered }
    }

    fn measured(&mut self, rtt: Duration) {
        self.times.saturating_record(u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX));
        let us = rtt.as_secs_f64() * 1e6;
        self.sums = (self.sums.0 + us, self.sums.1 + us * us);
        self.range = (self.range.0.min(rtt), self.range.1.max(rtt));
    }

    fn probe(&mut self, seq: u64) -> Option<&mut Probe> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.probes.get_mut(at)
    }

    /// The round-trip times in figures; `None` if nothing was answered.
    #[expect(clippy::cast_precision_loss, reason = "a count below 2^52")]
    pub(super) fn rtt(&self) -> Option<Rtt> {
        let n = self.received as f64;
        let mean = self.sums.0 / n;
        let at = |quantile| Duration::from_nanos(self.times.value_at_quantile(quantile)).min(self.range.1);
        (self.received > 0).then(|| Rtt {
            min: us(self.range.0),
            avg: (mean * 10.0).round() / 10.0,
            max: us(self.range.1),
            // As ping has it: the root of the mean square distance from the mean.
            mdev: ((self.sums.1 / n - mean * mean).max(0.0).sqrt() * 10.0).round() / 10.0,
            p50: us(at(0.5)),
            p99: us(at(0.99)),
        })
    }

    /// Each remembered probe's fate.
    pub(super) fn records(&self) -> Vec<ProbeRecord> {
        let record = |(seq, probe): (u64, &Probe)| ProbeRecord {
            seq,
            rtt_us: probe.rtt.map(us),
            late: probe.late,
            reordered: probe.reordered,
            duplicates: probe.duplicates,
        };
        (self.first..).zip(&self.probes).map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Probes 1 to `n`, a millisecond apart.
    fn sent(n: u32) -> (Tally, Instant) {
        let (mut tally, start) = (Tally::default(), Instant::now());
        (0..n).for_each(|i| tally.sent(start + MS * i));
        (tally, start)
    }

    fn replies(tally: &mut Tally, now: Instant, seqs: &[u64]) -> Vec<Arrival> {
        seqs.iter().map(|seq| tally.arrived(*seq, now)).collect()
    }

    fn counts(tally: &Tally) -> [u64; 4] {
        [tally.received, tally.duplicates, tally.reordered, tally.late]
    }

    #[test]
    fn swaps_duplicates_and_losses_are_counted_once_each() {
        let (mut tally, start) = sent(6);
        replies(&mut tally, start + MS * 10, &[2, 1, 1, 5, 4, 2, 6]);
        assert_eq!(counts(&tally), [5, 2, 2, 0], "1 after 2, 4 after 5; 1 and 2 twice; 3 is lost");
        let lost: Vec<u64> =
            tally.records().iter().filter(|probe| probe.rtt_us.is_none()).map(|probe| probe.seq).collect();
        assert_eq!((lost, tally.in_flight()), (vec![3], 1));
    }

    #[test]
    fn a_reply_after_the_wait_is_late_and_not_lost() {
        let (mut tally, start) = sent(2);
        assert_eq!(tally.overdue(start + MS * 4, MS * 5), None);
        assert_eq!(tally.next_overdue(MS * 5), Some(start + MS * 5));
        assert_eq!(tally.overdue(start + MS * 5, MS * 5), Some(1));
        assert_eq!(tally.overdue(start + MS * 5, MS * 5), None, "2 was sent later");
        let reply = tally.arrived(1, start + MS * 7);
        assert_eq!(reply, Arrival::Reply { rtt: MS * 7, late: true, reordered: false });
        assert_eq!((counts(&tally), tally.in_flight()), ([1, 0, 0, 1], 1));
    }

    #[test]
    fn what_was_never_sent_is_unknown() {
        let (mut tally, start) = sent(1);
        assert_eq!(replies(&mut tally, start, &[0, 2, u64::MAX]), [Arrival::Unknown; 3]);
        assert_eq!(tally.rtt(), None);
    }

    #[test]
    fn old_probes_are_forgotten_without_confusion() {
        let (mut tally, start) = sent(u32::try_from(REMEMBERED).unwrap() + 10);
        assert_eq!(tally.arrived(10, start), Arrival::Unknown);
        assert!(matches!(tally.arrived(11, start + MS * 11), Arrival::Reply { .. }));
        assert_eq!(tally.sent_probes(), REMEMBERED as u64 + 10);
        assert_eq!(tally.in_flight(), REMEMBERED as u64 - 1);
        assert_eq!(tally.overdue(start + MS * 200_000, MS), Some(12));
    }

    #[test]
    fn figures_are_those_of_ping() {
        let (mut tally, start) = (Tally::default(), Instant::now());
        for (seq, ms) in (1..).zip([1, 2, 3, 10]) {
            tally.sent(start);
            tally.arrived(seq, start + MS * ms);
        }
        let rtt = tally.rtt().unwrap();
        assert_eq!((rtt.min, rtt.avg, rtt.max), (1_000.0, 4_000.0, 10_000.0));
        // Distances 3, 2, 1, 6 ms: the root of (9 + 4 + 1 + 36) / 4.
        assert!((rtt.mdev - 3_535.5).abs() < 0.1, "{rtt:?}");
        assert!((rtt.p50 - 2_000.0).abs() < 3.0 && (rtt.p99 - 10_000.0).abs() < 0.1, "{rtt:?}");
    }
}

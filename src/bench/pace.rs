//! The open loop's pace: when each request is due, and a thread that wakes the loop at those moments.
//!
//! A closed loop sends when a reply has come: a server that stalls is asked nothing meanwhile, and the
//! requests that would have waited are never counted (coordinated omission, Gil Tene's name for it). An open
//! loop sends by the clock, as a crowd of people does, and counts from the moment when a request was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::meter::Until;

/// Below this a thread can't be woken in time anyway; requests due in between leave together.
const SHORTEST: Duration = Duration::from_micros(100);

/// When requests are due: evenly, from 0 on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// Requests a second.
    pub(super) rate_per_s: f64,
    /// How many there are in all.
    pub(super) total: u64,
}

impl Schedule {
    /// The requests of a warm-up and of the measurement behind it.
    pub(super) fn new(rate_per_s: f64, warm_up: Duration, until: Until) -> Schedule {
        let measured = match until {
            Until::Time(time) => Schedule::count(rate_per_s, time),
            Until::Count(count) => count,
        };
        Schedule { rate_per_s, total: Schedule::count(rate_per_s, warm_up) + measured }
    }

    /// When the measurement behind that warm-up ends: when one more request would be due.
    pub(super) fn until(self, warm_up: Duration) -> Until {
        Until::Time(Duration::from_nanos(self.due_ns(self.total)).saturating_sub(warm_up))
    }

    /// When request `n` is due, in nanoseconds since the load began.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "below 2^53 requests the number is exact, and a time is never negative"
    )]
    pub(super) fn due_ns(self, n: u64) -> u64 {
        (n as f64 * 1e9 / self.rate_per_s) as u64
    }

    /// How many are due within a time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time and a rate are never negative; what a float can't hold, nobody waits for"
    )]
    pub(super) fn count(rate_per_s: f64, time: Duration) -> u64 {
        (rate_per_s * time.as_secs_f64()).ceil() as u64
    }
}

/// Wakes the loop whenever requests are due. The loop's own deadlines count whole milliseconds; a sleeping
/// thread is woken to about 60 us.
#[derive(Debug)]
pub(super) struct Metronome {
    stop: Arc<AtomicBool>,
}

impl Metronome {
    /// Calls `wake` at `start` and every `1/rate` seconds after it, but not more often than the system can.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub(super) fn start(
        start: Instant,
        rate_per_s: f64,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Metronome> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let period = Duration::from_secs_f64(1.0 / rate_per_s).max(SHORTEST);
        thread::Builder::new().name("metronome".into()).stack_size(64 << 10).spawn(move || {
            let mut next = start;
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(next.saturating_duration_since(Instant::now()));
                wake();
                // Beats that were missed are not made up for: what was due leaves with the next one, in time.
                let late = next.elapsed().as_nanos() / period.as_nanos();
                next += period.saturating_mul(u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1));
            }
        })?;
        Ok(Metronome { stop })
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        // Its thread ends with its next beat; nobody waits for it.
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_evenly() {
        let schedule = Schedule { rate_per_s: 250.0, total: 10 };
        assert_eq!([0, 1, 250].map(|n| schedule.due_ns(n)), [0, 4_000_000, 1_000_000_000]);
        assert_eq!(Schedule::count(250.0, Duration::from_millis(300)), 75);
        let counted = Schedule::new(100.0, Duration::from_millis(50), Until::Count(10));
        assert_eq!(counted.total, 15);
        assert_eq!(counted.until(Duration::from_millis(50)), Until::Time(Duration::from_millis(100)));
        assert_eq!(Schedule::count(0.5, Duration::from_secs(1)), 1);
    }
}

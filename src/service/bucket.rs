//! A token bucket: so many messages a second, and some more in a burst.

use std::time::{Duration, Instant};

/// How many messages a session may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Messages per second in the long run.
    pub per_second: f64,
    /// Messages at once, after a silence.
    pub burst: u32,
}

/// One session's bucket. It stores the time at which it will be full again: no timer refills it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    pub(super) fn full(now: Instant) -> Bucket {
        Bucket { full_at: now }
    }

    /// Takes one token, or says how long to wait for it.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let token = Duration::from_secs_f64(1.0 / rate.per_second);
        let full_at = self.full_at.max(now) + token;
        let emptiness = full_at.saturating_duration_since(now);
        match emptiness.checked_sub(token * rate.burst.max(1)) {
            Some(excess) if !excess.is_zero() => Err(excess),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_per_interval() {
        let start = Instant::now();
        let rate = Rate { per_second: 20.0, burst: 60 };
        let mut bucket = Bucket::full(start);
        for _ in 0..60 {
            assert_eq!(bucket.take(rate, start), Ok(()));
        }
        let wait = bucket.take(rate, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(50));
        assert!(bucket.take(rate, start + wait / 2).is_err(), "half a token is none");
        assert_eq!(bucket.take(rate, start + wait), Ok(()));
        assert!(bucket.take(rate, start + wait).is_err());
        let later = start + Duration::from_secs(3_600);
        assert_eq!((0..100).filter(|_| bucket.take(rate, later).is_ok()).count(), 60, "it holds no more");
    }
}

//! How long to wait before a lost server is tried again: each time twice as long, up to a bound. Pure.

use std::time::Duration;

/// The first wait. A server that is restarted by hand is back within a few seconds.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait: a person who watches takes a longer silence for the end.
const LONGEST: Duration = Duration::from_secs(8);
/// Attempts in a row, the one that succeeded first not counted: with the waits between them, forty seconds.
const ATTEMPTS: u32 = 8;
/// A connection that stood for so long was a good one: counting begins anew. Without this, two clients that
/// end each other's sessions would go on for ever.
pub(super) const STABLE: Duration = Duration::from_secs(10);

/// The attempts in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Attempts since the last connection that was a good one.
    attempts: u32,
}

impl Backoff {
    /// The number of the attempt that begins now, from 1.
    pub(super) fn begin(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    /// Begins to count anew.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The wait before the next attempt, or `None` after the last. `random` spreads the waits by a quarter: when a
    /// server comes back, its whole class shall not come at once.
    pub(super) fn wait(&self, random: u8) -> Option<Duration> {
        let doubled = FIRST * 2_u32.pow(self.attempts.min(8));
        let wait = doubled.min(LONGEST);
        (self.attempts < ATTEMPTS).then(|| wait + wait * u32::from(random) / 1_024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_bound_and_end() {
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        while let Some(wait) = backoff.wait(0) {
            waits.push(wait.as_millis());
            assert_eq!(backoff.begin() as usize, waits.len());
        }
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
        backoff.reset();
        assert_eq!(backoff.wait(0), Some(FIRST));
        assert!(backoff.wait(255).is_some_and(|wait| wait > FIRST && wait < FIRST * 5 / 4));
    }
}

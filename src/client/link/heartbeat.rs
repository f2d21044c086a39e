//! When to send a `PING`, what its `PONG` says, and when a silence means that the server is gone. Pure.

use std::time::{Duration, Instant};

/// From one `PING` to the next: often enough for a figure that people watch, and far below what a server closes a
/// silent client for.
const EVERY: Duration = Duration::from_secs(5);
/// A server from which nothing has come for so long although it was asked is gone: a pulled cable says nothing.
const SILENCE: Duration = Duration::from_secs(20);

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Rest,
    /// Send a `PING`.
    Ping,
    /// The server is gone.
    Dead,
}

/// The state of it.
#[derive(Debug)]
pub(super) struct Heartbeat {
    next: Instant,
    /// When the `PING` was sent that has no answer yet.
    sent: Option<Instant>,
    /// When something came for the last time.
    heard: Instant,
}

impl Heartbeat {
    /// The first `PING` is due at once.
    pub(super) fn new(now: Instant) -> Heartbeat {
        Heartbeat { next: now, sent: None, heard: now }
    }

    /// Something came, or nothing was listened to: silence proves nothing then.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The answer came; returns how long it took.
    pub(super) fn pong(&mut self, now: Instant) -> Option<Duration> {
        self.sent.take().map(|sent| now.saturating_duration_since(sent))
    }

    /// What to do now; to be called at [`next`](Heartbeat::next) at the latest.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if let Some(sent) = self.sent {
            let silent = now.saturating_duration_since(self.heard.max(sent));
            return if silent >= SILENCE { Beat::Dead } else { Beat::Rest };
        }
        if now < self.next {
            return Beat::Rest;
        }
        self.next = now + EVERY;
        self.sent = Some(now);
        Beat::Ping
    }

    /// When to ask again.
    pub(super) fn next(&self) -> Instant {
        self.sent.map_or(self.next, |sent| self.heard.max(sent) + SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_at_once_and_one_every_five_seconds() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(start);
        assert_eq!((heart.beat(start), heart.beat(start)), (Beat::Ping, Beat::Rest));
        let answered = start + Duration::from_millis(3);
        assert_eq!(heart.pong(answered), Some(Duration::from_millis(3)));
        assert_eq!(heart.pong(answered), None, "one that nobody waits for");
        assert_eq!((heart.beat(answered), heart.next()), (Beat::Rest, start + EVERY));
        assert_eq!(heart.beat(start + EVERY), Beat::Ping);
    }

    #[test]
    fn a_silent_server_is_gone_and_a_busy_one_is_not() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(start);
        assert_eq!(heart.beat(start), Beat::Ping);
        let later = start + SILENCE;
        heart.heard(start + Duration::from_secs(1));
        assert_eq!(heart.beat(later), Beat::Rest, "it has said something else");
        assert_eq!(heart.next(), start + Duration::from_secs(1) + SILENCE);
        assert_eq!(heart.beat(heart.next()), Beat::Dead);
    }
}

//! What is in flight on one connection, and what a reply turns out to be. Pure: nothing here reads a clock.
//!
//! ```text
//!  answered ...  │ skipped (some)  │ next ──────────────► last sent
//!                  late: reordered   expected, in this order
//!                  never: lost
//! ```
//! TCP keeps the order of bytes, so a reply out of order is the server's doing; UDP promises nothing.

use std::collections::VecDeque;

use super::content::Content;

/// Skipped requests that are waited for; an older one is lost.
const SKIPPED: usize = 4_096;
/// How far back a reply is recognized as one that came before.
const PAST: u64 = 64;

/// When a request was sent, and when it should have been, in nanoseconds since the load began. The two
/// differ in an open loop alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// When the request was handed to the loop.
    pub(super) at_ns: u64,
    /// When it was due.
    pub(super) due_ns: u64,
}

/// What a reply turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next one, or one that came before the next one: byte for byte what was sent then.
    Right(Sent),
    /// Right, but replies to later requests came first.
    Reordered(Sent),
    /// It came before, or nobody asked for it.
    Duplicated,
    /// It is nothing that was sent.
    Corrupted,
}

/// The requests in flight on one connection, numbered `first`, `first + step`, ...
#[derive(Debug)]
pub(super) struct Window {
    first: u64,
    step: u64,
    /// How many requests stand before the first of `sent`.
    answered: u64,
    sent: VecDeque<Sent>,
    skipped: VecDeque<(u64, Sent)>,
    forgotten: u64,
}

impl Window {
    /// An empty window.
    pub(super) fn new(first: u64, step: u64) -> Window {
        Window { first, step, answered: 0, sent: VecDeque::new(), skipped: VecDeque::new(), forgotten: 0 }
    }

    /// Requests in flight, those that were skipped left out: they hold nobody up.
    pub(super) fn in_flight(&self) -> usize {
        self.sent.len()
    }

    /// Requests sent so far.
    pub(super) fn total(&self) -> u64 {
        self.answered + self.sent.len() as u64
    }

    /// Requests without a reply.
    pub(super) fn outstanding(&self) -> u64 {
        (self.sent.len() + self.skipped.len()) as u64 + self.forgotten
    }

    /// True if a reply can still come.
    pub(super) fn is_waiting(&self) -> bool {
        !self.sent.is_empty() || !self.skipped.is_empty()
    }

    /// Notes that a request is sent; returns its number.
    pub(super) fn push(&mut self, sent: Sent) -> u64 {
        let number = self.number(self.total());
        self.sent.push_back(sent);
        number
    }

    /// Says what `reply` is.
    pub(super) fn receive(&mut self, content: &Content, reply: &[u8]) -> Verdict {
        if !self.sent.is_empty() && content.is(self.number(self.answered), reply) {
            return self.answer().map_or(Verdict::Duplicated, Verdict::Right);
        }
        self.receive_odd(content, reply)
    }

    /// The slow path: a reply that is not the next one.
    fn receive_odd(&mut self, content: &Content, reply: &[u8]) -> Verdict {
        let ahead = (1..self.sent.len() as u64).find(|n| content.is(self.number(self.answered + n), reply));
        if let Some(ahead) = ahead {
            for _ in 0..ahead {
                self.skip();
            }
            return self.answer().map_or(Verdict::Duplicated, Verdict::Right);
        }
        let late = self.skipped.iter().position(|(n, _)| content.is(self.number(*n), reply));
        if let Some((_, sent)) = late.and_then(|at| self.skipped.remove(at)) {
            return Verdict::Reordered(sent);
        }
        let past = self.answered.saturating_sub(PAST)..self.answered;
        if past.rev().any(|n| content.is(self.number(n), reply)) {
            return Verdict::Duplicated;
        }
        // It stands where the next one should: that one is answered, wrongly.
        self.answer().map_or(Verdict::Duplicated, |_| Verdict::Corrupted)
    }

    /// Gives up requests that were sent before then: they are lost, and leave their places to others.
    pub(super) fn give_up_before(&mut self, then_ns: u64) {
        while self.sent.front().is_some_and(|sent| sent.at_ns < then_ns) {
            self.answer();
            self.forgotten += 1;
        }
        let all = self.skipped.len();
        self.skipped.retain(|(_, sent)| sent.at_ns >= then_ns);
        self.forgotten += (all - self.skipped.len()) as u64;
    }

    fn answer(&mut self) -> Option<Sent> {
        let sent = self.sent.pop_front()?;
        self.answered += 1;
        Some(sent)
    }

    fn skip(&mut self) {
        let n = self.answered;
        if let Some(sent) = self.answer() {
            self.skipped.push_back((n, sent));
        }
        if self.skipped.len() > SKIPPED {
            self.skipped.pop_front();
            self.forgotten += 1;
        }
    }

    fn number(&self, n: u64) -> u64 {
        self.first + n * self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` requests and receives replies to those of `replies`; `x` is one that nobody sent.
    fn verdicts(count: u64, replies: &str) -> (String, u64) {
        let content = Content::new(32);
        let mut window = Window::new(3, 7);
        let mut numbers = Vec::new();
        for n in 0..count {
            numbers.push(window.push(Sent { at_ns: n, due_ns: n }));
        }
        let verdict = |c: char| {
            let mut reply = vec![b'x'; 32];
            if let Some(n) = c.to_digit(10) {
                reply.clear();
                content.append(numbers[n as usize], &mut reply);
            }
            match window.receive(&content, &reply) {
                Verdict::Right(sent) => {
                    assert_eq!(Some(sent.at_ns), c.to_digit(10).map(u64::from), "another one's time");
                    '.'
                }
                Verdict::Reordered(_) => 'r',
                Verdict::Duplicated => 'd',
                Verdict::Corrupted => 'c',
            }
        };
        let found = replies.chars().map(verdict).collect();
        (found, window.outstanding())
    }

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(verdicts(3, "012"), ("...".into(), 0));
        assert_eq!(verdicts(3, "02"), ("..".into(), 1), "the second is lost");
        assert_eq!(verdicts(3, "021"), ("..r".into(), 0), "the second is late");
        assert_eq!(verdicts(3, "0012"), (".d..".into(), 0));
        assert_eq!(verdicts(3, "0x2"), (".c.".into(), 0));
        assert_eq!(verdicts(1, "0x"), (".d".into(), 0), "nobody asked");
        assert_eq!(verdicts(4, "3210"), (".rrr".into(), 0));
        assert_eq!(verdicts(2, ""), (String::new(), 2));
    }

    #[test]
    fn what_is_overdue_is_lost_and_makes_room() {
        let content = Content::new(32);
        let mut window = Window::new(0, 1);
        for at_ns in [1, 2, 3, 4] {
            window.push(Sent { at_ns, due_ns: at_ns });
        }
        let mut second = Vec::new();
        content.append(1, &mut second);
        assert!(matches!(window.receive(&content, &second), Verdict::Right(_)));
        window.give_up_before(4);
        assert_eq!((window.in_flight(), window.outstanding(), window.total()), (1, 3, 4));
        window.give_up_before(5);
        assert!(!window.is_waiting() && window.outstanding() == 3, "the first, the third and the last");
    }

    #[test]
    fn what_was_skipped_long_ago_is_lost_but_not_forgotten() {
        let content = Content::new(32);
        let mut window = Window::new(0, 1);
        let count = SKIPPED as u64 + 10;
        for _ in 0..count {
            window.push(Sent::default());
        }
        let mut last = Vec::new();
        content.append(count - 1, &mut last);
        assert!(matches!(window.receive(&content, &last), Verdict::Right(_)));
        assert_eq!(window.outstanding(), count - 1);
        assert_eq!((window.skipped.len(), window.in_flight()), (SKIPPED, 0));
    }
}

//! The loop guard of the UDP echo server: which datagrams are better left unanswered.
//!
//! One spoofed datagram between two naive UDP echo servers loops for ever: each takes the other's answer for
//! a question. (CERT told the world in 1996, CA-1996-01.) UDP itself can't tell the two apart, so the server
//! looks at where a datagram comes from, and for a source that keeps returning what it was told:
//!
//! ```text
//!          64 returns of our last reply within a second
//! answered ────────────────────────────────────────────► muted
//!          ◄────────────────────────────────────────────
//!                         a second later
//! ```
//! It stands apart from the server because it is pure: time and datagrams come in as arguments, verdicts go
//! out, so that tests can move the clock by hand. It must not send, log or read a clock.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Returns of our own reply that are taken for a loop when they come within [`WINDOW`].
pub const RETURNS: usize = 64;
/// The time in which they count.
pub const WINDOW: Duration = Duration::from_secs(1);
/// How long a source is muted: a datagram that loops dies at once, since nothing sends it again.
pub const MUTE: Duration = Duration::from_secs(1);
/// Ports below belong to services (echo 7, chargen 19, DNS 53), which answer; a client's port is above.
const FIRST_CLIENT_PORT: u16 = 1024;
/// Sources remembered in one of the two generations: at most 1.2 KiB each, 2.4 MiB in all.
const SOURCES: usize = 1_024;

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it, and tell the guard what the answer was.
    Answer,
    /// Don't answer it.
    Ignore(Reason),
    /// Don't answer it: its source is muted from now on, which is worth a line in the log.
    Mute,
}

/// Why a datagram is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its source port is below 1024.
    ServicePort,
    /// It claims to come from the server itself.
    OwnAddress,
    /// Its source is muted.
    Muted,
}

impl Reason {
    /// The reason in words, to stand behind a peer's address.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Reason::ServicePort => {
                "its source port is below 1024, where services live that would answer back"
            }
            Reason::OwnAddress => "it claims to come from this server itself",
            Reason::Muted => "it is muted",
        }
    }
}

/// Decides which datagrams are answered.
// Simplification: only the last reply counts, so two different datagrams that loop between the same two servers
// hide each other, and so do two servers that alter what they answer. A rate limit per source would catch both.
#[derive(Debug)]
pub struct LoopGuard {
    own: SocketAddr,
    is_local: fn(IpAddr) -> bool,
    // Two generations: when the young one is full, the old one is forgotten. Whoever spoofs a thousand
    // sources makes us forget others, never grow.
    young: HashMap<SocketAddr, Source>,
    old: HashMap<SocketAddr, Source>,
    /// The source that was answered last, taken out of the two.
    latest: Option<Latest>,
    /// Keyed at random, so that nobody can make a reply that looks like another.
    hasher: RandomState,
}

/// The source that was answered last, with its reply as it was: where one source sends many datagrams,
/// comparing them stops at the first byte that differs, and hashing all of them would cost more than an echo.
#[derive(Debug)]
struct Latest {
    at: SocketAddr,
    source: Source,
    reply: Vec<u8>,
}

/// What is remembered of a source.
#[derive(Debug, Default)]
struct Source {
    last_reply: Option<u64>,
    /// When it returned the last reply, within the window; never more than [`RETURNS`].
    returns: VecDeque<Instant>,
    muted_until: Option<Instant>,
}

impl LoopGuard {
    /// The guard of a server bound to `own`. `is_local` is asked whether an address is one of this machine,
    /// when the server is bound to all of them.
    #[must_use]
    pub fn new(own: SocketAddr, is_local: fn(IpAddr) -> bool) -> LoopGuard {
        let (young, old) = (HashMap::new(), HashMap::new());
        LoopGuard { own, is_local, young, old, latest: None, hasher: RandomState::new() }
    }

    /// Judges a datagram that came `from` there at the time `now`.
    pub fn judge(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Verdict {
        if from.port() < FIRST_CLIENT_PORT {
            return Verdict::Ignore(Reason::ServicePort);
        }
        if self.is_own(from) {
            return Verdict::Ignore(Reason::OwnAddress);
        }
        if let Some(latest) = self.latest.as_mut().filter(|latest| latest.at == from) {
            return latest.source.judge(now, latest.reply == datagram);
        }
        let print = self.hasher.hash_one(datagram);
        let source = self.source(from);
        let returned = source.last_reply == Some(print);
        source.judge(now, returned)
    }

    /// Judges datagrams that came together, each to be answered with itself. Returns how many from the first on
    /// are answered, and the verdict on the one after them, if there is one.
    ///
    /// As [`judge`](LoopGuard::judge) and [`answered`](LoopGuard::answered) for each, but each is compared with
    /// the one before it where both lie: only the last is copied.
    pub fn judge_echoes<'d>(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagrams: impl Iterator<Item = &'d [u8]>,
    ) -> (usize, Option<Verdict>) {
        let (mut answered, mut last, mut stopped) = (0, None, None);
        for datagram in datagrams {
            let verdict = match (&mut self.latest, last) {
                (Some(latest), Some(reply)) => latest.source.judge(now, datagram == reply),
                _ => self.judge(now, from, datagram),
            };
            if verdict != Verdict::Answer {
                stopped = Some(verdict);
                break;
            }
            if last.is_none() {
                // Makes its source the latest.
                self.answered(from, datagram);
            }
            (answered, last) = (answered + 1, Some(datagram));
        }
        if let Some(reply) = last {
            self.answered(from, reply);
        }
        (answered, stopped)
    }

    /// Remembers what a source was answered.
    pub fn answered(&mut self, to: SocketAddr, reply: &[u8]) {
        if self.latest.as_ref().is_none_or(|latest| latest.at != to) {
            let memory = self.latest.take().map(|earlier| self.put_back(earlier)).unwrap_or_default();
            self.latest = Some(Latest { at: to, source: std::mem::take(self.source(to)), reply: memory });
        }
        if let Some(latest) = &mut self.latest {
            latest.reply.clear();
            latest.reply.extend_from_slice(reply);
        }
    }

    /// Puts a source back among the others, with the print of its reply; returns the reply for its memory.
    fn put_back(&mut self, latest: Latest) -> Vec<u8> {
        let last_reply = Some(self.hasher.hash_one(latest.reply.as_slice()));
        *self.source(latest.at) = Source { last_reply, ..latest.source };
        latest.reply
    }

    fn is_own(&self, from: SocketAddr) -> bool {
        if from.port() != self.own.port() {
            return false;
        }
        // A socket for both families shows IPv4 sources as ::ffff:127.0.0.1.
        let (own, ip) = (self.own.ip(), from.ip().to_canonical());
        if own.is_unspecified() { ip.is_loopback() || (self.is_local)(ip) } else { ip == own.to_canonical() }
    }

    fn source(&mut self, from: SocketAddr) -> &mut Source {
        if !self.young.contains_key(&from) {
            let known = self.old.remove(&from).unwrap_or_default();
            if self.young.len() >= SOURCES {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(from, known);
        }
        self.young.entry(from).or_default()
    }
}

impl Source {
    fn judge(&mut self, now: Instant, returned: bool) -> Verdict {
        if self.muted_until.is_some_and(|until| now < until) {
            return Verdict::Ignore(Reason::Muted);
        }
        self.muted_until = None;
        if !returned {
            self.returns.clear();
            return Verdict::Answer;
        }
        while self.returns.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            self.returns.pop_front();
        }
        self.returns.push_back(now);
        if self.returns.len() < RETURNS {
            return Verdict::Answer;
        }
        self.returns = VecDeque::new();
        self.muted_until = Some(now + MUTE);
        Verdict::Mute
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: &str = "127.0.0.1:9999";
    const PEER: &str = "127.0.0.1:9998";

    /// A guard, a clock moved by hand, and what the server answers.
    struct Scene {
        guard: LoopGuard,
        now: Instant,
        reply: Option<&'static [u8]>,
    }

    impl Scene {
        fn new(own: &str) -> Scene {
            let is_local = |ip: IpAddr| ip == IpAddr::from([192, 0, 2, 1]);
            Scene { guard: LoopGuard::new(own.parse().unwrap(), is_local), now: Instant::now(), reply: None }
        }

        /// One datagram, answered with the scene's reply or itself.
        fn datagram(&mut self, from: &str, bytes: &[u8]) -> Verdict {
            self.judge_echo(from.parse().unwrap(), bytes)
        }

        fn judge_echo(&mut self, from: SocketAddr, bytes: &[u8]) -> Verdict {
            let verdict = self.guard.judge(self.now, from, bytes);
            if verdict == Verdict::Answer {
                self.guard.answered(from, self.reply.unwrap_or(bytes));
            }
            verdict
        }

        /// The question, then its answer returned so many times, with so long before each.
        fn returns(&mut self, count: usize, gap: Duration) -> Vec<Verdict> {
            let bytes = self.reply.unwrap_or(b"ping");
            let returned = |scene: &mut Scene| {
                scene.now += gap;
                scene.datagram(PEER, bytes)
            };
            (0..count).map(|_| returned(self)).collect()
        }
    }

    #[test]
    fn the_64th_return_within_a_second_mutes() {
        let mut scene = Scene::new(OWN);
        assert_eq!(scene.datagram(PEER, b"ping"), Verdict::Answer);
        assert_eq!(scene.returns(63, Duration::from_millis(1)), [Verdict::Answer; 63]);
        assert_eq!(scene.returns(1, Duration::from_millis(1)), [Verdict::Mute]);
        assert_eq!(scene.returns(3, Duration::ZERO), [Verdict::Ignore(Reason::Muted); 3], "logged once");
    }

    #[test]
    fn the_window_slides() {
        let second = Duration::from_secs(1);
        let mut scene = Scene::new(OWN);
        scene.datagram(PEER, b"ping");
        // 63 in a second for ever: the 64th falls out of the window exactly a second later.
        assert!(
            !scene.returns(1_000, second.div_f64(63.0) + Duration::from_nanos(1)).contains(&Verdict::Mute)
        );
        // A little faster, across any border of a fixed window.
        assert!(scene.returns(200, second.div_f64(64.5)).contains(&Verdict::Mute));
    }

    #[test]
    fn a_mute_ends_after_a_second_and_counts_anew() {
        let mut scene = Scene::new(OWN);
        scene.datagram(PEER, b"ping");
        assert_eq!(scene.returns(64, Duration::ZERO).last(), Some(&Verdict::Mute));
        scene.now += Duration::from_nanos(999_999_999);
        assert_eq!(scene.datagram(PEER, b"other"), Verdict::Ignore(Reason::Muted), "whatever it says");
        scene.now += Duration::from_nanos(1);
        assert_eq!(scene.returns(63, Duration::ZERO), [Verdict::Answer; 63]);
        assert_eq!(scene.returns(1, Duration::ZERO), [Verdict::Mute]);
    }

    #[test]
    fn what_counts_is_our_reply_not_the_question() {
        let mut scene = Scene::new(OWN);
        scene.reply = Some(b"Message received");
        // The same question a thousand times is a busy client.
        assert!((0..1_000).all(|_| scene.datagram(PEER, b"ping") == Verdict::Answer));
        let verdicts = scene.returns(64, Duration::ZERO);
        assert_eq!((verdicts[62], verdicts[63]), (Verdict::Answer, Verdict::Mute));
    }

    #[test]
    fn other_content_and_other_sources_do_not_count() {
        let mut scene = Scene::new(OWN);
        scene.datagram(PEER, b"ping");
        for _ in 0..10 {
            scene.returns(63, Duration::ZERO);
            assert_eq!(scene.datagram(PEER, b"something else"), Verdict::Answer);
            assert_eq!(scene.datagram(PEER, b"ping"), Verdict::Answer);
        }
        scene.returns(64, Duration::ZERO);
        assert_eq!(scene.datagram(PEER, b"ping"), Verdict::Ignore(Reason::Muted));
        assert_eq!(
            scene.datagram("127.0.0.1:9997", b"ping"),
            Verdict::Answer,
            "another port, another source"
        );
    }

    #[test]
    fn an_empty_datagram_can_loop_too() {
        let mut scene = Scene::new(OWN);
        scene.reply = Some(b"");
        assert_eq!(scene.datagram(PEER, b""), Verdict::Answer, "nothing was replied before");
        assert_eq!(scene.returns(64, Duration::ZERO)[63], Verdict::Mute);
    }

    proptest! {
        // Catches: a train judged by its first datagram, by the reply before it, or with a memory of its own.
        #[test]
        fn a_train_is_judged_as_its_datagrams_one_by_one(
            arrivals in proptest::collection::vec((0..3u16, 1..80usize, 0..3u8, 0..40u64), 1..40)
        ) {
            let (mut trains, mut single) = (Scene::new(OWN), Scene::new(OWN));
            for (source, count, change, later_ms) in arrivals {
                // One source is a service; contents repeat a lot, or else nothing would be muted.
                let from = SocketAddr::from(([192, 0, 2, 9], 1_022 + source));
                let train: Vec<[u8; 1]> = (0..count).map(|at| [u8::from(at % 70 == 0) * change]).collect();
                trains.now += Duration::from_millis(later_ms);
                single.now = trains.now;
                let wanted: Vec<Verdict> = train.iter().map(|one| single.judge_echo(from, one)).collect();
                let mut verdicts = Vec::new();
                while verdicts.len() < count {
                    let rest = train[verdicts.len()..].iter().map(|one| &one[..]);
                    let (answered, stopped) = trains.guard.judge_echoes(trains.now, from, rest);
                    verdicts.extend(std::iter::repeat_n(Verdict::Answer, answered));
                    verdicts.extend(stopped);
                }
                prop_assert_eq!(verdicts, wanted);
            }
        }
    }

    #[test]
    fn services_are_not_answered() {
        let mut scene = Scene::new(OWN);
        for port in [0, 7, 19, 53, 1_023] {
            let from = format!("192.0.2.9:{port}");
            assert_eq!(scene.datagram(&from, b"x"), Verdict::Ignore(Reason::ServicePort), "{port}");
        }
        assert_eq!(scene.datagram("192.0.2.9:1024", b"x"), Verdict::Answer);
    }

    #[test]
    fn the_own_address_is_not_answered() {
        let own = Verdict::Ignore(Reason::OwnAddress);
        let mut bound = Scene::new(OWN);
        assert_eq!(bound.datagram(OWN, b"x"), own);
        assert_eq!(
            bound.datagram("127.0.0.2:9999", b"x"),
            Verdict::Answer,
            "another address, another socket"
        );
        for any in ["0.0.0.0:9999", "[::]:9999"] {
            let mut scene = Scene::new(any);
            for local in ["127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "192.0.2.1"] {
                assert_eq!(scene.datagram(&format!("{local}:9999"), b"x"), own, "{local} at {any}");
                assert_eq!(scene.datagram(&format!("{local}:9998"), b"x"), Verdict::Answer, "{local}");
            }
            assert_eq!(scene.datagram("192.0.2.2:9999", b"x"), Verdict::Answer, "another machine");
        }
    }

    #[test]
    fn a_hundred_thousand_sources_cost_the_memory_of_two_thousand() {
        let mut scene = Scene::new(OWN);
        for source in 0..100_000u32 {
            let from = SocketAddr::from((source.to_be_bytes(), 5_000));
            scene.guard.judge(scene.now, from, b"x");
            scene.guard.answered(from, b"x");
            // A loop that goes on meanwhile is not forgotten.
            if source == 0 {
                scene.datagram(PEER, b"ping");
            } else if source % 1_000 == 0 && source < 64_000 {
                assert_eq!(scene.datagram(PEER, b"ping"), Verdict::Answer);
            } else if source == 64_000 {
                assert_eq!(scene.datagram(PEER, b"ping"), Verdict::Mute);
            }
            assert!(scene.guard.young.len() <= SOURCES && scene.guard.old.len() <= SOURCES);
        }
        let returns = scene.guard.young.values().map(|source| source.returns.capacity()).max();
        assert!(returns <= Some(RETURNS), "{returns:?}");
    }
}

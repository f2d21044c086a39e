//! The demonstrator on real sockets: its patterns come every time, however busy the machine is.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use netlab::demo::sticky::{self, Name, Plan, PlanOptions, Scenario};
use netlab::framing::Framing;
use netlab::net::SocketOptions;

/// Enough to tell "always" from "nearly always".
const RUNS: usize = 1_000;

fn plan(asked: PlanOptions) -> Plan {
    Plan::new(asked).unwrap()
}

/// Sets its flag when it is dropped: a failed assertion must end the busy threads too.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Keeps every core busy while `work` runs.
fn under_load<T>(work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = Finally(&done);
        for _ in 0..thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        work()
    })
}

fn received(scenario: &Scenario) -> Vec<&[u8]> {
    scenario.record.recvs.iter().map(|call| &call.bytes[..]).collect()
}

fn always(name: Name, expected: &[&[u8]]) {
    let plan = plan(PlanOptions::default());
    under_load(|| {
        for run in 0..RUNS {
            let scenario = sticky::run(name, &plan).unwrap();
            assert_eq!(received(&scenario), expected, "run {run}");
            assert!(scenario.verdict.observed, "run {run}: {}", scenario.verdict.sentence);
        }
    });
}

#[test]
fn merge_merges_a_thousand_times() {
    always(Name::Merge, &[b"HelloWorldAgain"]);
}

#[test]
fn split_splits_a_thousand_times() {
    always(Name::Split, &[b"Hel", b"loWorld"]);
}

#[test]
fn mixed_mixes_a_thousand_times() {
    always(Name::Mixed, &[b"HelloWo", b"rld"]);
}

#[test]
fn the_pattern_comes_with_gaps_with_nagle_and_with_framing() {
    for framing in Framing::ALL {
        let options = SocketOptions { nodelay: false, ..SocketOptions::default() };
        let send_gap = std::time::Duration::from_millis(5);
        let plan = plan(PlanOptions { framing, options, send_gap, ..PlanOptions::default() });
        let scenario = sticky::run(Name::Merge, &plan).unwrap();
        assert_eq!(scenario.record.recvs.len(), 1, "{}", framing.name());
        assert_eq!(scenario.counts.recovered_per_recv, 0);
        assert_eq!(scenario.counts.recovered_by_framing, (framing != Framing::Raw).then_some(3));
    }
}

#[test]
fn what_cannot_be_queued_is_not_observed() {
    // A receive buffer of the least size can't hold all of it, so the pattern can't come, and nothing hangs.
    let options = SocketOptions { rcvbuf: Some(1), ..SocketOptions::default() };
    let texts = vec!["x".repeat(16_000), "y".repeat(16_000)];
    let plan = plan(PlanOptions { options, texts, messages: Some(2), ..PlanOptions::default() });
    let scenario = sticky::run(Name::Merge, &plan).unwrap();
    assert!(!scenario.verdict.observed);
    assert!(scenario.verdict.sentence.contains("queued in time"), "{}", scenario.verdict.sentence);
}

#[test]
fn udp_keeps_what_tcp_does_not() {
    let scenario = sticky::run(Name::Udp, &plan(PlanOptions::default())).unwrap();
    assert_eq!(received(&scenario), [b"Hello", b"World", b"Again"]);
    assert_eq!(scenario.counts.recovered_per_recv, 3);
    assert!(scenario.verdict.observed, "{}", scenario.verdict.sentence);
}

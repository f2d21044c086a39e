//! One real interleaving: two threads record each read and each write with its time, and the records are laid
//! side by side.
//!
//! A clock reading and the access beside it are two steps, so another thread can come between them and the
//! times alone could tell a wrong order. Therefore a recording counts only if every read found what the write
//! before it left; recordings that don't are made again.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use serde::Serialize;

/// Updates of each thread in a recording: few, so that it can be read.
const UPDATES: usize = 4;
/// Recordings until one shows a lost update in a proven order. The first few usually do.
const ATTEMPTS: usize = 1_000;

/// What a thread did with `num_clients`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read it.
    Read,
    /// Wrote it.
    Write,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, since the first of all steps.
    pub at_ns: u64,
    /// Which thread, from 1.
    pub thread: usize,
    /// What it did.
    pub action: Action,
    /// What it read or wrote.
    pub value: u64,
    /// True for a write over a write that its thread had not seen: that update is lost.
    pub overwrites: bool,
}

/// The steps of two threads, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The steps.
    pub steps: Vec<Step>,
    /// Updates that were lost among them.
    pub lost: u64,
}

impl Timeline {
    /// Records two threads until one overwrites the other's update. `None` if that never happened.
    #[must_use]
    pub fn record() -> Option<Timeline> {
        (0..ATTEMPTS).filter_map(|_| Timeline::of(race())).find(|timeline| timeline.lost > 0)
    }

    /// The steps in their order; `None` if the values contradict it.
    fn of(mut steps: Vec<Step>) -> Option<Timeline> {
        steps.sort_by_key(|step| step.at_ns);
        let start = steps.first()?.at_ns;
        let (mut value, mut lost) = (0, 0);
        for step in &mut steps {
            step.at_ns -= start;
            match step.action {
                Action::Read if step.value != value => return None,
                Action::Read => {}
                Action::Write => {
                    // Who writes n has read n - 1. If something else stands there by now, it is written over.
                    step.overwrites = value != step.value - 1;
                    lost += u64::from(step.overwrites);
                    value = step.value;
                }
            }
        }
        Some(Timeline { steps, lost })
    }
}

/// Two threads, each adding 1 a few times in two steps.
fn race() -> Vec<Step> {
    let num_clients = AtomicU64::new(0);
    let (barrier, start) = (Barrier::new(2), Instant::now());
    let run = |thread| {
        let mut steps = Vec::with_capacity(2 * UPDATES);
        let mut record = |action, value| {
            let at_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            steps.push(Step { at_ns, thread, action, value, overwrites: false });
        };
        barrier.wait();
        for _ in 0..UPDATES {
            let seen = num_clients.load(Ordering::SeqCst);
            record(Action::Read, seen);
            thread::yield_now();
            num_clients.store(seen + 1, Ordering::SeqCst);
            record(Action::Write, seen + 1);
        }
        steps
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| run(2));
        let mut steps = run(1);
        steps.extend(other.join().unwrap_or_default());
        steps
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_ns: u64, thread: usize, action: Action, value: u64) -> Step {
        Step { at_ns, thread, action, value, overwrites: false }
    }

    #[test]
    fn an_overwritten_update_is_found_by_the_values() {
        use Action::{Read, Write};
        let steps =
            vec![step(10, 1, Read, 0), step(11, 2, Read, 0), step(12, 2, Write, 1), step(15, 1, Write, 1)];
        let timeline = Timeline::of(steps).unwrap();
        assert_eq!(timeline.lost, 1);
        let marks: Vec<bool> = timeline.steps.iter().map(|step| step.overwrites).collect();
        assert_eq!(marks, [false, false, false, true]);
        assert_eq!(timeline.steps[3].at_ns, 5);
    }

    #[test]
    fn one_after_the_other_loses_nothing() {
        use Action::{Read, Write};
        let steps =
            vec![step(1, 1, Read, 0), step(2, 1, Write, 1), step(3, 2, Read, 1), step(4, 2, Write, 2)];
        assert_eq!(Timeline::of(steps).unwrap().lost, 0);
    }

    #[test]
    fn times_that_the_values_contradict_are_refused() {
        use Action::{Read, Write};
        let steps = vec![step(1, 1, Read, 0), step(2, 2, Read, 1), step(3, 1, Write, 1)];
        assert_eq!(Timeline::of(steps), None);
    }

    #[test]
    fn a_real_recording_shows_a_lost_update_and_all_its_steps() {
        let timeline = Timeline::record().unwrap();
        assert_eq!(timeline.steps.len(), 4 * UPDATES);
        let last = timeline.steps.iter().rfind(|step| step.action == Action::Write).unwrap();
        assert!(last.value < 2 * UPDATES as u64, "{timeline:?}");
    }
}

//! Telling every thread something. With one slot and an event, who is late finds the slot overwritten; with a
//! queue for each thread nothing is lost.
//!
//! The slot is what a first broadcast looks like: the latest message, and a condition that wakes everyone
//! (Python: a variable and `threading.Event`). The queue is what a room server needs.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Barrier, Condvar, Mutex, PoisonError};
use std::thread;

use serde::Serialize;

/// Messages of one broadcast: more than a thread can keep up with while nobody waits for it.
const MESSAGES: u64 = 1_000;

/// How the threads are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The latest message in one place, and an event that wakes all.
    Slot,
    /// A queue for each thread.
    Queues,
}

impl Channel {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Channel::Slot => "one slot and an event",
            Channel::Queues => "a queue for each thread",
        }
    }
}

/// What arrived of a broadcast.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Broadcast {
    /// How the threads were told.
    pub channel: Channel,
    /// Messages times threads.
    pub expected: u64,
    /// How many the threads saw, each one counted once a thread.
    pub seen: u64,
    /// The difference.
    pub missed: u64,
}

impl Broadcast {
    /// Tells this many threads 1,000 messages, without a pause.
    #[must_use]
    pub fn run(channel: Channel, threads: usize) -> Broadcast {
        let seen = match channel {
            Channel::Slot => by_slot(threads),
            Channel::Queues => by_queues(threads),
        };
        let expected = MESSAGES * threads as u64;
        Broadcast { channel, expected, seen, missed: expected - seen }
    }
}

/// The number of the latest message, and the event that it changed.
#[derive(Default)]
struct Slot {
    latest: Mutex<u64>,
    changed: Condvar,
}

impl Slot {
    fn put(&self, message: u64) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = message;
        self.changed.notify_all();
    }

    /// Waits until the slot holds something else than `last`.
    fn next(&self, last: u64) -> u64 {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *self.changed.wait_while(latest, |latest| *latest == last).unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_slot(threads: usize) -> u64 {
    let (slot, ready) = (Slot::default(), Barrier::new(threads + 1));
    let listen = || {
        let (mut last, mut seen) = (0, 0);
        ready.wait();
        while last < MESSAGES {
            last = slot.next(last);
            seen += 1;
        }
        seen
    };
    thread::scope(|scope| {
        let listeners: Vec<_> = (0..threads).map(|_| scope.spawn(listen)).collect();
        ready.wait();
        (1..=MESSAGES).for_each(|message| slot.put(message));
        listeners.into_iter().map(|listener| listener.join().unwrap_or(0)).sum()
    })
}

fn by_queues(threads: usize) -> u64 {
    let (senders, receivers): (Vec<Sender<u64>>, Vec<Receiver<u64>>) =
        (0..threads).map(|_| mpsc::channel()).unzip();
    thread::scope(|scope| {
        let listen = |queue: Receiver<u64>| queue.iter().count() as u64;
        let listeners: Vec<_> =
            receivers.into_iter().map(|queue| scope.spawn(move || listen(queue))).collect();
        for message in 1..=MESSAGES {
            for sender in &senders {
                // A listener ends only when its queue is closed, below.
                let _ = sender.send(message);
            }
        }
        drop(senders);
        listeners.into_iter().map(|listener| listener.join().unwrap_or(0)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_lose_nothing_and_a_slot_does() {
        let queues = Broadcast::run(Channel::Queues, 8);
        assert_eq!((queues.seen, queues.missed), (8 * MESSAGES, 0));
        let slot = Broadcast::run(Channel::Slot, 8);
        // Each thread sees the last message at least; that all of them see all 1,000 does not happen.
        assert!(slot.seen >= 8 && slot.missed > 0, "{slot:?}");
    }
}

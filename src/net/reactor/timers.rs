//! Deadlines of connections, cheap to move: most are set again with every message and never come true.
//!
//! Each connection has at most one live entry. A deadline that moves later leaves its entry where it is; when
//! that comes due too early it is set again. Only one that moves earlier costs a new entry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::handler::ConnId;

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Instant, c: ConnId) {
        self.heap.push(Reverse((at, c.index, c.generation)));
    }

    /// Drops entries of connections that are gone, once they are the most: short connections with a long
    /// idle time would leave one behind each.
    pub(super) fn tidy(&mut self, connections: usize, is_there: impl Fn(ConnId) -> bool) {
        if self.heap.len() > 4 * connections + 64 {
            self.heap.retain(|Reverse((_, index, generation))| {
                is_there(ConnId { index: *index, generation: *generation })
            });
        }
    }

    /// When the loop must wake up at the latest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next entry that is due, with its time.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, ConnId)> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((at, index, generation)) = self.heap.pop()?;
        Some((at, ConnId { index, generation }))
    }
}

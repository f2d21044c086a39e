//! The two queues between the network thread and the user's. Both are bounded, and neither side waits.
//!
//! A full queue of commands refuses one more. A full queue of events takes what one `recv` has still brought, and
//! the network thread reads no more until it is emptied: TCP holds the server back, and nothing is lost.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Full, LinkCommand, LinkEvent};

/// Requests that may wait for the network: with texts of 32 KiB, 8 MiB at most.
const COMMANDS: usize = 256;
/// What events may weigh before the reading stops, in bytes: a few thousand messages, far more than a user who
/// looks every 50 ms lets pile up.
const EVENTS: usize = 4 << 20;

/// Commands on their way to the network thread.
#[derive(Debug, Default)]
pub(super) struct Commands {
    waiting: Mutex<VecDeque<LinkCommand>>,
}

impl Commands {
    /// Adds a command. What is no request is always taken: it is what ends a jam.
    pub(super) fn push(&self, command: LinkCommand) -> Result<(), Full> {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= COMMANDS && matches!(command, LinkCommand::Send { .. }) {
            return Err(Full(command));
        }
        waiting.push_back(command);
        Ok(())
    }

    /// The next command. While the network is `jammed`, requests wait, unless there is one behind them that
    /// ends the jam.
    pub(super) fn pop(&self, jammed: bool) -> Option<LinkCommand> {
        let mut waiting = lock(&self.waiting);
        let only_requests = waiting.iter().all(|command| matches!(command, LinkCommand::Send { .. }));
        if jammed && only_requests { None } else { waiting.pop_front() }
    }
}

/// Events on their way to the user's thread.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    list: Vec<LinkEvent>,
    weight: usize,
}

impl Events {
    /// Adds an event.
    pub(super) fn push(&self, event: LinkEvent) {
        let mut waiting = lock(&self.waiting);
        waiting.weight += weight(&event);
        waiting.list.push(event);
        self.came.notify_one();
    }

    /// True if the reading has to stop until the user has looked.
    pub(super) fn is_full(&self) -> bool {
        lock(&self.waiting).weight >= EVENTS
    }

    /// Moves all events to `events`; waits for one at most so long. True if the reading had to stop.
    pub(super) fn drain(&self, events: &mut Vec<LinkEvent>, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut waiting = lock(&self.waiting);
        while waiting.list.is_empty() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            waiting = self.came.wait_timeout(waiting, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        events.append(&mut waiting.list);
        std::mem::take(&mut waiting.weight) >= EVENTS
    }
}

/// About how much memory an event takes, in bytes. What was received is there twice, as bytes and as messages,
/// and a message takes more than its bytes where it is a list of short names.
fn weight(event: &LinkEvent) -> usize {
    let bytes = match event {
        LinkEvent::Wire(chunk) => 4 * chunk.bytes.len(),
        _ => 0,
    };
    size_of::<LinkEvent>() + bytes
}

/// A thread that panicked between two lines here leaves a list that is still a list.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Direction, WireChunk};
    use crate::protocol::message::{Nothing, Request};
    use std::time::SystemTime;

    fn request(id: u64) -> LinkCommand {
        LinkCommand::Send { id, request: Request::RoomList(Nothing {}) }
    }

    #[test]
    fn a_full_queue_refuses_requests_and_takes_what_ends_the_jam() {
        let commands = Commands::default();
        let taken = (0..10_000).take_while(|id| commands.push(request(*id)).is_ok()).count();
        assert_eq!(taken, COMMANDS);
        let Err(Full(LinkCommand::Send { id, .. })) = commands.push(request(999)) else { panic!() };
        assert_eq!(id, 999, "it comes back");
        assert!(commands.pop(true).is_none(), "requests wait for the network");
        commands.push(LinkCommand::Quit).unwrap();
        for expected in 0..COMMANDS as u64 {
            let Some(LinkCommand::Send { id, .. }) = commands.pop(true) else { panic!("{expected} is lost") };
            assert_eq!(id, expected);
        }
        assert!(matches!(commands.pop(true), Some(LinkCommand::Quit)));
        assert!(commands.pop(false).is_none());
    }

    #[test]
    fn events_are_full_by_weight_until_they_are_taken() {
        let (events, mut taken) = (Events::default(), Vec::new());
        let chunk = || {
            LinkEvent::Wire(WireChunk {
                direction: Direction::Received,
                at: SystemTime::UNIX_EPOCH,
                bytes: vec![0; 64 << 10],
            })
        };
        let mut pushed = 0;
        while !events.is_full() {
            events.push(chunk());
            pushed += 1;
            assert!(pushed <= 16, "memory has no bound");
        }
        assert!(events.drain(&mut taken, Duration::ZERO), "the reader is told to go on");
        assert_eq!((taken.len(), events.is_full()), (pushed, false));
        assert!(!events.drain(&mut taken, Duration::ZERO));
        events.push(LinkEvent::Disconnected);
        assert!(!events.drain(&mut taken, Duration::ZERO), "it had not stopped");
    }
}

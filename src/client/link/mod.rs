//! A connection to a room server on a thread of its own, for programs that must not wait: a screen, a line mode.
//!
//! ```text
//!   user's thread                                        network thread
//!   send(LinkCommand) ──► queue of commands ──(waker)──► handler of the loop ──► socket
//!   drain(events)     ◄── queue of events   ◄─────────── over a Session      ◄── socket
//! ```
//! Neither side waits for the other. Both queues are bounded: a full queue of commands refuses one more; a full
//! queue of events stops the reading of the socket, so that TCP holds the server back, and nothing is lost.

mod backoff;
mod driver;
mod exchange;
mod heartbeat;
mod place;
pub mod provoke;
mod queue;
mod talk;
mod wire;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use self::driver::Driver;
use self::queue::{Commands, Events};
use self::wire::{Watched, Wire};
use crate::net::{Address, Capture, Limits, NetError, Op, Reactor, Stop};

pub use exchange::{ConnectRequest, Direction, LinkCommand, LinkEvent, ServerMessage, WireChunk};

/// The queue of commands is full: the network is far behind. The command comes back.
#[derive(Debug)]
pub struct Full(pub LinkCommand);

/// Wakes the network thread from any other.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// One `recv` at most: what a full queue of events still takes.
const RECV_SIZE: usize = 64 << 10;
/// How long the last bytes may take when the link ends.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// A connection to a room server on a thread of its own. Dropping it says goodbye, and waits for the thread: two
/// seconds at most.
pub struct Link {
    commands: Arc<Commands>,
    events: Arc<Events>,
    wake: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Starts the thread; nothing is connected yet. What its connections will carry is written to `capture`.
    ///
    /// # Errors
    /// A system that gives no thread, no poll or no random bytes.
    pub fn start(capture: Option<&Capture>) -> Result<Link, NetError> {
        let failed = |source| NetError::new(Op::Poll, Address::new("events", 0), source);
        // Asked for here once, where its lack can still be said.
        getrandom::fill(&mut [0; 32]).map_err(|error| failed(error.into()))?;
        let (commands, events) = (Arc::new(Commands::default()), Arc::new(Events::default()));
        let (ready, started) = channel();
        let (to_obey, to_tell) = (commands.clone(), events.clone());
        let capture = capture.cloned();
        let run = move || run(to_obey, &to_tell, capture.as_ref(), &ready);
        let thread = thread::Builder::new().name("network".into()).spawn(run).map_err(failed)?;
        let wake = started.recv().map_err(|_| failed(std::io::ErrorKind::Other.into()))??;
        Ok(Link { commands, events, wake, thread: Some(thread) })
    }

    /// Hands a command to the network thread. Never waits.
    ///
    /// # Errors
    /// A full queue, with the command. Only requests are refused.
    pub fn send(&self, command: LinkCommand) -> Result<(), Full> {
        self.commands.push(command)?;
        (self.wake)();
        Ok(())
    }

    /// Appends what has happened since the last call. Never waits: to be called often.
    pub fn drain(&self, events: &mut Vec<LinkEvent>) {
        self.drain_within(events, Duration::ZERO);
    }

    /// The same, and waits at most so long for something to happen.
    pub fn drain_within(&self, events: &mut Vec<LinkEvent>, within: Duration) {
        if self.events.drain(events, within) {
            (self.wake)();
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.send(LinkCommand::Quit);
        if let Some(thread) = self.thread.take() {
            // A panic of it has been told as `Ended`.
            let _ = thread.join();
        }
    }
}

/// The network thread.
fn run(
    commands: Arc<Commands>,
    events: &Arc<Events>,
    capture: Option<&Capture>,
    ready: &Sender<Result<Wake, NetError>>,
) {
    let _obituary = Obituary(events.clone());
    let limits = Limits { recv_size: RECV_SIZE, reserved: 0, stop_within: STOP_WITHIN, ..Limits::default() };
    let mut reactor = match Reactor::new(limits) {
        Ok(reactor) => reactor,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let waker = reactor.io().waker();
    let wake: Wake = Arc::new(move || {
        // A waker fails only with its poll, which the loop notices by itself.
        let _ = waker.wake();
    });
    let watched = Rc::new(Watched::default());
    let wire = Wire { watched: watched.clone(), events: events.clone(), wake: wake.clone() };
    reactor.observe(Box::new(wire));
    if let Some(capture) = capture {
        capture.watch(&mut reactor);
    }
    let mut driver = Driver::new(commands, events.clone(), watched, wake.clone());
    if ready.send(Ok(wake)).is_err() {
        return;
    }
    if let Err(error) = reactor.run(&mut driver, &Stop::new()) {
        let reason = crate::text::printable(&format!("{error}: {}", error.source));
        events.push(LinkEvent::Lost { reason, retry_in: None });
    }
}

/// Tells the user of the thread's end, whatever its reason: who waits for an event shall not wait for ever.
struct Obituary(Arc<Events>);

impl Drop for Obituary {
    fn drop(&mut self) {
        self.0.push(LinkEvent::Ended { panicked: thread::panicking() });
    }
}

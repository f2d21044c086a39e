//! The room server: the service, the workers and the loop put together.
//!
//! ```text
//! Reactor ─bytes─► Decoder ─frame─► Dispatcher ─Actions─► send, cast, close ─► Reactor
//!                                        │  ▲
//!                                      Job  Done
//!                                        ▼  │
//!                                      Workers (disk, argon2)
//! ```
//! Decisions are the [`service`]'s, bytes the [`net`](crate::net) layer's; what is here says
//! which connection is which session and which group is which room, and carries actions out in their order.

mod event;
mod handler;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::handler::RoomServer;
use crate::framing::Framing;
use crate::net::reactor::trace;
use crate::net::{
    Limits, NetError, Overflow, Reactor, ServerEvent, SocketOptions, Stop, raise_descriptor_limit, socket,
};
use crate::report::Events;
use crate::service;
use crate::store::{Completion, Disk, Records, Refresh, Refreshed, Stamp, Workers};

pub use event::{Event, RoomEvent};

/// Descriptors that clients can't have: for files, for refusals, for the loop itself.
pub const RESERVED_DESCRIPTORS: usize = 32;
/// Of these, what refused connections may not use either.
const RESERVED_FOR_FILES: usize = 16;
/// What the kernel may hold for a client that does not read. Left alone, Linux lets it grow to 4 MB, and a
/// slow reader would be noticed megabytes too late.
const SEND_BUFFER: usize = 128 << 10;

/// A room server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who may do what, and how much of it.
    pub service: service::Config,
    /// Where messages begin and end.
    pub framing: Framing,
    /// Bytes of unsent output that a client may have after a send.
    pub outbox: usize,
    /// How long a client may take nothing of it.
    pub stuck: Duration,
    /// When records are refreshed.
    pub refresh: Refresh,
    /// Report what the event loop does.
    pub trace: bool,
    /// The sockets' options.
    pub options: SocketOptions,
    /// Report what the kernel made of them.
    pub show_options: bool,
    /// Connections that may wait to be accepted.
    pub backlog: u32,
}

/// What can keep a server from running.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A socket, or the loop.
    #[error(transparent)]
    Net(#[from] NetError),
    /// No thread, or no entropy.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// Why there is none.
        source: std::io::Error,
    },
}

/// How many clients fit at a time under the descriptor limit.
#[must_use]
pub fn fitting_connections(asked: usize) -> usize {
    asked.min(raise_descriptor_limit().saturating_sub(RESERVED_DESCRIPTORS).max(1))
}

/// Listens on one of `addrs` and serves until `stop`. The first event is `listening`, the last `stopped`;
/// records that were begun are on disk then.
///
/// # Errors
/// An address that can't be listened on, or a loop that can't go on.
pub fn run<D>(
    config: &Config,
    records: Records<D>,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event>,
) -> Result<(), ServerError>
where
    D: Disk<File: Send> + Send + 'static,
{
    let options =
        SocketOptions { sndbuf: config.options.sndbuf.or(Some(SEND_BUFFER)), ..config.options.clone() };
    let (listener, address) = socket::listen(addrs, &options, config.backlog)?;
    events.event(ServerEvent::Listening { address, transport: "tcp" }.into());
    events.event(RoomEvent::Serving { max_connections: config.service.limits.connections }.into());
    if config.show_options {
        let mut readings = options.read_tcp(&listener);
        readings.push(SocketOptions::read_backlog(config.backlog, address));
        events.event(ServerEvent::SocketOptions { options: readings }.into());
    }
    let mut reactor = Reactor::new(limits(config))?;
    if let Some(capture) = &config.options.capture {
        capture.watch(&mut reactor);
    }
    reactor.listen(listener, address)?;
    let waker = reactor.io().waker();
    let notify = Arc::new(move || {
        // A waker fails only with its poll, which the loop notices by itself.
        let _ = waker.wake();
    });
    let workers = Workers::start(records, config.refresh, Stamp::now, notify)
        .map_err(|source| ServerError::System { what: "start the workers", source })?;
    let steps = config.trace.then(|| trace(&mut reactor));
    let mut server = RoomServer::new(config, Instant::now(), workers, steps, events);
    server.open_rooms(&mut reactor.io());
    let totals = reactor.run(&mut server, stop)?;
    for completion in server.finish() {
        report_store(&completion, events);
    }
    events.event(ServerEvent::from(totals).into());
    Ok(())
}

fn limits(config: &Config) -> Limits {
    Limits {
        outbox: config.outbox,
        overflow: Overflow::Disconnect,
        stuck: Some(config.stuck),
        nodelay: config.options.nodelay,
        reserved: RESERVED_FOR_FILES,
        ..Limits::default()
    }
}

/// Tells the operator what the store did by itself.
fn report_store(completion: &Completion, events: &mut dyn Events<Event>) {
    match completion {
        Completion::Finished(..) => {}
        Completion::Refreshed(Refreshed { ids, lost, failed, .. }) => {
            for (id, reason) in failed {
                events.event(
                    RoomEvent::StoreFailed { reason: format!("{id} is not refreshed: {reason}") }.into(),
                );
            }
            let client_ids = ids.iter().map(ToString::to_string).collect();
            let lost = lost.iter().map(|(id, reason)| format!("{id}: {reason}")).collect();
            events.event(RoomEvent::RecordsRefreshed { client_ids, lost }.into());
        }
        Completion::RefreshFailed { reason } | Completion::IndexFailed { reason } => {
            events.event(RoomEvent::StoreFailed { reason: reason.clone() }.into());
        }
    }
}

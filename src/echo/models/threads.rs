//! A thread for each client: the blocking server again, as often as there are clients.
//!
//! Each client costs a stack and a place in the scheduler; what they share (the events, the list of who is
//! there) needs a lock. Stopping is the hard part: threads sit in `recv`, and nobody can reach them there.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::blocking::{self, STOP_WITHIN};
use crate::echo::Event;
use crate::echo::tcp_server::Config;
use crate::net::reactor::Totals;
use crate::net::socket::{self, AcceptWaker};
use crate::net::{NetError, ServerEvent, Stop, Stream};
use crate::report::Events;

/// After a failed accept: long enough not to spin, short enough that nobody notices.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What the threads share.
struct Shared<'a> {
    clients: Mutex<Clients>,
    /// A client has left.
    left: Condvar,
    events: Mutex<&'a mut (dyn Events<Event> + Send)>,
}

#[derive(Default)]
struct Clients {
    next: u64,
    streams: HashMap<u64, Arc<Stream>>,
    totals: Totals,
}

/// Events of one thread, each under the lock.
struct Locked<'s, 'a>(&'s Shared<'a>);

impl Events<Event> for Locked<'_, '_> {
    fn event(&mut self, event: Event) {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    }
}

impl Shared<'_> {
    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a client leaves, at most `timeout`.
    fn wait_for_leaver(&self, timeout: Duration) {
        drop(self.left.wait_timeout(self.clients(), timeout).unwrap_or_else(PoisonError::into_inner));
    }
}

pub(in crate::echo) fn run(
    config: &Config,
    listener: TcpListener,
    address: SocketAddr,
    stop: &Stop,
    events: &mut (dyn Events<Event> + Send),
) -> Result<Totals, NetError> {
    let shared = Shared { clients: Mutex::default(), left: Condvar::new(), events: Mutex::new(events) };
    let waker = AcceptWaker::new(address)?;
    let _guard = stop.on_stop(move || waker.wake());
    let mut paused = false;
    thread::scope(|scope| {
        while !stop.requested() {
            match socket::accept(&listener, address, &config.options) {
                Ok(_) if stop.requested() => break,
                Ok(client) => {
                    report_resume(&mut paused, &mut Locked(&shared));
                    start(scope, config, &shared, stop, client);
                    if config.once {
                        break;
                    }
                }
                Err(error) => {
                    report_pause(&mut paused, &mut Locked(&shared), &error);
                    shared.wait_for_leaver(ACCEPT_PAUSE);
                }
            }
        }
        drop(listener);
        end_all(&shared, stop);
    });
    let totals = shared.clients().totals;
    Ok(totals)
}

/// Says that no client can be accepted, once for all the failed tries.
pub(super) fn report_pause(paused: &mut bool, events: &mut dyn Events<Event>, error: &NetError) {
    if !std::mem::replace(paused, true) {
        events.event(ServerEvent::accept_paused(error).into());
    }
}

/// Says that clients are accepted again.
pub(super) fn report_resume(paused: &mut bool, events: &mut dyn Events<Event>) {
    if std::mem::take(paused) {
        events.event(ServerEvent::AcceptResumed {}.into());
    }
}

fn start<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    config: &'scope Config,
    shared: &'scope Shared<'_>,
    stop: &'scope Stop,
    client: Stream,
) {
    let peer = client.peer();
    let client = Arc::new(client);
    let mut clients = shared.clients();
    let present = clients.streams.len();
    if config.max_connections.is_some_and(|max| present >= max) {
        drop(clients);
        let reason = format!("{present} connections are the limit");
        return Locked(shared).event(ServerEvent::Refused { peer, reason }.into());
    }
    let id = clients.next;
    clients.next += 1;
    clients.streams.insert(id, client.clone());
    drop(clients);
    Locked(shared).event(ServerEvent::Connected { peer }.into());
    let serve = move || {
        let (moved, end) = blocking::serve(config, &client, stop, &mut Locked(shared));
        leave(shared, id, &moved);
        drop(client);
        // Last of all: whoever hears that it has left may take its place.
        Locked(shared).event(end);
    };
    if let Err(error) = thread::Builder::new().spawn_scoped(scope, serve) {
        leave(shared, id, &Totals::default());
        Locked(shared).event(ServerEvent::Refused { peer, reason: format!("no thread: {error}") }.into());
    }
}

fn leave(shared: &Shared<'_>, id: u64, moved: &Totals) {
    let mut clients = shared.clients();
    clients.streams.remove(&id);
    clients.totals.connections += moved.connections;
    clients.totals.received_bytes += moved.received_bytes;
    clients.totals.sent_bytes += moved.sent_bytes;
    shared.left.notify_all();
}

/// Ends the clients one by one: each thread notices the stop, has answered what it read, and returns. Who
/// does not read its answers in time is cut off.
fn end_all(shared: &Shared<'_>, stop: &Stop) {
    let mut clients = shared.clients();
    while !stop.requested() && !clients.streams.is_empty() {
        // `--once`: the one client may take its time.
        clients = shared
            .left
            .wait_timeout(clients, Duration::from_millis(100))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
    let deadline = Instant::now() + STOP_WITHIN;
    while !clients.streams.is_empty() && Instant::now() < deadline {
        let rest = deadline.saturating_duration_since(Instant::now());
        clients = shared.left.wait_timeout(clients, rest).unwrap_or_else(PoisonError::into_inner).0;
    }
    clients.streams.values().for_each(|client| client.cut());
}

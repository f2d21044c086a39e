//! One client after the other: the course's first server.
//!
//! ```text
//! listen ─► accept ─► recv, answer, recv, answer ... until the client ends ─► accept ...
//! ```
//! Its flaws are the lesson. While one client is served, the kernel completes the handshakes of the others
//! and takes their bytes, and nobody answers; a client that stays silent stops everyone.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::blocking::{self, STOP_WITHIN};
use crate::echo::Event;
use crate::echo::tcp_server::Config;
use crate::net::reactor::Totals;
use crate::net::socket::{self, AcceptWaker};
use crate::net::{NetError, Op, ServerEvent, Stop, Stream};
use crate::report::Events;

#[expect(clippy::needless_pass_by_value, reason = "the models share one signature")]
pub(in crate::echo) fn run(
    config: &Config,
    listener: TcpListener,
    address: SocketAddr,
    stop: &Stop,
    events: &mut (dyn Events<Event> + Send),
) -> Result<Totals, NetError> {
    let current: Arc<Mutex<Option<Arc<Stream>>>> = Arc::default();
    let lock = |current: &Mutex<Option<Arc<Stream>>>, client: Option<Arc<Stream>>| {
        std::mem::replace(&mut *current.lock().unwrap_or_else(PoisonError::into_inner), client)
    };
    let (to_stop, waker) = (current.clone(), AcceptWaker::new(address)?);
    let to_close = listener.try_clone().map_err(|source| NetError::new(Op::Listen, address, source))?;
    let _guard = stop.on_stop(move || {
        // Whichever of the two calls it sits in: accept gets a connection, recv gets the end of its client.
        match lock(&to_stop, None) {
            Some(client) => {
                socket::stop_listening(&to_close);
                end(&client);
            }
            None => waker.wake(),
        }
    });
    let mut totals = Totals::default();
    let mut paused = false;
    loop {
        let accepted = socket::accept(&listener, address, &config.options);
        if stop.requested() {
            return Ok(totals);
        }
        let client = match accepted {
            Ok(client) => Arc::new(client),
            Err(error) => {
                super::threads::report_pause(&mut paused, events, &error);
                thread::sleep(super::threads::ACCEPT_PAUSE);
                continue;
            }
        };
        super::threads::report_resume(&mut paused, events);
        events.event(ServerEvent::Connected { peer: client.peer() }.into());
        lock(&current, Some(client.clone()));
        if stop.requested() {
            // It came between the two calls, and may have found no client to end.
            end(&client);
        }
        let (moved, end) = blocking::serve(config, &client, stop, events);
        lock(&current, None);
        drop(client);
        events.event(end);
        totals.connections += 1;
        totals.received_bytes += moved.received_bytes;
        totals.sent_bytes += moved.sent_bytes;
        if config.once || stop.requested() {
            return Ok(totals);
        }
    }
}

/// Ends the client that is being served, who notices by itself unless it sits in `send`: a client that does not
/// read its answers in time is cut off.
fn end(client: &Arc<Stream>) {
    // Weak: a client that leaves by itself shall be closed at once, not after this time.
    let client = Arc::downgrade(client);
    thread::spawn(move || {
        thread::sleep(STOP_WITHIN);
        if let Some(client) = client.upgrade() {
            client.cut();
        }
    });
}

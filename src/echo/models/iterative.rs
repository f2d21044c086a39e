//! One client after the other: the course's first server.
//!
//! ```text
//! listen ─► accept ─► recv, answer, recv, answer ... until the client ends ─► accept ...
//! ```
//! Its flaws are the lesson. While one client is served, the kernel completes the handshakes of the others
//! and takes their bytes, and nobody answers; a client that stays silent stops everyone.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use super::blocking;
use crate::echo::Event;
use crate::echo::tcp_server::Config;
use crate::net::reactor::Totals;
use crate::net::{NetError, Stop, Stream, socket};
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
    let to_stop = current.clone();
    let _guard = stop.on_stop(move || {
        // Whichever of the two calls it sits in: accept gets a connection, recv gets the end of its client.
        match lock(&to_stop, None) {
            Some(client) => client.end_receiving(),
            None => socket::wake_accept(address),
        }
    });
    let mut totals = Totals::default();
    loop {
        let accepted = socket::accept(&listener, address, &config.options);
        if stop.requested() {
            return Ok(totals);
        }
        let client = match accepted {
            Ok(client) => Arc::new(client),
            Err(error) => {
                super::threads::report_pause(events, &error);
                std::thread::sleep(super::threads::ACCEPT_PAUSE);
                continue;
            }
        };
        events.event(Event::Connected { peer: client.peer() });
        lock(&current, Some(client.clone()));
        let moved = blocking::serve(config, &client, events);
        lock(&current, None);
        totals.connections += 1;
        totals.received_bytes += moved.received_bytes;
        totals.sent_bytes += moved.sent_bytes;
        if config.once || stop.requested() {
            return Ok(totals);
        }
    }
}

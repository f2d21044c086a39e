//! Connections that say nothing: what they cost a server.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::server::Server;
use crate::bench::BenchError;
use crate::net::{NetError, SocketOptions, Stop, Stream};

/// What each says once, so that it is known to be served.
const GREETING: &[u8] = b"hello";

/// What idle connections cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Idle {
    /// How many connected.
    pub connections: usize,
    /// Those whose greeting was answered; the others wait for the server to turn to them.
    pub served_connections: usize,
    /// The server's threads without and with them; `None` where the system does not tell.
    pub threads_without: Option<u64>,
    /// With them.
    pub threads_with: Option<u64>,
    /// The server's resident memory without them.
    pub resident_without_bytes: Option<u64>,
    /// With them.
    pub resident_with_bytes: Option<u64>,
    /// What one of them adds; `None` also where no two are served.
    pub memory_per_connection_bytes: Option<u64>,
    /// Processor seconds a second while nobody says anything.
    pub cpu_utilisation: Option<f64>,
}

/// Connects `count` clients, has each one served once, and watches the server for `time` while all are silent.
pub(super) fn measure(
    server: &Server,
    count: usize,
    wait: Duration,
    time: Duration,
    stop: &Stop,
) -> Result<Idle, BenchError> {
    // What a server loads and allocates for its first client is not what one more costs.
    serve_one(server.address, wait)?;
    let without = server.holdings();
    let clients = connect_all(server.address, count, wait, stop)?;
    let answered = count_answered(&clients, wait, stop);
    let with = server.holdings();
    let cpu_utilisation = watch(server, time, stop);
    if stop.requested() {
        return Err(BenchError::Interrupted);
    }
    let resident = [without, with].map(|holdings| holdings.map(|h| h.resident_bytes));
    let more = resident[0].zip(resident[1]).map(|(without, with)| with.saturating_sub(without));
    Ok(Idle {
        connections: clients.len(),
        served_connections: answered,
        threads_without: without.map(|h| h.threads),
        threads_with: with.map(|h| h.threads),
        resident_without_bytes: resident[0],
        resident_with_bytes: resident[1],
        memory_per_connection_bytes: more.filter(|_| answered > 1).map(|bytes| bytes / answered as u64),
        cpu_utilisation,
    })
}

/// One client from beginning to end: it is gone on the server's side, too, when this returns.
fn serve_one(address: SocketAddr, wait: Duration) -> Result<(), NetError> {
    let client = connect(address, wait)?;
    client.send_all(GREETING)?;
    client.half_close()?;
    client.set_recv_timeout(Some(wait))?;
    while client.recv(&mut [0; 64])? > 0 {}
    Ok(())
}

fn connect(address: SocketAddr, wait: Duration) -> Result<Stream, NetError> {
    Stream::connect(&[address], &SocketOptions::default(), wait)
}

/// Connects until one can't: a full backlog takes nobody any more.
fn connect_all(
    address: SocketAddr,
    count: usize,
    wait: Duration,
    stop: &Stop,
) -> Result<Vec<Stream>, BenchError> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        if stop.requested() {
            return Err(BenchError::Interrupted);
        }
        match connect(address, wait).and_then(|client| client.send_all(GREETING).map(|()| client)) {
            Ok(client) => clients.push(client),
            Err(error) if clients.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(clients)
}

/// How many are answered. Servers accept in the order of connecting: behind one who waits, all wait.
fn count_answered(clients: &[Stream], wait: Duration, stop: &Stop) -> usize {
    let answered = |client: &&Stream| {
        let (begun, mut left) = (Instant::now(), GREETING.len());
        while left > 0 && !stop.requested() {
            let rest = wait.saturating_sub(begun.elapsed());
            if rest.is_zero() || client.set_recv_timeout(Some(rest)).is_err() {
                return false;
            }
            match client.recv(&mut [0; 64]) {
                Ok(received @ 1..) => left = left.saturating_sub(received),
                Ok(_) | Err(_) => return false,
            }
        }
        left == 0
    };
    clients.iter().take_while(answered).count()
}

/// The processor time that the server uses in `time`, as a share of it.
fn watch(server: &Server, time: Duration, stop: &Stop) -> Option<f64> {
    let before = server.process.thread_time()?;
    let begun = Instant::now();
    let (sender, stopped) = channel();
    let _guard = stop.on_stop(move || {
        // Nobody waits any more: then nobody needs to be told.
        let _ = sender.send(());
    });
    let _ = stopped.recv_timeout(time);
    let elapsed = begun.elapsed();
    let used = server.process.thread_time()?.saturating_sub(before);
    Some((used.as_secs_f64() / elapsed.as_secs_f64().max(1e-9) * 1e6).round() / 1e6)
}

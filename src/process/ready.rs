//! Readiness: a server is ready when the socket table shows its socket. Nobody connects to find out, because the
//! course's first server serves one client and exits.

use std::io;
use std::net::SocketAddr;

use super::{Child, os};
use crate::net::table::{self, SocketRow, State, Transport};

/// What the socket table says about a child and the port that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Somebody listens on that port: the address.
    There(SocketAddr),
    /// The child listens, but elsewhere.
    Elsewhere(SocketAddr),
    /// Not yet.
    Nowhere,
}

/// Looks whether `port` is listened on (TCP) or bound (UDP). The processes behind other sockets are looked up if
/// `thorough` is set, which takes longer.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask.
pub fn listening(child: &Child, transport: Transport, port: u16, thorough: bool) -> io::Result<Listening> {
    let open = |row: &&SocketRow| match transport {
        Transport::Tcp => row.state == State::Listen,
        Transport::Udp => row.remote.port() == 0,
    };
    let rows = table::sockets(transport)?;
    if let Some(row) = rows.iter().filter(open).find(|row| row.local.port() == port) {
        return Ok(Listening::There(row.local));
    }
    let own = |row: &&SocketRow| table::process(row).is_some_and(|p| os::in_group(p.pid, child.pid()));
    let elsewhere = if thorough { rows.iter().filter(open).find(own) } else { None };
    Ok(elsewhere.map_or(Listening::Nowhere, |row| Listening::Elsewhere(row.local)))
}

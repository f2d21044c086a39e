//! The socket table as a report: which sockets there are, in which state, how full their queues are, whose.
//!
//! [`list`] asks the system once; [`watch`] asks again and again and tells what changed. [`Filter`] says which
//! sockets are meant, in the words of `ss`.

mod filter;
mod report;
pub mod watch;

pub use filter::{End, Filter, StateFilter};
pub use report::{Row, SocketsReport};

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use crate::net::table::{self, SocketRow, State, Transport};
use crate::net::user_name;

/// The sockets that fit `filter`, those of one service together: its listener, then its connections.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask.
pub fn list(filter: &Filter) -> io::Result<Vec<Row>> {
    let mut found = Vec::new();
    for transport in [Transport::Tcp, Transport::Udp] {
        if filter.takes(transport) {
            found.extend(table::sockets(transport)?);
        }
    }
    let listeners: Vec<u16> =
        found.iter().filter(|row| row.state == State::Listen).map(|row| row.local.port()).collect();
    found.retain(|row| filter.fits(row));
    found.sort_by_key(|row| place(row, &listeners));
    // Only now: it looks through every process that this user may see.
    let processes = if found.is_empty() { HashMap::new() } else { table::processes() };
    let mut owners = HashMap::new();
    let mut owner = |uid| owners.entry(uid).or_insert_with(|| user_name(uid)).clone();
    Ok(found.into_iter().map(|row| Row::new(&row, &mut owner, &processes)).collect())
}

/// Where a row stands: both ends of a connection on this machine beside each other, below their listener.
fn place(row: &SocketRow, listeners: &[u16]) -> impl Ord + use<> {
    let (local, remote) = (row.local.port(), row.remote.port());
    let of_remote = remote != 0 && listeners.contains(&remote) && !listeners.contains(&local);
    let (service, client) = if of_remote { (remote, local) } else { (local, remote) };
    let ends: (SocketAddr, SocketAddr) = (row.local, row.remote);
    (row.transport == Transport::Udp, service, row.state != State::Listen, client, of_remote, ends, row.inode)
}

//! The system's socket table: every TCP and UDP socket, its state, its queues and who owns it.
//!
//! On Linux it is asked for by netlink (sock_diag), as `ss` does: /proc/net/tcp shows no backlog of a
//! listener. Elsewhere there is none to be had without privileges, and [`sockets`] says so.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use super::os;

/// Which sockets to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// Its name, as events have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }
}

/// The states of a TCP socket (RFC 9293, 3.3.2); a UDP socket is `Close`, or `Established` when connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum State {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

impl State {
    /// The states, in the order of a connection's life.
    pub const ALL: [State; 11] = [
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
        State::Close,
    ];

    /// The name, as the RFC writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Established => "ESTABLISHED",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::TimeWait => "TIME-WAIT",
            State::Close => "CLOSED",
            State::CloseWait => "CLOSE-WAIT",
            State::LastAck => "LAST-ACK",
            State::Listen => "LISTEN",
            State::Closing => "CLOSING",
        }
    }
}

/// What TCP knows of a connection, from TCP_INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TcpInfo {
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u32,
    /// How much it varies, in microseconds.
    pub rtt_var_us: u32,
    /// Payload of the largest segment that is sent, in bytes.
    pub mss: u32,
    /// Congestion window in segments.
    pub cwnd: u32,
    /// Segments sent again, in all.
    pub retransmits: u32,
    /// Segments sent, acknowledgements included.
    pub segments_sent: u32,
    /// Segments sent that carried data.
    pub data_segments_sent: u32,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocketRow {
    /// TCP or UDP.
    pub transport: Transport,
    /// The state.
    pub state: State,
    /// This end.
    pub local: SocketAddr,
    /// The other end; port 0 where there is none.
    pub remote: SocketAddr,
    /// Bytes received and not read; on a listener, connections that wait to be accepted. For UDP Linux counts the
    /// memory that datagrams take, which is more than their bytes.
    pub recv_q: u32,
    /// Bytes sent and not acknowledged; on a listener, the backlog. For UDP, memory again.
    pub send_q: u32,
    /// The owner's user id.
    pub uid: u32,
    /// The socket's inode, by which /proc tells the process.
    pub inode: u32,
    /// TCP_INFO of a connection, where it was asked for.
    pub tcp_info: Option<TcpInfo>,
}

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

impl Process {
    /// This process.
    #[must_use]
    pub fn own() -> Process {
        Process { pid: std::process::id(), name: "netlab".to_owned() }
    }

    /// Processor time that it has used so far, in user mode and in the kernel; `None` where the system does not
    /// tell, or the process is gone.
    #[must_use]
    pub fn cpu_time(&self) -> Option<Duration> {
        os::cpu_time(self.pid)
    }

    /// Processor time of the threads that it has at the moment, to the nanosecond where the system counts so
    /// finely. For a process that is nearly idle: [`cpu_time`](Process::cpu_time) counts steps of 10 ms.
    #[must_use]
    pub fn thread_time(&self) -> Option<Duration> {
        os::thread_time(self.pid).or_else(|| self.cpu_time())
    }

    /// What it holds at the moment; `None` where the system does not tell, or the process is gone.
    #[must_use]
    pub fn holdings(&self) -> Option<Holdings> {
        os::holdings(self.pid)
    }
}

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Holdings {
    /// Memory that is in use, in bytes; what is only reserved is not counted.
    pub resident_bytes: u64,
    /// Threads.
    pub threads: u64,
}

/// Lists the sockets of one transport, IPv4 and IPv6.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask.
pub fn sockets(transport: Transport) -> io::Result<Vec<SocketRow>> {
    os::sockets(transport, None)
}

/// The row of the one connection between `local` and `remote`, with its [`TcpInfo`]; `None` if there is none.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask.
pub fn connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<SocketRow>> {
    Ok(os::sockets(Transport::Tcp, Some((local, remote)))?.into_iter().next())
}

/// The listener (TCP) or bound socket (UDP) that stands in the way of `addr`.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system has no table to ask.
pub fn holder(transport: Transport, addr: SocketAddr) -> io::Result<Option<SocketRow>> {
    let holds = |row: &SocketRow| {
        let listens = transport == Transport::Udp || row.state == State::Listen;
        let same_ip = row.local.ip() == addr.ip();
        let overlaps = same_ip || row.local.ip().is_unspecified() || addr.ip().is_unspecified();
        listens && overlaps && row.local.port() == addr.port()
    };
    Ok(sockets(transport)?.into_iter().find(holds))
}

/// Every process that has a socket open, by the socket's inode, as far as this user may see it. Of several that
/// share one, the one with the lowest id.
#[must_use]
pub fn processes() -> HashMap<u32, Process> {
    os::processes()
}

/// The process that has the socket open, as far as this user may see it.
#[must_use]
pub fn process(row: &SocketRow) -> Option<Process> {
    os::process_of(row.inode)
}

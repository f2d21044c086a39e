//! Socket options: the one place where they are set, and where the kernel is asked what it made of them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use socket2::{SockRef, Socket, TcpKeepalive};

use super::os;
use super::table::{self, Transport};
use super::{Address, Capture, NetError, Op};

/// What a command line can ask of its sockets. `None` leaves the system's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// SO_REUSEADDR on TCP sockets. Never set on Windows, where it lets two servers share a port, nor on UDP
    /// sockets, where a second server would silently take the first one's datagrams.
    pub reuseaddr: bool,
    /// TCP_NODELAY: don't hold small segments back while others are unacknowledged (Nagle, RFC 896).
    pub nodelay: bool,
    /// SO_KEEPALIVE with this idle time.
    pub keepalive: Option<Duration>,
    /// SO_SNDBUF in bytes.
    pub sndbuf: Option<usize>,
    /// SO_RCVBUF in bytes.
    pub rcvbuf: Option<usize>,
    /// TCP_MAXSEG in bytes: the largest segment. The peer keeps to it, too, and sizes its send buffer by it. Unix alone;
    /// elsewhere it stays with the system's default.
    pub max_segment: Option<u32>,
    /// SO_LINGER: how long `close` may wait for unsent data; zero sends a reset.
    pub linger: Option<Duration>,
    /// IP_TTL or IPV6_UNICAST_HOPS.
    pub ttl: Option<u32>,
    /// No option of the socket's: what it carries is written there as well.
    pub capture: Option<Capture>,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            reuseaddr: cfg!(unix),
            nodelay: true,
            keepalive: None,
            sndbuf: None,
            rcvbuf: None,
            max_segment: None,
            linger: None,
            ttl: None,
            capture: None,
        }
    }
}

/// One option: what was asked for, what the kernel reports, what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionReading {
    /// The option's name in the socket API.
    pub option: &'static str,
    /// The value asked for, if any.
    pub asked: Option<String>,
    /// The value that the kernel reports back.
    pub kernel: String,
    /// One line on what it does.
    pub meaning: &'static str,
}

impl fmt::Display for OptionReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OptionReading { option, asked, kernel, meaning } = self;
        let asked = asked.as_deref().unwrap_or("-");
        write!(f, "{option:<17} asked {asked:<8} kernel {kernel:<8} {meaning}")
    }
}

const SNDBUF: &str = if cfg!(target_os = "linux") {
    "send buffer; Linux doubles what is asked for, to pay for its own bookkeeping (socket(7))"
} else {
    "send buffer: how many bytes send() may leave with the kernel"
};
const RCVBUF: &str = if cfg!(target_os = "linux") {
    "receive buffer, doubled like SO_SNDBUF; it bounds the window that TCP offers"
} else {
    "receive buffer: how many bytes may wait for recv()"
};

impl SocketOptions {
    /// Sets what was asked for, before bind or connect: buffer sizes decide the window that TCP offers.
    pub(super) fn apply(
        &self,
        socket: &Socket,
        transport: Transport,
        v6: bool,
        addr: &Address,
    ) -> Result<(), NetError> {
        let set = |name: &'static str, result: io::Result<()>| {
            result.map_err(|source| NetError::new(Op::SetOption(name), addr, source))
        };
        if let Some(bytes) = self.sndbuf {
            set("SO_SNDBUF", socket.set_send_buffer_size(bytes))?;
        }
        if let Some(bytes) = self.rcvbuf {
            set("SO_RCVBUF", socket.set_recv_buffer_size(bytes))?;
        }
        if let Some(ttl) = self.ttl {
            let result = if v6 { socket.set_unicast_hops_v6(ttl) } else { socket.set_ttl_v4(ttl) };
            set("IP_TTL", result)?;
        }
        if transport == Transport::Udp {
            return Ok(());
        }
        if cfg!(unix) {
            set("SO_REUSEADDR", socket.set_reuse_address(self.reuseaddr))?;
        }
        if let Some(bytes) = self.max_segment {
            set("TCP_MAXSEG", os::set_max_segment(socket, bytes))?;
        }
        set("TCP_NODELAY", socket.set_tcp_nodelay(self.nodelay))?;
        if let Some(idle) = self.keepalive {
            set("SO_KEEPALIVE", socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle)))?;
        }
        if let Some(time) = self.linger {
            // The system counts whole seconds, and 0 means something else: a reset.
            let rounded = Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0));
            set("SO_LINGER", socket.set_linger(Some(rounded)))?;
        }
        Ok(())
    }

    /// Asks the kernel for each option of a TCP socket.
    #[must_use]
    pub fn read_tcp<'s>(&self, socket: impl Into<SockRef<'s>>) -> Vec<OptionReading> {
        let socket = socket.into();
        let mut readings = self.read_any(&socket, Some(on(self.reuseaddr)));
        let seconds = |time: Option<Duration>| time.map(|t| format!("{} s", t.as_secs_f64()));
        readings.push(OptionReading {
            option: "TCP_NODELAY",
            asked: Some(on(self.nodelay)),
            kernel: shown(socket.tcp_nodelay().map(on)),
            meaning: "on: small sends leave at once; off: Nagle holds them while others are unacknowledged",
        });
        readings.push(OptionReading {
            option: "SO_KEEPALIVE",
            asked: seconds(self.keepalive),
            kernel: shown(socket.keepalive().map(|set| keepalive(set, &socket))),
            meaning: "probe a silent peer after this idle time, so that a vanished one is noticed",
        });
        readings.push(OptionReading {
            option: "SO_LINGER",
            asked: seconds(self.linger),
            kernel: shown(socket.linger().map(|t| seconds(t).unwrap_or_else(|| on(false)))),
            meaning: "what close() does with unsent data: off sends it in the background, 0 s resets",
        });
        readings
    }

    /// The length of a listener's queue, which is no option but an argument of `listen`; Linux tells it in its
    /// socket table.
    #[must_use]
    pub fn read_backlog(asked: u32, listener: SocketAddr) -> OptionReading {
        let row = table::holder(Transport::Tcp, listener).ok().flatten();
        OptionReading {
            option: "backlog",
            asked: Some(asked.to_string()),
            kernel: row.map_or("unknown".to_owned(), |row| row.send_q.to_string()),
            meaning: "connections that may wait to be accepted; net.core.somaxconn caps it",
        }
    }

    /// Asks the kernel for each option of a UDP socket.
    #[must_use]
    pub fn read_udp<'s>(&self, socket: impl Into<SockRef<'s>>) -> Vec<OptionReading> {
        let mut readings = self.read_any(&socket.into(), None);
        readings[0].meaning = "left off: a second server with it would take datagrams meant for the first";
        readings
    }

    fn read_any(&self, socket: &SockRef<'_>, reuseaddr: Option<String>) -> Vec<OptionReading> {
        let number = |n: Option<usize>| n.map(|n| n.to_string());
        let v6 = socket.local_addr().is_ok_and(|addr| addr.is_ipv6());
        let ttl = if v6 { socket.unicast_hops_v6() } else { socket.ttl_v4() };
        vec![
            OptionReading {
                option: "SO_REUSEADDR",
                asked: reuseaddr,
                kernel: shown(socket.reuse_address().map(on)),
                meaning: "bind although old connections of this port are in TIME_WAIT; never beside a live listener",
            },
            OptionReading {
                option: "SO_SNDBUF",
                asked: number(self.sndbuf),
                kernel: shown(socket.send_buffer_size().map(|n| n.to_string())),
                meaning: SNDBUF,
            },
            OptionReading {
                option: "SO_RCVBUF",
                asked: number(self.rcvbuf),
                kernel: shown(socket.recv_buffer_size().map(|n| n.to_string())),
                meaning: RCVBUF,
            },
            OptionReading {
                option: if v6 { "IPV6_UNICAST_HOPS" } else { "IP_TTL" },
                asked: self.ttl.map(|n| n.to_string()),
                kernel: shown(ttl.map(|n| n.to_string())),
                meaning: "how many routers a packet may pass before it is dropped",
            },
        ]
    }
}

fn on(set: bool) -> String {
    if set { "on" } else { "off" }.to_owned()
}

/// Whether it is on, and after how long it probes.
fn keepalive(set: bool, socket: &SockRef<'_>) -> String {
    match os::keepalive_time(socket) {
        Some(time) if set => format!("{} s", time.as_secs()),
        _ => on(set),
    }
}

fn shown(value: io::Result<String>) -> String {
    value.unwrap_or_else(|error| format!("unknown ({error})"))
}

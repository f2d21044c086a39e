//! Sockets: the only home of system calls on them, and of the crates that make them (socket2, mio, rustix,
//! netlink).
//!
//! | file          | what it holds                                                              |
//! |---------------|----------------------------------------------------------------------------|
//! | [`Address`]   | the one address parser                                                     |
//! | [`SocketOptions`] | the one place for socket options: asked for, and what the kernel made of it |
//! | [`socket`]    | builders: listener, connected stream, UDP socket                           |
//! | [`Stream`]    | a blocking stream whose errors name the call and the address               |
//! | [`reactor`]   | the one readiness loop, its handlers, connections, outboxes and groups      |
//! | [`table`]     | the system's socket table: who holds a port                                |
//! | [`Capture`]   | what the sockets carry, as a file for Wireshark                             |
//! | [`Connecting`] | a TCP connection that is being made, for callers who can't block          |
//! | [`icmp`]      | echo requests (ping) without privileges, where the system allows it         |
//! | [`Stop`]      | Ctrl-C, for loops that poll and for calls that block                       |
//! | `os/`         | what differs by system                                                     |
//!
//! Nothing here knows a protocol: bytes come and go, and what they mean is decided above.

mod addr;
mod capture;
mod connecting;
mod error;
mod event;
pub mod icmp;
mod options;
mod os;
pub mod reactor;
pub mod socket;
mod stop;
mod stream;
pub mod table;
mod udp;

pub use addr::{Address, AddressError, Family};
pub use capture::Capture;
pub use connecting::Connecting;
pub use error::{Cause, NetError, Op};
pub use event::ServerEvent;
pub use options::{OptionReading, SocketOptions};
pub use os::{
    descriptor_limit, highest_descriptor_limit, may_capture, own_uid, raise_descriptor_limit, same_user,
    user_name,
};
pub use reactor::{
    Admit, Closed, ConnId, ConnMap, GroupId, Handler, How, Io, Limits, Overflow, Peer, Reactor,
};
pub use stop::{Stop, StopGuard};
pub use stream::Stream;
pub use udp::{MAX_DATAGRAM, Received, Udp, is_local_ip, max_datagram};

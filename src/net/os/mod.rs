//! What differs by system, behind one set of names. Nothing else in netlab asks which system it runs on for
//! the sake of a system call.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::may_capture;
#[cfg(target_os = "linux")]
pub(super) use linux::{cpu_time, datagram_batches, holdings, process_of, processes, sockets, thread_time};
#[cfg(unix)]
pub(super) use unix::{
    create_private, keepalive_time, recv_whole_length, set_max_segment, watch_hangup, watch_signals,
};
#[cfg(unix)]
pub use unix::{
    descriptor_limit, highest_descriptor_limit, own_uid, raise_descriptor_limit, same_user, user_name,
};
#[cfg(windows)]
pub(super) use windows::{
    create_private, keepalive_time, recv_whole_length, set_max_segment, watch_hangup, watch_signals,
};
#[cfg(windows)]
pub use windows::{
    descriptor_limit, highest_descriptor_limit, own_uid, raise_descriptor_limit, same_user, user_name,
};

#[cfg(not(target_os = "linux"))]
mod no_table {
    //! Systems whose socket table netlab can't read.
    use std::collections::HashMap;
    use std::io;
    use std::net::SocketAddr;

    use crate::net::table::{Holdings, Process, SocketRow, Transport};

    pub(in crate::net) fn sockets(
        _transport: Transport,
        _pair: Option<(SocketAddr, SocketAddr)>,
    ) -> io::Result<Vec<SocketRow>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "netlab can't read this system's socket table"))
    }

    pub(in crate::net) fn process_of(_inode: u32) -> Option<Process> {
        None
    }

    pub(in crate::net) fn processes() -> HashMap<u32, Process> {
        HashMap::new()
    }

    /// Whether this process may capture: not known here.
    #[must_use]
    pub fn may_capture() -> Option<bool> {
        None
    }

    pub(in crate::net) fn cpu_time(_pid: u32) -> Option<std::time::Duration> {
        None
    }

    pub(in crate::net) fn thread_time(_pid: u32) -> Option<std::time::Duration> {
        None
    }

    pub(in crate::net) fn holdings(_pid: u32) -> Option<Holdings> {
        None
    }
}
#[cfg(not(target_os = "linux"))]
pub use no_table::may_capture;
#[cfg(not(target_os = "linux"))]
pub(super) use no_table::{cpu_time, holdings, process_of, processes, sockets, thread_time};

/// Datagrams go one by one. macOS has no public call for more; Windows has, but quinn-udp forbids fragments
/// there for good, and a datagram of 2,000 bytes would not get out of an Ethernet.
#[cfg(not(target_os = "linux"))]
pub(super) fn datagram_batches(
    _socket: &std::net::UdpSocket,
    _addr: std::net::SocketAddr,
) -> Option<quinn_udp::UdpSocketState> {
    None
}

/// True where a read that returned less than was asked for means that nothing is left: epoll and kqueue
/// report the next arrival. Windows' emulation reports it only after a would-block.
pub(super) const SHORT_READ_ENDS: bool = cfg!(unix);

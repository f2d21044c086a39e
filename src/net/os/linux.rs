//! Linux: the socket table by netlink's sock_diag, /proc for the process behind an inode, datagrams in batches.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::nlas::{self, Nla};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::{Socket, SocketAddr as NetlinkAddr, protocols::NETLINK_SOCK_DIAG};
use nix::sys::socket::{setsockopt, sockopt};
use quinn_udp::UdpSocketState;
use rustix::net::sockopt::{ip_mtu_discover, set_ip_mtu_discover, set_ip_recvtos};
use socket2::{Domain, Type};

use crate::net::table::{Holdings, Process, SocketRow, State, TcpInfo, Transport};

/// The kernel fills its answers up to 32 KiB a message.
const ANSWER: usize = 64 << 10;

/// Dumps the sockets of one transport, or the one TCP connection between the two ends of `pair`.
pub(in crate::net) fn sockets(
    transport: Transport,
    pair: Option<(SocketAddr, SocketAddr)>,
) -> io::Result<Vec<SocketRow>> {
    let mut netlink = Socket::new(NETLINK_SOCK_DIAG)?;
    netlink.bind_auto()?;
    netlink.connect(&NetlinkAddr::new(0, 0))?;
    let mut rows = Vec::new();
    if let Some((local, remote)) = pair {
        let (family, mut id) = match local {
            SocketAddr::V4(_) => (AF_INET, SocketId::new_v4()),
            SocketAddr::V6(_) => (AF_INET6, SocketId::new_v6()),
        };
        (id.source_address, id.source_port) = (local.ip(), local.port());
        (id.destination_address, id.destination_port) = (remote.ip(), remote.port());
        // INET_DIAG_NOCOOKIE: any socket of these four numbers will do.
        id.cookie = [0xff; 8];
        ask(&netlink, transport, family, id, false, &mut rows)?;
    } else {
        ask(&netlink, transport, AF_INET, SocketId::new_v4(), true, &mut rows)?;
        ask(&netlink, transport, AF_INET6, SocketId::new_v6(), true, &mut rows)?;
    }
    Ok(rows)
}

fn ask(
    netlink: &Socket,
    transport: Transport,
    family: u8,
    socket_id: SocketId,
    dump: bool,
    rows: &mut Vec<SocketRow>,
) -> io::Result<()> {
    let request = InetRequest {
        family,
        protocol: if transport == Transport::Tcp { IPPROTO_TCP } else { IPPROTO_UDP },
        extensions: ExtensionFlags::INFO,
        states: StateFlags::all(),
        socket_id,
    };
    let mut header = NetlinkHeader::default();
    header.flags = if dump { NLM_F_REQUEST | NLM_F_DUMP } else { NLM_F_REQUEST };
    let mut packet = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    netlink.send(&bytes, 0)?;

    let mut answer = Vec::with_capacity(ANSWER);
    loop {
        answer.clear();
        netlink.recv(&mut answer, 0)?;
        if !read_answer(&answer, transport, rows)? || !dump {
            return Ok(());
        }
    }
}

/// Reads the messages of one answer; false after the last.
fn read_answer(mut answer: &[u8], transport: Transport, rows: &mut Vec<SocketRow>) -> io::Result<bool> {
    while !answer.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(answer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let length = (message.header.length as usize).next_multiple_of(4).min(answer.len());
        match message.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
                rows.extend(row(transport, &found));
            }
            NetlinkPayload::Done(_) => return Ok(false),
            NetlinkPayload::Error(error) => {
                let error = error.to_io();
                let none = error.kind() == io::ErrorKind::NotFound;
                return if none { Ok(false) } else { Err(error) };
            }
            _ => {}
        }
        if length == 0 {
            break;
        }
        answer = &answer[length..];
    }
    Ok(true)
}

fn row(transport: Transport, found: &InetResponse) -> Option<SocketRow> {
    let header = &found.header;
    let id = &header.socket_id;
    // The numbers of include/net/tcp_states.h.
    let state = match header.state {
        1 => State::Established,
        2 => State::SynSent,
        3 | 12 => State::SynReceived,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        7 => State::Close,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => return None,
    };
    let tcp_info = found.nlas.iter().find_map(|nla| match nla {
        Nla::TcpInfo(info) => Some(tcp_info(info)),
        _ => None,
    });
    Some(SocketRow {
        transport,
        state,
        local: SocketAddr::new(id.source_address, id.source_port),
        remote: SocketAddr::new(id.destination_address, id.destination_port),
        recv_q: header.recv_queue,
        send_q: header.send_queue,
        uid: header.uid,
        inode: header.inode,
        tcp_info,
    })
}

fn tcp_info(info: &nlas::TcpInfo) -> TcpInfo {
    TcpInfo {
        rtt_us: info.rtt,
        rtt_var_us: info.rttvar,
        mss: info.snd_mss,
        cwnd: info.snd_cwnd,
        retransmits: info.total_retrans,
        segments_sent: info.segs_out,
        data_segments_sent: info.data_segs_out,
    }
}

/// Processor time of a process: utime and stime of /proc/PID/stat, counted in clock ticks (10 ms mostly).
pub(in crate::net) fn cpu_time(pid: u32) -> Option<Duration> {
    let ticks = cpu_ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
}

/// utime + stime, the 14th and 15th member of a line of /proc/PID/stat (proc_pid_stat(5)). The second one, the
/// name in parentheses, may hold anything, parentheses and spaces among it.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut members = behind_name.split(' ').skip(11);
    let (user, kernel) = (members.next()?, members.next()?);
    Some(user.parse::<u64>().ok()? + kernel.parse::<u64>().ok()?)
}

/// Processor time of the threads that live: the first member of each /proc/PID/task/TID/schedstat, in
/// nanoseconds. A kernel without CONFIG_SCHED_INFO has no such file.
pub(in crate::net) fn thread_time(pid: u32) -> Option<Duration> {
    let mut ns = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let line = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        ns += line.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(ns))
}

/// VmRSS and Threads of /proc/PID/status.
pub(in crate::net) fn holdings(pid: u32) -> Option<Holdings> {
    of_status(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn of_status(status: &str) -> Option<Holdings> {
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(Holdings { resident_bytes: number("VmRSS")? * 1_024, threads: number("Threads")? })
}

/// Looks through /proc for the process that has the socket open; other users' processes stay hidden.
pub(in crate::net) fn process_of(inode: u32) -> Option<Process> {
    // A socket in TIME-WAIT has no process any more, and no inode.
    if inode == 0 {
        return None;
    }
    let pid = pids().find(|pid| socket_inodes(*pid).any(|held| held == inode))?;
    Some(Process { pid, name: process_name(pid) })
}

/// The process behind each inode, in one pass; other users' processes stay hidden.
pub(in crate::net) fn processes() -> HashMap<u32, Process> {
    let mut pids: Vec<u32> = pids().collect();
    pids.sort_unstable();
    let mut found = HashMap::new();
    for pid in pids {
        for inode in socket_inodes(pid) {
            found.entry(inode).or_insert_with(|| Process { pid, name: process_name(pid) });
        }
    }
    found
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The inodes of the sockets that a process has open: its links of the form `socket:[4026]`.
fn socket_inodes(pid: u32) -> impl Iterator<Item = u32> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.filter_map(|fd| {
        let link = fs::read_link(fd.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    })
}

fn process_name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    crate::text::escape(name.trim_end().as_bytes())
}

/// True if this process may open a packet socket (CAP_NET_RAW), as a capture does. With protocol 0 it receives
/// nothing.
#[must_use]
pub fn may_capture() -> Option<bool> {
    Some(socket2::Socket::new(Domain::PACKET, Type::RAW, None).is_ok())
}

/// Prepares a socket for datagrams in batches (recvmmsg, GRO, GSO).
// Simplification: IPv4 only. quinn-udp forbids fragments, as QUIC wants it; for IPv4 that is taken back here, for
// IPv6 no safe call does (IPV6_DONTFRAG), and a datagram of 2,000 bytes would not get out of an Ethernet.
pub(in crate::net) fn datagram_batches(socket: &UdpSocket, addr: SocketAddr) -> Option<UdpSocketState> {
    let fragments = ip_mtu_discover(socket).ok().filter(|_| addr.is_ipv4())?;
    let batches = UdpSocketState::new(socket.into()).ok();
    set_ip_mtu_discover(socket, fragments).ok()?;
    // QUIC also wants time stamp, ECN bits and destination of each message. Nobody reads them here, and they
    // cost a twentieth of an echo; a kernel that keeps sending them is slower, no more.
    let _ = setsockopt(socket, sockopt::ReceiveTimestampns, &false);
    let _ = setsockopt(socket, sockopt::Ipv4PacketInfo, &false);
    let _ = set_ip_recvtos(socket, false);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_threads_are_read_from_the_status() {
        let status = "Name:\tVmRSS:\nVmHWM:\t    9 kB\nVmRSS:\t    4084 kB\nThreads:\t3\n";
        assert_eq!(of_status(status), Some(Holdings { resident_bytes: 4_084 * 1_024, threads: 3 }));
        assert_eq!(of_status("Threads:\t1\n"), None, "a zombie has no memory");
        let own = holdings(std::process::id()).unwrap();
        assert!(own.threads >= 1 && own.resident_bytes > 100_000, "{own:?}");
    }

    #[test]
    fn processor_time_of_threads_is_about_that_of_their_process() {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(20) {}
        // Threads of other tests come and go, and take their time with them: only this one's is certain.
        if let Some(time) = thread_time(std::process::id()) {
            assert!(time > Duration::ZERO);
        }
        assert_eq!(thread_time(u32::MAX), None);
    }

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (a) b ( c)) S 1 7 7 0 -1 4194304 9 8 7 6 250 50 3 2 20 0 1 0 100 5 6";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("7 (cut) S 1"), None);
        assert!(cpu_time(std::process::id()).is_some());
        assert_eq!(cpu_time(u32::MAX), None);
    }
}

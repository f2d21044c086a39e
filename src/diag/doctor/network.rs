//! The checks on sockets: each does what a lab would do.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{Check, PortBase, ServerPort, Surroundings};
use crate::net::table::{self, SocketRow, Transport};
use crate::net::{
    Address, Family, NetError, SocketOptions, Stream, Udp, icmp, may_capture, own_uid, same_user, socket,
    user_name,
};

/// How long a machine may take to talk to itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// Where Linux's range of ports for clients begins; below it nothing takes a port by chance.
const EPHEMERAL: u16 = 32_768;

/// A round trip by TCP, one by UDP, and what `localhost` means.
pub(super) fn loopback() -> [Check; 3] {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let broken = "look at the loopback interface (`ip addr show lo`), a firewall or a sandbox";
    let shown = |error: NetError| format!("{error}: {}", error.source);
    let tcp = match tcp_round_trip(any) {
        Ok(()) => Check::ok("loopback TCP", "a connection to 127.0.0.1, there and back"),
        Err(error) => Check::failed("loopback TCP", shown(error), broken),
    };
    let udp = match udp_round_trip(any) {
        Ok(true) => Check::ok("loopback UDP", "a datagram to 127.0.0.1 arrived"),
        Ok(false) => Check::failed("loopback UDP", "a datagram to 127.0.0.1 did not arrive", broken),
        Err(error) => Check::failed("loopback UDP", shown(error), broken),
    };
    let fix = "add `127.0.0.1 localhost` to the hosts file";
    let name = match Address::new("localhost", 0).resolve(Family::Any) {
        Ok(addrs) if addrs.iter().all(|addr| addr.ip().is_loopback()) => {
            let ips: Vec<String> = addrs.iter().map(|addr| addr.ip().to_string()).collect();
            Check::ok("localhost", ips.join(", "))
        }
        Ok(_) => Check::warning("localhost", "the name does not mean this machine", fix),
        Err(error) => Check::warning("localhost", format!("the name is not known: {}", error.source), fix),
    };
    [tcp, udp, name]
}

fn tcp_round_trip(any: SocketAddr) -> Result<(), NetError> {
    let options = SocketOptions::default();
    let (listener, addr) = socket::listen(&[any], &options, 1)?;
    let client = Stream::connect(&[addr], &options, PATIENCE)?;
    let server = socket::accept(&listener, addr, &options)?;
    client.send_all(b"netlab")?;
    server.set_recv_timeout(Some(PATIENCE))?;
    server.recv(&mut [0; 6]).map(drop)
}

fn udp_round_trip(any: SocketAddr) -> Result<bool, NetError> {
    let options = SocketOptions::default();
    let (server, addr) = socket::bind_udp(&[any], &options)?;
    let client = Udp::new(socket::connect_udp(addr, &options)?, addr, &options);
    client.send(b"netlab")?;
    Ok(Udp::new(server, client.local()?, &options).recv(&mut [0; 6], PATIENCE)?.is_some())
}

/// Whether the servers' default ports are free, and else who holds them.
pub(super) fn ports(surroundings: &Surroundings) -> Vec<Check> {
    surroundings.ports.iter().map(|port| free_port(*port)).collect()
}

fn free_port(ServerPort { server, transport, port }: ServerPort) -> Check {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = SocketOptions::default();
    let bound = match transport {
        Transport::Tcp => socket::listen(&[addr], &options, 1).map(drop),
        Transport::Udp => socket::bind_udp(&[addr], &options).map(drop),
    };
    let place = format!("{} port {port}", transport.name());
    let Err(error) = bound else { return Check::ok(server, format!("{place} is free")) };
    let Some(holder) = table::holder(transport, addr).ok().flatten() else {
        let fix = "pass another port by -p; port 0 takes any";
        return Check::warning(server, format!("{place} can't be bound: {}", error.source), fix);
    };
    let foreign = !same_user(holder.uid);
    let fix = match table::process(&holder) {
        _ if foreign => format!("{}, or pass another port by -p", own_base()),
        Some(process) => format!("end pid {}, or pass another port by -p", process.pid),
        None => "end it, or pass another port by -p".to_owned(),
    };
    Check::warning(server, format!("{place} is held by {}", holder_name(&holder)), fix)
}

fn holder_name(holder: &SocketRow) -> String {
    match table::process(holder) {
        Some(process) if same_user(holder.uid) => format!("pid {} ({})", process.pid, process.name),
        Some(process) => format!("pid {} ({}) of {}", process.pid, process.name, user_name(holder.uid)),
        None if same_user(holder.uid) => "a process of yours".to_owned(),
        None => format!("a process of {}", user_name(holder.uid)),
    }
}

/// How to get a base of one's own: ten ports for each of the first 1,200 users, below the ports of clients.
fn own_base() -> String {
    let base = 20_000 + own_uid().unwrap_or(0) % 1_200 * 10;
    if cfg!(windows) {
        format!("setx NETLAB_PORT_BASE {base}")
    } else {
        format!("export NETLAB_PORT_BASE={base}")
    }
}

/// By which the users of one machine keep out of each other's way.
pub(super) fn port_base(surroundings: &Surroundings) -> Check {
    let name = "port base";
    let ports: Vec<String> =
        surroundings.ports.iter().map(|port| format!("{} {}", port.server, port.port)).collect();
    let ports = ports.join(", ");
    match &surroundings.port_base {
        PortBase::Unset => Check::ok(
            name,
            format!("NETLAB_PORT_BASE is unset: {ports}; many users of one machine each set it"),
        ),
        PortBase::Wrong(why) => Check::failed(name, why.clone(), own_base()),
        PortBase::Set(base @ ..1_024) => {
            Check::failed(name, format!("{base}: ports below 1024 need privileges"), own_base())
        }
        PortBase::Set(base @ EPHEMERAL..=60_999) => Check::warning(
            name,
            format!("{base}: clients get ports there and may take them first"),
            own_base(),
        ),
        PortBase::Set(base) => Check::ok(name, format!("NETLAB_PORT_BASE is {base}: {ports}")),
    }
}

/// IPv6 on loopback.
pub(super) fn ipv6() -> Check {
    match tcp_round_trip(SocketAddr::from((Ipv6Addr::LOCALHOST, 0))) {
        Ok(()) => Check::ok("IPv6", "a connection to ::1, there and back"),
        Err(error) => {
            let fix = if cfg!(target_os = "linux") {
                "root can turn it on: sysctl -w net.ipv6.conf.lo.disable_ipv6=0; else leave out the steps with ::1"
            } else {
                "turn IPv6 on in the network settings; else leave out the steps with ::1"
            };
            Check::warning("IPv6", format!("no ::1: {}", error.source), fix)
        }
    }
}

/// What `netlab sockets` reads, and the names of port holders.
pub(super) fn socket_table() -> Check {
    let fix = "`netstat -an` shows it";
    match table::sockets(Transport::Tcp) {
        Ok(rows) => Check::ok("socket table", format!("readable: {} TCP sockets", rows.len())),
        Err(error) => Check::warning("socket table", format!("`netlab sockets` can't read it: {error}"), fix),
    }
}

/// Echo requests without privileges.
pub(super) fn icmp() -> Check {
    match icmp::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))) {
        Ok(_) => Check::ok("ICMP", "this user may send echo requests: `netlab ping HOST`"),
        Err(error) => Check::warning("ICMP", format!("no echo requests: {}", error.source), icmp::remedy()),
    }
}

/// Packets of the wire, for Wireshark; netlab's own captures need no rights.
pub(super) fn capture() -> Check {
    match may_capture() {
        Some(true) => Check::ok("capture", "this user may capture packets"),
        Some(false) => {
            let fix = "for Wireshark on the wire itself: `sudo usermod -aG wireshark $USER`, then log in again; \
                       netlab's own --capture needs no rights";
            Check::warning("capture", "this process may not capture packets", fix)
        }
        None => Check::ok("capture", "not known here; netlab's own --capture needs no rights"),
    }
}

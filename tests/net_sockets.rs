//! The socket table in the situations that a course shows: a full backlog, a slow reader, each side's states while
//! a connection ends. The numbers are those that the test made.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

#[allow(unused, reason = "it serves the tests of the command line, too")]
mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use netlab::diag::sockets::watch::{Change, changes};
use netlab::diag::sockets::{End, Filter, Row, StateFilter, list};
use netlab::net::table::{State, Transport};
use netlab::net::{Connecting, SocketOptions, own_uid, socket};

use harness::{eventually, own_loopback};

fn at(addr: SocketAddr) -> Filter {
    let end = End { ips: vec![addr.ip()], port: Some(addr.port()) };
    Filter { end: Some(end), ..Filter::default() }
}

/// The one socket from `local` to `remote`.
fn socket(local: SocketAddr, remote: Option<SocketAddr>) -> Option<Row> {
    list(&at(local)).unwrap().into_iter().find(|row| row.local == local && row.remote == remote)
}

/// Its state.
fn state(local: SocketAddr, remote: SocketAddr) -> Option<&'static str> {
    socket(local, Some(remote)).map(|row| row.state)
}

fn listener(ip: IpAddr, backlog: u32) -> (TcpListener, SocketAddr) {
    socket::listen(&[SocketAddr::new(ip, 0)], &SocketOptions::default(), backlog).unwrap()
}

fn pair() -> (TcpStream, TcpStream) {
    let (listener, addr) = listener(own_loopback().into(), 5);
    let client = TcpStream::connect(addr).unwrap();
    (client, listener.accept().unwrap().0)
}

#[test]
fn a_full_backlog_shows_in_the_listeners_queues() {
    let has_v6 = TcpListener::bind("[::1]:0").is_ok();
    let ips = [own_loopback().into(), Ipv6Addr::LOCALHOST.into()];
    for ip in ips.into_iter().take(1 + usize::from(has_v6)) {
        let (listener, addr) = listener(ip, 2);
        let row = || socket(addr, None).unwrap();
        assert_eq!(row().recv_q, 0);
        // Linux queues one more than the backlog says.
        let clients: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
        let full = row();
        assert_eq!((full.recv_q, full.send_q, full.backlog), (3, 2, Some(2)));
        assert_eq!((full.local, full.remote), (addr, None));
        // The next one's SYN is dropped.
        let mut fourth = Connecting::start(addr, &SocketOptions::default()).unwrap();
        assert!(!fourth.wait(std::time::Duration::from_millis(50)).unwrap());
        let trying = list(&at(addr)).unwrap().into_iter().filter(|row| row.state == "SYN-SENT").count();
        assert_eq!(trying, 1);
        listener.accept().unwrap();
        assert_eq!(row().recv_q, 2);
        drop(clients);
    }
}

#[test]
fn a_slow_reader_fills_both_queues_and_no_byte_is_missing() {
    let (mut client, mut server) = pair();
    client.set_nonblocking(true).unwrap();
    let (mut sent, chunk) = (0, vec![b'x'; 64 << 10]);
    loop {
        match client.write(&chunk) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    let (own, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    let queues = || {
        let of = |local, remote| socket(local, Some(remote)).unwrap();
        (of(peer, own).recv_q as usize, of(own, peer).send_q as usize)
    };
    // Segments are still on their way from one queue to the other.
    eventually("every byte stands in a queue", || {
        let (received, unacknowledged) = queues();
        received > 0 && unacknowledged > 0 && received + unacknowledged == sent
    });
    let (before, _) = queues();
    server.read_exact(&mut vec![0; 1_000]).unwrap();
    eventually("the reader's queue is shorter or was filled up again", || {
        let (received, unacknowledged) = queues();
        received + unacknowledged == sent - 1_000 && received >= before - 1_000
    });
    assert_eq!(state(own, peer), Some("ESTABLISHED"));
}

#[test]
fn each_side_shows_its_state_while_a_connection_ends() {
    let (client, server) = pair();
    let (ours, theirs) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    assert_eq!((state(ours, theirs), state(theirs, ours)), (Some("ESTABLISHED"), Some("ESTABLISHED")));
    drop(client);
    eventually("the peer of whoever closed first is in CLOSE-WAIT", || {
        (state(ours, theirs), state(theirs, ours)) == (Some("FIN-WAIT-2"), Some("CLOSE-WAIT"))
    });
    drop(server);
    eventually("whoever closed first is in TIME-WAIT, the other one gone", || {
        (state(ours, theirs), state(theirs, ours)) == (Some("TIME-WAIT"), None)
    });
    let row = socket(ours, Some(theirs)).unwrap();
    assert_eq!((row.recv_q, row.send_q, row.uid, row.process), (0, 0, None, None), "nobody has it any more");
    assert_eq!(row.owner, None);
}

#[test]
fn a_socket_names_its_owner_and_its_process() {
    let (_listener, addr) = listener(own_loopback().into(), 7);
    let row = socket(addr, None).unwrap();
    assert_eq!(row.uid, own_uid());
    assert_eq!(row.process.map(|process| process.pid), Some(std::process::id()));
    assert_eq!(row.tcp_info, None, "a listener has none");
    let (client, _server) = pair();
    let row = socket(client.local_addr().unwrap(), client.peer_addr().ok()).unwrap();
    let info = row.tcp_info.unwrap();
    assert!(info.rtt_us > 0 && info.cwnd > 0 && info.mss > 500 && info.retransmits == 0, "{info:?}");
}

#[test]
fn datagrams_wait_in_the_queue_of_their_socket() {
    let server = UdpSocket::bind((own_loopback(), 0)).unwrap();
    let client = UdpSocket::bind((own_loopback(), 0)).unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    let [at_server, at_client] = [&server, &client].map(|socket| socket.local_addr().unwrap());
    let udp = |local, remote| {
        let rows = list(&Filter { transport: Some(Transport::Udp), ..at(local) }).unwrap();
        rows.into_iter().find(|row| row.local == local && row.remote == remote).unwrap()
    };
    let of_server = || udp(at_server, None);
    assert_eq!((of_server().state, udp(at_client, Some(at_server)).state), ("UNCONN", "ESTABLISHED"));
    assert_eq!(of_server().recv_q, 0);
    client.send(b"Hello").unwrap();
    assert!(of_server().recv_q >= 5, "Linux counts the memory");
    server.recv(&mut [0; 5]).unwrap();
    assert_eq!(of_server().recv_q, 0);
}

#[test]
fn filters_pick_from_the_real_table() {
    let (_listener, addr) = listener(own_loopback().into(), 7);
    let client = TcpStream::connect(addr).unwrap();
    let count = |filter: Filter| list(&filter).unwrap().len();
    let all = at(addr);
    assert_eq!(count(all.clone()), 3, "a listener and both ends of a connection");
    assert_eq!(count(Filter { listening: true, ..all.clone() }), 1);
    assert_eq!(count(Filter { transport: Some(Transport::Udp), ..all.clone() }), 0);
    assert_eq!(count(Filter { v6: Some(true), ..all.clone() }), 0);
    assert_eq!(count(Filter { states: vec![StateFilter::Is(State::Established)], ..all.clone() }), 2);
    let port = Some(client.local_addr().unwrap().port());
    let by_port = list(&Filter { end: Some(End { ips: Vec::new(), port }), ..Filter::default() }).unwrap();
    assert_eq!(by_port.iter().filter(|row| row.local == addr || row.remote == Some(addr)).count(), 2);
    let first = list(&all).unwrap().remove(0);
    assert_eq!(first.state, "LISTEN", "the listener stands above its connections");
}

#[test]
fn changes_tell_a_connections_life() {
    let (listener, addr) = listener(own_loopback().into(), 5);
    let look = || list(&at(addr)).unwrap();
    let before = look();
    let client = TcpStream::connect(addr).unwrap();
    let server = listener.accept().unwrap().0;
    let open = look();
    let time = std::time::Duration::ZERO;
    let new = changes(Some(&before), &open, time);
    assert!(matches!(&new[..], [Change::New(_), Change::New(_)]), "{new:?}");
    drop(client);
    eventually("FIN has come", || look().iter().any(|row| row.state == "CLOSE-WAIT"));
    let told: Vec<String> = changes(Some(&open), &look(), time).iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.ends_with("ESTABLISHED > CLOSE-WAIT")), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("ESTABLISHED > FIN-WAIT-2")), "{told:?}");
    drop(server);
}

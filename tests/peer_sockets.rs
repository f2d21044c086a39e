//! `netlab sockets` against `ss`, which nobody here wrote: both must tell the same.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

#[allow(unused, reason = "it serves the tests of the command line, too")]
mod harness;

use std::io::{ErrorKind, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use netlab::net::{SocketOptions, socket};
use serde_json::Value;

use harness::{eventually, own_loopback};

/// state, recv-q, send-q, local, peer
type Line = (String, u64, u64, String, String);

/// What `ss` says of an address.
fn by_ss(transport: &str, addr: SocketAddr) -> Vec<Line> {
    let filter = format!("( src {addr} or dst {addr} )");
    let output = Command::new("ss").args(["-H", "-a", "-n", transport, &filter]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let state = match cells[0] {
            "ESTAB" => "ESTABLISHED",
            "SYN-RECV" => "SYN-RECEIVED",
            state => state,
        };
        let peer = if cells[4].ends_with(":*") { "*" } else { cells[4] };
        (state.to_owned(), cells[1].parse().unwrap(), cells[2].parse().unwrap(), cells[3].into(), peer.into())
    };
    let mut lines: Vec<Line> = String::from_utf8(output.stdout).unwrap().lines().map(line).collect();
    lines.sort();
    lines
}

/// What netlab says of it.
fn by_netlab(transport: &str, addr: SocketAddr) -> Vec<Line> {
    let ended = harness::run(&["sockets", transport, &addr.to_string(), "-J"], b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let line = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("*").to_owned();
        let number = |name: &str| row[name].as_u64().unwrap();
        (text("state"), number("recv_q"), number("send_q"), text("local"), text("remote"))
    };
    let mut lines: Vec<Line> = ended.json()["sockets"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines
}

/// Compares both when the table has come to rest; returns what they said.
fn agreed(transport: &str, addr: SocketAddr) -> Vec<Line> {
    let mut said = (Vec::new(), Vec::new());
    eventually("ss and netlab say the same", || {
        said = (by_ss(transport, addr), by_netlab(transport, addr));
        // Segments and timers may move between the two looks; what rests, both see alike.
        said.0 == said.1 && by_ss(transport, addr) == said.0
    });
    said.1
}

fn states(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.0.as_str()).collect()
}

#[test]
#[ignore = "needs ss"]
fn a_listener_with_a_full_backlog() {
    for ip in [own_loopback().into(), Ipv6Addr::LOCALHOST.into()] {
        let any = [SocketAddr::new(ip, 0)];
        let (_listener, addr) = socket::listen(&any, &SocketOptions::default(), 3).unwrap();
        let _clients: Vec<_> = (0..4).map(|_| TcpStream::connect(addr).unwrap()).collect();
        let lines = agreed("-t", addr);
        assert_eq!(states(&lines), [&["ESTABLISHED"; 8][..], &["LISTEN"]].concat());
        assert_eq!((lines[8].1, lines[8].2), (4, 3));
    }
}

#[test]
#[ignore = "needs ss"]
fn a_slow_reader() {
    let listener = TcpListener::bind((own_loopback(), 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(addr).unwrap();
    let _server = listener.accept().unwrap();
    client.set_nonblocking(true).unwrap();
    loop {
        match client.write(&[b'x'; 8_192]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    let lines = agreed("-t", addr);
    assert_eq!(states(&lines), ["ESTABLISHED", "ESTABLISHED", "LISTEN"]);
    assert!(lines.iter().any(|line| line.1 > 0) && lines.iter().any(|line| line.2 > 0), "{lines:?}");
}

#[test]
#[ignore = "needs ss"]
fn both_sides_of_a_connection_that_ends() {
    let listener = TcpListener::bind((own_loopback(), 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let client = TcpStream::connect(addr).unwrap();
    let (server, _) = listener.accept().unwrap();
    drop(server);
    eventually("the client is left in CLOSE-WAIT", || {
        states(&agreed("-t", addr)) == ["CLOSE-WAIT", "FIN-WAIT-2", "LISTEN"]
    });
    drop(client);
    eventually("the server is in TIME-WAIT", || states(&agreed("-t", addr)) == ["LISTEN", "TIME-WAIT"]);
}

#[test]
#[ignore = "needs ss"]
fn datagrams_that_wait() {
    let server = UdpSocket::bind((own_loopback(), 0)).unwrap();
    let addr = server.local_addr().unwrap();
    let client = UdpSocket::bind((own_loopback(), 0)).unwrap();
    client.connect(addr).unwrap();
    (0..3).for_each(|_| assert_eq!(client.send(b"Hello").unwrap(), 5));
    let lines = agreed("-u", addr);
    assert_eq!(states(&lines), ["ESTABLISHED", "UNCONN"]);
    assert!(lines[1].1 > 0, "{lines:?}");
}

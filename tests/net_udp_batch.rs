//! Datagrams that are all there when the UDP echo server looks again: however it takes them together, each one is
//! answered by itself, in order, and counted.

#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use netlab::echo::peers::{Traffic, UdpTotals};
use netlab::echo::udp_server::{self, Config, RECV_SIZE};
use netlab::echo::{EchoEvent, Event, Reply};
use netlab::net::{ServerEvent, SocketOptions, Stop};
use netlab::report::Events;

/// Only a lost datagram is waited for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Holds the server in the middle of its first datagram until the test has sent all others.
struct Gate {
    address: Sender<SocketAddr>,
    held: Option<Sender<()>>,
    open: Receiver<()>,
    totals: Sender<UdpTotals>,
}

impl Events<Event> for Gate {
    fn event(&mut self, event: Event) {
        match event {
            Event::Server(ServerEvent::Listening { address, .. }) => {
                self.address.send(address).unwrap();
            }
            Event::Echo(EchoEvent::Received { .. }) => {
                if let Some(held) = self.held.take() {
                    held.send(()).unwrap();
                    self.open.recv_timeout(PATIENCE).unwrap();
                }
            }
            Event::Echo(EchoEvent::StoppedUdp(totals)) => self.totals.send(totals).unwrap(),
            _ => {}
        }
    }
}

struct Server {
    addr: SocketAddr,
    open: Sender<()>,
    totals: Receiver<UdpTotals>,
    stop: Stop,
    thread: JoinHandle<()>,
}

impl Server {
    fn closed(reply: Reply, recv_size: usize) -> Server {
        let config = Config {
            reply,
            recv_size,
            once: false,
            verbose: true,
            loop_guard: true,
            options: SocketOptions::default(),
            show_options: false,
        };
        let ((address, has_address), (open, opened)) = (channel(), channel());
        let ((held, is_held), (to_totals, totals)) = (channel(), channel());
        let stop = Stop::new();
        let stopped = stop.clone();
        let any = [SocketAddr::from(([127, 0, 0, 1], 0))];
        let mut gate = Gate { address, held: Some(held), open: opened, totals: to_totals };
        let thread = spawn(move || udp_server::run(&config, &any, &stopped, &mut gate).unwrap());
        let addr = has_address.recv_timeout(PATIENCE).unwrap();
        client().send_to(b"the first", addr).unwrap();
        is_held.recv_timeout(PATIENCE).unwrap();
        Server { addr, open, totals, stop, thread }
    }

    /// Stops the server when it has seen everything; what it counted of each of `clients`.
    fn stop(self, clients: &[&UdpSocket]) -> Vec<Traffic> {
        let last = client();
        last.send_to(b"the last", self.addr).unwrap();
        receive(&last);
        self.stop.request();
        self.thread.join().unwrap();
        let peers = self.totals.recv().unwrap().peers;
        let of = |client: &&UdpSocket| {
            let addr = client.local_addr().unwrap();
            peers.iter().find(|one| one.peer == addr).unwrap().traffic
        };
        clients.iter().map(of).collect()
    }
}

fn client() -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = client.recv(&mut buffer).expect("each datagram is answered");
    buffer.truncate(length);
    buffer
}

/// A datagram that no other one equals, of this size.
fn datagram(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((number * 31 + at * 7) % 251).unwrap()).collect()
}

// Catches: boundaries lost between equal ones, a run joined across another size, empty ones dropped, a large
// one that overtakes the run before it, a socket left alone with datagrams in it.
#[test]
fn mixed_sizes_keep_their_boundaries_and_their_order() {
    let sizes = [8, 8, 8, 5, 5, 0, 8, 0, 0, 3, 1_400, 1_400, 1_401, 1_400, 1, 1, 9_000, 2, 100, 100, 99, 100];
    let server = Server::closed(Reply::Echo, RECV_SIZE);
    let client = client();
    // More than a batch, more than a turn's share, and within the default receive buffer.
    let sent: Vec<Vec<u8>> = (0..5 * sizes.len())
        .map(|number| datagram(number, if number < sizes.len() { sizes[number] } else { sizes[number % 10] }))
        .collect();
    for one in &sent {
        client.send_to(one, server.addr).unwrap();
    }
    server.open.send(()).unwrap();
    for (number, one) in sent.iter().enumerate() {
        assert_eq!(receive(&client), *one, "datagram {number}");
    }
    let bytes: usize = sent.iter().map(Vec::len).sum();
    let all = server.stop(&[&client])[0];
    assert_eq!((all.received_datagrams, all.sent_datagrams), (110, 110));
    assert_eq!((all.received_bytes, all.sent_bytes), (bytes as u64, bytes as u64));
}

// Catches: answers that go to the peer of the run before, or that wait for a run nobody sends.
#[test]
fn peers_that_talk_at_once_get_their_own_answers() {
    let server = Server::closed(Reply::Upper, RECV_SIZE);
    let clients: Vec<UdpSocket> = (0..6).map(|_| client()).collect();
    for round in 0..10 {
        for (number, client) in clients.iter().enumerate() {
            // The first two in turn, the others several at a time.
            let times = if number < 2 { 1 } else { number };
            for time in 0..times {
                client.send_to(format!("client {number} {round} {time}").as_bytes(), server.addr).unwrap();
            }
        }
    }
    server.open.send(()).unwrap();
    for (number, client) in clients.iter().enumerate() {
        for round in 0..10 {
            for time in 0..if number < 2 { 1 } else { number } {
                let answer = String::from_utf8(receive(client)).unwrap();
                assert_eq!(answer, format!("CLIENT {number} {round} {time}"));
            }
        }
    }
    let counted = server.stop(&clients.iter().collect::<Vec<_>>());
    let counts: Vec<_> = counted.iter().map(|one| (one.received_datagrams, one.sent_datagrams)).collect();
    assert_eq!(counts, [(10, 10), (10, 10), (20, 20), (30, 30), (40, 40), (50, 50)]);
}

// Catches: a message of many datagrams answered as one, cut off as one, or judged as one by the loop guard.
#[test]
fn what_the_kernel_glued_together_is_taken_apart() {
    // Datagrams that are all alike are the server's own replies come back: after 64 it mutes their sender.
    for (recv_size, alike, answers) in [(RECV_SIZE, false, 100), (4, false, 100), (RECV_SIZE, true, 64)] {
        let server = Server::closed(Reply::Echo, recv_size);
        let client = client();
        let sender = quinn_udp::UdpSocketState::new((&client).into()).unwrap();
        client.set_nonblocking(false).unwrap();
        if sender.max_gso_segments() < 50 {
            return;
        }
        let mut sent: Vec<u8> =
            (0..50).flat_map(|number| datagram(if alike { 1 } else { number }, 100)).collect();
        // The last of a run may be shorter.
        sent.truncate(if alike { 5_000 } else { 4_910 });
        for _ in 0..2 {
            let run = quinn_udp::Transmit {
                destination: server.addr,
                ecn: None,
                contents: &sent,
                segment_size: Some(100),
                src_ip: None,
            };
            sender.try_send((&client).into(), &run).unwrap();
        }
        server.open.send(()).unwrap();
        let kept: Vec<u8> = [&sent[..]; 2]
            .into_iter()
            .flat_map(|run| run.chunks(100))
            .take(answers)
            .flat_map(|one| &one[..one.len().min(recv_size)])
            .copied()
            .collect();
        // The client's socket glues too: here the bytes count, and what the server counted.
        let mut received = Vec::new();
        while received.len() < kept.len() {
            received.extend(receive(&client));
        }
        assert_eq!(received, kept, "{recv_size} bytes kept");
        let all = server.stop(&[&client])[0];
        assert_eq!((all.received_datagrams, all.sent_datagrams), (100, answers as u64));
        assert_eq!(all.ignored_datagrams, 100 - answers as u64);
    }
}

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

/// Holds the server until the test has sent everything: before its first look at the socket, or in the middle
/// of its first datagram, if it reports each.
struct Gate {
    address: Sender<SocketAddr>,
    held: Option<Sender<()>>,
    open: Receiver<()>,
    totals: Sender<UdpTotals>,
    verbose: bool,
}

impl Gate {
    fn hold(&mut self) {
        if let Some(held) = self.held.take() {
            held.send(()).unwrap();
            self.open.recv_timeout(PATIENCE).unwrap();
        }
    }
}

impl Events<Event> for Gate {
    fn event(&mut self, event: Event) {
        match event {
            Event::Server(ServerEvent::Listening { address, .. }) => {
                self.address.send(address).unwrap();
                if !self.verbose {
                    self.hold();
                }
            }
            Event::Echo(EchoEvent::Received { .. }) => self.hold(),
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
    fn closed(reply: Reply, recv_size: usize, verbose: bool) -> Server {
        let config = Config {
            reply,
            recv_size,
            once: false,
            verbose,
            loop_guard: true,
            options: SocketOptions::default(),
            show_options: false,
        };
        let ((address, has_address), (open, opened)) = (channel(), channel());
        let ((held, is_held), (to_totals, totals)) = (channel(), channel());
        let stop = Stop::new();
        let stopped = stop.clone();
        let any = [SocketAddr::from(([127, 0, 0, 1], 0))];
        let mut gate = Gate { address, held: Some(held), open: opened, totals: to_totals, verbose };
        let thread = spawn(move || udp_server::run(&config, &any, &stopped, &mut gate).unwrap());
        let addr = has_address.recv_timeout(PATIENCE).unwrap();
        if verbose {
            client().send_to(b"the first", addr).unwrap();
        }
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

/// A client that sends many datagrams by one call, if its system can, and gets each by itself.
#[cfg(target_os = "linux")]
fn train_client() -> Option<(UdpSocket, quinn_udp::UdpSocketState)> {
    use nix::sys::socket::{setsockopt, sockopt};
    let client = client();
    let sender = quinn_udp::UdpSocketState::new((&client).into()).unwrap();
    client.set_nonblocking(false).unwrap();
    // Old kernels have neither.
    let cuts = setsockopt(&client, sockopt::UdpGroSegment, &false).is_ok() && sender.max_gso_segments() >= 64;
    cuts.then_some((client, sender))
}

/// Sends `bytes` as datagrams of `stride` bytes that the server's system does not take apart.
fn send_train(
    client: &UdpSocket,
    sender: &quinn_udp::UdpSocketState,
    to: SocketAddr,
    bytes: &[u8],
    stride: usize,
) {
    let train = quinn_udp::Transmit {
        destination: to,
        ecn: None,
        contents: bytes,
        segment_size: Some(stride),
        src_ip: None,
    };
    sender.try_send(client.into(), &train).unwrap();
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
    for verbose in [true, false] {
        let server = Server::closed(Reply::Echo, RECV_SIZE, verbose);
        let client = client();
        // More than a batch, more than a turn's share, and within the default receive buffer.
        let sent: Vec<Vec<u8>> = (0..5 * sizes.len())
            .map(|number| {
                datagram(number, if number < sizes.len() { sizes[number] } else { sizes[number % 10] })
            })
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
}

// Catches: answers that go to the peer of the run before, or that wait for a run nobody sends.
#[test]
fn peers_that_talk_at_once_get_their_own_answers() {
    let server = Server::closed(Reply::Upper, RECV_SIZE, true);
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
    let cases = [(RECV_SIZE, false, 100), (4, false, 100), (RECV_SIZE, true, 64)];
    for ((recv_size, alike, answers), verbose) in
        cases.into_iter().flat_map(|case| [(case, true), (case, false)])
    {
        let server = Server::closed(Reply::Echo, recv_size, verbose);
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
            send_train(&client, &sender, server.addr, &sent, 100);
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
        assert_eq!(all.truncated_datagrams, if recv_size == 4 { 100 } else { 0 });
    }
}

// Catches: a train echoed as one datagram, without its shorter last one, or cut at another length; a train that
// is longer than the kernel cuts, and lost for it.
#[test]
#[cfg(target_os = "linux")]
fn every_datagram_of_a_train_comes_back_by_itself() {
    let Some((client, sender)) = train_client() else { return };
    // Those of few bytes travel with others, those of many go back as they lie; 64 is the longest train.
    let trains =
        [(100, 50, 100), (1_200, 54, 7), (1_000, 20, 999), (1, 64, 1), (500, 64, 1), (1_400, 46, 1_400)];
    for (stride, count, last) in trains {
        let server = Server::closed(Reply::Echo, RECV_SIZE, false);
        let mut sent = Vec::new();
        for number in 0..count {
            // Neighbours of one byte differ too: equal ones are for the loop guard.
            sent.extend(datagram(number, if number + 1 < count { stride } else { last }));
        }
        for round in 0..2 {
            send_train(&client, &sender, server.addr, &sent, stride);
            if round == 0 {
                server.open.send(()).unwrap();
            }
            for (number, one) in sent.chunks(stride).enumerate() {
                assert_eq!(receive(&client), one, "datagram {number} of {count} with {stride} bytes");
            }
        }
        let all = server.stop(&[&client])[0];
        assert_eq!((all.received_datagrams, all.sent_datagrams), (2 * count as u64, 2 * count as u64));
        assert_eq!((all.received_bytes, all.sent_bytes), (2 * sent.len() as u64, 2 * sent.len() as u64));
    }
}

// Catches: a train that overtakes what its peer sent before, or goes to the peer before; an empty datagram lost
// between trains.
#[test]
#[cfg(target_os = "linux")]
fn trains_of_several_peers_keep_their_order_among_single_and_empty_ones() {
    let Some(first) = train_client() else { return };
    let trains = [first, train_client().unwrap(), train_client().unwrap()];
    let server = Server::closed(Reply::Echo, RECV_SIZE, false);
    let single = client();
    let mut sent = vec![Vec::new(); trains.len()];
    for round in 0..3 {
        for (number, (client, sender)) in trains.iter().enumerate() {
            let bytes: Vec<u8> =
                (0..20).flat_map(|at| datagram(100 * round + 30 * number + at, 900)).collect();
            send_train(client, sender, server.addr, &bytes, 900);
            client.send_to(b"", server.addr).unwrap();
            client.send_to(format!("{round} {number}").as_bytes(), server.addr).unwrap();
            sent[number].extend(bytes.chunks(900).map(<[u8]>::to_vec));
            sent[number].extend([Vec::new(), format!("{round} {number}").into_bytes()]);
        }
        single.send_to(format!("single {round}").as_bytes(), server.addr).unwrap();
    }
    server.open.send(()).unwrap();
    for ((client, _), sent) in trains.iter().zip(&sent) {
        for (number, one) in sent.iter().enumerate() {
            assert_eq!(receive(client), *one, "datagram {number}");
        }
    }
    for round in 0..3 {
        assert_eq!(receive(&single), format!("single {round}").as_bytes());
    }
    let counted = server.stop(&[&trains[0].0, &trains[1].0, &trains[2].0, &single]);
    let counts: Vec<_> = counted.iter().map(|one| (one.received_datagrams, one.sent_datagrams)).collect();
    assert_eq!(counts, [(66, 66), (66, 66), (66, 66), (3, 3)]);
}

// Catches: a guard that looks at the first of a train only, that goes on answering behind the one that muted, or
// that mutes everybody.
#[test]
#[cfg(target_os = "linux")]
fn the_guard_mutes_inside_a_train() {
    let (Some((client, sender)), Some((other, other_sender))) = (train_client(), train_client()) else {
        return;
    };
    let server = Server::closed(Reply::Echo, RECV_SIZE, false);
    // 30 that differ, then the same for ever: the first of it is no return, the 64th return mutes.
    let different: Vec<u8> = (0..30).flat_map(|number| datagram(number, 300)).collect();
    let same = datagram(40, 300);
    let sent: Vec<u8> = [&different[..], &same.repeat(30)].concat();
    send_train(&client, &sender, server.addr, &sent, 300);
    send_train(&client, &sender, server.addr, &same.repeat(60), 300);
    send_train(&other, &other_sender, server.addr, &different, 300);
    send_train(&client, &sender, server.addr, &different, 300);
    server.open.send(()).unwrap();
    let answered = 30 + 1 + 63;
    for (number, one) in [&different[..], &same.repeat(64)].concat().chunks(300).enumerate() {
        assert_eq!(receive(&client), one, "datagram {number}");
    }
    for one in different.chunks(300) {
        assert_eq!(receive(&other), one, "somebody else is not muted");
    }
    let counted = server.stop(&[&client, &other]);
    assert_eq!((counted[0].received_datagrams, counted[0].sent_datagrams), (150, answered));
    assert_eq!((counted[0].ignored_datagrams, counted[1].ignored_datagrams), (150 - answered, 0));
    client.set_nonblocking(true).unwrap();
    assert!(client.recv(&mut [0; 10]).is_err(), "nothing behind the mute");
}

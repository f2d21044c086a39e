//! Two UDP echo servers and one datagram between them, on real sockets: with the loop guard there is silence
//! within a second, without it the datagram bounces for as long as anybody counts.
//!
//! A relay stands for the spoofed source: each server sees one peer that returns what it answers. Where raw
//! sockets are allowed, the same is done with a datagram that really bears the other server's address.

#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use netlab::echo::loop_guard::RETURNS;
use netlab::echo::udp_server::{self, Config, RECV_SIZE};
use netlab::echo::{EchoEvent, Event, Reply};
use netlab::net::{ServerEvent, SocketOptions, Stop};
use netlab::report::Events;

/// More bounces than a guarded pair can make, and the end of the broken variant.
const MANY: usize = 1_000;
/// On loopback a datagram that lives comes back in microseconds.
const SILENCE: Duration = Duration::from_millis(400);

struct ToChannel(Sender<Event>);

impl Events<Event> for ToChannel {
    fn event(&mut self, event: Event) {
        let _ = self.0.send(event);
    }
}

struct Server {
    addr: SocketAddr,
    events: Receiver<Event>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(reply: Reply, loop_guard: bool) -> Server {
        let config = Config {
            reply,
            recv_size: RECV_SIZE,
            once: false,
            verbose: true,
            loop_guard,
            options: SocketOptions::default(),
            show_options: false,
        };
        let (stop, (to, events)) = (Stop::new(), channel());
        let stopped = stop.clone();
        let any = [SocketAddr::from(([127, 0, 0, 1], 0))];
        let thread = spawn(move || udp_server::run(&config, &any, &stopped, &mut ToChannel(to)).unwrap());
        let Ok(Event::Server(ServerEvent::Listening { address, .. })) = events.recv() else {
            panic!("listening comes first")
        };
        Server { addr: address, events, stop, thread: Some(thread) }
    }

    /// Stops the server; what it reported since it began to listen.
    fn stop(mut self) -> Vec<Event> {
        self.stop.request();
        self.thread.take().unwrap().join().unwrap();
        self.events.iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.request();
    }
}

fn muted(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Echo(EchoEvent::Muted { .. }))).count()
}

fn received(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Echo(EchoEvent::Received { .. }))).count()
}

/// Sends one datagram to `a` and passes every answer to the other server; returns how many passed before
/// silence or [`MANY`], and how long the last one took to come.
fn bounce(a: &Server, b: &Server) -> (usize, Duration) {
    let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
    relay.set_read_timeout(Some(SILENCE)).unwrap();
    let start = Instant::now();
    relay.send_to(b"ping", a.addr).unwrap();
    let (mut passed, mut lived) = (0, Duration::ZERO);
    let mut buffer = [0; 100];
    while passed < MANY {
        let Ok((length, from)) = relay.recv_from(&mut buffer) else { break };
        (passed, lived) = (passed + 1, start.elapsed());
        let to = if from == a.addr { b.addr } else { a.addr };
        relay.send_to(&buffer[..length], to).unwrap();
    }
    (passed, lived)
}

#[test]
fn a_datagram_between_two_servers_dies_within_a_second() {
    use Reply::{Ack, Echo, Upper};
    for (one, other) in [(Echo, Echo), (Ack, Ack), (Upper, Upper), (Ack, Echo), (Upper, Echo)] {
        let (a, b) = (Server::start(one, true), Server::start(other, true));
        let (passed, lived) = bounce(&a, &b);
        assert!((RETURNS..3 * RETURNS).contains(&passed), "{one:?}, {other:?}: {passed}");
        assert!(lived < Duration::from_secs(1), "{one:?}, {other:?}: {lived:?}");
        assert_eq!(muted(&a.stop()) + muted(&b.stop()), 1, "one of them says why");
    }
}

#[test]
fn one_guarded_server_is_enough() {
    let (a, b) = (Server::start(Reply::Echo, false), Server::start(Reply::Echo, true));
    let (passed, _) = bounce(&a, &b);
    assert!(passed < 3 * RETURNS, "{passed}");
    assert_eq!((muted(&a.stop()), muted(&b.stop())), (0, 1));
}

#[test]
fn without_the_guard_it_goes_on() {
    let (a, b) = (Server::start(Reply::Echo, false), Server::start(Reply::Echo, false));
    assert_eq!(bounce(&a, &b).0, MANY);
    assert_eq!(muted(&a.stop()) + muted(&b.stop()), 0);
}

/// Sends a datagram to `to` whose source port is `from`'s; both stand on 127.0.0.1, as the kernel fills in.
fn spoof(from: SocketAddr, to: SocketAddr) -> std::io::Result<()> {
    use socket2::{Domain, Protocol, Socket, Type};
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?;
    // RFC 768: source port, destination port, length, checksum (0: none); then the payload.
    let mut datagram = Vec::new();
    for field in [from.port(), to.port(), 8 + 4, 0] {
        datagram.extend_from_slice(&field.to_be_bytes());
    }
    datagram.extend_from_slice(b"ping");
    raw.send_to(&datagram, &to.into()).map(drop)
}

#[test]
fn a_spoofed_datagram_dies_too_where_one_can_be_sent() {
    let (a, b) = (Server::start(Reply::Echo, true), Server::start(Reply::Echo, true));
    if spoof(a.addr, b.addr).is_err() {
        // No raw sockets for this user: the relay has shown the same.
        return;
    }
    let start = Instant::now();
    let mut seen = 0;
    while a.events.recv_timeout(SILENCE).is_ok() {
        seen += 1;
        assert!(seen < MANY, "it goes on");
    }
    assert!(seen > 0, "the datagram never arrived");
    assert!(start.elapsed() < Duration::from_secs(1) + SILENCE);
    let (a, b) = (a.stop(), b.stop());
    assert_eq!(muted(&a) + muted(&b), 1);
    assert!(received(&b) <= RETURNS + 1, "{}", received(&b));

    let (a, b) = (Server::start(Reply::Echo, false), Server::start(Reply::Echo, false));
    spoof(a.addr, b.addr).unwrap();
    let bounces = (0..MANY).take_while(|_| a.events.recv_timeout(SILENCE).is_ok()).count();
    assert_eq!(bounces, MANY, "the broken variant goes on");
}

#[test]
fn a_server_does_not_answer_itself() {
    for guard in [true, false] {
        let server = Server::start(Reply::Echo, guard);
        if spoof(server.addr, server.addr).is_err() {
            return;
        }
        let first = server.events.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(matches!(first, Event::Echo(EchoEvent::Received { .. })), "{first:?}");
        let second = server.events.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(matches!(second, Event::Echo(EchoEvent::Ignored { .. })), guard, "{second:?}");
    }
}

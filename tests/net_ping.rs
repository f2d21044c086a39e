//! `ping` against networks that lose, double, swap and delay what the test chose: the report must say exactly that.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

#[allow(unused, reason = "it serves the tests of the command line, too")]
mod harness;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netlab::diag::ping::{self, Config, Event, Mode, PingError, PingReport};
use netlab::net::{SocketOptions, Stop, socket};

use harness::Server;

const MS: Duration = Duration::from_millis(1);

/// What the relay does to a datagram.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It is lost.
    Drop,
    /// So many more of it pass.
    Double(u32),
    /// It passes behind this one.
    Behind(u64),
    /// It passes, and once more behind this one.
    AgainBehind(u64),
    /// It passes so much later, and what comes after it passes before.
    Delay(Duration),
}

/// Faults by the numbers of the probes, on one direction.
type Plan = HashMap<u64, Fault>;

/// A relay between a client and a UDP server.
struct Relay {
    addr: SocketAddr,
    done: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    fn start(server: SocketAddr, requests: Plan, replies: Plan) -> Relay {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let addr = front.local_addr().unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.connect(server).unwrap();
        let (client_is, client) = std::sync::mpsc::channel();
        let done = Arc::new(AtomicBool::new(false));
        let sockets = [&front, &back].map(|socket| socket.try_clone().unwrap());
        let [to_client, to_server] = sockets;
        let mut told = false;
        let there = Direction { from: front, plan: requests, done: done.clone() };
        let back_again = Direction { from: back, plan: replies, done: done.clone() };
        let threads = vec![
            thread::spawn(move || {
                there.run(|datagram, from| {
                    if !told {
                        client_is.send(from).unwrap();
                        told = true;
                    }
                    to_server.send(datagram).unwrap();
                });
            }),
            thread::spawn(move || {
                let mut to = None;
                back_again.run(|datagram, _| {
                    let to = *to.get_or_insert_with(|| client.recv().unwrap());
                    // The client may have gone with what it needed.
                    let _ = to_client.send_to(datagram, to);
                });
            }),
        ];
        Relay { addr, done, threads }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the relay failed");
        }
    }
}

struct Direction {
    from: UdpSocket,
    plan: Plan,
    done: Arc<AtomicBool>,
}

impl Direction {
    fn run(self, mut pass: impl FnMut(&[u8], SocketAddr)) {
        self.from.set_read_timeout(Some(MS * 5)).unwrap();
        let mut held: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut delayed: Vec<(Instant, Vec<u8>)> = Vec::new();
        let mut last = self.from.local_addr().unwrap();
        while !self.done.load(Ordering::SeqCst) {
            let now = Instant::now();
            let due: Vec<_> = delayed.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, datagram) in due {
                pass(&datagram, last);
            }
            let mut buffer = [0; 2_000];
            let (length, from) = match self.from.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => panic!("{error}"),
            };
            last = from;
            let datagram = &buffer[..length];
            let seq: u64 = std::str::from_utf8(&datagram[21..31]).unwrap().parse().unwrap();
            match self.plan.get(&seq) {
                None => pass(datagram, from),
                Some(Fault::Drop) => {}
                Some(Fault::Double(more)) => (0..=*more).for_each(|_| pass(datagram, from)),
                Some(Fault::Behind(other)) => held.push((*other, datagram.to_vec())),
                Some(Fault::AgainBehind(other)) => {
                    held.push((*other, datagram.to_vec()));
                    pass(datagram, from);
                }
                Some(Fault::Delay(time)) => delayed.push((Instant::now() + *time, datagram.to_vec())),
            }
            let free: Vec<_> = held.extract_if(.., |(behind, _)| *behind == seq).collect();
            for (_, datagram) in free {
                pass(&datagram, from);
            }
        }
    }
}

fn config(mode: Mode, count: u64) -> Config {
    let (interval, wait) = (MS * 5, Duration::from_secs(2));
    Config { mode, count: Some(count), interval, wait, duration: None, size: 56 }
}

fn ping(config: &Config, addr: SocketAddr) -> (PingReport, Option<PingError>, Vec<Event>) {
    let mut events = Vec::new();
    let mut show = |event: &Event| {
        events.push(event.clone());
        Ok(())
    };
    let (report, error) = ping::run(config, &addr.to_string(), &[addr], &Stop::new(), &mut show).unwrap();
    (report, error, events)
}

/// sent, received, lost, duplicates, reordered, late
fn counts(report: &PingReport) -> [u64; 6] {
    [report.sent, report.received, report.lost, report.duplicates, report.reordered, report.late]
}

#[test]
fn losses_duplicates_and_reorderings_are_those_that_were_made() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    let requests = [(3, Fault::Drop), (17, Fault::Drop), (5, Fault::Double(1)), (10, Fault::Behind(12))];
    let replies = [
        (8, Fault::Drop),
        (9, Fault::Double(2)),
        (20, Fault::Behind(21)),
        (30, Fault::AgainBehind(33)),
        (40, Fault::Double(1)),
    ];
    let relay = Relay::start(server.addr, Plan::from(requests), Plan::from(replies));
    let (report, error, events) = ping(&config(Mode::Udp, 40), relay.addr);
    assert!(error.is_none());
    assert_eq!(counts(&report), [40, 37, 3, 5, 2, 0]);
    let which = |wanted: fn(&ping::ProbeRecord) -> bool| -> Vec<u64> {
        report.probes.iter().filter(|probe| wanted(probe)).map(|probe| probe.seq).collect()
    };
    assert_eq!(which(|probe| probe.rtt_us.is_none()), [3, 8, 17]);
    assert_eq!(which(|probe| probe.reordered), [10, 20]);
    assert_eq!(which(|probe| probe.duplicates > 0), [5, 9, 30, 40]);
    assert_eq!(report.probes[8].duplicates, 2);
    let seen = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(seen(|event| matches!(event, Event::NoReply { .. })), 3);
    assert_eq!(seen(|event| matches!(event, Event::Duplicate { .. })), 5);
    assert_eq!(seen(|event| matches!(event, Event::Reply { .. })), 37);
}

#[test]
fn a_duplicate_of_the_last_reply_is_heard() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    let relay = Relay::start(server.addr, Plan::new(), Plan::from([(5, Fault::Double(3))]));
    // Nothing is missing when it comes, so nothing but patience keeps the socket open.
    let (report, _, _) = ping(&config(Mode::Udp, 5), relay.addr);
    assert_eq!(counts(&report), [5, 5, 0, 3, 0, 0]);
}

#[test]
fn where_nothing_was_made_nothing_is_reported() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    let relay = Relay::start(server.addr, Plan::new(), Plan::new());
    let (report, error, _) = ping(&config(Mode::Udp, 40), relay.addr);
    assert!(error.is_none());
    assert_eq!((counts(&report), report.strays), ([40, 40, 0, 0, 0, 0], 0));
    let rtt = report.rtt_us.unwrap();
    assert!(0.0 < rtt.min && rtt.min <= rtt.p50 && rtt.p50 <= rtt.p99 && rtt.p99 <= rtt.max, "{rtt:?}");
}

#[test]
fn a_reply_that_comes_after_the_wait_is_late_and_not_lost() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    let replies = Plan::from([(2, Fault::Delay(MS * 300))]);
    let relay = Relay::start(server.addr, Plan::new(), replies);
    let config = Config { interval: MS * 60, wait: MS * 100, ..config(Mode::Udp, 10) };
    let (report, _, events) = ping(&config, relay.addr);
    // On a machine that stalls, others may be late as well; this one always is.
    assert_eq!((report.received, report.lost), (10, 0));
    assert!(report.probes[1].late && report.probes[1].rtt_us.unwrap() >= 300_000.0, "{report:?}");
    assert!(report.probes[1].reordered);
    let given_up = events.iter().position(|event| matches!(event, Event::NoReply { seq: 2, .. }));
    let came = events.iter().position(|event| matches!(event, Event::Reply { seq: 2, late: true, .. }));
    assert!(given_up.unwrap() < came.unwrap(), "{events:?}");
}

#[test]
fn what_others_send_is_no_reply() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = peer.local_addr().unwrap();
    let answers = thread::spawn(move || {
        let mut buffer = [0; 100];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        peer.send_to(b"Message received", from).unwrap();
        // The same, of another measurement; with a probe's number that was never sent; cut short; whole.
        let mut other = buffer[..length].to_vec();
        other[12..20].copy_from_slice(b"00000000");
        peer.send_to(&other, from).unwrap();
        let mut never = buffer[..length].to_vec();
        never[30] = b'9';
        peer.send_to(&never, from).unwrap();
        peer.send_to(&buffer[..length - 1], from).unwrap();
        peer.send_to(&buffer[..length], from).unwrap();
    });
    let (report, _, _) = ping(&config(Mode::Udp, 1), addr);
    answers.join().unwrap();
    assert_eq!((counts(&report), report.strays), ([1, 1, 0, 0, 0, 0], 4));
}

#[test]
fn a_port_where_nobody_listens_is_refused_and_the_next_address_is_tried() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for mode in [Mode::Udp, Mode::Tcp] {
        let (report, error, events) = ping(&config(mode, 3), gone);
        assert!(error.is_none());
        assert_eq!((report.sent, report.received, report.lost), (3, 0, 3));
        assert!(report.refused >= 1, "{mode:?}: {events:?}");
    }
    let udp = Server::start(&["udp-echo", "server", ":0"]);
    let tcp = Server::start(&["tcp-echo", "server", ":0"]);
    for (mode, server) in [(Mode::Udp, &udp), (Mode::Tcp, &tcp), (Mode::Echo, &tcp)] {
        let addrs = [gone, server.addr];
        let (report, error) =
            ping::run(&config(mode, 2), "name", &addrs, &Stop::new(), &mut |_| Ok(())).unwrap();
        assert!(error.is_none());
        assert_eq!((report.target, report.received, report.lost), (server.addr, 2, 0), "{mode:?}");
    }
}

#[test]
fn a_full_backlog_answers_no_connect() {
    let any = ["127.0.0.1:0".parse().unwrap()];
    let (_listener, addr) = socket::listen(&any, &SocketOptions::default(), 1).unwrap();
    let open: Vec<_> = (0..2).map(|_| std::net::TcpStream::connect(addr).unwrap()).collect();
    let config = Config { wait: MS * 200, ..config(Mode::Tcp, 1) };
    let (report, _, events) = ping(&config, addr);
    assert_eq!((report.sent, report.received, report.refused), (1, 0, 0));
    assert!(matches!(events.last(), Some(Event::NoReply { seq: 1, .. })), "{events:?}");
    drop(open);
}

#[test]
fn echoes_are_compared_byte_by_byte() {
    let echo = Server::start(&["tcp-echo", "server", ":0"]);
    let (report, error, _) = ping(&Config { size: 5_000, ..config(Mode::Echo, 20) }, echo.addr);
    assert!(error.is_none());
    assert_eq!(counts(&report), [20, 20, 0, 0, 0, 0]);
    let ack = Server::start(&["tcp-echo", "server", ":0", "--reply", "ack"]);
    let (report, error, _) = ping(&config(Mode::Echo, 3), ack.addr);
    assert!(matches!(error, Some(PingError::NoEcho(_))), "{error:?}");
    assert_eq!(report.received, 0);
}

#[test]
fn a_server_that_leaves_ends_the_measurement_with_what_was_measured() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let serve = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut probe = [0; 56];
        for _ in 0..2 {
            stream.read_exact(&mut probe).unwrap();
            stream.write_all(&probe).unwrap();
        }
    });
    let (report, error, _) = ping(&Config { interval: MS * 50, ..config(Mode::Echo, 100) }, addr);
    serve.join().unwrap();
    assert!(matches!(error, Some(PingError::Closed(_) | PingError::Lost { .. })), "{error:?}");
    assert_eq!(report.received, 2);
}

#[test]
fn a_stop_ends_it_at_once() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let full = socket::listen(&["127.0.0.1:0".parse().unwrap()], &SocketOptions::default(), 0).unwrap();
    let _open = std::net::TcpStream::connect(full.1).unwrap();
    for (mode, addr) in [(Mode::Udp, silent.local_addr().unwrap()), (Mode::Tcp, full.1)] {
        let (stop, start) = (Stop::new(), Instant::now());
        let (asks, silent) = (stop.clone(), silent.try_clone().unwrap());
        let config = Config { count: None, wait: Duration::from_secs(60), ..config(mode, 1) };
        let stopper = thread::spawn(move || {
            if mode == Mode::Udp {
                silent.recv(&mut [0; 100]).unwrap();
            } else {
                // Nobody can see a SYN that was dropped; should the connect begin later, it ends all the sooner.
                thread::sleep(MS * 100);
            }
            asks.request();
        });
        let (report, error) = ping::run(&config, "it", &[addr], &stop, &mut |_| Ok(())).unwrap();
        stopper.join().unwrap();
        assert!(error.is_none() && report.received == 0, "{report:?}");
        assert!(mode == Mode::Tcp || report.sent >= 1, "{report:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

#[test]
fn the_duration_ends_the_sending() {
    let server = Server::start(&["udp-echo", "server", ":0"]);
    let config = Config { count: None, duration: Some(MS * 100), interval: MS * 10, ..config(Mode::Udp, 1) };
    let (report, _, _) = ping(&config, server.addr);
    assert!((1..=10).contains(&report.sent), "{report:?}");
    assert_eq!(report.lost, 0);
}

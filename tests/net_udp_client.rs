//! The UDP echo client against peers that the command line can't make: names with several addresses, floods.

#![allow(clippy::unwrap_used)]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netlab::echo::UdpClientReport;
use netlab::echo::udp_client::{self, ClientError, Config};
use netlab::net::{Cause, NetError, SocketOptions, Stop};

fn config(wait: Duration) -> Config {
    Config {
        wait,
        retries: 0,
        interval: Duration::ZERO,
        count: 1,
        linger: Duration::ZERO,
        recv_size: 1_000,
        options: SocketOptions::default(),
        show_options: false,
    }
}

type Outcome = Result<(UdpClientReport, Option<NetError>), ClientError>;

fn send(config: &Config, addrs: &[SocketAddr], messages: &[&str]) -> Outcome {
    let mut messages = messages.iter().map(|message| Ok(message.as_bytes().to_vec()));
    udp_client::run(config, addrs, &mut messages, &Stop::new(), &mut |_| Ok(()))
}

/// A socket, and an address where nobody listens.
fn socket_and_gone() -> (UdpSocket, SocketAddr) {
    let live = UdpSocket::bind("127.0.0.1:0").unwrap();
    live.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    (live, gone)
}

#[test]
fn where_nobody_listens_the_names_next_address_is_tried() {
    let (live, gone) = socket_and_gone();
    let addr = live.local_addr().unwrap();
    let serve = thread::spawn(move || {
        for _ in 0..2 {
            let mut buffer = [0; 100];
            let (length, from) = live.recv_from(&mut buffer).unwrap();
            live.send_to(&buffer[..length], from).unwrap();
        }
    });
    let (report, refusal) = send(&config(Duration::from_secs(5)), &[gone, addr], &["one", "two"]).unwrap();
    assert!(refusal.is_none());
    serve.join().unwrap();
    assert_eq!((report.remote_address, report.messages, report.lost), (addr, 2, 0));
    let (report, refusal) = send(&config(Duration::from_secs(5)), &[gone, gone], &["one"]).unwrap();
    assert_eq!((report.lost, refusal.map(|error| error.cause())), (1, Some(Cause::Refused)));
}

#[test]
fn a_server_that_leaves_costs_its_messages_and_no_more() {
    let (live, _) = socket_and_gone();
    let addr = live.local_addr().unwrap();
    let serve = thread::spawn(move || {
        let (length, from) = live.recv_from(&mut [0; 100]).unwrap();
        live.send_to(&b"one"[..length], from).unwrap();
    });
    let (report, refusal) = send(&config(Duration::from_secs(5)), &[addr], &["one", "two", "six"]).unwrap();
    serve.join().unwrap();
    assert_eq!((report.messages, report.received_datagrams, report.lost), (3, 1, 2));
    assert!(refusal.is_some(), "what became of the server is said as well");
}

#[test]
fn a_flood_of_strays_does_not_hold_the_client() {
    let (live, _) = socket_and_gone();
    let addr = live.local_addr().unwrap();
    let done = AtomicBool::new(false);
    let start = Instant::now();
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            let (_, from) = live.recv_from(&mut [0; 100]).unwrap();
            // The client's port may be gone before the flood is told to end.
            while !done.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(10) {
                let _ = live.send_to(b"one", from);
            }
        });
        let config = Config { interval: Duration::from_millis(300), ..config(Duration::from_millis(300)) };
        let (report, _) = send(&config, &[addr], &["one", "two"]).unwrap();
        done.store(true, Ordering::SeqCst);
        report
    });
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!((report.messages, report.lost), (2, 1), "`one` again is no reply to `two`");
    assert!(report.extra_datagrams > 100, "{}", report.extra_datagrams);
}

#[test]
fn a_stop_ends_the_wait_and_the_report_is_there() {
    let (live, _) = socket_and_gone();
    let addr = live.local_addr().unwrap();
    let (stop, start) = (Stop::new(), Instant::now());
    let asks = stop.clone();
    let stopper = thread::spawn(move || {
        live.recv_from(&mut [0; 100]).unwrap();
        asks.request();
        live
    });
    let mut messages = ["one", "two"].iter().map(|message| Ok(message.as_bytes().to_vec()));
    let config = Config { retries: 5, ..config(Duration::from_secs(60)) };
    let (report, _) = udp_client::run(&config, &[addr], &mut messages, &stop, &mut |_| Ok(())).unwrap();
    drop(stopper.join().unwrap());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!((report.messages, report.sent_datagrams, report.lost), (1, 1, 1));
}

#[test]
fn replies_that_cannot_be_shown_end_the_client() {
    let (live, _) = socket_and_gone();
    let addr = live.local_addr().unwrap();
    let serve = thread::spawn(move || {
        let (_, from) = live.recv_from(&mut [0; 100]).unwrap();
        live.send_to(b"one", from).unwrap();
    });
    let mut messages = ["one", "two"].iter().map(|message| Ok(message.as_bytes().to_vec()));
    let mut broken = |_: udp_client::Heard<'_>| Err(io::Error::from(io::ErrorKind::BrokenPipe));
    let result =
        udp_client::run(&config(Duration::from_secs(5)), &[addr], &mut messages, &Stop::new(), &mut broken);
    serve.join().unwrap();
    assert!(matches!(result, Err(ClientError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe));
}

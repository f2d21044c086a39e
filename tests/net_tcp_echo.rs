//! The TCP echo server on real loopback sockets: every model, reply and framing, its limits and its end.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod echo_server;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use netlab::echo::tcp_server::{Config, Model};
use netlab::echo::{Event, Reply};
use netlab::framing::{Content, Encoder, Framing};
use netlab::net::ServerEvent;

use echo_server::{PATIENCE, Server, config, connect, exchange, read_to_end, round_trip};

// Catches: a model that answers something else than the others do.
#[test]
fn every_model_gives_every_reply() {
    for model in Model::ALL {
        for (reply, expected) in
            [(Reply::Echo, &b" Hello \r\n"[..]), (Reply::Ack, b"ACK:  Hello \r\n"), (Reply::Upper, b"HELLO")]
        {
            let server = Server::start(Config { reply, ..config(model) });
            assert_eq!(exchange(server.addr, b" Hello \r\n"), expected, "{} {}", model.name(), reply.name());
            assert_eq!(server.disconnected(), None);
            let events = server.finish();
            let Some(Event::Server(ServerEvent::Stopped { connections: 1, received_bytes: 9, sent_bytes })) =
                events.last()
            else {
                panic!("{events:?}")
            };
            assert_eq!(*sent_bytes, expected.len() as u64);
        }
    }
}

// Catches: a frame that is complete only when it comes in one piece.
#[test]
fn a_client_that_writes_byte_by_byte_is_answered_in_every_framing() {
    let messages: [&[u8]; 4] = [b"Hello", b"", "é".as_bytes(), b"{\"a\": 1}"];
    for model in Model::ALL {
        for framing in Framing::ALL {
            let server = Server::start(Config { framing, recv_size: Some(1), ..config(model) });
            let encoder = Encoder::new(framing, 100);
            let mut wire = Vec::new();
            for message in messages {
                encoder.encode(Content::of(message), message, &mut wire).unwrap();
            }
            let mut client = connect(server.addr);
            for byte in &wire {
                client.write_all(&[*byte]).unwrap();
            }
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_to_end(&mut client), wire, "{} {}", model.name(), framing.name());
            assert_eq!(server.disconnected(), None);
        }
    }
}

// Catches: an error that swallows the answers before it, resets the connection, or keeps its reason.
#[test]
fn a_broken_frame_closes_with_a_reason_after_the_answers_before_it() {
    for model in Model::ALL {
        let framed = |framing| Server::start(Config { framing, max_frame: 10, ..config(model) });
        let server = framed(Framing::U16);
        let mut client = connect(server.addr);
        // What follows the broken frame is still on its way when the server closes.
        client.write_all(&[b"\x00\x01a\xff\xff", &[b'x'; 10_000][..]].concat()).unwrap();
        assert_eq!(read_to_end(&mut client), b"\x00\x01a", "{}", model.name());
        drop(client);
        let reason = server.disconnected();
        assert_eq!(reason.as_deref(), Some("frame of 65,535 bytes is over the limit of 10 bytes"));

        assert_eq!(exchange(server.addr, b"\x00\x05He"), b"");
        assert_eq!(server.disconnected().as_deref(), Some("truncated frame, 2 of 5 bytes"));

        let server = framed(Framing::Header);
        assert_eq!(exchange(server.addr, b"\x00\x02{}"), b"");
        let reason = server.disconnected();
        assert_eq!(reason.as_deref(), Some("frame header: `content-length` is missing"));
    }
}

// Catches: `once` that ends with the first byte, or goes on with a second client.
#[test]
fn once_serves_one_client_and_ends() {
    for model in Model::ALL {
        let server = Server::start(Config { once: true, ..config(model) });
        let addr = server.addr;
        let mut client = connect(addr);
        round_trip(&mut client, b"one");
        // Refused, or left in the backlog: it must not count.
        let _second = TcpStream::connect(addr);
        round_trip(&mut client, b"more");
        drop(client);
        let events = server.ended();
        let Some(Event::Server(ServerEvent::Stopped { connections: 1, received_bytes: 7, sent_bytes: 7 })) =
            events.last()
        else {
            panic!("{events:?}")
        };
        assert!(TcpStream::connect(addr).is_err(), "{} still listens", model.name());
    }
}

/// Runs a test that takes its time with every model at once.
fn with_each_model(test: impl Fn(Model) + Sync) {
    std::thread::scope(|scope| {
        for model in Model::ALL {
            let test = &test;
            scope.spawn(move || test(model));
        }
    });
}

// Catches: an idle time that is never looked at, or that counts from the connect.
#[test]
fn a_silent_client_is_closed() {
    let idle = Duration::from_secs(1);
    with_each_model(|model| {
        let server = Server::start(Config { idle_timeout: Some(idle), ..config(model) });
        let mut client = connect(server.addr);
        let connected = Instant::now();
        while connected.elapsed() < idle.mul_f64(1.5) {
            round_trip(&mut client, b"Hello");
        }
        assert_eq!(read_to_end(&mut client), b"", "{}", model.name());
        drop(client);
        assert_eq!(server.disconnected().as_deref(), Some("idle for too long"));
    });
}

// Catches: a limit that counts those who have left, or that turns away the ones who are served.
#[test]
fn clients_beyond_the_limit_are_turned_away() {
    for model in [Model::Threads, Model::EventLoop] {
        let server = Server::start(Config { max_connections: Some(2), ..config(model) });
        let mut clients = [connect(server.addr), connect(server.addr)];
        for client in &mut clients {
            round_trip(client, b"Hello");
        }
        let mut third = connect(server.addr);
        assert_eq!(read_to_end(&mut third), b"");
        drop(third);
        let reason = server.wait_for(|event| match event {
            Event::Server(ServerEvent::Refused { reason, .. }) => Some(reason),
            _ => None,
        });
        assert_eq!(reason, "2 connections are the limit", "{}", model.name());
        let [first, mut second] = clients;
        round_trip(&mut second, b"still here");
        drop(first);
        server.disconnected();
        round_trip(&mut connect(server.addr), b"my turn");
    }
}

// Catches: the flaw that the iterative model is there to show, in the models that cure it.
#[test]
fn a_silent_client_stops_the_iterative_server_alone() {
    for model in Model::ALL {
        let server = Server::start(config(model));
        let mut silent = connect(server.addr);
        round_trip(&mut silent, b"me first");
        let mut other = connect(server.addr);
        other.write_all(b"Hello").unwrap();
        if model == Model::Iterative {
            // Nobody answers before the first client has gone.
            other.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            assert!(other.read(&mut [0; 5]).is_err());
            other.set_read_timeout(Some(PATIENCE)).unwrap();
            drop(silent);
        }
        let mut answer = [0; 5];
        other.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"Hello");
    }
}

/// The binary: signals, descriptors and stdout as Unix has them.
#[cfg(unix)]
mod process {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::thread;

    use serde_json::json;

    use super::echo_server::{Process, interrupt, wait};
    use super::*;

    // Catches: bytes that are lost, doubled or swapped between clients; a descriptor that is never closed.
    #[test]
    fn a_thousand_clients_get_every_byte_back() {
        netlab::net::raise_descriptor_limit();
        let server = Process::start(&[]);
        // It listens before its loop stands: the first client shows that it does.
        exchange(server.addr, b"Hello");
        server.event("disconnected");
        let before = descriptors(&server);
        thread::scope(|scope| {
            for part in 0..4_u32 {
                let addr = server.addr;
                scope.spawn(move || {
                    let mut clients: Vec<TcpStream> = (0..250).map(|_| connect(addr)).collect();
                    for round in 0..100_u32 {
                        let message = |i: usize| format!("{part}.{i}.{round};");
                        for (i, client) in clients.iter_mut().enumerate() {
                            client.write_all(message(i).as_bytes()).unwrap();
                        }
                        for (i, client) in clients.iter_mut().enumerate() {
                            let mut answer = vec![0; message(i).len()];
                            client.read_exact(&mut answer).unwrap();
                            assert_eq!(answer, message(i).as_bytes());
                        }
                    }
                });
            }
        });
        for _ in 0..1_000 {
            let end = server.event("disconnected");
            assert_eq!(end["received_bytes"], end["sent_bytes"]);
            assert_eq!(end["reason"], json!(null));
        }
        assert_eq!(descriptors(&server), before);
        server.interrupt();
        let (status, events) = server.ended();
        assert!(status.success());
        assert_eq!(events.last().unwrap()["data"]["connections"], 1_001);
    }

    /// How many descriptors the server has open; `None` where the system does not show them.
    fn descriptors(server: &Process) -> Option<usize> {
        Some(std::fs::read_dir(format!("/proc/{}/fd", server.pid())).ok()?.count())
    }

    /// CPU time of the server in clock ticks (10 ms), user and system: fields 14 and 15 of proc(5)'s stat.
    #[cfg(target_os = "linux")]
    fn cpu_ticks(server: &Process) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    // Catches: an accept that fails and is tried again at once (about 70 ticks), or never again.
    #[cfg(target_os = "linux")]
    #[test]
    fn without_descriptors_it_waits_and_recovers() {
        for model in ["threads", "event-loop"] {
            let server = Process::start_with_descriptors(64, &["--model", model]);
            let mut clients: Vec<TcpStream> = (0..200).map(|_| connect(server.addr)).collect();
            round_trip(&mut clients[0], b"the first is served");
            let reason = server.event("accept_paused")["reason"].to_string();
            assert!(reason.contains("newcomers wait in the backlog"), "{reason}");
            let before = cpu_ticks(&server);
            let last = clients.last_mut().unwrap();
            last.write_all(b"Hello").unwrap();
            last.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
            assert!(last.read(&mut [0; 5]).is_err(), "200 clients are served with 64 descriptors");
            let used = cpu_ticks(&server) - before;
            assert!(used < 10, "{model} used {used} ticks of CPU time for nothing in 700 ms");
            // Those who wait are served when the others leave.
            last.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut last = clients.pop().unwrap();
            drop(clients);
            let mut answer = [0; 5];
            last.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"Hello");
            server.event("accept_resumed");
            round_trip(&mut connect(server.addr), b"as before");
            server.interrupt();
            assert!(server.ended().0.success());
        }
    }

    // Catches: a thread that sits in accept while its waker finds no descriptor to connect with.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_blocking_server_without_spare_descriptors_can_be_stopped() {
        let server = Process::start_with_descriptors(64, &["--model", "threads"]);
        let mut clients = Vec::new();
        // `accept` has taken the number of the next descriptor before it waits: it holds the last one.
        while descriptors(&server).unwrap() < 63 {
            assert!(clients.len() < 64, "clients take no descriptors");
            let mut client = connect(server.addr);
            round_trip(&mut client, b"Hello");
            clients.push(client);
        }
        server.interrupt();
        let (status, events) = server.ended();
        assert!(status.success());
        assert_eq!(events.last().unwrap()["event"], "stopped");
    }

    // Catches: a model that a silent client keeps alive.
    #[test]
    fn ctrl_c_ends_every_model_with_a_silent_client() {
        for model in Model::ALL {
            let server = Process::start(&["--model", model.name()]);
            let mut client = connect(server.addr);
            round_trip(&mut client, b"Hello");
            server.interrupt();
            assert_eq!(read_to_end(&mut client), b"", "{}", model.name());
            drop(client);
            let (status, events) = server.ended();
            assert_eq!(status.code(), Some(0));
            let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
            assert_eq!(names, ["connected", "disconnected", "stopped"]);
            let totals = json!({"connections": 1, "received_bytes": 5, "sent_bytes": 5});
            assert_eq!(events.last().unwrap()["data"], totals);
        }
    }

    /// A client that sends and never reads, until the server can't send to it any more.
    fn deaf_client(server: &Process) -> TcpStream {
        let mut client = connect(server.addr);
        round_trip(&mut client, b"Hello");
        client.set_nonblocking(true).unwrap();
        // The server stops reading when its answers are stuck: then nothing goes, for longer than a busy machine
        // keeps a server waiting for its turn.
        let mut quiet = Instant::now();
        while quiet.elapsed() < Duration::from_secs(1) {
            match client.write(&[7; 16 << 10]) {
                Ok(n) if n > 0 => quiet = Instant::now(),
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        client
    }

    // Catches: a stop that waits for ever for a client that never reads.
    #[test]
    fn ctrl_c_ends_every_model_with_a_client_that_never_reads() {
        with_each_model(|model| {
            let server = Process::start(&["--model", model.name()]);
            let client = deaf_client(&server);
            let start = Instant::now();
            server.interrupt();
            let (status, events) = server.ended();
            assert_eq!(status.code(), Some(0), "{}", model.name());
            assert!(
                start.elapsed() < Duration::from_secs(15),
                "5 s are the limit, the rest is a slow machine"
            );
            assert_eq!(events.last().unwrap()["event"], "stopped");
            drop(client);
        });
    }

    // Catches: a close with unread bytes, which resets the connection and destroys answers on their way.
    #[test]
    fn ctrl_c_destroys_no_answer_of_a_client_that_goes_on_sending() {
        with_each_model(|model| {
            let server = Process::start(&["--model", model.name()]);
            let mut client = connect(server.addr);
            let mut sender = client.try_clone().unwrap();
            let sending = std::thread::spawn(move || while sender.write_all(&vec![7; 50_000]).is_ok() {});
            let (mut got, mut buffer) = (0, vec![0; 65_536]);
            while got < 2_000_000 {
                got += client.read(&mut buffer).unwrap();
            }
            server.interrupt();
            loop {
                match client.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => got += n,
                    Err(error) => panic!("{}: after {got} bytes: {error}", model.name()),
                }
                // A reader who keeps up hides the loss: nothing would be on its way.
                std::thread::sleep(Duration::from_millis(2));
            }
            drop(client);
            sending.join().unwrap();
            let (_, events) = server.ended();
            assert_eq!(events.last().unwrap()["data"]["sent_bytes"], got, "{}", model.name());
        });
    }

    // Catches: a second Ctrl-C that is as patient as the first.
    #[test]
    fn a_second_ctrl_c_ends_at_once() {
        let server = Process::start(&[]);
        let client = deaf_client(&server);
        server.interrupt();
        // The first one is heard when nobody listens any more.
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(server.addr).is_ok() {
            assert!(Instant::now() < deadline, "it still listens");
        }
        server.interrupt();
        assert_eq!(server.ended().0.code(), Some(130));
        drop(client);
    }

    // Catches: another form of the event that other programs wait for.
    #[test]
    fn the_first_line_says_where_it_listens() {
        let server = Process::start(&["-v", "--idle-timeout", "10s", "--max-connections", "3"]);
        let expected =
            format!(r#"{{"event":"listening","data":{{"address":"{}","transport":"tcp"}}}}"#, server.addr);
        assert_eq!(server.first_line, expected);
        assert_eq!(exchange(server.addr, b"\x1b[2J"), b"\x1b[2J");
        let received = server.event("received");
        assert_eq!((&received["bytes"], &received["text"]), (&json!(4), &json!("\\x1b[2J")));
        server.event("disconnected");
        server.interrupt();
        assert_eq!(server.ended().1.last().unwrap()["event"], "stopped");
    }

    // Catches: a server that writes to stdout itself: it ends with a closed pipe, or waits for a full one.
    #[test]
    fn nobody_at_stdout_never_stops_a_server() {
        for closed in [true, false] {
            let mut child = Command::new(env!("CARGO_BIN_EXE_netlab"))
                .args(["tcp-echo", "server", ":0", "-v"])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let addr = line.strip_prefix("listening on ").unwrap().strip_suffix(" (tcp)\n").unwrap();
            let unread = if closed { None } else { Some(stdout) };
            let mut client = connect(addr.parse().unwrap());
            // A line for each: more than a pipe holds (64 KiB), and than the queue before it.
            for _ in 0..6_000 {
                round_trip(&mut client, b"a line of text for somebody who does not read it");
            }
            drop(client);
            interrupt(&child);
            assert_eq!(wait(&mut child).code(), Some(0), "closed: {closed}");
            drop(unread);
        }
    }
}

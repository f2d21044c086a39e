//! The chat's network thread on real loopback sockets, against `netlab serve` and against servers that misbehave.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netlab::client::link::{Full, Link, LinkCommand, LinkEvent, ServerMessage};
use netlab::client::{ConnectRequest, Credentials, Direction};
use netlab::net::Address;
use netlab::protocol::message::{Answer, Nothing, Request, RoomEcho, RoomJoin};
use netlab::protocol::names::RoomName;
use serde_json::json;

use harness::PATIENCE;
use rooms::{Client, Place, frame, timed};

/// A link, and what it has told so far.
struct Told {
    link: Link,
    events: std::collections::VecDeque<LinkEvent>,
}

impl Told {
    fn connect(request: ConnectRequest) -> Told {
        let link = Link::start(None).unwrap();
        link.send(LinkCommand::Connect(Box::new(request))).unwrap();
        Told { link, events: std::collections::VecDeque::new() }
    }

    fn next(&mut self) -> LinkEvent {
        let deadline = Instant::now() + PATIENCE;
        while self.events.is_empty() {
            assert!(Instant::now() < deadline, "nothing happens");
            let mut events = Vec::new();
            self.link.drain_within(&mut events, Duration::from_millis(100));
            self.events.extend(events);
        }
        self.events.pop_front().unwrap()
    }

    /// What is looked for; what comes before is dropped.
    fn find<T>(&mut self, mut pick: impl FnMut(LinkEvent) -> Option<T>) -> T {
        loop {
            let event = self.next();
            assert!(!matches!(event, LinkEvent::Ended { panicked: true }), "the thread panicked");
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    fn refusal(&mut self) -> String {
        self.find(|event| match event {
            LinkEvent::Refused { reason, .. } => Some(reason),
            _ => None,
        })
    }

    fn logged_in(&mut self) -> Option<String> {
        self.find(|event| match event {
            LinkEvent::LoggedIn { username, .. } => Some(username),
            _ => None,
        })
    }

    fn lost(&mut self) -> Option<Duration> {
        self.find(|event| match event {
            LinkEvent::Lost { retry_in, .. } => Some(retry_in),
            _ => None,
        })
    }

    /// The room of the next answer to a join.
    fn joined(&mut self) -> String {
        self.find(|event| match event {
            LinkEvent::Message(ServerMessage { answer: Answer::RoomJoined(joined), .. })
                if joined.seq.is_some() =>
            {
                Some(joined.room.to_string())
            }
            _ => None,
        })
    }

    fn echoed(&mut self) -> String {
        self.find(|event| match event {
            LinkEvent::Message(ServerMessage { answer: Answer::RoomEchoed(echoed), .. }) => {
                Some(echoed.text.to_string())
            }
            _ => None,
        })
    }

    fn say(&self, id: u64, text: &str) -> Result<(), Full> {
        let request = Request::RoomEcho(RoomEcho { text: text.to_owned().into(), reference: None });
        self.link.send(LinkCommand::Send { id, request })
    }
}

fn to(addr: SocketAddr, name: &str) -> ConnectRequest {
    ConnectRequest::new(Address::from(addr), Credentials::Name(name.to_owned()))
}

/// A server of the test's own, and the first connection to it.
fn fake_server() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one `u16` frame.
fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).unwrap();
    let mut payload = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut payload).unwrap();
    payload
}

const LOGGED_IN: &str = r#"{"type":"LOGGED_IN","data":{"username":"ada","room":"default"},"id":0}"#;

// Catches: chunks that are whole frames, encoded once more, glued together, or of one direction alone.
#[test]
fn the_wire_shows_what_recv_returned_and_send_took() {
    let (listener, addr) = fake_server();
    let mut told = Told::connect(to(addr, "ada"));
    let mut server = accept(&listener);
    let login = read_frame(&mut server);
    let mut sent = frame(LOGGED_IN);
    // Spaces, another order of members, an unknown type: nothing that netlab would write.
    let odd = r#"{ "data" : {"x":"\u00e9"},   "type":"NEWS" }"#;
    sent.extend(frame(odd));
    let cuts = [1, 2, 20, sent.len() - 3, sent.len()];
    let mut from = 0;
    for cut in cuts {
        server.write_all(&sent[from..cut]).unwrap();
        let chunk = told.find(|event| match event {
            LinkEvent::Wire(chunk) if chunk.direction == Direction::Received => Some(chunk.bytes),
            LinkEvent::Wire(chunk) => {
                assert!(chunk.bytes == frame(&login) || chunk.bytes.ends_with(br#""id":"ping"}"#));
                None
            }
            _ => None,
        });
        assert_eq!(chunk, &sent[from..cut], "one chunk for one recv");
        from = cut;
    }
}

// Catches: a queue without a bound, a message that is dropped or swapped when it is full, a reading that never
// goes on.
#[test]
fn a_user_who_does_not_look_holds_the_server_back_and_loses_nothing() {
    const MESSAGES: u64 = 40_000;
    let (listener, addr) = fake_server();
    let mut told = Told::connect(to(addr, "ada"));
    let mut server = accept(&listener);
    read_frame(&mut server);
    server.write_all(&frame(LOGGED_IN)).unwrap();
    server.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let (stuck, is_stuck) = std::sync::mpsc::channel();
    let sender = thread::spawn(move || {
        let text = "x".repeat(1_000);
        for seq in 1..=MESSAGES {
            let message = json!({ "type": "ROOM_ECHOED", "data": { "room": "default", "from": "b", "text": text, "seq": seq } });
            let bytes = frame(message.to_string());
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match server.write(rest) {
                    Ok(n) => rest = &rest[n..],
                    // 300 ms without room for a byte: held back.
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => stuck.send(seq).unwrap(),
                    Err(error) => panic!("{error}"),
                }
            }
        }
        server
    });
    let at = is_stuck.recv_timeout(PATIENCE).expect("the server is held back");
    assert!(at < MESSAGES, "all of it fits somewhere");
    for expected in 1..=MESSAGES {
        let seq = told.find(|event| match event {
            LinkEvent::Message(ServerMessage { answer: Answer::RoomEchoed(echoed), .. }) => Some(echoed.seq),
            LinkEvent::Lost { reason, .. } => panic!("lost at {expected}: {reason}"),
            _ => None,
        });
        assert_eq!(seq, expected);
    }
    drop(sender.join().unwrap());
}

// Catches: a user who does not want to wait, and loses the room and the further attempts by it.
#[test]
fn an_attempt_that_is_asked_for_is_one_more_and_leads_to_the_same_room() {
    let place = Place::new();
    let server = place.serve(&[]);
    let addr = server.addr;
    let mut told = Told::connect(to(addr, "ada"));
    assert_eq!(told.joined(), "default");
    let join = Request::RoomJoin(RoomJoin { room: "den".into(), create: true });
    told.link.send(LinkCommand::Send { id: 1, request: join }).unwrap();
    assert_eq!(told.joined(), "den");
    drop(server);
    // More often than it would try by itself.
    for _ in 0..12 {
        assert!(told.lost().is_some(), "a failed attempt is no refusal, and not the last");
        told.link.send(LinkCommand::Retry).unwrap();
    }
    let _server = place.serve(&[&addr.to_string()]);
    assert_eq!(told.logged_in().as_deref(), Some("ada"));
    assert_eq!((told.joined(), told.joined()), ("default".into(), "den".into()));
}

// Catches: a server that is not looked for again, a name or a room that is forgotten, a request that is sent into
// the void in between.
#[test]
fn a_server_that_comes_back_is_found_with_name_and_room() {
    let place = Place::new();
    let server = place.serve(&[]);
    let addr = server.addr;
    let mut told = Told::connect(ConnectRequest { room: RoomName::parse("lab").ok(), ..to(addr, "ada") });
    assert_eq!(told.logged_in().as_deref(), Some("ada"));
    assert_eq!((told.joined(), told.joined()), ("default".into(), "lab".into()));
    let join = Request::RoomJoin(RoomJoin { room: "den".into(), create: true });
    told.link.send(LinkCommand::Send { id: 1, request: join }).unwrap();
    assert_eq!(told.joined(), "den");
    drop(server);
    assert!(told.lost().is_some_and(|wait| wait < Duration::from_secs(2)));
    told.say(2, "lost").unwrap();
    let unsent = told.find(|event| match event {
        LinkEvent::Unsent { id, reason } => Some((id, reason)),
        _ => None,
    });
    assert_eq!(unsent, (2, "not connected".into()));
    let _again = place.serve(&[&addr.to_string()]);
    assert_eq!(told.logged_in().as_deref(), Some("ada"));
    assert_eq!((told.joined(), told.joined()), ("default".into(), "den".into()), "where the user was");
    told.say(3, "back").unwrap();
    assert_eq!(told.echoed(), "back");
}

// Catches: an end of the room that the user has left which is not restored: login puts everyone into one.
#[test]
fn who_has_left_every_room_comes_back_to_none() {
    let place = Place::new();
    let server = place.serve(&[]);
    let addr = server.addr;
    let mut told = Told::connect(to(addr, "ada"));
    told.joined();
    told.link.send(LinkCommand::Send { id: 1, request: Request::RoomLeave(Nothing {}) }).unwrap();
    let left = |event| match event {
        LinkEvent::Message(ServerMessage { answer: Answer::RoomLeft(left), .. }) => {
            Some(left.room.to_string())
        }
        _ => None,
    };
    told.find(left);
    drop(server);
    told.lost();
    let _again = place.serve(&[&addr.to_string()]);
    told.logged_in();
    assert_eq!(told.find(left), "default");
}

// Catches: a refusal that is tried again for ever, one without its reason, a wait without a bound.
#[test]
fn a_refusal_is_told_once_with_its_reason() {
    let place = Place::new();
    let server = place.serve(&[]);
    let _holder = Client::named(server.addr, "ada");
    let reason = Told::connect(to(server.addr, "ADA")).refusal();
    assert!(reason.contains("name_taken"), "{reason}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reason = Told::connect(to(closed, "ada")).refusal();
    assert!(reason.contains("connect to 127.0.0.1") && reason.contains("refused"), "{reason}");
    let place = Place::new();
    place.add_user("ada", &[]);
    let keyed = place.serve(&["--auth", "hmac"]);
    let anonymous = ConnectRequest::new(Address::from(keyed.addr), Credentials::Anonymous);
    let reason = Told::connect(anonymous).refusal();
    assert!(reason.contains("unauthorized"), "{reason}");
    let place = Place::new();
    let full = place.serve(&["--max-connections", "1"]);
    let _one = Client::named(full.addr, "one");
    for credentials in [Credentials::Anonymous, Credentials::Name("two".into())] {
        let reason = Told::connect(ConnectRequest::new(Address::from(full.addr), credentials)).refusal();
        assert!(reason.contains("busy"), "{reason}");
    }
    let unknown = ConnectRequest::new(Address::new("no-such-name.invalid", 1), Credentials::Anonymous);
    let reason = Told::connect(unknown).refusal();
    assert!(reason.contains("look up no-such-name.invalid"), "{reason}");
    let (_silent, addr) = fake_server();
    let mut told = Told::connect(ConnectRequest { wait: Duration::from_millis(200), ..to(addr, "ada") });
    let (reason, took) = timed(|| told.refusal());
    assert!(reason.contains("no answer in time") && took < Duration::from_secs(10), "{reason} {took:?}");
}

// Catches: two windows of one user that end each other's sessions for ever.
#[test]
fn who_has_logged_in_elsewhere_stays_away() {
    let place = Place::new();
    let key = place.add_user("ada", &[]);
    let server = place.serve(&["--auth", "hmac"]);
    let keyed = || ConnectRequest::new(Address::from(server.addr), Credentials::Key("ada".into(), key));
    let mut first = Told::connect(keyed());
    first.logged_in();
    let mut second = Told::connect(keyed());
    second.logged_in();
    assert_eq!(first.lost(), None);
    second.say(1, "alone").unwrap();
    assert_eq!(second.echoed(), "alone");
}

// Catches: a queue of commands without a bound, a Quit that waits behind what nobody reads.
#[test]
fn a_server_that_does_not_read_fills_no_memory_and_stops_no_quit() {
    let (listener, addr) = fake_server();
    let mut told = Told::connect(to(addr, "ada"));
    let mut server = accept(&listener);
    read_frame(&mut server);
    server.write_all(&frame(LOGGED_IN)).unwrap();
    told.logged_in();
    let text = "x".repeat(30_000);
    let deadline = Instant::now() + PATIENCE;
    let mut taken = 0_u64;
    let refused = loop {
        match told.say(taken, &text) {
            Ok(()) => taken += 1,
            Err(Full(LinkCommand::Send { id, .. })) => break id,
            Err(full) => panic!("{full:?}"),
        }
        // The kernel takes some megabytes first; a queue without a bound takes all there is.
        assert!(Instant::now() < deadline && taken < 3_000, "{taken} requests are taken");
        let mut events = Vec::new();
        told.link.drain(&mut events);
    };
    assert_eq!(refused, taken, "the refused request comes back");
    let (ended, took) = timed(|| {
        told.link.send(LinkCommand::Quit).unwrap();
        told.find(|event| match event {
            LinkEvent::Ended { panicked } => Some(panicked),
            _ => None,
        })
    });
    assert!(!ended && took < Duration::from_secs(5), "{took:?}");
}

// Catches: an end without a goodbye, which the server would log as a loss.
#[test]
fn quitting_says_goodbye() {
    let place = Place::new();
    let mut server = place.serve(&["-v"]);
    let mut told = Told::connect(to(server.addr, "ada"));
    told.joined();
    let rtt = told.find(|event| match event {
        LinkEvent::Rtt(rtt) => Some(rtt),
        _ => None,
    });
    assert!(rtt > Duration::ZERO && rtt < PATIENCE, "{rtt:?}");
    told.link.send(LinkCommand::Quit).unwrap();
    let said = told.find(|event| match event {
        LinkEvent::Message(ServerMessage { answer: Answer::Bye(bye), .. }) => Some(bye.reason.to_string()),
        LinkEvent::Ended { .. } => panic!("ended without a goodbye"),
        _ => None,
    });
    assert_eq!(said, "goodbye");
    assert!(matches!(told.next(), LinkEvent::Disconnected));
    assert!(matches!(told.next(), LinkEvent::Ended { panicked: false }));
    server.line_with("disconnected");
}

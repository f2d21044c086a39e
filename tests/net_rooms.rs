//! Rooms under load, on real sockets: nothing lost, doubled or swapped, and a bad member harms nobody else.
#![allow(clippy::print_stdout, reason = "figures, for whoever wants to see them (--nocapture)")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::collections::HashMap;
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netlab::client::{Credentials, Incoming, MemberId, Members, Requests, Swarm};
use netlab::framing::Framing;
use netlab::net::{Limits, Reactor, SocketOptions, Stop};
use netlab::protocol::message::{Answer, Request, RoomEcho, RoomJoin, Text};
#[cfg(target_os = "linux")]
use serde_json::json;

use harness::PATIENCE;
#[cfg(target_os = "linux")]
use harness::eventually;
#[cfg(target_os = "linux")]
use rooms::Client;
use rooms::{Place, nonce};

/// Runs a swarm of so many members until they stop it.
fn swarm<M: Members>(addr: SocketAddr, count: usize, members: M) -> M {
    let mut reactor = Reactor::new(Limits::default()).unwrap();
    let mut swarm = Swarm::new(members, Framing::U16, 65_535, nonce);
    for n in 0..count {
        let name = Credentials::Name(format!("m{n}"));
        swarm.start(&mut reactor.io(), addr, name, &SocketOptions::default(), PATIENCE).unwrap();
    }
    reactor.run(&mut swarm, &Stop::new()).unwrap();
    swarm.into_members()
}

fn join(room: &str) -> Request<'static> {
    Request::RoomJoin(RoomJoin { room: Text::from(room.to_owned()), create: true })
}

fn echo(text: String) -> Request<'static> {
    Request::RoomEcho(RoomEcho { text: text.into(), reference: None })
}

/// What was said in a room under each number: the same for all who heard it.
#[derive(Default)]
struct Told(HashMap<(String, u64), String>);

impl Told {
    fn check(&mut self, room: &str, seq: u64, text: &str) {
        let known = self.0.entry((room.to_owned(), seq)).or_insert_with(|| text.to_owned());
        assert_eq!(known, text, "two members heard different messages as {room} #{seq}");
    }
}

const MEMBERS_PER_ROOM: usize = 10;
/// Ten messages a second in each room.
const PERIOD: Duration = Duration::from_millis(100);

/// Members of rooms of ten, who speak in turn once everybody is there.
struct Talk {
    rooms: usize,
    messages: u64,
    joined: usize,
    /// The number of the last message that each member heard.
    heard: Vec<u64>,
    complete: usize,
    said: u64,
    next: Option<Instant>,
    give_up: Instant,
    told: Told,
}

impl Talk {
    fn new(rooms: usize, messages: u64) -> Talk {
        let members = rooms * MEMBERS_PER_ROOM;
        let give_up = Instant::now() + PERIOD * u32::try_from(messages).unwrap() + 2 * PATIENCE;
        let (heard, told) = (vec![0; members], Told::default());
        Talk { rooms, messages, joined: 0, heard, complete: 0, said: 0, next: None, give_up, told }
    }

    fn room(member: MemberId) -> String {
        format!("r{}", member.0 / MEMBERS_PER_ROOM)
    }
}

impl Members for Talk {
    fn ready(&mut self, member: MemberId, say: &mut Requests) {
        say.send(member, join(&Talk::room(member)));
    }

    fn incoming(&mut self, member: MemberId, incoming: &Incoming<'_>, say: &mut Requests) {
        match &incoming.answer {
            Answer::RoomJoined(joined) if joined.seq.is_some() && &*joined.room != "default" => {
                self.joined += 1;
            }
            Answer::RoomEchoed(echoed) => {
                let heard = &mut self.heard[member.0];
                assert_eq!(&*echoed.room, Talk::room(member));
                assert_eq!(echoed.seq, *heard + 1, "{member:?} heard {heard} before");
                *heard = echoed.seq;
                self.complete += usize::from(*heard == self.messages);
                self.told.check(&echoed.room, echoed.seq, &echoed.text);
                if self.complete == self.heard.len() {
                    say.stop();
                }
            }
            Answer::Error(fault) => panic!("{member:?}: {fault:?}"),
            _ => {}
        }
    }

    fn closed(&mut self, member: MemberId, reason: &str, _say: &mut Requests) {
        assert_eq!(self.complete, self.heard.len(), "{member:?} was closed: {reason}");
    }

    fn tick(&mut self, now: Instant, say: &mut Requests) -> Option<Instant> {
        if now >= self.give_up {
            let (complete, members) = (self.complete, self.heard.len());
            panic!("{} said, {} joined, {complete} of {members} heard it all", self.said, self.joined);
        }
        if self.joined == self.heard.len() && self.said < self.messages {
            let speaker = usize::try_from(self.said).unwrap() % MEMBERS_PER_ROOM;
            for room in 0..self.rooms {
                let text = format!("{} in {room}", self.said);
                say.send(MemberId(room * MEMBERS_PER_ROOM + speaker), echo(text));
            }
            self.said += 1;
        }
        let next = self.next.unwrap_or(now) + PERIOD;
        self.next = Some(next);
        Some(next)
    }
}

fn everybody_hears_everything(rooms: usize, messages: u64) {
    let place = Place::new();
    let connections = (rooms * MEMBERS_PER_ROOM).to_string();
    let server = place.serve(&["--max-connections", &connections, "--max-rooms", &rooms.to_string()]);
    let talk = swarm(server.addr, rooms * MEMBERS_PER_ROOM, Talk::new(rooms, messages));
    assert!(talk.heard.iter().all(|heard| *heard == messages));
    assert_eq!(talk.told.0.len() as u64, rooms as u64 * messages);
}

// Catches: a group's buffer that is not cleared (doubled), a `seq` that counts per connection, a turn that flushes only
// one group (lost).
#[test]
fn two_hundred_members_hear_everything_once_and_in_order() {
    everybody_hears_everything(20, 30);
}

/// Members who wander between rooms while they talk, many requests in one segment.
struct Wander {
    /// Of each member: steps of its walk, the room it is in, the last number it heard there.
    steps: Vec<u64>,
    at: Vec<(String, u64)>,
    done: usize,
    random: u64,
    told: Told,
    heard: u64,
    give_up: Instant,
}

const STEPS: u64 = 60;

impl Wander {
    fn new(members: usize) -> Wander {
        let (steps, at) = (vec![0; members], vec![(String::new(), 0); members]);
        let give_up = Instant::now() + 2 * PATIENCE;
        Wander {
            steps,
            at,
            done: 0,
            random: 88_172_645_463_325_252,
            told: Told::default(),
            heard: 0,
            give_up,
        }
    }

    /// Xorshift: the same walk in every run.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn step(&mut self, member: MemberId, say: &mut Requests) {
        let n = self.steps[member.0];
        self.steps[member.0] += 1;
        if n == STEPS {
            self.done += 1;
        }
        if n >= STEPS {
            return;
        }
        // In one segment: said in the old room, moved, said in the new one, a long text now and then.
        say.send(member, echo(format!("{} leaves at {n}", member.0)));
        say.send(member, join(["default", "a", "b", "c"][usize::try_from(self.random(4)).unwrap()]));
        let long = "x".repeat(if self.random(8) == 0 { 20_000 } else { 0 });
        say.send(member, echo(format!("{} is here at {n} {long}", member.0)));
    }
}

impl Members for Wander {
    fn ready(&mut self, _: MemberId, _: &mut Requests) {}

    fn incoming(&mut self, member: MemberId, incoming: &Incoming<'_>, say: &mut Requests) {
        match &incoming.answer {
            Answer::RoomJoined(joined) => {
                if let Some(seq) = joined.seq {
                    self.at[member.0] = (joined.room.to_string(), seq);
                    self.step(member, say);
                }
            }
            Answer::RoomEchoed(echoed) => {
                let (room, heard) = &mut self.at[member.0];
                assert_eq!(*room, *echoed.room, "{member:?} hears a room that it is not in");
                assert_eq!(echoed.seq, *heard + 1, "{member:?} in {room}");
                *heard = echoed.seq;
                self.heard += 1;
                self.told.check(&echoed.room, echoed.seq, &echoed.text);
            }
            Answer::Error(fault) => panic!("{member:?}: {fault:?}"),
            _ => {}
        }
        if self.done == self.at.len() {
            say.stop();
        }
    }

    fn closed(&mut self, member: MemberId, reason: &str, _say: &mut Requests) {
        assert_eq!(self.done, self.at.len(), "{member:?} was closed: {reason}");
    }

    fn tick(&mut self, now: Instant, _: &mut Requests) -> Option<Instant> {
        assert!(now < self.give_up, "{} of {} are through", self.done, self.at.len());
        Some(now + PERIOD)
    }
}

// Catches: a member that joins at the start of its group's buffer instead of its end, one whose unsent part of it is
// dropped when it leaves, an answer that overtakes what was cast before it.
#[test]
fn who_wanders_hears_each_room_without_a_gap_and_all_hear_the_same() {
    let place = Place::new();
    let keep = ["--room", "a", "--room", "b", "--room", "c"];
    let server = place.serve(&[&keep[..], &["--rate-limit", "0", "--max-unsent", "16m"]].concat());
    let wander = swarm(server.addr, 40, Wander::new(40));
    assert_eq!(wander.told.0.len() as u64, 2 * STEPS * 40, "every message was heard by its speaker at least");
    assert!(wander.heard > wander.told.0.len() as u64 * 4, "{} deliveries are no crowd", wander.heard);
}

/// Publishes 24 MB in a room where five never read and three do.
#[cfg(target_os = "linux")]
fn who_never_reads(more: &[&str]) -> (u64, u64) {
    const MESSAGES: u64 = 800;
    let place = Place::new();
    let server = place.serve(&[&["--rate-limit", "0"], more].concat());
    let mut publisher = Client::named(server.addr, "publisher");
    let deaf: Vec<Client> = (0..5).map(|n| Client::named(server.addr, &format!("deaf{n}"))).collect();
    // How far each reader has come: on a busy machine it must not be taken for one who does not read.
    let come: Arc<[AtomicU64; 3]> = Arc::default();
    let readers: Vec<_> = (0..3)
        .map(|n| {
            let come = come.clone();
            let mut reader = Client::named(server.addr, &format!("reader{n}"));
            std::thread::spawn(move || {
                for expected in 1..=MESSAGES {
                    // JSON of 24 MB takes a debug build long, and the number stands at the end.
                    let seq = loop {
                        let payload = reader.receive_payload().unwrap().expect("it reads, so it stays");
                        if payload.starts_with(b"{\"type\":\"ROOM_ECHOED\"") {
                            let text = String::from_utf8(payload).unwrap();
                            let (_, end) = text.rsplit_once("\"seq\":").unwrap();
                            break end.split([',', '}']).next().unwrap().parse::<u64>().unwrap();
                        }
                    };
                    assert_eq!(seq, expected, "lost, doubled or swapped");
                    come[n].store(seq, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let before = rooms::resident_kib(server.pid());
    let mut most = before;
    let text = "x".repeat(30_000);
    for seq in 1..=MESSAGES {
        let echoed = publisher.ask("ROOM_ECHO", &json!({ "text": text }));
        assert_eq!(echoed["data"]["seq"], seq);
        eventually("the readers keep up", || {
            come.iter().all(|come| come.load(Ordering::Relaxed) + 10 >= seq)
                || readers.iter().any(std::thread::JoinHandle::is_finished)
        });
        if seq % 20 == 0 {
            most = most.max(rooms::resident_kib(server.pid()));
        }
    }
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(
        publisher.ask("INFO", &json!({}))["data"]["connections"],
        1,
        "the deaf are gone, readers went"
    );
    drop(deaf);
    (before, most)
}

// Catches: an outbox without a bound, leftovers of a partial send that are dropped (`queue(c, rest)` in `flush_member`),
// a bound that counts before the send and closes readers.
#[cfg(target_os = "linux")]
#[test]
fn five_who_never_read_cost_nobody_a_message_and_little_memory() {
    let (before, most) = who_never_reads(&[]);
    println!("resident: {before} KiB before, {most} KiB at most");
    assert!(most - before < 12 << 10, "it grew by {} KiB", most - before);
}

// The operator's view is not read either: what waits to be printed has a bound in bytes, too.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_stands_still_costs_little_memory_as_well() {
    let (before, most) = who_never_reads(&["-v"]);
    println!("resident: {before} KiB before, {most} KiB at most");
    assert!(most - before < 12 << 10, "it grew by {} KiB", most - before);
}

// Catches: SO_SNDBUF left to the kernel, which then holds megabytes for a client before anybody notices.
#[cfg(target_os = "linux")]
#[test]
fn who_does_not_read_is_found_out_before_megabytes_are_sent() {
    let place = Place::new();
    let mut server = place.serve(&["--rate-limit", "0", "--json-stream"]);
    let _deaf = Client::named(server.addr, "deaf");
    let mut publisher = Client::named(server.addr, "publisher");
    let text = "x".repeat(30_000);
    eventually("the deaf one is found out", || {
        publisher.ask("ROOM_ECHO", &json!({ "text": text }));
        publisher.ask("INFO", &json!({}))["data"]["connections"] == 1
    });
    let gone: serde_json::Value = serde_json::from_str(&server.line_with("disconnected")).unwrap();
    assert_eq!(gone["data"]["reason"], "it does not read");
    let sent = gone["data"]["sent_bytes"].as_u64().unwrap();
    println!("{sent} bytes were sent to who does not read");
    assert!(sent < 1 << 20, "{sent} bytes were sent first");
}

mod long {
    #[test]
    #[ignore = "long: 1,000 connections for 30 s"]
    fn a_thousand_members_hear_everything_once_and_in_order() {
        super::everybody_hears_everything(100, 300);
    }
}

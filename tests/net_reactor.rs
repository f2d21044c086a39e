//! The readiness loop on real loopback sockets. Each test names the broken variant of the loop that it catches.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod test_loop;

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netlab::net::reactor::{GroupId, Why};
use netlab::net::{Cause, ConnId, How, Io, Limits, Overflow, SocketOptions};

use test_loop::*;

const MS: Duration = Duration::from_millis(1);
/// More than loopback buffers hold between two sockets (tcp_rmem and tcp_wmem end at about 10 MB).
const MUCH: usize = 24 << 20;

// Catches: `held_back` ignored in `read` (the outbox grows to all that the kernel does not hold).
#[test]
fn who_does_not_read_is_not_read_and_harms_nobody() {
    let limits = Limits { recv_size: 64 << 10, outbox: 64 << 10, ..Limits::default() };
    let server = TestLoop::start(limits, echo);
    let mut slow = narrow_client(server.addr);
    let (c, _) = server.opened();
    let mut to_send = slow.try_clone().unwrap();
    let sender = thread::spawn(move || to_send.write_all(&numbered(MUCH)).unwrap());
    let mut seen = Vec::new();
    let held_back = |saw: &Saw| matches!(saw, Saw::Sent { unsent, .. } if *unsent > 64 << 10);
    let (mut other, _) = server.client();
    let deadline = Instant::now() + PATIENCE;
    while !seen.iter().any(held_back) {
        assert!(Instant::now() < deadline, "the slow reader is never held back");
        round_trip(&mut other, b"meanwhile");
        seen.extend(server.seen());
    }
    for _ in 0..100 {
        round_trip(&mut other, b"still served");
    }
    assert!(read(&mut slow, MUCH) == numbered(MUCH), "every byte, in order");
    sender.join().unwrap();
    seen.extend(server.seen());
    let (mut unsent, mut most) = (0, 0);
    for saw in seen {
        match saw {
            Saw::Received(of, bytes) if of == c => unsent += bytes,
            Saw::Sent { c: of, bytes, .. } if of == c => unsent -= bytes,
            _ => {}
        }
        most = most.max(unsent);
    }
    assert!(
        most <= (64 << 10) + (64 << 10),
        "{most} bytes were unsent: the outbox and one recv are the limit"
    );
}

fn round_trip(client: &mut TcpStream, message: &[u8]) {
    client.write_all(message).unwrap();
    assert_eq!(read(client, message.len()), message);
}

// Catches: `ended` that closes at once (`How::Now`), and a FIN that is taken for the end while output waits.
#[test]
fn all_that_came_before_a_half_close_is_answered() {
    let limits = Limits { outbox: 64 << 10, read_budget: 64 << 10, ..Limits::default() };
    let server = TestLoop::start(limits, echo);
    let mut client = narrow_client(server.addr);
    let (c, _) = server.opened();
    let mut to_send = client.try_clone().unwrap();
    let sender = thread::spawn(move || {
        to_send.write_all(&numbered(MUCH)).unwrap();
        to_send.shutdown(Shutdown::Write).unwrap();
    });
    assert!(read_to_end(&mut client) == numbered(MUCH));
    sender.join().unwrap();
    let closed = server.closed(c);
    assert!(matches!(closed.why, Why::Closed), "{:?}", closed.why);
    assert_eq!((closed.received_bytes, closed.sent_bytes), (MUCH as u64, MUCH as u64));
}

// Catches: `read` without its budget (the firehose is read empty first).
#[test]
fn a_firehose_gets_no_more_than_its_share_of_a_turn() {
    let limits = Limits { recv_size: 16 << 10, read_budget: 32 << 10, ..Limits::default() };
    let server = TestLoop::start(limits, silent);
    let (mut firehose, first) = server.client();
    let (mut other, second) = server.client();
    server.seen();
    let held = server.hold();
    firehose.set_nonblocking(true).unwrap();
    let mut queued = 0;
    while let Ok(n) = firehose.write(&[7; 16 << 10]) {
        queued += n;
    }
    assert!(queued > 256 << 10, "{queued} bytes are no firehose");
    other.write_all(b"me too").unwrap();
    drop(held);
    server.wait_for(|call| matches!(call, Call::Bytes(c, _) if c == second).then_some(()));
    let seen = server.seen();
    let mine = seen.iter().position(|saw| *saw == Saw::Received(second, 6)).unwrap();
    let before: usize = seen[..mine]
        .iter()
        .map(|saw| match saw {
            Saw::Received(c, bytes) if *c == first => *bytes,
            _ => 0,
        })
        .sum();
    assert!(before <= (32 << 10) + (16 << 10), "{before} bytes of the firehose went first");
}

// Catches: a UDP socket that is queued once for every event (a flood doubles its share with each turn).
#[test]
fn a_flood_of_datagrams_gets_no_more_than_its_share_of_a_turn() {
    let server = TestLoop::with_datagrams();
    // Every turn takes datagrams and sends as many to the socket itself: there are always more.
    let mut seen = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while seen.iter().filter(|saw| **saw == Saw::Datagram).count() < 5_000 {
        assert!(Instant::now() < deadline, "the datagrams have stopped");
        seen.extend(server.seen());
    }
    let turns = seen.split(|saw| *saw == Saw::Slept);
    let most = turns.map(|turn| turn.iter().filter(|saw| **saw == Saw::Datagram).count()).max();
    assert!(most <= Some(64), "{most:?} datagrams in one turn");
}

// Catches: `leave`, `send` or `join` that don't move the member's part of the group's bytes first.
#[test]
fn a_member_hears_everything_in_the_order_in_which_it_was_said() {
    let server = TestLoop::start(Limits::default(), silent);
    let (mut a, ca) = server.client();
    let (mut b, cb) = server.client();
    server.on_loop(move |io| {
        let (room, hall) = (io.group(), io.group());
        io.join(ca, room);
        io.cast(room, b"1");
        io.join(cb, room);
        io.cast(room, b"2");
        io.send(ca, b"3");
        io.cast(room, b"4");
        io.join(ca, hall);
        io.cast(room, b"5");
        io.cast(hall, b"6");
        io.leave(ca);
        io.send(ca, b"7");
        io.cast(hall, b"8");
        io.disband(room);
        io.send(cb, b"9");
        io.close(ca, How::Gently);
        io.close(cb, How::Gently);
    });
    assert_eq!(read_to_end(&mut a), b"123467");
    assert_eq!(read_to_end(&mut b), b"2459");
}

type Operation = Box<dyn FnOnce(&mut Io<'_>) + Send>;

/// What a model of the groups expects: who is where, and what each has been told.
struct Model {
    place: [Option<usize>; 4],
    told: [Vec<u8>; 4],
}

// Catches the same, and any other way to lose, double or swap bytes in a sequence of operations.
#[test]
fn groups_keep_order_through_any_sequence_of_operations() {
    let server = TestLoop::start(Limits::default(), silent);
    let mut clients: Vec<(TcpStream, ConnId)> = (0..4).map(|_| server.client()).collect();
    let ids: Vec<ConnId> = clients.iter().map(|(_, c)| *c).collect();
    let groups: Vec<GroupId> = server.on_loop(|io| vec![io.group(), io.group()]);
    let mut model = Model { place: [None; 4], told: Default::default() };
    // A linear congruential generator (Knuth's MMIX): the same sequence in every run.
    let mut state = 20_u64;
    let mut random = move |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for turn in 0..200_u32 {
        let mut operations: Vec<Operation> = Vec::new();
        for step in 0..20_u32 {
            let (who, group) = (random(4), random(2));
            let (c, g) = (ids[who], groups[group]);
            let mut message = (turn * 20 + step).to_be_bytes().to_vec();
            // Now and then more than a direct send (16 KiB), or than a group collects (64 KiB).
            message.resize([4, 4, 4, 4, 20 << 10, 66 << 10][random(6)], b'.');
            match random(4) {
                0 => {
                    model.place[who] = Some(group);
                    operations.push(Box::new(move |io| io.join(c, g)));
                }
                1 => {
                    model.place[who] = None;
                    operations.push(Box::new(move |io| io.leave(c)));
                }
                2 => {
                    model.told[who].extend_from_slice(&message);
                    operations.push(Box::new(move |io| io.send(c, &message)));
                }
                _ => {
                    for (told, _) in
                        model.told.iter_mut().zip(model.place).filter(|(_, at)| *at == Some(group))
                    {
                        told.extend_from_slice(&message);
                    }
                    operations.push(Box::new(move |io| io.cast(g, &message)));
                }
            }
        }
        server.on_loop(move |io| operations.into_iter().for_each(|operation| operation(io)));
    }
    for ((client, _), told) in clients.iter_mut().zip(&model.told) {
        assert!(read(client, told.len()) == *told, "a member heard something else than it was told");
    }
}

// Catches: a `cast` that sends at once (ten sends each), and a `join` from the beginning of the buffer.
#[test]
fn a_turns_messages_leave_with_one_send_per_member() {
    let server = TestLoop::start(Limits::default(), silent);
    let mut members: Vec<(TcpStream, ConnId)> = (0..3).map(|_| server.client()).collect();
    let (mut late, late_c) = server.client();
    let ids: Vec<ConnId> = members.iter().map(|(_, c)| *c).collect();
    server.seen();
    let group = server.on_loop(move |io| {
        let group = io.group();
        for c in ids {
            io.join(c, group);
        }
        (b'0'..=b'9').for_each(|digit| io.cast(group, &[digit]));
        io.join(late_c, group);
        group
    });
    for (client, _) in &mut members {
        assert_eq!(read(client, 10), b"0123456789");
    }
    let seen = server.seen();
    for (_, c) in &members {
        assert_eq!(sends_to(&seen, *c), [10]);
    }
    server.on_loop(move |io| io.cast(group, b"!"));
    assert_eq!(read(&mut late, 1), b"!", "who joins late is not told what was said before");
}

/// How many bytes each send to a connection moved.
fn sends_to(seen: &[Saw], which: ConnId) -> Vec<usize> {
    let bytes = |saw: &Saw| match saw {
        Saw::Sent { c, bytes, .. } if *c == which => Some(*bytes),
        _ => None,
    };
    seen.iter().filter_map(bytes).collect()
}

// Catches: a group buffer that is collected to the end of the turn, however much is cast.
#[test]
fn a_group_collects_no_more_than_64_kib() {
    let server = TestLoop::start(Limits::default(), silent);
    let (mut client, c) = server.client();
    server.seen();
    let cast = numbered(200 << 10);
    let expected = cast.clone();
    server.on_loop(move |io| {
        let group = io.group();
        io.join(c, group);
        cast.chunks(1 << 10).for_each(|message| io.cast(group, message));
    });
    assert!(read(&mut client, expected.len()) == expected);
    let sends = sends_to(&server.seen(), c);
    assert!(sends.len() >= 4 && sends.iter().all(|bytes| *bytes <= 65 << 10), "{sends:?}");
}

// Catches: a flush that ends at the first member that fails, or that skips the one which takes its place.
#[test]
fn a_dead_member_harms_no_other() {
    let server = TestLoop::start(Limits::default(), silent);
    let mut members: Vec<(TcpStream, ConnId)> = (0..4).map(|_| server.client()).collect();
    let ids: Vec<ConnId> = members.iter().map(|(_, c)| *c).collect();
    let group = server.on_loop(move |io| {
        let group = io.group();
        for c in ids {
            io.join(c, group);
        }
        group
    });
    // The loop is held while two members die: it finds out when it sends.
    let held = server.hold();
    let (first, c1) = members.remove(0);
    let (second, c2) = members.remove(1);
    reset(first);
    reset(second);
    let done = server.begin(move |io| io.cast(group, b"still here"));
    drop(held);
    done.recv_timeout(PATIENCE).unwrap();
    for (client, _) in &mut members {
        assert_eq!(read(client, 10), b"still here");
    }
    let mut gone = vec![c1, c2];
    while !gone.is_empty() {
        let c = server.wait_for(|call| if let Call::Closed(c, _) = call { Some(c) } else { None });
        assert!(gone.contains(&c), "{c:?} was closed");
        gone.retain(|dead| *dead != c);
    }
}

// Catches: an outbox without a limit for members (the cast goes on for ever), or one that hits the others.
#[test]
fn a_member_that_does_not_read_is_disconnected() {
    let limits = Limits { overflow: Overflow::Disconnect, outbox: 64 << 10, ..Limits::default() };
    let server = TestLoop::start(limits, silent);
    let _deaf = narrow_client(server.addr);
    let (deaf_c, _) = server.opened();
    let (mut reader, reader_c) = server.client();
    let group = server.on_loop(move |io| {
        let group = io.group();
        io.join(deaf_c, group);
        io.join(reader_c, group);
        group
    });
    let message = numbered(60 << 10);
    let mut why = None;
    for _ in 0..(4 * MUCH / message.len()) {
        let cast = message.clone();
        server.on_loop(move |io| io.cast(group, &cast));
        assert!(read(&mut reader, message.len()) == message);
        if let Some(Call::Closed(c, closed)) = server.calls.try_iter().next() {
            assert_eq!(c, deaf_c);
            why = Some(closed.why);
            break;
        }
    }
    assert!(matches!(why, Some(Why::NotReading)), "{why:?}");
}

// Catches: a write without a deadline (nothing is ever closed), or one that runs while nothing is unsent.
#[test]
fn a_write_that_is_stuck_too_long_ends_the_connection() {
    let stuck = 100 * MS;
    let server = TestLoop::start(Limits { stuck: Some(stuck), ..Limits::default() }, silent);
    let (mut idle, idle_c) = server.client();
    let _deaf = narrow_client(server.addr);
    let (deaf_c, _) = server.opened();
    server.on_loop(move |io| io.send(deaf_c, &numbered(MUCH)));
    let closed = server.closed(deaf_c);
    assert!(matches!(closed.why, Why::NotReading), "{:?}", closed.why);
    assert!(closed.lasted >= stuck && closed.sent_bytes < MUCH as u64);
    server.on_loop(move |io| io.send(idle_c, b"You may be silent"));
    assert_eq!(read(&mut idle, 17), b"You may be silent");
}

// Catches: a timer that is not set again when it comes due early, a stale one that is taken at its word, and
// one that outlives its connection.
#[test]
fn a_deadline_comes_when_it_was_last_set_and_once() {
    let server = TestLoop::start(Limits::default(), silent);
    let clients: Vec<(TcpStream, ConnId)> = (0..4).map(|_| server.client()).collect();
    let [later, earlier, cancelled, closed] = [0, 1, 2, 3].map(|i: usize| clients[i].1);
    let start = server.on_loop(move |io| {
        let in_ms = |io: &Io<'_>, ms| Some(io.now() + ms * MS);
        for (c, first, then) in [
            (later, 20, Some(80)),
            (earlier, 600_000, Some(40)),
            (cancelled, 20, None),
            (closed, 20, Some(20)),
        ] {
            io.set_deadline(Some(c), in_ms(io, first));
            let then = then.and_then(|ms| in_ms(io, ms));
            io.set_deadline(Some(c), then);
        }
        io.close(closed, How::Now);
        io.set_deadline(None, in_ms(io, 160));
        io.now()
    });
    let next = || {
        server.wait_for(|call| if let Call::Deadline(c, at) = call { Some((c, at - start)) } else { None })
    };
    let (first, second, last) = (next(), next(), next());
    assert_eq!((first.0, second.0, last.0), (Some(earlier), Some(later), None));
    assert!(first.1 >= 40 * MS && second.1 >= 80 * MS && last.1 >= 160 * MS);
    server.on_loop(move |io| io.set_deadline(None, Some(io.now())));
    assert_eq!(next().0, None, "nothing was left over");
}

// Catches: a loop whose `connect` is never finished, or finished as if it had been accepted.
#[test]
fn a_connect_opens_a_connection() {
    let server = TestLoop::start(Limits::default(), echo);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let asked = server.on_loop(move |io| io.connect(addr, &SocketOptions::default(), PATIENCE)).unwrap();
    let (mut accepted, _) = listener.accept().unwrap();
    let (c, peer) = server.opened();
    assert_eq!((c, peer.addr, peer.outbound), (asked, addr, true));
    assert_eq!(server.on_loop(move |io| io.peer(c)), Some(peer));
    round_trip(&mut accepted, b"Hello");
}

// Catches: a refused connect that is reported as opened, or not at all.
#[test]
fn a_refused_connect_is_closed_with_the_reason() {
    let server = TestLoop::start(Limits::default(), silent);
    // Bound and not listening: nobody else gets the port meanwhile.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    // Where the system knows at once, `connect` itself says so.
    let cause = match server.on_loop(move |io| io.connect(addr, &SocketOptions::default(), PATIENCE)) {
        Err(error) => error.cause(),
        Ok(c) => failure(server.closed(c).why),
    };
    assert_eq!(cause, Cause::Refused);
}

fn failure(why: Why) -> Cause {
    match why {
        Why::Failed(error) => error.cause(),
        why => panic!("closed, but not failed: {why:?}"),
    }
}

// Catches: a connect without a time limit (the test ends after the system's own, two minutes or more).
// Linux: a full backlog drops handshakes there; others answer or reset.
#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_nobody_answers_times_out() {
    let server = TestLoop::start(Limits::default(), silent);
    let any = ["127.0.0.1:0".parse().unwrap()];
    let (listener, addr) = netlab::net::socket::listen(&any, &SocketOptions::default(), 1).unwrap();
    // A backlog of 1 holds two connections.
    let _waiting = [TcpStream::connect(addr).unwrap(), TcpStream::connect(addr).unwrap()];
    let c = server.on_loop(move |io| io.connect(addr, &SocketOptions::default(), 100 * MS)).unwrap();
    let closed = server.closed(c);
    assert!(closed.lasted >= 100 * MS);
    assert_eq!(failure(closed.why), Cause::TimedOut);
    drop(listener);
}

// Catches: a refusal that closes with unread bytes: the reset overtakes or replaces the FIN.
#[test]
fn a_refusal_reaches_a_client_that_has_already_spoken() {
    let server = TestLoop::refusing(
        b"come back later
",
    );
    let held = server.hold();
    let mut client = connect(server.addr);
    client.write_all(&vec![7; 100 << 10]).unwrap();
    drop(held);
    assert_eq!(
        read_to_end(&mut client),
        b"come back later
"
    );
    drop(client);
    assert_eq!(server.finish().connections, 0, "who was refused was not served");
}

// Catches: a join that is heard after a close (its bytes would follow the FIN and break the gentle end).
#[test]
fn a_connection_that_is_closing_joins_nothing() {
    let server = TestLoop::start(Limits::default(), silent);
    let (mut client, c) = server.client();
    client.write_all(&[7; 1 << 10]).unwrap();
    server.on_loop(move |io| {
        let group = io.group();
        io.send(c, b"goodbye");
        io.close(c, How::Gently);
        io.join(c, group);
        io.cast(group, b" and more");
    });
    assert_eq!(read_to_end(&mut client), b"goodbye");
}

// Catches: a reset that is looked for by reading alone: after a FIN nothing is read.
#[test]
fn a_reset_after_a_half_close_is_noticed() {
    let server = TestLoop::start(Limits::default(), half_open);
    let (client, c) = server.client();
    client.shutdown(Shutdown::Write).unwrap();
    server.wait_for(|call| matches!(call, Call::Ended(of) if of == c).then_some(()));
    // What it does not read makes its close a reset.
    server.on_loop(move |io| io.send(c, b"still talking"));
    let mut byte = [0];
    client.peek(&mut byte).unwrap();
    drop(client);
    assert_eq!(failure(server.closed(c).why), Cause::Reset);
}

// Catches: a reset that a held-back connection never notices, because it is not read.
#[test]
fn a_reset_of_one_that_does_not_read_is_noticed() {
    let server = TestLoop::start(Limits { outbox: 1 << 10, ..Limits::default() }, echo);
    let client = narrow_client(server.addr);
    let (c, _) = server.opened();
    server.on_loop(move |io| io.send(c, &numbered(MUCH)));
    reset(client);
    assert_eq!(failure(server.closed(c).why), Cause::Reset);
}

// Catches: a stop that closes at once (the second client loses its output), or that never ends.
#[test]
fn stopping_lets_a_client_take_what_it_was_sent() {
    let server = TestLoop::start(Limits { stop_within: PATIENCE, ..Limits::default() }, silent);
    let (mut idle, _) = server.client();
    let mut reader = narrow_client(server.addr);
    let (c, _) = server.opened();
    server.on_loop(move |io| io.send(c, &numbered(MUCH)));
    server.stop.request();
    server.wait_for(|call| matches!(call, Call::Stopping).then_some(()));
    assert_eq!(read_to_end(&mut idle), b"");
    drop(idle);
    assert!(read_to_end(&mut reader) == numbered(MUCH));
    drop(reader);
    let totals = server.finish();
    assert_eq!((totals.connections, totals.sent_bytes), (2, MUCH as u64));
}

// Catches: a stop that waits for a client that never reads.
#[test]
fn stopping_ends_in_time_whoever_does_not_read() {
    let limits = Limits { stop_within: 200 * MS, stuck: Some(2 * PATIENCE), ..Limits::default() };
    let server = TestLoop::start(limits, silent);
    let _deaf = narrow_client(server.addr);
    let (c, _) = server.opened();
    server.on_loop(move |io| io.send(c, &numbered(MUCH)));
    let start = Instant::now();
    let totals = server.finish();
    assert!(start.elapsed() >= 200 * MS, "it was given no time at all");
    assert!(start.elapsed() < PATIENCE, "it was given all the time of a stuck write");
    assert!(totals.sent_bytes < MUCH as u64);
}

// Catches: ids without a generation (the newcomer is sent to, closed, or called by another's deadline).
#[test]
fn an_old_id_does_not_mean_the_newcomer_in_its_place() {
    let server = TestLoop::start(Limits::default(), echo);
    let (old, old_c) = server.client();
    server.on_loop(move |io| io.close(old_c, How::Now));
    server.closed(old_c);
    drop(old);
    let (mut new, new_c) = server.client();
    assert_eq!((new_c.number(), new_c == old_c), (old_c.number(), false));
    let peer = server.on_loop(move |io| {
        let group = io.group();
        io.join(old_c, group);
        io.cast(group, b"not for you");
        io.send(old_c, b"nor this");
        io.set_deadline(Some(old_c), Some(io.now()));
        io.leave(old_c);
        io.close(old_c, How::Now);
        io.peer(old_c)
    });
    assert_eq!(peer, None);
    round_trip(&mut new, b"Hello");
    let called = |call: Call| matches!(call, Call::Deadline(..) | Call::Closed(..));
    assert!(!server.calls.try_iter().any(called));
}

// Catches: a wake that is lost while the loop sleeps, or between two of its turns.
#[test]
fn every_wake_from_another_thread_is_heard() {
    let server = TestLoop::start(Limits::default(), silent);
    let start = Instant::now();
    for n in 0..2_000 {
        assert_eq!(server.on_loop(move |_| n), n);
    }
    assert!(start.elapsed() < PATIENCE);
}

// Catches: a pause that spins (thousands of sleeps), and one that never ends.
#[test]
fn a_full_loop_waits_without_spinning_and_goes_on_when_there_is_room() {
    let server = TestLoop::start(Limits { connections: Some(2), ..Limits::default() }, echo);
    let first = server.client();
    let _second = server.client();
    let mut third = connect(server.addr);
    server.wait_for(|call| matches!(call, Call::Paused).then_some(()));
    server.seen();
    server.on_loop(|io| io.set_deadline(None, Some(io.now() + 200 * MS)));
    server.wait_for(|call| matches!(call, Call::Deadline(..)).then_some(()));
    let sleeps = server.seen().iter().filter(|saw| **saw == Saw::Slept).count();
    assert!(sleeps < 10, "{sleeps} sleeps in 200 ms");
    drop(first);
    server.wait_for(|call| matches!(call, Call::Resumed).then_some(()));
    round_trip(&mut third, b"my turn");
}

// Catches: a pause that is over while the room is taken again: the loop asks for ever whether it may accept.
#[test]
fn room_that_the_handler_takes_itself_does_not_make_it_spin() {
    let server = TestLoop::start(Limits { connections: Some(1), ..Limits::default() }, echo);
    let (_first, c) = server.client();
    let _waiting = connect(server.addr);
    server.wait_for(|call| matches!(call, Call::Paused).then_some(()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    server.on_loop(move |io| {
        io.close(c, How::Now);
        io.connect(addr, &SocketOptions::default(), PATIENCE).map(drop).unwrap();
    });
    server.opened();
    server.seen();
    server.on_loop(|io| io.set_deadline(None, Some(io.now() + 200 * MS)));
    server.wait_for(|call| matches!(call, Call::Deadline(..)).then_some(()));
    let sleeps = server.seen().iter().filter(|saw| **saw == Saw::Slept).count();
    assert!(sleeps < 10, "{sleeps} sleeps in 200 ms");
}

// Catches: a drain without a time limit (a client that stays connected is never closed), or without a drain.
#[test]
fn a_gentle_close_waits_a_while_for_the_peer_and_no_longer() {
    let drain_time = 100 * MS;
    let server = TestLoop::start(Limits { drain_time, ..Limits::default() }, silent);
    let (mut stays, c) = server.client();
    server.on_loop(move |io| io.close(c, How::Gently));
    assert_eq!(read_to_end(&mut stays), b"");
    assert!(server.closed(c).lasted >= drain_time);
    let (mut leaves, c) = server.client();
    server.on_loop(move |io| io.set_deadline(None, Some(io.now() + PATIENCE)));
    server.on_loop(move |io| io.close(c, How::Gently));
    assert_eq!(read_to_end(&mut leaves), b"");
    drop(leaves);
    assert!(matches!(server.closed(c).why, Why::Closed));
}

// Catches: a drain without a limit of bytes (whoever sends on keeps the connection, and the loop busy).
#[test]
fn a_gentle_close_does_not_read_for_ever() {
    let limits = Limits { drain_time: 10 * PATIENCE, drain_bytes: 64 << 10, ..Limits::default() };
    let server = TestLoop::start(limits, silent);
    let (mut firehose, c) = server.client();
    server.on_loop(move |io| io.close(c, How::Gently));
    let chunk = vec![7; 64 << 10];
    let sent = (0..4 * MUCH / chunk.len()).take_while(|_| firehose.write_all(&chunk).is_ok()).count();
    assert!(sent < 4 * MUCH / chunk.len(), "it reads and reads");
    let closed = server.closed(c);
    assert!(closed.received_bytes <= (64 << 10) + (256 << 10), "{} bytes were read", closed.received_bytes);
}

// Catches: a FIN that comes in one event with the connection, as a full server sends it, and is never told again.
#[test]
fn a_peer_that_speaks_and_ends_before_the_connection_is_noticed_is_heard_to_its_end() {
    let client = TestLoop::start(Limits::default(), silent);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    // The loop looks at nothing while this runs on it: it meets all three at once.
    let c = client.on_loop(move |io| {
        let c = io.connect(addr, &SocketOptions::default(), PATIENCE).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"busy").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        (c, peer)
    });
    let closed = client.closed(c.0);
    assert!(matches!(closed.why, Why::Closed), "{:?}", closed.why);
    assert_eq!(closed.received_bytes, 4);
}

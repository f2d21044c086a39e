//! Records through the server, on a real disk: kill -9, a disk that is full or slow or gone, the order of answers.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "figures, for whoever wants to see them (--nocapture)")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;
mod slow_disk;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use harness::eventually;
use rooms::{Client, Place, frame};
use slow_disk::{SLOW, SlowServer};

/// Writers at a time, each with a record of its own and one that they all write.
const WRITERS: u64 = 4;

/// The `n`th text of a record: long enough to be torn, and it shows where.
fn text(n: u64) -> String {
    format!("write {n}\n").repeat(1_000)
}

/// The number of a text, if it is whole.
fn number(found: &str) -> Option<u64> {
    let n = found.strip_prefix("write ")?.lines().next()?.parse().ok()?;
    (found == text(n)).then_some(n)
}

fn id(n: u64) -> String {
    format!("s{}", n % (2 * WRITERS))
}

/// Writes until the server is gone: several in flight, each acknowledgement noted.
fn write_until_killed(
    addr: SocketAddr,
    writer: u64,
    first: u64,
    acked: &Mutex<BTreeMap<String, u64>>,
    each: &Sender<()>,
) {
    let mut client = Client::named(addr, &format!("w{writer}"));
    let (mut sent, mut done) = (first, first);
    loop {
        while sent < done + 4 {
            // Two records for each writer, in turn.
            let id = id(writer * 2 + sent % 2);
            let message = json!({ "type": "RECORD_WRITE", "id": sent, "data": { "client_id": id, "text": text(sent) } });
            if client.stream().write_all(&frame(message.to_string())).is_err() {
                return;
            }
            sent += 1;
        }
        match client.receive() {
            Ok(Some(message)) if message["id"].is_u64() => {
                assert_eq!(message["type"], "RECORD_WRITTEN", "{message}");
                assert_eq!(message["id"], done, "answers of a connection come in order");
                let id = message["data"]["client_id"].as_str().unwrap().to_owned();
                acked.lock().unwrap().insert(id, done);
                done += 1;
                // After the kill nobody counts any more.
                let _ = each.send(());
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// What is wrong after a restart, if anything: asked of the server, and of the files.
fn fault(place: &Place, addr: SocketAddr, acked: &BTreeMap<String, u64>) -> Option<String> {
    let mut client = Client::named(addr, "reader");
    for (id, acked) in acked {
        let answer = client.ask("RECORD_READ", &json!({ "client_id": id }));
        let Some(found) = answer["data"]["text"].as_str() else { return Some(format!("{id}: {answer}")) };
        match number(found) {
            None => return Some(format!("{id} is torn: {} B", found.len())),
            Some(n) if n < *acked => return Some(format!("{id}: {acked} was acknowledged, {n} is there")),
            Some(_) => {}
        }
    }
    let (index, files) = (place.index(), place.files_by_id());
    let strays = std::fs::read_dir(place.files()).unwrap().count() - files.len() - 1;
    if strays > 0 {
        return Some(format!("{strays} files are neither records nor the lock"));
    }
    (index != files).then(|| format!("the index has {index:?}, the files {files:?}"))
}

fn kills_lose_nothing(kills: u64, writes_each: usize) {
    let place = Place::new();
    let acked = Mutex::new(BTreeMap::new());
    let mut total = 0;
    for kill in 0..=kills {
        // A restart is the check of the kill before it.
        let server = place.serve(&["--rate-limit", "0"]);
        let known = acked.lock().unwrap().clone();
        assert_eq!(fault(&place, server.addr, &known), None, "after {kill} kills and {total} writes");
        if kill == kills {
            break;
        }
        let (each, acks) = channel();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (each, acked, addr) = (each.clone(), &acked, server.addr);
                // Numbers grow from start to start, so that an old text is known as old.
                scope.spawn(move || write_until_killed(addr, writer, 1 + kill * 1_000_000, acked, &each));
            }
            for _ in 0..writes_each {
                acks.recv_timeout(harness::PATIENCE).expect("writes are acknowledged");
            }
            // In the middle of whatever goes on some moment later.
            thread::sleep(Duration::from_micros(kill * 7_919 % 5_000));
            drop(server);
        });
        total += writes_each + acks.try_iter().count();
    }
    println!("{kills} kills, {total} acknowledged writes");
    assert_eq!(acked.lock().unwrap().len() as u64, 2 * WRITERS, "every record was written");
}

// Catches: an answer before the rename (lost), a write to the file itself (torn), an index that is not rebuilt, and
// temporaries that stay.
#[test]
fn kills_during_writes_lose_nothing() {
    kills_lose_nothing(10, 50);
}

// Catches: a failed write that is acknowledged, or that destroys what was there; a temporary that stays; a server
// that dies of SIGXFSZ or of the error.
#[test]
fn a_full_disk_is_told_and_the_rooms_go_on() {
    let place = Place::new();
    // Files may have 4 KiB (dash counts in blocks of 512 bytes, bash in KiB): as if the disk were full then.
    let server = place.serve_limited("trap '' XFSZ; ulimit -f 8", &[]);
    let mut ada = Client::named(server.addr, "ada");
    let mut bob = Client::named(server.addr, "bob");
    let small = json!({ "client_id": "ada", "text": "small" });
    assert_eq!(ada.ask("RECORD_WRITE", &small)["type"], "RECORD_WRITTEN");
    let before = place.files_by_id();
    let large = json!({ "client_id": "ada", "text": "x".repeat(30_000) });
    for _ in 0..3 {
        let refused = ada.refused("RECORD_WRITE", &large);
        assert_eq!(refused["code"], "store_failed");
        assert!(!refused["message"].as_str().unwrap().contains('/'), "paths are the operator's: {refused}");
        assert_eq!(bob.ask("ROOM_ECHO", &json!({ "text": "we go on" }))["type"], "ROOM_ECHOED");
    }
    assert_eq!(ada.ask("RECORD_READ", &json!({ "client_id": "ada" }))["data"]["text"], "small");
    assert_eq!(place.files_by_id(), before);
    assert_eq!(std::fs::read_dir(place.files()).unwrap().count(), 2, "the record and the lock");
    assert_eq!(
        bob.ask("RECORD_WRITE", &json!({ "client_id": "bob", "text": "b" }))["type"],
        "RECORD_WRITTEN"
    );
}

// Catches: a folder that is gone taken for an empty one, and a store that never recovers.
#[test]
fn a_folder_that_goes_and_comes_back() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ada = Client::named(server.addr, "ada");
    let record = json!({ "client_id": "ada", "text": "one" });
    assert_eq!(ada.ask("RECORD_WRITE", &record)["type"], "RECORD_WRITTEN");
    std::fs::rename(place.files(), place.path("elsewhere")).unwrap();
    std::fs::write(place.files(), "no folder").unwrap();
    assert_eq!(ada.refused("RECORD_WRITE", &record)["code"], "store_failed");
    assert_eq!(ada.refused("RECORD_READ", &json!({ "client_id": "ada" }))["code"], "store_failed");
    assert_eq!(ada.ask("ROOM_ECHO", &json!({ "text": "we go on" }))["type"], "ROOM_ECHOED");
    std::fs::remove_file(place.files()).unwrap();
    std::fs::rename(place.path("elsewhere"), place.files()).unwrap();
    let again = json!({ "client_id": "ada", "text": "two" });
    assert_eq!(ada.ask("RECORD_WRITE", &again)["type"], "RECORD_WRITTEN");
    assert_eq!(ada.ask("RECORD_READ", &json!({ "client_id": "ada" }))["data"]["text"], "two");
}

// Catches: requests that overtake the one that waits for the disk, a connection that is not read again afterwards,
// a disk on whose thread the rooms wait.
#[test]
fn a_slow_disk_delays_its_own_client_and_nobody_else() {
    let place = Place::new();
    let server = SlowServer::start(&place, 256);
    let mut ada = Client::named(server.addr, "ada");
    let mut bob = Client::named(server.addr, "bob");
    let mut sent = Vec::new();
    sent.push(ada.send("RECORD_READ", &json!({ "client_id": SLOW })));
    sent.push(ada.send("RECORD_WRITE", &json!({ "client_id": "ada", "text": "first" })));
    for n in 0..50 {
        sent.push(ada.send("ROOM_ECHO", &json!({ "text": format!("after the write {n}") })));
    }
    sent.push(ada.send("RECORD_READ", &json!({ "client_id": "ada" })));
    sent.push(ada.send("PING", &json!({})));
    let write = bob.send("RECORD_WRITE", &json!({ "client_id": "bob", "text": "waits as well" }));
    // Those who want nothing of the disk go on. Had one of ada's messages overtaken, eve would hear it.
    let mut eve = Client::named(server.addr, "eve");
    for n in 1..=20 {
        assert_eq!(eve.ask("ROOM_ECHO", &json!({ "text": "meanwhile" }))["data"]["seq"], n);
    }
    ada.stream().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let early = std::iter::from_fn(|| ada.receive().ok().flatten()).find(|message| message["id"].is_number());
    assert_eq!(early, None, "nothing was answered before its turn");
    ada.stream().set_read_timeout(Some(harness::PATIENCE)).unwrap();
    server.open_gate();
    let answers: Vec<Value> = std::iter::repeat_with(|| ada.next())
        .filter(|m| m["id"].is_number() || m["data"]["ref"].is_number())
        .take(sent.len())
        .collect();
    let order: Vec<u64> =
        answers.iter().map(|m| m["id"].as_u64().or(m["data"]["ref"].as_u64()).unwrap()).collect();
    assert_eq!(order, sent, "{answers:#?}");
    assert_eq!(answers[0]["data"]["code"], "no_such_record");
    assert_eq!(answers[1]["type"], "RECORD_WRITTEN", "{answers:#?}");
    assert_eq!(answers[52]["data"]["text"], "first");
    assert_eq!(bob.answer_to(write)["type"], "RECORD_WRITTEN");
}

// Catches: a queue without a bound, one whose fullness is not told, a client that is not read again after that.
#[test]
fn a_disk_with_too_much_to_do_says_busy() {
    let place = Place::new();
    let server = SlowServer::start(&place, 400);
    let mut first = Client::connect(server.addr);
    first.send("RECORD_READ", &json!({ "client_id": SLOW }));
    // One in work (perhaps with a batch of others), 256 in the queue: of 350 more, some find it full.
    let mut crowd: Vec<Client> = (0..350).map(|_| Client::connect(server.addr)).collect();
    for client in &mut crowd {
        client.send("RECORD_READ", &json!({ "client_id": "nobody" }));
    }
    let last = crowd.last_mut().unwrap();
    assert_eq!(last.next()["data"]["code"], "busy");
    assert_eq!(last.ask("PING", &json!({}))["type"], "PONG", "and it is heard again");
    // What came in the same segment behind the refused request is handled as well, in order.
    let three = ["RECORD_READ", "RECORD_READ", "PING"].map(|kind| {
        frame(json!({ "type": kind, "data": { "client_id": "nobody" }, "id": kind }).to_string())
    });
    last.send_raw(&three.concat());
    let answers = [last.next(), last.next(), last.next()];
    assert_eq!(answers.each_ref().map(|m| &m["id"]), ["RECORD_READ", "RECORD_READ", "PING"]);
    assert_eq!((&answers[0]["data"]["code"], &answers[2]["type"]), (&json!("busy"), &json!("PONG")));
    server.open_gate();
    let codes: Vec<Value> =
        crowd[..349].iter_mut().map(|client| client.next()["data"]["code"].clone()).collect();
    assert!(codes.iter().all(|code| code == "busy" || code == "no_such_record"), "{codes:?}");
    let waited = codes.iter().filter(|code| *code == "no_such_record").count();
    assert!((200..=256 + 64).contains(&waited), "{waited} waited");
}

// Catches: a stop that leaves queued writes behind, or tells their clients nothing but goodbye.
#[test]
fn what_was_begun_is_on_disk_and_answered_when_the_server_has_stopped() {
    let place = Place::new();
    let mut server = SlowServer::start(&place, 256);
    let mut blocker = Client::connect(server.addr);
    blocker.send("RECORD_READ", &json!({ "client_id": SLOW }));
    let mut idle = Client::connect(server.addr);
    let mut clients: Vec<Client> = (0..20).map(|n| Client::named(server.addr, &format!("u{n}"))).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.send("RECORD_WRITE", &json!({ "client_id": format!("u{n}"), "text": "last words" }));
        // An answer to somebody who sent later says that this one has been read.
        assert_eq!(ping(server.addr)["type"], "PONG");
    }
    server.stop();
    assert_eq!(idle.next_of("BYE")["type"], "BYE", "who waits for nothing is told at once");
    idle.end();
    assert!(!place.files().join("u0.txt").exists(), "the disk stands still");
    server.open_gate();
    for client in &mut clients {
        assert_eq!(client.next_of("RECORD_WRITTEN")["type"], "RECORD_WRITTEN");
        assert_eq!(client.next_of("BYE")["type"], "BYE");
        // FIN for FIN, so that the loop ends.
        client.end();
    }
    blocker.end();
    server.wait();
    assert_eq!(place.files_by_id().len(), 20);
    assert_eq!(place.index(), place.files_by_id(), "the index as well");
}

fn ping(addr: SocketAddr) -> Value {
    Client::connect(addr).ask("PING", &json!({}))
}

// Catches: a refresh that changes the text, or the file without the index; `update-timer` that is not heeded.
#[test]
fn old_records_get_a_new_stamp_while_the_rooms_go_on() {
    let place = Place::new();
    let old = "2001-01-01 00:00:00";
    std::fs::create_dir_all(place.files()).unwrap();
    std::fs::write(place.files().join("ada.txt"), format!("Last updated: {old}\nStudent ID: ada\n")).unwrap();
    let server = place.serve(&["--update-timer", "0.2", "--update-threshold", "1h", "--rate-limit", "0"]);
    let mut client = Client::connect(server.addr);
    eventually("the stamp is new", || {
        let record = client.ask("RECORD_READ", &json!({ "client_id": "ada" }));
        assert_eq!(record["type"], "RECORD", "{record}");
        record["data"]["updated"] != old
    });
    let record = client.ask("RECORD_READ", &json!({ "client_id": "ada" }));
    assert_eq!(record["data"]["text"], "Student ID: ada\n");
    let stamp = record["data"]["updated"].as_str().unwrap();
    eventually("the index follows", || place.index()["ada"] == stamp);
}

mod long {
    #[test]
    #[ignore = "long: 200 kills during 10,000 writes"]
    fn two_hundred_kills_lose_nothing() {
        super::kills_lose_nothing(200, 50);
    }
}

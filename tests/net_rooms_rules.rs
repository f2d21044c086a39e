//! The protocol page's rules over the wire: every error code, who hears what, how connections end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netlab::protocol::proof::to_hex;
use serde_json::{Value, json};

use harness::eventually;
use rooms::{Client, End, Place, frame, nonce};

/// The codes of the protocol page.
const CODES: &str = "bad_frame bad_json bad_message unknown_type too_large wrong_state unauthorized login_failed \
                     name_taken bad_name no_such_room room_exists not_in_room limit rate_limited no_such_record \
                     bad_record store_failed busy timeout";

/// What a broken frame or a deadline brings: an error's code, BYE, a clean end.
fn ended(client: &mut Client) -> Value {
    let (rest, end) = client.rest();
    let [error, bye] = rest.as_slice() else { panic!("{rest:?}") };
    assert_eq!((&error["type"], &bye["type"], end), (&json!("ERROR"), &json!("BYE"), End::Clean));
    error["data"].clone()
}

// Catches: a code that no path leads to any more, an error without `id`, one that closes and should not.
#[test]
fn every_error_code_is_reached_over_the_wire() {
    let mut reached = BTreeSet::new();
    let mut code = |data: &Value| {
        assert!(!data["message"].as_str().unwrap().is_empty());
        reached.insert(data["code"].as_str().unwrap().to_owned());
    };
    let place = Place::new();
    let limits =
        ["--max-frame", "2k", "--max-rooms", "1", "--frame-timeout", "0.3", "--max-connections", "4"];
    let server = place.serve(&limits);
    let mut ada = Client::named(server.addr, "Ada");
    let mut anon = Client::connect(server.addr);
    let requests = [
        ("LOGIN", json!({ "username": "a b" })),
        ("LOGIN", json!({ "username": "anon7" })),
        ("LOGIN", json!({ "username": "aDA" })),
        ("AUTH", json!({ "username": "ada", "nonce": to_hex(&nonce()) })),
        ("ROOM_JOIN", json!({ "room": "nowhere" })),
        ("ROOM_CREATE", json!({ "room": "DEFAULT" })),
        ("ROOM_ECHO", json!({ "text": "to nobody" })),
        ("RECORD_WRITE", json!({ "client_id": "x", "text": "" })),
        ("RECORD_READ", json!({ "client_id": "x" })),
        ("RECORD_READ", json!({ "client_id": "../x" })),
        ("ROOM_JOIN", json!({ "room": 7 })),
        ("NO_SUCH", json!({})),
    ];
    for (kind, data) in requests {
        code(&anon.refused(kind, &data));
    }
    assert_eq!(ada.ask("ROOM_CREATE", &json!({ "room": "one" }))["type"], "ROOM_CREATED");
    code(&anon.refused("ROOM_CREATE", &json!({ "room": "two" })));
    anon.send_raw(&frame("{"));
    code(&anon.next_of("ERROR")["data"]);
    std::fs::create_dir(place.files().join("broken.txt")).unwrap();
    code(&ada.refused("RECORD_WRITE", &json!({ "client_id": "broken", "text": "" })));
    let mut large = Client::connect(server.addr);
    large.send_raw(&frame([b' '; 3_000]));
    code(&ended(&mut large));
    let mut cut = Client::connect(server.addr);
    cut.send_raw(&[0, 9, b'{']);
    cut.end();
    code(&ended(&mut cut));
    let mut slow = Client::connect(server.addr);
    slow.send_raw(&[0, 9, b'{']);
    code(&ended(&mut slow));
    let crowd: Vec<Client> = (0..2).map(|_| Client::connect(server.addr)).collect();
    eventually("there is no place left", || ada.ask("INFO", &json!({}))["data"]["free_connections"] == 0);
    code(&ended(&mut Client::connect(server.addr)));
    drop(crowd);
    let limited: Vec<Value> = (0..200).map(|_| ada.ask("PING", &json!({}))).collect();
    code(&limited.iter().find(|answer| answer["type"] == "ERROR").expect("200 at once are too many")["data"]);
    let key = place.add_user("ada", &[]);
    let keyed = place.serve(&["--auth", "hmac", "--file-path", "k", "--record-path", "k"]);
    let mut stranger = Client::connect(keyed.addr);
    let theirs = stranger.challenge("ada", &nonce());
    code(&stranger.prove(&stranger.transcript("ada", &theirs, &theirs).server_mac(&key))["data"]);
    let expected: BTreeSet<String> = CODES.split_whitespace().map(str::to_owned).collect();
    assert_eq!(reached, expected);
}

// Catches: a bucket that never fills, a refusal that costs a token, `retry_after_ms` that is too short.
#[test]
fn who_is_too_fast_is_told_when_to_go_on() {
    let place = Place::new();
    let server = place.serve(&["--rate-limit", "10", "--rate-burst", "5"]);
    let mut client = Client::connect(server.addr);
    let sent: Vec<u64> = (0..40).map(|_| client.send("PING", &json!({}))).collect();
    let answers: Vec<Value> = sent.iter().map(|id| client.answer_to(*id)).collect();
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["type"] == "ERROR").collect();
    assert!(refused.len() >= 30, "{} of 40 were refused", refused.len());
    for fault in &refused {
        assert_eq!(fault["data"]["code"], "rate_limited");
        assert!((1..=100).contains(&fault["data"]["retry_after_ms"].as_u64().unwrap()), "{fault}");
    }
    for _ in 0..5 {
        let Some(wait) = client.ask("PING", &json!({}))["data"]["retry_after_ms"].as_u64() else { continue };
        std::thread::sleep(Duration::from_millis(wait));
        assert_eq!(client.ask("PING", &json!({}))["type"], "PONG", "after the wait that was asked for");
    }
    let mut other = Client::connect(server.addr);
    assert_eq!(other.ask("PING", &json!({}))["type"], "PONG", "others have a bucket of their own");
}

// Catches: a ghost of who hung up, a notice before the leaver is out, a notice to the leaver, two rooms at a time.
#[test]
fn the_others_see_who_comes_and_goes_and_no_ghost_stays() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ada = Client::named(server.addr, "ada");
    assert_eq!(ada.ask("ROOM_JOIN", &json!({ "room": "lab", "create": true }))["data"]["members"], 1);
    let mut bob = Client::named(server.addr, "bob");
    let joined = bob.ask("ROOM_JOIN", &json!({ "room": "LAB" }));
    assert_eq!(joined["data"], json!({ "room": "lab", "username": "bob", "members": 2, "seq": 0 }));
    let notice = ada.next_of("ROOM_JOINED");
    assert_eq!(notice["data"], json!({ "room": "lab", "username": "bob", "members": 2 }));
    assert_eq!(notice["id"], Value::Null, "a notice has no id");
    // The same frame for both, with the speaker's mark as `ref` and no `id`.
    let echo = bob.send("ROOM_ECHO", &json!({ "text": "Hi" }));
    let (at_bob, at_ada) = (bob.next_of("ROOM_ECHOED"), ada.next_of("ROOM_ECHOED"));
    assert_eq!(at_bob, at_ada);
    assert_eq!(at_bob["data"], json!({ "room": "lab", "from": "bob", "text": "Hi", "seq": 1, "ref": echo }));
    assert_eq!(at_bob["id"], Value::Null);
    let default = bob.ask("ROOM_JOIN", &json!({ "room": "default" }));
    assert_eq!(default["data"]["members"], 1);
    assert_eq!(ada.next_of("ROOM_LEFT")["data"], json!({ "room": "lab", "username": "bob", "members": 1 }));
    bob.ask("ROOM_JOIN", &json!({ "room": "lab" }));
    drop(bob);
    assert_eq!(ada.next_of("ROOM_LEFT")["data"]["username"], "bob", "hanging up is leaving");
    assert_eq!(ada.ask("ROOM_MEMBERS", &json!({}))["data"]["members"], json!(["ada"]));
    let mut again = Client::named(server.addr, "BOB");
    assert_eq!(ada.ask("ROOM_LEAVE", &json!({}))["data"], json!({ "room": "lab", "username": "ada" }));
    let rooms = again.ask("ROOM_LIST", &json!({}))["data"]["rooms"].clone();
    assert_eq!(rooms, json!([{ "room": "default", "members": 1 }]), "an empty room is gone");
}

// Catches: a half-close taken for a hang-up while answers are due, one of them from the disk.
#[test]
fn all_that_came_before_a_half_close_is_answered() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut ada = Client::named(server.addr, "ada");
    let sent = [
        ada.send("RECORD_WRITE", &json!({ "client_id": "ada", "text": "t" })),
        ada.send("RECORD_READ", &json!({ "client_id": "ada" })),
        ada.send("PING", &json!({})),
    ];
    ada.end();
    let (rest, end) = ada.rest();
    let answers: Vec<u64> = rest.iter().filter_map(|message| message["id"].as_u64()).collect();
    assert_eq!((answers.as_slice(), end), (&sent[..], End::Clean), "{rest:?}");
    assert_eq!(rest.iter().find(|m| m["id"] == sent[1]).unwrap()["data"]["text"], "t");
}

// Catches: idle time that is counted from connecting, or that a PING does not end; a stop to a client in a frame.
#[test]
fn who_is_silent_for_too_long_is_closed_and_who_pings_is_not() {
    let place = Place::new();
    let server = place.serve(&["--idle-timeout", "1", "--rate-limit", "0"]);
    let begun = Instant::now();
    let (mut silent, mut lively) = (Client::connect(server.addr), Client::connect(server.addr));
    while begun.elapsed() < Duration::from_millis(2_500) {
        assert_eq!(lively.ask("PING", &json!({}))["type"], "PONG");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ended(&mut silent)["code"], "timeout");
    assert_eq!(lively.ask("PING", &json!({}))["type"], "PONG");
}

// Catches: a tenth strike that is an eleventh, a rightful message that wipes strikes out (or counts as one).
#[test]
fn the_tenth_malformed_message_closes() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut client = Client::connect(server.addr);
    for n in 1..=10 {
        assert_eq!(client.ask("PING", &json!({}))["type"], "PONG", "before the {n}th");
        client.send_raw(&frame("{}"));
        assert_eq!(client.next()["data"]["code"], "bad_message");
    }
    let (rest, end) = client.rest();
    assert_eq!((rest.len(), &rest[0]["type"], end), (1, &json!("BYE"), End::Clean));
}

// Catches: a record of somebody else, an answer that tells whether it exists, a teacher who is a student.
#[test]
fn records_belong_to_their_user_and_to_teachers() {
    let place = Place::new();
    let (ada, grace) = (place.add_user("ada", &[]), place.add_user("grace", &["--role", "teacher"]));
    let server = place.serve(&["--auth", "hmac"]);
    let log_in = |name: &str, key| {
        let mut client = Client::connect(server.addr);
        let mine = nonce();
        let theirs = client.challenge(name, &mine);
        let mac = client.transcript(name, &mine, &theirs).client_mac(key);
        assert_eq!(client.prove(&mac)["type"], "LOGGED_IN");
        client
    };
    let (mut ada, mut grace) = (log_in("ada", &ada), log_in("grace", &grace));
    let mut stranger = Client::connect(server.addr);
    let record = |id: &str| json!({ "client_id": id, "text": "t" });
    assert_eq!(ada.ask("RECORD_WRITE", &record("Ada"))["type"], "RECORD_WRITTEN");
    for id in ["grace", "nobody"] {
        assert_eq!(ada.refused("RECORD_WRITE", &record(id))["code"], "unauthorized");
        assert_eq!(ada.refused("RECORD_READ", &record(id))["code"], "unauthorized");
    }
    assert_eq!(grace.ask("RECORD_READ", &record("Ada"))["data"]["text"], "t");
    assert_eq!(grace.refused("RECORD_READ", &record("nobody"))["code"], "no_such_record");
    assert_eq!(grace.ask("RECORD_WRITE", &record("nobody"))["type"], "RECORD_WRITTEN");
    assert_eq!(stranger.refused("RECORD_READ", &record("Ada"))["code"], "unauthorized");
    assert_eq!(stranger.refused("INFO", &json!({}))["code"], "unauthorized");
    assert_eq!(stranger.ask("PING", &json!({ "x": [1] }))["data"], json!({ "x": [1] }));
    stranger.send_raw(&frame([b' '; 4_097]));
    assert_eq!(ended(&mut stranger)["code"], "too_large", "4 KiB are enough before a login");
}

//! `netlab say` and `netlab records`, end to end against `netlab serve`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use rooms::{Client, Place, timed};

// Catches: words that become several messages, an answer that is somebody else's echo, an address taken for text.
#[test]
fn say_waits_for_its_own_echo() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut listener = Client::named(server.addr, "listener");
    listener.ask("ROOM_JOIN", &json!({ "room": "lab", "create": true }));
    let said = place.run(&["say", &server.at(), "--room", "lab", "--user", "ada", "Hello", "everyone"], "");
    assert_eq!((said.code, said.text()), (Some(0), "lab #1 ada: Hello everyone\n".into()), "{}", said.stderr);
    assert_eq!(listener.next_of("ROOM_ECHOED")["data"]["text"], "Hello everyone");
    assert_eq!(listener.next_of("ROOM_LEFT")["data"]["username"], "ada", "it does not stay");
    let port = server.addr.port().to_string();
    let json = place.run(&["say", "-p", &port, "--room", "lab", "-J", "--", "127.0.0.1"], "");
    assert_eq!(json.code, Some(0), "{}", json.stderr);
    let message = json.json()["messages"][0].clone();
    assert_eq!((&message["text"], &message["seq"]), (&json!("127.0.0.1"), &json!(2)));
    assert!(message["from"].as_str().unwrap().starts_with("anon"), "{message}");
    assert!(message["rtt_us"].as_u64().unwrap() > 0);
    // What a terminal would obey is escaped.
    let evil = place.run(&["say", &server.at(), "--user", "eve", "\u{1b}[2J"], "");
    assert_eq!(evil.text(), "default #1 eve: \\x1b[2J\n");
}

// Catches: a line that is lost or sent twice at a refusal, a client that gives up or that never waits.
#[test]
fn say_sends_each_line_of_stdin_at_the_pace_of_the_server() {
    let place = Place::new();
    let server = place.serve(&["-v"]);
    let mut listener = Client::named(server.addr, "listener");
    let all = |line: fn(u32) -> String| (1..=100).map(line).collect::<Vec<_>>().concat();
    let lines = all(|n| format!("line {n}\n"));
    let (said, took) = timed(|| place.run(&["say", &server.at(), "--user", "ada"], &lines));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(said.text(), all(|n| format!("default #{n} ada: line {n}\n")));
    for n in 1..=100 {
        assert_eq!(listener.next_of("ROOM_ECHOED")["data"]["text"], format!("line {n}"));
    }
    // 102 requests, of which 60 at once and the others at 20 a second.
    assert!(took > Duration::from_millis(1_900), "{took:?}: faster than the server allows");
    let empty = place.run(&["say", &server.at()], "");
    assert_eq!((empty.code, empty.text()), (Some(0), String::new()));
    let (log, _) = server.stop();
    let refusals = log.matches("rate_limited").count();
    assert!((1..=100).contains(&refusals), "{refusals} refusals: it does not wait as long as it is told");
}

// Catches: a client that reads nothing while it waits for its stdin, and is closed as one that does not read.
#[test]
fn say_keeps_up_with_the_room_while_stdin_is_silent() {
    let place = Place::new();
    let server = place.serve(&["--rate-limit", "0"]);
    let mut speaker = Client::named(server.addr, "speaker");
    let mut say = place.netlab();
    say.args(["say", &server.at(), "--user", "ada"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut say = say.spawn().unwrap();
    assert_eq!(speaker.next_of("ROOM_JOINED")["data"]["username"], "speaker");
    assert_eq!(speaker.next_of("ROOM_JOINED")["data"]["username"], "ada");
    for n in 0..200 {
        speaker.ask("ROOM_ECHO", &json!({ "text": "x".repeat(30_000) }));
        // Slower than it reads, on any machine.
        if n % 5 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    say.stdin.take().unwrap().write_all(b"at last\n").unwrap();
    let output = say.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), "default #201 ada: at last\n"));
}

// Catches: a refusal that exits with 0 or 2, no next step, an error that is not in the document.
#[test]
fn say_tells_what_went_wrong() {
    let place = Place::new();
    let server = place.serve(&[]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _holder = Client::named(server.addr, "ada");
    let long = "x".repeat(32_769);
    let bad_answers: [(&[&str], &str, &str); 4] = [
        (&["say", &nobody, "Hi"], "refused", "nobody listens"),
        (&["say", &server.at(), "--user", "ADA", "Hi"], "name_taken", "pass another name by --user"),
        (&["say", &server.at(), "--user", "anon7", "Hi"], "bad_name", ""),
        (&["say", &server.at(), &long], "bad_message", ""),
    ];
    for (args, error, hint) in bad_answers {
        let ended = place.run(args, "");
        assert_eq!(ended.code, Some(1), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(error) && ended.stderr.contains(hint), "{}", ended.stderr);
        let document = place.run(&[&args[..1], &["-J"], &args[1..]].concat(), "");
        assert_eq!(document.code, Some(1));
        assert!(document.json()["error"].to_string().contains(error), "{}", document.text());
    }
    for args in [&["say", &server.at(), "--room", "a b", "Hi"][..], &["say", "::1:80", "Hi"]] {
        assert_eq!(place.run(args, "").code, Some(2), "{args:?}");
    }
}

// Catches: a refusal for want of a place that is taken for a broken connection, with a name or without.
#[test]
fn a_full_server_is_told_as_such() {
    let place = Place::new();
    let server = place.serve(&["--max-connections", "1"]);
    let _holder = Client::named(server.addr, "holder");
    for user in [&[][..], &["--user", "ada"]] {
        let ended = place.run(&[&["say", &server.at()], user, &["--", "Hi"]].concat(), "");
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("busy") && ended.stderr.contains("try again"), "{}", ended.stderr);
    }
}

// Catches: a key that is not sent, a wrong one that is let in, no hint at the server's way to log in.
#[test]
fn say_logs_in_by_key_and_by_password() {
    let place = Place::new();
    let key = place.add_user("ada", &[]);
    let users = place.path("users.json");
    place.run(&["users", "add", "bob", "--password", "--users", users.to_str().unwrap()], "secret\n");
    std::fs::write(place.path("ada.key"), netlab::protocol::proof::to_hex(&key)).unwrap();
    std::fs::write(place.path("wrong.key"), "00".repeat(32)).unwrap();
    let keyed = place.serve(&["--auth", "hmac"]);
    let say = |more: &[&str], input: &str| place.run(&[&["say", &keyed.at(), "Hi"], more].concat(), input);
    let right = say(&["--user", "ada", "--key-file", "ada.key"], "");
    assert_eq!((right.code, right.text()), (Some(0), "default #1 ada: Hi\n".into()), "{}", right.stderr);
    let wrong = say(&["--user", "ada", "--key-file", "wrong.key"], "");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("login_failed"), "{}", wrong.stderr);
    let none = say(&[], "");
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("unauthorized") && none.stderr.contains("--key-file"), "{}", none.stderr);
    let other = say(&["--user", "bob", "--password"], "secret\n");
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("wrong_state"), "{}", other.stderr);
    let no_file = say(&["--user", "ada", "--key-file", "no.key"], "");
    assert_eq!(no_file.code, Some(2), "{}", no_file.stderr);
    let worded = place.serve(&["--auth", "password", "--file-path", "p", "--record-path", "p"]);
    let bob = place.run(&["say", &worded.at(), "--user", "bob", "--password", "Hi"], "secret\n");
    assert_eq!((bob.code, bob.text()), (Some(0), "default #1 bob: Hi\n".into()), "{}", bob.stderr);
}

const FIELDS: [&str; 8] =
    ["--name", "Ada", "--date-of-birth", "1815-12-10", "--city", "London", "--reason", "absent"];
const TEXT: &str =
    "Student ID: 2024-001\nName: Ada\nDate of Birth: 1815-12-10\nCity: London\nReason: absent\n";

// Catches: fields in another order, a stamp that is part of the text, a file that is not what the server has.
#[test]
fn a_record_is_written_by_flags_and_read_into_a_file() {
    let place = Place::new();
    let server = place.serve(&[]);
    let at = server.at();
    let written = place.run(&[&["records", "write", "2024-001", &at], &FIELDS[..]].concat(), "");
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    assert!(written.text().starts_with("record 2024-001 written, updated "), "{}", written.text());
    let file = std::fs::read_to_string(place.files().join("2024-001.txt")).unwrap();
    let (stamp, text) = file.split_once('\n').unwrap();
    assert_eq!(text, TEXT);
    let read = place.run(&["records", "read", "2024-001", &at], "");
    assert_eq!((read.code, read.text()), (Some(0), "record 2024-001 saved as 2024-001.txt\n".into()));
    assert_eq!(std::fs::read_to_string(place.path("2024-001.txt")).unwrap(), file);
    assert_eq!(place.run(&["records", "read", "2024-001", &at, "-o", "-"], "").text(), file);
    let document = place.run(&["records", "read", "2024-001", &at, "-J"], "").json();
    assert_eq!(document["text"], TEXT);
    assert!(stamp.ends_with(document["updated"].as_str().unwrap()));
    let again = place.run(&[&["records", "write", "2024-001", &at, "-J"], &FIELDS[..]].concat(), "").json();
    assert_eq!(again["client_id"], "2024-001");
}

// Catches: a prompt on stdout, an answer that ends up in the next field, an end of stdin taken for empty fields.
#[test]
fn what_is_not_given_is_asked_for() {
    let place = Place::new();
    let server = place.serve(&[]);
    let args = ["records", "write", "2024-001", &server.at(), "--city", "London"];
    let written = place.run(&args, "Ada\n1815-12-10\nabsent\n");
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    assert_eq!(written.stderr, "Name: Date of Birth: Reason: ");
    assert!(std::fs::read_to_string(place.files().join("2024-001.txt")).unwrap().ends_with(TEXT));
    let cut = place.run(&["records", "write", "2024-002", &server.at()], "Ada\n");
    assert_eq!(cut.code, Some(2));
    assert!(cut.stderr.contains("stdin ended"), "{}", cut.stderr);
    assert!(!place.files().join("2024-002.txt").exists());
    let missing = place.run(&["records", "read", "2024-002", &server.at()], "");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("no_such_record"), "{}", missing.stderr);
    assert!(!place.path("2024-002.txt").exists());
    assert_eq!(place.run(&["records", "read", "../x", &server.at()], "").code, Some(2));
}

// Catches: a menu that ends at the first failure, forgets the address, or reads an answer twice.
#[test]
fn the_menu_writes_reads_and_survives_failures() {
    let place = Place::new();
    let server = place.serve(&[]);
    let port = server.addr.port();
    let input = format!(
        "127.0.0.1\n{port}\n2\n2024-001\n7\n1\n2024-001\nAda\n1815-12-10\nLondon\nabsent\n2\n2024-001\n1\na b\n3\n"
    );
    let ended = place.run(&["records", "menu"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stdout = ended.text();
    assert!(stdout.starts_with("record 2024-001 written, updated "), "{stdout}");
    assert!(stdout.contains(TEXT) && stdout.ends_with("record 2024-001 saved as 2024-001.txt\n"), "{stdout}");
    for part in
        ["Server address [127.0.0.1]: ", "Server port [12000]: ", "1. Write\n2. Read\n3. Exit", "Choice: "]
    {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    for part in ["no_such_record", "`7` is no choice", "Student ID: Name: Date of Birth: City: Reason: "] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    assert!(std::fs::read_to_string(place.path("2024-001.txt")).unwrap().ends_with(TEXT));
    assert_eq!(place.run(&["records", "menu"], "127.0.0.1\nno port\n").code, Some(2));
    assert_eq!(place.run(&["records", "menu"], "").code, Some(2), "stdin ended without `3`");
}

// Catches: a client that waits for ever for an answer that does not come, or takes a foreign one for its own.
#[test]
fn a_server_that_says_nothing_is_given_up() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let (ended, took) = timed(|| place.run(&["say", &at, "-w", "0.3", "--user", "ada", "Hi"], ""));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let document = place.run(&["say", &at, "-w", "0.3", "-J", "--user", "ada", "Hi"], "");
    assert_ne!(document.json()["error"], Value::Null);
}

//! `netlab serve`, end to end: what it refuses, what it warns of, what it reports, how it ends.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use harness::{Server, eventually};
use rooms::{Client, End, Place};

/// A server whose stderr can be read later.
fn with_stderr(place: &Place, command: &mut Command) -> Server {
    Server::spawn(command.stderr(File::create(place.path("stderr")).unwrap()))
}

fn stderr(place: &Place) -> String {
    std::fs::read_to_string(place.path("stderr")).unwrap()
}

// Catches: connections that are closed without a word, a queued answer that is lost, a silent client that holds the
// end up for longer than 5 s, an exit code of its own.
#[test]
fn ctrl_c_says_bye_to_all_and_exits_with_0() {
    let place = Place::new();
    let server = place.serve(&["--json-stream"]);
    let mut crowd: Vec<Client> = (0..20).map(|n| Client::named(server.addr, &format!("u{n}"))).collect();
    let written = crowd[0].send("RECORD_WRITE", &json!({ "client_id": "u0", "text": "t" }));
    assert_eq!(crowd[0].answer_to(written)["type"], "RECORD_WRITTEN");
    // One stands in the middle of a frame, one never reads and never ends its side.
    crowd[1].send_raw(&[0, 9, b'{']);
    let deaf = Client::named(server.addr, "deaf");
    let addr = server.addr;
    let begun = Instant::now();
    let (rest, code) = server.stop();
    let took = begun.elapsed();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
    for client in &mut crowd {
        let (rest, end) = client.rest();
        assert_eq!((&rest.last().unwrap()["type"], end), (&json!("BYE"), End::Clean));
    }
    drop(deaf);
    let last: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "stopped");
    assert_eq!(last["data"]["connections"], 21);
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

// Catches: a second Ctrl-C that waits for the disk like the first.
#[test]
fn a_second_ctrl_c_ends_it_at_once_with_130() {
    let place = Place::new();
    let mut server = place.serve(&[]);
    // A FIFO in place of a record: the disk's thread stands still, and the first Ctrl-C waits for it.
    let made = Command::new("mkfifo").arg(place.files().join("slow.txt")).status();
    assert!(made.unwrap().success());
    let mut client = Client::connect(server.addr);
    client.send("RECORD_READ", &json!({ "client_id": "slow" }));
    assert_eq!(Client::connect(server.addr).ask("PING", &json!({}))["type"], "PONG", "the other was read");
    server.interrupt();
    client.next_of("BYE");
    server.interrupt();
    let (_, code) = server.wait();
    assert_eq!(code, Some(130));
}

// Catches: a server that opens itself to the network by default, or lends passwords to it.
#[test]
fn beyond_loopback_it_wants_keys_or_a_word() {
    let place = Place::new();
    place.add_user("ada", &[]);
    let users = place.path("users.json");
    let users = users.to_str().unwrap();
    let cases: [&[&str]; 4] = [
        &["serve", "0.0.0.0:0"],
        &["serve", "[::]:0", "--users", users],
        &["serve", "0.0.0.0:0", "--auth", "password", "--users", users],
        &["serve", "0.0.0.0:0", "--auth", "password", "--users", users, "--insecure-lan"],
    ];
    for args in cases {
        let ended = place.run(args, "");
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("--auth hmac") && ended.stdout.is_empty(), "{}", ended.stderr);
    }
    // With keys it may.
    let server = place.serve(&["0.0.0.0:0", "--auth", "hmac"]);
    let mut client = Client::connect(SocketAddr::new([127, 0, 0, 1].into(), server.addr.port()));
    assert_eq!(client.refused("ROOM_LIST", &json!({}))["code"], "unauthorized");
}

// Catches: records that anyone can write, a line for the class with port 0 in it.
#[test]
fn an_open_lan_has_read_only_records_and_is_told_how_to_join() {
    let place = Place::new();
    std::fs::create_dir_all(place.files()).unwrap();
    std::fs::write(place.files().join("ada.txt"), "Last updated: 2026-03-09 14:05:00\ntext").unwrap();
    let mut server = with_stderr(&place, &mut place.serve_command(&["0.0.0.0:0", "--insecure-lan"]));
    let at = SocketAddr::new([127, 0, 0, 1].into(), server.addr.port());
    let mut client = Client::named(at, "ada");
    let refused = client.refused("RECORD_WRITE", &json!({ "client_id": "ada", "text": "changed" }));
    assert_eq!(refused["code"], "unauthorized");
    assert_eq!(client.ask("RECORD_READ", &json!({ "client_id": "ada" }))["data"]["text"], "text");
    server.line_with("connected ");
    eventually("the operator is warned", || stderr(&place).contains("anyone on the network may enter"));
    let stderr = stderr(&place);
    let joins = stderr.lines().find(|line| line.contains("the class joins with"));
    // A machine without a route has no address to tell.
    if let Some(line) = joins {
        assert!(line.contains(&format!(":{} ", at.port())), "{line}");
    }
}

// Catches: a limit that is promised and can't be kept.
#[test]
fn connections_are_fitted_to_the_descriptors() {
    let place = Place::new();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 100; exec \"$@\"", "sh"]);
    let serve = place.serve_command(&["--max-connections", "5000"]);
    limited.arg(serve.get_program()).args(serve.get_args());
    let server = with_stderr(&place, &mut limited);
    let info = Client::connect(server.addr).ask("INFO", &json!({}));
    assert_eq!(info["data"]["max_connections"], 68, "100 descriptors without the 32 in reserve");
    assert!(stderr(&place).contains("warning: 68 connections instead of 5000"), "{}", stderr(&place));
}

// Catches: a start with no users, with a file that others read, or on records that another server writes.
#[test]
fn a_start_that_can_not_work_says_why() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let users = place.path("users.json");
    let users_arg = users.to_str().unwrap();
    let folders = ["--file-path", "unused", "--record-path", "unused"];
    let serve = [&["serve", "127.0.0.1:0", "--auth", "hmac", "--users", users_arg], &folders[..]].concat();
    let missing = place.run(&serve, "");
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.stderr.contains("no users file") && missing.stderr.contains("hint:"),
        "{}",
        missing.stderr
    );
    place.add_user("ada", &[]);
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = place.run(&serve, "");
    assert_eq!(exposed.code, Some(2));
    assert!(exposed.stderr.contains("mode 0640"), "{}", exposed.stderr);
    let server = place.serve(&[]);
    let files = place.files();
    let second = place.run(&["serve", "127.0.0.1:0", "--file-path", files.to_str().unwrap()], "");
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("another server uses this folder"), "{}", second.stderr);
    let taken = ["serve", &server.at(), "--file-path", "other", "--record-path", "other"];
    let taken = place.run(&taken, "");
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains(&format!("pid {}", server.pid())), "{}", taken.stderr);
    for args in
        [["--max-connections", "0"], ["--max-frame", "100"], ["--rate-limit", "-1"], ["--room", "a b"]]
    {
        let wrong = place.run(&[&["serve", "127.0.0.1:0"], &args[..]].concat(), "");
        assert_eq!(wrong.code, Some(2), "{args:?}");
    }
}

// Catches: an operator who sees nothing, text that a terminal would obey, a message of 30 KB in one line.
#[test]
fn the_operator_sees_who_comes_says_and_goes() {
    let place = Place::new();
    let mut server = place.serve(&["-v"]);
    let mut ada = Client::named(server.addr, "ada");
    ada.ask("ROOM_ECHO", &json!({ "text": "\u{1b}[2Jboo" }));
    ada.ask("ROOM_ECHO", &json!({ "text": "é".repeat(10_000) }));
    ada.refused("ROOM_JOIN", &json!({ "room": "nowhere" }));
    drop(ada);
    assert!(server.line_with("logged in").ends_with(" as ada"));
    assert_eq!(server.line(), "joined default: ada");
    assert_eq!(server.line(), "said in default: ada: \\x1b[2Jboo");
    let long = server.line();
    assert!(long.contains("é… (+") && long.len() < 700, "{long}");
    assert!(server.line().contains("no_such_room: there is no room nowhere"));
    assert_eq!(server.line(), "left default: ada");
    assert!(server.line().starts_with("disconnected "));
    let (rest, code) = server.stop();
    assert_eq!(code, Some(0));
    assert!(rest.starts_with("stopped: 1 connection, "), "{rest}");
}

//! `netlab chat` line by line, end to end against `netlab serve`. The full screen has its tests in `cli_chat_pty.rs`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;
mod rooms;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use harness::PATIENCE;
use rooms::{Client, Place, timed};

/// A chat whose lines the test writes and reads one by one.
struct Chat {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

/// The lines of a pipe, as they come.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| to.send(line))
    });
    lines
}

/// Everything that still comes from it.
fn rest(lines: &Receiver<String>) -> String {
    let mut rest = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest += &(line + "\n"),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("it does not end"),
        }
    }
}

impl Chat {
    fn start(place: &Place, args: &[&str]) -> Chat {
        let mut command = place.netlab();
        command.arg("chat").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Chat { stdin: child.stdin.take(), lines: lines(stdout), errors: lines(stderr), child }
    }

    fn type_line(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line, which must come in time.
    fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    fn error_with(&mut self, text: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).expect("a line on stderr in time");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The data of the next event of that name.
    fn event(&mut self, name: &str) -> Value {
        loop {
            let event: Value = serde_json::from_str(&self.line()).unwrap();
            if event["event"] == name {
                return event["data"].clone();
            }
        }
    }

    /// Ends stdin; returns exit code, the rest of stdout, stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.stdin.take());
        self.wait()
    }

    fn wait(&mut self) -> (Option<i32>, String, String) {
        let (stdout, stderr) = (rest(&self.lines), rest(&self.errors));
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// Catches: a line that is lost, doubled or overtaken by the next one when the server slows it down; an end before
// the last answer.
#[test]
fn what_is_piped_in_is_said_in_order_at_the_pace_of_the_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut listener = Client::named(server.addr, "listener");
    let all = |line: fn(u32) -> String| (1..=80).map(line).collect::<Vec<_>>().concat();
    let lines = all(|n| format!("line {n}\n"));
    let (chat, took) = timed(|| place.run(&["chat", &server.at(), "--user", "ada"], &lines));
    assert_eq!(chat.code, Some(0), "{}", chat.stderr);
    let said = all(|n| format!("ada: line {n}\n"));
    assert_eq!(chat.text(), format!("* you are ada\n* you are in default (2 members)\n{said}"));
    assert_eq!(chat.stderr, "", "no prompt, no noise");
    for n in 1..=80 {
        assert_eq!(listener.next_of("ROOM_ECHOED")["data"]["text"], format!("line {n}"));
    }
    assert!(took > Duration::from_millis(900), "{took:?}: faster than the server allows");
    let left = listener.next_of("ROOM_LEFT");
    assert_eq!(left["data"]["username"], "ada", "it leaves");
}

// Catches: a command that does nothing, an answer that is not shown, a refusal that a script does not notice.
#[test]
fn every_command_works_without_a_screen() {
    let place = Place::new();
    let server = place.serve(&["--room", "lab"]);
    let script = "/join lab\n/create Den\n/rooms\n/rooms DE\n/members\n//quit\n/leave\n/help\n/quit\nnever\n";
    let chat = place.run(&["chat", &server.at(), "--user", "ada"], script);
    assert_eq!((chat.code, chat.stderr.as_str()), (Some(0), ""));
    let text = chat.text();
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "* you are ada",
        "* you are in default (1 member)",
        "* you are in lab (1 member)",
        "* you made Den and are in it",
        "* default                          0 members",
        "* lab                              0 members",
        "* Den                              1 member",
        "* default                          0 members",
        "* Den                              1 member",
        "* in Den: ada (1 member)",
        "ada: /quit",
        "* you left Den",
    ];
    let mut found: Vec<&str> = lines[..expected.len()].to_vec();
    let mut wanted = expected.to_vec();
    // The server lists rooms in no order.
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    assert!(lines[expected.len()].starts_with("* /join ROOM"), "{text}");
    for (script, reason) in [
        ("/join nowhere\n", "no_such_room"),
        ("/leave\nHello\n", "not_in_room"),
        ("/jion lab\n", "is no command"),
        ("/join a/b\n", "is no room"),
    ] {
        let refused = place.run(&["chat", &server.at()], script);
        assert_eq!(refused.code, Some(1), "{script}");
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
}

// Catches: what others write reaching the terminal as it is, in a sentence or in an object.
#[test]
fn what_others_write_is_never_obeyed() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut eve = Client::named(server.addr, "eve");
    let text = "\u{1b}[2J\u{9b}31m\u{202e}x\ny\u{7}";
    for args in [&["--user", "ada"][..], &["--json-stream"]] {
        let mut chat = Chat::start(&place, &[&[server.at().as_str()], args].concat());
        while eve.next_of("ROOM_JOINED")["data"]["username"] == "eve" {}
        eve.ask("ROOM_ECHO", &json!({ "text": text }));
        let line = chat.line_with("eve");
        let line =
            if line.contains("\\x1b") || line.contains("u001b") { line } else { chat.line_with("[2J") };
        assert!(line.chars().all(|c| !netlab::text::is_unsafe(c)), "{line:?}");
        if args == ["--json-stream"] {
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(event["data"]["text"], text);
        } else {
            assert_eq!(line, "eve: \\x1b[2J\\u{9b}31m\\u{202e}x\\ny\\x07");
        }
        assert_eq!(chat.end().0, Some(0));
    }
}

// Catches: an object that is none, an event without its data, another order than the one in which things happened.
#[test]
fn scripts_read_one_object_a_line() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut bob = Client::named(server.addr, "bob");
    let mut chat = Chat::start(&place, &[&server.at(), "--user", "ada", "--room", "lab", "--json-stream"]);
    assert_eq!(chat.event("connecting"), json!({ "address": server.at(), "attempt": 1 }));
    assert_eq!(chat.event("connected"), json!({ "address": server.at() }));
    assert_eq!(chat.event("logged_in"), json!({ "username": "ada", "room": "default" }));
    assert_eq!(chat.event("room_joined")["room"], "default");
    assert_eq!(chat.event("room_joined")["room"], "lab");
    bob.ask("ROOM_JOIN", &json!({ "room": "lab" }));
    assert_eq!(chat.event("room_joined"), json!({ "room": "lab", "username": "bob", "members": 2 }));
    bob.send("ROOM_ECHO", &json!({ "text": "Hi", "ref": "x" }));
    let said = chat.event("room_echoed");
    assert_eq!(said, json!({ "room": "lab", "from": "bob", "text": "Hi", "seq": 1, "ref": "x" }));
    chat.type_line("Hello");
    assert_eq!(chat.event("room_echoed")["from"], "ada");
    chat.type_line("/join nowhere");
    assert_eq!(chat.event("error")["code"], "no_such_room");
    chat.type_line("/nothing");
    let wrong = chat.event("wrong_line");
    assert_eq!(wrong["line"], "/nothing");
    chat.type_line("/rooms la");
    assert_eq!(chat.event("room_listed"), json!({ "rooms": [{ "room": "lab", "members": 2 }] }));
    let (code, rest, _) = chat.end();
    assert_eq!(code, Some(1), "something was refused");
    let names: Vec<String> = rest
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .filter(|name| name != "rtt")
        .collect();
    assert_eq!(names, ["bye", "disconnected"]);
}

// Catches: a lost server that is not looked for, a line that is dropped while it is away, an end with 0.
#[test]
fn a_server_that_comes_back_is_used_again_and_one_that_does_not_is_told() {
    let place = Place::new();
    let server = place.serve(&[]);
    let at = server.at();
    let mut chat = Chat::start(&place, &[&at, "--user", "ada", "--room", "lab"]);
    chat.line_with("in lab");
    drop(server);
    let lost = chat.error_with("connection lost: ");
    assert!(lost.contains("the server closed the connection; trying again in"), "{lost}");
    chat.type_line("said while the server is away");
    let server = place.serve(&[&at]);
    assert_eq!(chat.line_with("you are ada"), "* you are ada");
    assert_eq!(chat.line_with("in lab"), "* you are in lab (1 member)", "name and room are restored");
    chat.line_with("ada: said while the server is away");
    let mut bob = Client::named(server.addr, "bob");
    bob.ask("ROOM_JOIN", &json!({ "room": "lab" }));
    chat.line_with("bob joined lab");
    drop(server);
    chat.error_with("connection lost: ");
    let (code, _, stderr) = chat.end();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("stdin ended while the connection was lost"), "{stderr}");
}

// Catches: messages that passed by while the connection was down, or on the way, and nobody says so.
#[test]
fn a_gap_in_the_numbers_is_told() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let mut chat = Chat::start(&place, &[&at, "--user", "ada"]);
    let (mut stream, _) = listener.accept().unwrap();
    let joined =
        json!({ "type": "ROOM_JOINED", "data": { "room": "r", "username": "ada", "members": 1, "seq": 3 } });
    let echoed = |seq: u32| json!({ "type": "ROOM_ECHOED", "data": { "room": "r", "from": "b", "text": format!("no {seq}"), "seq": seq } });
    let logged_in = json!({ "type": "LOGGED_IN", "data": { "username": "ada", "room": "r" }, "id": 0 });
    for message in [logged_in, joined, echoed(4), echoed(7)] {
        stream.write_all(&rooms::frame(message.to_string())).unwrap();
    }
    assert_eq!(chat.line_with("no 4"), "b: no 4");
    assert_eq!(chat.line(), "* 2 messages in r passed you by");
    assert_eq!(chat.line(), "b: no 7");
    drop(chat.stdin.take());
    // The goodbye, before the server hangs up.
    let mut wire = Vec::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    while !String::from_utf8_lossy(&wire).contains("\"BYE\"") {
        let mut buffer = [0; 4_096];
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "it ends without a goodbye");
        wire.extend_from_slice(&buffer[..n]);
    }
    drop(stream);
    assert_eq!(chat.wait().0, Some(0));
}

// Catches: a script that waits for ever for a server that answers pings and nothing else.
#[test]
fn an_answer_that_does_not_come_is_given_up_and_the_next_line_taken() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let mut chat = Chat::start(&place, &[&at, "--user", "ada", "-w", "300ms", "--json-stream"]);
    let (mut stream, _) = listener.accept().unwrap();
    let logged_in = json!({ "type": "LOGGED_IN", "data": { "username": "ada", "room": "r" }, "id": 0 });
    stream.write_all(&rooms::frame(logged_in.to_string())).unwrap();
    chat.event("logged_in");
    for line in ["one", "/rooms"] {
        chat.type_line(line);
        let late = chat.event("unconfirmed");
        assert_eq!(late["line"], line);
        assert!(late["reason"].as_str().unwrap().contains("no answer within 300ms"), "{late}");
    }
    let (code, ..) = chat.end();
    assert_eq!(code, Some(1));
}

// Catches: the commonest slip of a lab, told without its cure.
#[test]
fn another_framing_is_named_as_the_likely_reason() {
    let place = Place::new();
    for framing in ["u32", "header"] {
        let server = place.serve(&["--framing", framing]);
        let ended = place.run(&["chat", &server.at(), "--user", "ada"], "Hello\n");
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: the server may use another --framing"), "{}", ended.stderr);
    }
}

// Catches: a refusal that exits with 0 or 2, no next step, a wrong flag that is not usage.
#[test]
fn what_went_wrong_is_told_with_the_next_step() {
    let place = Place::new();
    let server = place.serve(&[]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _holder = Client::named(server.addr, "ada");
    let bad_answers: [(&[&str], &str, &str); 3] = [
        (&["chat", &nobody], "refused", "nobody listens"),
        (&["chat", &server.at(), "--user", "ADA"], "name_taken", "pass another name by --user"),
        (&["chat", &server.at(), "--user", "a b"], "bad_name", ""),
    ];
    for (args, error, hint) in bad_answers {
        let ended = place.run(args, "Hello\n");
        assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(error) && ended.stderr.contains(hint), "{}", ended.stderr);
        let stream = place.run(&[args, &["--json-stream"]].concat(), "");
        let last: Value = serde_json::from_str(stream.text().lines().last().unwrap()).unwrap();
        assert_eq!((stream.code, &last["event"]), (Some(1), &json!("refused")), "{last}");
    }
    for args in [
        &["chat", &server.at(), "--room", "a b"][..],
        &["chat", "::1:80"],
        &["chat", "--key"],
        &["chat", "--framing", "raw"],
        &["chat", &server.at(), "80", "more"],
    ] {
        assert_eq!(place.run(args, "").code, Some(2), "{args:?}");
    }
}

// Catches: a login by key or password that the line mode does not pass on, or that eats a line of stdin too many.
#[test]
fn it_logs_in_by_key_and_by_password() {
    let place = Place::new();
    let key = place.add_user("ada", &[]);
    std::fs::write(place.path("ada.key"), netlab::protocol::proof::to_hex(&key)).unwrap();
    let keyed = place.serve(&["--auth", "hmac"]);
    let right = place.run(&["chat", &keyed.at(), "--user", "ada", "--key-file", "ada.key"], "Hi\n");
    assert_eq!(right.code, Some(0), "{}", right.stderr);
    assert!(right.text().ends_with("ada: Hi\n"), "{}", right.text());
    let none = place.run(&["chat", &keyed.at()], "Hi\n");
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("unauthorized") && none.stderr.contains("--key-file"), "{}", none.stderr);
    let place = Place::new();
    let users = place.path("users.json");
    place.run(&["users", "add", "bob", "--password", "--users", users.to_str().unwrap()], "secret\n");
    let guarded = place.serve(&["--auth", "password"]);
    let right = place.run(&["chat", &guarded.at(), "--user", "bob", "--password"], "secret\nHi\n");
    assert!(right.code == Some(0) && right.text().ends_with("bob: Hi\n"), "{}{}", right.text(), right.stderr);
    let wrong = place.run(&["chat", &guarded.at(), "--user", "bob", "--password"], "guess\nHi\n");
    assert!(wrong.code == Some(1) && wrong.stderr.contains("login_failed"), "{}", wrong.stderr);
}

// Catches: the rest of a line that is too long, said as a message of its own; a line that is not UTF-8 sent anyway.
#[test]
fn a_line_that_no_server_takes_is_refused_whole() {
    let place = Place::new();
    let server = place.serve(&[]);
    let fits = "x".repeat(32_768);
    let mut command = place.netlab();
    command.args(["chat", &server.at(), "--user", "ada"]);
    let over = [1, 2, 32_768, 32_769, 32_770, 80_000].map(|more| "y".repeat(32_768 + more)).join("\n");
    let input = [fits.as_bytes(), b"\n", over.as_bytes(), b"\n\xff\xfe\nend\n"].concat();
    let chat = harness::finish(&mut command, &input);
    let text = chat.text();
    let said: Vec<&str> = text.lines().filter(|line| line.starts_with("ada: ")).collect();
    assert_eq!(
        said.len(),
        2,
        "{:?}",
        said.iter().map(|line| &line[..line.len().min(40)]).collect::<Vec<_>>()
    );
    assert_eq!((said[0].len(), said[1]), (fits.len() + 5, "ada: end"));
    assert_eq!(chat.code, Some(1));
    assert_eq!(chat.stderr.matches("and a message at most 32768").count(), 6, "{}", chat.stderr);
    assert_eq!(chat.stderr.matches("not UTF-8").count(), 1, "{}", chat.stderr);
}

// Catches: Ctrl-C that leaves without a goodbye or waits for stdin; a broken pipe that is an error.
#[test]
fn it_ends_well_by_ctrl_c_and_without_a_reader() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut bob = Client::named(server.addr, "bob");
    for signal in ["-INT", "-TERM"] {
        let mut chat = Chat::start(&place, &[&server.at(), "--user", "ada"]);
        chat.line_with("in default");
        let pid = chat.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let (code, _, stderr) = chat.wait();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{signal}");
        assert_eq!(bob.next_of("ROOM_LEFT")["data"]["username"], "ada");
    }
    let mut command = place.netlab();
    command.args(["chat", &server.at(), "--user", "ada"]).stdin(Stdio::piped());
    let mut chat = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(chat.stdout.take());
    // It ends before it has read this, maybe.
    let _ = chat.stdin.take().unwrap().write_all(b"Hello\n");
    let output = chat.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

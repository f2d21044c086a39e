//! `netlab check --client` and `--watch` from the outside: right clients pass, wrong ones are called by their name.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Ended, PATIENCE, eventually, netlab, run};
use serde_json::Value;
use tempfile::TempDir;

/// A right client of framed-echo-u16: a line, its answer, the next line. The wrong ones below are made from it.
const RIGHT: &str = r#"import os, socket, struct, sys

def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return data

with socket.create_connection((os.environ["NETLAB_HOST"], int(sys.argv[1]))) as s:
    for line in sys.stdin:
        text = line.rstrip("\n")
        data = text.encode()
        s.sendall(struct.pack("!H", len(data)) + data)
        n = struct.unpack("!H", exactly(s, 2))[0]
        print(exactly(s, n).decode())
"#;

/// Sends everything as it comes, and reads answers on a thread with a buffer.
const PIPELINED: &str = r#"import socket, struct, sys, threading

s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))

def show():
    buffer = b""
    while data := s.recv(4096):
        buffer += data
        while len(buffer) >= 2:
            n = struct.unpack("!H", buffer[:2])[0]
            if len(buffer) < 2 + n:
                break
            print(buffer[2:2 + n].decode())
            buffer = buffer[2 + n:]

reader = threading.Thread(target=show)
reader.start()
count = 0
for line in sys.stdin:
    data = line.rstrip("\n").encode()
    s.sendall(struct.pack("!H", len(data)) + data)
s.shutdown(socket.SHUT_WR)
reader.join(PATIENCE)
"#;

const UPPER: &str = r#"import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s, s.makefile("rb") as answers:
    for line in sys.stdin:
        s.sendall(line.encode())
        answer = answers.readline()
        if not answer:
            sys.exit(1)
        sys.stdout.buffer.write(answer)
        sys.stdout.flush()
"#;

const UDP: &str = r#"import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    s.send(line.rstrip("\n").encode())
    print(s.recv(65536).decode())
"#;

const HMAC: &str = r#"import hashlib, hmac, os, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    challenge = b""
    while len(challenge) < 32:
        more = s.recv(32 - len(challenge))
        if not more:
            sys.exit(1)
        challenge += more
    s.sendall(hmac.new(os.environ["NETLAB_KEY"].encode(), challenge, hashlib.sha256).digest())
    said = b""
    while more := s.recv(4096):
        said += more
    print(said.decode())
"#;

struct Client {
    folder: TempDir,
}

impl Client {
    fn new(program: &str) -> Client {
        let client = Client { folder: tempfile::tempdir().unwrap() };
        fs::write(client.path(), program).unwrap();
        client
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("client.py")
    }

    fn check(&self, exercise: &str, flags: &[&str]) -> Ended {
        let path = self.path();
        let command = ["--", "python3", path.to_str().unwrap(), "{port}"];
        run(&[&["check", exercise, "--client", "--seed", "7", "-w", "1"], flags, &command].concat(), b"")
    }
}

fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn passes(exercise: &str, program: &str, flags: &[&str]) {
    let ended = Client::new(program).check(exercise, flags);
    assert_eq!(ended.code, Some(0), "{exercise}:\n{}\n{}", ended.text(), ended.stderr);
}

/// Checks a wrong client of framed-echo-u16; returns the classes that were named, and the cases that failed.
fn faults(program: &str) -> (Vec<String>, Vec<String>) {
    assert_ne!(program, RIGHT, "the change that makes it wrong did not apply");
    let ended = Client::new(program).check("framed-echo-u16", &["-J"]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.text(), ended.stderr);
    let document = ended.json();
    let cases = document["cases"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let failed: Vec<&Value> = cases.iter().filter(|case| case["status"] == "failed").collect();
    for case in &failed {
        assert!(case["reproduce"].as_str().unwrap().contains("import socket"), "{case}");
        assert!(case["observed"].as_str().unwrap().len() > 10, "{case}");
    }
    let classes = failed.iter().filter(|case| !case["diagnosis"].is_null());
    (
        classes.map(|case| text(&case["diagnosis"]["class"])).collect(),
        failed.iter().map(|case| text(&case["name"])).collect(),
    )
}

#[test]
fn right_clients_pass_in_every_form() {
    if !has_python() {
        return;
    }
    passes("framed-echo-u16", RIGHT, &[]);
    passes("framed-echo-u32", &RIGHT.replace("!H", "!I").replace("exactly(s, 2)", "exactly(s, 4)"), &[]);
    passes("upper-lines", UPPER, &[]);
    passes("upper-lines", UPPER, &["--variant", "2027"]);
    passes("udp-echo", UDP, &[]);
    passes("udp-ack", UDP, &[]);
    passes("hmac-challenge", HMAC, &[]);
}

#[test]
fn a_variant_does_not_pass_last_years_client() {
    if !has_python() {
        return;
    }
    let ended = Client::new(RIGHT).check("framed-echo-u16", &["--variant", "2027"]);
    assert_eq!(ended.code, Some(1), "{}", ended.text());
}

#[test]
fn wrong_clients_are_called_by_their_name() {
    if !has_python() {
        return;
    }
    let once = RIGHT.replace("more = s.recv(n - len(data))", "return s.recv(n)");
    assert_eq!(faults(&once).0, ["one-recv-one-message"]);
    let characters = RIGHT.replace("len(data)) + data)", "len(text)) + data)");
    assert_eq!(
        faults(&characters),
        (vec!["length-counts-characters".into()], vec!["wide-characters".into()])
    );
    let little = RIGHT.replace("struct.pack(\"!H\"", "struct.pack(\"<H\"");
    assert_eq!(faults(&little), (vec!["little-endian-length".into()], vec!["one-message".into()]));
    let inclusive = RIGHT.replace("\"!H\", len(data))", "\"!H\", len(data) + 2)");
    assert_eq!(faults(&inclusive), (vec!["length-counts-prefix".into()], vec!["one-message".into()]));
}

#[test]
fn ends_are_judged_apart() {
    if !has_python() {
        return;
    }
    let spins = RIGHT.replace("sys.exit(\"the server has gone\")", "continue");
    assert_eq!(faults(&spins), (vec!["idle-spin".into()], vec!["server-closes".into()]));
    let stays = format!("{RIGHT}import time\ntime.sleep(100)\n");
    assert_eq!(faults(&stays), (vec![], vec!["exit".into()]));
    let fails = format!("{RIGHT}sys.exit(3)\n");
    assert_eq!(faults(&fails), (vec![], vec!["exit".into()]));
    let crashes = "raise SystemExit('no \\x1b[31m client')\n";
    assert_eq!(faults(crashes), (vec![], vec!["connects".into()]));
}

#[test]
fn answers_that_come_at_once_are_told_apart() {
    if !has_python() {
        return;
    }
    passes(
        "framed-echo-u16",
        &PIPELINED
            .replace("reader.join(PATIENCE)", "reader.join(0.3); import os; sys.stdout.flush(); os._exit(0)"),
        &["--case", "answers-coalesced"],
    );
    let drops = PIPELINED
        .replace("buffer = buffer[2 + n:]", "buffer = b\"\"")
        .replace("reader.join(PATIENCE)", "reader.join()");
    let (classes, failed) = faults(&drops);
    assert!(classes.contains(&"drops-rest-of-buffer".to_owned()), "{classes:?} {failed:?}");
}

#[test]
fn what_can_not_be_checked_is_said() {
    if !has_python() {
        return;
    }
    let shown = run(&["exercises", "rooms", "--client"], b"").text();
    assert!(shown.contains("ROOM_ECHOED room from text") && shown.contains("notice-unasked"), "{shown}");
    let ended = run(&["check", "udp-echo", "--client"], b"");
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let ended = run(&["check", "udp-echo", "--watch", "--", "true"], b"");
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let ended = run(&["check", "udp-echo", "--client", "--case", "nonsense", "--", "true"], b"");
    assert!(ended.stderr.contains("one-message"), "{}", ended.stderr);
    let client = Client::new("pass\n");
    let points = client.folder.path().join("points");
    fs::write(&points, "answer-cut 5\n").unwrap();
    let ended = client.check("framed-echo-u16", &["-J", "--points", points.to_str().unwrap()]);
    assert_eq!((ended.code, ended.json()["max_score"].as_u64()), (Some(1), Some(21)), "{}", ended.stderr);
    fs::write(&points, "slow-reader 5\n").unwrap();
    let ended = client.check("framed-echo-u16", &["--points", points.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "no case of a client: {}", ended.stderr);
    let shown = run(&["exercises", "hmac-challenge", "--client"], b"").text();
    assert!(shown.contains("{port}") && shown.contains("challenge-cut"), "{shown}");
}

#[test]
fn a_save_is_checked_again() {
    if !has_python() {
        return;
    }
    let client = Client::new("raise SystemExit('not yet')\n");
    let mut command = netlab();
    command.args(["check", "udp-echo", "--client", "--watch", "--", "python3"]);
    command.arg(client.path()).arg("{port}");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let pid = child.id().to_string();
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let waits = || {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if lines.recv_timeout(PATIENCE).unwrap().starts_with("waiting for ") {
                return;
            }
        }
        panic!("it never waits");
    };
    waits();
    fs::write(client.path(), UDP).unwrap();
    waits();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let headlines: Vec<&str> = text.lines().filter(|line| line.starts_with("udp-echo: ")).collect();
    assert_eq!(headlines.len(), 2, "{text}");
    assert!(headlines[0].contains("1 failed") && !headlines[1].contains("failed"), "{text}");
    assert!(!text.contains('\x1b'), "no terminal, no clearing");
}

/// Comes, says nothing and does not end, whatever is asked of it; each run counts.
const STUCK: &str = r#"import os, signal, socket, struct, sys, time

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
runs = os.path.join(os.path.dirname(__file__), "runs")
with open(runs, "ab", buffering=0) as file:
    file.write(b"x")
    count = file.tell()
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    data = line.rstrip("\n").encode()
    s.sendall(struct.pack("!H", len(data)) + data)
    if count == 3:
        open(runs + ".stuck", "w").write(str(os.getpid()))
        time.sleep(600)
    print(s.recv(1024)[2:].decode(), flush=True)
"#;

// Catches: a check that goes on after Ctrl-C with the next play, or waits for the client's answer.
#[test]
fn ctrl_c_ends_the_client_and_reports_what_was_judged() {
    if !has_python() {
        return;
    }
    let client = Client::new(STUCK);
    let mut command = netlab();
    command.args(["check", "framed-echo-u16", "--client", "-J", "--seed", "7", "-w", "100", "--", "python3"]);
    command.arg(client.path()).arg("{port}");
    let check = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stuck = client.folder.path().join("runs.stuck");
    eventually("the third run is stuck", || fs::read_to_string(&stuck).is_ok_and(|pid| !pid.is_empty()));
    let pid = fs::read_to_string(&stuck).unwrap();
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &check.id().to_string()]).status().unwrap().success());
    let output = check.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "far below the patience: {:?}", begun.elapsed());
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let status: Vec<&str> =
        report["cases"].as_array().unwrap().iter().map(|case| case["status"].as_str().unwrap()).collect();
    assert_eq!(status[..3], ["passed", "passed", "skipped"], "{report}");
    assert!(status[3..].iter().all(|status| *status == "skipped"), "{report}");
    assert_eq!(report["cases"][2]["observed"], "Not tried: the check was interrupted.");
    let lives = || Command::new("kill").args(["-0", &pid]).stderr(Stdio::null()).status().unwrap().success();
    eventually("the client is gone", || !lives());
}

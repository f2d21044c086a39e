//! `netlab bench` against a server that no one here wrote: Python's socketserver.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const ECHO: &str = "
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Echo)
print('%s:%d' % server.server_address, flush=True)
server.serve_forever()
";

#[test]
#[ignore = "needs python3"]
fn a_python_server_is_measured() {
    let mut python = Command::new("python3").args(["-c", ECHO]).stdout(Stdio::piped()).spawn().unwrap();
    let mut addr = String::new();
    BufReader::new(python.stdout.take().unwrap()).read_line(&mut addr).unwrap();
    let args = ["bench", "tcp-echo", addr.trim(), "--connections", "4", "--depth", "4", "-c", "2000", "-J"];
    let ended = harness::run(&args, b"");
    python.kill().unwrap();
    python.wait().unwrap();
    assert_eq!((ended.code, &ended.json()["replies"]), (Some(0), &2000.into()), "{}", ended.stderr);
}

/// The race against the peers, with this build of netlab.
fn race(args: &[&str]) -> harness::Ended {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/run.py"));
    command.args(["--netlab", env!("CARGO_BIN_EXE_netlab")]).args(args);
    harness::finish(&mut command, b"")
}

// Catches: a table that no Markdown reader shows, a ratio that is not the one of its figures.
#[test]
#[ignore = "needs socat"]
fn the_race_prints_a_table() {
    let ended = race(&["--only", "socat-1", "--pairs", "1", "--secs", "0.2"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = ended.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("core") && lines[0].contains("Linux"), "the machine: {text}");
    assert_eq!((lines[1], lines.len()), ("", 6), "{text}");
    let cells = |line: &str| -> Vec<String> {
        let inner = line.strip_prefix('|').unwrap().strip_suffix('|').unwrap();
        inner.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    assert_eq!(cells(lines[2])[3..5], ["netlab", "peer's"], "{text}");
    assert_eq!(cells(lines[3]), ["---"; 6]);
    for (line, figure) in lines[4..].iter().zip(["echoes/s", "server CPU per echo (us)"]) {
        let cells = cells(line);
        assert_eq!((cells.len(), &cells[1][..], &cells[2][..]), (6, "socat PIPE", figure));
        let value = |cell: &str| cell.split(' ').next().unwrap().replace(',', "").parse::<f64>().unwrap();
        let (ours, theirs, ratio) = (value(&cells[3]), value(&cells[4]), value(&cells[5]));
        // The figures are rounded to three digits, the ratio to two behind the point.
        assert!(theirs > 0.0 && (ours / theirs - ratio).abs() <= 0.006 + 0.02 * ratio, "{line}");
    }
}

#[test]
#[ignore = "needs python3"]
fn the_race_says_what_it_lacks() {
    let listed = race(&["--list"]);
    assert!(listed.text().contains("rooms-redis"), "{}", listed.text());
    let unknown = race(&["--only", "apache"]);
    assert_eq!((unknown.code, unknown.text().len()), (Some(2), 0));
    assert!(unknown.stderr.contains("--list"), "{}", unknown.stderr);
    let nowhere = race(&["--netlab", "/nowhere/netlab"]);
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.stderr.contains("cargo build --release"), "{}", nowhere.stderr);
}

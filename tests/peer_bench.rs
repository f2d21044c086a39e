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

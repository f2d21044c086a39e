//! The UDP echo server against programs that nobody here wrote.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

struct Server(Child, u16);

impl Server {
    fn start(args: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_netlab"))
            .args(["udp-echo", "server", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.strip_prefix("listening on 127.0.0.1:").and_then(|rest| rest.strip_suffix(" (udp)\n"));
        let port = port.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        Server(child, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs socat"]
fn socat_gets_its_bytes_back() {
    let server = Server::start(&[]);
    let mut socat = Command::new("socat")
        .args(["-", &format!("UDP:127.0.0.1:{}", server.1)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    socat.stdin.take().unwrap().write_all(b"Hello\0\xff\n").unwrap();
    let output = socat.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"Hello\0\xff\n");
}

const PYTHON: &str = r#"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
server = ("127.0.0.1", int(sys.argv[1]))
for message in (b"Hello via UDP", b"", bytes(range(256)), b"x" * 65507):
    s.sendto(message, server)
    reply, sender = s.recvfrom(65536)
    wanted = message if sys.argv[2] == "echo" else b"Message received"
    assert reply == wanted and sender == server, (message[:20], reply[:20], sender)
print("served")
"#;

#[test]
#[ignore = "needs python3"]
fn python_gets_its_bytes_back_whole_datagrams_and_empty_ones() {
    for reply in ["echo", "ack"] {
        let server = Server::start(&["--reply", reply]);
        let port = server.1.to_string();
        let output = Command::new("python3").args(["-c", PYTHON, &port, reply]).output().unwrap();
        assert_eq!(output.stdout, b"served\n", "{}", String::from_utf8_lossy(&output.stderr));
    }
}

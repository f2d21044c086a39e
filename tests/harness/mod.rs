//! Running the netlab binary in tests: a server on a free port, a command with its output.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far more than anything here takes on a busy machine; what hangs fails instead of hanging the run.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Settings of netlab: those of whoever runs the tests shall not decide one.
const SETTINGS: [&str; 12] = [
    "NETLAB_KEY",
    "NETLAB_PORT_BASE",
    "RUST_LOG",
    "SERVER_HOST",
    "SERVER_PORT",
    "MAX_CONNECTION",
    "UPDATE_TIMER",
    "UPDATE_TRESH",
    "UPDATE_THRESHOLD",
    "FILE_PATH",
    "RECORD_PATH",
    "RECORD_FILE",
];

/// The binary under test.
pub fn netlab() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab"));
    for setting in SETTINGS {
        command.env_remove(setting);
    }
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("text on stdout")
    }

    /// The one JSON document on stdout, which must carry its version.
    pub fn json(&self) -> Value {
        let document: Value = serde_json::from_slice(&self.stdout).expect("one JSON document on stdout");
        assert_eq!(document["schema_version"], 1, "{document}");
        document
    }
}

/// Runs netlab with these arguments and this input, to its end.
pub fn run(args: &[&str], input: &[u8]) -> Ended {
    let mut command = netlab();
    command.args(args);
    finish(&mut command, input)
}

/// Runs a command with this input, to its end.
pub fn finish(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A command that ends early does not read it all.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the command ends");
    feeder.join().expect("the feeder ends");
    Ended {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A netlab server on a free port, killed when dropped.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub addr: SocketAddr,
}

impl Server {
    /// Starts `netlab ARGS...`, which must report its address on its first line.
    pub fn start(args: &[&str]) -> Server {
        let mut command = netlab();
        command.args(args);
        Server::spawn(&mut command)
    }

    /// Starts a command that is netlab in the end (a shell may set limits first).
    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("netlab starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a first line");
        let addr = address_of(&line).unwrap_or_else(|| panic!("no address in {line:?}"));
        Server { child, stdout, addr }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The address as an argument.
    pub fn at(&self) -> String {
        self.addr.to_string()
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is open");
        line.trim_end().to_owned()
    }

    /// Reads lines until one contains `text`; returns that one.
    pub fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "the server ended before it said {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Ctrl-C; returns the rest of what it printed, and its exit code.
    pub fn stop(mut self) -> (String, Option<i32>) {
        self.interrupt();
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text on stdout");
        (rest, self.child.wait().expect("it ends").code())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_of(line: &str) -> Option<SocketAddr> {
    if let Ok(event) = serde_json::from_str::<Value>(line) {
        return event["data"]["address"].as_str()?.parse().ok();
    }
    line.strip_prefix("listening on ")?.split(' ').next()?.parse().ok()
}

/// A loopback address that only this process uses (all of 127/8 is loopback on Linux): on 127.0.0.1 any port may
/// also be that of somebody's client, past ones in TIME-WAIT included.
pub fn own_loopback() -> std::net::Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    std::net::Ipv4Addr::new(127, 64 + high % 64, middle, low)
}

/// Waits until `done`, looking again often; fails after [`PATIENCE`].
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

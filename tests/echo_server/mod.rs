//! A `netlab tcp-echo server` for tests: in this process by the library, or the binary with its signals.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netlab::echo::tcp_server::{self, Config, Model};
use netlab::echo::{Event, Reply};
use netlab::framing::{DEFAULT_MAX_FRAME, Framing};
use netlab::net::{ServerEvent, SocketOptions, Stop, socket};
use netlab::report::Events;
use serde_json::Value;

/// How long a test waits for what must happen: only a broken build ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The server as it is without any flag.
pub(crate) fn config(model: Model) -> Config {
    Config {
        model,
        reply: Reply::Echo,
        framing: Framing::Raw,
        max_frame: DEFAULT_MAX_FRAME,
        recv_size: None,
        once: false,
        max_connections: None,
        idle_timeout: None,
        verbose: false,
        trace: false,
        options: SocketOptions::default(),
        show_options: false,
        backlog: socket::DEFAULT_BACKLOG,
    }
}

struct ToTest(Sender<Event>);

impl Events<Event> for ToTest {
    fn event(&mut self, event: Event) {
        // A test that has seen enough stops listening.
        let _ = self.0.send(event);
    }
}

/// A server in this process.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    stop: Stop,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(config: Config) -> Server {
        let (to, events) = channel();
        let stop = Stop::new();
        let to_stop = stop.clone();
        let thread = thread::spawn(move || {
            let any = ["127.0.0.1:0".parse().unwrap()];
            tcp_server::run(&config, &any, &to_stop, &mut ToTest(to)).unwrap();
        });
        let first = events.recv_timeout(PATIENCE).unwrap();
        let Event::Server(ServerEvent::Listening { address: addr, transport: "tcp" }) = first else {
            panic!("the first event is {first:?}")
        };
        Server { addr, stop, events, thread: Some(thread) }
    }

    /// The first event that `pick` takes; those before it are dropped.
    pub(crate) fn wait_for<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            if let Some(picked) = pick(self.events.recv_timeout(rest).expect("the event comes in time")) {
                return picked;
            }
        }
    }

    /// The reason of the next client's end.
    pub(crate) fn disconnected(&self) -> Option<String> {
        self.wait_for(|event| match event {
            Event::Server(ServerEvent::Disconnected { reason, .. }) => Some(reason),
            _ => None,
        })
    }

    /// Waits for the server's end; returns the events that were left, the last of them `Stopped`.
    pub(crate) fn ended(mut self) -> Vec<Event> {
        let mut rest = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while !matches!(rest.last(), Some(Event::Server(ServerEvent::Stopped { .. }))) {
            let left = deadline.saturating_duration_since(Instant::now());
            rest.push(self.events.recv_timeout(left).expect("the server ends in time"));
        }
        self.thread.take().unwrap().join().unwrap();
        rest
    }

    pub(crate) fn finish(self) -> Vec<Event> {
        self.stop.request();
        self.ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.request();
    }
}

/// A server that is a process of its own, started with `--json-stream`.
pub(crate) struct Process {
    pub(crate) addr: SocketAddr,
    pub(crate) first_line: String,
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// `netlab tcp-echo server :0 --json-stream` and these flags.
    pub(crate) fn start(flags: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netlab"));
        command.args(["tcp-echo", "server", ":0", "--json-stream"]).args(flags);
        Process::spawn(command)
    }

    /// The same with at most so many descriptors.
    pub(crate) fn start_with_descriptors(limit: usize, flags: &[&str]) -> Process {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_netlab"), "tcp-echo", "server", ":0"]);
        command.arg("--json-stream").args(flags);
        Process::spawn(command)
    }

    fn spawn(mut command: Command) -> Process {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| to.send(line).is_ok()));
        let first_line = lines.recv_timeout(PATIENCE).expect("the server says where it listens");
        let first: Value = serde_json::from_str(&first_line).unwrap();
        let addr = first["data"]["address"].as_str().unwrap().parse().unwrap();
        Process { addr, first_line, child, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next event of this name; those before it are dropped.
    pub(crate) fn event(&self, name: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(rest).unwrap_or_else(|_| panic!("no `{name}` in time"));
            let event: Value = serde_json::from_str(&line).expect("each line is a JSON object");
            if event["event"] == name {
                return event["data"].clone();
            }
        }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for the end; returns the exit status and the events that were left.
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<Value>) {
        let status = wait(&mut self.child);
        let parse = |line: String| serde_json::from_str(&line).expect("each line is a JSON object");
        // The pipe has ended with the process, so this does, too.
        (status, self.lines.iter().map(parse).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already after `ended`; what is left of a failed test shall not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Waits for a child's end with patience.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "the process does not end");
        // The standard library has no wait with a time limit.
        thread::sleep(Duration::from_millis(5));
    }
}

/// A client whose calls don't wait for ever.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends `bytes`, half-closes, and reads to the server's FIN; a reset fails the test.
pub(crate) fn exchange(addr: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut client = connect(addr);
    client.write_all(bytes).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    read_to_end(&mut client)
}

pub(crate) fn read_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).expect("a FIN, not a reset");
    bytes
}

pub(crate) fn round_trip(client: &mut TcpStream, message: &[u8]) {
    client.write_all(message).unwrap();
    let mut answer = vec![0; message.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, message);
}

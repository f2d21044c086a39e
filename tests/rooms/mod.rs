//! A room server with folders of its own for a test, and a client that puts on the wire exactly what the test
//! wants: netlab's own client would never send a broken frame or somebody else's proof.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netlab::client::{Connection, Credentials, Options};
use netlab::framing::Framing;
use netlab::net::SocketOptions;
use netlab::protocol::proof::{Key, NO_BINDING, Nonce, Transcript, from_hex, to_hex};
use serde_json::{Value, json};

use crate::harness::{self, Ended, PATIENCE, Server, netlab};

/// The folders of one server: records, their index, users.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder of the record files.
    pub fn files(&self) -> PathBuf {
        self.path("files")
    }

    /// Starts `netlab serve` on a free port.
    pub fn serve(&self, args: &[&str]) -> Server {
        Server::spawn(&mut self.serve_command(args))
    }

    /// The same as a command, which a test can change.
    pub fn serve_command(&self, args: &[&str]) -> Command {
        let mut command = self.netlab();
        command.arg("serve").args(self.serve_args(args));
        command
    }

    /// The same after a line of shell that sets limits.
    pub fn serve_limited(&self, shell: &str, args: &[&str]) -> Server {
        let mut command = Command::new("sh");
        command.current_dir(self.0.path()).arg("-c").arg(format!("{shell}; exec \"$@\"")).arg("sh");
        command.arg(netlab().get_program()).arg("serve").args(self.serve_args(args));
        Server::spawn(&mut command)
    }

    fn serve_args(&self, args: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = args.iter().map(ToString::to_string).collect();
        if !args.iter().any(|arg| arg.ends_with(":0") || arg.starts_with("127.0.0.1:")) {
            all.push("127.0.0.1:0".to_owned());
        }
        let folders = [("--file-path", "files"), ("--record-path", "index"), ("--users", "users.json")];
        for (flag, name) in folders.into_iter().filter(|(flag, _)| !args.contains(flag)) {
            all.extend([flag.to_owned(), self.path(name).to_str().unwrap().to_owned()]);
        }
        all
    }

    /// netlab in this place, with nothing from outside.
    pub fn netlab(&self) -> Command {
        let mut command = netlab();
        command.current_dir(self.0.path());
        command
    }

    /// Runs a command of netlab here, to its end.
    pub fn run(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.netlab();
        command.args(args);
        harness::finish(&mut command, input.as_bytes())
    }

    /// Adds a user with a key, which is returned.
    pub fn add_user(&self, name: &str, more: &[&str]) -> Key {
        let users = self.path("users.json");
        let args = [&["users", "add", name, "--users", users.to_str().unwrap()], more].concat();
        let ended = self.run(&args, "");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        from_hex(ended.text().trim_end()).unwrap()
    }

    /// The records that stand in the folder, with their stamps, by id.
    pub fn files_by_id(&self) -> std::collections::BTreeMap<String, String> {
        let files = std::fs::read_dir(self.files()).unwrap().map(|entry| entry.unwrap().path());
        let records = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
        let stamp = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().next().unwrap().strip_prefix("Last updated: ").unwrap().to_owned()
        };
        records.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), stamp(&path))).collect()
    }

    /// The index, as it stands on disk.
    pub fn index(&self) -> std::collections::BTreeMap<String, String> {
        serde_json::from_slice(&std::fs::read(self.path("index/records.json")).unwrap()).unwrap()
    }
}

/// A payload in `u16` framing.
pub fn frame(payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = u16::try_from(payload.len()).expect("a u16 frame");
    [&length.to_be_bytes(), payload].concat()
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a FIN, after whole messages.
    Clean,
    /// With a reset, which may have destroyed what was on its way.
    Reset,
}

/// A client without manners: `u16` frames, blocking, each wait bounded.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// No two clients of a test use the same `id`, which becomes the `ref` of what they say: each knows its own.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Client {
    pub fn connect(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::with_capacity(64 << 10, stream) }
    }

    /// A client that has logged in under a free name.
    pub fn named(addr: SocketAddr, name: &str) -> Client {
        let mut client = Client::connect(addr);
        let answer = client.ask("LOGIN", &json!({ "username": name }));
        assert_eq!(answer["type"], "LOGGED_IN", "{answer}");
        client
    }

    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Sends a message; returns its `id`.
    pub fn send(&mut self, kind: &str, data: &Value) -> u64 {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.send_raw(&frame(json!({ "type": kind, "data": data, "id": id }).to_string()));
        id
    }

    /// Sends a message and returns its direct answer, or its own echo. What else comes is dropped.
    pub fn ask(&mut self, kind: &str, data: &Value) -> Value {
        let id = self.send(kind, data);
        self.answer_to(id)
    }

    pub fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let message = self.next();
            if message["id"] == id || message["data"]["ref"] == id {
                return message;
            }
        }
    }

    /// Sends a message that must be refused; returns the error's data.
    pub fn refused(&mut self, kind: &str, data: &Value) -> Value {
        let answer = self.ask(kind, data);
        assert_eq!(answer["type"], "ERROR", "{answer}");
        answer["data"].clone()
    }

    /// The next message.
    pub fn next(&mut self) -> Value {
        self.receive().expect("a message in time").expect("the server closed")
    }

    /// The next message of this type; what comes before is dropped.
    pub fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next();
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The next message; `None` at the end of the stream.
    pub fn receive(&mut self) -> io::Result<Option<Value>> {
        let payload = self.receive_payload()?;
        Ok(payload.map(|payload| serde_json::from_slice(&payload).expect("JSON from the server")))
    }

    pub fn receive_payload(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut prefix = [0; 2];
        match self.stream.read(&mut prefix[..1])? {
            0 => return Ok(None),
            _ => self.stream.read_exact(&mut prefix[1..])?,
        }
        let mut payload = vec![0; usize::from(u16::from_be_bytes(prefix))];
        self.stream.read_exact(&mut payload)?;
        Ok(Some(payload))
    }

    /// So many bytes, whatever they are.
    pub fn receive_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Everything that still comes, and how the stream ends.
    pub fn rest(&mut self) -> (Vec<Value>, End) {
        let mut messages = Vec::new();
        loop {
            match self.receive() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return (messages, End::Clean),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return (messages, End::Reset);
                }
                Err(error) => panic!("{error}, after {messages:?}"),
            }
        }
    }

    /// True if bytes or the end of the stream wait to be read.
    pub fn is_readable(&self) -> bool {
        self.stream().set_nonblocking(true).unwrap();
        let peeked = self.stream().peek(&mut [0]);
        self.stream().set_nonblocking(false).unwrap();
        peeked.is_ok()
    }

    /// FIN.
    pub fn end(&self) {
        self.stream().shutdown(Shutdown::Write).unwrap();
    }

    /// `AUTH`; returns the server's nonce.
    pub fn challenge(&mut self, username: &str, nonce: &Nonce) -> Nonce {
        let answer = self.ask("AUTH", &json!({ "username": username, "nonce": to_hex(nonce) }));
        assert_eq!(answer["type"], "CHALLENGE", "{answer}");
        from_hex(answer["data"]["nonce"].as_str().unwrap()).unwrap()
    }

    /// `PROOF` with this MAC.
    pub fn prove(&mut self, mac: &[u8; 32]) -> Value {
        self.ask("PROOF", &json!({ "mac": to_hex(mac) }))
    }

    /// The transcript of a login on this connection.
    pub fn transcript(&self, username: &str, client: &Nonce, server: &Nonce) -> Transcript {
        let at = self.stream().peer_addr().unwrap().to_string();
        Transcript::new(username, &at, client, server, NO_BINDING)
    }
}

/// netlab's own blocking client.
pub fn open(
    addr: SocketAddr,
    credentials: Credentials,
    server_name: Option<String>,
) -> Result<Connection, netlab::client::ClientError> {
    let options = Options {
        framing: Framing::U16,
        max_frame: 65_535,
        wait: PATIENCE,
        server_name,
        socket: SocketOptions::default(),
    };
    Connection::open(&[addr], credentials, nonce(), &options)
}

pub fn nonce() -> Nonce {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).unwrap();
    nonce
}

/// Resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processor time that a process has used.
#[cfg(target_os = "linux")]
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which may hold anything, utime and stime are the 12th and 13th field, in ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// How long something takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

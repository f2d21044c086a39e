//! A room server in this process, on a disk whose reads of one record wait until the test opens a gate.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netlab::framing::Framing;
use netlab::net::{ServerEvent, SocketOptions, Stop};
use netlab::report::Events;
use netlab::server::{self, Config, Event};
use netlab::service;
use netlab::store::{Disk, Entry, Folders, RealDisk, Records, Refresh};

use crate::harness::PATIENCE;
use crate::rooms::Place;

/// The record whose reads wait.
pub const SLOW: &str = "slow";

/// The file system, with a gate before one record.
struct GatedDisk {
    real: RealDisk,
    gate: Arc<Mutex<Receiver<()>>>,
}

impl Disk for GatedDisk {
    type File = File;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.real.make_folder(path)
    }

    fn list(&mut self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.real.list(folder)
    }

    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        if path.file_stem().is_some_and(|stem| stem == SLOW) {
            // A gate that is gone is open.
            let _ = self.gate.lock().unwrap().recv_timeout(PATIENCE);
        }
        self.real.read(path, limit)
    }

    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.real.create(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.real.write(file, bytes)
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        self.real.sync(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.real.rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.real.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.real.remove(path)
    }

    fn lock(&mut self, path: &Path) -> io::Result<File> {
        self.real.lock(path)
    }
}

struct Channel(Sender<Event>);

impl Events<Event> for Channel {
    fn event(&mut self, event: Event) {
        // A test that has seen enough does not listen any more.
        let _ = self.0.send(event);
    }
}

/// The server; stopped when dropped.
pub struct SlowServer {
    pub addr: SocketAddr,
    gate: Sender<()>,
    stop: Stop,
    running: Option<JoinHandle<()>>,
}

impl SlowServer {
    pub fn start(place: &Place, connections: usize) -> SlowServer {
        let (gate, wait) = channel();
        let disk = GatedDisk { real: RealDisk, gate: Arc::new(Mutex::new(wait)) };
        let folders = Folders { files: place.files(), index: place.path("index/records.json") };
        let (records, _) = Records::open(disk, folders).unwrap();
        let (events, seen) = channel();
        let stop = Stop::new();
        let stopped = stop.clone();
        let running = thread::spawn(move || {
            let any = ["127.0.0.1:0".parse().unwrap()];
            server::run(&config(connections), records, &any, &stopped, &mut Channel(events)).unwrap();
        });
        let Ok(Event::Server(ServerEvent::Listening { address, .. })) = seen.recv_timeout(PATIENCE) else {
            panic!("listening comes first")
        };
        SlowServer { addr: address, gate, stop, running: Some(running) }
    }

    /// Lets one read of the slow record pass.
    pub fn open_gate(&self) {
        self.gate.send(()).unwrap();
    }

    pub fn stop(&self) {
        self.stop.request();
    }

    pub fn wait(&mut self) {
        self.running.take().unwrap().join().unwrap();
    }
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        self.stop.request();
        let _ = self.gate.send(());
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

fn config(connections: usize) -> Config {
    let limits = service::Limits { connections, rate: None, ..service::Limits::default() };
    Config {
        service: service::Config { limits, ..service::Config::default() },
        framing: Framing::U16,
        outbox: 256 << 10,
        stuck: Duration::from_secs(10),
        refresh: Refresh { every: Duration::from_secs(60), threshold: Duration::from_secs(900) },
        trace: false,
        options: SocketOptions::default(),
        show_options: false,
        backlog: 1_024,
    }
}

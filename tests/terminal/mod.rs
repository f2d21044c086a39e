//! A program in a pseudo-terminal, and what stands on its screen: bytes go through a terminal emulator, so a test
//! sees what a person would see.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Pts, Pty};
use rustix::termios::tcgetattr;

use crate::harness::PATIENCE;

/// The emulator, and how many bytes it has read.
struct Emulator {
    parser: vt100::Parser,
    bytes: u64,
}

/// A program in a terminal; killed when dropped.
pub struct Terminal {
    pty: Pty,
    /// The program's end: held open, so that its modes can be read when the program has ended.
    pts: Pts,
    child: Child,
    emulator: Arc<Mutex<Emulator>>,
}

impl Terminal {
    /// Starts a command in a terminal of this size, which is its controlling one.
    pub fn start(command: Command, rows: u16, columns: u16) -> Terminal {
        let mut terminal = Terminal::open(rows, columns);
        terminal.run(command);
        terminal
    }

    /// A terminal in which nothing runs that matters.
    pub fn open(rows: u16, columns: u16) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        let emulator = Arc::new(Mutex::new(Emulator { parser, bytes: 0 }));
        let (output, seen) = (File::from(pty.as_fd().try_clone_to_owned().unwrap()), emulator.clone());
        thread::spawn(move || emulate(output, &seen));
        let child = Command::new("true").spawn().unwrap();
        Terminal { pty, pts, child, emulator }
    }

    /// Runs a command here, when the one before has ended.
    pub fn run(&mut self, mut command: Command) {
        self.child.wait().unwrap();
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("COLORTERM");
        let mut command = pty_process::blocking::Command::from(command);
        self.child = command.spawn_borrowed(&self.pts).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types: text, or the bytes that a key sends.
    pub fn type_keys(&self, keys: &str) {
        (&self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// What stands on the screen, a line for each row.
    pub fn text(&self) -> String {
        self.emulator.lock().unwrap().parser.screen().contents()
    }

    /// A copy of the screen.
    pub fn screen(&self) -> vt100::Screen {
        self.emulator.lock().unwrap().parser.screen().clone()
    }

    /// How many bytes the program has written.
    pub fn written(&self) -> u64 {
        self.emulator.lock().unwrap().bytes
    }

    /// Waits until this stands on the screen.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |screen| screen.contains(text));
    }

    /// Waits until the screen is as wanted; fails with what is on it.
    pub fn wait_until(&self, what: &str, mut wanted: impl FnMut(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if wanted(&text) {
                return;
            }
            assert!(Instant::now() < deadline, "not in time: {what}; the screen is\n{text}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        self.emulator.lock().unwrap().parser.set_size(size(rows), size(columns));
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Everything that `tcgetattr` tells of the terminal.
    pub fn modes(&self) -> String {
        format!("{:?}", tcgetattr(self.pts.as_fd()).unwrap())
    }

    /// Waits for the program's end; its exit code, none if a signal ended it.
    pub fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end; the screen is\n{}", self.text());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// True if a program is stopped, as by Ctrl-Z.
    #[cfg(target_os = "linux")]
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// Feeds the emulator until the terminal is closed.
fn emulate(mut output: File, emulator: &Mutex<Emulator>) {
    let mut buffer = vec![0; 64 << 10];
    // At its end Linux reports EIO.
    while let Ok(n @ 1..) = output.read(&mut buffer) {
        let mut emulator = emulator.lock().unwrap();
        emulator.parser.process(&buffer[..n]);
        emulator.bytes += n as u64;
    }
}

//! `--capture`: what this process sends and receives, as a file that Wireshark opens. No root needed, since
//! nothing is listened to but the process itself.
//!
//! | file         | what it holds                                            |
//! |--------------|----------------------------------------------------------|
//! | `pcapng.rs`  | the file's blocks                                        |
//! | `headers.rs` | IP, TCP and UDP headers, made up                         |
//! | `flow.rs`    | one connection: its numbers, a packet for each call      |
//! | `tap.rs`     | the loop's connections and sockets, as a [`Tap`](super::reactor::Tap) |
//!
//! One call, one packet: what a `recv` returned stands in the file as it was returned, a part of a message or
//! three of them. The kernel's segments, acknowledgements and retransmissions are not in it: a process can't
//! see them. Each packet says so in its comment.

mod flow;
mod headers;
mod pcapng;
mod tap;

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use self::pcapng::{Direction, Packet};
use super::os;
use super::reactor::Reactor;

pub(super) use self::flow::Flow;

/// What stands in the file, in its interface and behind each packet.
const MARK: &str = "reconstructed by netlab from its own socket calls";

/// A capture file that is being written. Clones write to the same file.
#[derive(Clone)]
pub struct Capture {
    file: Arc<Mutex<Target>>,
    interface: u32,
    /// Flows of this handle show their peer on 127.0.0.2: see [`other_end`](Capture::other_end).
    shifted: bool,
}

struct Target {
    file: File,
    /// Bytes of whole blocks in it.
    written: u64,
    /// Why the capture has ended, once a write has failed.
    failed: Option<io::Error>,
    /// The interface of [`other_end`](Capture::other_end), once there is one.
    other: Option<u32>,
}

impl Capture {
    /// Makes the file, over one that exists.
    ///
    /// # Errors
    /// A file that can't be made or written.
    pub fn create(path: &Path) -> io::Result<Capture> {
        let application = concat!("netlab ", env!("CARGO_PKG_VERSION"));
        let comment = format!("IP, TCP and UDP headers {MARK}; one packet for each call");
        // Passwords cross the wire: as Wireshark's own, the file is its owner's.
        let file = os::create_private(path)?;
        let mut target = Target { file, written: 0, failed: None, other: None };
        target.write(&pcapng::section(application, &comment));
        target.write(&pcapng::interface("netlab", MARK));
        if let Some(error) = target.failed {
            return Err(error);
        }
        Ok(Capture { file: Arc::new(Mutex::new(target)), interface: 0, shifted: false })
    }

    /// Why the file ends before what was to be captured did, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let target = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        target.failed.as_ref().map(ToString::to_string)
    }

    /// A handle for the other end of connections that this process has with itself. Seen from both ends one
    /// connection would look like retransmissions; so this end's packets are on an interface of their own, and
    /// its peer is shown on 127.0.0.2.
    #[must_use]
    pub fn other_end(&self) -> Capture {
        let mut target = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let interface = target.other.unwrap_or_else(|| {
            let description = format!("the accepting end; its peer is shown on 127.0.0.2; {MARK}");
            target.write(&pcapng::interface("netlab, accepting end", &description));
            *target.other.insert(1)
        });
        Capture { file: self.file.clone(), interface, shifted: true }
    }

    /// Writes what the loop's connections and sockets carry.
    pub fn watch(&self, reactor: &mut Reactor) {
        reactor.observe(Box::new(tap::LoopTap::new(self.clone())));
    }

    fn packet(&self, direction: Direction, bytes: &[u8], call: &str) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let comment = format!("{call}; headers {MARK}");
        let packet = Packet { interface: self.interface, at_ns, direction, bytes, comment: &comment };
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write(&pcapng::packet(&packet));
    }
}

impl Target {
    /// Writes a block. A full disk ends the capture, not the program, and the file between two blocks: the part
    /// of one that fitted is taken back.
    fn write(&mut self, block: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        match self.file.write_all(block) {
            Ok(()) => self.written += block.len() as u64,
            Err(error) => {
                tracing::warn!("the capture ends here: {error}");
                // A pipe can't be cut: who reads it has the part already.
                let _ = self.file.set_len(self.written);
                self.failed = Some(error);
            }
        }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("interface", &self.interface).finish_non_exhaustive()
    }
}

impl PartialEq for Capture {
    fn eq(&self, other: &Capture) -> bool {
        Arc::ptr_eq(&self.file, &other.file) && self.interface == other.interface
    }
}

impl Eq for Capture {}

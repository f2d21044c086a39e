//! One client's socket: a thread reads it all the time, unless it is told to hold back, so that a server is never
//! stuck because the checker looks elsewhere.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::outcome::Ended;
use crate::net::table::Transport;
use crate::net::{Cause, NetError, Op, SocketOptions, Stop, Stream, socket};

/// More than any right answer here has: a server that sends without end is not listened to for ever, and what it
/// sent to each of several clients is kept as evidence.
const INBOX: usize = 1 << 20;
/// The same for a client that reads slowly: much waits for it.
const SLOW_INBOX: usize = 2 << 20;
/// The receive buffer of a client that reads slowly: small, so that the server soon can't send.
const SLOW_RCVBUF: usize = 2 << 10;
/// Its largest segment: a server's send buffer holds some ten of them at first, here about 50 KB in place of the 2.5 MB that
/// loopback's segments of 64 KiB would get. So sends are cut short early.
const SLOW_SEGMENT: u32 = 256;
/// How often a thread that waits looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// What has come, in chunks as the reads returned them.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) bytes: Vec<u8>,
    /// Where each chunk ends in `bytes`, and when it came.
    pub(super) chunks: Vec<(usize, Instant)>,
    pub(super) ended: Option<(Ended, Instant)>,
    holds: bool,
    closed: bool,
    /// Once there is as much, nothing more is read.
    most: usize,
}

#[derive(Debug, Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    changed: Condvar,
    flooded: AtomicUsize,
}

#[derive(Clone, Debug)]
enum Socket {
    Tcp(Arc<Stream>),
    Udp(Arc<UdpSocket>),
    /// Given back to the system.
    Gone,
}

/// A client's end of a connection, or its UDP socket.
#[derive(Debug)]
pub(super) struct Line {
    socket: Socket,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    flood: Option<JoinHandle<()>>,
    stop: Stop,
}

impl Line {
    /// Connects to `addr`, or takes a UDP socket that talks to it.
    pub(super) fn open(
        transport: Transport,
        addr: SocketAddr,
        holds: bool,
        patience: Duration,
        stop: &Stop,
    ) -> Result<Line, NetError> {
        let shared = Arc::new(Shared::default());
        let most = if holds { SLOW_INBOX } else { INBOX };
        *shared.lock() = Inbox { holds, most, ..Inbox::default() };
        let options = SocketOptions {
            rcvbuf: holds.then_some(SLOW_RCVBUF),
            max_segment: holds.then_some(SLOW_SEGMENT),
            ..SocketOptions::default()
        };
        let socket = match transport {
            Transport::Tcp => {
                let stream = Stream::connect(&[addr], &options, patience)?;
                stream.set_send_timeout(Some(patience))?;
                Socket::Tcp(Arc::new(stream))
            }
            Transport::Udp => Socket::Udp(Arc::new(socket::connect_udp(addr, &options)?)),
        };
        let (theirs, inbox) = (socket.clone(), shared.clone());
        let reader = thread(addr, move || match theirs {
            Socket::Tcp(stream) => read_stream(&stream, &inbox),
            Socket::Udp(socket) => read_datagrams(&socket, &inbox),
            Socket::Gone => {}
        })?;
        Ok(Line { socket, shared, reader: Some(reader), flood: None, stop: stop.clone() })
    }

    /// Sends all of `bytes`; false if the server does not take them, or is gone.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        match &self.socket {
            Socket::Tcp(stream) => bytes.is_empty() || stream.send_all(bytes).is_ok(),
            // A refusal that an earlier datagram met is reported by the next call.
            Socket::Udp(socket) => socket.send(bytes).or_else(|_| socket.send(bytes)).is_ok(),
            Socket::Gone => false,
        }
    }

    /// Sends `bytes` on a thread of its own.
    pub(super) fn flood(&mut self, bytes: Vec<u8>, give_up: Duration) -> Result<(), NetError> {
        let Socket::Tcp(stream) = &self.socket else { return Ok(()) };
        let (stream, shared) = (stream.clone(), self.shared.clone());
        self.flood = Some(thread(stream.peer(), move || {
            let _ = stream.set_send_timeout(Some(give_up));
            for chunk in bytes.chunks(16 << 10) {
                if stream.send_all(chunk).is_err() {
                    break;
                }
                shared.flooded.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        })?);
        Ok(())
    }

    /// How much of the flood was sent, and whether that was all.
    pub(super) fn flooded(&self) -> (usize, bool) {
        let done = self.flood.as_ref().is_none_or(JoinHandle::is_finished);
        (self.shared.flooded.load(Ordering::SeqCst), done)
    }

    /// Begins to read.
    pub(super) fn read(&self) {
        self.shared.lock().holds = false;
        self.shared.changed.notify_all();
    }

    /// Ends the sending side.
    pub(super) fn half_close(&self) {
        if let Socket::Tcp(stream) = &self.socket {
            // A connection that is gone already has ended too.
            let _ = stream.half_close();
        }
    }

    /// This end's address.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(stream) => stream.local().ok(),
            Socket::Udp(socket) => socket.local_addr().ok(),
            Socket::Gone => None,
        }
    }

    /// Looks at what has come; `look` is asked again at each change until it has an answer or the time is over.
    pub(super) fn wait<T>(&self, end: Instant, mut look: impl FnMut(&Inbox) -> Option<T>) -> Option<T> {
        let mut inbox = self.shared.lock();
        loop {
            if let Some(found) = look(&inbox) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.requested() {
                return None;
            }
            let waited = self.shared.changed.wait_timeout(inbox, left.min(LOOK));
            inbox = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What has come until now.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Inbox) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Resets the connection, as a client does that crashes with bytes unread. What has come stays.
    pub(super) fn reset(&mut self) {
        let socket = std::mem::replace(&mut self.socket, Socket::Gone);
        if let Socket::Tcp(stream) = &socket {
            stream.reset_at_close();
        }
        // The threads give back their handles; then this one, the last, is closed.
        self.close();
    }

    /// Closes; what has come stays.
    pub(super) fn close(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Socket::Tcp(stream) = &self.socket {
            stream.cut();
        }
        for thread in [self.flood.take(), self.reader.take()].into_iter().flatten() {
            // A reader that panicked has read as far as it has.
            let _ = thread.join();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        // Each change of the inbox is one call: it is whole, whoever panicked.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until reading is wanted; false if the line is closed.
    fn may_read(&self) -> bool {
        let mut inbox = self.lock();
        while inbox.holds && !inbox.closed {
            inbox = self.changed.wait(inbox).unwrap_or_else(PoisonError::into_inner);
        }
        !inbox.closed && inbox.bytes.len() < inbox.most
    }

    fn came(&self, bytes: &[u8]) {
        let mut inbox = self.lock();
        inbox.bytes.extend_from_slice(bytes);
        let end = inbox.bytes.len();
        inbox.chunks.push((end, Instant::now()));
        self.changed.notify_all();
    }

    fn end(&self, how: Ended) {
        let mut inbox = self.lock();
        if !inbox.closed {
            inbox.ended = Some((how, Instant::now()));
        }
        self.changed.notify_all();
    }
}

/// A thread, or what the system says instead of one.
fn thread(peer: SocketAddr, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, NetError> {
    std::thread::Builder::new().spawn(work).map_err(|source| NetError::new(Op::Thread, peer, source))
}

fn read_stream(stream: &Stream, shared: &Shared) {
    let mut buffer = vec![0; 64 << 10];
    while shared.may_read() {
        match stream.recv(&mut buffer) {
            Ok(0) => return shared.end(Ended::Fin),
            Ok(read) => shared.came(&buffer[..read]),
            Err(error) if error.cause() == Cause::TimedOut => {}
            Err(_) => return shared.end(Ended::Reset),
        }
    }
}

fn read_datagrams(socket: &UdpSocket, shared: &Shared) {
    // A socket that takes no time-out would never notice that it is closed: better not to read at all.
    if socket.set_read_timeout(Some(LOOK)).is_err() {
        return;
    }
    let mut buffer = vec![0; 64 << 10];
    while shared.may_read() {
        match socket.recv(&mut buffer) {
            Ok(read) => shared.came(&buffer[..read]),
            // Nobody there (any more): the answer that does not come tells it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => {}
        }
    }
}

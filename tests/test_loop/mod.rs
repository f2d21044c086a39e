//! A readiness loop on a thread of its own, for tests: it records what it tells its handler, and runs jobs from
//! the test between two sleeps. A job sees one turn of the loop, so what it does happens at one time.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::Waker;
use netlab::net::reactor::{Datagrams, Peer, Seen, SockId, Tap, Totals};
use netlab::net::{
    Admit, Closed, ConnId, Handler, How, Io, Limits, NetError, Reactor, SocketOptions, Stop, socket,
};

/// How long a test waits for what must happen: only a broken build ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What the loop told its handler.
#[derive(Debug)]
pub(crate) enum Call {
    Opened(ConnId, Peer),
    Bytes(ConnId, Vec<u8>),
    Ended(ConnId),
    Closed(ConnId, Closed),
    Deadline(Option<ConnId>, Instant),
    Paused,
    Resumed,
    Stopping,
}

/// What the loop showed its tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    Slept,
    /// Seen by the handler, not the tap.
    Datagram,
    Received(ConnId, usize),
    Sent {
        c: ConnId,
        bytes: usize,
        unsent: usize,
    },
}

/// What the handler does with a call before it is recorded.
pub(crate) type React = fn(&mut Io<'_>, &Call);

type Job = Box<dyn FnOnce(&mut Io<'_>) + Send>;

/// Answers with the same bytes, and closes when the peer ends.
pub(crate) fn echo(io: &mut Io<'_>, call: &Call) {
    match call {
        Call::Bytes(c, bytes) => io.send(*c, bytes),
        call => silent(io, call),
    }
}

/// Says nothing, and closes when the peer ends.
pub(crate) fn silent(io: &mut Io<'_>, call: &Call) {
    if let Call::Ended(c) = call {
        io.close(*c, How::Gently);
    }
}

/// Says nothing, and leaves its side open when the peer ends.
pub(crate) fn half_open(_io: &mut Io<'_>, _call: &Call) {}

struct Recorder {
    react: React,
    refuse: Option<&'static [u8]>,
    calls: Sender<Call>,
    jobs: Receiver<Job>,
    seen: Arc<Mutex<Vec<Saw>>>,
}

impl Recorder {
    fn record(&mut self, io: &mut Io<'_>, call: Call) {
        (self.react)(io, &call);
        // A test that has seen enough stops listening.
        let _ = self.calls.send(call);
    }
}

impl Handler for Recorder {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        self.record(io, Call::Opened(c, *peer));
        self.refuse.map_or(Admit::Serve, |bytes| Admit::Refuse(bytes.to_vec()))
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        self.record(io, Call::Bytes(c, bytes.to_vec()));
    }

    fn ended(&mut self, io: &mut Io<'_>, c: ConnId) {
        self.record(io, Call::Ended(c));
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        let Closed { peer, received_bytes, sent_bytes, lasted, .. } = *closed;
        let why = copy(&closed.why);
        self.record(io, Call::Closed(c, Closed { peer, why, received_bytes, sent_bytes, lasted }));
    }

    fn datagrams(&mut self, io: &mut Io<'_>, s: SockId, datagrams: Datagrams<'_>) {
        // Perpetual motion: each datagram is sent to its sender, which is the socket itself.
        for datagram in datagrams.iter() {
            self.seen.lock().unwrap().push(Saw::Datagram);
            io.send_to(s, datagrams.peer(), datagram.bytes);
        }
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        let now = io.now();
        self.record(io, Call::Deadline(c, now));
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        while let Ok(job) = self.jobs.try_recv() {
            job(io);
        }
    }

    fn accept_paused(&mut self, io: &mut Io<'_>, _why: &NetError) {
        self.record(io, Call::Paused);
    }

    fn accept_resumed(&mut self, io: &mut Io<'_>) {
        self.record(io, Call::Resumed);
    }

    fn stopping(&mut self, io: &mut Io<'_>) {
        self.record(io, Call::Stopping);
    }
}

/// A reason to keep: errors don't clone, so a failure is made anew from its parts.
fn copy(why: &netlab::net::reactor::Why) -> netlab::net::reactor::Why {
    use netlab::net::reactor::Why;
    match why {
        Why::Closed => Why::Closed,
        Why::NotReading => Why::NotReading,
        Why::Failed(error) => {
            let source = match error.source.raw_os_error() {
                Some(code) => std::io::Error::from_raw_os_error(code),
                None => error.source.kind().into(),
            };
            Why::Failed(NetError::new(error.op, error.addr.clone(), source))
        }
    }
}

struct Recording(Arc<Mutex<Vec<Saw>>>);

impl Tap for Recording {
    fn see(&mut self, seen: Seen<'_>) {
        let saw = match seen {
            Seen::Slept { .. } => Saw::Slept,
            Seen::Received { c, bytes } => Saw::Received(c, bytes.len()),
            Seen::Sent { c, bytes, unsent } => Saw::Sent { c, bytes: bytes.len(), unsent },
            _ => return,
        };
        self.0.lock().unwrap().push(saw);
    }
}

/// A running loop with one listener.
pub(crate) struct TestLoop {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) calls: Receiver<Call>,
    waker: Arc<Waker>,
    jobs: Sender<Job>,
    seen: Arc<Mutex<Vec<Saw>>>,
    thread: Option<JoinHandle<Totals>>,
}

impl TestLoop {
    pub(crate) fn start(limits: Limits, react: React) -> TestLoop {
        TestLoop::build(limits, react, None, false)
    }

    pub(crate) fn refusing(with: &'static [u8]) -> TestLoop {
        TestLoop::build(Limits::default(), silent, Some(with), false)
    }

    /// A loop with a UDP socket that already has `datagrams` to itself on their way.
    pub(crate) fn with_datagrams() -> TestLoop {
        TestLoop::build(Limits::default(), silent, None, true)
    }

    fn build(limits: Limits, react: React, refuse: Option<&'static [u8]>, udp: bool) -> TestLoop {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let (listener, addr) = socket::listen(&[any], &SocketOptions::default(), 64).unwrap();
        let (to_calls, calls) = channel();
        let (jobs, to_jobs) = channel();
        let (ready, is_ready) = channel();
        let seen: Arc<Mutex<Vec<Saw>>> = Arc::default();
        let (stop, tap, of_handler) = (Stop::new(), Recording(seen.clone()), seen.clone());
        let to_stop = stop.clone();
        let thread = thread::spawn(move || {
            let mut reactor = Reactor::new(limits).unwrap();
            reactor.listen(listener, addr).unwrap();
            if udp {
                let (sock, addr) = socket::bind_udp(&[any], &SocketOptions::default()).unwrap();
                // Too large to leave in one piece with others: each stays a message of its own.
                for _ in 0..200 {
                    sock.send_to(&[b'x'; 1_401], addr).unwrap();
                }
                reactor.add_udp(sock, addr).unwrap();
            }
            reactor.observe(Box::new(tap));
            ready.send(reactor.io().waker()).unwrap();
            let mut handler = Recorder { react, refuse, calls: to_calls, jobs: to_jobs, seen: of_handler };
            reactor.run(&mut handler, &to_stop).unwrap()
        });
        let waker = is_ready.recv_timeout(PATIENCE).unwrap();
        TestLoop { addr, stop, calls, waker, jobs, seen, thread: Some(thread) }
    }

    /// Runs a job on the loop; its answer comes when it is done.
    pub(crate) fn begin<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Io<'_>) -> R + Send + 'static,
    ) -> Receiver<R> {
        let (to, answer) = channel();
        let job: Job = Box::new(move |io| drop(to.send(job(io))));
        self.jobs.send(job).unwrap();
        self.waker.wake().unwrap();
        answer
    }

    /// Runs a job on the loop and waits for its answer.
    pub(crate) fn on_loop<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Io<'_>) -> R + Send + 'static,
    ) -> R {
        self.begin(job).recv_timeout(PATIENCE).expect("the loop runs jobs when it is woken")
    }

    /// Holds the loop where it is until the answer is dropped: what happens meanwhile it meets all at once.
    pub(crate) fn hold(&self) -> Sender<()> {
        let (release, released) = channel();
        let (started, has_started) = channel();
        self.begin(move |_| {
            started.send(()).unwrap();
            let _ = released.recv_timeout(PATIENCE);
        });
        has_started.recv_timeout(PATIENCE).unwrap();
        release
    }

    /// The first call that `pick` takes; those before it are dropped.
    pub(crate) fn wait_for<T>(&self, mut pick: impl FnMut(Call) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            let call = self.calls.recv_timeout(rest).expect("the call comes in time");
            if let Some(picked) = pick(call) {
                return picked;
            }
        }
    }

    pub(crate) fn opened(&self) -> (ConnId, Peer) {
        self.wait_for(|call| match call {
            Call::Opened(c, peer) => Some((c, peer)),
            _ => None,
        })
    }

    pub(crate) fn closed(&self, which: ConnId) -> Closed {
        self.wait_for(|call| match call {
            Call::Closed(c, closed) if c == which => Some(closed),
            _ => None,
        })
    }

    /// A client that the loop has accepted.
    pub(crate) fn client(&self) -> (TcpStream, ConnId) {
        let client = connect(self.addr);
        (client, self.opened().0)
    }

    /// What the tap has seen since the last call, the turn that is under way included.
    pub(crate) fn seen(&self) -> Vec<Saw> {
        self.on_loop(|_| ());
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Stops the loop and waits for its end.
    pub(crate) fn finish(mut self) -> Totals {
        self.stop.request();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for TestLoop {
    fn drop(&mut self) {
        self.stop.request();
    }
}

/// A client whose calls don't wait for ever.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    with_patience(TcpStream::connect(addr).unwrap())
}

/// A client that tells TCP to buffer little: what it does not read stays with the server.
pub(crate) fn narrow_client(addr: SocketAddr) -> TcpStream {
    let options = SocketOptions { rcvbuf: Some(8 << 10), ..SocketOptions::default() };
    with_patience(socket::connect(&[addr], &options, PATIENCE).unwrap())
}

fn with_patience(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads exactly so many bytes.
pub(crate) fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Reads to the peer's FIN; a reset fails the test.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("a FIN, not a reset");
    bytes
}

/// Closes with a reset (RFC 9293, 3.5.2: SO_LINGER of zero).
#[expect(clippy::needless_pass_by_value, reason = "its end is the reset")]
pub(crate) fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Bytes in which nothing can be lost, doubled or swapped unnoticed: numbers, 8 bytes each.
pub(crate) fn numbered(length: usize) -> Vec<u8> {
    (0..length.div_ceil(8) as u64).flat_map(u64::to_be_bytes).take(length).collect()
}

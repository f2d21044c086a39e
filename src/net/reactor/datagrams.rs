//! Datagrams in batches: many for the price of one system call, in and out.
//!
//! UDP has no stream to collect bytes in, so a server that calls `recvfrom` and `sendto` for each datagram pays
//! two system calls and two ways through the kernel for 64 bytes. Linux offers three ways out:
//!
//! ```text
//!          recvmmsg: up to 32 messages a call         one message: one datagram, or several
//! socket ─────────────────────────────────────► Inbox ──────────────────────────────────► handler
//!          GRO: a message of equal datagrams                                                 │ send_to
//!          from one peer, still in one piece                                                 ▼
//! socket ◄───────────────────────────────────────────────────────────────────────────────── Run
//!          GSO: equal datagrams to one peer, cut apart by the kernel (or the card)
//! ```
//! It costs nothing when datagrams come one by one: a call that brings fewer than it could says that nothing
//! is left, which saves asking again. Boundaries and order are kept, whatever the sizes. Nothing here calls
//! the handler.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

use crate::net::{MAX_DATAGRAM, os};

/// Messages taken from a socket by one call: what quinn-udp can.
const BATCH: usize = quinn_udp::BATCH_SIZE;
/// Room for a message: the largest that IP's length field allows, of one datagram or of many.
const MESSAGE: usize = 64 << 10;
/// Larger datagrams are sent alone. With 28 bytes of headers this one passes where a tunnel has taken some of
/// Ethernet's 1,500; the kernel refuses to cut a run into datagrams that would have to be fragmented.
const RUN_LARGEST: usize = 1_400;

/// Datagrams that arrived together from one peer, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Datagrams<'a> {
    from: SocketAddr,
    bytes: &'a [u8],
    /// The length of each but the last, which may be shorter.
    stride: usize,
    /// What the program wants to have of each.
    keep: usize,
}

impl<'a> Datagrams<'a> {
    /// Each datagram with its sender.
    pub fn iter(self) -> impl Iterator<Item = (SocketAddr, &'a [u8])> {
        // No bytes are no pieces, but an empty datagram is one all the same.
        let empty = self.bytes.is_empty().then_some(self.bytes);
        let pieces = self.bytes.chunks(self.stride.max(1));
        empty.into_iter().chain(pieces).map(move |bytes| (self.from, &bytes[..bytes.len().min(self.keep)]))
    }

    /// Who sent them all.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.from
    }

    /// How many there are: one at least.
    pub(super) fn count(self) -> usize {
        self.bytes.len().div_ceil(self.stride.max(1)).max(1)
    }
}

/// A datagram that the kernel did not take for sending.
#[derive(Debug)]
pub struct Unsent {
    /// Its destination.
    pub to: SocketAddr,
    /// Its length.
    pub bytes: usize,
    /// The system's reason, a full send buffer among them.
    pub error: io::Error,
}

/// A socket of the loop, with the datagrams that this turn has yet to send.
pub(super) struct Sock {
    pub(super) inner: mio::net::UdpSocket,
    /// It stands in the loop's queue of sockets to read from: once, however many events come.
    pub(super) queued: bool,
    /// What batches need, where the system has them.
    batches: Option<UdpSocketState>,
    run: Run,
}

/// Datagrams to one peer, each as long as the first: what GSO can cut apart again. The last may be shorter.
struct Run {
    to: SocketAddr,
    stride: usize,
    bytes: Vec<u8>,
}

impl Run {
    /// True if one more datagram fits behind the others.
    fn takes(&self, to: SocketAddr, bytes: &[u8], most: usize) -> bool {
        let total = self.bytes.len();
        self.to == to
            && bytes.len() <= self.stride
            && total.is_multiple_of(self.stride)
            && total + self.stride <= MAX_DATAGRAM.min(most * self.stride)
    }
}

impl Sock {
    pub(super) fn new(socket: UdpSocket, addr: SocketAddr) -> io::Result<Sock> {
        socket.set_nonblocking(true)?;
        let batches = os::datagram_batches(&socket, addr);
        let inner = mio::net::UdpSocket::from_std(socket);
        Ok(Sock { inner, queued: false, batches, run: Run { to: addr, stride: 1, bytes: Vec::new() } })
    }

    /// Sends a datagram behind all earlier ones: at once if it has to go alone, else with others like it, at
    /// the latest with [`flush`](Sock::flush).
    pub(super) fn send(&mut self, to: SocketAddr, bytes: &[u8], unsent: &mut VecDeque<Unsent>) {
        let most = self.batches.as_ref().map_or(1, UdpSocketState::max_gso_segments);
        let alone = most == 1 || bytes.is_empty() || bytes.len() > RUN_LARGEST;
        if alone || !self.run.takes(to, bytes, most) {
            self.flush(unsent);
        }
        if alone {
            return self.send_one(to, bytes, unsent);
        }
        if self.run.bytes.is_empty() {
            (self.run.to, self.run.stride) = (to, bytes.len());
        }
        self.run.bytes.extend_from_slice(bytes);
    }

    /// Sends the run, by one call if the system can.
    pub(super) fn flush(&mut self, unsent: &mut VecDeque<Unsent>) {
        if self.run.bytes.is_empty() {
            return;
        }
        if !self.send_run() {
            let Run { to, stride, .. } = self.run;
            let bytes = std::mem::take(&mut self.run.bytes);
            for datagram in bytes.chunks(stride) {
                self.send_one(to, datagram, unsent);
            }
            self.run.bytes = bytes;
        }
        self.run.bytes.clear();
    }

    /// False if the run is a single datagram, or refused as a whole: a card that can't, a route too narrow. One
    /// by one each meets its own fate.
    fn send_run(&self) -> bool {
        let Run { to, stride, bytes } = &self.run;
        let Some(batches) = self.batches.as_ref().filter(|_| bytes.len() > *stride) else { return false };
        let run = Transmit {
            destination: *to,
            ecn: None,
            contents: bytes,
            segment_size: Some(*stride),
            src_ip: None,
        };
        batches.try_send((&self.inner).into(), &run).is_ok()
    }

    fn send_one(&self, to: SocketAddr, bytes: &[u8], unsent: &mut VecDeque<Unsent>) {
        if let Err(error) = self.inner.send_to(bytes, to) {
            unsent.push_back(Unsent { to, bytes: bytes.len(), error });
        }
    }
}

/// Messages that one call has taken from a socket, until the handler has had them all.
pub(super) struct Inbox {
    /// One piece of [`MESSAGE`] bytes for each message; the system gives it memory where bytes are written.
    buffers: Vec<u8>,
    messages: Vec<RecvMeta>,
    waiting: Range<usize>,
    /// What the program wants to have of each datagram. A message is taken whole all the same: cut short it
    /// would lose datagrams, not just their ends.
    keep: usize,
    /// The last call brought less than it could.
    drained: bool,
}

impl Inbox {
    pub(super) fn new(sock: &Sock, keep: usize) -> Inbox {
        let messages = if sock.batches.is_some() { BATCH } else { 1 };
        Inbox {
            buffers: vec![0; messages * MESSAGE],
            messages: vec![RecvMeta::default(); messages],
            waiting: 0..0,
            keep,
            drained: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True if the socket has nothing more until the system reports it ready again.
    pub(super) fn drained(&self) -> bool {
        self.is_empty() && self.drained
    }

    /// Takes what is ready, up to a batch.
    pub(super) fn fill(&mut self, sock: &Sock) -> io::Result<()> {
        self.waiting = 0..0;
        let got = if let Some(batches) = &sock.batches {
            let mut pieces = self.buffers.chunks_exact_mut(MESSAGE);
            let mut buffers: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| {
                IoSliceMut::new(pieces.next().expect("there is a piece for each message"))
            });
            batches.recv((&sock.inner).into(), &mut buffers, &mut self.messages)?
        } else {
            let (len, addr) = sock.inner.recv_from(&mut self.buffers)?;
            let message = &mut self.messages[0];
            (message.addr, message.len, message.stride) = (addr, len, len);
            1
        };
        self.waiting = 0..got;
        self.drained = got < self.messages.len();
        Ok(())
    }

    /// The oldest message.
    pub(super) fn front(&self) -> Option<Datagrams<'_>> {
        let index = self.waiting.clone().next()?;
        let RecvMeta { addr: from, len, stride, .. } = self.messages[index];
        Some(Datagrams { from, bytes: &self.buffers[index * MESSAGE..][..len], stride, keep: self.keep })
    }

    /// Drops the oldest message.
    pub(super) fn pop(&mut self) {
        self.waiting.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket, with a queue for what it can't send.
    fn sock() -> (Sock, SocketAddr, VecDeque<Unsent>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let addr = socket.local_addr().unwrap();
        (Sock::new(socket, addr).unwrap(), addr, VecDeque::new())
    }

    fn received(sock: &Sock, keep: usize) -> Vec<Vec<Vec<u8>>> {
        let mut inbox = Inbox::new(sock, keep);
        let mut messages = Vec::new();
        loop {
            if inbox.is_empty() && inbox.fill(sock).is_err() {
                return messages;
            }
            let message = inbox.front().unwrap();
            assert_eq!(message.count(), message.iter().count());
            messages.push(message.iter().map(|(_, bytes)| bytes.to_vec()).collect());
            inbox.pop();
        }
    }

    // Catches: a run that takes another peer, a longer one, or one behind a shorter; an empty one that vanishes.
    #[test]
    fn a_run_is_of_one_peer_and_size_and_may_end_with_a_shorter_one() {
        let (mut from, _, mut unsent) = sock();
        let ((to, addr, _), (other, other_addr, _)) = (sock(), sock());
        let sizes = [5, 5, 5, 3, 3, 5, 0, 0, 9, 9, RUN_LARGEST, RUN_LARGEST + 1, 1];
        for size in sizes {
            from.send(addr, &vec![b'x'; size], &mut unsent);
        }
        from.send(other_addr, b"x", &mut unsent);
        from.send(addr, b"yy", &mut unsent);
        from.flush(&mut unsent);
        assert!(unsent.is_empty());
        let messages = received(&to, MESSAGE);
        let datagrams = messages.concat();
        let lengths: Vec<usize> = datagrams.iter().map(Vec::len).collect();
        assert_eq!(lengths, [&sizes[..], &[2]].concat());
        assert_eq!(datagrams.last().unwrap(), b"yy");
        assert_eq!(received(&other, MESSAGE), [[b"x"]]);
        if to.batches.is_some() {
            let runs: Vec<usize> = messages.iter().map(Vec::len).collect();
            assert_eq!(runs, [4, 1, 1, 1, 1, 2, 1, 1, 1, 1], "one send for each run");
        }
    }

    // Catches: `keep` applied to the message instead of to each datagram in it.
    #[test]
    fn each_datagram_is_cut_off_by_itself() {
        let (mut from, _, mut unsent) = sock();
        let (to, addr, _) = sock();
        for text in [b"HelloWorld", b"Good night", b"Last words"] {
            from.send(addr, text, &mut unsent);
        }
        from.flush(&mut unsent);
        assert_eq!(received(&to, 4).concat(), [b"Hell", b"Good", b"Last"]);
    }

    // Catches: a run longer than the kernel takes (64 datagrams, 65,507 bytes).
    #[test]
    fn a_long_run_is_several() {
        for size in [1, 1_000, RUN_LARGEST] {
            let (mut from, _, mut unsent) = sock();
            let (to, addr, _) = sock();
            for i in 0..100u8 {
                from.send(addr, &vec![i; size], &mut unsent);
            }
            from.flush(&mut unsent);
            assert!(unsent.is_empty(), "{unsent:?}");
            let datagrams = received(&to, MESSAGE).concat();
            assert!(datagrams.iter().zip(0u8..).all(|(datagram, i)| *datagram == vec![i; size]));
            // The default receive buffer has room for all of the short ones.
            assert!(datagrams.len() == 100 || size > 1, "{} of {size}", datagrams.len());
        }
    }

    // Catches: a run that is refused and counted once, or not at all.
    #[test]
    fn a_refused_run_fails_datagram_by_datagram() {
        let (mut from, _, mut unsent) = sock();
        // A broadcast, on a socket that may not.
        let everybody = SocketAddr::from(([255, 255, 255, 255], 9));
        for text in [&b"one"[..], b"two", b"3"] {
            from.send(everybody, text, &mut unsent);
        }
        from.flush(&mut unsent);
        let lengths: Vec<usize> = unsent.iter().map(|one| one.bytes).collect();
        assert_eq!(lengths, [3, 3, 1]);
        let (to, addr, _) = sock();
        from.send(addr, b"still alive", &mut unsent);
        from.flush(&mut unsent);
        assert_eq!(received(&to, MESSAGE).concat(), [b"still alive"]);
    }
}

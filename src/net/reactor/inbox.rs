//! The way in for datagrams: as many as are ready, by one call.

use std::io::{self, IoSliceMut};
use std::ops::Range;

use quinn_udp::RecvMeta;

use super::datagrams::Datagrams;
use super::sock::Sock;

/// Messages taken from a socket by one call, at most: what quinn-udp can.
const BATCH: usize = quinn_udp::BATCH_SIZE;
/// Messages asked for where they came one by one so far: a second one, if only to hear that there is none.
const FEW: usize = 2;
/// Room for a message: the largest that IP's length field allows, of one datagram or of many.
pub(super) const MESSAGE: usize = 64 << 10;

/// Messages that one call has taken from a socket, until the handler has had them all.
pub(super) struct Inbox {
    /// One piece of [`MESSAGE`] bytes for each message; the system gives it memory where bytes are written.
    buffers: Vec<u8>,
    messages: Vec<RecvMeta>,
    waiting: Range<usize>,
    /// What the program wants to have of each datagram. A message is taken whole all the same: cut short it
    /// would lose datagrams, not just their ends.
    keep: usize,
    /// There are many at a time: the next call asks for a batch. Each one asked for has its price, there or not.
    many: bool,
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
            many: false,
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
        let (buffers, messages) = (&mut self.buffers, &mut self.messages);
        let (got, asked) = match &sock.batches {
            Some(batches) if self.many => {
                (batches.recv((&sock.inner).into(), &mut pieces::<BATCH>(buffers), messages)?, BATCH)
            }
            Some(batches) => {
                (batches.recv((&sock.inner).into(), &mut pieces::<FEW>(buffers), messages)?, FEW)
            }
            None => {
                let (len, addr) = sock.inner.recv_from(buffers)?;
                (messages[0].addr, messages[0].len, messages[0].stride) = (addr, len, len);
                (1, 1)
            }
        };
        self.waiting = 0..got;
        self.drained = got < asked;
        self.many = got == asked || (self.many && got > 1);
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

/// The first buffers, of [`MESSAGE`] bytes each.
fn pieces<const N: usize>(buffers: &mut [u8]) -> [IoSliceMut<'_>; N] {
    let mut pieces = buffers.chunks_exact_mut(MESSAGE);
    std::array::from_fn(|_| IoSliceMut::new(pieces.next().expect("there is a piece for each message")))
}

//! Datagrams in batches: many for the price of one system call, in and out.
//!
//! UDP has no stream to collect bytes in, so a server that calls `recvfrom` and `sendto` for each datagram pays
//! two system calls and two ways through the kernel for 64 bytes. Linux offers three ways out:
//!
//! ```text
//!          recvmmsg: up to 32 messages a call         one message: one datagram, or several
//! socket ─────────────────────────────────────► Inbox ──────────────────────────────────► handler
//!          GRO: a message of equal datagrams              │                                  │
//!          from one peer, still in one piece              │ send_back: as they lie           │ send_to
//!                                                         ▼                                  ▼
//! socket ◄───────────────────────────────────────────────────────────────────────────────── Run
//!          GSO: equal datagrams to one peer, cut apart by the kernel (or the card)
//! ```
//! It costs nothing when datagrams come one by one: a call that brings fewer than it could says that nothing
//! is left, which saves asking again. Boundaries and order are kept, whatever the sizes. Nothing here calls
//! the handler. This file has what the handler sees; `inbox.rs` is the way in, `sock.rs` the way out.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

/// Datagrams that arrived together from one peer, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Datagrams<'a> {
    pub(super) from: SocketAddr,
    pub(super) bytes: &'a [u8],
    /// The length of each but the last, which may be shorter. Zero for an empty one, which is alone.
    pub(super) stride: usize,
    /// What the program wants to have of each.
    pub(super) keep: usize,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its bytes, as many as the program wanted to have.
    pub bytes: &'a [u8],
    /// How many it had.
    pub whole: usize,
}

impl<'a> Datagrams<'a> {
    /// Each datagram.
    pub fn iter(self) -> impl Iterator<Item = Datagram<'a>> {
        // No bytes are no pieces, but an empty datagram is one all the same.
        let empty = self.bytes.is_empty().then_some(self.bytes);
        let pieces = empty.into_iter().chain(self.bytes.chunks(self.stride.max(1)));
        pieces.map(move |bytes| Datagram { bytes: &bytes[..bytes.len().min(self.keep)], whole: bytes.len() })
    }

    /// Who sent them all.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.from
    }

    /// How many there are: one at least.
    #[must_use]
    pub fn count(self) -> usize {
        self.bytes.len().div_ceil(self.stride.max(1)).max(1)
    }

    /// The bytes of all together.
    #[must_use]
    pub fn byte_count(self) -> usize {
        self.bytes.len()
    }

    /// True if the program gets all of each.
    #[must_use]
    pub fn are_whole(self) -> bool {
        self.stride <= self.keep
    }

    /// Some of them, by number: one at least, since no bytes would mean an empty datagram.
    #[must_use]
    pub fn slice(self, numbers: Range<usize>) -> Datagrams<'a> {
        debug_assert!(!numbers.is_empty(), "{numbers:?}");
        let at = |number: usize| (number * self.stride).min(self.bytes.len());
        Datagrams { bytes: &self.bytes[at(numbers.start)..at(numbers.end)], ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn datagrams(bytes: &[u8], stride: usize, keep: usize) -> Datagrams<'_> {
        Datagrams { from: SocketAddr::from(([127, 0, 0, 1], 5_000)), bytes, stride, keep }
    }

    // Catches: `keep` applied to the message instead of to each datagram; a short last one taken for a cut one.
    #[test]
    fn each_is_cut_by_itself_and_says_so() {
        let message = datagrams(b"HelloWorldHey", 5, 4);
        let seen: Vec<_> = message.iter().map(|one| (one.bytes, one.whole)).collect();
        assert_eq!(seen, [(&b"Hell"[..], 5), (b"Worl", 5), (b"Hey", 3)]);
        assert_eq!((message.count(), message.are_whole()), (3, false));
        assert!(datagrams(b"HelloWorldHey", 5, 5).are_whole());
    }

    // Catches: a slice that begins or ends within a datagram, or leaves out the shorter last one.
    #[test]
    fn a_slice_has_whole_datagrams() {
        let message = datagrams(b"HelloWorldHey", 5, 100);
        for (numbers, wanted) in
            [(0..1, &b"Hello"[..]), (1..2, b"World"), (1..3, b"WorldHey"), (2..3, b"Hey")]
        {
            let slice = message.slice(numbers.clone());
            assert_eq!((slice.bytes, slice.count()), (wanted, numbers.len()));
        }
        let empty = datagrams(b"", 0, 100);
        assert_eq!((empty.count(), empty.slice(0..1).iter().count(), empty.are_whole()), (1, 1, true));
    }
}

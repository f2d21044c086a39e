//! The way out for datagrams: those that the kernel can cut apart again leave together.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use quinn_udp::{Transmit, UdpSocketState};

use super::datagrams::{Datagrams, Unsent};
use crate::net::{MAX_DATAGRAM, os};

/// Larger datagrams are sent alone. With 28 bytes of headers this one passes where a tunnel has taken some of
/// Ethernet's 1,500; the kernel refuses to cut a run into datagrams that would have to be fragmented.
const RUN_LARGEST: usize = 1_400;
/// From this many bytes on a train goes at once: copying it to a run costs more than the system call that collecting
/// may save (3 us on a small machine).
const DIRECT: usize = 16 << 10;

/// A socket of the loop, with the datagrams that this turn has yet to send.
pub(super) struct Sock {
    pub(super) inner: mio::net::UdpSocket,
    /// What it is bound to.
    pub(super) addr: SocketAddr,
    /// It stands in the loop's queue of sockets to read from: once, however many events come.
    pub(super) queued: bool,
    /// What batches need, where the system has them.
    pub(super) batches: Option<UdpSocketState>,
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
        Ok(Sock { inner, addr, queued: false, batches, run: Run { to: addr, stride: 1, bytes: Vec::new() } })
    }

    /// Sends a datagram behind all earlier ones: at once if it has to go alone, else with others like it, at
    /// the latest with [`flush`](Sock::flush).
    pub(super) fn send(&mut self, to: SocketAddr, bytes: &[u8], unsent: &mut VecDeque<Unsent>) {
        let most = self.most();
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

    /// Sends datagrams back behind all earlier ones. Many bytes go as they lie.
    pub(super) fn send_back(&mut self, datagrams: Datagrams<'_>, unsent: &mut VecDeque<Unsent>) {
        let Datagrams { from, bytes, stride, .. } = datagrams;
        if self.goes_at_once(datagrams) {
            self.flush(unsent);
            if self.send_cut(from, bytes, stride) {
                return;
            }
        }
        for one in datagrams.iter() {
            self.send(from, one.bytes, unsent);
        }
    }

    /// True if the kernel can cut these apart, and a run would not save a call that is worth a copy.
    fn goes_at_once(&self, datagrams: Datagrams<'_>) -> bool {
        let (bytes, count, most) = (datagrams.bytes.len(), datagrams.count(), self.most());
        (2..=most).contains(&count)
            && (bytes >= DIRECT || count == most)
            && (bytes <= MAX_DATAGRAM && datagrams.stride <= RUN_LARGEST)
            && datagrams.are_whole()
    }

    /// The longest run: 1 where the system has none.
    fn most(&self) -> usize {
        self.batches.as_ref().map_or(1, UdpSocketState::max_gso_segments)
    }

    /// Sends the run, by one call if the system can.
    pub(super) fn flush(&mut self, unsent: &mut VecDeque<Unsent>) {
        if self.run.bytes.is_empty() {
            return;
        }
        let Run { to, stride, .. } = self.run;
        let bytes = std::mem::take(&mut self.run.bytes);
        // A single one needs no cutting.
        if bytes.len() <= stride || !self.send_cut(to, &bytes, stride) {
            for datagram in bytes.chunks(stride) {
                self.send_one(to, datagram, unsent);
            }
        }
        self.run.bytes = bytes;
        self.run.bytes.clear();
    }

    /// Has the kernel cut datagrams apart. False if they were refused as a whole: a card that can't, a route too
    /// narrow. One by one each meets its own fate.
    fn send_cut(&self, to: SocketAddr, bytes: &[u8], stride: usize) -> bool {
        let Some(batches) = &self.batches else { return false };
        let run = Transmit {
            destination: to,
            ecn: None,
            contents: bytes,
            segment_size: Some(stride),
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

#[cfg(test)]
mod tests {
    use super::super::inbox::{Inbox, MESSAGE};
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
            messages.push(message.iter().map(|one| one.bytes.to_vec()).collect());
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

    // Catches: a train that is copied, taken apart, or overtakes the run before it; one that can't be cut, lost.
    #[test]
    fn what_goes_back_goes_behind_the_others_and_in_one_piece() {
        let (mut from, _, mut unsent) = sock();
        let (to, addr, _) = sock();
        let bytes: Vec<u8> = (0..200).cycle().take(30_000).collect();
        let train =
            |len: usize, stride| Datagrams { from: addr, bytes: &bytes[..len], stride, keep: MESSAGE };
        from.send(addr, b"before", &mut unsent);
        from.send_back(train(29_500, 1_000), &mut unsent);
        for small in [train(300, 100), train(250, 100), train(0, 0), train(9_000, 4_000)] {
            from.send_back(small, &mut unsent);
        }
        from.flush(&mut unsent);
        assert!(unsent.is_empty(), "{unsent:?}");
        let messages = received(&to, MESSAGE);
        let lengths: Vec<usize> = messages.concat().iter().map(Vec::len).collect();
        let wanted =
            [&[6][..], &[1_000; 29], &[500, 100, 100, 100, 100, 100, 50, 0, 4_000, 4_000, 1_000]].concat();
        assert_eq!(lengths, wanted);
        if to.batches.is_some() {
            let runs: Vec<usize> = messages.iter().map(Vec::len).collect();
            assert_eq!(
                runs,
                [1, 30, 6, 1, 1, 1, 1],
                "one send for each train that is long, few for the others"
            );
        }
    }
}

//! Bytes that a connection still has to send. Empty it owns no memory: buffers are lent from a pool.

/// A queue of bytes, appended at the end and consumed at the front.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Appends; takes a buffer from the pool if it has none.
    pub(super) fn push(&mut self, bytes: &[u8], pool: &mut Pool) {
        if self.bytes.capacity() == 0 {
            self.bytes = pool.lend();
        } else if self.sent > self.len() {
            // More than half is sent: moving the rest to the front is cheaper than growing.
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn consume(&mut self, sent: usize) {
        self.sent += sent;
    }

    /// Gives an empty buffer back.
    pub(super) fn release(&mut self, pool: &mut Pool) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            pool.take_back(std::mem::take(&mut self.bytes));
            self.sent = 0;
        }
    }
}

/// Buffers that are in use only while something is unsent, so that idle connections hold none.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Vec<Vec<u8>>,
}

impl Pool {
    /// A buffer that grew beyond this is not kept: one large message shall not stay in memory for ever.
    const KEPT_SIZE: usize = 64 << 10;
    /// Enough for a turn in which many connections are answered; more would be memory that nobody uses.
    const KEPT: usize = 64;

    pub(super) fn lend(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_default()
    }

    pub(super) fn take_back(&mut self, mut buffer: Vec<u8>) {
        if self.free.len() < Pool::KEPT && buffer.capacity() <= Pool::KEPT_SIZE {
            buffer.clear();
            self.free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let (mut out, mut pool) = (Outbox::default(), Pool::default());
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        for round in 0..200_u8 {
            let bytes = vec![round; usize::from(round) + 1];
            expected.extend_from_slice(&bytes);
            out.push(&bytes, &mut pool);
            let part = out.len() * 2 / 3;
            got.extend_from_slice(&out.unsent()[..part]);
            out.consume(part);
        }
        got.extend_from_slice(out.unsent());
        assert_eq!(got, expected);
    }

    #[test]
    fn an_empty_outbox_owns_nothing_and_its_buffer_is_used_again() {
        let (mut out, mut pool) = (Outbox::default(), Pool::default());
        out.push(b"Hello", &mut pool);
        out.release(&mut pool);
        assert_eq!(pool.free.len(), 0, "a full one keeps its buffer");
        out.consume(5);
        out.release(&mut pool);
        assert_eq!((out.bytes.capacity(), pool.free.len()), (0, 1));
        out.push(&vec![0; Pool::KEPT_SIZE + 1], &mut pool);
        out.consume(Pool::KEPT_SIZE + 1);
        out.release(&mut pool);
        assert_eq!(pool.free.len(), 0, "a large buffer is not kept");
    }
}

//! One connection of the load on a TCP echo server: what it has in flight, and where its replies end.

use super::content::Content;
use super::window::{Verdict, Window};
use crate::framing::{Decoder, FrameError, Framing};
use crate::net::ConnId;

/// One connection of the load.
pub(super) struct Client {
    pub(super) conn: ConnId,
    pub(super) window: Window,
    framing: Framing,
    decoder: Decoder,
    /// With `raw`: the part of a reply that has come.
    partial: Vec<u8>,
    /// Open loop: requests that were due so far.
    pub(super) due: u64,
    /// A right reply has come.
    pub(super) answered: bool,
    /// It is connected.
    pub(super) open: bool,
}

impl Client {
    /// A client that is about to connect.
    pub(super) fn new(conn: ConnId, framing: Framing, window: Window) -> Client {
        let decoder = Decoder::new(framing, usize::MAX);
        Client { conn, window, framing, decoder, partial: Vec::new(), due: 0, answered: false, open: false }
    }

    /// Cuts what came into replies, and says what each is.
    pub(super) fn receive(
        &mut self,
        content: &Content,
        bytes: &[u8],
        mut on: impl FnMut(Verdict),
    ) -> Result<(), FrameError> {
        let Client { window, framing, decoder, partial, answered, .. } = self;
        let mut judge = |reply: &[u8]| {
            let verdict = window.receive(content, reply);
            *answered |= matches!(verdict, Verdict::Right(_));
            on(verdict);
        };
        if *framing == Framing::Raw {
            cut_raw(content.size(), partial, bytes, &mut judge);
            return Ok(());
        }
        let mut at = 0;
        while let Some(frame) = decoder.next_frame(bytes, &mut at)? {
            judge(frame.payload);
        }
        Ok(())
    }
}

/// Cuts a stream into pieces of one size; `partial` keeps the beginning of one that is incomplete.
fn cut_raw(size: usize, partial: &mut Vec<u8>, mut bytes: &[u8], on: &mut impl FnMut(&[u8])) {
    if !partial.is_empty() {
        let (head, rest) = bytes.split_at(bytes.len().min(size - partial.len()));
        partial.extend_from_slice(head);
        bytes = rest;
        if partial.len() < size {
            return;
        }
        on(partial);
        partial.clear();
    }
    let mut pieces = bytes.chunks_exact(size);
    for piece in &mut pieces {
        on(piece);
    }
    partial.extend_from_slice(pieces.remainder());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_chunking_gives_the_same_pieces() {
        let bytes: Vec<u8> = (0..100).collect();
        for size in [1, 3, 10, 99, 100] {
            for chunk in 1..=100 {
                let (mut partial, mut pieces) = (Vec::new(), Vec::new());
                for part in bytes.chunks(chunk) {
                    cut_raw(size, &mut partial, part, &mut |piece: &[u8]| pieces.push(piece.to_vec()));
                }
                let whole: Vec<_> = bytes.chunks_exact(size).map(<[u8]>::to_vec).collect();
                assert_eq!(
                    (pieces, partial.len()),
                    (whole, bytes.len() % size),
                    "{size} in chunks of {chunk}"
                );
            }
        }
    }
}

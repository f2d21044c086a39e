//! What a readiness event is about, packed into the one number that the system gives back with it.

use mio::Token;

use super::handler::{ConnId, SockId};

/// What a readiness event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Conn(ConnId),
    Listener(usize),
    Udp(SockId),
    Waker,
}

impl Target {
    const KIND_BITS: u32 = 2;

    /// Packs kind, index and generation; the upper half is the generation.
    pub(super) fn token(self) -> Token {
        let (kind, index, generation) = match self {
            Target::Conn(c) => (0, c.index as usize, c.generation as usize),
            Target::Listener(index) => (1, index, 0),
            Target::Udp(s) => (2, s.0 as usize, 0),
            Target::Waker => (3, 0, 0),
        };
        Token((generation << (usize::BITS / 2)) | (index << Target::KIND_BITS) | kind)
    }

    pub(super) fn of(token: Token) -> Target {
        let lower = token.0 & (usize::MAX >> (usize::BITS / 2));
        let index = u32::try_from(lower >> Target::KIND_BITS).expect("half a word fits");
        match lower & 3 {
            0 => {
                let generation = u32::try_from(token.0 >> (usize::BITS / 2)).expect("half a word fits");
                Target::Conn(ConnId { index, generation })
            }
            1 => Target::Listener(index as usize),
            2 => Target::Udp(SockId(index)),
            _ => Target::Waker,
        }
    }
}

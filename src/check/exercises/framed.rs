//! `framed-echo-u16`, `framed-echo-u32`: messages with a length in front, each one sent back.

use std::sync::Arc;

use crate::check::case::{Shape, of_streams};
use crate::check::codec::{Codec, Prefix};
use crate::check::exercise::{Exercise, Lab};
use crate::check::expect::Expect;
use crate::check::plan::{Dialect, Turn};
use crate::check::variant::Variant;
use crate::net::table::Transport;
use crate::text::hex;

struct FramedEcho {
    codec: Codec,
    /// Stands before each reply's payload.
    mark: Vec<u8>,
}

impl Dialect for FramedEcho {
    fn codec(&self) -> Codec {
        self.codec
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let answer = [&self.mark, payload].concat();
        Turn {
            payload: payload.to_vec(),
            make: None,
            expect: vec![Expect::Exact { codec: self.codec, payload: answer }],
        }
    }
}

pub(super) fn u16(variant: &Variant, seed: u64) -> Exercise {
    framed("framed-echo-u16", "Echo messages that have a length of 2 bytes in front", 2, variant, seed)
}

pub(super) fn u32(variant: &Variant, seed: u64) -> Exercise {
    framed("framed-echo-u32", "Echo messages that have a length of 4 bytes in front", 4, variant, seed)
}

fn framed(name: &'static str, summary: &'static str, width: usize, variant: &Variant, seed: u64) -> Exercise {
    let prefix = variant.prefix(width);
    let mark = variant.mark();
    let dialect = FramedEcho { codec: Codec::Prefixed(prefix), mark: mark.clone().into_bytes() };
    // The largest claim of all; a claim of much that never comes; a frame that ends early; half a prefix; a payload that is no text.
    let claim = [prefix.encode(60_000), b"abc".to_vec()].concat();
    let early = [prefix.encode(10), b"abc".to_vec()].concat();
    let no_text = [prefix.encode(2), vec![0xff, 0xfe]].concat();
    let shape = Shape {
        message: "frame",
        once: false,
        many: true,
        empty: true,
        binary: true,
        largest: if width == 2 { 65_000 } else { 200_000 },
        bad: vec![early, vec![0], vec![0xff; prefix.width], claim, no_text],
    };
    Exercise {
        name,
        summary,
        specification: specification(prefix, &mark),
        lab: Lab { folder: "05-framing", section: "Round 1: exactly n bytes" },
        transport: Transport::Tcp,
        once: false,
        env: Vec::new(),
        folder_env: None,
        cases: of_streams(&dialect, &shape, seed),
        dialect: Arc::new(dialect),
    }
}

fn specification(prefix: Prefix, mark: &str) -> String {
    let order = if prefix.little {
        "least significant byte first (little-endian)"
    } else {
        "most significant byte first (big-endian)"
    };
    let counts = if prefix.inclusive {
        format!("the payload's bytes and its own {}", prefix.width)
    } else {
        "the payload's bytes alone".to_owned()
    };
    let answer = if mark.is_empty() {
        "with the same payload".to_owned()
    } else {
        format!("whose payload is `{mark}` (ASCII) and then the same payload")
    };
    let example = Codec::Prefixed(prefix);
    let sent = hex(&example.encode(b"Hello").bytes);
    let received = hex(&example.encode(&[mark.as_bytes(), b"Hello"].concat()).bytes);
    format!(
        "A TCP server. A frame is a length of {} bytes, {order}, and then a payload. The length counts {counts}, \
         in bytes, not in characters. A payload may be empty, and holds any bytes.\n\n\
         The server answers each frame with one frame {answer}, as soon as it is complete, in order, until the client ends \
         its side; then it closes the connection. Where the stream is cut into segments means nothing. Several clients are \
         served at once, for as long as the server runs. A stream that ends, or is reset, inside a frame, or any other bad input, harms no \
         other client.\n\n\
         Example: `{sent}` is answered by `{received}`.",
        prefix.width
    )
}

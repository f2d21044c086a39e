//! `framed-echo-header`: messages behind a JSON header of their own, each one's content sent back.

use std::sync::Arc;

use crate::check::case::{Shape, of_streams};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::expect::Expect;
use crate::check::plan::{Dialect, Turn};
use crate::check::variant::Variant;
use crate::net::table::Transport;

struct HeaderEcho {
    mark: Vec<u8>,
}

impl Dialect for HeaderEcho {
    fn codec(&self) -> Codec {
        Codec::Header
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let expect = vec![Expect::Content([&self.mark, payload].concat())];
        Turn { payload: payload.to_vec(), make: None, expect }
    }
}

pub(super) fn echo(variant: &Variant, seed: u64) -> Exercise {
    let mark = variant.mark();
    let dialect = HeaderEcho { mark: mark.clone().into_bytes() };
    // A header that is no JSON; one without its members; a frame that ends inside its header.
    let shape = Shape {
        message: "frame",
        once: false,
        many: true,
        empty: true,
        binary: true,
        largest: 65_000,
        bad: vec![b"\0\x04nope".to_vec(), b"\0\x02{}".to_vec(), b"\0\x40{\"content-length\"".to_vec()],
    };
    let answer = if mark.is_empty() {
        "the same content".to_owned()
    } else {
        format!("`{mark}` and then the same content")
    };
    Exercise {
        name: "framed-echo-header",
        summary: "Echo messages that have a JSON header in front",
        specification: format!(
            "A TCP server. A frame has three parts: the header's length in 2 bytes, most significant first; the header, a JSON object \
             in UTF-8; and the content. The header has at least the members `content-length` (bytes of content), `content-type` (`text/json` \
             or `binary/...`), `content-encoding` (`utf-8` or `binary`) and `byteorder` (`little` or `big`), in any order.\n\n\
             The server answers each frame with one frame of {answer}, as soon as it is complete, in order, until the client ends its side; then \
             it closes the connection. The answer's `content-type` and `content-encoding` are those of the request. Content may be empty, and holds any \
             bytes. Where the stream is cut into segments means nothing. Several clients are served at once, for as long as the server runs. \
             Whatever a client sends, and however it leaves (a reset, too), harms no other client."
        ),
        lab: Lab { folder: "05-framing", section: "Round 4: a header" },
        transport: Transport::Tcp,
        once: false,
        env: Vec::new(),
        folder_env: None,
        cases: of_streams(&dialect, &shape, seed),
        dialect: Arc::new(dialect),
    }
}

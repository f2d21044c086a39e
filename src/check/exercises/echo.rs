//! `tcp-echo-once`, `tcp-echo`, `tcp-echo-many`: the bytes come back; `upper-lines`: lines, in capitals.

use std::sync::Arc;

use crate::check::case::{Shape, of_streams};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::expect::Expect;
use crate::check::plan::{Dialect, Turn};
use crate::check::variant::Variant;
use crate::net::table::Transport;

/// Bytes, or lines, and what comes back.
struct Echo {
    codec: Codec,
    /// A line that the server says to each new client.
    greeting: Vec<u8>,
    /// Stands before each answer.
    mark: Vec<u8>,
    upper: bool,
}

impl Dialect for Echo {
    fn codec(&self) -> Codec {
        self.codec
    }

    fn greeting(&self) -> Vec<Expect> {
        let said = Expect::Exact { codec: Codec::Raw, payload: self.greeting.clone() };
        if self.greeting.is_empty() { Vec::new() } else { vec![said] }
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let text = if self.upper { payload.to_ascii_uppercase() } else { payload.to_vec() };
        let answer = [&self.mark[..], &text].concat();
        Turn {
            payload: payload.to_vec(),
            make: None,
            expect: vec![Expect::Exact { codec: self.codec, payload: answer }],
        }
    }
}

pub(super) fn once(variant: &Variant, seed: u64) -> Exercise {
    let serves = "It serves one client, and may end with it.";
    raw("tcp-echo-once", "Echo the bytes of one client", serves, (true, false), variant, seed)
}

pub(super) fn echo(variant: &Variant, seed: u64) -> Exercise {
    let serves = "It serves one client after the other, for as long as it runs; whoever comes while another one is served may have to wait.";
    raw("tcp-echo", "Echo the bytes of one client after the other", serves, (false, false), variant, seed)
}

pub(super) fn many(variant: &Variant, seed: u64) -> Exercise {
    let serves = "It serves several clients at once, for as long as it runs: nobody waits for another one to say something or to leave.";
    raw("tcp-echo-many", "Echo the bytes of many clients at once", serves, (false, true), variant, seed)
}

fn raw(
    name: &'static str,
    summary: &'static str,
    serves: &str,
    (once, many): (bool, bool),
    variant: &Variant,
    seed: u64,
) -> Exercise {
    let greeting =
        if variant.seed.is_some() { format!("{}\n", variant.text("ready")) } else { String::new() };
    let greets = if greeting.is_empty() {
        String::new()
    } else {
        format!(
            "To each new client the server first sends the line `{}`, ended by one newline byte (0a). ",
            greeting.trim_end()
        )
    };
    let dialect = Echo { codec: Codec::Raw, greeting: greeting.into_bytes(), mark: Vec::new(), upper: false };
    let shape = Shape {
        message: "message",
        once,
        many,
        empty: false,
        binary: true,
        largest: 200_000,
        bad: vec![Vec::new(), vec![0xff, 0xfe]],
    };
    let leaves = if many { ", and however it leaves (a reset, too)," } else { "" };
    let specification = format!(
        "A TCP server. {greets}It sends back every byte that the client sends, any bytes, in order, soon after they have come; TCP has no \
         messages, so what one recv returns means nothing. When the client ends its side, the server sends what is left to send and \
         closes the connection.\n\n{serves} Whatever a client sends{leaves} harms no other client."
    );
    let lab = if many {
        Lab { folder: "06-many-clients", section: "Round 2: a thread for each client" }
    } else {
        Lab { folder: "01-first-echo", section: "Round 3: how much does recv return?" }
    };
    Exercise {
        name,
        summary,
        specification,
        lab,
        transport: Transport::Tcp,
        once,
        env: Vec::new(),
        folder_env: None,
        cases: of_streams(&dialect, &shape, seed),
        dialect: Arc::new(dialect),
    }
}

pub(super) fn upper_lines(variant: &Variant, seed: u64) -> Exercise {
    let mark = variant.mark();
    let dialect =
        Echo { codec: Codec::Line, greeting: Vec::new(), mark: mark.clone().into_bytes(), upper: true };
    let shape = Shape {
        message: "line",
        once: false,
        many: true,
        empty: true,
        binary: false,
        largest: 32_768,
        bad: vec![b"no newline".to_vec(), b"\xff\xfe\n".to_vec(), vec![0, b'\n']],
    };
    let before = if mark.is_empty() { String::new() } else { format!("`{mark}` and then ") };
    let example = if mark.is_empty() { "HELLO".to_owned() } else { format!("{mark}HELLO") };
    Exercise {
        name: "upper-lines",
        summary: "Answer each line in capitals",
        specification: format!(
            "A TCP server. A line is UTF-8 text and then one newline byte (0a). Each line is answered by one line, as soon as its newline \
             has come: {before}the same text with the letters a to z as A to Z, and a newline. A line may be empty, and has up to 32,768 bytes. \
             When the client ends its side, the server closes the connection.\n\nWhere the stream is cut into segments means nothing. \
             Several clients are served at once, for as long as the server runs. Whatever a client sends, and however it leaves (a reset, \
             too), harms no other client.\n\n\
             Example: `hello` and a newline is answered by `{example}` and a newline."
        ),
        lab: Lab { folder: "04-sticky-packets", section: "Round 4: the cure" },
        transport: Transport::Tcp,
        once: false,
        env: Vec::new(),
        folder_env: None,
        cases: of_streams(&dialect, &shape, seed),
        dialect: Arc::new(dialect),
    }
}

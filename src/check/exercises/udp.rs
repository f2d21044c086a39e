//! `udp-echo`, `udp-ack`: one datagram in, one datagram out, to whoever sent it.

use std::sync::Arc;

use crate::check::case::{Case, PADDED, WIDE, numbered};
use crate::check::codec::Codec;
use crate::check::exercise::{Exercise, Lab};
use crate::check::expect::Expect;
use crate::check::plan::{Dialect, Plan, Turn, Way};
use crate::check::variant::{Random, Variant};
use crate::net::table::Transport;

/// The largest datagram that an answer is asked for.
const LARGEST: usize = 4_096;

struct Datagrams {
    /// Stands before an echo.
    mark: Vec<u8>,
    /// The one answer to everything, in place of an echo.
    ack: Option<Vec<u8>>,
}

impl Dialect for Datagrams {
    fn codec(&self) -> Codec {
        Codec::Raw
    }

    fn ask(&self, _client: usize, payload: &[u8]) -> Turn {
        let answer = self.ack.clone().unwrap_or_else(|| [&self.mark, payload].concat());
        let expect = vec![Expect::Exact { codec: Codec::Raw, payload: answer }];
        Turn { payload: payload.to_vec(), make: None, expect }
    }
}

pub(super) fn echo(variant: &Variant, seed: u64) -> Exercise {
    let mark = variant.mark();
    let answer = if mark.is_empty() {
        "with the same bytes".to_owned()
    } else {
        format!("that holds `{mark}` (ASCII) and then the same bytes")
    };
    let dialect = Datagrams { mark: mark.into_bytes(), ack: None };
    exercise("udp-echo", "Echo datagrams", &answer, dialect, seed)
}

pub(super) fn ack(variant: &Variant, seed: u64) -> Exercise {
    let text = variant.text("Message received");
    let answer = format!("that says `{text}`, whatever came");
    let dialect = Datagrams { mark: Vec::new(), ack: Some(text.into_bytes()) };
    exercise("udp-ack", "Acknowledge datagrams", &answer, dialect, seed)
}

fn exercise(
    name: &'static str,
    summary: &'static str,
    answer: &str,
    dialect: Datagrams,
    seed: u64,
) -> Exercise {
    let but = if dialect.ack.is_some() { "" } else { " (an empty one may go unanswered)" };
    Exercise {
        name,
        summary,
        specification: format!(
            "A UDP server. Each datagram is a message of its own, from whoever sent it: any bytes, an empty one among them, up to \
             4,096 bytes. It is answered by one datagram {answer}, sent to the address that it came from{but}. Many clients take turns, and what one \
             of them sends harms no other one. The server runs until it is ended."
        ),
        lab: Lab { folder: "02-tcp-or-udp", section: "Round 2: larger than the buffer" },
        transport: Transport::Udp,
        once: false,
        env: Vec::new(),
        folder_env: None,
        cases: cases(dialect.ack.is_some(), seed),
        dialect: Arc::new(dialect),
    }
}

fn cases(acks: bool, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let (one, two, three) = (random.word(), random.word(), random.word());
    let words: [&[u8]; 3] = [one.as_bytes(), two.as_bytes(), three.as_bytes()];
    let all: Vec<u8> = (0..=255).collect();
    let whole = |messages: &[&[u8]]| Plan::new(Way::Whole, messages);
    let mut sizes = Case::new(
        "sizes",
        "A datagram of up to 4,096 bytes is answered like a small one.",
        &["several-messages"],
    );
    for size in [512, 1_023, 1_024, 1_025, 1_500, 2_048, 2_049, LARGEST] {
        sizes = sizes.plan(whole(&[&numbered(0, size), b"end"]));
    }
    let case = |name, expected: &str, needs: &[&'static str]| Case::new(name, expected, needs);
    let empty = if acks {
        case("empty-message", "An empty datagram is a message too, and is answered.", &["several-messages"])
            .plan(whole(&[b"", b"a"]))
    } else {
        // Some libraries send no empty datagrams (Python's asyncio before 3.13), so that no echo of one is asked for.
        case(
            "empty-message",
            "An empty datagram ends nothing: the next one is answered.",
            &["several-messages"],
        )
        .plan(Plan::new(Way::AfterBad(Vec::new()), &[b"a"]))
    };
    vec![
        case("one-message", "A datagram is answered.", &["listens"]).plan(whole(&[b"Hello"])),
        case("several-messages", "One datagram after the other is answered.", &["one-message"])
            .plan(whole(&words)),
        empty,
        case("wide-characters", "Text beyond ASCII is answered like any other.", &["one-message"])
            .plan(whole(&[WIDE.as_bytes(), b"end"])),
        case("every-byte", "A datagram holds any bytes.", &["one-message"])
            .plan(whole(&[&all, b"end"]))
            .plan(whole(&[PADDED, b"end"])),
        sizes,
        case("next-client", "Another client is answered, too.", &["one-message"])
            .plan(Plan::new(Way::Successive, &words[..1])),
        case("many-clients", "Several clients take turns, and each gets its own answers.", &["next-client"])
            .plan(Plan::new(Way::Interleaved, &words[..2])),
        case("bad-input", "Whatever one client sends, the next one is answered.", &["next-client"])
            .plan(Plan::new(Way::AfterBad(vec![0xff, 0xfe]), &words[..1]))
            .plan(Plan::new(Way::AfterBad(Vec::new()), &words[..1])),
        case("idle", "A server with nothing to do uses no processor time.", &["one-message"])
            .plan(Plan::new(Way::Idle, &words[..1])),
    ]
}

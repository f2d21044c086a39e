//! Cases: what is asked of a server, with what has to hold before. Those that every exercise with messages shares
//! are made here from its dialect.

use super::codec::Codec;
use super::plan::{Dialect, Plan, Probe, Way};
use super::script::Script;
use super::variant::Random;
use crate::text::Grouped;

/// One thing that is asked of a server.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What is expected, in a sentence.
    pub expected: String,
    /// The cases without which this one tells nothing.
    pub needs: Vec<&'static str>,
    /// What it is worth.
    pub points: u32,
    /// How it is tried, from the smallest input up. One failure fails the case.
    pub trials: Vec<Trial>,
}

/// One way to try it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is played and how: by this it is diagnosed, reduced and reproduced.
    pub plan: Plan,
    /// The steps, where the exercise has them written down; otherwise the plan makes them.
    pub written: Option<Script>,
}

impl Trial {
    /// The steps.
    #[must_use]
    pub fn script(&self, dialect: &dyn Dialect) -> Script {
        self.written.clone().unwrap_or_else(|| self.plan.script(dialect))
    }
}

impl Case {
    /// A case without trials.
    #[must_use]
    pub fn new(name: &'static str, expected: impl Into<String>, needs: &[&'static str]) -> Case {
        Case { name, expected: expected.into(), needs: needs.to_vec(), points: 1, trials: Vec::new() }
    }

    /// Adds a trial: a plan.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Case {
        self.trials.push(Trial { plan, written: None });
        self
    }

    /// Adds a trial whose steps are written down, and what it finds out.
    #[must_use]
    pub fn probe(mut self, probe: Probe, script: Script) -> Case {
        self.trials.push(Trial { plan: Plan::new(Way::Probe(probe), &[]), written: Some(script) });
        self
    }
}

/// What an exercise asks of its servers, as far as cases differ by it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What a message is called: `line`, `frame`.
    pub message: &'static str,
    /// A server may serve one client and end.
    pub once: bool,
    /// Many clients are served at once.
    pub many: bool,
    /// Messages may be empty.
    pub empty: bool,
    /// Messages hold any bytes.
    pub binary: bool,
    /// The largest message on the wire, in bytes.
    pub largest: usize,
    /// What no client should send: the server may do with it what it likes, but go on.
    pub bad: Vec<Vec<u8>>,
}

/// Text that somebody may be tempted to strip.
pub(super) const PADDED: &[u8] = b" \t padded  ";

/// Text with characters of three and four bytes, which no upper-casing changes.
pub(super) const WIDE: &str = "漢字🙂";

/// The cases of every exercise whose messages travel on a TCP stream.
pub(super) fn of_streams(dialect: &dyn Dialect, shape: &Shape, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let mut cases = basics(shape, &mut random);
    cases.extend(contents(dialect.codec(), shape));
    cases.extend(cuts(dialect, shape, &mut random));
    cases.push(sizes(dialect, shape));
    cases.extend(endings(dialect, shape, &mut random));
    cases
}

fn basics(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let (one, two, three) = (random.word(), random.word(), random.word());
    let what = shape.message;
    let whole = |texts: &[&str]| {
        let messages: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        Plan::new(Way::Whole, &messages)
    };
    let mut cases = vec![
        Case::new(
            "one-message",
            format!("A {what} is answered while the connection stays open."),
            &["listens"],
        )
        .plan(whole(&["Hello"])),
        Case::new(
            "several-messages",
            format!("One {what} after the other is answered on the same connection."),
            &["one-message"],
        )
        .plan(whole(&[&one, &two, &three, "end"])),
    ];
    if !shape.once {
        let plan = Plan::new(Way::Successive, &[one.as_bytes()]);
        let expected = "When a client has left, the next one is served.";
        cases.push(Case::new("next-client", expected, &["one-message"]).plan(plan));
    }
    cases
}

fn contents(codec: Codec, shape: &Shape) -> Vec<Case> {
    let mut cases = Vec::new();
    let what = shape.message;
    if shape.empty {
        let expected = format!("An empty {what} is a {what} too, and is answered.");
        let plan = Plan::new(Way::Whole, &[b"", b"a"]);
        cases.push(Case::new("empty-message", expected, &["several-messages"]).plan(plan));
    }
    let expected = "Text beyond ASCII is answered like any other: a length counts bytes, not characters.";
    let mut case = Case::new("wide-characters", expected, &["one-message"]);
    case = case.plan(Plan::new(Way::Whole, &[WIDE.as_bytes(), b"end"]));
    if codec == Codec::Line {
        let letters = b"abcdefghijklm nopqrstuvwxyz NOPQ 0123456789";
        let expected =
            "A line holds any text, with blanks at its ends, too; each letter from a to z becomes a capital.";
        let plan = |line: &[u8]| Plan::new(Way::Whole, &[line, b"end"]);
        cases.push(Case::new("letters", expected, &["one-message"]).plan(plan(letters)).plan(plan(PADDED)));
        // Letters that a capital of another alphabet, or of two letters, would change.
        case = case.plan(Plan::new(Way::Whole, &["\u{e9}\u{df}\u{b5}".as_bytes(), b"end"]));
    }
    if codec == Codec::Header {
        // What is JSON is announced as text, and a program may treat that otherwise.
        case = case.plan(Plan::new(Way::Whole, &[format!("\"{WIDE}\"").as_bytes(), b"end"]));
    }
    cases.push(case);
    if shape.binary {
        let all: Vec<u8> = (0..=255).collect();
        let plan = Plan::new(Way::Whole, &[&all, b"end"]);
        let expected = format!("A {what} holds any bytes, at its ends, too: they all come back.");
        let padded = Plan::new(Way::Whole, &[PADDED, b"end"]);
        cases.push(Case::new("every-byte", expected, &["one-message"]).plan(plan).plan(padded));
    }
    cases
}

fn cuts(dialect: &dyn Dialect, shape: &Shape, random: &mut Random) -> Vec<Case> {
    let (one, two, three) = (random.word(), random.word(), random.word());
    let what = shape.message;
    let raw = dialect.codec() == Codec::Raw;
    let texts: [&[u8]; 3] = [one.as_bytes(), two.as_bytes(), three.as_bytes()];
    let plan = |way, n: usize| Plan::new(way, &texts[..n]);
    let mut cases = Vec::new();
    if !raw {
        let expected = format!("Several {what}s in one send are all answered, in order.");
        let mut case = Case::new("coalesced", expected, &["several-messages"]);
        case = case.plan(plan(Way::Coalesced, 2)).plan(plan(Way::Coalesced, 3));
        cases.push(case);
    }
    let first = plan(Way::Whole, 1).stream(dialect);
    let expected = match dialect.codec() {
        Codec::Raw => "Bytes that come in pieces are answered all the same, to the last.".to_owned(),
        _ => format!("A {what} that comes in pieces is answered once, when it is complete."),
    };
    let mut case = Case::new("cut", expected, &["several-messages"]);
    for at in dialect.codec().cuts(&first) {
        case = case.plan(plan(Way::Cut(vec![at]), 2));
    }
    cases.push(case);
    let expected = format!("The same bytes, sent one at a time, give the same answers ({what} by {what}).");
    cases.push(Case::new("byte-at-a-time", expected, &["cut"]).plan(plan(Way::Bytes, 2)));
    let middle = first.bytes.len().div_ceil(2);
    let case = Case::new("pause", format!("A pause inside a {what} changes nothing."), &["cut"]);
    cases.push(case.plan(plan(Way::Paused(middle), 2)));
    if !raw {
        let at = first.bytes.len() + (first.bytes.len() / 2).max(1);
        let expected = format!("One and a half {what}s in one send: one answer now, the other one later.");
        let case = Case::new("one-and-a-half", expected, &["coalesced", "cut"]);
        cases.push(case.plan(plan(Way::Straddled(at), 3)));
    }
    let wide = Plan::new(Way::Whole, &[WIDE.as_bytes()]).stream(dialect);
    // Behind the first byte of the last character.
    let inside = wide.bytes.iter().rposition(|byte| *byte == 0xf0).map(|at| at + 1);
    if let Some(inside) = inside {
        let plan = Plan::new(Way::Cut(vec![inside]), &[WIDE.as_bytes(), b"end"]);
        let expected = "A cut inside a character changes nothing.";
        cases.push(Case::new("cut-character", expected, &["wide-characters", "cut"]).plan(plan));
    }
    cases
}

/// Sizes at which buffers of programs end: powers of two, round numbers, and their neighbours.
const SIZES: [usize; 13] =
    [1_000, 1_023, 1_024, 1_025, 2_048, 4_096, 4_097, 8_192, 10_000, 16_384, 32_768, 65_000, 200_000];

fn sizes(dialect: &dyn Dialect, shape: &Shape) -> Case {
    let expected = format!(
        "A {} may be as long as it likes, up to {} bytes.",
        shape.message,
        Grouped(shape.largest as u64)
    );
    let mut case = Case::new("sizes", expected, &["several-messages"]);
    // Where each trial starts the program again, fewer sizes have to do.
    let worth =
        |size: &usize| *size <= shape.largest && (!shape.once || [1_024, 4_097, 65_000].contains(size));
    for size in SIZES.into_iter().filter(worth) {
        let payload = payload_of(dialect, size);
        case = case.plan(Plan::new(Way::Whole, &[&payload, b"end"]));
    }
    case
}

/// A payload whose message takes so many bytes on the wire. Its text tells at each place where it stands.
pub(super) fn payload_of(dialect: &dyn Dialect, wire_size: usize) -> Vec<u8> {
    let wire = |payload: &[u8]| dialect.codec().encode(&dialect.ask(0, payload).payload).bytes.len();
    let mut length = wire_size.saturating_sub(wire(b""));
    // The header's own length grows with the digits of the content's.
    for _ in 0..3 {
        let over = wire(&numbered(0, length));
        length = (length + wire_size).saturating_sub(over);
    }
    let mut payload = numbered(0, length);
    // A blank at the end is another case's question.
    if let Some(last) = payload.last_mut().filter(|last| **last == b' ') {
        *last = b'.';
    }
    payload
}

/// `000000 000001 000002 ...`: text of which every piece is found in one place alone.
pub(super) fn numbered(first: usize, length: usize) -> Vec<u8> {
    let mut text: Vec<u8> =
        (first..).take(length / 7 + 1).flat_map(|n| format!("{n:06} ").into_bytes()).collect();
    text.truncate(length);
    text
}

/// A client that has nothing to say does not keep the others waiting.
pub(super) fn silent_client(message: &[u8]) -> Case {
    let expected = "A client that connects and says nothing keeps nobody waiting.";
    let plan = Plan::new(Way::Silent, &[message]);
    Case::new("silent-client", expected, &["next-client"]).plan(plan)
}

/// A client that resets its connection behind `half` of a message harms nobody else.
pub(super) fn reset(half: &[u8], message: &[u8]) -> Case {
    let expected = "A client that resets its connection harms nobody else: the next client is served.";
    let plan = Plan::new(Way::AfterReset(half.to_vec()), &[message]);
    Case::new("reset", expected, &["next-client"]).plan(plan)
}

fn endings(dialect: &dyn Dialect, shape: &Shape, random: &mut Random) -> Vec<Case> {
    let (one, two) = (random.word(), random.word());
    let what = shape.message;
    let mut cases = Vec::new();
    let expected = "A client that ends its side gets its last answer, and then the server's end.";
    let case = Case::new("half-close", expected, &["one-message"]);
    let large = [0, 9_000, 18_000].map(|first| numbered(first, shape.largest.min(63_000)));
    let mut case = case.plan(Plan::new(Way::HalfClosed, &[one.as_bytes()]));
    // Answers that do not fit into the send buffer are still owed when the client has ended its side.
    if large[0].len() >= 60_000 && shape.binary {
        case = case.plan(Plan::new(Way::HalfClosed, &large.each_ref().map(Vec::as_slice)));
    }
    cases.push(case);
    if shape.many {
        let plan = Plan::new(Way::Interleaved, &[one.as_bytes(), two.as_bytes()]);
        let expected = "Several clients are served at once, each with its own answers.";
        cases.push(Case::new("many-clients", expected, &["next-client"]).plan(plan));
        cases.push(silent_client(one.as_bytes()));
        let message = Plan::new(Way::Whole, &[one.as_bytes()]).stream(dialect).bytes;
        cases.push(reset(&message[..message.len().div_ceil(2)], one.as_bytes()));
    }
    // The way makes its messages itself: they are many.
    let slow = Plan::new(Way::SlowReader, &[]);
    let expected = "A client that reads slowly gets every byte, in order and once.";
    cases.push(Case::new("slow-reader", expected, &["several-messages", "sizes"]).plan(slow));
    if !shape.once {
        let expected = format!("What is no proper {what} harms nobody else: the next client is served.");
        let mut case = Case::new("bad-input", expected, &["next-client"]);
        for bad in &shape.bad {
            case = case.plan(Plan::new(Way::AfterBad(bad.clone()), &[one.as_bytes()]));
        }
        cases.push(case);
        let idle = |way| Plan::new(way, &[one.as_bytes()]);
        let case = Case::new("idle", "A server with nothing to do uses no processor time.", &["one-message"]);
        cases.push(case.plan(idle(Way::Idle)).plan(idle(Way::IdleAfter)));
    }
    cases
}

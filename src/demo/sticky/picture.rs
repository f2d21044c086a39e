//! Records as pictures: ribbons for bytes, an axis for times. Data in, data out; `render` draws it.

use super::counts::{Counts, call_spans, decode, message_spans};
use super::cuts::Cuts;
use super::framed::Entry;
use super::nagle::{Nagle, Run};
use super::plan::recv_title;
use super::race::Race;
use super::record::{Call, Record};
use super::udp::Truncated;
use super::verdict::milliseconds;
use crate::framing::Framing;
use crate::report::{AxisRow, Block, Cells, Ribbon, RibbonRow, Span, Table, TimeAxis};
use crate::text::{counted, hex};

/// How much is shown: with [`Reveal::Sends`] a class can still predict what `recv` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reveal {
    /// What was sent.
    Sends,
    /// What was sent, received and decoded.
    All,
}

/// `merge`, `split`, `mixed`.
pub(super) fn cuts(name: &'static str, record: &Record, cuts: &Cuts, reveal: Reveal) -> Block {
    let messages = counted(record.messages.len() as u64, "message");
    let sends = counted(record.sends.len() as u64, "send");
    let framing = if record.framing == Framing::Raw { "" } else { &format!("{}, ", cuts.framing) };
    let title = match reveal {
        Reveal::All if name == "merge" => {
            let recvs = counted(record.recvs.len() as u64, "recv");
            format!("{framing}{messages}, {sends}, {recvs}")
        }
        _ => format!("{framing}{messages}, {}", recv_title(&cuts.recv_sizes)),
    };
    Block::Ribbon(Ribbon { name: name.to_owned(), title, rows: rows(record, reveal) })
}

/// One framing of `framed`.
pub(super) fn framed(entry: &Entry, reveal: Reveal) -> Block {
    let by_hand = if entry.refused.is_some() { " written by hand" } else { "" };
    let title = format!("{}{by_hand}, {}", entry.framing, recv_title(&entry.recv_sizes));
    Block::Ribbon(Ribbon { name: "framed".into(), title, rows: rows(&entry.record, reveal) })
}

/// The rows that every stream has, and those of its framing.
fn rows(record: &Record, reveal: Reveal) -> Vec<RibbonRow> {
    let stream = Cells::Bytes { bytes: record.sent(), marks: Vec::new() };
    let mut rows = vec![call_row("send()", &record.sends), row("stream", stream, stream_note(record))];
    if reveal == Reveal::All {
        rows.push(call_row("recv()", &record.recvs));
        rows.extend(if record.framing == Framing::Raw { vec![per_recv(record)] } else { decoded(record) });
    }
    rows
}

fn row(label: &'static str, cells: Cells, note: impl Into<String>) -> RibbonRow {
    RibbonRow { label, cells, note: note.into() }
}

/// `├─1─┤├─2─┤` and `2 calls: 5+5 B`.
fn call_row(label: &'static str, calls: &[Call]) -> RibbonRow {
    let note = format!("{}: {} B", counted(calls.len() as u64, "call"), sizes(calls));
    row(label, numbered(call_spans(calls)), if calls.is_empty() { "no call".into() } else { note })
}

fn numbered(spans: impl IntoIterator<Item = std::ops::Range<usize>>) -> Cells {
    let span = |(n, span): (usize, std::ops::Range<usize>)| Span {
        start: span.start,
        end: span.end,
        label: (n + 1).to_string(),
    };
    Cells::Spans(spans.into_iter().enumerate().map(span).collect())
}

/// `5+5+5`; of many calls the first few.
fn sizes(calls: &[Call]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = calls.iter().take(SHOWN).map(|call| call.bytes.len().to_string()).collect();
    shown.join("+") + if calls.len() > SHOWN { "+..." } else { "" }
}

fn stream_note(record: &Record) -> &'static str {
    let sent = record.sent();
    if sent.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        "no marks in a stream"
    } else if sent.is_ascii() {
        "· = not text"
    } else {
        "· = a byte outside of ASCII"
    }
}

fn per_recv(record: &Record) -> RibbonRow {
    let counts = Counts::of(record);
    let sent = counted(counts.messages_sent as u64, "message");
    row("per recv", Cells::Text(format!("{} of {sent}", counts.recovered_per_recv)), "")
}

/// What the decoder made of the bytes: prefixes marked, and the frames in brackets.
fn decoded(record: &Record) -> Vec<RibbonRow> {
    let (bytes, found) = (record.received(), decode(record));
    let mark = |start: usize, end: usize, label: String| (start < end).then_some(Span { start, end, label });
    let marks = found.iter().flat_map(|found| {
        let length = found.bytes.len();
        let head = if record.framing == Framing::Header {
            format!("content-length {length}")
        } else {
            length.to_string()
        };
        let head = mark(found.frame.start, found.payload.start, head);
        head.into_iter().chain(mark(found.payload.end, found.frame.end, String::new()))
    });
    let counts = Counts::of(record);
    let whole = counts.recovered_by_framing.unwrap_or(0);
    let sent = counted(counts.messages_sent as u64, "message");
    let frames = if found.len() == counts.messages_sent {
        format!("{whole} of {sent}")
    } else {
        format!("{}: {whole} of {sent}", counted(found.len() as u64, "frame"))
    };
    let note = match (record.framing, found.first()) {
        (Framing::Line, _) => "0a ends a message".to_owned(),
        (Framing::Header, _) => "a length, then JSON".to_owned(),
        (_, Some(first)) => format!("prefix {}", hex(&bytes[first.frame.start..first.payload.start])),
        (_, None) => String::new(),
    };
    let marks = marks.collect();
    vec![
        row("decoded", Cells::Bytes { bytes, marks }, note),
        row("frames", numbered(found.into_iter().map(|found| found.frame)), frames),
    ]
}

/// `udp`: each datagram in its place, and below it what `recv` returned of it.
pub(super) fn datagrams(title: String, record: &Record, reveal: Reveal) -> Block {
    let stream = Cells::Bytes { bytes: record.sent(), marks: Vec::new() };
    let mut rows = vec![call_row("send()", &record.sends), row("datagrams", stream, "each one by itself")];
    if reveal == Reveal::All {
        let places = message_spans(record);
        let received =
            places.iter().zip(&record.recvs).map(|(place, call)| place.start..place.start + call.bytes.len());
        let calls = call_row("recv()", &record.recvs);
        rows.push(RibbonRow { cells: numbered(received), ..calls });
        rows.extend(gone(record));
        rows.push(per_recv(record));
    }
    Block::Ribbon(Ribbon { name: "udp".into(), title, rows })
}

/// What no `recv` returned, if there is any.
fn gone(record: &Record) -> Option<RibbonRow> {
    let missing = message_spans(record).into_iter().enumerate().filter_map(|(n, place)| {
        let start = place.start + record.recvs.get(n).map_or(0, |call| call.bytes.len());
        (start < place.end).then(|| Span { start, end: place.end, label: "gone".into() })
    });
    let missing: Vec<Span> = missing.collect();
    let lost: usize = missing.iter().map(|span| span.end - span.start).sum();
    (lost > 0).then(|| row("lost", Cells::Spans(missing), counted(lost as u64, "byte")))
}

/// `udp`, second part.
pub(super) fn truncated(truncated: &Truncated, reveal: Reveal) -> Block {
    let title = format!("a datagram larger than its buffer: {}", recv_title(&truncated.recv_sizes));
    datagrams(title, &truncated.record, reveal)
}

/// `nagle`: ten sends with both settings on one axis.
pub(super) fn arrivals(nagle: &Nagle, reveal: Reveal) -> Block {
    let rows = nagle.runs.iter().flat_map(|run| {
        let sends = run.record.sends.iter().map(|call| (call.at_us(), 1)).collect();
        let setting = if run.nodelay { "TCP_NODELAY: sent" } else { "Nagle: sent" };
        let sent = AxisRow { label: "send()", events: sends, note: setting.to_owned() };
        let received = AxisRow { label: "recv()", events: completed(&run.record), note: arrival_note(run) };
        [Some(sent), (reveal == Reveal::All).then_some(received)].into_iter().flatten()
    });
    let title = "ten small sends; a digit counts the messages of its moment".to_owned();
    Block::TimeAxis(TimeAxis { name: "nagle".into(), title, rows: rows.collect() })
}

/// When each `recv` returned, and how many messages it completed.
fn completed(record: &Record) -> Vec<(u64, usize)> {
    let messages = message_spans(record);
    let calls = call_spans(&record.recvs).into_iter().zip(&record.recvs);
    let ended = |call: std::ops::Range<usize>| {
        messages.iter().filter(|message| call.start < message.end && message.end <= call.end).count()
    };
    calls.map(|(span, call)| (call.at_us(), ended(span))).filter(|(_, count)| *count > 0).collect()
}

fn arrival_note(run: &Run) -> String {
    let recvs = counted(run.record.recvs.len() as u64, "recv");
    match run.data_segments_sent {
        Some(segments) => format!("{recvs}, {}", counted(u64::from(segments), "segment")),
        None => recvs,
    }
}

/// `nagle`: both experiments in figures.
pub(super) fn medians(nagle: &Nagle) -> Block {
    let mut table =
        Table::new(&["TCP_NODELAY", ">exchanges", ">median", ">slowest", ">segments of ten sends", ">recvs"]);
    for run in &nagle.runs {
        let shown = |us: Option<u64>| us.map_or("-".to_owned(), milliseconds);
        let segments = run.data_segments_sent;
        table.row([
            if run.nodelay { "on" } else { "off (Nagle)" }.to_owned(),
            run.exchanges_us.len().to_string(),
            shown(run.median_exchange_us),
            shown(run.exchanges_us.iter().max().copied()),
            segments.map_or("not measurable here".to_owned(), |segments| segments.to_string()),
            run.record.recvs.len().to_string(),
        ]);
    }
    Block::Table(table)
}

/// `race`: what `recv` returned, and how often.
pub(super) fn distribution(race: &Race) -> Block {
    const SHOWN: usize = 12;
    const BAR: usize = 30;
    let mut table = Table::new(&["recv returned", ">runs", "share"]);
    for outcome in race.distribution.iter().take(SHOWN) {
        let calls: Vec<String> = outcome.recv_bytes.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if outcome.recv_bytes.len() > SHOWN { "+..." } else { "" };
        let bar = (outcome.times * BAR).div_ceil(race.repetitions);
        table.row([format!("{}{more} B", calls.join("+")), outcome.times.to_string(), "#".repeat(bar)]);
    }
    let rest: usize = race.distribution.iter().skip(SHOWN).map(|outcome| outcome.times).sum();
    if rest > 0 {
        table.row(["anything else".to_owned(), rest.to_string(), String::new()]);
    }
    Block::Table(table)
}

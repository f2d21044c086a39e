//! Verdicts: what the records show, and nothing else. Pure functions, free of sockets and clocks.
//!
//! Every count and every sentence is computed from what the calls returned. If they had returned something
//! else, another verdict would come out: the tests below alter records to show it.

use std::ops::Range;

use serde::Serialize;

use super::counts::{Counts, call_spans, decode, message_spans};
use super::framed::Entry;
use super::nagle::Nagle;
use super::record::Record;
use crate::text::{Grouped, counted};

/// Whether a scenario showed what it is there to show, and what it showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// True if the pattern was there.
    pub observed: bool,
    /// What was there, in a sentence.
    #[serde(rename = "verdict")]
    pub sentence: String,
}

impl Verdict {
    pub(super) fn of(observed: bool, sentence: impl Into<String>) -> Verdict {
        Verdict { observed, sentence: sentence.into() }
    }

    fn missing(what: &str) -> Verdict {
        Verdict::of(false, format!("Not observed: {what}."))
    }
}

/// How many messages one `recv` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    /// From their first byte to their last.
    whole: usize,
    /// Only their beginning, their end, or something of their middle.
    partly: usize,
}

fn holdings(record: &Record) -> Vec<Holding> {
    let messages: Vec<_> = message_spans(record).into_iter().filter(|span| !span.is_empty()).collect();
    let holding = |call: Range<usize>| {
        let inside = |message: &Range<usize>| call.start <= message.start && message.end <= call.end;
        let touched = |message: &&Range<usize>| call.start < message.end && message.start < call.end;
        let (whole, partly): (Vec<_>, Vec<_>) = messages.iter().filter(touched).partition(|m| inside(m));
        Holding { whole: whole.len(), partly: partly.len() }
    };
    call_spans(&record.recvs).into_iter().map(holding).collect()
}

/// The first `recv`, counted from 1, that holds what is looked for.
fn first(record: &Record, wanted: impl Fn(&Holding) -> bool) -> Option<(usize, Holding)> {
    let holdings = holdings(record);
    let at = holdings.iter().position(wanted)?;
    Some((at + 1, holdings[at]))
}

/// Why the stream proves nothing, if it doesn't: bytes are missing or wrong.
fn broken(record: &Record) -> Option<Verdict> {
    let (sent, received) = (record.sent(), record.received());
    let total = counted(sent.len() as u64, "byte");
    if let Some(queued) = record.queued.filter(|queued| *queued < sent.len()) {
        return Some(Verdict::missing(&format!("{} of {total} were queued in time", Grouped(queued as u64))));
    }
    if sent.len() != received.len() {
        let what = format!("{} of {total} arrived in time", Grouped(received.len() as u64));
        return Some(Verdict::missing(&what));
    }
    (sent != received).then(|| Verdict::missing("the bytes received are not the bytes sent"))
}

/// `merge`: one `recv` returned several messages.
pub(super) fn merged(record: &Record) -> Verdict {
    if let Some(broken) = broken(record) {
        return broken;
    }
    match first(record, |holding| holding.whole > 1) {
        Some((recv, holding)) => Verdict::of(
            true,
            format!(
                "Merged: recv {recv} returned {} messages at once, sent by {}. They met in the receive \
                 queue, and a stream of bytes does not say where one ends.",
                Grouped(holding.whole as u64),
                counted(record.sends.len() as u64, "call")
            ),
        ),
        None => Verdict::missing("no recv returned more than one whole message"),
    }
}

/// `split`: a `recv` stopped inside of a message.
pub(super) fn split(record: &Record) -> Verdict {
    if let Some(broken) = broken(record) {
        return broken;
    }
    let calls = call_spans(&record.recvs);
    let cut = message_spans(record).into_iter().enumerate().find_map(|(n, message)| {
        let inside = |end: usize| message.start < end && end < message.end;
        let recv = calls.iter().position(|call| inside(call.end))?;
        Some((recv + 1, n + 1, calls[recv].end - message.start, message.len()))
    });
    match cut {
        Some((recv, message, kept, length)) => Verdict::of(
            true,
            format!(
                "Split: recv {recv} stopped after {kept} of message {message}'s {length} bytes, because its \
                 buffer was full; the rest waited for the next call. Nothing was lost, except the boundary."
            ),
        ),
        None => Verdict::missing("no recv stopped inside of a message"),
    }
}

/// `mixed`: one `recv` returned a whole message and a part of another.
pub(super) fn mixed(record: &Record) -> Verdict {
    if let Some(broken) = broken(record) {
        return broken;
    }
    match first(record, |holding| holding.whole > 0 && holding.partly > 0) {
        Some((recv, holding)) => Verdict::of(
            true,
            format!(
                "Mixed: recv {recv} returned {} and a piece of another. Merging and splitting are one thing: \
                 recv returns what is queued, up to the size of its buffer.",
                counted(holding.whole as u64, "whole message")
            ),
        ),
        None => Verdict::missing("no recv returned a whole message and a part of another"),
    }
}

/// One framing of `framed`: every message is whole, in the run that is shown and with every other cut.
pub(super) fn whole(shown: &Record, cuts: &[Record]) -> Verdict {
    let mut all = std::iter::once(shown).chain(cuts);
    if let Some(broken) = all.clone().find_map(broken) {
        return broken;
    }
    let name = shown.framing.name();
    let failed = all.find_map(|record| {
        let (sent, found) = (record.messages.len(), decode(record).len());
        let whole = Counts::of(record).recovered_by_framing.unwrap_or(0);
        (whole < sent || found != sent).then_some((whole, sent, found))
    });
    match failed {
        Some((whole, sent, found)) => {
            Verdict::missing(&format!("with {name} {whole} of {sent} messages were whole, in {found} frames"))
        }
        None => Verdict::of(
            true,
            format!("{name}: every message whole, in {}.", counted(cuts.len() as u64 + 1, "run")),
        ),
    }
}

/// `line` with a payload that holds its delimiter: the receiver sees other messages than were sent.
pub(super) fn broken_by_newline(record: &Record) -> Verdict {
    if let Some(broken) = broken(record) {
        return broken;
    }
    let found = decode(record).len() as u64;
    let sent = counted(record.messages.len() as u64, "message");
    if Counts::of(record).recovered_by_framing == Some(record.messages.len()) {
        return Verdict::missing("the payload's newline did no harm");
    }
    Verdict::of(
        true,
        format!(
            "Written by hand as a line, {sent} with a newline inside came out as {}.",
            counted(found, "message")
        ),
    )
}

/// `framed`: every framing kept its messages whole, and `line` did not survive its own delimiter.
pub(super) fn cured(framings: &[Entry]) -> Verdict {
    let newlines = framings.iter().filter_map(|entry| entry.newline.as_deref());
    let mut all = framings.iter().chain(newlines.clone());
    if let Some(failed) = all.find(|entry| !entry.verdict.observed) {
        return Verdict::missing(failed.verdict.sentence.trim_end_matches('.'));
    }
    let (whole, by_hand): (Vec<_>, Vec<_>) = framings.iter().partition(|entry| entry.refused.is_none());
    let names: Vec<&str> = whole.iter().map(|entry| entry.framing).collect();
    let mut sentence = String::new();
    if !names.is_empty() {
        let runs: usize = whole.iter().map(|entry| entry.cuts_tried + 1).sum();
        sentence = format!(
            "Cured: with {} every message came out whole, wherever recv stopped ({}).",
            names.join(", "),
            counted(runs as u64, "run")
        );
    }
    for broken in by_hand.into_iter().chain(newlines) {
        let refused = broken.refused.as_deref().unwrap_or_default();
        sentence = format!("{sentence} {} netlab's encoder refuses it: {refused}.", broken.verdict.sentence);
    }
    Verdict::of(true, sentence.trim_start())
}

/// `race`: how often chance was kind.
pub(super) fn left_to_chance(records: &[Record]) -> Verdict {
    if let Some(broken) = records.iter().find_map(broken) {
        return broken;
    }
    let kind = |record: &&Record| Counts::of(record).recovered_per_recv == record.messages.len();
    let (kind, all) = (records.iter().filter(kind).count(), records.len());
    Verdict::of(
        all > 0,
        format!(
            "Chance: in {kind} of {all} runs every recv returned exactly one message, in {} it did not. A \
             program that counts on it passes its tests and fails at its users.",
            all - kind
        ),
    )
}

/// How much longer an exchange must take to count as waiting: far from noise, far below 44 ms to 0.02 ms.
const WAITED: u64 = 4;

/// `nagle`: the exchanges waited without TCP_NODELAY, and the merging stayed with it.
pub(super) fn waited(nagle: &Nagle) -> Verdict {
    let [off, on] = &nagle.runs;
    let runs = [&off.record, &on.record, &nagle.nodelay_merged];
    if let Some(broken) = runs.into_iter().find_map(broken) {
        return broken;
    }
    let (Some(slow), Some(fast)) = (off.median_exchange_us, on.median_exchange_us) else {
        return Verdict::missing("no exchange ended in time");
    };
    let (slow_ms, fast_ms) = (milliseconds(slow), milliseconds(fast));
    if slow < fast.saturating_mul(WAITED) {
        return Verdict::missing(&format!("an exchange took {slow_ms} with Nagle and {fast_ms} without"));
    }
    let Some((_, holding)) = first(&nagle.nodelay_merged, |holding| holding.whole > 1) else {
        return Verdict::missing("with TCP_NODELAY no recv returned more than one message");
    };
    Verdict::of(
        true,
        format!(
            "Waited: write-write-read took {slow_ms} with Nagle, {fast_ms} with TCP_NODELAY (medians). NODELAY \
             removes the wait, never the merging: with it, a reader that came late still got {} of {} messages \
             from one recv.",
            holding.whole,
            nagle.nodelay_merged.messages.len()
        ),
    )
}

/// The median; of an even number the upper of the middle two.
pub(super) fn median(times: &[u64]) -> Option<u64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Microseconds as milliseconds: `44.03 ms`.
pub(super) fn milliseconds(us: u64) -> String {
    format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10)
}

/// `udp`: each `recv` returned bytes of its own datagram alone.
pub(super) fn kept(record: &Record) -> Verdict {
    let (sent, received) = (record.messages.len(), record.recvs.len());
    if sent != received {
        return Verdict::missing(&format!("{received} of {sent} datagrams arrived"));
    }
    let pairs = record.messages.iter().zip(&record.recvs);
    if pairs.clone().any(|(message, call)| !message.payload.starts_with(&call.bytes)) {
        return Verdict::missing("a recv returned bytes that are not the beginning of its datagram");
    }
    let cut = pairs.filter(|(message, call)| message.payload.len() > call.bytes.len()).count();
    let rest = if cut > 0 { format!(" ({cut} of them cut off by a smaller buffer)") } else { String::new() };
    Verdict::of(
        true,
        format!("Boundaries kept: {sent} datagrams sent, {received} received, one recv each{rest}."),
    )
}

/// `udp`, second part: the first datagram was cut off, and the next `recv` returned the next datagram.
pub(super) fn cut_off(record: &Record) -> Verdict {
    let [long, next] = &record.messages[..] else { return Verdict::missing("two datagrams are needed") };
    let [cut, after] = &record.recvs[..] else {
        return Verdict::missing(&format!("{} of 2 datagrams arrived", record.recvs.len()));
    };
    let lost = long.payload.len().saturating_sub(cut.bytes.len());
    if lost == 0 || !long.payload.starts_with(&cut.bytes) {
        return Verdict::missing("the datagram fitted into the buffer");
    }
    if after.bytes != next.payload {
        return Verdict::missing("the recv after it did not return the next datagram");
    }
    Verdict::of(
        true,
        format!(
            "Cut off: of a datagram of {} bytes recv returned {}; the other {lost} are gone, as the next recv \
             returned the next datagram.",
            long.payload.len(),
            cut.bytes.len()
        ),
    )
}

#[cfg(test)]
mod tests;

//! Counting: which messages came through, by which way of telling them apart.
//!
//! Pure functions on records, below the verdicts that put them into words.

use std::ops::Range;

use serde::Serialize;

use super::record::{Call, Message, Record};
use crate::framing::{DEFAULT_MAX_FRAME, Decoder, Framing};
use crate::net::table::Transport;

/// How many messages came through, by which way of telling them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages that were meant.
    pub messages_sent: usize,
    /// Calls of `recv` that returned exactly the next unread message.
    pub recovered_per_recv: usize,
    /// Messages that the decoder gave back; `None` where nothing was framed.
    pub recovered_by_framing: Option<usize>,
}

impl Counts {
    /// Counts what came through.
    #[must_use]
    pub fn of(record: &Record) -> Counts {
        let framed = record.framing != Framing::Raw;
        Counts {
            messages_sent: record.messages.len(),
            recovered_per_recv: recovered_per_recv(record),
            recovered_by_framing: framed.then(|| recovered_by_framing(record)),
        }
    }

    /// The sum over several records.
    #[must_use]
    pub fn sum(all: impl Iterator<Item = Counts>) -> Counts {
        all.fold(Counts::default(), |sum, counts| Counts {
            messages_sent: sum.messages_sent + counts.messages_sent,
            recovered_per_recv: sum.recovered_per_recv + counts.recovered_per_recv,
            recovered_by_framing: match (sum.recovered_by_framing, counts.recovered_by_framing) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
            },
        })
    }
}

/// Where each call's bytes lie, one call behind the other.
pub(super) fn call_spans(calls: &[Call]) -> Vec<Range<usize>> {
    spans(calls.iter().map(|call| call.bytes.len()))
}

/// Where each message lies on the wire.
pub(super) fn message_spans(record: &Record) -> Vec<Range<usize>> {
    places(&record.messages)
}

/// Where each of these messages lies on the wire.
pub(super) fn places(messages: &[Message]) -> Vec<Range<usize>> {
    spans(messages.iter().map(|message| message.wire.len()))
}

fn spans(lengths: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut end = 0;
    let mut span = |length| {
        let start = end;
        end += length;
        start..end
    };
    lengths.map(&mut span).collect()
}

/// Counts the `recv` calls that returned the next unread message, byte by byte.
///
/// In a stream the next unread message is the one that begins where the last call stopped; if it stopped
/// inside of one, the next call starts inside of it too. Each datagram is one call's business.
fn recovered_per_recv(record: &Record) -> usize {
    let equals = |n: usize, call: &Call| record.messages[n].payload == call.bytes;
    if record.transport == Transport::Udp {
        let pairs = record.recvs.iter().enumerate().take(record.messages.len());
        return pairs.filter(|(n, call)| equals(*n, call)).count();
    }
    let starts = message_spans(record);
    let next = |at: usize| starts.iter().position(|span| span.start == at && !span.is_empty());
    let calls = call_spans(&record.recvs).into_iter().zip(&record.recvs);
    calls.filter(|(span, call)| next(span.start).is_some_and(|n| equals(n, call))).count()
}

/// One frame that the decoder found, by offsets in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The whole frame.
    pub(super) frame: Range<usize>,
    /// Its payload, without prefix or delimiter.
    pub(super) payload: Range<usize>,
    /// The payload's bytes.
    pub(super) bytes: Vec<u8>,
}

/// Gives the decoder what each `recv` returned, call by call, and collects what it finds.
pub(super) fn decode(record: &Record) -> Vec<Decoded> {
    let mut decoder = Decoder::new(record.framing, DEFAULT_MAX_FRAME);
    let (mut found, mut start) = (Vec::new(), 0);
    for (span, call) in call_spans(&record.recvs).into_iter().zip(&record.recvs) {
        let mut at = 0;
        // A broken frame ends the stream: what was found before it counts.
        while let Ok(Some(frame)) = decoder.next_frame(&call.bytes, &mut at) {
            let (bytes, end) = (frame.payload.to_vec(), span.start + at);
            let head = if record.framing == Framing::Line { 0 } else { end - start - bytes.len() };
            let payload = start + head..start + head + bytes.len();
            found.push(Decoded { frame: start..end, payload, bytes });
            start = end;
        }
    }
    found
}

/// Counts the messages that the decoder gave back, each in its place.
fn recovered_by_framing(record: &Record) -> usize {
    let found = decode(record);
    found.iter().zip(&record.messages).filter(|(found, sent)| found.bytes == sent.payload).count()
}

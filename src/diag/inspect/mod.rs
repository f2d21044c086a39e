//! `netlab inspect`: a stream of bytes taken apart, field by field, and what is wrong with it first.
//!
//! ```text
//! bytes ─► pending ─► Span::of_first ─► Frame { fields, message }    the first SHOWN_FRAMES of them
//!    │         a frame's beginning, never more than the limit
//!    └───► kept ─────► diagnosis ─────► Fault { offset, reason, .. } the first DIAGNOSED bytes
//! ```
//! Memory is bounded whatever the input: what is beyond the bounds is decoded and counted, not kept.
//!
//! Pure: the bytes come in as they are read. `fields.rs` names the parts of a frame, `message.rs` what a payload
//! says to the room server, `fault.rs` what is wrong, `report.rs` lays it out, `encode.rs` makes frames.

mod encode;
mod fault;
mod fields;
mod message;
mod report;

use serde::Serialize;

pub use encode::{Encoded, encode};
pub use fault::Fault;
pub use fields::{Field, Frame};
pub use message::Message;

use crate::framing::{Framing, Span, diagnosis};

/// Frames that a report lists; the ones behind them are decoded and counted.
const SHOWN_FRAMES: usize = 1_000;
/// How much of a stream is kept to find out why it can't be read.
const DIAGNOSED: usize = 16 << 20;

/// A stream, taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// How it was read.
    pub framing: &'static str,
    /// Its length.
    pub bytes: u64,
    /// How many whole frames it has, up to the first thing that is wrong.
    pub frames_total: u64,
    /// The first of them.
    pub frames: Vec<Frame>,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
    /// Framings that read the whole stream, where none was asked for.
    pub readable_as: Vec<&'static str>,
}

/// Takes a stream apart while it is being read.
#[derive(Debug)]
pub struct Inspector {
    framing: Framing,
    max_frame: usize,
    /// The beginning of a frame that is not complete.
    pending: Vec<u8>,
    /// How long `pending` must be before it is worth measuring again.
    need: usize,
    /// Where in the stream `pending` begins.
    offset: u64,
    kept: Vec<u8>,
    report: Inspection,
}

impl Inspector {
    /// An inspector that refuses frames of more than `max_frame` payload bytes.
    #[must_use]
    pub fn new(framing: Framing, max_frame: usize) -> Inspector {
        let report = Inspection {
            framing: framing.name(),
            bytes: 0,
            frames_total: 0,
            frames: Vec::new(),
            fault: None,
            readable_as: Vec::new(),
        };
        let (pending, kept) = (Vec::new(), Vec::new());
        Inspector { framing, max_frame, pending, need: 1, offset: 0, kept, report }
    }

    /// The next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.report.bytes += bytes.len() as u64;
        let room = DIAGNOSED - self.kept.len();
        self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
        if self.framing == Framing::Raw || self.report.fault.is_some() {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while self.pending.len() - at >= self.need.max(1) {
            match Span::of_first(self.framing, &self.pending[at..], self.max_frame) {
                Ok(Span::Whole { head, payload, tail, .. }) => {
                    let length = head + payload + tail;
                    self.whole(at, head, payload, length);
                    at += length;
                    self.need = 1;
                }
                Ok(Span::Partial { end, .. }) => self.need = end,
                Err(error) => {
                    let offset = self.offset + at as u64;
                    self.report.fault = Some(Fault::of_frame(&error, offset, &self.pending[at..]));
                    at = self.pending.len();
                    break;
                }
            }
        }
        self.pending.drain(..at);
        self.offset += at as u64;
    }

    /// A frame of `length` bytes is complete at `at`.
    fn whole(&mut self, at: usize, head: usize, payload: usize, length: usize) {
        self.report.frames_total += 1;
        if self.report.frames.len() < SHOWN_FRAMES {
            let bytes = &self.pending[at..at + length];
            let frame = Frame::new(self.framing, self.offset + at as u64, bytes, head, payload);
            self.report.frames.push(frame);
        }
    }

    /// The stream has ended.
    #[must_use]
    pub fn finish(mut self) -> Inspection {
        let complete = self.report.bytes == self.kept.len() as u64;
        if self.framing == Framing::Raw {
            self.report.frames = Frame::raw(&self.kept, self.report.bytes).into_iter().collect();
            if complete && !self.kept.is_empty() {
                self.report.readable_as = readable_as(&self.kept, self.max_frame);
            }
            return self.report;
        }
        if !self.pending.is_empty() {
            let span = Span::of_first(self.framing, &self.pending, self.max_frame);
            self.report.fault = Fault::of_end(&span, self.offset, &self.pending);
        }
        if let Some(fault) = &mut self.report.fault {
            fault.show(&self.kept);
            if complete {
                fault.explain(self.framing, &self.kept, self.max_frame);
            } else {
                fault.give_up(DIAGNOSED);
            }
        }
        self.report
    }
}

/// The framings under which the whole stream is frames.
fn readable_as(stream: &[u8], max_frame: usize) -> Vec<&'static str> {
    let framed = Framing::ALL.into_iter().filter(|framing| *framing != Framing::Raw);
    let reads = framed.filter(|framing| diagnosis::well_formed(*framing, stream, max_frame));
    reads.map(Framing::name).collect()
}

#[cfg(test)]
mod tests;

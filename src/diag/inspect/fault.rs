//! The first thing wrong with a stream: where, what, and why where the bytes show it.

use serde::Serialize;

use crate::framing::diagnosis::{Explanation, Mistake, diagnose};
use crate::framing::{FrameError, Framing, Part, Span};
use crate::text::{byte_count, counted, excerpt, hex};

/// Bytes of the place that are shown.
const SHOWN: usize = 16;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where the first wrong bytes begin.
    pub offset: u64,
    /// Where a reader notices it: at `offset` or later.
    pub noticed_at: u64,
    /// What a reader meets there.
    pub reason: String,
    /// The bytes at `noticed_at`, in hex.
    pub bytes: String,
    /// The classes of bugs that explain the whole stream, as `netlab explain` knows them. Empty: the bytes show none.
    pub classes: Vec<&'static str>,
    /// What the writer did, and how the bytes show it.
    pub explanation: Option<String>,
}

impl Fault {
    /// Bytes that are no frame: `rest` begins where the frame should, at `offset`.
    pub(super) fn of_frame(error: &FrameError, offset: u64, rest: &[u8]) -> Fault {
        let inside = match error {
            // What is wrong stands behind the prefix, in the header.
            FrameError::HeaderNotJson { .. } | FrameError::HeaderMember { .. } => 2,
            _ => 0,
        };
        let noticed_at = offset + inside as u64;
        let bytes = hex(&rest[inside..rest.len().min(inside + SHOWN)]);
        // A parser quotes the header, which may hold anything.
        let reason = excerpt(error.to_string().as_bytes(), 400);
        Fault { offset: noticed_at, noticed_at, reason, bytes, classes: Vec::new(), explanation: None }
    }

    /// A stream that ends in a frame, whose beginning is `rest`.
    pub(super) fn of_end(span: &Result<Span, FrameError>, offset: u64, rest: &[u8]) -> Option<Fault> {
        let Ok(Span::Partial { part, start, end }) = *span else { return None };
        let have = (rest.len() - start) as u64;
        let want = if part == Part::Line { 0 } else { (end - start) as u64 };
        Some(Fault::of_frame(&FrameError::Truncated { part, have, want }, offset, rest))
    }

    /// Shows the bytes at the place, now that all of them have come.
    pub(super) fn show(&mut self, stream: &[u8]) {
        let at = usize::try_from(self.noticed_at).unwrap_or(usize::MAX);
        if let Some(rest) = stream.get(at..).filter(|rest| !rest.is_empty()) {
            self.bytes = hex(&rest[..rest.len().min(SHOWN)]);
        }
    }

    /// Looks for what explains the whole stream.
    pub(super) fn explain(&mut self, framing: Framing, stream: &[u8], max_frame: usize) {
        let Some(found) = diagnose(framing, stream, max_frame) else { return };
        self.classes = found.mistakes.iter().map(|mistake| mistake.class()).collect();
        self.offset = found.first as u64;
        self.explanation = Some(sentence(&found, stream));
    }

    /// The stream is too long to be read again in other ways.
    pub(super) fn give_up(&mut self, limit: usize) {
        let limit = byte_count(limit as u64);
        self.explanation = Some(format!("not looked for, since the stream is longer than {limit}"));
    }
}

/// What the writer did, and the evidence for it.
fn sentence(found: &Explanation, stream: &[u8]) -> String {
    let habits: Vec<String> = found.mistakes.iter().map(|mistake| habit(*mistake)).collect();
    let habits = habits.join(", and ");
    let frames = counted(found.frames as u64, "frame");
    match found.mistakes[..] {
        [Mistake::NoPrefix] if found.frames == 0 => {
            let line =
                if stream.ends_with(b"\n") { "; it ends in a newline, as `line` framing does" } else { "" };
            format!("{habits}: the whole stream is readable text{line}")
        }
        [Mistake::CountsPrefix] if found.frames == 1 => format!(
            "{habits}: read so, the stream is one whole frame. One frame is weak evidence: a right stream that is \
             cut short looks the same"
        ),
        _ => format!("{habits}: read so, the whole stream is {frames} and nothing is left"),
    }
}

fn habit(mistake: Mistake) -> String {
    match mistake {
        Mistake::CountsPrefix => "the length counts itself".to_owned(),
        Mistake::OmitsPrefix => "the length does not count itself".to_owned(),
        Mistake::LittleEndian => "the length is little-endian".to_owned(),
        Mistake::BigEndian => "the length is big-endian".to_owned(),
        Mistake::CountsCharacters => "the length counts characters, not bytes".to_owned(),
        Mistake::Width(width) => format!("the length has {width} bytes"),
        Mistake::NoPrefix => "the length prefix is missing".to_owned(),
    }
}

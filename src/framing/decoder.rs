//! The incremental decoder: bytes in as they come, frames out as they are complete.
//!
//! ```text
//!              frame lies whole in the input: lent from there, nothing copied
//!            ┌──────────────────────────────────────────────┐
//!   input ───┤                                              ├──► Frame
//!            └► its beginning ─► partial ─► (more input) ───┘
//!                                a copy, only while a frame is incomplete
//! ```
//! The partial buffer grows with the bytes that arrive, never with the length that a peer claims: `FF FF`
//! costs two bytes, not 65,535.

use super::{Content, FrameError, Framing, Part, Span, line};

/// One decoded message, lent from the input or from the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the frame's header says of the payload.
    pub content: Content,
    /// The message itself.
    pub payload: &'a [u8],
}

/// Cuts one stream into frames. After an error the stream has no boundaries any more: close it.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    max_frame: usize,
    /// The beginning of an incomplete frame; stale, and about to be released, while `need` is 0.
    partial: Vec<u8>,
    /// How long `partial` must be before it is worth measuring again. 0: no frame has begun.
    need: usize,
}

impl Decoder {
    /// A decoder that refuses frames of more than `max_frame` payload bytes.
    #[must_use]
    pub fn new(framing: Framing, max_frame: usize) -> Decoder {
        Decoder { framing, max_frame: framing.max_frame(max_frame), partial: Vec::new(), need: 0 }
    }

    /// From the next frame on, refuses those of more than `max_frame` payload bytes.
    pub fn set_max_frame(&mut self, max_frame: usize) {
        self.max_frame = self.framing.max_frame(max_frame);
    }

    /// The next frame of `input`, read from offset `at`, which moves behind what was used.
    ///
    /// `Ok(None)` means that the input is used up; a frame that has begun waits for more. Call it until then.
    ///
    /// # Errors
    /// Bytes that can't be a frame of this framing, or a frame over the limit.
    #[inline]
    pub fn next_frame<'a>(
        &'a mut self,
        input: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Frame<'a>>, FrameError> {
        if self.need > 0 {
            return self.next_partial(input, at);
        }
        let rest = &input[*at..];
        if rest.is_empty() {
            self.release();
            return Ok(None);
        }
        match self.measure(rest, 0)? {
            Span::Whole { head, payload, tail, content } => {
                *at += head + payload + tail;
                let payload = &rest[head..head + payload];
                Ok(Some(Frame { content, payload }))
            }
            Span::Partial { end, .. } => {
                *at = input.len();
                self.partial.clear();
                self.partial.extend_from_slice(rest);
                self.need = end;
                Ok(None)
            }
        }
    }

    /// True while a frame has begun and is not complete.
    #[must_use]
    pub fn in_frame(&self) -> bool {
        self.need > 0
    }

    /// Bytes of memory that the beginning of a frame holds at the moment.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.partial.capacity()
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] if a frame has begun and is not complete.
    pub fn finish(&self) -> Result<(), FrameError> {
        if self.need == 0 {
            return Ok(());
        }
        match self.measure(&self.partial, 0)? {
            Span::Whole { .. } => Ok(()),
            Span::Partial { part, start, end } => Err(FrameError::Truncated {
                part,
                have: (self.partial.len() - start) as u64,
                want: if part == Part::Line { 0 } else { (end - start) as u64 },
            }),
        }
    }

    /// Goes on with the frame whose beginning is in `partial`.
    fn next_partial<'a>(
        &'a mut self,
        input: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Frame<'a>>, FrameError> {
        loop {
            let examined = self.partial.len();
            let taken = self.missing(&input[*at..]);
            self.partial.extend_from_slice(&input[*at..*at + taken]);
            *at += taken;
            if self.partial.len() < self.need {
                return Ok(None);
            }
            match self.measure(&self.partial, examined)? {
                Span::Partial { end, .. } => self.need = end,
                Span::Whole { head, payload, content, .. } => {
                    self.need = 0;
                    let payload = &self.partial[head..head + payload];
                    return Ok(Some(Frame { content, payload }));
                }
            }
        }
    }

    /// How many bytes of `rest` belong to the frame that has begun, as far as is known.
    fn missing(&self, rest: &[u8]) -> usize {
        let wanted = match self.framing {
            // A line is taken to its newline, or to where it is surely over the limit (payload, 0D, one more).
            Framing::Line => {
                let line = line::find_newline(rest).map_or(rest.len(), |newline| newline + 1);
                line.min((self.max_frame + 2).saturating_sub(self.partial.len()))
            }
            _ => self.need - self.partial.len(),
        };
        wanted.min(rest.len())
    }

    #[inline]
    fn measure(&self, bytes: &[u8], examined: usize) -> Result<Span, FrameError> {
        super::measure(self.framing, bytes, examined, self.max_frame)
    }

    /// Gives the partial buffer's memory back: an idle connection keeps none.
    #[inline]
    fn release(&mut self) {
        if self.partial.capacity() > 0 {
            self.partial = Vec::new();
        }
    }
}

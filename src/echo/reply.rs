//! What an echo server answers, free of I/O: bytes in, reply bytes out.

use crate::framing::{Content, Decoder, Encoder, FrameError, Framing};

/// The answer to a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// The same bytes.
    #[default]
    Echo,
    /// `ACK: ` and the bytes; over UDP `Message received`, as the course's server says.
    Ack,
    /// The bytes without white space around them, ASCII letters in upper case: Python's `strip().upper()`.
    Upper,
}

/// What [`Reply::Ack`] puts before a TCP message.
const ACK: &[u8] = b"ACK: ";
/// What [`Reply::Ack`] answers to a datagram.
const DATAGRAM_ACK: &[u8] = b"Message received";

impl Reply {
    /// Every reply.
    pub const ALL: [Reply; 3] = [Reply::Echo, Reply::Ack, Reply::Upper];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reply::Echo => "echo",
            Reply::Ack => "ack",
            Reply::Upper => "upper",
        }
    }

    /// Appends the answer to one TCP message.
    pub fn answer(self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Reply::Echo => out.extend_from_slice(message),
            Reply::Ack => {
                out.extend_from_slice(ACK);
                out.extend_from_slice(message);
            }
            Reply::Upper => out.extend(stripped(message).iter().map(u8::to_ascii_uppercase)),
        }
    }

    /// The answer to one datagram, made in `room` where it has to be made.
    pub fn answer_datagram<'a>(self, message: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
        match self {
            Reply::Echo => message,
            Reply::Ack => DATAGRAM_ACK,
            Reply::Upper => {
                room.clear();
                self.answer(message, room);
                room
            }
        }
    }
}

/// Without white space at both ends; Python's `bytes.strip` counts the vertical tab, Rust's `trim_ascii` not.
fn stripped(message: &[u8]) -> &[u8] {
    let is_text = |b: &u8| !(b.is_ascii_whitespace() || *b == 0x0b);
    let Some(start) = message.iter().position(is_text) else { return &[] };
    let end = message.iter().rposition(is_text).map_or(start, |last| last + 1);
    &message[start..end]
}

/// Answers one connection's stream.
#[derive(Debug)]
pub struct Responder {
    reply: Reply,
    decoder: Decoder,
    encoder: Encoder,
    answer: Vec<u8>,
}

impl Responder {
    /// A responder for one connection; frames hold at most `max_frame` payload bytes.
    #[must_use]
    pub fn new(reply: Reply, framing: Framing, max_frame: usize) -> Responder {
        Responder {
            reply,
            decoder: Decoder::new(framing, max_frame),
            encoder: Encoder::new(framing, max_frame),
            answer: Vec::new(),
        }
    }

    /// True if the reply is the input itself, so that it need not be copied.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        self.reply == Reply::Echo && self.encoder.framing() == Framing::Raw
    }

    /// Appends the answers to every message that `input` completes.
    ///
    /// With [`Framing::Raw`] `input` counts as one message, so the answer depends on how the stream was cut.
    ///
    /// # Errors
    /// A broken frame, or an answer that does not fit one; `out` then holds the answers before it.
    pub fn respond(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let mut at = 0;
        while let Some(frame) = self.decoder.next_frame(input, &mut at)? {
            if self.reply == Reply::Echo {
                self.encoder.encode(frame.content, frame.payload, out)?;
                continue;
            }
            self.answer.clear();
            self.reply.answer(frame.payload, &mut self.answer);
            // An acknowledged JSON text is JSON no longer.
            self.encoder.encode(Content::Binary, &self.answer, out)?;
        }
        Ok(())
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] inside a frame.
    pub fn finish(&self) -> Result<(), FrameError> {
        self.decoder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(reply: Reply, framing: Framing, chunks: &[&[u8]]) -> Vec<u8> {
        let mut responder = Responder::new(reply, framing, 1_000);
        let mut out = Vec::new();
        for chunk in chunks {
            responder.respond(chunk, &mut out).unwrap();
        }
        out
    }

    #[test]
    fn raw_answers_depend_on_how_the_stream_was_cut() {
        assert_eq!(answer(Reply::Ack, Framing::Raw, &[b"HelloWorld"]), b"ACK: HelloWorld");
        assert_eq!(answer(Reply::Ack, Framing::Raw, &[b"Hello", b"World"]), b"ACK: HelloACK: World");
        assert_eq!(answer(Reply::Echo, Framing::Raw, &[b"Hello", b"World"]), b"HelloWorld");
        assert_eq!(answer(Reply::Upper, Framing::Raw, &[b" a b\x0b\r\n"]), b"A B");
        assert_eq!(answer(Reply::Upper, Framing::Raw, &["é x".as_bytes()]), "é X".as_bytes());
        assert_eq!(answer(Reply::Upper, Framing::Raw, &[b" \n"]), b"");
    }

    #[test]
    fn framed_answers_do_not() {
        let wire = b"\x00\x05Hello\x00\x00\x00\x05World";
        let whole = answer(Reply::Ack, Framing::U16, &[wire]);
        assert_eq!(whole, b"\x00\x0aACK: Hello\x00\x05ACK: \x00\x0aACK: World");
        for cut in 0..=wire.len() {
            assert_eq!(answer(Reply::Ack, Framing::U16, &[&wire[..cut], &wire[cut..]]), whole);
        }
    }

    #[test]
    fn answers_before_a_broken_frame_are_kept() {
        let mut responder = Responder::new(Reply::Echo, Framing::U16, 10);
        let mut out = Vec::new();
        let refused = responder.respond(b"\x00\x01a\xff\xff", &mut out);
        assert!(matches!(refused, Err(FrameError::TooLarge { claimed: 65_535, limit: 10 })));
        assert_eq!(out, b"\x00\x01a");
    }

    #[test]
    fn an_acknowledgement_that_outgrows_its_frame_is_refused() {
        let mut responder = Responder::new(Reply::Ack, Framing::U16, 6);
        assert!(responder.respond(b"\x00\x02ab", &mut Vec::new()).is_err());
    }

    #[test]
    fn a_datagram_is_acknowledged_as_the_course_does() {
        let mut room = Vec::new();
        assert_eq!(Reply::Ack.answer_datagram(b"Hello via UDP", &mut room), b"Message received");
        for text in [b" a ", b"bc "] {
            assert_eq!(Reply::Upper.answer_datagram(text, &mut room), stripped(text).to_ascii_uppercase());
        }
    }
}

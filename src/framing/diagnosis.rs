//! Why a stream can't be read: which mistake of its writer explains every byte of it.
//!
//! A length prefix is an agreement on three things, its [`Convention`]: how many bytes it has, in which order
//! they stand, and what it counts. A writer with another agreement makes a stream that reads as garbage, and a
//! garbage that gives it away: read by the writer's own convention, the stream comes out even.
//!
//! ```text
//! 05 00 48 65 6c 6c 6f    by the right reading: a claim of 1,280 bytes, 5 of them there
//!                         by a little-endian length: "Hello", and nothing is left
//! ```
//! That is the only evidence taken: the right reading fails, and exactly one mistake, assumed throughout, reads
//! the whole stream to its last byte. Whatever else may be wrong is not guessed.
//!
//! It stands beside the decoder because it knows bytes alone, and apart from it because a decoder that is
//! told of mistakes would start to forgive them.

mod of_header;

use std::ops::Range;

use super::{Decoder, Framing};

/// The order in which the bytes of a length stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The highest byte first: network byte order (RFC 1700).
    Big,
    /// The lowest byte first: what most processors use in memory.
    Little,
}

/// What a length counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// The bytes of the payload.
    Payload,
    /// The bytes of the payload and of the prefix.
    PrefixToo,
    /// The payload's code points: Python's `len` of a `str`.
    Characters,
    /// The payload's UTF-16 code units: a string's length in JavaScript, Java and C#.
    Utf16Units,
}

/// What the two ends of a length prefix must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convention {
    /// Bytes of the prefix, from 1 to 8.
    pub width: usize,
    /// In which order they stand.
    pub order: ByteOrder,
    /// What they count.
    pub counts: Counts,
}

/// A way of writing lengths that the reader does not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// The length counts its own bytes, too.
    CountsPrefix,
    /// The length should count its own bytes and does not.
    OmitsPrefix,
    /// Little-endian where big-endian is agreed.
    LittleEndian,
    /// Big-endian where little-endian is agreed.
    BigEndian,
    /// The length counts characters where bytes are agreed.
    CountsCharacters,
    /// The prefix has so many bytes, and not as many as agreed.
    Width(usize),
    /// There are no prefixes at all: the stream is plain text.
    NoPrefix,
}

impl Mistake {
    /// The name of this class of bug, as `netlab explain` knows it.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Mistake::CountsPrefix => "length-counts-prefix",
            Mistake::OmitsPrefix => "length-leaves-out-prefix",
            Mistake::LittleEndian => "little-endian-length",
            Mistake::BigEndian => "big-endian-length",
            Mistake::CountsCharacters => "length-counts-characters",
            Mistake::Width(_) => "wrong-prefix-width",
            Mistake::NoPrefix => "missing-prefix",
        }
    }
}

/// What explains a whole stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the writer does otherwise than agreed; two at most.
    pub mistakes: Vec<Mistake>,
    /// How many frames the stream has when read so. The more, the less is it chance.
    pub frames: usize,
    /// The offset of the first frame that the right reading cuts otherwise.
    pub first: usize,
}

/// The one mistake that explains `stream`, whole from its first byte to its last; `None` if the stream reads
/// well as it is, if nothing explains it, or if the bytes leave a choice.
#[must_use]
pub fn diagnose(framing: Framing, stream: &[u8], max_frame: usize) -> Option<Explanation> {
    only(match framing {
        Framing::Raw | Framing::Line => Vec::new(),
        Framing::U16 => Convention::big_endian(2).explanations(stream, max_frame),
        Framing::U32 => Convention::big_endian(4).explanations(stream, max_frame),
        Framing::Header => of_header::explanations(stream, framing.max_frame(max_frame)),
    })
}

fn only(mut explanations: Vec<Explanation>) -> Option<Explanation> {
    let last = explanations.pop();
    last.filter(|_| explanations.is_empty())
}

impl Convention {
    /// Network byte order, counting the payload: what `u16` and `u32` framing agree on.
    #[must_use]
    pub const fn big_endian(width: usize) -> Convention {
        Convention { width, order: ByteOrder::Big, counts: Counts::Payload }
    }

    /// Where the payload of the frame at offset `at` lies; `None` if the stream holds no whole frame there.
    #[must_use]
    pub fn payload_at(self, stream: &[u8], at: usize, max_frame: usize) -> Option<Range<usize>> {
        let start = at.checked_add(self.width)?;
        let prefix = stream.get(at..start).filter(|prefix| (1..=8).contains(&prefix.len()))?;
        let digit = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        let number = match self.order {
            ByteOrder::Big => prefix.iter().fold(0, digit),
            ByteOrder::Little => prefix.iter().rev().fold(0, digit),
        };
        let number = usize::try_from(number).ok()?;
        let length = match self.counts {
            Counts::Payload => number,
            Counts::PrefixToo => number.checked_sub(self.width)?,
            Counts::Characters => length_of_units(&stream[start..], number, |_| 1)?,
            Counts::Utf16Units => length_of_units(&stream[start..], number, char::len_utf16)?,
        };
        let end = start.checked_add(length)?;
        (length <= max_frame && end <= stream.len()).then_some(start..end)
    }

    /// How many frames the stream has, if it has nothing else and they are not all empty.
    #[must_use]
    pub fn frames_of(self, stream: &[u8], max_frame: usize) -> Option<usize> {
        let read = |at| self.payload_at(stream, at, max_frame);
        count_frames(stream, read, read).map(|(frames, _)| frames)
    }

    /// [`diagnose`], for any agreement.
    #[must_use]
    pub fn diagnose(self, stream: &[u8], max_frame: usize) -> Option<Explanation> {
        only(self.explanations(stream, max_frame))
    }

    /// Every mistake that explains the stream; those of two parts only where none of one part does.
    fn explanations(self, stream: &[u8], max_frame: usize) -> Vec<Explanation> {
        if stream.is_empty() || self.reads(stream, max_frame) {
            return Vec::new();
        }
        let explain = |(convention, mistakes): (Convention, Vec<Mistake>)| {
            let read = |at| convention.payload_at(stream, at, max_frame);
            let right = |at| self.payload_at(stream, at, max_frame);
            let (frames, first) = count_frames(stream, read, right)?;
            Some(Explanation { mistakes, frames, first })
        };
        let (order, counts) = (self.other_order(), self.other_counts());
        let single = [order, self.other_width()].into_iter().chain(counts.clone());
        let mut found: Vec<Explanation> =
            single.map(|(c, mistake)| (c, vec![mistake])).filter_map(explain).collect();
        if found.is_empty() {
            let both =
                counts.map(|(c, mistake)| (Convention { order: order.0.order, ..c }, vec![order.1, mistake]));
            found = both.filter_map(explain).collect();
        }
        // Counted in code points or in UTF-16 units: one mistake, if both read the stream.
        found.dedup_by(|a, b| a.mistakes == b.mistakes);
        // Any text would do, so this is the last resort.
        if found.is_empty() && is_plain_text(stream) {
            found.push(Explanation { mistakes: vec![Mistake::NoPrefix], frames: 0, first: 0 });
        }
        found
    }

    /// True if the stream is right: empty frames alone are.
    fn reads(self, stream: &[u8], max_frame: usize) -> bool {
        let mut at = 0;
        while at < stream.len() {
            let Some(payload) = self.payload_at(stream, at, max_frame) else { return false };
            at = payload.end;
        }
        true
    }

    fn other_order(self) -> (Convention, Mistake) {
        let (order, mistake) = match self.order {
            ByteOrder::Big => (ByteOrder::Little, Mistake::LittleEndian),
            ByteOrder::Little => (ByteOrder::Big, Mistake::BigEndian),
        };
        (Convention { order, ..self }, mistake)
    }

    fn other_width(self) -> (Convention, Mistake) {
        let width = if self.width == 2 { 4 } else { 2 };
        (Convention { width, ..self }, Mistake::Width(width))
    }

    fn other_counts(self) -> impl Iterator<Item = (Convention, Mistake)> + Clone {
        let all = [
            (Counts::Payload, Mistake::OmitsPrefix),
            (Counts::PrefixToo, Mistake::CountsPrefix),
            (Counts::Characters, Mistake::CountsCharacters),
            (Counts::Utf16Units, Mistake::CountsCharacters),
        ];
        let other = all.into_iter().filter(move |(counts, _)| *counts != self.counts);
        other.map(move |(counts, mistake)| (Convention { counts, ..self }, mistake))
    }
}

/// Counts the frames up to the very end, as long as `read` finds one at an offset, and says where the first one
/// is that `right` reads otherwise.
fn count_frames(
    stream: &[u8],
    read: impl Fn(usize) -> Option<Range<usize>>,
    right: impl Fn(usize) -> Option<Range<usize>>,
) -> Option<(usize, usize)> {
    let (mut at, mut frames, mut payload_bytes, mut first) = (0, 0, 0, None);
    while at < stream.len() {
        let payload = read(at)?;
        first = first.or_else(|| (right(at).as_ref() != Some(&payload)).then_some(at));
        at = payload.end;
        frames += 1;
        payload_bytes += payload.len();
    }
    (payload_bytes > 0).then_some((frames, first.unwrap_or(0)))
}

/// How many bytes the first `number` units of a UTF-8 text take, a character counting `units` of them.
fn length_of_units(text: &[u8], number: usize, units: fn(char) -> usize) -> Option<usize> {
    let (mut at, mut seen) = (0, 0);
    while seen < number {
        let c = first_char(&text[at..])?;
        at += c.len_utf8();
        seen += units(c);
    }
    (seen == number).then_some(at)
}

fn first_char(text: &[u8]) -> Option<char> {
    let window = &text[..text.len().min(4)];
    window.utf8_chunks().next()?.valid().chars().next()
}

/// True for UTF-8 without control characters, white space excepted: no binary length hides in it.
fn is_plain_text(stream: &[u8]) -> bool {
    let text = std::str::from_utf8(stream);
    text.is_ok_and(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')))
}

/// True if the stream is whole frames of this framing, to its end.
#[must_use]
pub fn well_formed(framing: Framing, stream: &[u8], max_frame: usize) -> bool {
    let mut decoder = Decoder::new(framing, max_frame);
    let mut at = 0;
    loop {
        match decoder.next_frame(stream, &mut at) {
            Ok(Some(_)) => {}
            Ok(None) => return decoder.finish().is_ok(),
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests;

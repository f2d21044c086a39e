//! How an exercise puts messages on the wire, with every byte named.
//!
//! ```text
//! prefix      length (1 to 8 bytes, either byte order, with or without itself)   payload
//! line        payload   0a
//! header      hlen: u16 BE   a JSON object with `content-length`   content
//! ```
//! Apart from [`crate::framing`] on purpose: variants have byte orders and lengths that netlab itself never speaks, and
//! a diagnosis re-reads bytes as a wrong program would have meant them. Bytes only: no sockets, no clocks.

use crate::framing::{Content, Decoder, Encoder, Framing};

/// The largest `header` frame that is decoded.
const MAX_HEADER_FRAME: usize = 16 << 20;

/// A length in front of each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Bytes of the length.
    pub width: usize,
    /// Least significant byte first.
    pub little: bool,
    /// The length counts its own bytes too.
    pub inclusive: bool,
}

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Not at all: a stream, or one datagram each.
    Raw,
    /// A newline behind each message.
    Line,
    /// A length in front of each message.
    Prefixed(Prefix),
    /// A JSON header in front of each message.
    Header,
    /// The same with the header's length meant otherwise: no exercise has it, some programs do.
    HeaderAs(HeaderLength),
}

/// Other meanings of the two bytes in front of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderLength {
    /// Least significant byte first.
    Little,
    /// They count themselves.
    Inclusive,
}

impl HeaderLength {
    /// These two bytes, in this meaning from the exercise's own, or (`back`) the other way round.
    fn turned(self, bytes: [u8; 2], back: bool) -> [u8; 2] {
        match self {
            HeaderLength::Little => [bytes[1], bytes[0]],
            HeaderLength::Inclusive => {
                let length = u16::from_be_bytes(bytes);
                let other = if back { length.wrapping_sub(2) } else { length.wrapping_add(2) };
                other.to_be_bytes()
            }
        }
    }
}

/// Some bytes of a message, named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What they are.
    pub name: &'static str,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

/// A message on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their names, in order, without gaps.
    pub fields: Vec<Field>,
}

impl Wire {
    fn add(&mut self, name: &'static str, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        if !bytes.is_empty() {
            self.fields.push(Field { name, start, end: self.bytes.len() });
        }
    }

    /// Appends another message.
    pub fn append(&mut self, other: &Wire) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let moved = |f: &Field| Field { name: f.name, start: f.start + base, end: f.end + base };
        self.fields.extend(other.fields.iter().map(moved));
    }
}

impl Prefix {
    /// A big-endian length that counts the payload alone.
    #[must_use]
    pub fn plain(width: usize) -> Prefix {
        Prefix { width, little: false, inclusive: false }
    }

    /// The length of a payload as it goes onto the wire.
    #[must_use]
    pub fn encode(&self, payload: usize) -> Vec<u8> {
        let length = payload + if self.inclusive { self.width } else { 0 };
        self.number(length)
    }

    /// A number in the prefix' width and order; what does not fit is cut off, as a cast would.
    #[must_use]
    pub fn number(&self, number: usize) -> Vec<u8> {
        let bytes = (number as u64).to_be_bytes();
        let mut bytes = bytes[bytes.len() - self.width..].to_vec();
        if self.little {
            bytes.reverse();
        }
        bytes
    }

    /// The payload's length by the prefix at the start of `bytes`; `None` if that is not whole, or less than itself.
    #[must_use]
    pub fn decode(&self, bytes: &[u8]) -> Option<usize> {
        let prefix = bytes.get(..self.width)?;
        let fold = |length: usize, byte: &u8| (length << 8) | usize::from(*byte);
        let length =
            if self.little { prefix.iter().rev().fold(0, fold) } else { prefix.iter().fold(0, fold) };
        if self.inclusive { length.checked_sub(self.width) } else { Some(length) }
    }

    /// The largest payload that the length can tell.
    #[must_use]
    pub fn max(&self) -> usize {
        let all = if self.width >= 4 { u32::MAX as usize } else { (1 << (8 * self.width)) - 1 };
        all - if self.inclusive { self.width } else { 0 }
    }
}

impl Codec {
    /// A payload on the wire.
    #[must_use]
    pub fn encode(&self, payload: &[u8]) -> Wire {
        let mut wire = Wire::default();
        match self {
            Codec::Raw => wire.add("data", payload),
            Codec::Line => {
                wire.add("line", payload);
                wire.add("newline", b"\n");
            }
            Codec::Prefixed(prefix) => {
                wire.add("prefix", &prefix.encode(payload.len()));
                wire.add("payload", payload);
            }
            Codec::HeaderAs(meaning) => {
                wire = Codec::Header.encode(payload);
                let length = meaning.turned([wire.bytes[0], wire.bytes[1]], false);
                wire.bytes[..2].copy_from_slice(&length);
            }
            Codec::Header => {
                let mut bytes = Vec::new();
                let encoder = Encoder::new(Framing::Header, MAX_HEADER_FRAME);
                let done = encoder.encode(Content::of(payload), payload, &mut bytes);
                done.expect("no exercise sends a frame of 16 MiB");
                let content = bytes.len() - payload.len();
                wire.add("prefix", &bytes[..2]);
                wire.add("header", &bytes[2..content]);
                wire.add("content", payload);
            }
        }
        wire
    }

    /// The first message of `bytes` and how many bytes it took; `Ok(None)` if it is not whole.
    ///
    /// # Errors
    /// Bytes that are no message, in words.
    pub fn decode(&self, bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
        match self {
            Codec::Raw => Ok((!bytes.is_empty()).then(|| (bytes.to_vec(), bytes.len()))),
            Codec::Line => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                Ok(end.map(|end| (bytes[..end].to_vec(), end + 1)))
            }
            Codec::Prefixed(prefix) => {
                if bytes.len() < prefix.width {
                    return Ok(None);
                }
                let Some(length) = prefix.decode(bytes) else {
                    return Err(format!("a length below {}, which counts itself", prefix.width));
                };
                let end = prefix.width.saturating_add(length);
                Ok(bytes.get(prefix.width..end).map(|payload| (payload.to_vec(), end)))
            }
            Codec::HeaderAs(meaning) => {
                let Some((length, rest)) = bytes.split_first_chunk() else { return Ok(None) };
                Codec::Header.decode(&[&meaning.turned(*length, true), rest].concat())
            }
            Codec::Header => {
                let mut decoder = Decoder::new(Framing::Header, MAX_HEADER_FRAME);
                let mut at = 0;
                let frame = decoder.next_frame(bytes, &mut at).map_err(|error| error.to_string())?;
                Ok(frame.map(|frame| frame.payload.to_vec()).map(|payload| (payload, at)))
            }
        }
    }

    /// The prefix, if messages have one of binary length.
    #[must_use]
    pub fn prefix(&self) -> Option<Prefix> {
        if let Codec::Prefixed(prefix) = self { Some(*prefix) } else { None }
    }

    /// True if an empty message can be told from none.
    #[must_use]
    pub fn has_boundaries(&self) -> bool {
        *self != Codec::Raw
    }

    /// Where a message is worth cutting: inside and behind each of its fields.
    #[must_use]
    pub fn cuts(&self, wire: &Wire) -> Vec<usize> {
        let mut cuts = Vec::new();
        for field in &wire.fields {
            cuts.extend([field.start + 1, field.start + (field.end - field.start).div_ceil(2), field.end]);
        }
        cuts.push(wire.bytes.len().saturating_sub(1));
        cuts.retain(|cut| (1..wire.bytes.len()).contains(cut));
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_reads_what_it_wrote() {
        let mut codecs = vec![Codec::Line, Codec::Header];
        codecs.extend([HeaderLength::Little, HeaderLength::Inclusive].map(Codec::HeaderAs));
        for width in 1..=8 {
            for (little, inclusive) in [(false, false), (false, true), (true, false), (true, true)] {
                codecs.push(Codec::Prefixed(Prefix { width, little, inclusive }));
            }
        }
        for codec in codecs {
            let wire = codec.encode(b"Hello");
            assert_eq!(
                codec.decode(&wire.bytes),
                Ok(Some((b"Hello".to_vec(), wire.bytes.len()))),
                "{codec:?}"
            );
            assert_eq!(codec.decode(&wire.bytes[..wire.bytes.len() - 1]), Ok(None), "{codec:?}");
            assert_eq!(wire.fields.last().unwrap().end, wire.bytes.len());
        }
    }

    #[test]
    fn lengths_as_the_variants_write_them() {
        let bytes = |little, inclusive| Prefix { width: 2, little, inclusive }.encode(5);
        assert_eq!(bytes(false, false), [0, 5]);
        assert_eq!(bytes(true, false), [5, 0]);
        assert_eq!(bytes(false, true), [0, 7]);
        let inclusive = Codec::Prefixed(Prefix { width: 2, little: false, inclusive: true });
        assert!(inclusive.decode(&[0, 1]).unwrap_err().contains("below 2"));
        assert_eq!(Prefix::plain(2).max(), 65_535);
    }

    #[test]
    fn cuts_fall_in_and_between_the_fields() {
        let codec = Codec::Prefixed(Prefix::plain(2));
        assert_eq!(codec.cuts(&codec.encode(b"Hello")), [1, 2, 3, 5, 6]);
        assert_eq!(Codec::Raw.cuts(&Codec::Raw.encode(b"a")), [0; 0]);
    }
}

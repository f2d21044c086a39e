//! Streams by writers of every habit: each is called by its name, and nothing else is.

use proptest::prelude::*;

use super::*;
use crate::framing::{DEFAULT_MAX_FRAME, Encoder};

const MESSAGES: [&str; 3] = ["Hello", "Grüße 🙂", "{\"type\":\"PING\"}"];

/// A stream as somebody writes it who agrees with nobody.
fn write(width: usize, messages: &[&str], number: impl Fn(&str) -> usize, order: ByteOrder) -> Vec<u8> {
    let mut stream = Vec::new();
    for message in messages {
        let bytes = (number(message) as u64).to_be_bytes();
        let mut prefix = bytes[8 - width..].to_vec();
        if order == ByteOrder::Little {
            prefix.reverse();
        }
        stream.extend(prefix);
        stream.extend(message.as_bytes());
    }
    stream
}

fn classes(framing: Framing, stream: &[u8]) -> Vec<&'static str> {
    let explanation = diagnose(framing, stream, DEFAULT_MAX_FRAME);
    explanation.map_or(Vec::new(), |found| found.mistakes.iter().map(|m| m.class()).collect())
}

#[test]
fn each_mistake_is_called_by_its_name() {
    use ByteOrder::{Big, Little};
    for (framing, width) in [(Framing::U16, 2), (Framing::U32, 4)] {
        let counts_prefix = write(width, &MESSAGES, |m| m.len() + width, Big);
        assert_eq!(classes(framing, &counts_prefix), ["length-counts-prefix"]);
        let little = write(width, &MESSAGES, str::len, Little);
        assert_eq!(classes(framing, &little), ["little-endian-length"]);
        let characters = write(width, &MESSAGES, |m| m.chars().count(), Big);
        assert_eq!(classes(framing, &characters), ["length-counts-characters"]);
        let units = write(width, &MESSAGES, |m| m.encode_utf16().count(), Big);
        assert_eq!(classes(framing, &units), ["length-counts-characters"]);
        let both = write(width, &MESSAGES, |m| m.len() + width, Little);
        assert_eq!(classes(framing, &both), ["little-endian-length", "length-counts-prefix"]);
        assert_eq!(classes(framing, MESSAGES.concat().as_bytes()), ["missing-prefix"]);
        let right = write(width, &MESSAGES, str::len, Big);
        assert_eq!(classes(framing, &right), [""; 0], "nothing is wrong here");
    }
    let narrow = write(2, &MESSAGES, str::len, Big);
    assert_eq!(classes(Framing::U32, &narrow), ["wrong-prefix-width"]);
}

#[test]
fn one_frame_is_enough_and_a_cut_stream_is_not_explained() {
    assert_eq!(classes(Framing::U16, b"\x00\x07Hello"), ["length-counts-prefix"]);
    assert_eq!(classes(Framing::U16, b"\x05\x00Hello"), ["little-endian-length"]);
    assert_eq!(classes(Framing::U16, "\0\x04café".as_bytes()), ["length-counts-characters"]);
    for cut in [&b"\x00\x05He"[..], b"\x00", b"\x00\x05Hello\x00", b"\xff\xff"] {
        assert_eq!(classes(Framing::U16, cut), [""; 0], "{cut:?}");
    }
    assert_eq!(classes(Framing::U16, b""), [""; 0]);
    assert_eq!(classes(Framing::U16, b"\0\0"), [""; 0]);
}

#[test]
fn the_first_wrong_length_is_found_before_it_is_noticed() {
    let found = diagnose(Framing::U16, "\0\x05Hello\0\x04café\0\x01!".as_bytes(), 100).unwrap();
    assert_eq!((found.frames, found.first), (3, 7));
}

#[test]
fn a_choice_is_no_evidence() {
    // A little-endian length of 256; or, with prefixes of two bytes, a frame of 1 byte and one of 255.
    let mut stream = b"\x00\x01\x00\x00\xff".to_vec();
    stream.resize(260, b'x');
    let right = Convention::big_endian(4);
    let mistakes: Vec<_> =
        right.explanations(&stream, 1_000).into_iter().map(|found| found.mistakes).collect();
    assert_eq!(mistakes, [[Mistake::LittleEndian], [Mistake::Width(2)]]);
    assert_eq!(classes(Framing::U32, &stream), [""; 0]);
}

#[test]
fn other_agreements_are_diagnosed_the_other_way_round() {
    let right = Convention { width: 2, order: ByteOrder::Little, counts: Counts::PrefixToo };
    let named = |stream: &[u8]| right.diagnose(stream, 1_000).map(|found| found.mistakes);
    assert_eq!(named(&write(2, &MESSAGES, |m| m.len() + 2, ByteOrder::Little)), None);
    assert_eq!(named(&write(2, &MESSAGES, str::len, ByteOrder::Little)), Some(vec![Mistake::OmitsPrefix]));
    assert_eq!(named(&write(2, &MESSAGES, |m| m.len() + 2, ByteOrder::Big)), Some(vec![Mistake::BigEndian]));
}

#[test]
fn header_framing_goes_wrong_in_its_prefix_or_in_its_content() {
    let frame = |hlen: fn(u16) -> [u8; 2], number: usize, content: &str| {
        let json = format!(
            "{{\"byteorder\": \"little\", \"content-type\": \"text/json\", \
             \"content-encoding\": \"utf-8\", \"content-length\": {number}}}"
        );
        [&hlen(u16::try_from(json.len()).unwrap())[..], json.as_bytes(), content.as_bytes()].concat()
    };
    let right: fn(u16) -> [u8; 2] = u16::to_be_bytes;
    let stream = |hlen, number: fn(&str) -> usize| {
        MESSAGES.iter().flat_map(|m| frame(hlen, number(m), m)).collect::<Vec<u8>>()
    };
    assert_eq!(classes(Framing::Header, &stream(right, str::len)), [""; 0]);
    let little = stream(u16::to_le_bytes, str::len);
    assert_eq!(classes(Framing::Header, &little), ["little-endian-length"]);
    let own = stream(|n| (n + 2).to_be_bytes(), str::len);
    assert_eq!(classes(Framing::Header, &own), ["length-counts-prefix"]);
    let characters = stream(right, |m| m.chars().count());
    assert_eq!(classes(Framing::Header, &characters), ["length-counts-characters"]);
    let bare: Vec<u8> = MESSAGES.iter().flat_map(|m| frame(right, m.len(), m).split_off(2)).collect();
    assert_eq!(classes(Framing::Header, &bare), ["missing-prefix"]);
}

proptest! {
    #[test]
    fn what_the_encoder_wrote_is_never_diagnosed(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
        framing in prop::sample::select(Framing::ALL.to_vec()),
    ) {
        let encoder = Encoder::new(framing, DEFAULT_MAX_FRAME);
        let mut stream = Vec::new();
        for payload in &payloads {
            // `line` can't carry everything: what it refuses is not on the wire.
            let _ = encoder.encode(super::super::Content::Binary, payload, &mut stream);
        }
        prop_assert_eq!(diagnose(framing, &stream, DEFAULT_MAX_FRAME), None);
    }

    #[test]
    fn no_bytes_make_it_panic(stream in prop::collection::vec(any::<u8>(), 0..64), width in 0_usize..12) {
        for framing in Framing::ALL {
            let _ = diagnose(framing, &stream, 100);
        }
        let _ = Convention::big_endian(width).diagnose(&stream, usize::MAX);
    }
}

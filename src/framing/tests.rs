//! Bytes against frames: the protocol page's table, every split point, any chunking, and what must be refused.

use proptest::prelude::*;

use super::*;

/// Feeds `chunks` one after the other; returns the payloads, or the error, and how the stream ended.
fn decode(framing: Framing, max_frame: usize, chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut decoder = Decoder::new(framing, max_frame);
    let mut payloads = Vec::new();
    for chunk in chunks {
        let mut at = 0;
        loop {
            match decoder.next_frame(chunk, &mut at) {
                Ok(Some(frame)) => payloads.push(frame.payload.to_vec()),
                Ok(None) => break,
                Err(error) => return (payloads, Err(error)),
            }
        }
        assert_eq!(at, chunk.len(), "a decoder that wants more has used all there was");
    }
    let end = decoder.finish();
    (payloads, end)
}

fn encode(framing: Framing, payloads: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let encoder = Encoder::new(framing, DEFAULT_MAX_FRAME);
    let mut wire = Vec::new();
    for payload in payloads {
        let payload = payload.as_ref();
        encoder.encode(Content::of(payload), payload, &mut wire).unwrap();
    }
    wire
}

#[test]
fn the_protocol_pages_table() {
    let big = DEFAULT_MAX_FRAME;
    let hello: &[u8] = b"\x00\x05Hello";
    assert_eq!(decode(Framing::U16, big, &[hello]), (vec![b"Hello".to_vec()], Ok(())));
    let (payloads, end) = decode(Framing::U32, big, &[hello]);
    assert_eq!(payloads.len(), 0);
    assert_eq!(end.unwrap_err().to_string(), "truncated frame, 3 of 346,213 bytes");
    let (payloads, end) = decode(Framing::U16, big, &[b"\x00\x00\x00\x05Hello"]);
    assert_eq!((payloads, end), (vec![vec![], b"Hello".to_vec()], Ok(())));
    let (payloads, _) = decode(Framing::U32, big, &[b"\x00\x00\x00\x05Hello"]);
    assert_eq!(payloads, [b"Hello"]);
    let (payloads, _) = decode(Framing::U16, big, &[b"\x00\x02\xc3\xa9"]);
    assert_eq!(payloads, ["é".as_bytes()]);
    assert_eq!(decode(Framing::U16, big, &[b"\x00\x00"]).0, [b""]);
    assert_eq!(decode(Framing::Line, big, &[b"\n\r\n"]).0, [b"", b""]);
}

#[test]
fn a_stream_that_ends_inside_a_frame_says_where() {
    let end = |framing, bytes: &[u8]| {
        let (payloads, end) = decode(framing, DEFAULT_MAX_FRAME, &[bytes]);
        assert!(payloads.is_empty());
        end.map_err(|e| e.to_string())
    };
    for framing in Framing::ALL {
        assert_eq!(end(framing, b""), Ok(()), "{}", framing.name());
    }
    let said = |text: &str| Err(text.to_string());
    assert_eq!(end(Framing::U16, b"\x00\x05He"), said("truncated frame, 2 of 5 bytes"));
    assert_eq!(end(Framing::U32, b"\x00\x05He"), said("truncated frame, 0 of 346,213 bytes"));
    assert_eq!(end(Framing::U16, b"\x00"), said("truncated frame, 1 of 2 prefix bytes"));
    assert_eq!(end(Framing::U16, b"\xff\xff"), said("truncated frame, 0 of 65,535 bytes"));
    assert_eq!(end(Framing::Line, b"a"), said("truncated frame, 1 byte without a newline"));
    assert_eq!(end(Framing::Line, b"abc"), said("truncated frame, 3 bytes without a newline"));
    assert_eq!(end(Framing::Header, b"\x00\x67{"), said("truncated frame, 1 of 103 header bytes"));
}

#[test]
fn the_tutorial_clients_bytes() {
    let json = br#"{"action": "search", "value": "morpheus"}"#;
    let wire = encode(Framing::Header, &[json]);
    let header = r#"{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}"#;
    assert_eq!(wire.len(), 146);
    assert_eq!(wire[..2], [0x00, 0x67]);
    if cfg!(target_endian = "little") {
        assert_eq!(&wire[2..105], header.as_bytes());
    }
    let mut decoder = Decoder::new(Framing::Header, DEFAULT_MAX_FRAME);
    let frame = decoder.next_frame(&wire, &mut 0).unwrap().unwrap();
    assert_eq!((frame.content, frame.payload), (Content::Json, &json[..]));
}

#[test]
fn a_header_is_refused_by_the_name_of_its_member() {
    let refused = |json: &str| {
        let mut wire = Vec::new();
        prefix::encode::<2>(json.as_bytes(), &mut wire);
        decode(Framing::Header, 1_000, &[&wire]).1.unwrap_err().to_string()
    };
    let with = |changed: &str, value: &str| {
        let mut members = serde_json::json!({"content-length": 0, "content-type": "text/json",
            "content-encoding": "utf-8", "byteorder": "big", "ignored": [1]});
        members[changed] = serde_json::from_str(value).unwrap();
        refused(&members.to_string())
    };
    for member in ["content-length", "content-type", "content-encoding", "byteorder"] {
        let problem = with(member, "null");
        assert!(problem.starts_with(&format!("frame header: `{member}` must be")), "{problem}");
        let gone = with(member, "\"x\"").replace("must be", "");
        assert!(gone.contains(member), "{gone}");
    }
    assert_eq!(refused("{}"), "frame header: `content-length` is missing");
    assert!(refused("[1]").starts_with("frame header is not a JSON object"));
    assert!(refused("").starts_with("frame header is not a JSON object"));
    assert!(with("content-length", "-1").contains("whole number"));
    assert_eq!(with("content-length", "1001"), "frame of 1,001 bytes is over the limit of 1,000 bytes");
    assert!(with("content-length", "18446744073709551615").contains("over the limit"));
}

#[test]
fn any_order_of_members_and_others_besides() {
    let json = r#"{"x": {"y": 1}, "content-length": 2, "byteorder": "big", "content-encoding": "binary", "content-type": "binary/x"}"#;
    let mut wire = Vec::new();
    prefix::encode::<2>(json.as_bytes(), &mut wire);
    wire.extend_from_slice(b"hi");
    assert_eq!(decode(Framing::Header, 10, &[&wire]), (vec![b"hi".to_vec()], Ok(())));
}

#[test]
fn every_split_point_of_every_framing() {
    let payloads: [&[u8]; 4] = [b"Hello", b"", "é漢".as_bytes(), b"{\"a\": 1}"];
    for framing in [Framing::Line, Framing::U16, Framing::U32, Framing::Header] {
        let wire = encode(framing, &payloads);
        for first in 0..=wire.len() {
            for second in first..=wire.len() {
                let chunks = [&wire[..first], &wire[first..second], &wire[second..]];
                let (decoded, end) = decode(framing, DEFAULT_MAX_FRAME, &chunks);
                assert_eq!(decoded, payloads, "{} cut at {first} and {second}", framing.name());
                assert_eq!(end, Ok(()));
            }
        }
    }
}

#[test]
fn a_whole_frame_is_lent_from_the_input() {
    for framing in Framing::ALL {
        let wire = encode(framing, &[b"Hello"]);
        let mut decoder = Decoder::new(framing, DEFAULT_MAX_FRAME);
        let frame = decoder.next_frame(&wire, &mut 0).unwrap().unwrap();
        assert!(wire.as_ptr_range().contains(&frame.payload.as_ptr()), "{}", framing.name());
        assert_eq!(decoder.reserved(), 0);
    }
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let mut decoder = Decoder::new(Framing::U16, usize::MAX);
    assert_eq!(decoder.next_frame(b"\xff\xff", &mut 0), Ok(None));
    assert!(decoder.reserved() <= 16, "{} bytes reserved", decoder.reserved());
    assert!(decoder.in_frame());
}

#[test]
fn a_finished_partial_frame_gives_its_memory_back() {
    let wire = encode(Framing::U16, &[[7; 5_000]]);
    let mut decoder = Decoder::new(Framing::U16, DEFAULT_MAX_FRAME);
    assert_eq!(decoder.next_frame(&wire[..4_000], &mut 0), Ok(None));
    let mut at = 4_000;
    assert!(decoder.next_frame(&wire, &mut at).unwrap().is_some());
    assert_eq!(decoder.next_frame(&wire, &mut at), Ok(None));
    assert_eq!(decoder.reserved(), 0);
}

#[test]
fn the_limit_holds_on_both_sides_and_at_every_split() {
    for framing in [Framing::Line, Framing::U16, Framing::U32, Framing::Header] {
        let fits = encode(framing, &[[b'x'; 100]]);
        let over = encode(framing, &[[b'x'; 101]]);
        for cut in 0..=fits.len() {
            let (decoded, end) = decode(framing, 100, &[&fits[..cut], &fits[cut..]]);
            assert_eq!((decoded.len(), end), (1, Ok(())), "{}", framing.name());
        }
        for cut in 0..=over.len() {
            let refused = decode(framing, 100, &[&over[..cut], &over[cut..]]).1.unwrap_err();
            assert!(matches!(refused, FrameError::TooLarge { limit: 100, .. }), "{refused}");
        }
        let mut out = vec![1, 2];
        let refused = Encoder::new(framing, 100).encode(Content::Binary, &[b'x'; 101], &mut out);
        assert!(matches!(refused, Err(FrameError::TooLarge { claimed: 101, limit: 100 })));
        assert_eq!(out, [1, 2], "a refused frame leaves nothing behind");
    }
}

#[test]
fn a_line_ends_in_either_way_and_drops_one_return() {
    let (lines, _) = decode(Framing::Line, 100, &[b"a\r\nb\nc\r\r\n"]);
    assert_eq!(lines, [&b"a"[..], b"b", b"c\r"]);
    let exactly = [&[b'x'; 100][..], b"\r\n"].concat();
    for cut in 0..=exactly.len() {
        assert_eq!(decode(Framing::Line, 100, &[&exactly[..cut], &exactly[cut..]]).0.len(), 1);
    }
    let encoder = Encoder::new(Framing::Line, 100);
    let refused = |payload: &[u8]| encoder.encode(Content::Binary, payload, &mut Vec::new());
    assert_eq!(refused(b"a\nb"), Err(FrameError::HoldsNewline { at: 1 }));
    assert_eq!(refused(b"ab\r"), Err(FrameError::EndsInReturn));
}

#[test]
fn a_u16_length_can_never_pass_its_field() {
    let encoder = Encoder::new(Framing::U16, usize::MAX);
    let mut out = Vec::new();
    assert!(encoder.encode(Content::Binary, &vec![0; 65_535], &mut out).is_ok());
    assert!(encoder.encode(Content::Binary, &vec![0; 65_536], &mut out).is_err());
}

fn framed() -> impl Strategy<Value = Framing> {
    prop::sample::select(vec![Framing::Line, Framing::U16, Framing::U32, Framing::Header])
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(
        framing in framed(),
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let payloads: Vec<Vec<u8>> = payloads
            .into_iter()
            .map(|p| if framing == Framing::Line { p.into_iter().filter(|b| !b"\r\n".contains(b)).collect() } else { p })
            .collect();
        let wire = encode(framing, &payloads);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &wire[w[0]..w[1]]).collect();
        prop_assert_eq!(decode(framing, DEFAULT_MAX_FRAME, &chunks), (payloads, Ok(())));
    }

    #[test]
    fn garbage_is_an_error_or_frames_and_never_a_panic(
        framing in framed(),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(bytes.len() + 1);
        let whole = decode(framing, 500, &[&bytes]);
        let halves = decode(framing, 500, &[&bytes[..cut], &bytes[cut..]]);
        prop_assert_eq!(whole.0, halves.0);
        prop_assert_eq!(whole.1.is_ok(), halves.1.is_ok());
    }

    #[test]
    fn raw_loses_and_adds_nothing(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let (chunks, end) = decode(Framing::Raw, 10, &[&bytes]);
        prop_assert_eq!(chunks.concat(), bytes);
        prop_assert_eq!(end, Ok(()));
    }
}

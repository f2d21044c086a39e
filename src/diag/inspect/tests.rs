//! Streams taken apart, in one piece and byte by byte; what is wrong with broken ones.

use super::*;
use crate::report::Report;

fn inspect(framing: Framing, stream: &[u8]) -> Inspection {
    let mut whole = Inspector::new(framing, 1 << 20);
    whole.feed(stream);
    let whole = whole.finish();
    let mut cut = Inspector::new(framing, 1 << 20);
    stream.chunks(1).for_each(|byte| cut.feed(byte));
    let cut = cut.finish();
    assert_eq!(
        serde_json::to_value(&whole).unwrap(),
        serde_json::to_value(&cut).unwrap(),
        "however it is cut"
    );
    whole
}

fn names(inspection: &Inspection) -> Vec<(u64, &'static str, u64)> {
    let fields = inspection.frames.iter().flat_map(|frame| &frame.fields);
    fields.map(|field| (field.offset, field.name, field.bytes)).collect()
}

#[test]
fn every_field_stands_at_its_offset() {
    let found = inspect(Framing::U16, "\0\x05Hello\0\0\0\x02é".as_bytes());
    let fields = [
        (0, "length", 2),
        (2, "payload", 5),
        (7, "length", 2),
        (9, "payload", 0),
        (9, "length", 2),
        (11, "payload", 2),
    ];
    assert_eq!(names(&found), fields);
    assert_eq!((found.frames_total, found.bytes, found.fault.is_none()), (3, 13, true));
    assert_eq!(found.frames[0].fields[0].value, 5);
    assert_eq!(found.frames[2].fields[1].words, "2 bytes, 1 character");
    let found = inspect(Framing::Line, b"a\r\nb\n");
    assert_eq!(
        names(&found),
        [(0, "payload", 1), (1, "delimiter", 2), (3, "payload", 1), (4, "delimiter", 1)]
    );
    let frames = encode(Framing::Header, 100, &[b"{}".to_vec()]).unwrap().bytes;
    let found = inspect(Framing::Header, &frames);
    assert_eq!(
        found.frames[0].fields.iter().map(|field| field.name).collect::<Vec<_>>(),
        ["header length", "header", "content"]
    );
    assert!(found.frames[0].fields[1].members.contains(&("content-length".into(), "2".into())));
}

#[test]
fn room_messages_are_read() {
    let payload = br#"{"type":"ROOM_ECHO","data":{"text":"Hi"},"id":7}"#;
    let stream = encode(Framing::U16, 1_000, &[payload.to_vec()]).unwrap().bytes;
    let message = inspect(Framing::U16, &stream).frames[0].message.clone().unwrap();
    assert_eq!((message.kind, message.from, message.problem), ("ROOM_ECHO", "client", None));
    assert_eq!(message.data, [("text".to_owned(), "Hi".to_owned()), ("id".to_owned(), "7".to_owned())]);
    let of = |payload: &str| Message::of(payload.as_bytes());
    assert_eq!(of(r#"{"type":"ERROR","data":{"code":"bad_json","message":"m"}}"#).unwrap().from, "server");
    assert_eq!(of(r#"{"type":"BYE"}"#).map(|m| m.kind), Some("BYE"));
    assert!(
        of(r#"{"type":"LOGIN","data":{"username":7}}"#).unwrap().problem.unwrap().starts_with("bad_message")
    );
    for other in ["Hello", r#"{"type":"MINE"}"#, r#"{"action":"search"}"#, "[1]", ""] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn the_first_thing_wrong_has_its_place_and_its_cause() {
    let fault = |framing, stream: &[u8]| inspect(framing, stream).fault.unwrap();
    let cut = fault(Framing::U16, b"\0\x05Hello\0\x05He");
    assert_eq!((cut.offset, cut.noticed_at, &*cut.reason), (7, 7, "truncated frame, 2 of 5 bytes"));
    assert_eq!((cut.classes.len(), cut.explanation), (0, None), "nothing but an end shows here");
    let little = fault(Framing::U16, b"\x05\0Hello\x05\0World");
    assert_eq!((little.offset, &little.classes[..]), (0, &["little-endian-length"][..]));
    assert!(little.explanation.unwrap().contains("2 frames"));
    let characters = fault(Framing::U16, "\0\x05Hello\0\x04café\0\x01!".as_bytes());
    assert_eq!((characters.offset, characters.noticed_at), (7, 13));
    assert_eq!(characters.classes, ["length-counts-characters"]);
    let bare = fault(Framing::U32, b"Hello\n");
    assert_eq!(bare.classes, ["missing-prefix"]);
    assert!(bare.explanation.unwrap().contains("`line`"));
    let header = fault(Framing::Header, b"\0\x02[]");
    assert_eq!((header.offset, header.reason.starts_with("frame header is not a JSON object")), (2, true));
    let line = fault(Framing::Line, b"one\ntwo");
    assert_eq!((line.offset, &*line.reason), (4, "truncated frame, 3 bytes without a newline"));
}

#[test]
fn long_streams_are_counted_and_not_kept() {
    let frame = b"\0\x02ab";
    let mut inspector = Inspector::new(Framing::U16, 1 << 20);
    let chunk = frame.repeat(64 << 10);
    (0..80).for_each(|_| inspector.feed(&chunk));
    inspector.feed(b"\0");
    assert!(inspector.pending.len() <= 4 && inspector.kept.len() == DIAGNOSED);
    let found = inspector.finish();
    assert_eq!((found.frames_total, found.frames.len()), (80 * (64 << 10), SHOWN_FRAMES));
    let fault = found.fault.unwrap();
    assert_eq!(fault.offset, found.bytes - 1);
    assert!(fault.explanation.unwrap().contains("not looked for"));
}

#[test]
fn raw_bytes_tell_how_they_could_be_read() {
    let found = inspect(Framing::Raw, b"\0\x05Hello");
    assert_eq!((found.readable_as, found.fault.is_none()), (vec!["u16"], true));
    assert!(inspect(Framing::Raw, b"").frames.is_empty());
    assert!(inspect(Framing::U16, b"").succeeded());
}

#[test]
fn what_is_encoded_is_inspected_without_a_fault() {
    let messages: Vec<Vec<u8>> = ["Hello", "", "é🙂"].map(|m| m.as_bytes().to_vec()).into();
    for framing in [Framing::Line, Framing::U16, Framing::U32, Framing::Header] {
        let encoded = encode(framing, 1_000, &messages).unwrap();
        let found = inspect(framing, &encoded.bytes);
        assert_eq!((found.fault, found.frames_total), (None, 3), "{}", framing.name());
    }
    let (place, error) = encode(Framing::Line, 1_000, &[b"a".to_vec(), b"b\nc".to_vec()]).unwrap_err();
    assert_eq!(place, 2);
    assert!(error.to_string().contains("newline"));
}

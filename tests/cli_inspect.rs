//! `netlab inspect`, end to end: fields and faults, text and JSON, files, pipes and hex, frames made and read.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;

use harness::{Ended, run};
use serde_json::json;

fn inspect(args: &[&str], input: &[u8]) -> Ended {
    run(&[&["inspect"], args].concat(), input)
}

#[test]
fn a_right_stream_is_shown_field_by_field() {
    let ended = inspect(&["--framing", "u16", "--hex", "0005 48656c6c6f"], b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = ended.text();
    let rows: Vec<Vec<&str>> = text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["0", "00", "05", "..", "length", "5", "(u16", "BE)"]);
    assert_eq!(rows[1], ["2", "48", "65", "6c", "6c", "6f", "Hello", "payload", "5", "bytes"]);
    assert!(text.ends_with("7 bytes, read as u16: 1 whole frame\nNothing is wrong with it.\n"), "{text}");
}

#[test]
fn each_mistake_is_named_with_exit_code_1() {
    let cases = [
        ("u16", "0007 48656c6c6f", "length-counts-prefix"),
        ("u16", "0500 48656c6c6f", "little-endian-length"),
        ("u16", "0004 636166c3a9", "length-counts-characters"),
        ("u32", "05000000 48656c6c6f", "little-endian-length"),
        ("u32", "00000009 48656c6c6f", "length-counts-prefix"),
        ("u32", "0005 48656c6c6f", "wrong-prefix-width"),
        ("u16", "48656c6c6f", "missing-prefix"),
        ("header", "7b7d", ""),
    ];
    for (framing, hex, class) in cases {
        let ended = inspect(&["--framing", framing, "--hex", hex, "-J"], b"");
        let document = ended.json();
        assert_eq!(ended.code, Some(1), "{hex}");
        let classes = if class.is_empty() { json!([]) } else { json!([class]) };
        assert_eq!(
            (&document["fault"]["classes"], &document["fault"]["offset"]),
            (&classes, &json!(0)),
            "{hex}"
        );
        assert_eq!(document["fault"]["explanation"].is_null(), class.is_empty());
        if !class.is_empty() {
            assert_eq!(run(&["explain", class], b"").code, Some(0), "{class} is a topic");
        }
    }
}

#[test]
fn nothing_is_named_where_the_stream_only_ends_too_early() {
    let ended = inspect(&["--framing", "u16", "--hex", "0005 48656c6c6f 0005 4865", "-J"], b"");
    let fault = &ended.json()["fault"];
    assert_eq!((&fault["offset"], &fault["classes"]), (&json!(7), &json!([])));
    assert_eq!(fault["reason"], "truncated frame, 2 of 5 bytes");
    assert_eq!(fault["bytes"], "00 05 48 65");
    assert_eq!(ended.code, Some(1));
}

#[test]
fn files_and_pipes_are_read_alike_and_the_document_has_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stream.bin");
    let path = file.to_str().unwrap();
    let made = run(&["inspect", "--encode", "--framing", "header", "-o", path, "{\"a\": 1}", "text"], b"");
    assert_eq!((made.code, made.text().as_str()), (Some(0), ""));
    let stream = std::fs::read(&file).unwrap();
    let from_file = inspect(&["--framing", "header", path, "-J"], b"");
    let from_pipe = inspect(&["--framing", "header", "-", "-J"], &stream);
    assert_eq!((from_file.code, from_file.json()), (Some(0), from_pipe.json()));
    let document = from_file.json();
    assert_eq!((&document["schema_version"], &document["frames_total"]), (&json!(1), &json!(2)));
    assert_eq!(document["bytes"], stream.len());
    let fields = document["frames"][0]["fields"].as_array().unwrap();
    let hex: String = fields.iter().map(|f| f["hex"].as_str().unwrap().to_owned() + " ").collect();
    let bytes: Vec<u8> = hex.split_whitespace().map(|h| u8::from_str_radix(h, 16).unwrap()).collect();
    assert!(stream.starts_with(&bytes));
    assert_eq!(fields[2]["value"], "{\"a\": 1}");
}

#[test]
fn room_messages_are_decoded() {
    let message = r#"{"type":"ROOM_ECHO","data":{"text":"Hi"},"id":7}"#;
    let frames = run(&["inspect", "--encode", "--framing", "u16", message, "Hello"], b"");
    let ended = inspect(&["--framing", "u16", "-J"], &frames.stdout);
    let document = ended.json();
    assert_eq!(document["frames"][0]["message"]["type"], "ROOM_ECHO");
    assert_eq!(document["frames"][0]["message"]["data"], json!([["text", "Hi"], ["id", "7"]]));
    assert_eq!(document["frames"][1]["message"], json!(null));
    let text = inspect(&["--framing", "u16"], &frames.stdout).text();
    assert!(text.contains("message   ROOM_ECHO") && text.contains("sent by   client"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn lines_of_stdin_become_frames() {
    let made = run(&["inspect", "--encode", "--framing", "u16"], b"Hello\n\n\xc3\xa9\n");
    assert_eq!(made.stdout, b"\0\x05Hello\0\0\0\x02\xc3\xa9");
    let made = run(&["inspect", "--encode", "--framing", "u32", "--hex", "ff | 00", "-J"], b"").json();
    assert_eq!(made["frames"][0], json!({"text": "\\xff", "hex": "00 00 00 01 ff"}));
    assert_eq!(made["frames"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_peer_sent_reaches_no_terminal() {
    let hostile = b"\0\x0c\x1b[2J\xe2\x80\xae\x07\xff\n\0\x1b\0\x26{\"type\":\"\x1b[31m\",\"\xe2\x80\xae\":\"\x1b[0m\xc2\x9b\"}";
    for framing in ["raw", "u16", "line", "u32", "header"] {
        for args in [&["--framing", framing][..], &["--framing", framing, "-J"]] {
            let out = inspect(args, hostile).text();
            let unsafe_char = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!out.chars().any(unsafe_char), "{framing}: {out:?}");
        }
    }
}

#[test]
fn raw_says_how_the_stream_could_be_read() {
    let ended = inspect(&[], b"\0\x05Hello");
    assert_eq!(ended.code, Some(0));
    assert!(ended.text().contains("--framing `u16`"), "{}", ended.text());
    let empty = inspect(&["--framing", "u16"], b"");
    assert_eq!((empty.code, empty.text().contains("0 bytes")), (Some(0), true));
}

#[test]
fn wrong_usage_names_the_thing() {
    let cases: [(&[&str], &str); 6] = [
        (&["no/such/file"], "no/such/file"),
        (&["a", "b"], "`b`"),
        (&["--hex", "0g"], "`g`"),
        (&["--framing", "u17"], "u17"),
        (&["-o", "x"], "--encode"),
        (&["--encode", "--framing", "u16", "--max-frame", "3", "Hello"], "message 1"),
    ];
    for (args, named) in cases {
        let ended = inspect(args, b"");
        assert_eq!(ended.code, Some(2), "{args:?}");
        assert!(ended.stderr.contains(named), "{args:?}: {}", ended.stderr);
    }
}

//! `netlab bytes`, end to end.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;

use harness::run;
use serde_json::json;

#[test]
fn a_text_stands_in_every_encoding() {
    let text = &run(&["bytes", "café", "-J"], b"").json()["text"];
    assert_eq!(text["utf8"], "63 61 66 c3 a9");
    assert_eq!(
        (&text["code_points"], &text["utf8_bytes"], &text["ascii"]),
        (&json!(4), &json!(5), &json!(false))
    );
    let e = &text["characters"][3];
    assert_eq!(
        e,
        &json!({"character": "é", "code_point": "U+00E9", "ascii": null, "utf8": "c3 a9", "utf16": "00 e9"})
    );
    let shown = run(&["bytes", "café"], b"").text();
    assert!(shown.contains("U+00E9") && shown.contains("cafÃ©"), "{shown}");
}

#[test]
fn a_number_stands_in_both_orders() {
    let document = run(&["bytes", "1280", "-J"], b"").json();
    let u16 = &document["number"]["widths"][0];
    assert_eq!((&u16["big_endian"], &u16["little_endian"]), (&json!("05 00"), &json!("00 05")));
    assert_eq!(u16["read_in_the_other_order"], "5");
    assert_eq!(document["text"]["utf8"], "31 32 38 30", "digits are a text, too");
    assert_eq!(run(&["bytes", "0x500", "-J"], b"").json()["number"]["value"], "1280");
    assert_eq!(run(&["bytes", "-1", "-J"], b"").json()["number"]["widths"][0]["name"], "i16");
    assert_eq!(run(&["bytes", "café", "-J"], b"").json()["number"], json!(null));
}

#[test]
fn nothing_a_terminal_obeys_is_shown() {
    for args in [&["bytes", "\u{1b}[2J\u{9b}\u{202e}"][..], &["bytes", "\u{1b}[2J\u{9b}\u{202e}", "-J"]] {
        let shown = run(args, b"").text();
        assert!(!shown.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{shown:?}");
    }
    assert_eq!(run(&["bytes", ""], b"").code, Some(0));
    assert_eq!(run(&["bytes"], b"").code, Some(2));
    let long = run(&["bytes", &"é".repeat(1_000)], b"").text();
    assert!(long.contains("936 code points") && long.lines().count() < 100, "{long}");
}

//! `netlab explain`, end to end: names, numbers, messages, addresses, ports, and what is not known.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;

use harness::{Ended, run};
use serde_json::{Value, json};

fn explain(words: &[&str]) -> Ended {
    run(&[&["explain"], words].concat(), b"")
}

fn document(words: &[&str]) -> Value {
    explain(&[words, &["-J"]].concat()).json()
}

#[test]
fn an_error_is_found_by_name_number_and_message() {
    for words in [
        &["ECONNREFUSED"][..],
        &["111"],
        &["10061"],
        &["errno", "61"],
        &["connection", "refused"],
        &["ConnectionRefusedError: [Errno 111] Connection refused"],
    ] {
        let found = document(words);
        assert_eq!(found["topics"][0]["name"], "ECONNREFUSED", "{words:?}");
        assert_eq!((&found["found"], &found["schema_version"]), (&json!(true), &json!(1)));
    }
    let text = explain(&["address", "in", "use"]).text();
    for part in
        ["EADDRINUSE", "Linux 98, macOS 48, Windows 10048", "ON PURPOSE", "CURE", "THE COURSE TEXT SAYS"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_ambiguous_number_shows_both_and_says_how_to_ask() {
    let text = explain(&["111"]).text();
    assert!(text.contains("ECONNREFUSED") && text.contains("port 111") && text.contains("explain port 111`"));
    let port = document(&["port", "443"]);
    assert_eq!((&port["port"]["port"], &port["topics"]), (&json!(443), &json!([])));
}

#[test]
fn addresses_and_meshes_are_computed() {
    let address = &document(&["192.168.1.7"])["address"];
    assert_eq!(
        (&address["kind"], &address["version"], &address["bytes"]),
        (&json!("private"), &json!(4), &json!("c0 a8 01 07"))
    );
    assert_eq!(document(&["::1"])["address"]["kind"], "loopback");
    let mesh = document(&["mesh", "100"]);
    assert_eq!(mesh["mesh"], json!({"nodes": 100, "star": 100, "mesh": 4_950}));
    assert!(explain(&["mesh", "100"]).text().contains("4,950"));
}

#[test]
fn what_is_not_known_is_exit_code_1_and_suggestions() {
    let ended = explain(&["ECONREFUSED"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().contains("ECONNREFUSED"), "{}", ended.text());
    let nothing = explain(&["xqzzy", "\u{1b}[2J"]);
    assert_eq!(nothing.code, Some(1));
    assert!(!nothing.text().contains('\u{1b}'));
    for (words, named) in [(["port", "70000"], "70000"), (["mesh", "-1"], "-1")] {
        let ended = explain(&words);
        assert_eq!((ended.code, ended.stderr.contains(named)), (Some(2), true), "{}", ended.stderr);
    }
}

#[test]
fn every_topic_fits_the_screen_and_is_listed() {
    let index = document(&[]);
    let groups = index["index"].as_array().unwrap();
    assert_eq!(groups.len(), 7);
    let listed = explain(&[]).text();
    for group in groups {
        for topic in group["topics"].as_array().unwrap() {
            assert!(listed.contains(topic["name"].as_str().unwrap()));
        }
    }
    // One of each group: running all would take a second a piece on a slow machine.
    for name in ["ETIMEDOUT", "recv", "TIME-WAIT", "SO_LINGER", "OSI", "port", "idle-spin"] {
        let text = run(&["explain", name], b"").text();
        let code = |line: &&str| line.starts_with("    ");
        assert!(text.lines().filter(|line| !code(line)).all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().count() < 45, "{name} is longer than a screen or two");
    }
}

#[test]
fn numbers_and_dots_that_are_no_address_are_named() {
    for wrong in ["999.1.1.1", "192.168.1", "1.2.3.4.5"] {
        let ended = explain(&[wrong]);
        assert_eq!(ended.code, Some(2), "{wrong}");
        assert!(ended.stderr.contains(&format!("`{wrong}` is no IPv4 address")), "{}", ended.stderr);
    }
}

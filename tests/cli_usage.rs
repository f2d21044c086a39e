//! What holds for every command alike: a mistake in the flags is a JSON document where one was asked for, and output
//! that can't be written is named.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use harness::run;

/// Commands with `-J`, some of those without it.
const WITH_JSON: [&[&str]; 10] = [
    &["sockets"],
    &["inspect"],
    &["explain"],
    &["ping"],
    &["doctor"],
    &["race-demo"],
    &["auth-demo"],
    &["auth-demo", "client"],
    &["bytes"],
    &["sticky-demo"],
];

// Catches: an empty stdout where a program waits for its document; a document for people who did not ask.
#[test]
fn wrong_flags_are_told_in_the_form_that_was_asked_for() {
    for command in WITH_JSON {
        for json in ["-J", "--json"] {
            let ended = run(&[command, &[json, "--no-such-flag"]].concat(), b"");
            assert_eq!(ended.code, Some(2), "{command:?}");
            let message = ended.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains("--no-such-flag"), "{command:?}: {message}");
            assert!(ended.stderr.contains("--no-such-flag"), "{command:?}: {}", ended.stderr);
        }
        let ended = run(&[command, &["--no-such-flag"]].concat(), b"");
        assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0), "{command:?}");
    }
}

#[test]
fn what_stands_behind_two_dashes_asks_for_nothing() {
    let ended = run(&["ping", "--no-such-flag", "--", "-J"], b"");
    assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0), "{ended:?}");
}

#[test]
fn what_is_wrong_with_a_value_is_said_without_what_a_terminal_obeys() {
    let ended = run(&["race-demo", "-J", "--threads", "\u{1b}[31m\u{202e}"], b"");
    let message = ended.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("--threads") && !message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_is_full_is_named() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = harness::netlab().args(["bytes", "x"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"error: write to stdout: "), "{output:?}");
}

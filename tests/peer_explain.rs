//! The Python in the topics of `netlab explain`: each piece compiles, and one that says what it shows, shows it.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::process::Command;

use netlab::diag::explain::{Part, Topic, topics};

/// Each piece of Python with its attributes.
fn pieces(topic: &Topic) -> impl Iterator<Item = (&'static str, &str)> {
    topic.sections.iter().flat_map(|section| &section.parts).filter_map(|part| match part {
        Part::Code { language: "python", attributes, lines } => Some((*attributes, lines.as_str())),
        _ => None,
    })
}

fn python(code: &str) -> String {
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
#[ignore = "needs python3"]
fn every_piece_compiles() {
    for topic in topics() {
        for (_, code) in pieces(topic) {
            let shown = python(&format!("compile({code:?}, 'topic', 'exec')"));
            assert_eq!(shown, "", "{}", topic.name);
        }
    }
}

#[test]
#[ignore = "needs python3"]
fn errors_can_be_made_on_purpose() {
    let mut ran = 0;
    for topic in topics() {
        for (attributes, code) in pieces(topic) {
            let system = attributes.split(' ').find_map(|word| word.strip_prefix("system="));
            if system.is_some_and(|system| system != std::env::consts::OS) {
                continue;
            }
            if let Some(expected) = attributes.split(' ').find_map(|word| word.strip_prefix("shows=")) {
                let shown = python(code);
                assert!(shown.contains(expected), "{}: no `{expected}` in\n{shown}", topic.name);
                ran += 1;
            }
        }
    }
    assert!(ran > 15, "{ran} pieces were run");
}

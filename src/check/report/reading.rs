//! The section of a lab that is about a class of bug. A failure without a class points at the exercise's own.

use crate::check::Lab;

/// Where each class is met. In the order of the labs.
const READING: &[(&str, &str, &str)] = &[
    ("listens-elsewhere", "01-first-echo", "Round 2: ports"),
    ("exits-after-one-client", "01-first-echo", "Round 1: one server, one client"),
    ("full-buffer-means-more", "01-first-echo", "Round 3: how much does recv return?"),
    ("ignores-half-close", "01-first-echo", "Round 4: the end"),
    ("length-counts-characters", "03-bytes", "Round 1: how long is a text?"),
    ("little-endian-length", "03-bytes", "Round 2: which byte comes first?"),
    ("splits-multibyte", "03-bytes", "Round 3: half a character"),
    ("wrong-prefix-width", "03-bytes", "Round 4: a message, byte by byte"),
    ("one-recv-one-message", "04-sticky-packets", "Round 3: break a program"),
    ("closes-after-one-message", "04-sticky-packets", "Round 4: the cure"),
    ("length-counts-prefix", "05-framing", "Round 1: exactly n bytes"),
    ("one-message-per-recv", "05-framing", "Round 2: whatever comes"),
    ("drops-rest-of-buffer", "05-framing", "Round 2: whatever comes"),
    ("empty-means-end", "05-framing", "Round 2: whatever comes"),
    ("one-client-at-a-time", "06-many-clients", "Round 1: one after the other"),
    ("idle-spin", "06-many-clients", "Round 3: one thread, one loop"),
    ("ghost-members", "10-rooms", "Round 4: gone"),
    ("repeats-challenge", "11-authentication", "Round 1: a challenge"),
    ("compares-partial-digest", "11-authentication", "Round 2: recv(32)"),
    ("accepts-any-digest", "11-authentication", "Round 3: without the key"),
    ("path-traversal", "12-records", "Round 4: hostile input, and the end"),
    ("partial-send-lost", "13-concurrency-models", "Round 3: one who never reads"),
    ("resends-from-start", "13-concurrency-models", "Round 3: one who never reads"),
];

/// The section about this class, if there is one that every exercise's students can use.
pub(super) fn about(class: &str) -> Option<Lab> {
    let (_, folder, section) = READING.iter().find(|(own, ..)| *own == class)?;
    Some(Lab { folder, section })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::check::{Exercise, Variant};

    /// A pointer into the void is worse than none.
    fn resolves(lab: Lab) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("labs").join(lab.folder).join("README.md");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{lab}: {error}"));
        let heading = format!("## {}", lab.section);
        assert!(text.lines().any(|line| line == heading), "{lab}: no such heading");
    }

    #[test]
    fn every_pointer_leads_to_a_heading() {
        for (class, ..) in READING {
            resolves(about(class).expect("it is in the list"));
            assert!(crate::diag::explain::topic(class).is_some(), "{class} is no class");
        }
        for name in Exercise::names() {
            resolves(Exercise::find(name, &Variant::plain(), 1).expect("its own name").lab);
        }
    }
}

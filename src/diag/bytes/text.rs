//! A text in bytes: code points, and what ASCII, UTF-8 and UTF-16 make of them.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::{escape, hex};

use super::MixUp;

/// A text, measured in every way that programs measure texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextFacts {
    /// The text, escaped.
    pub text: String,
    /// What people count: é is one, however it is written.
    pub graphemes: usize,
    /// What Python's `len` counts.
    pub code_points: usize,
    /// What JavaScript, Java and C# count: two for each character above U+FFFF.
    pub utf16_units: usize,
    /// What goes over the wire, and what a length prefix counts.
    pub utf8_bytes: usize,
    /// True if all of it is ASCII.
    pub ascii: bool,
    /// Its bytes in UTF-8.
    pub utf8: String,
    /// Each code point.
    pub characters: Vec<Character>,
    /// What goes wrong with this text.
    pub mix_ups: Vec<MixUp>,
}

/// One code point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Character {
    /// The character, escaped where a terminal would obey it.
    pub character: String,
    /// Its number: `U+00E9`.
    pub code_point: String,
    /// Its byte in ASCII, if it has one.
    pub ascii: Option<String>,
    /// Its bytes in UTF-8.
    pub utf8: String,
    /// Its bytes in UTF-16, big-endian.
    pub utf16: String,
}

impl TextFacts {
    pub(super) fn of(text: &str) -> TextFacts {
        TextFacts {
            text: escape(text.as_bytes()),
            graphemes: text.graphemes(true).count(),
            code_points: text.chars().count(),
            utf16_units: text.encode_utf16().count(),
            utf8_bytes: text.len(),
            ascii: text.is_ascii(),
            utf8: hex(text.as_bytes()),
            characters: text.chars().map(Character::of).collect(),
            mix_ups: mix_ups(text),
        }
    }
}

impl Character {
    fn of(c: char) -> Character {
        let mut utf16 = [0; 2];
        let units = c.encode_utf16(&mut utf16).iter().flat_map(|unit| unit.to_be_bytes());
        Character {
            character: escape(c.encode_utf8(&mut [0; 4]).as_bytes()),
            code_point: format!("U+{:04X}", u32::from(c)),
            ascii: c.is_ascii().then(|| format!("{:02x}", u32::from(c))),
            utf8: hex(c.encode_utf8(&mut [0; 4]).as_bytes()),
            utf16: hex(&units.collect::<Vec<_>>()),
        }
    }
}

/// What goes wrong where two ends disagree: nothing, in the encodings that agree on ASCII.
fn mix_ups(text: &str) -> Vec<MixUp> {
    let mut found = Vec::new();
    let mut add = |mistake, result| found.push(MixUp { mistake, result });
    let units: Vec<u16> = text.encode_utf16().collect();
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !c.is_ascii()) {
        let characters = text.chars().count();
        add("a length in characters, read as bytes", lossy(&text.as_bytes()[..characters]));
        add("UTF-8 read as Latin-1", escape(text.bytes().map(char::from).collect::<String>().as_bytes()));
        let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        if let Some(latin) = latin {
            add("Latin-1 read as UTF-8", lossy(&latin));
        }
        add("cut within a character", lossy(&text.as_bytes()[..at + c.len_utf8() - 1]));
        add(
            "written as ASCII",
            text.chars().map(|c| if c.is_ascii() { shown(c) } else { "?".to_owned() }).collect(),
        );
    }
    if !units.is_empty() {
        let swapped: Vec<u16> = units.iter().map(|unit| unit.swap_bytes()).collect();
        add("UTF-16 in the other byte order", escape(String::from_utf16_lossy(&swapped).as_bytes()));
    }
    found
}

fn shown(c: char) -> String {
    escape(c.to_string().as_bytes())
}

/// What a reader gets who puts U+FFFD in place of what is no UTF-8.
fn lossy(bytes: &[u8]) -> String {
    escape(String::from_utf8_lossy(bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_four_lengths() {
        let lengths = |text: &str| {
            let facts = TextFacts::of(text);
            (facts.graphemes, facts.code_points, facts.utf16_units, facts.utf8_bytes)
        };
        assert_eq!(lengths("Hello"), (5, 5, 5, 5));
        assert_eq!(lengths("café"), (4, 4, 4, 5));
        assert_eq!(lengths("cafe\u{301}"), (4, 5, 5, 6));
        assert_eq!(lengths("🙂"), (1, 1, 2, 4));
        assert_eq!(lengths("👨‍👩‍👧"), (1, 5, 8, 18));
        assert_eq!(lengths(""), (0, 0, 0, 0));
    }

    #[test]
    fn each_code_point_stands_in_each_encoding() {
        let of = |c| {
            let Character { code_point, ascii, utf8, utf16, .. } = Character::of(c);
            (code_point, ascii, utf8, utf16)
        };
        assert_eq!(of('A'), ("U+0041".into(), Some("41".into()), "41".into(), "00 41".into()));
        assert_eq!(of('é'), ("U+00E9".into(), None, "c3 a9".into(), "00 e9".into()));
        assert_eq!(of('€'), ("U+20AC".into(), None, "e2 82 ac".into(), "20 ac".into()));
        assert_eq!(of('🙂'), ("U+1F642".into(), None, "f0 9f 99 82".into(), "d8 3d de 42".into()));
        assert_eq!(Character::of('\u{202e}').character, "\\u{202e}");
    }

    #[test]
    fn what_goes_wrong_is_what_a_reader_would_see() {
        let result = |text: &str, mistake: &str| {
            let found = TextFacts::of(text).mix_ups;
            found.into_iter().find(|m| m.mistake == mistake).map(|m| m.result)
        };
        assert_eq!(result("café", "UTF-8 read as Latin-1").as_deref(), Some("cafÃ©"));
        assert_eq!(result("café", "Latin-1 read as UTF-8").as_deref(), Some("caf\u{fffd}"));
        assert_eq!(result("café!", "a length in characters, read as bytes").as_deref(), Some("café"));
        assert_eq!(result("café", "cut within a character").as_deref(), Some("caf\u{fffd}"));
        assert_eq!(result("€", "Latin-1 read as UTF-8"), None, "Latin-1 has no euro sign");
        assert_eq!(result("Hi", "UTF-16 in the other byte order").as_deref(), Some("䠀椀"));
        assert_eq!(TextFacts::of("Hi").mix_ups.len(), 1, "ASCII, Latin-1 and UTF-8 agree on it");
        assert!(TextFacts::of("").mix_ups.is_empty());
    }
}

//! The topics, as data: `topics/*.md`, one file a group, read when the first one is asked for.
//!
//! ```text
//! # ECONNREFUSED                      its name
//! title: connection refused
//! also: refused, WSAECONNREFUSED      other names
//! numbers: 111 61 10061               on Linux, macOS, Windows; `-` for none
//! see: listen, ETIMEDOUT              other topics
//! lab: 01
//! source: connect(2); RFC 9293
//!
//! Paragraphs of one line, code between fences; `## Cure` begins a section.
//! ```
//! Apart from the code because they are texts: they are written, corrected and searched, not computed.

use std::sync::LazyLock;

use serde::Serialize;

/// One thing explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// Where it belongs.
    pub group: &'static str,
    /// Other names.
    pub also: Vec<&'static str>,
    /// An error's numbers.
    pub numbers: Option<Numbers>,
    /// What it means, how to see it, what to do.
    pub sections: Vec<Section>,
    /// Topics nearby.
    pub see_also: Vec<&'static str>,
    /// The lab to read: the beginning of its folder's name.
    pub lab: Option<&'static str>,
    /// Where it is written.
    pub sources: Vec<&'static str>,
}

/// An error's number on each system; `None` where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// On Linux (most processors).
    pub linux: Option<i32>,
    /// On macOS and the BSDs.
    pub macos: Option<i32>,
    /// On Windows (WSA...).
    pub windows: Option<i32>,
}

/// A part of a topic; the first one has no heading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its heading.
    pub heading: &'static str,
    /// What it says.
    pub parts: Vec<Part>,
}

/// A paragraph or a piece of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A paragraph.
    Text(&'static str),
    /// Lines to be kept as they are.
    Code {
        /// `sh` or `python`.
        language: &'static str,
        /// What the code shows when it is run, for the tests: `shows=TEXT`, `system=linux`.
        #[serde(skip)]
        attributes: &'static str,
        /// The lines.
        lines: String,
    },
}

/// The groups, in the order in which they are listed, and their texts.
const GROUPS: [(&str, &str); 7] = [
    ("errors", include_str!("topics/errors.md")),
    ("socket calls", include_str!("topics/calls.md")),
    ("TCP states", include_str!("topics/states.md")),
    ("socket options", include_str!("topics/options.md")),
    ("ideas", include_str!("topics/ideas.md")),
    ("addresses and ports", include_str!("topics/addresses.md")),
    ("bug classes", include_str!("topics/bugs.md")),
];

static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let group = |(group, text): &(&'static str, &'static str)| parse(group, text);
    let groups: Result<Vec<Vec<Topic>>, String> = GROUPS.iter().map(group).collect();
    groups.expect("a test parses every topic").concat()
});

/// Every topic, group by group.
#[must_use]
pub fn topics() -> &'static [Topic] {
    &TOPICS
}

/// The names of the groups, in their order.
pub(super) fn groups() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|(group, _)| *group)
}

/// The topic of this name, or of this other name: `EPIPE`, `broken pipe`, `one-recv-one-message`. Case, and
/// what stands between the words, don't matter, except between LISTEN, the state, and `listen`, the call.
#[must_use]
pub fn topic(name: &str) -> Option<&'static Topic> {
    let exact = topics().iter().find(|topic| topic.name == name);
    let name = words(name);
    exact.or_else(|| topics().iter().find(|topic| topic.names().any(|own| words(own) == name)))
}

impl Topic {
    /// All its names, the first one its own.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }

    /// True if an error of this number is meant, on some system.
    #[must_use]
    pub fn has_number(&self, number: i32) -> bool {
        let Some(Numbers { linux, macos, windows }) = self.numbers else { return false };
        [linux, macos, windows].contains(&Some(number))
    }

    /// The paragraphs of the section of this heading, one a line: the empty heading is the first section's.
    #[must_use]
    pub fn text_of(&self, heading: &str) -> Option<String> {
        let section = self.sections.iter().find(|section| section.heading == heading)?;
        let text = |part: &Part| if let Part::Text(text) = part { Some(*text) } else { None };
        Some(section.parts.iter().filter_map(text).collect::<Vec<_>>().join("\n"))
    }
}

/// Letters and digits in lower case, one space wherever something else stands.
pub(super) fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Reads the topics of a group.
fn parse(group: &'static str, text: &'static str) -> Result<Vec<Topic>, String> {
    let mut topics: Vec<Topic> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let (language, attributes) = language.split_once(' ').unwrap_or((language, ""));
            let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            section(&mut topics, line)?.parts.push(Part::Code {
                language,
                attributes,
                lines: code.join("\n"),
            });
        } else if let Some(name) = line.strip_prefix("# ") {
            topics.push(head(group, name, &mut lines)?);
        } else if let Some(heading) = line.strip_prefix("## ") {
            let topic = topics.last_mut().ok_or("a section before the first topic")?;
            topic.sections.push(Section { heading, parts: Vec::new() });
        } else if !line.is_empty() {
            section(&mut topics, line)?.parts.push(Part::Text(line));
        }
    }
    Ok(topics)
}

/// The section that is being read.
fn section<'a>(topics: &'a mut [Topic], line: &str) -> Result<&'a mut Section, String> {
    let section = topics.last_mut().and_then(|topic| topic.sections.last_mut());
    section.ok_or_else(|| format!("`{line}` stands in no topic"))
}

/// Reads a topic's fields, up to the empty line behind them.
fn head(
    group: &'static str,
    name: &'static str,
    lines: &mut std::str::Lines<'static>,
) -> Result<Topic, String> {
    let mut topic = Topic {
        name,
        title: "",
        group,
        also: Vec::new(),
        numbers: None,
        sections: vec![Section::default()],
        see_also: Vec::new(),
        lab: None,
        sources: Vec::new(),
    };
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (field, value) = line.split_once(": ").ok_or_else(|| format!("{name}: `{line}` is no field"))?;
        let list = |sign| value.split(sign).map(str::trim).collect();
        match field {
            "title" => topic.title = value,
            "also" => topic.also = list(','),
            "see" => topic.see_also = list(','),
            "source" => topic.sources = list(';'),
            "lab" => topic.lab = Some(value),
            "numbers" => topic.numbers = Some(numbers(value).ok_or_else(|| format!("{name}: {line}"))?),
            _ => return Err(format!("{name}: nobody knows the field `{field}`")),
        }
    }
    Ok(topic)
}

fn numbers(text: &str) -> Option<Numbers> {
    let number = |word: &str| if word == "-" { Some(None) } else { Some(Some(word.parse().ok()?)) };
    let numbers: Option<Vec<Option<i32>>> = text.split(' ').map(number).collect();
    let [linux, macos, windows] = numbers?.try_into().ok()?;
    Some(Numbers { linux, macos, windows })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_topic_is_complete() {
        assert!(topics().len() > 100, "{}", topics().len());
        for topic in topics() {
            let name = topic.name;
            assert!(!topic.title.is_empty(), "{name} has no title");
            assert!(!topic.text_of("").unwrap().is_empty(), "{name} says nothing");
            let empty = topic.sections.iter().find(|section| section.parts.is_empty());
            assert_eq!(empty, None, "{name}");
            for see in &topic.see_also {
                assert!(topics().iter().any(|other| other.name == *see), "{name}: see {see}");
                assert_ne!(*see, name);
            }
            if topic.group == "errors" {
                assert!(topic.numbers.is_some() && topic.text_of("Cure").is_some(), "{name}");
            }
            if topic.group != "bug classes" {
                assert!(!topic.sources.is_empty(), "{name} names no source");
            }
        }
    }

    #[test]
    fn a_name_leads_to_one_topic() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for topic in topics() {
            for name in topic.names() {
                assert!(!words(name).is_empty(), "{}: `{name}`", topic.name);
                let before = seen.insert(words(name), topic.name);
                let same = before.is_none_or(|other| other == "listen" && name == "LISTEN");
                assert!(same, "`{name}` of {} and of {before:?}", topic.name);
            }
        }
    }

    #[test]
    fn every_lab_exists() {
        let labs = include_str!("../../../labs/README.md");
        for topic in topics() {
            let listed = |lab| labs.contains(&format!("\n| {lab} | "));
            assert!(topic.lab.is_none_or(listed), "{}", topic.name);
        }
    }

    #[test]
    fn every_class_of_bug_has_its_topic() {
        let classes = "one-recv-one-message length-counts-prefix little-endian-length \
            length-counts-characters drops-rest-of-buffer partial-send-lost resends-from-start \
            full-buffer-means-more one-client-at-a-time exits-after-one-client ignores-half-close \
            splits-multibyte dies-on-bad-input answers-wrong-peer compares-partial-digest \
            truncates-long-message ghost-members idle-spin path-traversal \
            length-leaves-out-prefix big-endian-length wrong-prefix-width missing-prefix \
            closes-after-one-message listens-elsewhere";
        for class in classes.split_whitespace() {
            let topic = topic(class).unwrap_or_else(|| panic!("no topic {class}"));
            assert_eq!((topic.name, topic.group), (class, "bug classes"));
            for heading in ["Evidence", "Cure"] {
                assert!(topic.text_of(heading).is_some_and(|text| !text.is_empty()), "{class}: {heading}");
            }
            let wrong = topic.sections.iter().find(|section| section.heading == "Wrong").unwrap();
            assert!(matches!(&wrong.parts[..], [Part::Code { language: "python", .. }]), "{class}");
            assert!(topic.lab.is_some(), "{class}");
        }
    }

    #[test]
    fn the_socket_errors_have_the_systems_own_numbers() {
        let refused = topic("ECONNREFUSED").unwrap().numbers.unwrap();
        assert_eq!(refused, Numbers { linux: Some(111), macos: Some(61), windows: Some(10061) });
        let mut seen = std::collections::HashSet::new();
        for numbers in topics().iter().filter_map(|topic| topic.numbers) {
            for (system, number) in [(0, numbers.linux), (1, numbers.macos), (2, numbers.windows)] {
                assert!(number.is_none_or(|number| seen.insert((system, number))), "{number:?} twice");
            }
        }
    }

    #[test]
    fn a_broken_topic_is_told() {
        assert!(parse("g", "text").unwrap_err().contains("in no topic"));
        assert!(parse("g", "# a\ncolour: red\n").unwrap_err().contains("colour"));
        assert!(parse("g", "# a\nnumbers: 1 2\n").is_err());
        assert!(parse("g", "# a\ntitle\n").is_err());
    }
}

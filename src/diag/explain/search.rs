//! Finding topics by what people type: a name, a number, a whole error message, or words from a text.

use serde::Serialize;

use super::topic::{Part, Topic, topics, words};

/// How many topics are suggested.
const SUGGESTIONS: usize = 8;
/// How alike two words must be, by Jaro and Winkler, to be taken for a slip of the keys.
const ALIKE: f64 = 0.85;

/// A topic that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Its name.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
}

/// The error that a message is about, if it is about one: `OSError: [Errno 111] Connection refused`.
pub(super) fn in_message(message: &str) -> Option<&'static Topic> {
    let message = format!(" {} ", words(message));
    let errors = topics().iter().filter(|topic| topic.numbers.is_some());
    let named = errors.flat_map(|topic| topic.names().map(move |name| (words(name), topic)));
    let held = named.filter(|(name, _)| name.len() > 4 && message.contains(&format!(" {name} ")));
    held.max_by_key(|(name, _)| name.len()).map(|(_, topic)| topic)
}

/// The topics whose errors have this number.
pub(super) fn by_number(number: i32) -> Vec<&'static Topic> {
    topics().iter().filter(|topic| topic.has_number(number)).collect()
}

/// The topics that fit best to these words, the best first.
pub(super) fn suggestions(query: &str) -> Vec<Suggestion> {
    let query = words(query);
    let asked: Vec<&str> = query.split(' ').filter(|word| word.len() > 1).collect();
    let mut ranked: Vec<(usize, &Topic)> =
        topics().iter().map(|topic| (score(topic, &asked), topic)).filter(|(score, _)| *score > 0).collect();
    // Stable: among equals the order of the groups remains.
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let best = ranked.iter().take(SUGGESTIONS);
    best.map(|(_, topic)| Suggestion { name: topic.name, title: topic.title }).collect()
}

/// How well a topic fits: a word of its names counts most, then one like it, then its title, then its text.
fn score(topic: &Topic, asked: &[&str]) -> usize {
    let names: Vec<String> = topic.names().map(words).collect();
    let (title, text) = (words(topic.title), text(topic));
    let holds = |text: &str, word: &str| text.split(' ').any(|own| own.starts_with(word));
    let one = |word: &&str| {
        let alike = |name: &String| name.split(' ').any(|own| strsim::jaro_winkler(own, word) > ALIKE);
        match () {
            () if names.iter().any(|name| holds(name, word)) => 100,
            () if names.iter().any(alike) => 50,
            () if holds(&title, word) => 30,
            () => usize::from(holds(&text, word)),
        }
    };
    asked.iter().map(one).sum()
}

fn text(topic: &Topic) -> String {
    let parts = topic.sections.iter().flat_map(|section| &section.parts);
    let text = |part: &Part| match part {
        Part::Text(text) => words(text),
        Part::Code { lines, .. } => words(lines),
    };
    parts.map(text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(query: &str) -> &'static str {
        suggestions(query).first().map_or("none", |found| found.name)
    }

    #[test]
    fn a_pasted_message_leads_to_its_error() {
        let of = |message: &str| in_message(message).map(|topic| topic.name);
        assert_eq!(of("ConnectionRefusedError: [Errno 111] Connection refused"), Some("ECONNREFUSED"));
        assert_eq!(of("OSError: [Errno 98] Address already in use"), Some("EADDRINUSE"));
        assert_eq!(
            of("error: connect to 127.0.0.1:9: Connection reset by peer (os error 104)"),
            Some("ECONNRESET")
        );
        assert_eq!(of("all is well"), None);
    }

    #[test]
    fn words_and_slips_find_topics() {
        assert_eq!(first("ECONREFUSED"), "ECONNREFUSED");
        assert_eq!(first("nagel"), "nagle");
        assert_eq!(first("mojibak"), "encoding");
        assert!(suggestions("traceroute").iter().any(|found| found.name == "IP_TTL"), "found in the text");
        assert_eq!(first("xqzzy"), "none");
        assert!(suggestions("socket").len() <= SUGGESTIONS);
    }
}

//! `netlab explain`: errors, socket calls, states, options, ideas, addresses, ports and classes of bugs.
//!
//! | file          | what it holds                                               |
//! |---------------|-------------------------------------------------------------|
//! | `topics/*.md` | the texts                                                   |
//! | `topic.rs`    | the texts as data, and [`topic`], which looks one up        |
//! | `search.rs`   | what is meant by a number, a message, a slip of the keys    |
//! | `address.rs`  | what an address means, and how many connections a mesh has  |
//! | `port.rs`     | what a port number says                                     |
//! | `report.rs`   | how an explanation is laid out                              |
//!
//! Pure: a question in, an [`Explanation`] out. Nothing here asks the system, so that the answers are the same on
//! every machine.

mod address;
mod port;
mod report;
mod search;
mod topic;

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

pub use address::{AddressFacts, Mesh};
pub use port::PortFacts;
pub use search::Suggestion;
pub use topic::{Numbers, Part, Section, Topic, topic, topics};

/// What there is to say about a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The question; empty where the list of topics was asked for.
    pub query: String,
    /// False if nothing is known about it: exit code 1.
    pub found: bool,
    /// The topics it means: several where a number means several things.
    pub topics: Vec<&'static Topic>,
    /// The address it names.
    pub address: Option<AddressFacts>,
    /// The port it names.
    pub port: Option<PortFacts>,
    /// The connections it asks to be counted.
    pub mesh: Option<Mesh>,
    /// How to ask for one of its meanings alone.
    pub note: Option<String>,
    /// What may be meant, where nothing was found.
    pub suggestions: Vec<Suggestion>,
    /// Every topic, group by group, where nothing was asked.
    pub index: Vec<Group>,
}

/// The topics of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name.
    pub group: &'static str,
    /// Its topics.
    pub topics: Vec<Suggestion>,
}

/// A question that has no answer on any machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Ports have 16 bits.
    #[error("`{0}` is no port: a port is a number from 0 to 65535")]
    Port(String),
    /// An address whose numbers are too big, or too many.
    #[error("`{0}` is no IPv4 address: that is four numbers from 0 to 255, such as 192.168.1.7")]
    Address(String),
    /// How many clients?
    #[error("`{0}` is no number of clients: a whole number from 0 up")]
    Clients(String),
    /// Errors have numbers.
    #[error("`{0}` is no error number: `netlab explain` lists the errors by name")]
    Number(String),
}

/// Explains what the words ask for; without words, lists the topics.
///
/// # Errors
/// `port`, `errno` or `mesh` with something behind it that is none; numbers and dots that are no address.
pub fn explain(asked: &[String]) -> Result<Explanation, Nonsense> {
    let query = asked.join(" ").trim().to_owned();
    let words: Vec<&str> = query.split_whitespace().collect();
    let mut found = Explanation { query: query.clone(), ..Explanation::default() };
    match *words {
        [] => found.index = index(),
        ["port", number] => found.port = Some(port::port(parse(number, Nonsense::Port)?)),
        ["errno" | "error", number] if is_number(number) => {
            found.topics = search::by_number(parse(number, Nonsense::Number)?);
        }
        [star, number] if is_mesh(star) && is_number(number) => {
            found.mesh = Some(Mesh::of(parse(number, Nonsense::Clients)?));
            found.topics = topic(star).into_iter().collect();
        }
        [number] if is_number(number) => found.explain_number(number),
        [word] if found.explain_address(word) => {}
        [word] if is_dotted(word) => return Err(Nonsense::Address(word.to_owned())),
        [word] if is_mac(word) => found.topics = topic("MAC-address").into_iter().collect(),
        _ => found.topics = topic(&query).or_else(|| search::in_message(&query)).into_iter().collect(),
    }
    found.found = words.is_empty()
        || !found.topics.is_empty()
        || found.address.is_some()
        || found.port.is_some()
        || found.mesh.is_some();
    if !found.found {
        found.suggestions = search::suggestions(&query);
    }
    Ok(found)
}

fn parse<N: std::str::FromStr>(text: &str, wrong: fn(String) -> Nonsense) -> Result<N, Nonsense> {
    let escaped = || crate::text::escape(text.as_bytes());
    text.parse().ok().filter(|_| !text.starts_with('+')).ok_or_else(|| wrong(escaped()))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mesh(word: &str) -> bool {
    topic(word).is_some_and(|topic| topic.name == "star-and-mesh")
}

/// True for numbers with dots between them, such as `999.1.1.1`.
fn is_dotted(word: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    word.contains('.') && word.split('.').all(number)
}

/// True for six pairs of hex digits, such as `02:00:00:ab:cd:ef`.
fn is_mac(word: &str) -> bool {
    let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.split([':', '-']).count() == 6 && word.split([':', '-']).all(pair)
}

fn index() -> Vec<Group> {
    let of = |group: &'static str| {
        let topics = topics().iter().filter(|topic| topic.group == group);
        topics.map(|topic| Suggestion { name: topic.name, title: topic.title }).collect()
    };
    topic::groups().map(|group| Group { group, topics: of(group) }).collect()
}

impl Explanation {
    /// A bare number may be an error on some system, a port, or both.
    fn explain_number(&mut self, number: &str) {
        self.topics = number.parse().map(search::by_number).unwrap_or_default();
        self.port = number.parse().ok().map(port::port);
        if !self.topics.is_empty() && self.port.is_some() {
            let ask = format!("`netlab explain errno {number}` or `netlab explain port {number}`");
            self.note = Some(format!("Ask for one by {ask}."));
        }
    }

    /// An address, alone or with a port, with its interface or its prefix's length; false if it is none.
    fn explain_address(&mut self, word: &str) -> bool {
        if let Ok(both) = word.parse::<SocketAddr>() {
            self.address = Some(address::address(both.ip()));
            self.port = Some(port::port(both.port()));
            return true;
        }
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        let bare = bare.split(['%', '/']).next().unwrap_or_default();
        self.address = bare.parse::<IpAddr>().ok().map(address::address);
        self.address.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Explanation {
        explain(&query.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn names(query: &str) -> Vec<&'static str> {
        asked(query).topics.iter().map(|topic| topic.name).collect()
    }

    #[test]
    fn an_error_is_found_by_name_number_and_words() {
        for query in ["ECONNREFUSED", "econnrefused", "111", "10061", "61", "connection refused", "errno 111"]
        {
            assert_eq!(names(query), ["ECONNREFUSED"], "{query}");
        }
        assert_eq!(names("address in use"), ["EADDRINUSE"]);
        assert_eq!(names("TIME_WAIT"), ["TIME-WAIT"]);
        assert_eq!(names("recv()"), ["recv"]);
        assert_eq!(names("10035"), ["EAGAIN"]);
        assert_eq!(names("errno -2"), ["EAI_NONAME"]);
        assert_eq!(
            (names("02:00:00:ab:cd:ef"), names("02-00-00-AB-CD-EF")),
            (vec!["MAC-address"], vec!["MAC-address"])
        );
    }

    #[test]
    fn a_number_with_two_meanings_shows_both_and_says_how_to_ask() {
        let both = asked("111");
        assert_eq!(both.port.map(|port| port.port), Some(111));
        assert!(both.note.unwrap().contains("explain port 111`"));
        let port = asked("65432");
        assert!(port.topics.is_empty() && port.note.is_none() && port.found);
        let port = asked("port 111");
        assert!(port.topics.is_empty() && port.port.is_some());
        assert!(!asked("errno 99999").found);
        assert!(!asked("70000").found);
    }

    #[test]
    fn addresses_come_with_and_without_ports() {
        let kind = |query: &str| asked(query).address.map(|address| address.kind);
        for query in ["192.168.1.7", "192.168.1.7:80", "192.168.1.0/24"] {
            assert_eq!(kind(query), Some("private"), "{query}");
        }
        assert_eq!(
            (kind("::1"), kind("[::1]:80"), kind("[::1]")),
            (Some("loopback"), Some("loopback"), Some("loopback"))
        );
        assert_eq!(kind("fe80::1%eth0"), Some("link-local"));
        assert_eq!(asked("[::1]:80").port.map(|port| port.port), Some(80));
        assert_eq!(kind("127.0.0.1"), Some("loopback"));
        assert_eq!(explain(&["300.1.1.1".into()]).unwrap_err(), Nonsense::Address("300.1.1.1".into()));
        assert!(asked("...").address.is_none(), "dots alone are no try at one");
    }

    #[test]
    fn a_mesh_is_counted() {
        assert_eq!(asked("mesh 100").mesh, Some(Mesh::of(100)));
        assert_eq!(asked("star 5").mesh.map(|mesh| mesh.star), Some(5));
        assert_eq!(names("mesh"), ["star-and-mesh"]);
    }

    #[test]
    fn nonsense_is_named() {
        let wrong =
            |query: &str| explain(&query.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap_err();
        assert_eq!(wrong("port 70000").to_string(), "`70000` is no port: a port is a number from 0 to 65535");
        assert!(matches!(wrong("mesh -1"), Nonsense::Clients(_)));
        assert!(matches!(wrong("errno 99999999999"), Nonsense::Number(_)));
    }

    #[test]
    fn what_is_not_known_is_suggested_and_nothing_asked_is_the_list() {
        let unknown = asked("ECONREFUSED");
        assert!(!unknown.found);
        assert_eq!(unknown.suggestions[0].name, "ECONNREFUSED");
        let list = explain(&[]).unwrap();
        assert!(list.found);
        assert_eq!(list.index.iter().map(|group| group.topics.len()).sum::<usize>(), topics().len());
    }
}

//! The one address parser: `HOST PORT`, `HOST:PORT`, `[v6]:PORT`, `-p PORT`, a port alone.
//!
//! It stands apart so that every command reads addresses alike. It never guesses: a bare `::1:80` could be
//! an address with a port or a longer address without one, so it is refused with both spellings.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::{NetError, Op};

/// A host, by name or number, and a port: what a user typed, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address. Each message shows how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// An IPv6 address whose last group could be a port.
    #[error("`{0}` is ambiguous: its end may be a port, or a part of an IPv6 address")]
    BareV6(String),
    /// A `[` without its `]`, or something other than `:PORT` behind it.
    #[error("`{0}` is no address")]
    Brackets(String),
    /// A port that is no number from 0 to 65535.
    #[error("`{0}` is no port: a port is a number from 0 to 65535")]
    Port(String),
    /// A host that can't be one.
    #[error("`{0}` is no host name or address")]
    Host(String),
    /// The port is given in two places.
    #[error("the port is given twice, as {0} and as {1}: give it once")]
    Twice(u16, u16),
}

impl AddressError {
    /// How to write what was meant.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            AddressError::BareV6(text) => {
                let (host, port) = text.rsplit_once(':')?;
                Some(format!("write [{host}]:{port} for a port, or [{text}] for an address alone"))
            }
            AddressError::Brackets(_) => {
                Some("an IPv6 address stands in brackets, like [::1]:8080".to_owned())
            }
            AddressError::Port(_) | AddressError::Host(_) | AddressError::Twice(..) => None,
        }
    }
}

/// Which addresses of a name may be used (`-4`, `-6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both, in the resolver's order.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Family {
    fn fits(self, addr: &SocketAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => addr.is_ipv4(),
            Family::V6 => addr.is_ipv6(),
        }
    }
}

impl Address {
    /// An address of its parts. `host` is a name or a number, without brackets.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port }
    }

    /// Reads an address from the front of `words`, as a command line has them, and says how many words it
    /// took (0 to 2). What is missing comes from `port`, the value of `-p`, and then from `default`.
    ///
    /// A second word is the port if the first has none, `-p` is not given and it is a number up to 65535.
    ///
    /// # Errors
    /// A first word that can't be read as an address, or a port given twice.
    pub fn from_words(
        words: &[String],
        port: Option<u16>,
        default: &Address,
    ) -> Result<(Address, usize), AddressError> {
        let Some(first) = words.first() else {
            return Ok((Address::new(&default.host, port.unwrap_or(default.port)), 0));
        };
        let (host, given) = split(first)?;
        let host = if host.is_empty() { &default.host } else { host };
        match (given, port) {
            (Some(one), Some(other)) if one != other => Err(AddressError::Twice(one, other)),
            (Some(port), _) | (None, Some(port)) => Ok((Address::new(host, port), 1)),
            (None, None) => match words.get(1).and_then(|word| parse_port(word).ok()) {
                Some(port) => Ok((Address::new(host, port), 2)),
                None => Ok((Address::new(host, default.port), 1)),
            },
        }
    }

    /// The host as it was given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Looks the name up: every address of the family asked for, in the resolver's order, never empty.
    ///
    /// # Errors
    /// A name that is not known, or that has no address of the family.
    pub fn resolve(&self, family: Family) -> Result<Vec<SocketAddr>, NetError> {
        let failed = |source| NetError::new(Op::Resolve, self, source);
        let mut found: Vec<SocketAddr> =
            (self.host.as_str(), self.port).to_socket_addrs().map_err(failed)?.collect();
        found.retain(|addr| family.fits(addr));
        found.dedup();
        if found.is_empty() {
            let wanted = if family == Family::V6 { "IPv6" } else { "IPv4" };
            let source =
                std::io::Error::new(std::io::ErrorKind::Unsupported, format!("it has no {wanted} address"));
            return Err(failed(source));
        }
        Ok(found)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Address {
        Address::new(&addr.ip().to_string(), addr.port())
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Address {
        address.clone()
    }
}

/// Splits one word into host and port; the host is empty in `:8080` and in a port alone.
fn split(word: &str) -> Result<(&str, Option<u16>), AddressError> {
    if let Some(inner) = word.strip_prefix('[') {
        return split_bracketed(word, inner);
    }
    if word.parse::<Ipv6Addr>().is_ok() {
        // `::1:80` is a valid address, but whoever typed it may have meant port 80.
        let last_group = word.rsplit(':').next().unwrap_or_default();
        let could_be_port = word.matches(':').count() > 2 && parse_port(last_group).is_ok();
        return if could_be_port { Err(AddressError::BareV6(word.to_owned())) } else { Ok((word, None)) };
    }
    if word.matches(':').count() > 1 {
        // An IPv6 address with a zone (`fe80::1%eth0`) is one too; anything else with two colons is not.
        let zoned = word.split_once('%').is_some_and(|(ip, zone)| {
            ip.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains(':')
        });
        return if zoned { Ok((word, None)) } else { Err(AddressError::BareV6(word.to_owned())) };
    }
    match word.split_once(':') {
        Some((host, port)) => Ok((checked_host(host)?, Some(parse_port(port)?))),
        None if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(("", Some(parse_port(word)?)))
        }
        None => Ok((checked_host(word)?, None)),
    }
}

fn split_bracketed<'a>(word: &str, inner: &'a str) -> Result<(&'a str, Option<u16>), AddressError> {
    let wrong = || AddressError::Brackets(word.to_owned());
    let (host, rest) = inner.split_once(']').ok_or_else(wrong)?;
    let address = host.split_once('%').map_or(host, |(address, _zone)| address);
    address.parse::<Ipv6Addr>().map_err(|_| wrong())?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(parse_port(port)?))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(wrong()),
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = if digits { text.parse().ok() } else { None };
    port.ok_or_else(|| AddressError::Port(text.to_owned()))
}

/// A host without white space, controls or a slash: those are typing errors, not names to look up.
fn checked_host(host: &str) -> Result<&str, AddressError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '[' | ']');
    if host.contains(odd) || (host.parse::<IpAddr>().is_err() && host.len() > 253) {
        return Err(AddressError::Host(crate::text::escape(host.as_bytes())));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str], port: Option<u16>) -> Result<(String, usize), AddressError> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let default = Address::new("127.0.0.1", 65432);
        Address::from_words(&words, port, &default).map(|(address, used)| (address.to_string(), used))
    }

    fn ok(words: &[&str], port: Option<u16>) -> (String, usize) {
        parse(words, port).unwrap()
    }

    #[test]
    fn every_way_to_write_an_address() {
        let is = |text: &str, used| (text.to_owned(), used);
        assert_eq!(ok(&[], None), is("127.0.0.1:65432", 0));
        assert_eq!(ok(&[], Some(80)), is("127.0.0.1:80", 0));
        assert_eq!(ok(&["localhost"], None), is("localhost:65432", 1));
        assert_eq!(ok(&["localhost:80"], None), is("localhost:80", 1));
        assert_eq!(ok(&["localhost", "80"], None), is("localhost:80", 2));
        assert_eq!(ok(&["localhost", "80"], Some(81)), is("localhost:81", 1));
        assert_eq!(ok(&["localhost:80", "81"], None), is("localhost:80", 1));
        assert_eq!(ok(&["localhost", "Hello"], None), is("localhost:65432", 1));
        assert_eq!(ok(&["localhost", "70000"], None), is("localhost:65432", 1));
        assert_eq!(ok(&["[::1]:80"], None), is("[::1]:80", 1));
        assert_eq!(ok(&["[::1]", "80"], None), is("[::1]:80", 2));
        assert_eq!(ok(&["::1", "80"], None), is("[::1]:80", 2));
        assert_eq!(ok(&["::1"], Some(80)), is("[::1]:80", 1));
        assert_eq!(ok(&["[fe80::1%lo]:80"], None), is("[fe80::1%lo]:80", 1));
        assert_eq!(ok(&[":0"], None), is("127.0.0.1:0", 1));
        assert_eq!(ok(&["8080"], None), is("127.0.0.1:8080", 1));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_way_to_write_it() {
        let refused = |words: &[&str]| {
            let error = parse(words, None).unwrap_err();
            format!("{error}\n{}", error.hint().unwrap_or_default())
        };
        assert_eq!(
            refused(&["::1:80"]),
            "`::1:80` is ambiguous: its end may be a port, or a part of an IPv6 address\n\
             write [::1]:80 for a port, or [::1:80] for an address alone"
        );
        assert!(refused(&["fe80::1:8080"]).contains("[fe80::1]:8080"));
        assert!(refused(&["a:b:c"]).contains("ambiguous"));
        assert!(refused(&["[::1"]).contains("brackets"));
        assert!(refused(&["[::1]80"]).contains("brackets"));
        assert!(refused(&["[localhost]:80"]).contains("brackets"));
        assert!(refused(&["localhost:"]).contains("no port"));
        assert!(refused(&["localhost:65536"]).contains("`65536` is no port"));
        assert!(refused(&["localhost:+80"]).contains("no port"));
        assert!(refused(&["99999"]).contains("no port"));
        assert!(refused(&["http://localhost"]).contains("no port"));
        assert!(refused(&["a b"]).contains("no host"));
        assert_eq!(parse(&["localhost:80"], Some(81)), Err(AddressError::Twice(80, 81)));
    }

    #[test]
    fn a_name_is_looked_up_in_the_family_asked_for() {
        let v4 = Address::new("127.0.0.1", 80);
        assert_eq!(v4.resolve(Family::Any).unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        let none = v4.resolve(Family::V6).unwrap_err();
        assert_eq!(none.to_string(), "look up 127.0.0.1:80");
        let none = Address::new("127.0.0.1", 0).resolve(Family::V6).unwrap_err();
        assert_eq!(none.to_string(), "look up 127.0.0.1", "no port was given");
        assert!(Address::new("no-such-name.invalid", 80).resolve(Family::Any).is_err());
    }
}

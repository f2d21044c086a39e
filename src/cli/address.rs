//! Addresses on the command line, the same for every command.

use clap::Args;

use crate::net::table::Transport;
use crate::net::{Address, AddressError, Family};

use super::UsageError;

/// A default port: where it stands without `NETLAB_PORT_BASE`, and how far above the base with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefaultPort {
    pub(super) port: u16,
    pub(super) offset: u16,
}

/// The TCP echo of the course.
pub(super) const TCP_ECHO: DefaultPort = DefaultPort { port: 65432, offset: 0 };
/// The UDP echo of the course.
pub(super) const UDP_ECHO: DefaultPort = DefaultPort { port: 9999, offset: 1 };

/// The room server.
pub(super) const ROOMS: DefaultPort = DefaultPort { port: 12000, offset: 2 };

/// The naive login of the course.
pub(super) const AUTH: DefaultPort = DefaultPort { port: 8080, offset: 3 };
/// Every server with its default port.
pub(super) const DEFAULTS: [(&str, Transport, DefaultPort); 4] = [
    ("tcp-echo", Transport::Tcp, TCP_ECHO),
    ("udp-echo", Transport::Udp, UDP_ECHO),
    ("serve", Transport::Tcp, ROOMS),
    ("auth-demo", Transport::Tcp, AUTH),
];

const PORT_BASE: &str = "NETLAB_PORT_BASE";

/// The base that is set, if one is.
pub(super) fn port_base() -> Option<Result<u16, UsageError>> {
    let text = std::env::var_os(PORT_BASE)?;
    Some(text.to_str().and_then(base).ok_or_else(|| {
        UsageError::new(format!(
            "{PORT_BASE} is `{}`: it must be a port from 1 to 65000",
            text.to_string_lossy().escape_debug()
        ))
    }))
}

impl DefaultPort {
    /// The default address: 127.0.0.1 and the port, shifted for this user if the base is set.
    pub(super) fn address(self) -> Result<Address, UsageError> {
        let port = match port_base().transpose()? {
            None => self.port,
            // The base is at most 65000, and no offset is near 500.
            Some(base) => base + self.offset,
        };
        Ok(Address::new("127.0.0.1", port))
    }
}

/// A base, read.
fn base(text: &str) -> Option<u16> {
    text.parse().ok().filter(|base| (1..=65_000).contains(base))
}

/// Flags that belong to an address.
#[derive(Clone, Debug, Args)]
pub(super) struct AddressArgs {
    /// The port, where the address has none
    #[arg(short, long, value_name = "PORT")]
    port: Option<u16>,
    /// Use IPv4 addresses only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Use IPv6 addresses only
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl AddressArgs {
    /// The family asked for.
    pub(super) fn family(&self) -> Family {
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        }
    }

    /// The address at the front of `words`, and the words behind it.
    pub(super) fn split<'a>(
        &self,
        words: &'a [String],
        default: DefaultPort,
    ) -> Result<(Address, &'a [String]), UsageError> {
        split(words, self.port, &default.address()?)
    }

    /// The address that `words` are, and nothing else.
    pub(super) fn whole(&self, words: &[String], default: DefaultPort) -> Result<Address, UsageError> {
        self.whole_or(words, &default.address()?)
    }

    /// The same, with what the words leave out taken from `default`.
    pub(super) fn whole_or(&self, words: &[String], default: &Address) -> Result<Address, UsageError> {
        whole(words, self.port, default)
    }
}

fn split<'a>(
    words: &'a [String],
    port: Option<u16>,
    default: &Address,
) -> Result<(Address, &'a [String]), UsageError> {
    let (address, used) = Address::from_words(words, port, default).map_err(wrong_address)?;
    Ok((address, &words[used..]))
}

/// The address that `words` are, and nothing else. For commands that have no `-p` for a port.
pub(super) fn whole(words: &[String], port: Option<u16>, default: &Address) -> Result<Address, UsageError> {
    let (address, rest) = split(words, port, default)?;
    match rest.first() {
        None => Ok(address),
        Some(word) => {
            let word = crate::text::escape(word.as_bytes());
            Err(UsageError::new(format!("`{word}` after the address {address} is no port")))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn wrong_address(error: AddressError) -> UsageError {
    UsageError { message: error.to_string(), hint: error.hint() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_leaves_room_for_every_default_port() {
        assert_eq!((base("20000"), base("65000")), (Some(20_000), Some(65_000)));
        assert!(DEFAULTS.iter().all(|(_, _, default)| default.offset < 500));
        for wrong in ["", "0", "65001", "65535", "x", "-1"] {
            assert_eq!(base(wrong), None, "{wrong}");
        }
    }
}

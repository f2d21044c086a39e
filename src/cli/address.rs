//! Addresses on the command line, the same for every command.

use clap::Args;

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

const PORT_BASE: &str = "NETLAB_PORT_BASE";

impl DefaultPort {
    /// The default address: 127.0.0.1 and the port, shifted for this user if the base is set.
    pub(super) fn address(self) -> Result<Address, UsageError> {
        let port = match std::env::var(PORT_BASE) {
            Err(_) => self.port,
            Ok(text) => shifted(&text, self.offset).ok_or_else(|| {
                UsageError::new(format!(
                    "{PORT_BASE} is `{}`: it must be a port from 1 to 65000",
                    text.escape_debug()
                ))
            })?,
        };
        Ok(Address::new("127.0.0.1", port))
    }
}

fn shifted(base: &str, offset: u16) -> Option<u16> {
    let base = base.parse::<u16>().ok().filter(|base| (1..=65_000).contains(base))?;
    base.checked_add(offset)
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

    /// True if a port was given.
    pub(super) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// The address at the front of `words`, and the words behind it.
    pub(super) fn split<'a>(
        &self,
        words: &'a [String],
        default: DefaultPort,
    ) -> Result<(Address, &'a [String]), UsageError> {
        self.split_or(words, &default.address()?)
    }

    fn split_or<'a>(
        &self,
        words: &'a [String],
        default: &Address,
    ) -> Result<(Address, &'a [String]), UsageError> {
        let (address, used) = Address::from_words(words, self.port, default).map_err(wrong_address)?;
        Ok((address, &words[used..]))
    }

    /// The address that `words` are, and nothing else.
    pub(super) fn whole(&self, words: &[String], default: DefaultPort) -> Result<Address, UsageError> {
        self.whole_or(words, &default.address()?)
    }

    /// The same, with what the words leave out taken from `default`.
    pub(super) fn whole_or(&self, words: &[String], default: &Address) -> Result<Address, UsageError> {
        let (address, rest) = self.split_or(words, default)?;
        match rest.first() {
            None => Ok(address),
            Some(word) => {
                let word = crate::text::escape(word.as_bytes());
                Err(UsageError::new(format!("`{word}` after the address {address} is no port")))
            }
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
    fn a_base_shifts_every_default_port() {
        assert_eq!(shifted("20000", TCP_ECHO.offset), Some(20_000));
        assert_eq!(shifted("20000", UDP_ECHO.offset), Some(20_001));
        for wrong in ["", "0", "65535", "x", "-1"] {
            assert_eq!(shifted(wrong, 1), None, "{wrong}");
        }
    }
}

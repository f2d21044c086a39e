//! What every client of the room server takes: who it is, how it proves that, how it speaks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::TypedValueParser;

use crate::client::{ConnectRequest, Connection, Credentials, Options};
use crate::framing::Framing;
use crate::net::Address;
use crate::net::table::Transport;
use crate::protocol::names::RoomName;
use crate::protocol::proof::{Key, from_hex};
use crate::tui::Secret;

use super::address::AddressArgs;
use super::capture::CaptureArgs;
use super::socket_options::SocketOptionsArgs;
use super::{UsageError, hint, secret, values};

/// The framings in which rooms are spoken.
const FRAMINGS: [Framing; 4] = [Framing::U16, Framing::U32, Framing::Header, Framing::Line];

/// Parses one of them by its name.
pub(super) fn framing() -> impl TypedValueParser<Value = Framing> {
    values::named(&FRAMINGS, Framing::name)
}

/// Parses a room's name.
pub(super) fn room_name(text: &str) -> Result<RoomName, String> {
    RoomName::parse(text).map_err(|error| error.to_string())
}

/// Flags of a client.
#[derive(Clone, Debug, Args)]
pub(super) struct RoomClientArgs {
    #[command(flatten)]
    pub(super) address: AddressArgs,
    /// The key with which to log in: a file of 64 hex digits, as `netlab users add` makes it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "password"])]
    key_file: Option<PathBuf>,
    /// Ask for the key
    #[arg(long, conflicts_with = "password")]
    key: bool,
    /// Ask for a password
    #[arg(long)]
    password: bool,
    /// How messages are told apart; the server's choice [default: u16]
    #[arg(long, value_name = "FRAMING", value_parser = framing())]
    framing: Option<Framing>,
    /// The largest message, in bytes
    #[arg(long, value_name = "BYTES", default_value = "65535", value_parser = values::size)]
    max_frame: usize,
    /// What the server calls itself (its --server-name)
    #[arg(long, value_name = "HOST:PORT")]
    server_name: Option<String>,
    /// How long to wait to connect, and for each answer
    #[arg(short, long, value_name = "DUR", default_value = "10s", value_parser = values::duration)]
    wait: Duration,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
}

impl RoomClientArgs {
    /// Connects and logs in; without a user the server gives a name.
    pub(super) fn connect(&self, address: &Address, user: Option<&str>) -> anyhow::Result<Connection> {
        let credentials = self.credentials(user)?;
        let addrs = address.resolve(self.address.family())?;
        let options = Options {
            framing: self.framing.unwrap_or(Framing::U16),
            max_frame: self.max_frame,
            wait: self.wait,
            server_name: self.server_name.clone(),
            socket: self.capture.add_to(self.socket.options())?,
        };
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce)?;
        let connection = Connection::open(&addrs, credentials, nonce, &options)?;
        hint::warn_of_foreign_listener(Transport::Tcp, connection.remote());
        Ok(connection)
    }

    /// The same for a link, which connects by itself, and again after a loss. To be called once: it makes the
    /// capture's file.
    pub(super) fn request(
        &self,
        address: Address,
        user: Option<&str>,
        room: Option<RoomName>,
    ) -> anyhow::Result<ConnectRequest> {
        Ok(ConnectRequest {
            room,
            family: self.address.family(),
            framing: self.framing.unwrap_or(Framing::U16),
            max_frame: self.max_frame,
            server_name: self.server_name.clone(),
            wait: self.wait,
            socket: self.capture.add_to(self.socket.options())?,
            ..ConnectRequest::new(address, self.credentials(user)?)
        })
    }

    /// The secret that the flags promise to ask for.
    pub(super) fn promised_secret(&self) -> Option<Secret> {
        match (self.password, self.key) {
            (true, _) => Some(Secret::Password),
            (_, true) => Some(Secret::Key),
            _ => None,
        }
    }

    /// The same flags without that promise.
    pub(super) fn without_promise(&self) -> RoomClientArgs {
        RoomClientArgs { password: false, key: false, ..self.clone() }
    }

    /// True if a framing was given.
    pub(super) fn has_framing(&self) -> bool {
        self.framing.is_some()
    }

    fn credentials(&self, user: Option<&str>) -> anyhow::Result<Credentials> {
        let secret = self.key || self.password || self.key_file.is_some();
        let Some(user) = user else {
            return if secret {
                Err(UsageError::new("a key or a password belongs to a --user".to_owned()).into())
            } else {
                Ok(Credentials::Anonymous)
            };
        };
        let user = user.to_owned();
        if let Some(file) = &self.key_file {
            return Ok(Credentials::Key(user, read_key(file)?));
        }
        if self.key {
            let text = secret::ask(&format!("key of {user}: "))?;
            let key = from_hex(text.trim()).ok_or_else(|| UsageError::new(NO_KEY.to_owned()))?;
            return Ok(Credentials::Key(user, key));
        }
        if self.password {
            let password = secret::ask(&format!("password of {user}: "))?;
            return Ok(Credentials::Password(user, password));
        }
        Ok(Credentials::Name(user))
    }
}

const NO_KEY: &str = "a key has 64 hex digits";

/// Reads a key file.
pub(super) fn read_key(file: &Path) -> Result<Key, UsageError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        UsageError::new(format!("the key file {} can't be read: {error}", file.display()))
    })?;
    from_hex(text.trim()).ok_or_else(|| UsageError::new(format!("{} holds no key: {NO_KEY}", file.display())))
}

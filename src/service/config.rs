//! How the service is set up: who may enter, and the bounds that it keeps.

use std::time::Duration;

use super::{Rate, Users};
use crate::protocol::names::RoomName;

/// How clients prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all: `LOGIN` takes a free name.
    #[default]
    None,
    /// By a password, in `LOGIN`.
    Password,
    /// By a shared key, in `AUTH` and `PROOF`.
    Hmac,
}

impl Auth {
    /// Every kind.
    pub const ALL: [Auth; 3] = [Auth::None, Auth::Password, Auth::Hmac];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Auth::None => "none",
            Auth::Password => "password",
            Auth::Hmac => "hmac",
        }
    }
}

/// The bounds of the service.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sessions at a time.
    pub connections: usize,
    /// Of them, where login is demanded, not logged in; one more closes the oldest.
    pub unauthenticated: usize,
    /// From connecting to being logged in, where that is demanded.
    pub login: Duration,
    /// From a frame's first byte to its last.
    pub frame: Duration,
    /// From one complete frame to the next.
    pub idle: Duration,
    /// The largest payload, in bytes.
    pub max_frame: usize,
    /// Messages that a session may send; `None`: as many as it likes.
    pub rate: Option<Rate>,
    /// Rooms besides `default`.
    pub rooms: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 256,
            unauthenticated: 64,
            login: Duration::from_secs(5),
            frame: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            max_frame: 65_535,
            rate: Some(Rate { per_second: 20.0, burst: 60 }),
            rooms: 100,
        }
    }
}

/// How the service is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How clients prove who they are.
    pub auth: Auth,
    /// Who may log in, where that has to be proved.
    pub users: Users,
    /// The bounds.
    pub limits: Limits,
    /// Rooms that stay when their last member leaves, besides `default`.
    pub rooms: Vec<RoomName>,
    /// Nobody may write records.
    pub read_only: bool,
    /// What the login by key takes for the server's address, instead of the socket's own.
    pub server_name: Option<String>,
    /// Report what sessions do.
    pub notices: bool,
}

/// The largest frame before a demanded login: enough for a name and a proof, too small to be worth an attack.
pub const MAX_FRAME_BEFORE_LOGIN: usize = 4 << 10;

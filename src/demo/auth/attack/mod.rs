//! Three attacks by someone who does not know the key.
//!
//! | attack  | what the attacker does                                                            |
//! |---------|-----------------------------------------------------------------------------------|
//! | replay  | records a login, and plays it back: to the server as its client, and to the client as its server |
//! | reflect | gives a program that is both client and server its own challenge (or proof) back  |
//! | relay   | stands between client and server, and passes on what they say                     |

use serde::Serialize;

use super::{AuthError, Outcome};
use crate::net::{SocketOptions, Stream, socket};
use crate::text::{excerpt, hex};

pub(super) mod mutual;
pub(super) mod naive;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// What was recorded is played back.
    Replay,
    /// A challenge goes back to the one who made it.
    Reflect,
    /// A login is passed on, live.
    Relay,
}

impl Attack {
    /// Every attack.
    pub const ALL: [Attack; 3] = [Attack::Replay, Attack::Reflect, Attack::Relay];

    /// The name used on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Attack::Replay => "replay",
            Attack::Reflect => "reflect",
            Attack::Relay => "relay",
        }
    }
}

/// What is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The classroom's: 32 bytes out, their HMAC back.
    Naive,
    /// The room server's: both prove themselves, for this connection.
    Mutual,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Knows the key.
    Client,
    /// Knows the key.
    Server,
    /// Does not.
    Attacker,
}

impl Party {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Party::Client => "client",
            Party::Server => "server",
            Party::Attacker => "attacker",
        }
    }
}

/// One thing that crossed the wire.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Who sent it.
    pub from: Party,
    /// Who received it.
    pub to: Party,
    /// What it is.
    pub what: &'static str,
    /// How many bytes.
    pub bytes: usize,
    /// What tells them from others: of a JSON message its nonce, proof or error code, of other text the beginning,
    /// of bytes the first few in hex.
    pub excerpt: String,
}

/// One attack on one scheme.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The attack.
    pub attack: Attack,
    /// What it was tried on.
    pub scheme: Scheme,
    /// Whether anyone was fooled.
    pub outcome: Outcome,
    /// Who took the attacker for someone who knows the key.
    pub fooled: Vec<Party>,
    /// Why it went so.
    pub why: &'static str,
    /// What crossed the wire.
    pub steps: Vec<Step>,
}

/// Bytes of a text that an excerpt shows.
const SHOWN: usize = 24;
/// Characters of a nonce or a proof that are enough to tell it from another.
const TELLING: usize = 12;

/// The steps of a trial, as they are taken.
#[derive(Debug, Default)]
struct Journal(Vec<Step>);

impl Journal {
    fn note(&mut self, from: Party, to: Party, what: &'static str, bytes: &[u8]) {
        let excerpt = shown(bytes);
        self.0.push(Step { from, to, what, bytes: bytes.len(), excerpt });
    }

    fn conclude(self, attack: Attack, scheme: Scheme, fooled: Vec<Party>, why: &'static str) -> Trial {
        let outcome = if fooled.is_empty() { Outcome::Refused } else { Outcome::Fooled };
        Trial { attack, scheme, outcome, fooled, why, steps: self.0 }
    }
}

/// What tells one message from the next: of JSON its nonce, proof or error code, of other text its beginning, of
/// bytes the first few.
fn shown(bytes: &[u8]) -> String {
    let telling = |message: serde_json::Value| {
        ["mac", "nonce", "code"].into_iter().find_map(|member| {
            let value = message["data"][member].as_str()?;
            let dots = if value.len() > TELLING { "..." } else { "" };
            Some(format!("{member} {}{dots}", excerpt(&value.as_bytes()[..value.len().min(TELLING)], SHOWN)))
        })
    };
    match bytes {
        [] => "nothing, and the end".into(),
        json if json.starts_with(b"{") => {
            serde_json::from_slice(json).ok().and_then(telling).unwrap_or_else(|| excerpt(json, SHOWN))
        }
        text if text.iter().all(|b| matches!(b, b' '..=b'~')) => excerpt(text, SHOWN),
        short if short.len() <= 6 => hex(short),
        long => format!("{} ...", hex(&long[..6])),
    }
}

/// A listener on a free port of loopback, where the attacker waits for a client or a server for the attacker.
struct Trap {
    listener: std::net::TcpListener,
    address: std::net::SocketAddr,
}

impl Trap {
    fn new() -> Result<Trap, AuthError> {
        let any = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
        let (listener, address) = socket::listen(&[any], &SocketOptions::default(), 8)?;
        Ok(Trap { listener, address })
    }

    /// The next one who comes. Whoever is to come is under way already, on this machine.
    fn accept(&self) -> Result<Stream, AuthError> {
        let stream = socket::accept(&self.listener, self.address, &SocketOptions::default())?;
        stream.set_recv_timeout(Some(super::WAIT))?;
        Ok(stream)
    }
}

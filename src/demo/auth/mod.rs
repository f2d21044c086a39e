//! Authentication: the classroom's naive challenge, and what three attackers without the key make of it and of
//! the mutual login that the room server uses.
//!
//! | file                | what it holds                                                       |
//! |---------------------|---------------------------------------------------------------------|
//! | `server.rs`         | the naive server, a handler of the one loop                         |
//! | `client.rs`         | the naive client, blocking                                          |
//! | `login.rs`          | both ends of the mutual login, for the attacks                      |
//! | `attack/`           | replay, reflect, relay: against either scheme                       |
//! | `summary.rs`        | the reports                                                         |
//!
//! The attackers see the wire and may stand in its middle; the key never reaches their code.

mod attack;
mod client;
mod login;
mod server;
mod summary;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::framing::FrameError;
use crate::net::NetError;

pub use self::attack::{Attack, Party, Scheme, Step, Trial};
pub use self::client::{ClientReport, log_in};
pub use self::server::{AuthEvent, Config, Event, run};
pub use self::summary::AttackReport;

/// How long each end waits for the other.
pub const WAIT: Duration = Duration::from_secs(10);

/// What can keep a login or an attack from running to its end. That it fails is no error but its outcome.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A socket call failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A stream that is not framed as agreed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer ended before it had said what it has to say.
    #[error("{peer} ended after {received} of {expected} bytes of its {what}")]
    Short {
        /// Who.
        peer: SocketAddr,
        /// What it began to say.
        what: &'static str,
        /// How far it came.
        received: usize,
        /// What was due.
        expected: usize,
    },
    /// The system gives no random bytes.
    #[error("no random bytes: {0}")]
    Entropy(String),
}

/// 32 random bytes.
fn nonce() -> Result<[u8; 32], AuthError> {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(|error| AuthError::Entropy(error.to_string()))?;
    Ok(nonce)
}

/// One trial of each attack that is asked for, against each scheme.
///
/// The naive server runs at `naive` if that is given, else in this process; it must know `key`. None of its answers
/// is waited for longer than `wait`.
///
/// # Errors
/// Sockets that can't be made, a server at `naive` that isn't there.
pub fn attack(
    attacks: &[Attack],
    key: &[u8],
    naive: Option<SocketAddr>,
    wait: Duration,
) -> Result<AttackReport, AuthError> {
    let mut trials = Vec::new();
    for attack in attacks {
        trials.push(attack::naive::run(*attack, key, naive, wait)?);
        trials.push(attack::mutual::run(*attack)?);
    }
    Ok(AttackReport { trials })
}

/// What an [`AttackReport`] says of one attack on one scheme, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The attacker was taken for someone who knows the key.
    Fooled,
    /// It was not.
    Refused,
}

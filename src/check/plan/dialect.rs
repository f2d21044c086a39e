//! How an exercise speaks. A plan has payloads alone: what goes over the wire for them, and what has to come back,
//! is the dialect's.

use crate::check::codec::Codec;
use crate::check::expect::Expect;
use crate::check::script::Make;

/// One message and its answers.
#[derive(Clone)]
pub struct Turn {
    /// What is sent.
    pub payload: Vec<u8>,
    /// Makes what is sent from what the server said before, in place of the payload.
    pub make: Option<Make>,
    /// What has to come back.
    pub expect: Vec<Expect>,
}

/// How an exercise speaks: from payloads to bytes and answers.
pub trait Dialect: Send + Sync {
    /// How messages are told apart.
    fn codec(&self) -> Codec;

    /// What the server says to each new client, unasked.
    fn greeting(&self) -> Vec<Expect> {
        Vec::new()
    }

    /// What client number `client` says first, such as a login.
    fn opening(&self, client: usize) -> Vec<Turn> {
        let _ = client;
        Vec::new()
    }

    /// A message of client number `client` with this payload in it.
    fn ask(&self, client: usize, payload: &[u8]) -> Turn;
}

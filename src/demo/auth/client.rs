//! The naive client, blocking: read the challenge, send its HMAC, read the verdict.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::AuthError;
use crate::net::{Cause, NetError, SocketOptions, Stream};
use crate::protocol::challenge::{self, GRANTED, LENGTH};
use crate::report::{Block, Report};
use crate::text::{escape, hex};

/// The longest verdict that is read: a server that goes on for ever is not waited for.
const LONGEST_VERDICT: usize = 1_024;

/// One login, as the client saw it; what is in it crossed the wire for everyone to read.
#[derive(Clone, Debug, Serialize)]
pub struct ClientReport {
    /// The server.
    pub remote: SocketAddr,
    /// Its challenge, in hex.
    pub challenge: String,
    /// What was sent back, in hex.
    pub mac: String,
    /// What the server said then, escaped.
    pub reply: String,
    /// True if that was `Access Granted`.
    pub granted: bool,
}

impl Report for ClientReport {
    fn blocks(&self) -> Vec<Block> {
        let verdict =
            if self.reply.is_empty() { "closed without a word: access denied" } else { &self.reply };
        vec![Block::Text(verdict.to_owned())]
    }

    fn succeeded(&self) -> bool {
        self.granted
    }
}

/// What one naive login puts on the wire.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) challenge: [u8; LENGTH],
    pub(super) mac: [u8; LENGTH],
    pub(super) verdict: Vec<u8>,
}

impl Recording {
    pub(super) fn granted(&self) -> bool {
        self.verdict == GRANTED
    }
}

/// Logs in to the first of `addrs` that answers.
///
/// # Errors
/// Nobody there, or a server that sends no whole challenge. A denied access is an answer.
pub fn log_in(addrs: &[SocketAddr], key: &[u8], wait: Duration) -> Result<ClientReport, AuthError> {
    let stream = connect(addrs, wait)?;
    let recording = answer(&stream, key, wait)?;
    Ok(ClientReport {
        remote: stream.peer(),
        challenge: hex(&recording.challenge).replace(' ', ""),
        mac: hex(&recording.mac).replace(' ', ""),
        reply: escape(&recording.verdict),
        granted: recording.granted(),
    })
}

/// A stream on which no call waits longer than `wait`.
pub(super) fn connect(addrs: &[SocketAddr], wait: Duration) -> Result<Stream, AuthError> {
    let options = SocketOptions::default();
    let stream = Stream::connect(addrs, &options, wait)?;
    stream.set_recv_timeout(Some(wait))?;
    stream.set_send_timeout(Some(wait))?;
    Ok(stream)
}

/// The client's part, on a stream that is connected.
pub(super) fn answer(stream: &Stream, key: &[u8], wait: Duration) -> Result<Recording, AuthError> {
    let challenge = recv_exact(stream, "challenge", wait)?;
    let mac = challenge::answer(key, &challenge);
    stream.send_all(&mac)?;
    Ok(Recording { challenge, mac, verdict: verdict(stream, wait)? })
}

/// One recv, by `deadline`: a peer that sends a byte now and then is not waited for longer than a silent one.
fn recv_by(stream: &Stream, buffer: &mut [u8], deadline: Instant) -> Result<usize, NetError> {
    stream.set_recv_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
    stream.recv(buffer)
}

/// Exactly 32 bytes. One recv may return fewer: the course's single `recv(32)` is a bug that hardly ever shows.
pub(super) fn recv_exact(
    stream: &Stream,
    what: &'static str,
    wait: Duration,
) -> Result<[u8; LENGTH], AuthError> {
    let (mut bytes, mut received, deadline) = ([0; LENGTH], 0, Instant::now() + wait);
    while received < LENGTH {
        match recv_by(stream, &mut bytes[received..], deadline)? {
            0 => return Err(AuthError::Short { peer: stream.peer(), what, received, expected: LENGTH }),
            n => received += n,
        }
    }
    Ok(bytes)
}

/// What the server says until it ends; nothing where it simply closes. A reset counts as closing: that is what
/// a server does which does not read what it was sent. `Access Granted` is the end of it, too: a server may well
/// leave the connection open then.
pub(super) fn verdict(stream: &Stream, wait: Duration) -> Result<Vec<u8>, AuthError> {
    let (mut verdict, mut buffer, deadline) = (Vec::new(), [0; 256], Instant::now() + wait);
    while verdict.len() < LONGEST_VERDICT && verdict != GRANTED {
        match recv_by(stream, &mut buffer, deadline) {
            Ok(0) => break,
            Ok(n) => verdict.extend_from_slice(&buffer[..n]),
            Err(error) if error.cause() == Cause::Reset => break,
            // It has said something, if not all it has to say.
            Err(error) if error.cause() == Cause::TimedOut && !verdict.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(verdict)
}

//! What the clients did, as calls that a program can make.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::literal::literal;
use crate::check::expect::Expect;
use crate::check::outcome::{Failure, Outcome, Talk, What};

/// Bytes of a challenge, and of the answer to it.
pub(super) const CHALLENGE: usize = 32;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    Open,
    Send(&'a [u8]),
    /// Bytes that depend on what the server said, as a Python expression.
    SendMade(String),
    /// An answer is read before the next call.
    Read,
    /// The challenge is read, and the answer to it computed under this key.
    Challenge(&'a str),
    Pause,
    HalfClose,
    Close,
    Reset,
}

/// What the clients did, each call with its client.
pub(super) fn calls<'a>(outcome: &'a Outcome, key: Option<&'a str>) -> Vec<(usize, Call<'a>)> {
    let mut calls: Vec<(usize, Call<'_>)> = Vec::new();
    let mut challenged = vec![false; outcome.talks.len()];
    for event in &outcome.events {
        let client = event.client;
        let talk = &outcome.talks[client];
        let call = match &event.what {
            What::Opened => Call::Open,
            What::Sent { start, end, .. } => match made(talk, *start, *end, key) {
                Some(made) => Call::SendMade(made),
                None => Call::Send(&talk.sent[*start..*end]),
            },
            What::Taken(_) | What::Paused(_) => Call::Pause,
            What::HalfClosed => Call::HalfClose,
            What::Closed => Call::Close,
            What::Reset => Call::Reset,
            What::Received { .. } => match key {
                Some(key) if !std::mem::replace(&mut challenged[client], true) => Call::Challenge(key),
                _ => continue,
            },
            What::Answered if key.is_some() && !answered_more(&calls, client) => continue,
            What::Answered => Call::Read,
            What::Ended(_) => continue,
        };
        calls.push((client, call));
    }
    trimmed(calls, outcome)
}

/// True if this client has sent something since it got its challenge.
fn answered_more(calls: &[(usize, Call<'_>)], client: usize) -> bool {
    calls.iter().any(|(own, call)| *own == client && matches!(call, Call::Send(_) | Call::SendMade(_)))
}

/// Without pauses and reads that change nothing.
fn trimmed<'a>(mut calls: Vec<(usize, Call<'a>)>, outcome: &Outcome) -> Vec<(usize, Call<'a>)> {
    // What the failed client read last is what it prints; and a pause behind the last bytes changes nothing, where the
    // program is not about to end.
    let (failed, refused) = match &outcome.failure {
        Some((client, failure)) => (*client, *failure == Failure::Refused),
        None => (0, false),
    };
    let waits = |(client, call): &(usize, Call<'_>)| {
        *call == Call::Pause || (*call == Call::Read && *client == failed)
    };
    if refused && calls.last() == Some(&(failed, Call::Open)) {
        calls.pop();
    }
    while !refused && calls.last().is_some_and(waits) {
        calls.pop();
    }
    if refused && calls.last().is_some_and(|(_, call)| *call != Call::Pause) {
        calls.push((failed, Call::Pause));
    }
    // To wait for an answer is to wait until the message was read.
    let mut at = 0;
    while at + 1 < calls.len() {
        let pause_twice = calls[at].1 == Call::Pause && matches!(calls[at + 1].1, Call::Pause);
        if pause_twice {
            calls.remove(at);
        } else {
            at += 1;
        }
    }
    calls
}

/// How the bytes of an answer to a challenge come from its digest, in Python; `None` if they don't.
fn made(talk: &Talk, start: usize, end: usize, key: Option<&str>) -> Option<String> {
    let challenged = matches!(talk.expected.first(), Some(Expect::Any(CHALLENGE)));
    let challenge = talk.received.get(..CHALLENGE).filter(|_| challenged)?;
    let mac = digest(key?, challenge);
    let sent = &talk.sent;
    if sent.len() > CHALLENGE {
        return None;
    }
    if mac.starts_with(sent) {
        return Some(if (start, end) == (0, CHALLENGE) { "mac".to_owned() } else { slice(start, end) });
    }
    if (start, end) != (0, CHALLENGE) {
        return None;
    }
    // Bent, byte by byte.
    let mask: Vec<u8> = sent.iter().zip(&mac).map(|(a, b)| a ^ b).collect();
    let run = |run: &[u8]| format!("{} * {}", literal(&run[..1]), run.len());
    let runs: Vec<String> = mask.chunk_by(|a, b| a == b).map(run).collect();
    (runs.len() <= 3).then(|| format!("bytes(a ^ b for a, b in zip(mac, {}))", runs.join(" + ")))
}

fn slice(start: usize, end: usize) -> String {
    match (start, end) {
        (0, end) => format!("mac[:{end}]"),
        (start, end) if end == start + 1 => format!("mac[{start}:{end}]"),
        (start, CHALLENGE) => format!("mac[{start}:]"),
        (start, end) => format!("mac[{start}:{end}]"),
    }
}

fn digest(key: &str, challenge: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(challenge);
    mac.finalize().into_bytes().to_vec()
}

/// The line that computes it.
pub(super) fn computed(key: &str, name: &str) -> String {
    format!("{name} = hmac.digest({}, challenge, \"sha256\")", literal(key.as_bytes()))
}

//! The calls as a netlab command, where one client and its pauses are all there is to it.

use super::PORT;
use super::calls::Call;
use super::literal::grouped;
use crate::check::exercise::Exercise;
use crate::check::outcome::{Failure, Outcome};
use crate::net::table::Transport;

/// More bytes than this make a command that nobody reads.
const MOST: usize = 130;

/// The command; `None` where none does the same.
pub(super) fn command(exercise: &Exercise, calls: &[(usize, Call<'_>)], outcome: &Outcome) -> Option<String> {
    // What shows in the processor's use, on the disk, or by a second client shows in no client's output.
    let seen = !matches!(outcome.failure, Some((_, Failure::Busy(_) | Failure::Trace(_) | Failure::Refused)));
    if !seen || calls.iter().any(|(client, _)| *client > 0) {
        return None;
    }
    if exercise.transport == Transport::Udp { datagrams(calls) } else { stream(calls) }
}

/// With cuts and pauses: `|` is both.
fn stream(calls: &[(usize, Call<'_>)]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut length = 0;
    for (_, call) in calls {
        match call {
            // Two sends without a pause are one segment as often as not: a cut makes them two for certain.
            Call::Send(bytes) => {
                length += bytes.len();
                parts.push(grouped(bytes));
            }
            Call::Open | Call::Pause | Call::Read | Call::HalfClose => {}
            Call::Close | Call::Reset | Call::Challenge(_) | Call::SendMade(_) => return None,
        }
    }
    // netlab's client ends its side after its message, if it counts no echo.
    let half_closes = calls.iter().any(|(_, call)| *call == Call::HalfClose);
    let reply = if half_closes { " --reply upper" } else { "" };
    let fits = (1..=MOST).contains(&length);
    fits.then(|| format!("netlab tcp-echo client 127.0.0.1:{PORT}{reply} -w 3 --hex '{}'", parts.join(" | ")))
}

/// As words, where they are plain ones.
fn datagrams(calls: &[(usize, Call<'_>)]) -> Option<String> {
    let mut words = Vec::new();
    for (_, call) in calls {
        match call {
            Call::Send(bytes) => {
                let plain =
                    bytes.len() <= MOST && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b' ');
                let word = std::str::from_utf8(bytes).ok().filter(|_| plain)?;
                words.push(format!("'{word}'"));
            }
            Call::Open | Call::Pause | Call::Read => {}
            _ => return None,
        }
    }
    (!words.is_empty())
        .then(|| format!("netlab udp-echo client 127.0.0.1:{PORT} -w 3 -- {}", words.join(" ")))
}

//! A failure as what a student can run: five lines of Python, and a netlab command where one does the same.

use std::fmt::Write;

use super::exercise::Exercise;
use super::outcome::{Event, Failure, Outcome, What};
use crate::net::table::Transport;
use crate::text::hex;

/// More bytes than this are written as an expression instead of digits.
const LITERAL: usize = 200;
/// More bytes than this are not written out at all.
const HEX: usize = 2_000;
/// A number of the checker's texts, with the space behind it.
const GROUP: usize = 7;
/// More runs of numbers than this in one send are written another way.
const PARTS: usize = 40;
/// More calls than this make no reproduction that anyone reads.
const CALLS: usize = 12;

/// What the clients did, in calls.
#[derive(Debug, PartialEq, Eq)]
enum Call<'a> {
    Open,
    Send(&'a [u8]),
    Pause,
    HalfClose,
    Close,
}

/// The reproduction: Python, and below it the command as a comment; all of it can be run.
pub(super) fn reproduce(exercise: &Exercise, outcome: &Outcome) -> String {
    let calls = calls(outcome);
    let clients = 1 + calls.iter().map(|(client, _)| *client).max().unwrap_or(0);
    let mut text = python(exercise, &calls, clients, outcome);
    if let Some(command) = command(exercise, &calls, clients) {
        let _ = write!(text, "\n# or: {command}");
    }
    text
}

fn calls(outcome: &Outcome) -> Vec<(usize, Call<'_>)> {
    let call = |event: &Event| {
        let talk = &outcome.talks[event.client];
        let call = match &event.what {
            What::Opened => Call::Open,
            What::Sent { start, end, .. } => Call::Send(&talk.sent[*start..*end]),
            What::Taken(_) | What::Paused(_) => Call::Pause,
            What::HalfClosed => Call::HalfClose,
            What::Closed => Call::Close,
            What::Received { .. } | What::Ended(_) | What::Answered => return None,
        };
        Some((event.client, call))
    };
    let mut calls: Vec<_> = outcome.events.iter().filter_map(call).collect();
    // A pause behind the last bytes changes nothing, and several are one.
    while matches!(calls.last(), Some((_, Call::Pause))) {
        calls.pop();
    }
    calls.dedup_by(|a, b| a.1 == Call::Pause && b.1 == Call::Pause);
    calls
}

/// What writes the checker's large texts in Python: numbers that count up.
pub(super) const COUNT: &str = "count = lambda a, b: b\"\".join(b\"%06d \" % n for n in range(a, b))";

/// The server's address in a reproduction, which is run against a server started by hand.
const PORT: &str = "PORT";

fn python(exercise: &Exercise, calls: &[(usize, Call<'_>)], clients: usize, outcome: &Outcome) -> String {
    let udp = exercise.transport == Transport::Udp;
    let name = |client: usize| if clients == 1 { "s".to_owned() } else { format!("s{}", client + 1) };
    let mut lines = vec!["import socket, time".to_owned()];
    let mut line = String::new();
    let mut written = 0;
    for (client, call) in calls.iter().take(CALLS * 4) {
        let s = name(*client);
        let text = match call {
            Call::Open if udp => {
                format!("{s} = socket.socket(type=socket.SOCK_DGRAM); {s}.connect((\"127.0.0.1\", {PORT}))")
            }
            Call::Open => format!("{s} = socket.create_connection((\"127.0.0.1\", {PORT}))"),
            Call::Send(bytes) => format!("{s}.{}({})", if udp { "send" } else { "sendall" }, literal(bytes)),
            Call::Pause => "time.sleep(0.2)".to_owned(),
            Call::HalfClose => format!("{s}.shutdown(socket.SHUT_WR)"),
            Call::Close => format!("{s}.close()"),
        };
        if matches!(call, Call::Open) {
            push(&mut lines, &mut line);
            lines.push(text);
            continue;
        }
        if !line.is_empty() && line.len() + text.len() > 100 {
            push(&mut lines, &mut line);
        }
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(&text);
        written += 1;
        if written == CALLS {
            line.push_str("  # ... and so on");
            break;
        }
    }
    push(&mut lines, &mut line);
    if lines.iter().any(|line| line.contains("count(")) {
        lines.insert(1, COUNT.to_owned());
    }
    let failed = outcome.failure.as_ref().map_or(0, |(client, _)| *client);
    let s = name(failed.min(clients - 1));
    lines.push(format!("{s}.settimeout(3)"));
    let what = match outcome.failure {
        Some((_, Failure::StaysOpen)) => "the answer, then b'' for the server's end",
        _ => "what comes, until it is complete",
    };
    lines.push(format!("print({s}.recv(65536))  # again, for {what}"));
    lines.join("\n")
}

fn push(lines: &mut Vec<String>, line: &mut String) {
    if !line.is_empty() {
        lines.push(std::mem::take(line));
    }
}

/// Bytes in Python: repeated ones short.
pub(super) fn literal(bytes: &[u8]) -> String {
    if bytes.len() <= LITERAL {
        let text: String = bytes.iter().flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
        // Python writes no \' inside of double quotes, and reads it all the same.
        return format!("b\"{}\"", text.replace("\\'", "'"));
    }
    let same = |at: usize| bytes[at..].windows(2).take_while(|pair| pair[0] == pair[1]).count() + 1;
    if let Some(text) = counting(bytes) {
        return text;
    }
    let tail = (0..bytes.len().min(64)).find(|at| same(*at) + 8 >= bytes.len() - at);
    match tail {
        Some(at) if same(at) == bytes.len() - at => {
            format!("{} + {} * {}", literal(&bytes[..at]), literal(&bytes[at..=at]), bytes.len() - at)
        }
        _ if bytes.len() <= HEX => format!("bytes.fromhex(\"{}\")", hex(bytes).replace(' ', "")),
        _ => format!("{} + b\".\" * {}", literal(&bytes[..LITERAL]), bytes.len() - LITERAL),
    }
}

/// Bytes in which the checker's numbers run, `000000 000001 ...`, as calls of `count` and what stands between them.
/// `None` where they don't, or so little that the expression would be as long.
fn counting(bytes: &[u8]) -> Option<String> {
    let number = |at: usize| -> Option<u32> {
        let group = bytes.get(at..at + GROUP)?;
        let digits = std::str::from_utf8(&group[..GROUP - 1]).ok()?;
        if group[GROUP - 1] == b' ' { digits.parse().ok() } else { None }
    };
    let (mut parts, mut plain, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let Some(first) = number(at) else {
            at += 1;
            continue;
        };
        let rest = bytes.len() / GROUP;
        let more = (1..rest)
            .take_while(|n| number(at + n * GROUP).is_some_and(|next| next as usize == first as usize + n));
        let more = more.count();
        if more < 8 {
            at += 1;
            continue;
        }
        if plain < at {
            parts.push(literal(&bytes[plain..at]));
        }
        parts.push(format!("count({first}, {})", first as usize + more + 1));
        at += (more + 1) * GROUP;
        plain = at;
    }
    if plain == 0 {
        return None;
    }
    if plain < bytes.len() {
        parts.push(literal(&bytes[plain..]));
    }
    (parts.len() <= PARTS).then(|| parts.join(" + "))
}

/// The same as a netlab command, where one client and its pauses are all there is to it.
fn command(exercise: &Exercise, calls: &[(usize, Call<'_>)], clients: usize) -> Option<String> {
    let simple = |call: &Call<'_>| matches!(call, Call::Open | Call::Send(_) | Call::Pause);
    let half_closes = calls.iter().any(|(_, call)| *call == Call::HalfClose);
    if exercise.transport == Transport::Udp || clients > 1 {
        return None;
    }
    let mut parts: Vec<String> = Vec::new();
    let mut length = 0;
    let mut cut = true;
    for (_, call) in calls {
        match call {
            Call::Send(bytes) => {
                length += bytes.len();
                if cut {
                    parts.push(grouped(bytes));
                } else if let Some(part) = parts.last_mut() {
                    part.push(' ');
                    part.push_str(&grouped(bytes));
                }
                cut = true;
            }
            // Two sends without a pause are one segment as often as not: a cut makes them two for certain.
            call if simple(call) => {}
            Call::HalfClose => {}
            _ => return None,
        }
    }
    // netlab's client ends its side after its message, if it counts no echo.
    let reply = if half_closes { " --reply upper" } else { "" };
    let fits = length > 0 && length <= LITERAL;
    fits.then(|| format!("netlab tcp-echo client 127.0.0.1:{PORT}{reply} --hex '{}'", parts.join(" | ")))
}

/// Hex in pairs of bytes, as the protocol page writes prefixes.
fn grouped(bytes: &[u8]) -> String {
    let group = |pair: &[u8]| hex(pair).replace(' ', "");
    bytes.chunks(2).map(group).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_python() {
        assert_eq!(literal(b"\0\x05He'\"\\"), "b\"\\x00\\x05He'\\\"\\\\\"");
        assert_eq!(literal(&[b'x'; 300]), "b\"\" + b\"x\" * 300");
        assert_eq!(grouped(b"\0\x05H"), "0005 48");
        let numbers = (3..60).map(|n| format!("{n:06} ")).collect::<Vec<_>>().concat();
        let message = [b"\x01\x8f", numbers.as_bytes(), b"00"].concat();
        assert_eq!(literal(&message), "b\"\\x01\\x8f\" + count(3, 60) + b\"00\"");
        let odd: Vec<u8> = (0..9_000_u32).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
        assert!(literal(&odd).len() < 2_000, "nobody reads more");
    }
}

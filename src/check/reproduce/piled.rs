//! Answers that pile up: a client that sends much, ends its side, and begins to read only then. Everything that it is
//! owed comes before the server's end, so that the reproduction can compare all of it.

use super::PORT;
use super::literal::literal;
use crate::check::case::Trial;
use crate::check::exercise::Exercise;
use crate::check::expect::Expect;
use crate::check::outcome::Outcome;
use crate::check::plan::Way;
use crate::check::script::Act;

/// Fewer bytes than this fit into buffers on the way, and nothing piles up.
const PILE: usize = 60_000;
/// Digits and a space: a number of the checker's texts.
const GROUP: usize = 7;

/// Five lines for a trial in which answers pile up; `None` for any other one.
pub(super) fn python(exercise: &Exercise, trial: &Trial, outcome: &Outcome) -> Option<String> {
    if !matches!(trial.plan.way, Way::HalfClosed | Way::SlowReader) {
        return None;
    }
    let (mut sent, mut owed) = (Vec::new(), Vec::new());
    let mut messages: Vec<usize> = Vec::new();
    for step in trial.script(&*exercise.dialect).steps {
        match step.act {
            Act::Send(wire) | Act::Flood(wire) => sent.extend(wire.bytes),
            Act::Expect(Expect::Exact { codec, payload }) => {
                let bytes = codec.encode(&payload).bytes;
                messages.push(bytes.len());
                owed.extend(bytes);
            }
            // Other answers have more than one right form.
            Act::Expect(_) | Act::SendMade(..) => return None,
            _ => {}
        }
    }
    let echoes = sent == owed && sent.len() >= PILE && !outcome.talks.is_empty();
    let text = echoes.then(|| series(&sent, &messages))?;
    // The small buffer makes small segments, and a send that takes a part of what it is given.
    let small = "s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)";
    Some(format!(
        "import socket, threading, time
data = {text}
s = socket.socket(); {small}; s.connect((\"127.0.0.1\", {PORT})); s.settimeout(10)
threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start(); time.sleep(1)
got = s.makefile(\"rb\").read(); print(len(data) - len(got), got == data)  # expected 0 True"
    ))
}

/// Messages whose numbers go on from one to the next, as one expression.
fn series(sent: &[u8], messages: &[usize]) -> String {
    let plain = || literal(sent).replace("count(", "numbers(");
    let Some(size) = messages.first().copied().filter(|size| messages.iter().all(|other| other == size))
    else {
        return plain();
    };
    let Some(head) = sent.windows(GROUP).position(|window| window == b"000000 ") else { return plain() };
    let tail = sent[..size.min(sent.len())].iter().rev().take_while(|byte| **byte == b'\n').count();
    let numbers = (size - head - tail) / GROUP;
    // As many as have numbers of six digits: 7 MB are more than any system's buffers take.
    let end = 999_999 / numbers.max(1) * numbers;
    let (head, tail) = (&sent[..head], &sent[size - tail..size]);
    let made: Vec<u8> = (0..messages.len())
        .flat_map(|n| {
            let run = (n * numbers..(n + 1) * numbers).flat_map(|n| format!("{n:06} ").into_bytes());
            [head, &run.collect::<Vec<u8>>(), tail].concat()
        })
        .collect();
    if made != sent {
        return plain();
    }
    if head.is_empty() && tail.is_empty() {
        return format!("b\"\".join(b\"%06d \" % n for n in range({end}))");
    }
    let inner = format!("b\"\".join(b\"%06d \" % n for n in range(m, m + {numbers}))");
    let head = if head.is_empty() { String::new() } else { format!("{} + ", literal(head)) };
    let tail = if tail.is_empty() { String::new() } else { format!(" + {}", literal(tail)) };
    format!("b\"\".join({head}{inner}{tail} for m in range(0, {end}, {numbers}))")
}

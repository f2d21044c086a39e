//! A stream taken for messages: clients that depend on how answers were cut, or on how much one send takes.

use super::{Found, crashed, passed, printed};
use crate::check::client::Run;
use crate::check::client::play::{Want, Way};
use crate::check::client::seen::{Fault, Wrong, lines_of};
use crate::check::diagnosis::load::first_break;
use crate::text::{Grouped, excerpt};

/// Long enough to have outgrown the smallest of usual buffers.
const LONG: usize = 512;
const CURE: &str =
    "One recv returns what has come, not one message: collect bytes until the message is complete.";

/// An answer that is cut inside a character does harm, and one that is cut in front of it does not.
pub(super) fn splits_multibyte(failed: &Run, runs: &[Run]) -> Found {
    let Way::Cut(at) = failed.play.way else { return None };
    let between = |run: &Run| {
        run.wrong.is_none() && run.play.way == Way::Cut(at - 1) && run.play.turns == failed.play.turns
    };
    let inside = (0..failed.play.turns.len())
        .any(|n| failed.play.answer(n).bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80));
    (inside && runs.iter().any(between)).then(|| {
        let explanation = format!(
            "your client decodes what one recv returned as text: an answer cut between two characters (after byte {}) was printed, cut inside \
             the next one it was not. Collect the bytes of the whole message first, then decode; or copy bytes to stdout as they are.",
            at - 1
        );
        ("splits-multibyte", explanation)
    })
}

/// Whole answers pass, late ones too, and an answer in two pieces does not; or two answers were printed as one.
pub(super) fn one_recv(failed: &Run, runs: &[Run]) -> Found {
    let talked = !matches!(failed.wrong, Some(Wrong::Talk(Fault::NoConnection | Fault::Wrong(_))))
        || !failed.play.greeting.is_empty();
    let ascii = failed.play.printed().iter().all(|line| line.is_ascii());
    let said = match failed.play.way {
        Way::Cut(at) if ascii && passed(runs, Way::Whole) && passed(runs, Way::Late) && talked => format!(
            "your client takes what one recv returns for a message: whole answers pass, and late ones, but not the same bytes cut after byte {at}."
        ),
        Way::CutGreeting(at) if passed(runs, Way::Whole) => format!(
            "your client takes what one recv returns for the whole challenge: it passes in one piece, and not cut after byte {at}."
        ),
        Way::Coalesced if passed(runs, Way::Whole) && glued(failed) => {
            "your client takes what one recv returns for one message: two answers that came at once were printed as one.".to_owned()
        }
        _ => return None,
    };
    Some(("one-recv-one-message", format!("{said} {CURE}")))
}

/// True if a line holds the first answer and more of what came with it.
fn glued(failed: &Run) -> bool {
    let texts = failed.play.printed();
    let Some(first) = texts.first().filter(|first| !first.is_empty()) else { return false };
    let all: Vec<u8> = (0..failed.play.turns.len()).flat_map(|n| failed.play.answer(n).bytes).collect();
    let start = all.windows(first.len()).position(|part| part == first);
    let Some(start) = start else { return false };
    // Bytes between two answers, such as a prefix, may be printed in any way; the letters behind are the proof.
    let printed = failed.seen.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    printed.starts_with(first) && printed.len() > first.len() && all[start..].len() >= printed.len()
}

/// Of messages that came at once only the first was printed: the others were lost, or came to light too late.
pub(super) fn rest_dropped(failed: &Run, runs: &[Run]) -> Found {
    let whole = |run: &Run| run.play.way == Way::Whole && run.play.turns.len() > 1 && run.wrong.is_none();
    let sent_all = failed.seen.messages.len() == failed.play.turns.len();
    if failed.play.way != Way::Coalesced || !sent_all || !runs.iter().any(whole) || crashed(failed) {
        return None;
    }
    let (texts, shown) = (failed.play.printed(), printed(failed));
    let wanted = lines_of(&texts);
    if shown.is_empty() || shown.len() >= wanted.len() || shown[0] != wanted[0] {
        return None;
    }
    let (some, all) = (shown.len(), wanted.len());
    if wanted.starts_with(&shown) {
        let explanation = format!(
            "your client takes one message from each recv: of {all} that came, some of them at once, it printed the first {some}; the others \
             waited in its buffer for bytes that never came. Take all complete messages out of the buffer (`while`, not `if`)."
        );
        return Some(("one-message-per-recv", explanation));
    }
    let mut rest = wanted.iter();
    let in_order = shown.iter().all(|line| rest.any(|wanted| wanted == line));
    in_order.then(|| {
        let explanation = format!(
            "your client printed {some} of {all} messages: of those that came at once the first, and then one that came later. It lost the rest \
             of what recv had returned. Keep the bytes behind a message: they begin the next one."
        );
        ("drops-rest-of-buffer", explanation)
    })
}

/// Only the beginning of a long text was printed, or sent.
pub(super) fn truncated(failed: &Run, _: &[Run]) -> Found {
    if failed.play.way == Way::Slow {
        return None;
    }
    let part = |short: &[u8], long: &[u8]| {
        let is =
            long.len() > LONG && short.len() >= 16 && short.len() < long.len() && long.starts_with(short);
        is.then(|| (short.len(), long.len(), excerpt(&short[short.len() - 16..], 40)))
    };
    let said = if let Some(Wrong::Talk(Fault::Wrong(number))) = &failed.wrong {
        let Want::Bytes(wanted) = &failed.play.turns.get(*number)?.wanted else { return None };
        let (sent, all, end) = part(failed.seen.messages.get(*number)?, wanted)?;
        format!("your client sent the first {sent} bytes of a line of {all}, which end with `{end}`.")
    } else {
        let (texts, shown) = (failed.play.printed(), printed(failed));
        let (line, wanted) = shown.iter().zip(lines_of(&texts)).find(|(line, wanted)| *line != wanted)?;
        let (shown, all, end) = part(line, wanted)?;
        format!("your client printed the first {shown} bytes of an answer of {all}, which end with `{end}`.")
    };
    Some(("truncates-long-message", said))
}

/// A server that reads slowly gets texts with a piece missing, or with a piece twice.
pub(super) fn partial_send(failed: &Run, runs: &[Run]) -> Found {
    if failed.play.way != Way::Slow {
        return None;
    }
    let came = Grouped(failed.seen.received.len() as u64);
    match first_break(&failed.seen.received).map(|broken| broken.again()) {
        Some(false) => Some((
            "partial-send-lost",
            "your client loses what send did not take: when the server read slowly, bytes in the middle were missing. send returns how many bytes \
             it took; the rest has to be sent later (or all by sendall)."
                .to_owned(),
        )),
        Some(true) => Some((
            "resends-from-start",
            "your client sends again what was sent: when the server read slowly, bytes came that had come before. After a send that took a part, \
             go on behind that part: `out = out[sent:]`."
                .to_owned(),
        )),
        // The server waits for the end of the first message, the client for its answer.
        None if failed.wrong == Some(Wrong::Talk(Fault::Silent)) && !crashed(failed) => {
            let longest = |run: &Run| run.play.lines().iter().map(|line| line.len()).max();
            let same = |run: &Run| run.wrong.is_none() && run.play.way == Way::Whole && longest(run) == longest(failed);
            let begun = failed.seen.received.len() > 1_000;
            (begun && runs.iter().any(same)).then(|| {
                let explanation = format!(
                    "your client loses what send did not take: of a message, {came} bytes came when the server read slowly, and then nothing; when it read at \
                     once, all came. send returns how many bytes it took; the rest has to be sent later (or all by sendall)."
                );
                ("partial-send-lost", explanation)
            })
        }
        None => None,
    }
}

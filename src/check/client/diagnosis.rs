//! From all runs to the class of the bug, where they prove it. Pure. It looks at what was sent, received and
//! printed: never at the exercise's name, nor at the program's text.

use super::Run;
use super::plan::{Asks, Way};
use super::seen::{Fault, Wrong, lines};
use crate::check::codec::{Codec, Prefix};
use crate::check::report::Diagnosis;
use crate::text::{excerpt, hex};

/// A share of a processor that no program needs which waits.
const BUSY_PERCENT: u128 = 50;

/// What a failed run proves, given all runs; `None` where it proves nothing.
pub(super) fn diagnose(failed: &Run, runs: &[Run]) -> Option<Diagnosis> {
    let found = wrong_length(failed)
        .or_else(|| characters(failed, runs))
        .or_else(|| one_recv(failed, runs))
        .or_else(|| rest_dropped(failed, runs))
        .or_else(|| truncated(failed))
        .or_else(|| spins(failed));
    found.map(|(class, explanation)| Diagnosis { class: class.to_owned(), explanation })
}

type Found = Option<(&'static str, String)>;

/// The message is the right one, once its length is read otherwise.
fn wrong_length(failed: &Run) -> Found {
    let own = failed.play.codec.prefix()?;
    let wanted = failed.play.wanted.first().filter(|wanted| wanted.is_ascii() && !wanted.is_empty())?;
    if failed.wrong.is_none() || failed.seen.messages.first() == Some(wanted) {
        return None;
    }
    let read = |prefix: &Prefix| Codec::Prefixed(*prefix).decode(&failed.seen.received).ok().flatten();
    let (class, other) = readings(own)
        .into_iter()
        .find(|(_, prefix)| read(prefix).is_some_and(|(payload, _)| payload == *wanted))?;
    let (sent, right) = (other.encode(wanted.len()), own.encode(wanted.len()));
    let bytes = wanted.len();
    let (sent, right) = (hex(&sent), hex(&right));
    Some((
        class,
        format!(
            "your client wrote the length of {bytes} bytes as `{sent}`; the exercise has it as `{right}`."
        ),
    ))
}

/// The other readings of a length, with the class of who means it so.
fn readings(own: Prefix) -> Vec<(&'static str, Prefix)> {
    let order = if own.little { "big-endian-length" } else { "little-endian-length" };
    let itself = if own.inclusive { "length-leaves-out-prefix" } else { "length-counts-prefix" };
    let mut readings = vec![
        (order, Prefix { little: !own.little, ..own }),
        (itself, Prefix { inclusive: !own.inclusive, ..own }),
    ];
    let widths = [2, 4].into_iter().filter(|width| *width != own.width);
    readings.extend(widths.map(|width| ("wrong-prefix-width", Prefix { width, ..own })));
    readings
}

/// The length is the number of the characters, although ASCII passes.
fn characters(failed: &Run, runs: &[Run]) -> Found {
    let prefix = failed.play.codec.prefix()?;
    let wanted = failed.play.wanted.first().filter(|wanted| !wanted.is_ascii())?;
    let count = std::str::from_utf8(wanted).ok()?.chars().count();
    let said = prefix.decode(&failed.seen.received)?;
    let ascii =
        |run: &Run| run.wrong.is_none() && run.play.wanted.iter().any(|m| m.len() > 1 && m.is_ascii());
    let bytes = wanted.len();
    (said == count && runs.iter().any(ascii)).then(|| {
        let explanation = format!(
            "your client announced {count} where the text has {count} characters, but {bytes} bytes. Encode first, then take \
             the length of the bytes."
        );
        ("length-counts-characters", explanation)
    })
}

/// Whole answers pass, late ones too, and an answer in two pieces does not; or two answers were printed as one.
fn one_recv(failed: &Run, runs: &[Run]) -> Found {
    let passed = |way: Way| runs.iter().any(|run| run.play.way == way && run.wrong.is_none());
    let talked = !matches!(failed.wrong, Some(Wrong::Talk(Fault::NoConnection | Fault::Wrong(_))))
        || !failed.play.greeting.is_empty();
    let cure =
        "One recv returns what has come, not one message: collect bytes until the message is complete.";
    match failed.play.way {
        Way::Cut(at) if passed(Way::Whole) && passed(Way::Late) && talked => Some((
            "one-recv-one-message",
            format!(
                "your client takes what one recv returns for a message: whole answers pass, and late ones, but not the same bytes cut after byte {at}. {cure}"
            ),
        )),
        Way::CutGreeting(at) if passed(Way::Whole) => Some((
            "one-recv-one-message",
            format!(
                "your client takes what one recv returns for the whole challenge: it passes in one piece, and not cut after byte {at}. {cure}"
            ),
        )),
        Way::Coalesced if passed(Way::Whole) && glued(failed) => Some((
            "one-recv-one-message",
            format!(
                "your client takes what one recv returns for one message: two answers that came at once were printed as one. {cure}"
            ),
        )),
        _ => None,
    }
}

/// True if a line holds the first answer and more of what came with it.
fn glued(failed: &Run) -> bool {
    let Some(first) = failed.play.answers.first() else { return false };
    let all: Vec<u8> = (0..failed.play.answers.len()).flat_map(|n| failed.play.answer(n).bytes).collect();
    let start = all.windows(first.len().max(1)).position(|part| part == first);
    let Some(start) = start else { return false };
    // Bytes between two answers, such as a prefix, may be printed in any way; the letters behind are the proof.
    let printed = failed.seen.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    printed.starts_with(first) && printed.len() > first.len() && all[start..].len() >= printed.len()
}

/// Of answers that came at once only the first ones were printed.
fn rest_dropped(failed: &Run, runs: &[Run]) -> Found {
    let whole = runs
        .iter()
        .any(|run| run.play.way == Way::Whole && run.play.answers.len() > 1 && run.wrong.is_none());
    let printed = lines(&failed.seen.stdout);
    let sent_all = failed.seen.messages.len() == failed.play.answers.len();
    let (came, shown) = (failed.play.answers.len(), printed.len());
    let some = (1..came).contains(&shown) && failed.play.answers.starts_with(&printed_owned(&printed));
    (failed.play.way == Way::Coalesced && whole && sent_all && some).then(|| {
        let explanation = format!(
            "your client printed {shown} of {came} answers that came at once, and lost the rest of what recv had returned. Keep the bytes \
             behind a message: they begin the next one."
        );
        ("drops-rest-of-buffer", explanation)
    })
}

fn printed_owned(printed: &[&[u8]]) -> Vec<Vec<u8>> {
    printed.iter().map(|line| line.to_vec()).collect()
}

/// Only the beginning of a long answer was printed.
fn truncated(failed: &Run) -> Found {
    let first = failed.play.answers.first().filter(|answer| answer.len() > 512)?;
    let printed = lines(&failed.seen.stdout).first().copied()?;
    (printed.len() >= 16 && printed.len() < first.len() && first.starts_with(printed)).then(|| {
        let (shown, all) = (printed.len(), first.len());
        (
            "truncates-long-message",
            format!(
                "your client printed the first {shown} bytes of an answer of {all}, which end with `{}`.",
                excerpt(&printed[shown - 16..], 40)
            ),
        )
    })
}

/// It runs in circles after the server's end.
fn spins(failed: &Run) -> Found {
    let percent = failed.seen.busy.filter(|percent| *percent >= BUSY_PERCENT)?;
    (failed.play.asks == Asks::AnyEnd && failed.wrong == Some(Wrong::Lives)).then(|| {
        let explanation = format!(
            "your client used {percent} % of a processor after the server had ended the connection: recv returns no bytes at once, again and \
             again. No bytes are the end: leave the loop."
        );
        ("idle-spin", explanation)
    })
}

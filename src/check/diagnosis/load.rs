//! What shows under load, and what shows when there is none.

use super::{Evidence, Observed, Test};
use crate::check::expect::Expect;
use crate::check::outcome::{Failure, Outcome};
use crate::check::plan::Way;
use crate::text::Grouped;

/// Where a stream of numbered text stops being in order.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::check) enum Break {
    /// Behind this number comes a later one than its successor.
    Lost(u32, u32),
    /// Behind this number comes one that was there before.
    Again(u32, u32),
}

/// Answers to a slow reader that are missing, or come again.
pub(super) fn loses_or_resends(evidence: &Evidence) -> Test {
    // A client that has ended its side reads late, too.
    let late = |way: &Way| matches!(way, Way::SlowReader | Way::HalfClosed);
    let broken =
        |o: &&Observed| o.outcome.failed_talk().is_some_and(|talk| first_break(&talk.received).is_some());
    // What comes back wrong whole says nothing about send.
    if evidence.failed(|plan| plan.way == Way::Whole) {
        return Test::No;
    }
    let Some(observed) = evidence.open().filter(|o| late(&o.plan.way)).find(broken) else { return Test::No };
    let Some(talk) = observed.outcome.failed_talk() else { return Test::No };
    let explains = |o: &Observed| late(&o.plan.way);
    let after = Grouped(talk.right as u64);
    match first_break(&talk.received) {
        Some(Break::Lost(..)) => evidence.proven(
            "partial-send-lost",
            format!(
                "your server loses what send did not take: a client that read slowly got {after} bytes of answers, then some were \
                 missing, then it went on. send returns how many bytes it took; the rest has to be sent later (or by sendall)."
            ),
            explains,
        ),
        Some(Break::Again(..)) => evidence.proven(
            "resends-from-start",
            format!(
                "your server sends again what was sent: a client that read slowly got {after} bytes of answers, then bytes that it \
                 had before. After a send that took a part, go on behind that part: `out = out[sent:]`."
            ),
            explains,
        ),
        None => Test::No,
    }
}

/// The first place where numbers of six digits are not consecutive.
pub(in crate::check) fn first_break(received: &[u8]) -> Option<Break> {
    let digit = u8::is_ascii_digit;
    let mut last: Option<u32> = None;
    for token in received.split(|byte| !digit(byte)).filter(|token| token.len() == 6) {
        let number = token.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
        match last {
            Some(last) if number > last + 1 => return Some(Break::Lost(last, number)),
            Some(last) if number <= last => return Some(Break::Again(last, number)),
            _ => last = Some(number),
        }
    }
    None
}

/// The same answer over and over, to one small message.
pub(super) fn resends_small(evidence: &Evidence) -> Test {
    let symptom = evidence.open().find(|o| o.plan.way == Way::Whole && repeats(&o.outcome));
    let Some(observed) = symptom else { return Test::No };
    let talk = observed.outcome.failed_talk();
    let bytes = Grouped(talk.map_or(0, |talk| talk.received.len()) as u64);
    let explanation = format!(
        "your server sends its answer again and again: {bytes} bytes came for one message. After a send, what was sent has to leave \
         the buffer: `out = out[sent:]`."
    );
    evidence.proven("resends-from-start", explanation, |_| true)
}

/// True if the answer came at least three times although it was asked for once.
fn repeats(outcome: &Outcome) -> bool {
    let Some(talk) = outcome.failed_talk() else { return false };
    let Some(first) = talk.expected.first().and_then(Expect::bytes) else { return false };
    let unasked = matches!(outcome.failure, Some((_, Failure::Unasked { .. } | Failure::Wrong { .. })));
    let times = talk.received.chunks(first.len().max(1)).take_while(|chunk| *chunk == first).count();
    unasked && !first.is_empty() && times >= 3
}

/// Processor time of a server that nobody asks for anything.
pub(super) fn idle_spin(evidence: &Evidence) -> Test {
    let busy = |o: &Observed| matches!(o.failure(), Some(Failure::Busy(_)));
    let Some(observed) = evidence.open().find(|o| busy(o)) else { return Test::No };
    let Some(Failure::Busy(percent)) = observed.failure() else { return Test::No };
    let when = match observed.plan.way {
        Way::IdleAfter => "after its last client had left",
        _ => "while its one client was silent",
    };
    let explanation = format!(
        "your server is busy with nothing: {when}, it used {percent} % of a processor. A loop never sleeps: a selector is asked for \
         writability with nothing to write, a non-blocking recv is tried over and over, or the end of a client (0 bytes) is read \
         again and again."
    );
    evidence.proven("idle-spin", explanation, busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_what_was_lost_and_what_came_again() {
        assert_eq!(first_break(b"000001 000002 \0\x07000003 000004 "), None);
        assert_eq!(first_break(b"000001 000002 0000 000009 000010"), Some(Break::Lost(2, 9)));
        assert_eq!(first_break(b"000001 000002 00000000001 000002 "), Some(Break::Again(2, 2)));
        assert_eq!(first_break(b"{\"seq\":12,\"text\":\"000001 000002\"}"), None);
    }
}

//! What shows under load, and what shows when there is none.

use super::{Evidence, Observed, Test};
use crate::check::codec::Codec;
use crate::check::expect::Expect;
use crate::check::outcome::{Failure, Outcome};
use crate::check::plan::{Plan, Way};
use crate::net::table::Transport;
use crate::text::Grouped;

/// Answers from this size on may outgrow a send buffer.
pub(super) const OUTGROWN: usize = 1_000;

/// Where a stream of numbered text stops being in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) struct Break {
    /// How many bytes came before it.
    at: usize,
    /// The number there, and the one that it went on with.
    from: u32,
    to: u32,
}

impl Break {
    /// True if it went on with what was there before; otherwise something is missing.
    pub(in crate::check) fn again(&self) -> bool {
        self.to <= self.from
    }
}

/// Answers that are missing, or come again, because a send was cut short.
pub(super) fn loses_or_resends(evidence: &Evidence) -> Test {
    // A client that has ended its side reads late, too.
    let late = |way: &Way| matches!(way, Way::SlowReader | Way::HalfClosed);
    let large =
        |o: &Observed| o.plan.way == Way::Whole && o.plan.messages.iter().any(|m| m.len() >= OUTGROWN);
    let small = |plan: &Plan| plan.way == Way::Whole && plan.messages.iter().all(|m| m.len() < OUTGROWN);
    // What comes back wrong although it is small says nothing about send.
    if evidence.failed(small) || !evidence.passed(small) {
        return Test::No;
    }
    // Nor does what is small and comes back in another order when it was sent in pieces: a long one comes in pieces, too.
    if evidence.open().any(Observed::disordered) {
        return Test::No;
    }
    let broken = |o: &Observed| first_break(&o.outcome.failed_talk()?.received);
    // A stream that stops in the middle of a long message: what is lost shows when more comes behind it.
    let stops =
        evidence.open().any(|o| large(o) && o.outcome.silent() && !o.outcome.wrong_bytes().is_empty());
    let slow = Plan::new(Way::SlowReader, &[]);
    if stops && evidence.codec() == Codec::Raw && evidence.transport == Transport::Tcp && !evidence.has(&slow)
    {
        return Test::Try(slow);
    }
    let played = evidence.open().chain(evidence.experiments());
    let found = played.filter(|o| late(&o.plan.way) || large(o)).find_map(|o| Some((o, broken(o)?)));
    let Some((observed, broken)) = found else { return Test::No };
    let reads =
        if late(&observed.plan.way) { "a client that read slowly" } else { "for a long message, a client" };
    let after = Grouped(broken.at as u64);
    let explains = |o: &Observed| late(&o.plan.way) || large(o);
    if broken.again() {
        let explanation = format!(
            "your server sends again what was sent: {reads} got {after} bytes of answers, up to the number {:06}, then bytes \
             that it had before, from {:06} on. After a send that took a part, go on behind that part: `out = out[sent:]`.",
            broken.from, broken.to
        );
        return evidence.proven("resends-from-start", explanation, explains);
    }
    // Bytes that are missing while nobody is slow may have been lost on their way in.
    if !late(&observed.plan.way) {
        return Test::No;
    }
    let explanation = format!(
        "your server loses what send did not take: {reads} got {after} bytes of answers, up to the number {:06}, then went on \
         with {:06}. send returns how many bytes it took; the rest has to be sent later (or by sendall).",
        broken.from, broken.to
    );
    evidence.proven("partial-send-lost", explanation, explains)
}

/// The first place where numbers of six digits are not consecutive. Where it falls inside of a number, the piece in
/// front and the piece behind look like one: what counts is where two in a row go on.
pub(in crate::check) fn first_break(received: &[u8]) -> Option<Break> {
    let mut numbers = Vec::new();
    let mut start = 0;
    for token in received.split(|byte| !byte.is_ascii_digit()) {
        if token.len() == 6 {
            let number = token.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
            numbers.push((number, start + token.len()));
        }
        start += token.len() + 1;
    }
    let wrong = numbers.windows(2).position(|pair| pair[1].0 != pair[0].0 + 1)?;
    let (from, at) = numbers[wrong];
    let goes_on = |pair: &&[(u32, usize)]| pair[1].0 == pair[0].0 + 1;
    let to = numbers[wrong + 1..].windows(2).find(goes_on).map_or(numbers[wrong + 1].0, |pair| pair[0].0);
    // What goes back to where it has never been came in another order: that is another bug, as is a damaged number
    // with all in order behind it.
    let was_there = || numbers[..=wrong].iter().any(|(number, _)| *number == to || *number == to + 1);
    let odd = if to <= from { !was_there() } else { to <= from + 2 };
    (!odd).then_some(Break { at, from, to })
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
        let found = |at, from, to| Some(Break { at, from, to });
        assert_eq!(first_break(b"000001 000002 \0\x07000003 000004 "), None);
        assert_eq!(first_break(b"000001 000002 0000 000009 000010"), found(13, 2, 9));
        assert_eq!(first_break(b"000001 000002 00000000001 000002 "), found(13, 2, 2));
        // `0000` and `42 000004` look like a number that nobody sent.
        assert_eq!(first_break(b"000001 000002 000003 000042 000002 000003 "), found(20, 3, 2));
        assert_eq!(first_break(b"000005 000006 000001 000002 "), None, "another order");
        assert_eq!(first_break(b"{\"seq\":12,\"text\":\"000001 000002\"}"), None);
    }
}

//! Lengths that are read or written otherwise than the exercise has them.

use super::{Evidence, Observed, Test};
use crate::check::codec::{Codec, Prefix};
use crate::check::expect::Judged;
use crate::check::plan::{Misread, Plan, Way};
use crate::text::hex;

/// The length in an answer is the number of its characters.
pub(super) fn counts_characters(evidence: &Evidence) -> Test {
    let Some(prefix) = evidence.codec().prefix() else { return Test::No };
    let symptom = evidence.open().find(|o| o.plan.way == Way::Whole && !o.is_ascii());
    let Some(observed) = symptom else { return Test::No };
    // Text of ASCII passes: there, characters are bytes.
    if !evidence.passed(|plan| plan.way == Way::Whole && plan.misread.is_none()) {
        return Test::No;
    }
    let bytes = observed.outcome.wrong_bytes();
    let (Some(said), Some(rest)) = (prefix.decode(bytes), bytes.get(prefix.width..)) else { return Test::No };
    let Some(text) = characters(rest) else { return Test::No };
    // All bytes of the text behind a length that counts its characters; or only so many bytes of it.
    let whole = text.chars().count() == said && rest.len() > said;
    let wanted = observed.plan.messages.first().and_then(|m| std::str::from_utf8(m).ok());
    let cut =
        rest.len() == said && wanted.is_some_and(|text| text.chars().count() == said && text.len() > said);
    if !whole && !cut {
        return Test::No;
    }
    let explanation = format!(
        "your server counts characters where the length counts bytes: it announced {said} and the text has {said} \
         characters, but more bytes. Encode first, then take the length of the bytes."
    );
    evidence.proven("length-counts-characters", explanation, |o| !o.is_ascii())
}

/// Bytes as text, up to a character that is cut at their end.
fn characters(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

/// Byte order, width, and whether the length counts itself.
pub(super) fn misread(evidence: &Evidence) -> Test {
    let Some(prefix) = evidence.codec().prefix() else { return Test::No };
    let symptom =
        evidence.open().find(|o| o.plan.way == Way::Whole && o.is_ascii() && o.plan.messages.len() == 1);
    let Some(observed) = symptom else { return Test::No };
    for (class, other) in readings(prefix) {
        if answers_as(observed, other) {
            return found(evidence, class, prefix, other, "wrote its answer's length", "");
        }
    }
    // The answer does not tell: is a message understood that is sent in the other reading?
    for (class, other) in readings(prefix) {
        let misread = Misread { asks: Codec::Prefixed(other), answers: Codec::Prefixed(prefix) };
        let plan = Plan { misread: Some(misread), ..observed.plan.clone() };
        let Some(outcome) = evidence.of(&plan) else { return Test::Try(plan) };
        let answer = outcome.talks.first().and_then(|talk| talk.expected.first().zip(Some(&talk.received)));
        let understood = outcome.passed()
            || answer.is_some_and(|(expect, received)| {
                expect.recoded(Codec::Prefixed(other)).judge(received) == Judged::Done(received.len())
            });
        if understood {
            let sent =
                format!(", and answered when it was sent `{}`", hex(&plan.stream(&*evidence.dialect).bytes));
            return found(evidence, class, prefix, other, "reads the length", &sent);
        }
    }
    Test::No
}

/// True if all that came is the right answer, once its length is read otherwise.
fn answers_as(observed: &Observed, other: Prefix) -> bool {
    let bytes = observed.outcome.wrong_bytes();
    let recoded = observed.outcome.missing().map(|expect| expect.recoded(Codec::Prefixed(other)));
    !bytes.is_empty() && recoded.is_some_and(|expect| expect.judge(bytes) == Judged::Done(bytes.len()))
}

/// The other readings of a length, with the class of who means it so.
fn readings(prefix: Prefix) -> Vec<(&'static str, Prefix)> {
    let order = if prefix.little { "big-endian-length" } else { "little-endian-length" };
    let itself = if prefix.inclusive { "length-leaves-out-prefix" } else { "length-counts-prefix" };
    let mut readings = Vec::new();
    if prefix.width > 1 {
        readings.push((order, Prefix { little: !prefix.little, ..prefix }));
    }
    readings.push((itself, Prefix { inclusive: !prefix.inclusive, ..prefix }));
    for width in [2, 4] {
        if width != prefix.width {
            readings.push(("wrong-prefix-width", Prefix { width, ..prefix }));
        }
    }
    readings
}

fn found(
    evidence: &Evidence,
    class: &'static str,
    own: Prefix,
    other: Prefix,
    does: &str,
    proof: &str,
) -> Test {
    let described = |prefix: Prefix| match class {
        "little-endian-length" | "big-endian-length" if prefix.little => {
            "least significant byte first".to_owned()
        }
        "little-endian-length" | "big-endian-length" => "most significant byte first".to_owned(),
        "wrong-prefix-width" => format!("in {} bytes", prefix.width),
        _ if prefix.inclusive => "with its own bytes counted in".to_owned(),
        _ => "of the payload alone".to_owned(),
    };
    let explanation = format!(
        "your server {does} {}{proof}; the exercise has it {}: 5 bytes of payload are `{}`, not `{}`.",
        described(other),
        described(own),
        hex(&own.encode(5)),
        hex(&other.encode(5)),
    );
    evidence.proven(class, explanation, |_| true)
}

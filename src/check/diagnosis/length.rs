//! Lengths that are read or written otherwise than the exercise has them.

use super::{Evidence, Observed, Test};
use crate::check::codec::{Codec, Prefix};
use crate::check::expect::{Judged, header};
use crate::check::outcome::Failure;
use crate::check::plan::{Misread, Plan, Way};
use crate::text::hex;

/// The length in an answer is the number of its characters.
pub(super) fn counts_characters(evidence: &Evidence) -> Test {
    if evidence.codec().prefix().is_none() && evidence.codec() != Codec::Header {
        return Test::No;
    }
    let symptom = evidence.open().find(|o| o.plan.way == Way::Whole && !o.is_ascii());
    let Some(observed) = symptom else { return Test::No };
    // Text of ASCII passes: there, characters are bytes.
    if !evidence.passed(|plan| plan.way == Way::Whole && plan.misread.is_none()) {
        return Test::No;
    }
    let bytes = observed.outcome.wrong_bytes();
    let Some((said, rest)) = announced(evidence.codec(), bytes) else { return Test::No };
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

/// The length that a message announces, and the bytes behind its head.
fn announced(codec: Codec, bytes: &[u8]) -> Option<(usize, &[u8])> {
    if let Some(prefix) = codec.prefix() {
        return prefix.decode(bytes).zip(bytes.get(prefix.width..));
    }
    let length = header(bytes)?["content-length"].as_u64()?;
    let head = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    usize::try_from(length).ok().zip(bytes.get(head..))
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
    if evidence.codec() == Codec::Header {
        return header_misread(evidence);
    }
    let Some(prefix) = evidence.codec().prefix() else { return Test::No };
    if let Some((class, other)) = answers_early(evidence, prefix) {
        return found(evidence, class, prefix, other, "reads the length", "");
    }
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

/// The reading by which the piece of a message that was sent before a cut was a message, and was answered as one.
/// Where it was a byte less, nothing came: so it is not that the program answers each recv.
fn answers_early(evidence: &Evidence, prefix: Prefix) -> Option<(&'static str, Prefix)> {
    let cut = |o: &&Observed| matches!(o.plan.way, Way::Cut(_)) && o.is_ascii();
    let observed = evidence.open().find(cut)?;
    let (Way::Cut(cuts), Some(Failure::Unasked { .. })) = (&observed.plan.way, observed.failure()) else {
        return None;
    };
    let at = *cuts.first().filter(|at| **at > 1)?;
    if !evidence.passed(|plan| matches!(&plan.way, Way::Cut(cuts) if cuts[0] < at)) {
        return None;
    }
    let sent = observed.plan.stream(&*evidence.dialect).bytes;
    readings(prefix).into_iter().find(|(_, other)| {
        let codec = Codec::Prefixed(*other);
        let Ok(Some((payload, used))) = codec.decode(&sent[..at]) else { return false };
        let expect = evidence.dialect.ask(0, &payload).expect;
        let received = observed.outcome.wrong_bytes();
        used == at && expect.iter().any(|e| e.recoded(codec).judge(received) == Judged::Done(received.len()))
    })
}

/// A header whose own length is read least significant byte first.
fn header_misread(evidence: &Evidence) -> Test {
    let symptom =
        evidence.open().find(|o| o.plan.way == Way::Whole && o.is_ascii() && o.plan.messages.len() == 1);
    let Some(observed) = symptom else { return Test::No };
    let misread = Misread { asks: Codec::HeaderLittle, answers: Codec::HeaderLittle };
    let plan = Plan { misread: Some(misread), ..observed.plan.clone() };
    let Some(outcome) = evidence.of(&plan) else { return Test::Try(plan) };
    // Understood by that alone: whichever way the answer's own length is written.
    let received = outcome.talks.first().map_or(&[][..], |talk| &talk.received);
    let answered = [Codec::Header, Codec::HeaderLittle]
        .iter()
        .any(|codec| matches!(codec.decode(received), Ok(Some((_, used))) if used == received.len()));
    if !answered {
        return Test::No;
    }
    let explanation = "your server reads the header's length least significant byte first: a message whose length was sent that way was \
         answered. The exercise has it most significant byte first: a header of 103 bytes begins with `00 67`."
        .to_owned();
    evidence.proven("little-endian-length", explanation, |_| true)
}

/// True if all that came is the right answer, once its length is read otherwise.
fn answers_as(observed: &Observed, other: Prefix) -> bool {
    let bytes = observed.outcome.wrong_bytes();
    let recoded = observed.outcome.missing().map(|expect| expect.recoded(Codec::Prefixed(other)));
    !bytes.is_empty() && recoded.is_some_and(|expect| expect.judge(bytes) == Judged::Done(bytes.len()))
}

/// The other readings of a length, with the class of who means it so.
pub(in crate::check) fn readings(prefix: Prefix) -> Vec<(&'static str, Prefix)> {
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

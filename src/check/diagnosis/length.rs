//! Lengths that are read or written otherwise than the exercise has them.

use super::{Evidence, Observed, Test, holds};
use crate::check::codec::{Codec, HeaderLength, Prefix};
use crate::check::expect::{Expect, Judged, header};
use crate::check::outcome::Failure;
use crate::check::plan::{Misread, Plan, Way};
use crate::text::{byte_count, excerpt, hex};

/// The length in an answer is the number of its characters.
pub(super) fn counts_characters(evidence: &Evidence) -> Test {
    if evidence.codec().prefix().is_none() && evidence.codec() != Codec::Header {
        return Test::No;
    }
    // Text of ASCII passes: there, characters are bytes.
    if !evidence.passed(|plan| plan.way == Way::Whole && plan.misread.is_none()) {
        return Test::No;
    }
    let wide = |o: &&Observed| match o.plan.way {
        Way::Whole => !o.is_ascii(),
        Way::Probe(_) => true,
        _ => false,
    };
    let Some((observed, said, units)) = evidence.open().filter(wide).find_map(|o| {
        let (said, units) = counted_characters(evidence.codec(), o)?;
        Some((o, said, units))
    }) else {
        return reads_characters(evidence);
    };
    let way = observed.plan.way.clone();
    let explanation = format!(
        "your server counts characters where the length counts bytes: it announced {said} and the text has {said} \
         {units}, but more bytes. Encode first, then take the length of the bytes."
    );
    evidence.proven("length-counts-characters", explanation, |o| !o.is_ascii() || o.plan.way == way)
}

/// What counts as one, in words: code points, or the units of UTF-16.
const CHARACTERS: &str = "characters";
const UNITS: &str = "characters as Java and JavaScript count them";

/// The characters of a text, counted in both ways.
pub(in crate::check) fn counts(text: &str) -> [(usize, &'static str); 2] {
    [(text.chars().count(), CHARACTERS), (text.encode_utf16().count(), UNITS)]
}

/// The length of an answer and what it counts, if that is not its bytes.
fn counted_characters(codec: Codec, observed: &Observed) -> Option<(usize, &'static str)> {
    let bytes = observed.outcome.wrong_bytes();
    let passed_over = observed.outcome.missing().map_or(0, |expect| expect.passed_over(bytes));
    let (said, rest) = announced(codec, &bytes[passed_over..])?;
    let text = characters(rest)?;
    let wanted = observed.plan.messages.first().and_then(|m| std::str::from_utf8(m).ok());
    // All bytes of the text behind a length that counts its characters; or only so many bytes of it.
    let whole = counts(text).into_iter().find(|(count, _)| *count == said && rest.len() > said);
    let cut = wanted.filter(|text| rest.len() == said && text.len() > said);
    let cut = cut.and_then(|text| counts(text).into_iter().find(|(count, _)| *count == said));
    whole.or(cut).map(|(_, units)| (said, units))
}

/// As many characters are awaited as the length says bytes: no answer comes until the next message has made up for it.
fn reads_characters(evidence: &Evidence) -> Test {
    let waits = |o: &&Observed| o.plan.way == Way::Whole && !o.is_ascii() && o.outcome.silent();
    let Some(observed) = evidence.open().find(waits) else { return Test::No };
    let Some(message) = observed.plan.messages.first() else { return Test::No };
    let Ok(text) = std::str::from_utf8(message) else { return Test::No };
    let more = Plan::new(Way::Nudged, &[message, &[b'x'; 20]]);
    let Some(outcome) = evidence.of(&more) else { return Test::Try(more) };
    let next = evidence.codec().encode(&evidence.dialect.ask(0, &more.messages[1]).payload).bytes;
    let found = counts(text).into_iter().find(|(count, _)| {
        let missing = message.len() - count;
        let read = [message, next.get(..missing).unwrap_or_default()].concat();
        missing > 0 && holds(outcome.wrong_bytes(), &read)
    });
    let Some((count, units)) = found else { return Test::No };
    let explanation = format!(
        "your server counts characters where the length counts bytes: for a text of {} bytes and {count} {units} it waited \
         for {} more, and took them from the next message. Read so many bytes, then decode.",
        message.len(),
        message.len() - count,
    );
    evidence.proven("length-counts-characters", explanation, |o| !o.is_ascii())
}

/// The length that a message announces, and the bytes behind its head.
pub(in crate::check) fn announced(codec: Codec, bytes: &[u8]) -> Option<(usize, &[u8])> {
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
    if let Some(finding) = without_length(evidence, observed) {
        return finding;
    }
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

/// An answer that is right but for the length, which is not there.
fn without_length(evidence: &Evidence, observed: &Observed) -> Option<Test> {
    let bytes = observed.outcome.wrong_bytes();
    let expect = observed.outcome.missing()?.recoded(Codec::Raw);
    if bytes.is_empty() || expect.judge(bytes) != Judged::Done(bytes.len()) {
        return None;
    }
    let explanation = format!(
        "your server sends the payload without its length: `{}` came for a message of {}. Its reader would take the first \
         bytes of the text for a length.",
        excerpt(bytes, 20),
        byte_count(bytes.len() as u64),
    );
    Some(evidence.proven("missing-prefix", explanation, |_| true))
}

/// A header whose own length is read, or written, otherwise.
fn header_misread(evidence: &Evidence) -> Test {
    let symptom =
        evidence.open().find(|o| o.plan.way == Way::Whole && o.is_ascii() && o.plan.messages.len() == 1);
    let Some(observed) = symptom else { return Test::No };
    let meanings = [HeaderLength::Little, HeaderLength::Inclusive];
    let whole = |codec: Codec, bytes: &[u8]| match codec.decode(bytes) {
        Ok(Some((payload, used))) if used == bytes.len() => Some(payload),
        _ => None,
    };
    let wanted = match observed.outcome.missing() {
        Some(Expect::Content(content)) => Some(content),
        _ => None,
    };
    for meaning in meanings {
        let said = whole(Codec::HeaderAs(meaning), observed.outcome.wrong_bytes());
        if said.is_some() && said.as_ref() == wanted {
            return header_found(evidence, meaning, "writes", "all but the length of its answer is right");
        }
    }
    for meaning in meanings {
        let other = Codec::HeaderAs(meaning);
        let plan = Plan { misread: Some(Misread { asks: other, answers: other }), ..observed.plan.clone() };
        let Some(outcome) = evidence.of(&plan) else { return Test::Try(plan) };
        // Understood by that alone: whichever way the answer's own length is written.
        let received = outcome.talks.first().map_or(&[][..], |talk| &talk.received);
        if [Codec::Header, other].into_iter().any(|codec| whole(codec, received).is_some()) {
            return header_found(
                evidence,
                meaning,
                "reads",
                "a message whose length was sent that way was answered",
            );
        }
    }
    Test::No
}

fn header_found(evidence: &Evidence, meaning: HeaderLength, does: &str, proof: &str) -> Test {
    let (class, how, right) = match meaning {
        HeaderLength::Little => {
            ("little-endian-length", "least significant byte first", "most significant byte first")
        }
        HeaderLength::Inclusive => {
            ("length-counts-prefix", "with its own two bytes counted in", "of the header alone")
        }
    };
    let explanation = format!(
        "your server {does} the header's length {how}: {proof}. The exercise has it {right}: a header of 103 bytes begins with \
         `00 67`."
    );
    evidence.proven(class, explanation, |_| true)
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

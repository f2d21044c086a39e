//! A stream taken for messages: programs that depend on how the bytes were cut.

use super::{Evidence, Observed, Test, last_words, resegments};
use crate::check::codec::Codec;
use crate::check::expect::{Expect, Judged, common};
use crate::check::outcome::Failure;
use crate::check::plan::{Plan, Probe, Way};
use crate::net::table::Transport;
use crate::text::{Grouped, counted};

/// Messages from this size on have outgrown the smallest of usual buffers.
const LARGE: usize = 500;

/// The answer to a message that just fills the buffer comes only when there is more to read.
pub(super) fn full_buffer(evidence: &Evidence) -> Test {
    let silent =
        |o: &&Observed| o.plan.way == Way::Whole && o.outcome.silent() && o.outcome.wrong_bytes().is_empty();
    let Some(observed) = evidence.open().filter(silent).find(|o| largest(o) >= LARGE) else {
        return Test::No;
    };
    // A datagram is never continued by the next one.
    if evidence.transport == Transport::Udp {
        return Test::No;
    }
    let Some(message) = observed.plan.messages.first() else { return Test::No };
    let longer = [message, &b"x"[..]].concat();
    let one_more = Plan::new(Way::Whole, &[&longer]);
    let Some(outcome) = evidence.of(&one_more) else { return Test::Try(one_more) };
    if !outcome.passed() {
        return Test::No;
    }
    let nudged = Plan::new(Way::Nudged, &[message, b"x"]);
    let Some(outcome) = evidence.of(&nudged) else { return Test::Try(nudged) };
    if !outcome.passed() {
        return Test::No;
    }
    let size = Grouped(evidence.wire_size(message) as u64);
    let explanation = format!(
        "your server takes a full buffer to mean that more is to come: it did not answer a message of exactly {size} bytes \
         until more bytes came, and answered one of a byte more at once. How much one recv returned says nothing about \
         where a message ends."
    );
    evidence.proven("full-buffer-means-more", explanation, |o| {
        resegments(&o.plan.way) || largest(o) >= LARGE || o.plan.way == Way::SlowReader
    })
}

fn largest(observed: &Observed) -> usize {
    observed.plan.messages.iter().map(Vec::len).max().unwrap_or(0)
}

/// An empty message is taken for the end of the stream, or of all.
pub(super) fn empty_ends(evidence: &Evidence) -> Test {
    let empty = |o: &Observed| match &o.plan.way {
        Way::Whole => o.plan.messages.iter().any(Vec::is_empty),
        Way::Probe(probe) => *probe == Probe::EmptyFrame,
        Way::AfterBad(bytes) => bytes.is_empty(),
        _ => false,
    };
    let Some(observed) = evidence.open().find(|o| empty(o)) else { return Test::No };
    let ended = observed.outcome.exit.is_some() || matches!(observed.failure(), Some(Failure::Gone(_)));
    let others = evidence.passed(|plan| plan.way == Way::Whole && plan.messages.len() > 1);
    // A connection without a byte is the end of a stream: only a datagram can be empty without a length.
    let message = !matches!(observed.plan.way, Way::AfterBad(_)) || evidence.transport == Transport::Udp;
    if !ended || !others || !message {
        return Test::No;
    }
    let words = last_words(&observed.outcome);
    let words = if words.is_empty() { "it ended the connection".to_owned() } else { words };
    let explanation = format!(
        "your server takes an empty message for the end: after one, {words}. Only a recv of 0 bytes on a TCP connection is the end; \
         a message may have no bytes."
    );
    evidence.proven("empty-means-end", explanation, empty)
}

/// A character that is cut between two reads is lost, and one that is not cut is not.
pub(super) fn splits_multibyte(evidence: &Evidence) -> Test {
    let cut = |o: &&Observed| matches!(o.plan.way, Way::Cut(_)) && !o.is_ascii();
    let Some(observed) = evidence.open().find(cut) else { return Test::No };
    if evidence.open().any(Observed::disordered) {
        return Test::No;
    }
    let Way::Cut(cuts) = &observed.plan.way else { return Test::No };
    let stream = observed.plan.stream(&*evidence.dialect).bytes;
    // The same message, cut at the beginning of that character.
    let starts = |at: &usize| stream.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80);
    let Some(before) = cuts.first().and_then(|at| (1..*at).rev().find(starts)) else { return Test::No };
    let between = Plan { way: Way::Cut(vec![before]), ..observed.plan.clone() };
    let Some(outcome) = evidence.of(&between) else { return Test::Try(between) };
    if !outcome.passed() {
        return Test::No;
    }
    let ended = last_words(&observed.outcome);
    let ended = if ended.is_empty() { String::new() } else { format!(" ({ended})") };
    let cure = if evidence.codec() == Codec::Raw {
        "What is only sent back need not be decoded at all: keep the bytes"
    } else {
        "Collect the bytes of the whole message first, then decode"
    };
    let explanation = format!(
        "your server decodes what one recv returned as text: cut between two characters the message was answered, cut inside a \
         character it was not{ended}. {cure}."
    );
    let no_text = |o: &Observed| match &o.plan.way {
        Way::AfterBad(bytes) => std::str::from_utf8(bytes).is_err(),
        _ => o.plan.messages.iter().any(|m| std::str::from_utf8(m).is_err()),
    };
    evidence
        .proven("splits-multibyte", explanation, |o| !o.is_ascii() || no_text(o) || o.plan.way == Way::Bytes)
}

/// The connection is ended after the first answer.
pub(super) fn closes_after_one(evidence: &Evidence) -> Test {
    let several = |o: &&Observed| {
        o.plan.way == Way::Whole && o.plan.messages.len() > 1 && matches!(o.failure(), Some(Failure::Gone(_)))
    };
    let Some(observed) = evidence.open().find(several) else { return Test::No };
    let talk = observed.outcome.failed_talk();
    let answered = talk.is_some_and(|talk| talk.expected.len() == 2 && talk.right > 0);
    if !answered || evidence.passed(|plan| plan.way == Way::Whole && plan.messages.len() > 1) {
        return Test::No;
    }
    // On a stream without messages, the first recv was taken for all there is.
    let (class, explanation) = if evidence.codec() == Codec::Raw {
        let explanation = "your server takes one recv for the whole conversation: it answered what the first one \
             returned and closed the connection, while the client had more to send. Read until recv returns 0 bytes.";
        ("one-recv-one-message", explanation)
    } else {
        let explanation = "your server closed the connection after its first answer, while the client had more to \
             ask. Go on until the client ends its side: recv then returns 0 bytes.";
        ("closes-after-one-message", explanation)
    };
    evidence.proven(class, explanation.to_owned(), |_| true)
}

/// A message that is cut is not understood, and whole it is.
pub(super) fn one_recv(evidence: &Evidence) -> Test {
    let cut = |o: &&Observed| matches!(o.plan.way, Way::Cut(_) | Way::Paused(_) | Way::Bytes) && o.is_ascii();
    let Some(observed) = evidence.open().find(cut) else { return Test::No };
    if evidence.transport == Transport::Udp || !evidence.passed(|plan| plan.way == Way::Whole) {
        return Test::No;
    }
    // Where cuts alone do no harm, it is the silence that does.
    if matches!(observed.plan.way, Way::Paused(_)) && evidence.passed(|plan| matches!(plan.way, Way::Cut(_)))
    {
        return Test::No;
    }
    let place = match &observed.plan.way {
        Way::Cut(cuts) if cuts.len() == 1 => format!("the message was cut after byte {}", cuts[0]),
        Way::Paused(at) => format!("there was a pause after byte {at}"),
        _ => "the message came in pieces".to_owned(),
    };
    // Where there are no messages, wrong bytes are wrong bytes.
    if evidence.codec() == Codec::Raw && matches!(observed.failure(), Some(Failure::Wrong { .. })) {
        return Test::No;
    }
    let said = match observed.failure() {
        Some(Failure::Unasked { .. }) => format!("it answered as soon as {place}, before the rest had come"),
        Some(Failure::Wrong { .. }) => {
            let answers = count_answers(evidence, observed.outcome.wrong_bytes());
            let times = if answers > 1 { counted(answers, "time") } else { "wrongly".to_owned() };
            format!("it answered {times} when {place}")
        }
        Some(Failure::Gone(_) | Failure::Refused) => {
            let ended = last_words(&observed.outcome);
            let ended = if ended.is_empty() { "it ended the connection".to_owned() } else { ended };
            format!("when {place}, {ended}")
        }
        Some(Failure::Silent | Failure::Unread) => format!("when {place}, no answer came"),
        _ => return Test::No,
    };
    let explanation = format!(
        "your server treats one recv as one message: {said}; the same bytes in one piece were answered. TCP keeps bytes in \
         order, not in the pieces they were sent in: read until the message is complete."
    );
    evidence.proven("one-recv-one-message", explanation, |o| {
        resegments(&o.plan.way)
            || largest(o) >= LARGE
            || matches!(o.plan.way, Way::HalfClosed | Way::SlowReader)
    })
}

/// How many messages the bytes hold.
fn count_answers(evidence: &Evidence, bytes: &[u8]) -> u64 {
    let (mut at, mut count) = (0, 0);
    while let Ok(Some((_, used))) = evidence.codec().decode(&bytes[at..]) {
        at += used;
        count += 1;
        if used == 0 || count > 100 {
            break;
        }
    }
    count
}

/// A long message is answered by its beginning alone.
pub(super) fn truncates(evidence: &Evidence) -> Test {
    let Some(observed) = evidence.open().find(|o| o.plan.way == Way::Whole && largest(o) >= LARGE) else {
        return keeps_the_beginning(evidence);
    };
    if !evidence.passed(|plan| plan.way == Way::Whole) {
        return Test::No;
    }
    let Some(Expect::Exact { codec, payload }) = observed.outcome.missing() else {
        return keeps_the_beginning(evidence);
    };
    // A stream without messages has none that could be cut.
    if *codec == Codec::Raw && evidence.transport == Transport::Tcp {
        return Test::No;
    }
    let bytes = observed.outcome.wrong_bytes();
    // Its own length, or that of the whole message, stands before it.
    let own = codec.decode(bytes).ok().flatten().map(|(payload, _)| payload);
    let wanted = codec.encode(payload).bytes;
    let same = common(&wanted, bytes);
    let kept = match own {
        Some(own) if payload.starts_with(&own) => own.len(),
        _ if same == bytes.len() && observed.outcome.silent() => {
            same.saturating_sub(wanted.len() - payload.len())
        }
        _ => return Test::No,
    };
    if kept == 0 || kept >= payload.len() {
        return Test::No;
    }
    let (kept_bytes, whole, kept) = (kept, Grouped(payload.len() as u64), Grouped(kept as u64));
    let udp = evidence.transport == Transport::Udp;
    let advice = if udp {
        "recvfrom drops what does not fit in its buffer: give it room for the largest datagram."
    } else {
        "Read on until the whole message is there, however long it is."
    };
    let explanation = format!(
        "your server cuts long messages: of {whole} bytes it used the first {kept}{}. {advice}",
        remainder(payload.len(), kept_bytes)
    );
    evidence.proven("truncates-long-message", explanation, |o| {
        largest(o) >= LARGE || o.plan.way == Way::SlowReader
    })
}

/// What a length kept in too few bytes leaves of itself, in words.
fn remainder(whole: usize, kept: usize) -> String {
    let cut = [(256, "one byte"), (65_536, "two bytes")].into_iter().find(|(size, _)| whole % size == kept);
    cut.map_or(String::new(), |(size, room)| {
        format!(
            ", the remainder of {} by {}: as if the length were kept in {room}",
            Grouped(whole as u64),
            Grouped(size as u64)
        )
    })
}

/// Of a long text, only the beginning comes back: in the answer, among what was passed over, or read back later.
fn keeps_the_beginning(evidence: &Evidence) -> Test {
    let long = |o: &Observed| {
        o.plan.way == Way::Probe(Probe::LongText) || (o.plan.way == Way::Whole && largest(o) >= LARGE)
    };
    let found = evidence.open().filter(|o| long(o)).find_map(|o| Some((o, beginning(o)?)));
    let Some((observed, (wanted, kept))) = found else { return Test::No };
    let (whole, kept) = (Grouped(wanted as u64), Grouped(kept as u64));
    let back = match observed.plan.way {
        Way::Whole => "came back. Read and answer all of it",
        _ => "were read back. Write all of it, and read its file to the end",
    };
    let explanation = format!("your server cuts long texts: of {whole} bytes, the first {kept} {back}.");
    evidence.proven("truncates-long-message", explanation, |o| long(o) || o.plan.way == Way::SlowReader)
}

/// The sizes of the text that was awaited, and of its beginning that came in its place.
fn beginning(observed: &Observed) -> Option<(usize, usize)> {
    let Expect::Json { codec, members, .. } = observed.outcome.missing()? else { return None };
    let wanted = members["data"]["text"].as_str()?;
    let mut bytes = observed.outcome.wrong_bytes();
    while let Ok(Some((payload, used))) = codec.decode(bytes) {
        bytes = &bytes[used..];
        let found = serde_json::from_slice::<serde_json::Value>(&payload).unwrap_or_default();
        let kept = found["data"]["text"].as_str().unwrap_or_default();
        // So much of a numbered text is found in one place alone.
        if kept.len() > 64 && kept.len() < wanted.len() && wanted.starts_with(kept) {
            return Some((wanted.len(), kept.len()));
        }
        if used == 0 {
            break;
        }
    }
    None
}

/// Of several messages in one read, only the first is answered.
pub(super) fn drops_rest(evidence: &Evidence) -> Test {
    let Some(observed) = evidence.symptom(|way| *way == Way::Coalesced) else { return Test::No };
    let answered = observed.outcome.failed_talk().is_some_and(|talk| talk.right > 0);
    let cuts_pass = !evidence.failed(|plan| matches!(plan.way, Way::Cut(_)));
    if !answered || !cuts_pass || !matches!(observed.failure(), Some(Failure::Silent)) {
        return Test::No;
    }
    // Another message a moment later: does it bring the missing answer, or take its place?
    let mut plan = Plan { way: Way::Late, ..observed.plan.clone() };
    plan.messages.push(b"later".to_vec());
    let Some(outcome) = evidence.of(&plan) else { return Test::Try(plan) };
    let explains =
        |o: &Observed| resegments(&o.plan.way) || matches!(o.plan.way, Way::HalfClosed | Way::SlowReader);
    let first = evidence.dialect.opening(0).iter().map(|turn| turn.expect.len()).sum::<usize>();
    let answers = evidence.dialect.greeting().len() + first + plan.messages.len();
    // The messages move up by one: the last of them waits for yet another.
    let talk = outcome.failed_talk();
    let moved_up = talk
        .is_some_and(|talk| talk.expected.len() == answers && outcome.wrong_bytes().is_empty())
        && outcome.silent();
    if outcome.passed() || moved_up {
        let explanation = "your server takes one message from each recv: of two that came together, the second was \
             answered only when more bytes came. Take all complete messages out of the buffer (`while`, not `if`) \
             before the next recv.";
        return evidence.proven("one-message-per-recv", explanation.to_owned(), explains);
    }
    let last = evidence.dialect.ask(0, b"later").expect;
    let in_its_place =
        last.first().is_some_and(|expect| matches!(expect.judge(outcome.wrong_bytes()), Judged::Done(_)));
    if !in_its_place {
        return Test::No;
    }
    let explanation = "your server throws away what came behind the first message: of two in one recv, the second was never \
         answered, and one sent later was. Keep the rest of the buffer: it is the beginning of the next message.";
    evidence.proven("drops-rest-of-buffer", explanation.to_owned(), explains)
}

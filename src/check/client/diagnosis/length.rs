//! Lengths that a client writes otherwise than the exercise has them.

use super::{Found, in_talk};
use crate::check::client::Run;
use crate::check::client::play::Want;
use crate::check::client::seen::{Fault, Wrong};
use crate::check::codec::{Codec, HeaderLength};
use crate::check::diagnosis::length::{announced, counts, readings};
use crate::text::hex;

/// The first message is the right one, once its length is read otherwise.
pub(super) fn misread(failed: &Run, _: &[Run]) -> Found {
    let wanted = &failed.play.turns.first()?.wanted;
    if !in_talk(failed) || failed.seen.messages.first().is_some_and(|message| wanted.fits(message)) {
        return None;
    }
    let understood = |codec: Codec| {
        let found = codec.decode(&failed.seen.received).ok().flatten();
        found
            .map(|(payload, _)| payload)
            .filter(|payload| !payload.is_empty() && payload.is_ascii() && wanted.fits(payload))
    };
    if failed.play.codec == Codec::Header {
        understood(Codec::HeaderAs(HeaderLength::Little))?;
        let sent = hex(failed.seen.received.get(..2)?);
        let explanation = format!(
            "your client wrote the header's length as `{sent}`, least significant byte first. The exercise has it most significant byte first."
        );
        return Some(("little-endian-length", explanation));
    }
    let own = failed.play.codec.prefix()?;
    let read = |other| understood(Codec::Prefixed(other)).map(|payload| (other, payload.len()));
    let (class, (other, bytes)) =
        readings(own).into_iter().find_map(|(class, other)| Some((class, read(other)?)))?;
    let (sent, right) = (hex(&other.encode(bytes)), hex(&own.encode(bytes)));
    let explanation = format!(
        "your client wrote the length of {bytes} bytes as `{sent}`; the exercise has it as `{right}`."
    );
    Some((class, explanation))
}

/// The first message came without a length.
pub(super) fn missing(failed: &Run, _: &[Run]) -> Found {
    failed.play.codec.prefix()?;
    let wanted = &failed.play.turns.first()?.wanted;
    let received = &failed.seen.received;
    let bare = in_talk(failed) && received.len() > 1 && first_of(wanted, received).is_some();
    bare.then(|| {
        let explanation = "your client sent the message without a length in front of it. TCP has no messages: the server can't tell where one ends.";
        ("missing-prefix", explanation.to_owned())
    })
}

/// The length is the number of the characters, although ASCII passes.
pub(super) fn characters(failed: &Run, runs: &[Run]) -> Found {
    // The message that is wrong, or is not whole.
    let number = match failed.wrong {
        Some(Wrong::Talk(Fault::Wrong(number))) => number,
        _ => failed.seen.messages.len(),
    };
    let received = &failed.seen.received;
    let before: usize =
        (0..number).map(|n| failed.play.codec.encode(&failed.seen.messages[n]).bytes.len()).sum();
    let received = received.get(before..)?;
    let (said, rest) = announced(failed.play.codec, received)?;
    let wanted = &failed.play.turns.get(number)?.wanted;
    let text = first_of(wanted, rest)?;
    let (count, units) =
        counts(std::str::from_utf8(text).ok()?).into_iter().find(|(count, _)| *count == said)?;
    let ascii =
        runs.iter().any(|run| run.wrong.is_none() && run.play.is_ascii() && !run.play.turns.is_empty());
    let bytes = text.len();
    (in_talk(failed) && bytes > count && ascii).then(|| {
        let explanation = format!(
            "your client announced {count} where the text has {count} {units}, but {bytes} bytes. Encode first, then take \
             the length of the bytes."
        );
        ("length-counts-characters", explanation)
    })
}

/// The beginning of `bytes` that is the wanted message, without any length.
fn first_of<'a>(wanted: &Want, bytes: &'a [u8]) -> Option<&'a [u8]> {
    match wanted {
        Want::Bytes(wanted) => bytes.get(..wanted.len()).filter(|text| !text.is_empty() && text == wanted),
        Want::Json(_) => {
            let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>();
            values.next()?.ok()?;
            bytes.get(..values.byte_offset()).filter(|text| wanted.fits(text))
        }
    }
}

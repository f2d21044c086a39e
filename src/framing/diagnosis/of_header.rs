//! What explains a stream of `header` framing: its binary prefix or the content's length in its JSON.
//!
//! Apart from the other framings because two lengths of different kinds can be wrong here.

use std::ops::Range;

use super::{Convention, Counts, Explanation, Mistake, count_frames, length_of_units, well_formed};
use crate::framing::{Framing, header};

/// What `header` framing can go wrong by: its prefix in each way, and the content's length in characters.
pub(super) fn explanations(stream: &[u8], max_frame: usize) -> Vec<Explanation> {
    let right = Convention::big_endian(2);
    let read_by = |prefix, content| move |at| payload_at(stream, at, prefix, content, max_frame);
    let as_agreed = read_by(right, Counts::Payload);
    if stream.is_empty() || well_formed(Framing::Header, stream, max_frame) {
        return Vec::new();
    }
    let prefixes = [right.other_order(), right.other_width()].into_iter().chain(right.other_counts());
    let prefixes = prefixes.map(|(prefix, mistake)| (prefix, Counts::Payload, mistake));
    let contents = [Counts::Characters, Counts::Utf16Units].map(|c| (right, c, Mistake::CountsCharacters));
    let explain = |(prefix, content, mistake)| {
        let (frames, first) = count_frames(stream, read_by(prefix, content), as_agreed)?;
        Some(Explanation { mistakes: vec![mistake], frames, first })
    };
    let mut found: Vec<Explanation> = prefixes.chain(contents).filter_map(explain).collect();
    found.dedup_by(|a, b| a.mistakes == b.mistakes);
    let bare = |at: usize| {
        let mut objects =
            serde_json::Deserializer::from_slice(&stream[at..]).into_iter::<serde_json::Value>();
        objects.next()?.ok()?;
        content_at(stream, at, at + objects.byte_offset(), Counts::Payload, max_frame)
    };
    if found.is_empty()
        && let Some((frames, first)) = count_frames(stream, bare, as_agreed)
    {
        found.push(Explanation { mistakes: vec![Mistake::NoPrefix], frames, first });
    }
    found
}

fn payload_at(
    stream: &[u8],
    at: usize,
    prefix: Convention,
    content: Counts,
    max_frame: usize,
) -> Option<Range<usize>> {
    let header = prefix.payload_at(stream, at, usize::from(u16::MAX))?;
    content_at(stream, header.start, header.end, content, max_frame)
}

/// Where the content lies that the JSON header at `start..end` describes.
fn content_at(stream: &[u8], start: usize, end: usize, counts: Counts, max: usize) -> Option<Range<usize>> {
    let (length, _) = header::parse(&stream[start..end]).ok()?;
    let length = usize::try_from(length).ok()?;
    let length = match counts {
        Counts::Characters => length_of_units(&stream[end..], length, |_| 1)?,
        Counts::Utf16Units => length_of_units(&stream[end..], length, char::len_utf16)?,
        Counts::Payload | Counts::PrefixToo => length,
    };
    (length <= max && length <= stream.len() - end).then_some(end..end + length)
}

//! `header` framing: a JSON header describes the content that follows it.
//!
//! ```text
//! offset  0          2                 2 + hlen
//!         hlen (BE)  JSON object ...   content-length bytes of content ...
//! ```
//! Source: Real Python's "Socket Programming in Python", whose client sends
//! `00 67 {"byteorder": "little", "content-type": "text/json", ...}`. Four members are required, in any
//! order; others are ignored. The encoder writes what that client writes, space for space.

use serde_json::{Map, Value};

use super::{Content, FrameError, Part, Span, prefix};

const PREFIX: usize = 2;

/// Measures the frame at the start of `bytes`.
///
/// The JSON is parsed when the header is complete and once more when the content is: twice a frame at most,
/// because the decoder asks again only when the bytes it waited for are there.
pub(super) fn measure(bytes: &[u8], max_frame: usize) -> Result<Span, FrameError> {
    let partial = |part, start, end| Ok(Span::Partial { part, start, end });
    let Some(header) = prefix::read_length::<PREFIX>(bytes) else {
        return partial(Part::Prefix, 0, PREFIX);
    };
    let head = PREFIX + header;
    let Some(json) = bytes.get(PREFIX..head) else {
        return partial(Part::Header, PREFIX, head);
    };
    let (payload, content) = parse(json)?;
    if payload > max_frame as u64 {
        let limit = max_frame as u64;
        return Err(FrameError::TooLarge { claimed: payload, limit });
    }
    #[expect(clippy::cast_possible_truncation, reason = "the limit is a usize, so what passed it fits one")]
    let payload = payload as usize;
    if bytes.len() - head < payload {
        return partial(Part::Payload, head, head + payload);
    }
    Ok(Span::Whole { head, payload, tail: 0, content })
}

/// Reads the content's length in bytes and its kind out of a JSON header.
pub(super) fn parse(json: &[u8]) -> Result<(u64, Content), FrameError> {
    let members: Map<String, Value> =
        serde_json::from_slice(json).map_err(|e| FrameError::HeaderNotJson { reason: e.to_string() })?;
    let length = required(&members, "content-length")?;
    let length = length.as_u64().ok_or_else(|| wrong("content-length", "a whole number of bytes", length))?;
    text(&members, "byteorder", "\"little\" or \"big\"", |s| matches!(s, "little" | "big"))?;
    text(&members, "content-encoding", "\"utf-8\" or \"binary\"", |s| matches!(s, "utf-8" | "binary"))?;
    let kind = text(&members, "content-type", "\"text/json\" or \"binary/...\"", |s| {
        s == "text/json" || s.starts_with("binary/")
    })?;
    let content = match kind {
        "text/json" => Content::Json,
        _ => Content::Binary,
    };
    Ok((length, content))
}

fn required<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a Value, FrameError> {
    members.get(name).ok_or_else(|| FrameError::HeaderMember { member: name, problem: "is missing".into() })
}

fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
    allowed: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<&'a str, FrameError> {
    let value = required(members, name)?;
    match value.as_str() {
        Some(text) if fits(text) => Ok(text),
        _ => Err(wrong(name, allowed, value)),
    }
}

fn wrong(member: &'static str, allowed: &str, found: &Value) -> FrameError {
    let found: String = found.to_string().chars().take(40).collect();
    FrameError::HeaderMember { member, problem: format!("must be {allowed}, not {found}") }
}

/// Appends the prefix, the header and the payload.
pub(super) fn encode(content: Content, payload: &[u8], out: &mut Vec<u8>) {
    let (kind, encoding) = match content {
        Content::Json => ("text/json", "utf-8"),
        Content::Binary => ("binary/octet-stream", "binary"),
    };
    let order = if cfg!(target_endian = "big") { "big" } else { "little" };
    let length = payload.len();
    let json = format!(
        "{{\"byteorder\": \"{order}\", \"content-type\": \"{kind}\", \
         \"content-encoding\": \"{encoding}\", \"content-length\": {length}}}"
    );
    prefix::encode::<PREFIX>(json.as_bytes(), out);
    out.extend_from_slice(payload);
}
